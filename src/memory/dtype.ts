// Element types and the memory behind them.
import { constants } from 'node:buffer';

import * as check from '../check/index.js';

/** Element types. Gradients exist for the two floating ones. */
export type DType = 'float32' | 'float64' | 'int32' | 'int64';

export type FloatData = Float32Array | Float64Array;
export type TensorData = FloatData | Int32Array | BigInt64Array;

export const DTYPES = ['float32', 'float64', 'int32', 'int64'] as const;

const CONSTRUCTORS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
} as const;

/** Bytes of an element. */
export const BYTES: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  int32: 4,
  int64: 8,
};

/** Whether its elements are floats: such a tensor may require grad. Else they are integers. */
export function isFloating(dtype: DType): dtype is 'float32' | 'float64' {
  return dtype === 'float32' || dtype === 'float64';
}

/** Typed arrays of integers. */
export type IntegerArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Typed arrays of any kind of number; a Float16Array (Node 24) too, for which there is no type here yet. */
export type NumberArray = FloatData | IntegerArray;

/** Every kind of typed array: the dtype that has all its values, and whether that has the very same elements. */
const KINDS: Readonly<Record<string, { readonly dtype: DType; readonly same?: true }>> = {
  Float32Array: { dtype: 'float32', same: true },
  Float64Array: { dtype: 'float64', same: true },
  Int32Array: { dtype: 'int32', same: true },
  BigInt64Array: { dtype: 'int64', same: true },
  Float16Array: { dtype: 'float32' },
  Int8Array: { dtype: 'int32' },
  Uint8Array: { dtype: 'int32' },
  Uint8ClampedArray: { dtype: 'int32' },
  Int16Array: { dtype: 'int32' },
  Uint16Array: { dtype: 'int32' },
  Uint32Array: { dtype: 'int64' },
  BigUint64Array: { dtype: 'int64' },
};

/** What a value's elements are, or null where it is no array of ours. Another realm's counts too. */
export function dtypeOf(data: unknown): DType | null {
  const kind = KINDS[check.arrayKind(data) ?? ''];
  return kind?.same === true ? kind.dtype : null;
}

/** The dtype that has every value of a typed array, as in checkpoints: int32 for a Uint8Array. */
export function widerDtypeOf(data: NumberArray): DType {
  return KINDS[check.arrayKind(data) ?? '']?.dtype ?? 'float32';
}

/**
 * How many elements an array has; none once its buffer is detached or has shrunk below it. From its bytes, because
 * optimised code of Node 20 and 22 that has also seen resizable buffers goes on giving the old `length`:
 * in 54,000 of 140,000 tries, where `byteLength` was right in all.
 */
export function lengthOf(data: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number }): number {
  return data.byteLength / data.BYTES_PER_ELEMENT;
}

/**
 * A caller's array without what a subclass of it may change (`buffer`, `length`, what `subarray` makes): a view of the
 * same elements. A plain array, of any realm, is itself.
 */
export function plainArray(data: TensorData): TensorData {
  // Only the engine's own prototypes have this property; that of a subclass inherits it.
  if (Object.hasOwn(Object.getPrototypeOf(data) as object, 'BYTES_PER_ELEMENT')) return data;
  return viewOf(dtypeOf(data)!, ...check.placeOfArray(data));
}

/** `numel` zeros. */
export function zeros(dtype: DType, numel: number): TensorData {
  try {
    return new CONSTRUCTORS[dtype](numel);
  } catch {
    throw numel > LONGEST ? tooLong(numel) : noMemory(numel * BYTES[dtype]);
  }
}

/** The most elements of an array, and the most bytes of a Buffer: 2^32 in Node 20, 2^53 - 1 from 22 on. */
export const LONGEST = constants.MAX_LENGTH;

/** Engines have a sentence each for an array that is too long or does not fit. */
function tooLong(numel: number): RangeError {
  const limit = `an array of at most ${LONGEST} elements (the limit of Node ${process.version})`;
  return check.wrongValue('evenkeel', limit, String(numel));
}

function noMemory(bytes: number): RangeError {
  const megabytes = Math.ceil(bytes / 1e6);
  return check.wrongValue('evenkeel', `${megabytes} MB of memory for an array`, 'none');
}

/** No elements. */
export function empty(dtype: DType): TensorData {
  return zeros(dtype, 0);
}

/** `bytes` zeros that every Worker may have. */
export function sharedBuffer(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch {
    throw noMemory(bytes);
  }
}

/** `numel` elements of a buffer, from a byte on. */
export function viewOf(
  dtype: DType,
  buffer: ArrayBufferLike,
  byteOffset: number,
  numel: number,
): TensorData {
  // The four constructors' types agree on ArrayBuffer only.
  return new CONSTRUCTORS[dtype](buffer as ArrayBuffer, byteOffset, numel);
}

/** `numel` elements that nobody has written: for outputs that will be, whole. */
export function uninitialized(dtype: DType, numel: number): TensorData {
  const bytes = numel * BYTES[dtype];
  // Buffer's slow path gives memory of its own that nobody has zeroed: 32 MB of zeros cost 0.2 ms
  // before the page faults. Below a page the plain array is faster, and what is longer than any Buffer
  // (4 GiB in Node 20) may still be an array.
  if (bytes < 4096 || bytes > LONGEST) return zeros(dtype, numel);
  try {
    return new CONSTRUCTORS[dtype](Buffer.allocUnsafeSlow(bytes).buffer, 0, numel);
  } catch {
    throw noMemory(bytes);
  }
}
