// Elements chosen by integers: lists of indices, one-hot rows, the order of values.
// Longer than 250 lines because each public function documents its formula, shapes and errors, and they share the
// reading of indices.
import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import type { TensorData } from '../../memory/dtype.js';
import {
  record,
  Tensor,
  ValuesAndIndices,
  type DType,
  type TensorLike,
} from '../../tensor/tensor.js';
import { around, dimOf, optionsOf, type AfterDim } from '../dims.js';
import { floatingInput } from '../pointwise/apply.js';
import { isInteger } from '../pointwise/integers.js';
import { orderIntegers } from '../reductions/integer-extremes.js';
import { moved, movedBack } from '../reductions/moved.js';
import { inputOf } from './arguments.js';
import { indexOf, type Indices } from './indices.js';
import { addSelected, recordSelected, select, selected } from './select.js';
import { copied, copyStrided, filled, gathered, stridesOf } from './strided.js';

/**
 * Places of a dimension, in the order of a list; one may come several times.
 *
 * @param index - Whole numbers from 0 to the size of the dimension - 1: one dimension.
 * @example
 * ```ts
 * functional.indexSelect(tensor([[1, 2], [3, 4]]), 0, [1, 1]).toArray(); // => [[3, 4], [3, 4]]
 * ```
 */
export function indexSelect(
  x: TensorLike,
  dim: number,
  index: Indices,
  ...rest: undefined[]
): Tensor {
  if (rest.length > 0) check.noMore('indexSelect', 3, rest);
  const who = 'indexSelect';
  const input = inputOf(who, x);
  const at = dimensionOf(who, input, dim);
  const places = indexOf(who, index, input.shape[at]!);
  oneDimension(who, places.shape);
  return selected(who, input, at, places);
}

function dimensionOf(who: string, input: Tensor, dim: number): number {
  if (input.shape.length === 0)
    throw check.wrongValue(who, 'a tensor of at least 1 dimension', 'shape []');
  return dimOf(who, 'dim', dim, input.shape.length);
}

function oneDimension(who: string, shape: readonly number[]): void {
  if (shape.length === 1) return;
  const what = 'an index of one dimension (x.maskedSelect(mask) takes a mask)';
  throw check.wrongValue(who, what, `shape ${check.shapeText(shape)}`);
}

/**
 * x with `source` added to the places of a dimension that the index names, one after another. Another tensor: x stays.
 *
 * @param source - The shape of x, but for the dimension, which is as long as the index. Same dtype.
 */
export function indexAdd(
  x: TensorLike,
  dim: number,
  index: Indices,
  source: TensorLike,
  ...rest: undefined[]
): Tensor {
  if (rest.length > 0) check.noMore('indexAdd', 4, rest);
  const who = 'indexAdd';
  const input = floatingInput(who, x);
  const more = floatingInput(who, source, 'the source');
  const at = dimensionOf(who, input, dim);
  const places = indexOf(who, index, input.shape[at]!);
  oneDimension(who, places.shape);
  const count = places.numel;
  check.sameDtype(who, 'the source', more, input.dtype);
  check.sameShape(
    who,
    'a source',
    more,
    input.shape.map((size, d) => (d === at ? count : size)),
  );
  const [outer, size, inner] = around(input, at);
  const selection = { who, index: places, outer, size, count, inner };
  const y = addSelected('indexAdd', copied(input), more, selection);
  return record(who, y, [input, more], [places], (dy, needs) => [
    needs[0] ? dy : null,
    needs[1] ? select('indexSelect', dy, more.shape, selection) : null,
  ]);
}

/**
 * An element of x for each index, along a dimension: y[i][j] = x[index[i][j]][j] for `dim` 0 of a matrix.
 *
 * @param index - int32 or int64, as many dimensions as x; in the others no larger than x.
 */
export function gather(x: TensorLike, dim: number, index: Tensor, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('gather', 3, rest);
  const who = 'gather';
  const input = inputOf(who, x);
  const at = dimensionOf(who, input, dim);
  if (!((index as unknown) instanceof Tensor)) throw check.wrongKind(who, 'an index Tensor', index);
  const places = indexOf(who, index, input.shape[at]!);
  const { shape } = places;
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
  const whole = check.equalShapes(reached, input.shape);
  const part = whole ? input : gathered(input, reached, 0, stridesOf(input.shape));
  const [outer, size, inner] = around(part, at);
  const selection = { who, index: places, outer, size, count: shape[at]!, inner };
  const y = select('gather', part, shape, selection);
  if (!whole) part.dispose();
  return record(who, y, [input], [places], (dy) => {
    const sums = addSelected('scatterAdd', filled(reached, dy.dtype, 0), dy, selection);
    if (whole) return [sums];
    const dx = withZeros(sums, input.shape);
    sums.dispose();
    return [dx];
  });
}

