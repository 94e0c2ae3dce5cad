// Parts of a dimension, as copies.
import * as check from '../../check/index.js';
import {
  recordRepeatable,
  type Backward,
  type Tensor,
  type TensorLike,
} from '../../tensor/tensor.js';
import { dimOf } from '../dims.js';
import { alongOf, inputOf, type AlongOptions } from './arguments.js';
import { copyStrided, filled, gathered, stridesOf } from './strided.js';

/**
 * `length` places of a dimension from `start` on.
 *
 * @param start - Negative: from the end.
 * @example
 * ```ts
 * functional.narrow(tensor([1, 2, 3, 4]), 0, 1, 2).toArray(); // => [2, 3]
 * ```
 */
export function narrow(
  x: TensorLike,
  dim: number,
  start: number,
  length: number,
  ...rest: undefined[]
): Tensor {
  if (rest.length > 0) check.noMore('narrow', 4, rest);
  const who = 'narrow';
  const input = inputOf(who, x);
  if (input.shape.length === 0) {
    throw check.wrongValue(
      who,
      'a tensor of at least 1 dimension (narrow() cannot be applied to a 0-dim tensor)',
      'shape []',
    );
  }
  const at = dimOf(who, 'dim', dim, input.shape.length);
  const size = input.shape[at]!;
  if (typeof start !== 'number') throw check.wrongKind(who, 'start to be a whole number', start);
  if (!Number.isInteger(start) || start < -size || start > size) {
    throw check.wrongValue(who, `start from ${-size} to ${size}`, check.describe(start));
  }
  const from = start < 0 ? start + size : start;
  check.wholeNumber(who, 'length', length, 0);
  if (from + length > size) {
    throw check.wrongValue(
      who,
      `start + length of at most ${size} (start (${from}) + length (${length}) exceeds dimension size (${size}))`,
      String(from + length),
    );
  }
  return part(who, input, at, from, length);
}

function part(who: string, input: Tensor, dim: number, start: number, length: number): Tensor {
  const strides = stridesOf(input.shape);
  const shape = input.shape.map((size, i) => (i === dim ? length : size));
  const offset = start * strides[dim]!;
  const y = gathered(input, shape, offset, strides);
  return recordRepeatable(who, y, [input], placing(input.shape, offset));
}

/** Holds no tensor. */
const placing =
  (shape: readonly number[], offset: number): Backward =>
  (dy) => [placed(dy, shape, offset)];

/**
 * One place of a dimension, without the dimension: `x[index]` of PyTorch, for `dim` 0. A copy; the gradient is 0 elsewhere.
 *
 * @param index - Negative: from the end.
 * @example
 * ```ts
 * const x = tensor([[1, 2], [3, 4]]);
 * functional.select(x, 0, 1).toArray(); // => [3, 4]
 * x.select(1, -1).toArray(); // => [2, 4]
 * ```
 */
export function select(x: TensorLike, dim: number, index: number, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('select', 3, rest);
  const who = 'select';
  const input = inputOf(who, x);
  const { shape } = input;
  if (shape.length === 0) {
    const what = 'a tensor of at least 1 dimension (select() cannot be applied to a 0-dim tensor)';
    throw check.wrongValue(who, what, 'shape []');
  }
  const at = dimOf(who, 'dim', dim, shape.length);
  const size = shape[at]!;
  if (typeof index !== 'number') throw check.wrongKind(who, 'index to be a whole number', index);
  if (!Number.isInteger(index) || index < -size || index >= size) {
    const range =
      size === 0 ? 'into a dimension that is not empty' : `from ${-size} to ${size - 1}`;
    throw check.wrongValue(who, `index ${range} (index out of range)`, check.describe(index));
  }
  return place(who, input, at, index < 0 ? index + size : index);
}

function place(who: string, input: Tensor, dim: number, index: number): Tensor {
  const { shape } = input;
  const strides = stridesOf(shape);
  const others = (_: number, i: number): boolean => i !== dim;
  const offset = index * strides[dim]!;
  const y = gathered(input, shape.filter(others), offset, strides.filter(others));
  return recordRepeatable(who, y, [input], placingOne(shape, dim, offset));
}

