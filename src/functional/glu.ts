import * as check from '../check/index.js';
import type { Tensor, TensorLike } from '../tensor/tensor.js';
import { dimOf, optionsOf } from './dims.js';
import { sigmoid } from './pointwise/activations.js';
import { floatingInput } from './pointwise/apply.js';
import { mul } from './pointwise/arithmetic.js';
import { narrow } from './shapes/split.js';

export interface GLUOptions {
  /** The dimension that is cut in half. Default -1. */
  dim?: number | undefined;
}

/**
 * a · sigmoid(b), a and b the halves of a dimension (Dauphin et al. 2017).
 *
 * @throws {RangeError} for a dimension of an odd size.
 * @example
 * ```ts
 * functional.glu(tensor([[3, 5, 0, 0]])).toArray(); // => [[1.5, 2.5]]
 * ```
 */
export function glu(x: TensorLike, given: GLUOptions | number = {}, ...rest: undefined[]): Tensor {
  const who = 'glu';
  const options = optionsOf(who, given, rest);
  check.options(who, options, ['dim']);
  const input = floatingInput(who, x);
  if (input.shape.length === 0) {
    throw check.wrongValue(
      who,
      'at least 1 dimension (glu does not support 0-dimensional tensors)',
      'shape []',
    );
  }
  const dim = dimOf(who, 'dim', options.dim ?? -1, input.shape.length);
  const size = input.shape[dim]!;
  if (size % 2 !== 0) {
    throw check.wrongValue(
      who,
      `a dimension of even size (Halving dimension must be even, but dimension ${dim} is size ${size})`,
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  const half = size / 2;
  return mul(narrow(input, dim, 0, half), sigmoid(narrow(input, dim, half, half)));
}
