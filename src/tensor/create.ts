// Making tensors: from a typed array that is adopted, or from arrays that are copied and converted.
import * as check from '../check/index.js';
import type { Sizes } from './interop.js';
import { convertInto } from '../memory/convert.js';
import { fromNested, type Block, type Nested } from './nested.js';
import {
  DTYPES,
  dtypeOf,
  lengthOf,
  plainArray,
  uninitialized,
  widerDtypeOf,
  type DType,
  type NumberArray,
  type TensorData,
} from '../memory/dtype.js';
import { Tensor, type TensorLike } from './tensor.js';

export interface TensorOptions {
  /** Element type; other numbers are converted to it, in a copy. Default: that of the data. */
  dtype?: DType | undefined;
  /** Whether `backward()` reaches it. Default false. */
  requiresGrad?: boolean | undefined;
}

/** A Tensor, by its members: a class in a recursive type is more than some tools can follow. */
interface TensorPart extends Block {
  readonly requiresGrad: boolean;
  readonly disposed: boolean;
}

/** What `tensor()` takes: a typed array, or nested arrays of numbers, of typed arrays or of tensors. */
export type TensorSource =
  NumberArray | Nested<number | bigint | boolean | NumberArray | TensorPart>;

const OPTION_NAMES = ['dtype', 'requiresGrad'];

/**
 * Makes a tensor.
 *
 * | data | without `dtype` | with another `dtype` |
 * |---|---|---|
 * | Float32Array, Float64Array, Int32Array, BigInt64Array | adopted: no copy | a copy, converted |
 * | another typed array | refused | a copy, converted |
 * | nested arrays of numbers | float32 | converted |
 * | nested arrays of BigInts | int64 | converted |
 * | nested arrays of booleans | int32, 1 and 0: a mask | converted: 1 and 0 |
 * | nested arrays of typed arrays or tensors: equal shapes | copied, in their dtype | converted |
 *
 * An adopted array may be a view with a byte offset, or over a SharedArrayBuffer. Converted to an integer type,
 * a value must be a whole number in its range.
 *
 * @param shapeOrOptions - Sizes, or the options. Default: the shape of the data.
 * @throws {TypeError} when the data is of another kind, or detached.
 * @throws {RangeError} when the shape does not fit the data, nested arrays are ragged, or the dtype does not
 * have a value.
 * @example
 * ```ts
 * const x = tensor(new Float32Array(64 * 256), [64, 256]);
 * x.shape; // => [64, 256]
 * tensor([[1, 2], [3, 4]]).dtype; // => 'float32'
 * tensor([Float64Array.of(1, 2), Float64Array.of(3, 4)]).dtype; // => 'float64'
 * tensor(Uint8Array.of(0, 255), { dtype: 'float32' }).toArray(); // => [0, 255]
 * ```
 */
export function tensor(
  data: TensorSource,
  shapeOrOptions?: Sizes | TensorOptions,
  maybeOptions?: TensorOptions,
): Tensor {
  const who = 'tensor';
  const hasShape = check.isList(shapeOrOptions);
  const given = hasShape || shapeOrOptions === undefined ? maybeOptions : shapeOrOptions;
  check.options(who, given, OPTION_NAMES);
  const { dtype, requiresGrad = false } = given ?? {};
  if (dtype !== undefined) check.oneOf(who, 'dtype', dtype, DTYPES);
  check.boolean('Tensor', 'requiresGrad', requiresGrad);
  const shape = hasShape ? check.shape(who, shapeOrOptions) : undefined;
  const made = ArrayBuffer.isView(data)
    ? fromArray(who, data, shape, dtype)
    : fromValues(who, data, shape, dtype);
  if (requiresGrad) made.requiresGrad = true;
  return made;
}

/**
 * @internal Samples of a data set: a tensor, what `Tensor.from` takes, or what `tensor()` takes, in the dtype
 * that a loss wants for it: whole numbers in a flat array are class targets.
 */
export function samplesOf(who: string, source: TensorSource | TensorLike): Tensor {
  if (ArrayBuffer.isView(source)) {
    const isKnown = check.arrayKind(source) !== undefined;
    return fromArray(who, source, undefined, isKnown ? widerDtypeOf(source) : undefined);
  }
  if (Array.isArray(source)) return fromValues(who, source, undefined, targetDtype(source));
  const made = Tensor.from(source as TensorLike);
  if (made === source) return made;
  // Counted, as the data set keeps the caller's array: nobody may transfer it away.
  return Tensor.adoptingCounted(made.attached(who), made.shape, made.dtype);
}

/** @internal int32, or int64 where that is too small, for a flat array of whole numbers; otherwise undefined. */
export function targetDtype(list: readonly unknown[]): DType | undefined {
  if (list.length === 0 || !list.every(Number.isSafeInteger)) return undefined;
  return list.every((each) => each === (Number(each) | 0)) ? 'int32' : 'int64';
}

/** @internal The elements of a list, or the rows of one, converted to a dtype. */
export function valuesOf(who: string, list: readonly unknown[], dtype: DType): Tensor {
  return fromValues(who, list, undefined, dtype);
}

function fromArray(
  who: string,
  data: NumberArray | DataView,
  wanted: readonly number[] | undefined,
  dtype: DType | undefined,
): Tensor {
  const own = dtypeOf(data);
  if (check.arrayKind(data) === undefined || (own === null && dtype === undefined)) {
    throw check.wrongKind(
      who,
      'a Float32Array, Float64Array, Int32Array, BigInt64Array or nested arrays of numbers ' +
        '(or another typed array with the dtype to convert it to)',
      data,
    );
  }
  const adopted = dtype === undefined || dtype === own;
  const source = adopted ? plainArray(data as TensorData) : (data as NumberArray);
  const length = adopted ? lengthOf(source) : check.arrayLength(source);
  const shape = shapeFor(who, wanted ?? [length], length);
  if (length === 0) check.present(who, data);
  if (adopted) return Tensor.adoptingCounted(source as TensorData, shape, own!);
  const copy = uninitialized(dtype, length);
  convertInto(who, source, copy, dtype, 0);
  return Tensor.adopting(copy, shape, dtype);
}

function fromValues(
  who: string,
  nested: unknown,
  wanted: readonly number[] | undefined,
  dtype: DType | undefined,
): Tensor {
  const contents = fromNested(who, nested, dtype, blockOf);
  const shape = shapeFor(who, wanted ?? contents.shape, lengthOf(contents.data));
  return Tensor.adopting(contents.data, shape, contents.dtype);
}

function blockOf(value: unknown): Block | null {
  if (!(value instanceof Tensor)) return null;
  return { data: value.attached('tensor'), shape: value.shape, dtype: value.dtype };
}

/** The shape, if so many elements fill it. */
function shapeFor(who: string, shape: readonly number[], length: number): readonly number[] {
  const numel = check.numelOf(shape);
  if (numel === length) return shape;
  const detached = length === 0 ? ' (or its buffer was detached)' : '';
  const what = `${numel} elements for shape ${check.shapeText(shape)}`;
  throw check.wrongValue(who, what, `${length}${detached}`);
}
