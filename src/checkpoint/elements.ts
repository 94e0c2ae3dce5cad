// Element types of checkpoints: their names in each format, their sizes, and what becomes of them here.
// Four are ours and keep their bits; the others are widened, every value exactly.
import * as check from '../check/index.js';
import { BYTES, type DType, type TensorData } from '../memory/dtype.js';
import { Tensor } from '../tensor/tensor.js';
import { CHUNK_BYTES, readExtent, type Extent, type Source, type Steps } from './source.js';

export interface Element {
  /** PyTorch's name. */
  readonly name: string;
  /** Size in the file. */
  readonly bytes: number;
  /** What it becomes. */
  readonly dtype: DType;
  /** Writes every element of `from` into `to`; absent where the bits are the same. */
  readonly widen?: (from: DataView, to: TensorData) => void;
}

function widening(
  bytes: number,
  dtype: DType,
  value: (from: DataView, at: number) => number | bigint,
): Omit<Element, 'name'> {
  return {
    bytes,
    dtype,
    widen(from, to) {
      const numbers = to as { [index: number]: number | bigint };
      for (let i = 0; i < to.length; i++) numbers[i] = value(from, i * bytes);
    },
  };
}

/** The other kind: by bits, since a NaN that is handled as a number may lose its payload. */
function wideningBits(bits: (half: number) => number): Omit<Element, 'name'> {
  return {
    bytes: 2,
    dtype: 'float32',
    widen(from, to) {
      const words = new Uint32Array(to.buffer, to.byteOffset, to.length);
      for (let i = 0; i < words.length; i++) words[i] = bits(from.getUint16(2 * i, true));
    },
  };
}

/** The bits of a float32 with the value of these bits of a float16 (IEEE 754 binary16). */
function singleOfHalf(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Below 2^-14, fraction · 2^-24: normal in float32 once its first bit is the hidden one.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

const KINDS: Readonly<Record<string, Omit<Element, 'name'>>> = {
  float32: { bytes: 4, dtype: 'float32' },
  float64: { bytes: 8, dtype: 'float64' },
  int32: { bytes: 4, dtype: 'int32' },
  int64: { bytes: 8, dtype: 'int64' },
  float16: wideningBits(singleOfHalf),
  bfloat16: wideningBits((bits) => bits << 16),
  bool: widening(1, 'int32', (from, at) => (from.getUint8(at) === 0 ? 0 : 1)),
  int8: widening(1, 'int32', (from, at) => from.getInt8(at)),
  uint8: widening(1, 'int32', (from, at) => from.getUint8(at)),
  int16: widening(2, 'int32', (from, at) => from.getInt16(at, true)),
  uint16: widening(2, 'int32', (from, at) => from.getUint16(at, true)),
  uint32: widening(4, 'int64', (from, at) => BigInt(from.getUint32(at, true))),
  uint64: widening(8, 'int64', (from, at) => from.getBigUint64(at, true)),
};

const named = (names: Readonly<Record<string, string>>): ReadonlyMap<string, Element> =>
  new Map(Object.entries(names).map(([key, name]) => [key, { name, ...KINDS[name]! }]));

/** By PyTorch's dtype: `torch.float16`. */
export const TORCH_DTYPES = named(
  Object.fromEntries(Object.keys(KINDS).map((name) => [name, name])),
);

/** By the `dtype` of a safetensors header. */
export const SAFETENSORS_DTYPES = named({
  F32: 'float32',
  F64: 'float64',
  I32: 'int32',
  I64: 'int64',
  F16: 'float16',
  BF16: 'bfloat16',
  BOOL: 'bool',
  I8: 'int8',
  U8: 'uint8',
  I16: 'int16',
  U16: 'uint16',
  U32: 'uint32',
  U64: 'uint64',
});

/** By PyTorch's class of storage: `torch.HalfStorage`. An untyped one is bytes until a tensor says of what. */
export const STORAGES = named({
  FloatStorage: 'float32',
  DoubleStorage: 'float64',
  IntStorage: 'int32',
  LongStorage: 'int64',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  BoolStorage: 'bool',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  ShortStorage: 'int16',
  UntypedStorage: 'uint8',
});

/** So many elements are widened between two turns of the event loop: as BigInts they take 0.5 ms. */
const WIDENED = 2 ** 13;

/** Memory for a tensor of a file, uninitialised. */
export function roomFor(who: string, what: string, shape: readonly number[], dtype: DType): Tensor {
  try {
    return Tensor.uninitialized(shape, dtype);
  } catch (cause) {
    const bytes = check.numelOf(shape) * BYTES[dtype];
    throw new Error(`${who}: expected memory for the ${bytes} bytes of ${what}, got none.`, {
      cause,
    });
  }
}

/**
 * Fills `to` from an extent of a source, which has as many elements and perhaps a few bytes more. Elements of
 * our own types are read straight into it. `what` names the tensor.
 */
export function* readElements(
  who: string,
  what: string,
  element: Element,
  source: Source,
  extent: Extent,
  to: TensorData,
): Steps<void> {
  const own = new Uint8Array(to.buffer, to.byteOffset, to.byteLength);
  if (element.widen === undefined && extent.length === own.length) {
    yield* readExtent(who, source, extent, (at, length) => own.subarray(at, at + length));
    return;
  }
  const scratch = new Uint8Array(Math.min(extent.length, CHUNK_BYTES));
  yield* readExtent(
    who,
    source,
    extent,
    (_, length) => scratch.subarray(0, length),
    (chunk, at) => convert(who, what, element, chunk, to, at / element.bytes),
  );
}

/** Widens, or copies, the elements of a chunk, which are those of `to` from `start` on. */
function* convert(
  who: string,
  what: string,
  { name, bytes, widen }: Element,
  chunk: Uint8Array,
  to: TensorData,
  start: number,
): Steps<void> {
  const end = Math.min(to.length, start + Math.floor(chunk.length / bytes));
  for (let first = start; first < end; first += WIDENED) {
    const some = to.subarray(first, Math.min(end, first + WIDENED));
    const at = (first - start) * bytes;
    if (widen === undefined) {
      new Uint8Array(some.buffer, some.byteOffset, some.byteLength).set(
        chunk.subarray(at, at + some.byteLength),
      );
    } else {
      widen(new DataView(chunk.buffer, chunk.byteOffset + at, some.length * bytes), some);
    }
    if (name === 'uint64') belowHalf(who, what, some as BigInt64Array, first);
    yield;
  }
}

function belowHalf(who: string, what: string, values: BigInt64Array, first: number): void {
  const index = values.findIndex((value) => value < 0n);
  if (index < 0) return;
  const value = BigInt.asUintN(64, values[index]!);
  throw check.wrongValue(
    who,
    `uint64 values of ${what} below 2^63`,
    `${value} at index ${first + index}`,
  );
}

/** Bytes that `numel` elements take once they are ours. */
export function bytesHere(element: Element, numel: number): number {
  return numel * BYTES[element.dtype];
}
