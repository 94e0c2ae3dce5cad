// Copies of a tensor side by side.
import * as check from '../../check/index.js';
import {
  recordRepeatable,
  type Backward,
  type Tensor,
  type TensorLike,
} from '../../tensor/tensor.js';
import { reduce } from '../reductions/reduce.js';
import { inputOf } from './arguments.js';
import { gathered, stridesOf } from './strided.js';

/**
 * x so many times along each dimension; new dimensions come in front. A copy; the gradient is summed.
 *
 * @param sizes - How often, at least one number for each dimension of x. As a method also without brackets.
 * @example
 * ```ts
 * functional.repeat(tensor([1, 2]), [2, 2]).toArray(); // => [[1, 2, 1, 2], [1, 2, 1, 2]]
 * tensor([1, 2]).repeat(3).toArray(); // => [1, 2, 1, 2, 1, 2]
 * ```
 */
export function repeat(x: TensorLike, sizes: readonly number[], ...rest: undefined[]): Tensor {
  const who = 'repeat';
  const [input, times] = argumentsOf(who, x, sizes, rest);
  if (times.length < input.shape.length) {
    throw check.wrongValue(
      who,
      `a number for each of ${input.shape.length} dimensions (Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor)`,
      check.shapeText(times),
    );
  }
  return repeated(who, input, times);
}

/**
 * `repeat`, where numbers that are missing in front are 1.
 *
 * @example
 * ```ts
 * functional.tile(tensor([[1], [2]]), [2]).toArray(); // => [[1, 1], [2, 2]]
 * ```
 */
export function tile(x: TensorLike, sizes: readonly number[], ...rest: undefined[]): Tensor {
  const who = 'tile';
  const [input, times] = argumentsOf(who, x, sizes, rest);
  const missing = Math.max(0, input.shape.length - times.length);
  return repeated(who, input, [...Array.from({ length: missing }, () => 1), ...times]);
}

function argumentsOf(
  who: string,
  x: TensorLike,
  sizes: readonly number[],
  rest: readonly undefined[],
): [Tensor, number[]] {
  if (!check.isList(sizes)) {
    throw check.wrongKind(who, 'an array of how often, one number a dimension', sizes);
  }
  if (rest.length > 0) check.noMore(who, 2, rest);
  check.rank(who, sizes.length);
  const times = Array.from(sizes, (each) => check.wholeNumber(who, 'every number', each, 0));
  return [inputOf(who, x), times];
}

function repeated(who: string, input: Tensor, times: readonly number[]): Tensor {
  const { shape } = input;
  const strides = stridesOf(shape);
  const more = times.length - shape.length;
  const sizes = check.shape(
    who,
    times.map((count, i) => count * (i < more ? 1 : shape[i - more]!)),
  );
  // Each dimension as two, of which the first repeats the second; those of size 1 are left out.
  const walk: { size: number; stride: number; repeats: boolean }[] = [];
  for (const [i, count] of times.entries()) {
    if (count !== 1) walk.push({ size: count, stride: 0, repeats: true });
    const size = i < more ? 1 : shape[i - more]!;
    if (size !== 1) walk.push({ size, stride: strides[i - more]!, repeats: false });
  }
  const inner = walk.map(({ size }) => size);
  const y = gathered(
    input,
    inner,
    0,
    walk.map(({ stride }) => stride),
  );
  const dims = walk.flatMap(({ repeats }, i) => (repeats ? [i] : []));
  return recordRepeatable(who, y.alias(sizes), [input], summing(shape, inner, dims));
}

/** Holds no tensor. */
const summing =
  (shape: readonly number[], inner: readonly number[], dims: readonly number[]): Backward =>
  (dy) => [dims.length === 0 ? dy.alias(shape) : reduce('sum', dy.alias(inner), dims, shape)];
