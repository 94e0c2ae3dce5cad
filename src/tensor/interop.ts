// Reading other people's arrays: the strided containers of other libraries (ndarray, @stdlib/ndarray,
// onnxruntime). Depends on none of them.
import * as check from '../check/index.js';
import {
  dtypeOf,
  lengthOf,
  plainArray,
  uninitialized,
  type DType,
  type TensorData,
} from '../memory/dtype.js';

/** Nested arrays of numbers, as deep as the tensor has dimensions. */
export type NestedArray = number | readonly NestedArray[];

/** Sizes of dimensions, or the steps between their elements: numbers or BigInts. */
export type Sizes = ArrayLike<number | bigint>;

/** What `Tensor.from` understands besides a Tensor. Strides and offset count elements. */
export interface ArrayLikeTensor {
  readonly data: unknown;
  readonly shape?: Sizes | (() => Sizes) | undefined;
  readonly dims?: Sizes | undefined;
  readonly stride?: Sizes | undefined;
  readonly strides?: Sizes | undefined;
  readonly offset?: number | undefined;
}

/** What a Tensor is made of. */
export interface Contents {
  readonly data: TensorData;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Whether a value has the form of another library's array. */
export function isArrayLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'data' in value;
}

/** The error for an operand that is no tensor. */
export function notATensor(who: string, name: string, value: unknown): TypeError {
  return check.wrongKind(who, `${name} to be a Tensor${hintFor(value)}`, value);
}

function hintFor(value: unknown): string {
  if (check.isThenable(value)) return ' (await the promise)';
  const values = Array.isArray(value) || ArrayBuffer.isView(value);
  return values ? ' (tensor(values) makes a Tensor)' : '';
}

/** Another library's array: contiguous data as it is, strided data copied. */
export function fromArrayLike(other: ArrayLikeTensor): Contents {
  const who = 'Tensor.from';
  if (!isArrayLike(other)) {
    const what = `a Tensor, { data, shape } or { data, dims }${hintFor(other)}`;
    throw check.wrongKind(who, what, other);
  }
  const given = typeof other.shape === 'function' ? other.shape() : (other.shape ?? other.dims);
  if (given === undefined) throw check.wrongKind(who, 'a shape or dims beside data', given);
  const shape = check.shape(who, listOf(who, 'shape', given));
  const numel = check.numelOf(shape);
  const data = other.data;
  const dtype = dtypeOf(data);
  if (dtype === null) {
    throw check.wrongKind(who, 'a Float32Array, Float64Array, Int32Array or BigInt64Array', data);
  }
  const source = plainArray(data as TensorData);
  const length = lengthOf(source);
  const strides = listOf(who, 'strides', other.strides ?? other.stride ?? rowMajor(shape));
  const offset = other.offset ?? 0;
  const start = checkStrides(who, length, shape, strides, offset);
  if (isRowMajor(shape, strides)) {
    const whole = start === 0 && length === numel;
    return { data: whole ? source : source.subarray(start, start + numel), shape, dtype };
  }
  return { data: gather(source, dtype, shape, strides, start), shape, dtype };
}

/** A copy, with BigInts as numbers. */
function listOf(who: string, name: string, value: unknown): number[] {
  if (!check.isList(value)) throw check.wrongKind(who, `${name} to be an array`, value);
  return Array.from(value, (each) => (typeof each === 'bigint' ? Number(each) : (each as number)));
}

function rowMajor(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (const size of [...shape].reverse()) {
    strides.unshift(step);
    step *= size;
  }
  return strides;
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  const expected = rowMajor(shape);
  return shape.includes(0) || shape.every((size, i) => size === 1 || strides[i] === expected[i]);
}

/** That every element lies inside the data; returns where the first one is. */
function checkStrides(
  who: string,
  length: number,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): number {
  check.wholeNumber(who, 'offset', offset, 0);
  if (strides.length !== shape.length || !strides.every(Number.isSafeInteger)) {
    throw check.wrongValue(who, `${shape.length} whole-number strides`, `[${strides.join(', ')}]`);
  }
  if (shape.includes(0)) return 0;
  let low = offset;
  let high = offset;
  shape.forEach((size, i) => {
    const reach = (size - 1) * (strides[i] ?? 0);
    if (reach < 0) low += reach;
    else high += reach;
  });
  if (low < 0 || high >= length) {
    throw check.wrongValue(
      who,
      `elements within the ${length} of data`,
      `indices ${low} to ${high} for shape ${check.shapeText(shape)}`,
    );
  }
  return offset;
}

function gather(
  source: TensorData,
  dtype: DType,
  shape: readonly number[],
  strides: readonly number[],
  start: number,
): TensorData {
  const target = uninitialized(dtype, check.numelOf(shape));
  let next = 0;
  const copy = (axis: number, at: number): void => {
    const size = shape[axis];
    if (size === undefined) {
      target[next++] = source[at] as never;
      return;
    }
    for (let i = 0; i < size; i++) copy(axis + 1, at + i * (strides[axis] ?? 0));
  };
  copy(0, start);
  return target;
}
