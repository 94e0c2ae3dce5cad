// Masks of the values that are no plain numbers.
import * as check from '../../check/index.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import { inputOf } from '../shapes/arguments.js';
import { comparison, unary } from './apply.js';
import type { CompareName } from './codes.js';
import { isInteger } from './integers.js';

/** Whether |x| compares with ∞; `ofIntegers` for those, which are all finite. */
function againstInfinity(who: string, x: TensorLike, name: CompareName, ofIntegers: 0 | 1): Tensor {
  const input = inputOf(who, x);
  if (isInteger(input)) return Tensor.filled(input.shape, 'int32', ofIntegers);
  const size = unary('abs', input);
  const mask = comparison(name, size, Tensor.filled([], input.dtype, Infinity), input.shape);
  size.dispose();
  return mask;
}

/**
 * 1 where x is NaN, else 0, as int32.
 *
 * @example
 * ```ts
 * functional.isnan(tensor([1, NaN, Infinity])).toArray(); // => [0, 1, 0]
 * tensor([1, NaN]).isnan().any().item(); // => 1
 * ```
 */
export function isnan(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('isnan', 1, rest);
  const input = inputOf('isnan', x);
  if (isInteger(input)) return Tensor.filled(input.shape, 'int32', 0);
  return comparison('ne', input, input, input.shape);
}

/** 1 where x is ∞ or -∞, else 0, as int32. */
export function isinf(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('isinf', 1, rest);
  return againstInfinity('isinf', x, 'eq', 0);
}

/** 1 where x is neither NaN nor infinite, else 0, as int32. */
export function isfinite(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('isfinite', 1, rest);
  return againstInfinity('isfinite', x, 'lt', 1);
}
