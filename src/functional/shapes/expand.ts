import * as check from '../../check/index.js';
import {
  recordRepeatable,
  type Backward,
  type Tensor,
  type TensorLike,
} from '../../tensor/tensor.js';
import { sumTo } from '../reductions/sum-to.js';
import { inputOf } from './arguments.js';
import { gathered, repeatedStrides } from './strided.js';

/**
 * Repeated to a shape: sizes of 1 become any size, and new dimensions come in front. A size of -1 stays as it is.
 * A copy; the gradient is summed.
 */
export function expand(x: TensorLike, shape: readonly number[], ...rest: undefined[]): Tensor {
  const who = 'expand';
  if (!Array.isArray(shape)) throw check.wrongKind(who, 'a shape (an array of sizes)', shape);
  if (rest.length > 0) check.noMore(who, 2, rest);
  const input = inputOf(who, x);
  const more = shape.length - input.shape.length;
  const sizes = check.shape(
    who,
    shape.map((size: unknown, i) => (size === -1 && i >= more ? input.shape[i - more] : size)),
  );
  const fits = more >= 0 && input.shape.every((size, i) => size === 1 || size === sizes[more + i]);
  if (!fits) {
    throw check.wrongValue(
      who,
      `a shape that ${check.shapeText(input.shape)} can be expanded to (the expanded size of the tensor must match the existing size at non-singleton dimensions)`,
      check.shapeText(sizes),
    );
  }
  const strides = repeatedStrides(input.shape, sizes);
  return recordRepeatable(who, gathered(input, sizes, 0, strides), [input], summing(input.shape));
}

/** Holds no tensor. */
const summing =
  (shape: readonly number[]): Backward =>
  (dy) => [sumTo(dy, shape)];
