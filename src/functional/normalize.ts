// Vectors brought to length 1.
import * as check from '../check/index.js';
import { record, type Tensor, type TensorLike } from '../tensor/tensor.js';
import { dimOf } from './dims.js';
import { numberOption } from './pointwise/activation-options.js';
import { binary, floatingInput } from './pointwise/apply.js';
import { abs, clamp, div, pow } from './pointwise/arithmetic.js';

import { reduce, reducedShape } from './reductions/reduce.js';
import { amax, sum } from './reductions/reductions.js';

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
  if (typeof p !== 'number') throw check.wrongKind(who, 'p to be a number', p);
  if (!(p > 0)) throw check.wrongValue(who, 'p above 0', check.describe(p));
  const eps = numberOption(who, 'eps', options.eps, 1e-12);
  const dim = dimOf(who, 'dim', options.dim ?? 1, input.shape.length);
  const dims = input.shape.length === 0 ? [] : [dim];
  return div(input, clamp(normOf(input, p, dims), { min: eps }));
}

/** ‖x‖ along dimensions that stay, with size 1. */
function normOf(x: Tensor, p: number, dims: readonly number[]): Tensor {
  const along = { dim: dims, keepdim: true };
  if (p === Infinity) return amax(abs(x), along);
  if (p !== 2) return pow(sum(pow(abs(x), p), along), 1 / p);
  const norm = reduce('norm', x, dims, reducedShape(x.shape, dims, true));
  // d norm = x / norm, and 0 where the norm is 0.
  return record('norm', norm, [x], [x, norm], (dy) => {
    const unit = binary(
      'div',
      x,
      clamp(norm.detach(), { min: x.dtype === 'float32' ? 2 ** -126 : 2 ** -1022 }),
      x.shape,
    );
    return [binary('mul', unit, dy, x.shape)];
  });
}
