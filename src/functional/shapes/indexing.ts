// Elements chosen by integers: lists of indices, one-hot rows, the order of values.
import * as check from '../../check/index.js';
import { addon } from '../../addon/control.js';
import {
  floats,
  record,
  Tensor,
  type DType,
  type IntegerArray,
  type TensorLike,
} from '../../tensor/tensor.js';
import { around, dimOf } from '../dims.js';
import { floatingInput } from '../pointwise/apply.js';
import { moved, movedBack } from '../reductions/moved.js';
import type { ValuesAndIndices } from '../reductions/reductions.js';
import { selected } from './select.js';
import { copyStrided, gathered, stridesOf } from './strided.js';

/** Whole numbers: an int32 or int64 tensor, or an array of integers. */
export type Indices = Tensor | IntegerArray | readonly number[] | readonly bigint[];

/** The indices as numbers of our own: what is checked is what is used. Negative ones are refused, as in PyTorch. */
function indicesOf(
  who: string,
  value: Indices,
  size: number,
): { index: Int32Array; shape: readonly number[] } {
  const list: unknown = value instanceof Tensor ? value.attached(who, 'the index') : value;
  if (!Array.isArray(list) && !check.isIntegerArray(list)) {
    const got = value instanceof Tensor ? `a tensor of ${value.dtype}` : check.describe(value);
    throw new TypeError(`${who}: expected indices as an integer array or tensor, got ${got}.`);
  }
  const given = list as ArrayLike<unknown>;
  const shape = value instanceof Tensor ? value.shape : [given.length];
  return { index: check.indices(who, 'indices', given, size), shape };
}

/**
 * Places of a dimension, in the order of a list; one may come several times.
 *
 * @param index - Whole numbers from 0 to the size of the dimension - 1: one dimension.
 * @example
 * ```ts
 * functional.indexSelect(tensor([[1, 2], [3, 4]]), 0, [1, 1]).toArray(); // => [[3, 4], [3, 4]]
 * ```
 */
export function indexSelect(x: TensorLike, dim: number, index: Indices): Tensor {
  const who = 'indexSelect';
  const input = Tensor.from(x);
  input.attached(who, 'the input');
  const at = dimensionOf(who, input, dim);
  const { index: list, shape } = indicesOf(who, index, input.shape[at]!);
  oneDimension(who, shape);
  return selected(who, input, at, list);
}

function dimensionOf(who: string, input: Tensor, dim: number): number {
  if (input.shape.length === 0)
    throw check.wrongValue(who, 'a tensor of at least 1 dimension', 'shape []');
  return dimOf(who, 'dim', dim, input.shape.length);
}

function oneDimension(who: string, shape: readonly number[]): void {
  if (shape.length === 1) return;
  throw check.wrongValue(who, 'an index of one dimension', `shape ${check.shapeText(shape)}`);
}

/**
 * x with `source` added to the places of a dimension that the index names, one after another. Another tensor: x stays.
 *
 * @param source - The shape of x, but for the dimension, which is as long as the index. Same dtype.
 */
export function indexAdd(x: TensorLike, dim: number, index: Indices, source: TensorLike): Tensor {
  const who = 'indexAdd';
  const input = floatingInput(who, x);
  const more = floatingInput(who, source, 'the source');
  const at = dimensionOf(who, input, dim);
  const { index: list, shape } = indicesOf(who, index, input.shape[at]!);
  oneDimension(who, shape);
  check.sameDtype(who, 'the source', more, input.dtype);
  check.sameShape(
    who,
    'a source',
    more,
    input.shape.map((size, d) => (d === at ? list.length : size)),
  );
  const [outer, size, inner] = around(input, at);
  const y = input.copied();
  if (more.numel > 0)
    addon.indexAdd(floats(y), list, floats(more), outer, size, list.length, inner);
  return record(who, y, [input, more], [], (dy, needs) => {
    if (!needs[1]) return [dy, null];
    const part = Tensor.uninitialized(more.shape, more.dtype);
    if (part.numel > 0)
      addon.indexSelect(floats(dy), list, floats(part), outer, size, list.length, inner);
    return [needs[0] ? dy : null, part];
  });
}

/**
 * An element of x for each index, along a dimension: y[i][j] = x[index[i][j]][j] for `dim` 0 of a matrix.
 *
 * @param index - int32 or int64, as many dimensions as x; in the others no larger than x.
 */
export function gather(x: TensorLike, dim: number, index: Tensor): Tensor {
  const who = 'gather';
  const input = floatingInput(who, x);
  const at = dimensionOf(who, input, dim);
  if (!((index as unknown) instanceof Tensor)) throw check.wrongKind(who, 'an index Tensor', index);
  const { index: list, shape } = indicesOf(who, index, input.shape[at]!);
  const fits =
    shape.length === input.shape.length &&
    shape.every((size, d) => d === at || size <= input.shape[d]!);
  if (!fits) {
    throw check.wrongValue(
      who,
      `an index with ${input.shape.length} dimensions, of at most ${check.shapeText(input.shape)} but for dimension ${at}`,
      `shape ${check.shapeText(shape)}`,
    );
  }
  // As much of x as the index reaches.
  const reached = shape.map((size, d) => (d === at ? input.shape[d]! : size));
  const part = check.equalShapes(reached, input.shape)
    ? input
    : gathered(input, reached, 0, stridesOf(input.shape));
  const [outer, size, inner] = around(part, at);
  const y = Tensor.uninitialized(shape, input.dtype);
  if (y.numel > 0) addon.gather(floats(part), list, floats(y), outer, size, shape[at]!, inner);
  if (part !== input) part.dispose();
  return record(who, y, [input], [], (dy) => {
    const sums = Tensor.filled(reached, input.dtype, 0);
    if (dy.numel > 0)
      addon.scatterAdd(floats(sums), list, floats(dy), outer, size, shape[at]!, inner);
    if (check.equalShapes(reached, input.shape)) return [sums];
    return [withZeros(sums, input.shape)];
  });
}

