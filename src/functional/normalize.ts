// Vectors brought to length 1.
import * as check from '../check/index.js';
import type { Tensor, TensorLike } from '../tensor/tensor.js';
import { dimOf } from './dims.js';
import { checkP, normOf } from './norm.js';
import { numberOption } from './pointwise/activation-options.js';
import { floatingInput } from './pointwise/apply.js';
import { clamp, div } from './pointwise/arithmetic.js';

export interface NormalizeOptions {
  /** The norm: 2 (default), 1, another number above 0, or Infinity. */
  p?: number | undefined;
  /** The dimension of the vectors. Default 1. */
  dim?: number | undefined;
  /** A norm below counts as this much. Default 1e-12. */
  eps?: number | undefined;
}

/**
 * x / max(‖x‖, eps) along a dimension.
 *
 * @example
 * ```ts
 * functional.normalize(tensor([[3, 4], [0, 0]])).toArray(); // => [[0.6000000238418579, 0.800000011920929], [0, 0]]
 * ```
 */
export function normalize(x: TensorLike, options: NormalizeOptions = {}): Tensor {
  const who = 'normalize';
  check.options(who, options, ['p', 'dim', 'eps']);
  const input = floatingInput(who, x);
  const { p = 2 } = options;
  checkP(who, p);
  const eps = numberOption(who, 'eps', options.eps, 1e-12);
  const dim = dimOf(who, 'dim', options.dim ?? 1, input.shape.length);
  const dims = input.shape.length === 0 ? [] : [dim];
  return div(input, clamp(normOf('norm', input, p, dims, true), { min: eps }));
}