/** Holds no tensor. */
const placingOne =
  (shape: readonly number[], dim: number, offset: number): Backward =>
  (dy) => {
    const kept = shape.map((size, i) => (i === dim ? 1 : size));
    return [placed(dy.alias(kept), shape, offset)];
  };

/**
 * Every place of a dimension, without the dimension: rows of a matrix. Copies.
 *
 * @param options - Or the dimension; 0 by default.
 * @example
 * ```ts
 * const [a, b] = functional.unbind(tensor([[1, 2], [3, 4]]));
 * b!.toArray(); // => [3, 4]
 * a!.unbind().map((each) => each.item()); // => [1, 2]
 * ```
 */
export function unbind(
  x: TensorLike,
  options: AlongOptions | number = {},
  ...rest: undefined[]
): Tensor[] {
  const who = 'unbind';
  if (rest.length > 0) check.noMore(who, 2, rest);
  const input = inputOf(who, x);
  if (input.shape.length === 0) {
    const what = 'a tensor of at least 1 dimension (the tensor has no dimensions)';
    throw check.wrongValue(who, what, 'shape []');
  }
  const dim = alongOf(who, options, input.shape.length);
  const count = input.shape[dim]!;
  fewParts(who, count);
  return Array.from({ length: count }, (_, i) => place(who, input, dim, i));
}

/** Zeros of a shape, with the elements of `from` in a block that begins at an offset. */
function placed(from: Tensor, shape: readonly number[], offset: number): Tensor {
  const into = filled(shape, from.dtype, 0);
  copyStrided(
    from.shape,
    { tensor: from, offset: 0, strides: stridesOf(from.shape) },
    { tensor: into, offset, strides: stridesOf(shape) },
  );
  return into;
}

/**
 * Parts of `size` places of a dimension each, the last one of what is left; or parts of the sizes given.
 *
 * @example
 * ```ts
 * functional.split(tensor([1, 2, 3]), 2).map(String); // => ['tensor([1., 2.])', 'tensor([3.])']
 * ```
 */
export function split(
  x: TensorLike,
  size: number | readonly number[],
  options: AlongOptions | number = {},
): Tensor[] {
  const who = 'split';
  const input = inputOf(who, x);
  if (input.shape.length === 0)
    throw check.wrongValue(who, 'at least a 1-dimensional tensor', 'shape []');
  const dim = alongOf(who, options, input.shape.length);
  return cutBy(who, input, dim, sizesOf(who, size, input.shape[dim]!));
}

/** Each is a Tensor of its own: of more, JavaScript's memory could come to its end, and the process with it. */
const MOST_PARTS = 2 ** 20;

function sizesOf(who: string, size: number | readonly number[], all: number): number[] {
  if (Array.isArray(size)) {
    const sizes = size.map((each: unknown) => check.wholeNumber(who, 'every size', each, 0));
    const total = sizes.reduce((a, b) => a + b, 0);
    if (total !== all) {
      throw check.wrongValue(
        who,
        `sizes that add up to ${all} (the size of the dimension)`,
        `[${sizes.join(', ')}]`,
      );
    }
    return sizes;
  }
  const step = check.wholeNumber(who, 'the size', size, 1);
  const count = Math.max(1, Math.ceil(all / step));
  fewParts(who, count);
  return Array.from({ length: count }, (_, i) => Math.min(step, all - i * step));
}

function fewParts(who: string, count: number): void {
  if (count > MOST_PARTS) throw check.wrongValue(who, `at most ${MOST_PARTS} parts`, `${count}`);
}

function cutBy(who: string, input: Tensor, dim: number, sizes: readonly number[]): Tensor[] {
  let start = 0;
  return sizes.map((size) => part(who, input, dim, (start += size) - size, size));
}

/** At most `chunks` parts of a dimension, of one size but for the last. */
export function chunk(
  x: TensorLike,
  chunks: number,
  options: AlongOptions | number = {},
): Tensor[] {
  const who = 'chunk';
  const input = inputOf(who, x);
  if (input.shape.length === 0)
    throw check.wrongValue(who, 'at least a 1-dimensional tensor', 'shape []');
  const dim = alongOf(who, options, input.shape.length);
  check.wholeNumber(who, 'chunks', chunks, 1);
  const all = input.shape[dim]!;
  const step = Math.max(1, Math.ceil(all / chunks));
  return cutBy(who, input, dim, sizesOf(who, step, all));
}