function withZeros(from: Tensor, shape: readonly number[]): Tensor {
  const into = Tensor.filled(shape, from.dtype, 0);
  const strides = stridesOf(from.shape);
  copyStrided(
    from.shape,
    { tensor: from, offset: 0, strides },
    { tensor: into, offset: 0, strides: stridesOf(shape) },
  );
  return into;
}

export interface OneHotOptions {
  /** Of the result. Default 'int64', as in PyTorch. */
  dtype?: DType | undefined;
}

/**
 * A row of zeros with a 1 at each index.
 *
 * @param classes - How long the rows are. Default: the largest index + 1.
 * @returns The shape of the index, with `classes` behind it.
 * @example
 * ```ts
 * functional.oneHot([1, 0], 3, { dtype: 'float32' }).toArray(); // => [[0, 1, 0], [1, 0, 0]]
 * ```
 */
export function oneHot(index: Indices, classes?: number, options: OneHotOptions = {}): Tensor {
  const who = 'oneHot';
  check.options(who, options, ['dtype']);
  const { dtype = 'int64' } = options;
  check.oneOf(who, 'dtype', dtype, ['float32', 'float64', 'int32', 'int64']);
  const most =
    classes === undefined
      ? 2 ** 31 - 1
      : check.wholeNumber(who, 'classes', classes, 1, 2 ** 31 - 1);
  const { index: list, shape } = indicesOf(who, index, most);
  if (classes === undefined && list.length === 0) {
    throw check.wrongValue(who, 'classes for an index of no elements', 'none');
  }
  const width = classes ?? list.reduce((a, b) => Math.max(a, b), 0) + 1;
  const y = Tensor.filled(check.shape(who, [...shape, width]), dtype, 0);
  const data = y.attached(who);
  const one = dtype === 'int64' ? 1n : 1;
  for (const [row, at] of list.entries()) data[row * width + at] = one;
  return y;
}

function ordered(
  who: string,
  x: TensorLike,
  dim: number,
  k: number | null,
  descending: boolean,
): ValuesAndIndices {
  const input = floatingInput(who, x);
  const at = dimOf(who, 'dim', dim, input.shape.length);
  const size = input.shape.length === 0 ? 1 : input.shape[at]!;
  const count = k ?? size;
  if (count > size) {
    throw check.wrongValue(
      who,
      `k of at most ${size} (selected index k out of range)`,
      String(count),
    );
  }
  const rows = moved(input, at);
  const shape = input.shape.map((each, d) => (d === at ? count : each));
  const rowShape = [...shape.filter((_, d) => d !== at), ...(shape.length === 0 ? [] : [count])];
  const values = Tensor.uninitialized(rowShape, input.dtype);
  const places = Tensor.uninitialized(rowShape, 'int64');
  if (values.numel > 0) {
    const order = places.attached(who) as BigInt64Array;
    addon.sort(floats(rows), floats(values), order, rows.numel / size, size, count, descending);
  }
  if (rows !== input) rows.dispose();
  const y = movedBack(values, shape, at);
  const indices = movedBack(places, shape, at);
  const list = Int32Array.from(indices.attached(who) as BigInt64Array, Number);
  const [outer, , inner] = around(input, at);
  const out = record(who, y, [input], [], (dy) => {
    const dx = Tensor.filled(input.shape, input.dtype, 0);
    if (dy.numel > 0) addon.scatterAdd(floats(dx), list, floats(dy), outer, size, count, inner);
    return [dx];
  });
  return { values: out, indices };
}

export interface SortOptions {
  /** The dimension; negative ones count from the end. Default -1. */
  dim?: number | undefined;
  /** The largest first. Default false. */
  descending?: boolean | undefined;
}

/** The values of a dimension in ascending order, and where each was. Equal ones stay in their order; NaN is the largest. */
export function sort(x: TensorLike, options: SortOptions = {}): ValuesAndIndices {
  check.options('sort', options, ['dim', 'descending']);
  const descending = check.booleanOption('sort', 'descending', options.descending);
  return ordered('sort', x, options.dim ?? -1, null, descending);
}

export interface TopkOptions {
  /** The dimension; negative ones count from the end. Default -1. */
  dim?: number | undefined;
  /** The largest (default true), or the smallest. */
  largest?: boolean | undefined;
}

/** The k largest values of a dimension, the largest first, and where each was: of equal ones the first. NaN is the largest. */
export function topk(x: TensorLike, k: number, options: TopkOptions = {}): ValuesAndIndices {
  check.options('topk', options, ['dim', 'largest']);
  const { largest = true } = options;
  check.boolean('topk', 'largest', largest);
  check.wholeNumber('topk', 'k', k, 0);
  return ordered('topk', x, options.dim ?? -1, k, largest);
}
