// Reading other people's arrays: nested arrays, and the strided containers of other libraries
// (ndarray, @stdlib/ndarray, onnxruntime). Depends on none of them.
import * as check from './check.js';
import { dtypeOf, lengthOf, uninitialized, zeros, type DType, type TensorData } from './storage.js';

/** Nested arrays of numbers, as deep as the tensor has dimensions. */
export type NestedArray = number | readonly NestedArray[];

/** What `Tensor.from` understands besides a Tensor. Strides and offset count elements. */
export interface ArrayLikeTensor {
  readonly data: unknown;
  readonly shape?: readonly number[] | (() => readonly number[]);
  readonly dims?: readonly number[];
  readonly stride?: readonly number[];
  readonly strides?: readonly number[];
  readonly offset?: number;
}

/** What a Tensor is made of. */
export interface Contents {
  readonly data: TensorData;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Nested arrays, copied. Throws where they are ragged or hold something else than numbers. */
export function fromNested(nested: NestedArray, dtype: DType): Contents {
  const shape: number[] = [];
  for (
    let level: NestedArray | undefined = nested;
    Array.isArray(level);
    level = (level as readonly NestedArray[])[0]
  ) {
    shape.push((level as readonly NestedArray[]).length);
  }
  const numel = check.numelOf(shape);
  const data = zeros(dtype, numel);
  let next = 0;
  const fill = (level: unknown, axis: number): void => {
    if (axis === shape.length) {
      if (typeof level !== 'number')
        throw check.wrongKind('tensor', 'numbers in nested arrays', level);
      if (dtype.startsWith('int') && !Number.isSafeInteger(level)) {
        throw check.wrongValue('tensor', `whole numbers for ${dtype}`, String(level));
      }
      if (data instanceof BigInt64Array) data[next++] = BigInt(level);
      else data[next++] = level;
      return;
    }
    if (!Array.isArray(level)) {
      throw check.wrongKind('tensor', `nested arrays of shape ${check.shapeText(shape)}`, level);
    }
    if (level.length !== shape[axis]) {
      throw check.wrongValue(
        'tensor',
        `nested arrays of shape ${check.shapeText(shape)}`,
        `${level.length} elements where ${shape[axis] ?? 0} were expected`,
      );
    }
    for (const each of level as readonly unknown[]) fill(each, axis + 1);
  };
  fill(nested, 0);
  return { data, shape, dtype };
}

/** Another library's array: contiguous data as it is, strided data copied. */
export function fromArrayLike(other: ArrayLikeTensor): Contents {
  const who = 'Tensor.from';
  if (typeof other !== 'object' || (other as unknown) === null || !('data' in other)) {
    throw check.wrongKind(who, 'a Tensor, { data, shape } or { data, dims }', other);
  }
  const given = typeof other.shape === 'function' ? other.shape() : (other.shape ?? other.dims);
  if (given === undefined) throw check.wrongKind(who, 'a shape or dims beside data', given);
  const shape = listOf(who, 'shape', given);
  const numel = check.shape(who, shape);
  const data = other.data;
  const dtype = dtypeOf(data);
  if (dtype === null) {
    throw check.wrongKind(who, 'a Float32Array, Float64Array, Int32Array or BigInt64Array', data);
  }
  const source = data as TensorData;
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

/** Anything else with a length could keep Array.from busy for hours. */
function listOf(who: string, name: string, value: unknown): number[] {
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) {
    throw check.wrongKind(who, `${name} to be an array`, value);
  }
  return Array.from(value as ArrayLike<number>);
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