function withZeros(from: Tensor, shape: readonly number[]): Tensor {
  const into = filled(shape, from.dtype, 0);
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
  const places = indexOf(who, index, most);
  const list = check.indices(who, 'indices', places.attached(who, 'the index'), most);
  if (classes === undefined && list.length === 0) {
    throw check.wrongValue(who, 'classes for an index of no elements', 'none');
  }
  const width = classes ?? list.reduce((a, b) => Math.max(a, b), 0) + 1;
  const y = filled(check.shape(who, [...places.shape, width]), dtype, 0);
  const one = dtype === 'int64' ? 1n : 1;
  perform({ who, work: y.numel, reads: {}, writes: [y] }, (_native, arrayOf, turns) => {
    const data = arrayOf(y) as TensorData;
    return turns(list.length, (from, to) => {
      for (let row = from; row < to; row++) data[row * width + list[row]!] = one;
    });
  });
  return y;
}

/** Ordering an element takes as long as so many through memory. */
const SORT_WORK = 8;

function ordered(
  who: string,
  x: TensorLike,
  dim: number,
  k: number | null,
  descending: boolean,
): ValuesAndIndices {
  const input = inputOf(who, x);
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
  const [outer, , inner] = around(input, at);
  const rows = moved(input, at);
  const shape = input.shape.map((each, d) => (d === at ? count : each));
  const rowShape = [...shape.filter((_, d) => d !== at), ...(shape.length === 0 ? [] : [count])];
  const values = Tensor.uninitialized(rowShape, input.dtype);
  const places = Tensor.uninitialized(rowShape, 'int64');
  perform(
    {
      who,
      work: SORT_WORK * rows.numel,
      reads: { 'the input': rows },
      writes: [values, places],
    },
    (native, arrayOf, turns) => {
      const [from, to] = [arrayOf(rows), arrayOf(values)];
      const order = arrayOf(places) as TensorData as BigInt64Array;
      if (isInteger(rows)) {
        const [whole, into] = [from, to] as TensorData[] as [Int32Array, Int32Array];
        return turns(outer * inner, (begin, end) => {
          for (let row = begin; row < end; row++) {
            orderIntegers(whole, into, order, row, size, count, descending);
          }
        });
      }
      return native.sort(from, to, order, outer * inner, size, count, descending);
    },
  );
  if (rows !== input) rows.dispose();
  const y = movedBack(values, shape, at);
  const indices = movedBack(places, shape, at);
  if (y !== values) values.dispose();
  if (indices !== places) places.dispose();
  const selection = { who, index: indices, outer, size, count, inner };
  return new ValuesAndIndices(recordSelected(y, input, selection), indices);
}

export interface SortOptions {
  /** The dimension; negative ones count from the end. Default -1. */
  dim?: number | undefined;
  /** The largest first. Default false. */
  descending?: boolean | undefined;
}

/** The values of a dimension in ascending order, and where each was. Equal ones stay in their order; NaN is the largest. */
export function sort(
  x: TensorLike,
  given: SortOptions | number = {},
  ...rest: AfterDim<SortOptions>
): ValuesAndIndices {
  const options = optionsOf('sort', given, rest, 'descending');
  check.options('sort', options, ['dim', 'descending']);
  const descending = check.booleanOption('sort', 'descending', options.descending);
  return ordered('sort', x, options.dim === undefined ? -1 : options.dim, null, descending);
}

/**
 * Where each value of a dimension is when they are sorted, as int64: the `indices` of `sort`.
 *
 * @example
 * ```ts
 * functional.argsort(tensor([3, 1, 2])).toArray(); // => [1, 2, 0]
 * ```
 */
export function argsort(
  x: TensorLike,
  given: SortOptions | number = {},
  ...rest: AfterDim<SortOptions>
): Tensor {
  const options = optionsOf('argsort', given, rest, 'descending');
  check.options('argsort', options, ['dim', 'descending']);
  const descending = check.booleanOption('argsort', 'descending', options.descending);
  const dim = options.dim === undefined ? -1 : options.dim;
  const input = Tensor.operand('argsort', 'the input', x);
  const { values, indices } = ordered('argsort', input.detach(), dim, null, descending);
  values.dispose();
  return indices;
}

export interface TopkOptions {
  /** The dimension; negative ones count from the end. Default -1. */
  dim?: number | undefined;
  /** The largest (default true), or the smallest. */
  largest?: boolean | undefined;
}

/** The k largest values of a dimension, the largest first, and where each was: of equal ones the first. NaN is the largest. */
export function topk(
  x: TensorLike,
  k: number,
  given: TopkOptions | number = {},
  ...rest: AfterDim<TopkOptions>
): ValuesAndIndices {
  const options = optionsOf('topk', given, rest, 'largest', 3);
  check.options('topk', options, ['dim', 'largest']);
  const { largest = true } = options;
  check.boolean('topk', 'largest', largest);
  check.wholeNumber('topk', 'k', k, 0);
  return ordered('topk', x, options.dim === undefined ? -1 : options.dim, k, largest);
}
