// Whole numbers near x, and its sign: steps, whose derivative is 0.
import * as check from '../../check/index.js';
import { recordRepeatable, Tensor, type Backward, type TensorLike } from '../../tensor/tensor.js';
import { floatingInput, unary } from './apply.js';

type StepName = 'floor' | 'ceil' | 'round' | 'trunc' | 'sign';

/** Holds no tensor. */
const nothing =
  (shape: readonly number[]): Backward =>
  (dy) => [Tensor.expanded(shape, dy.dtype, 0)];

function stepped(name: StepName, x: TensorLike, rest: readonly undefined[]): Tensor {
  if (rest.length > 0) check.noMore(name, 1, rest);
  const input = floatingInput(name, x);
  return recordRepeatable(name, unary(name, input), [input], nothing(input.shape));
}

/** The largest whole number that is not above x. The gradient is 0. */
export function floor(x: TensorLike, ...rest: undefined[]): Tensor {
  return stepped('floor', x, rest);
}

/** The smallest whole number that is not below x. The gradient is 0. */
export function ceil(x: TensorLike, ...rest: undefined[]): Tensor {
  return stepped('ceil', x, rest);
}

/**
 * The nearest whole number; of two that are as near the even one. The gradient is 0.
 *
 * @example
 * ```ts
 * functional.round(tensor([0.5, 1.5, 2.4])).toArray(); // => [0, 2, 2]
 * ```
 */
export function round(x: TensorLike, ...rest: undefined[]): Tensor {
  return stepped('round', x, rest);
}

/** x without its fraction. The gradient is 0. */
export function trunc(x: TensorLike, ...rest: undefined[]): Tensor {
  return stepped('trunc', x, rest);
}

/** 1 where x > 0, -1 where x < 0, else 0, also for NaN and -0, as in PyTorch. The gradient is 0. */
export function sign(x: TensorLike, ...rest: undefined[]): Tensor {
  return stepped('sign', x, rest);
}
