import * as check from '../../check/index.js';
import type { Tensor, TensorLike } from '../../tensor/tensor.js';
import { pointwiseLoss } from './pointwise.js';
import { pairOf } from './reduction.js';

export interface KLDivOptions {
  /**
   * 'mean' over all elements (default, as in PyTorch: not the divergence), 'batchmean': over the first dimension, which
   * is the divergence, 'sum', or 'none'.
   */
  reduction?: 'mean' | 'batchmean' | 'sum' | 'none' | undefined;
  /** Whether the target is log-probabilities too. Default false. */
  logTarget?: boolean | undefined;
}

/**
 * Kullback-Leibler divergence, element by element: t (log t - x), of log-probabilities x. 0 log 0 is 0.
 *
 * @param logProbabilities - Any shape, float32 or float64.
 * @param target - Probabilities, of the same shape and dtype: nothing is broadcast.
 * @returns A scalar, or that shape with 'none'.
 * @throws {RangeError} for a target of another shape, and for 'batchmean' of a scalar.
 * @example
 * ```ts
 * const x = tensor([[Math.log(0.5), Math.log(0.5)]]);
 * functional.klDiv(x, tensor([[1, 0]]), { reduction: 'batchmean' }).item().toFixed(4); // => '0.6931'
 * ```
 */
export function klDiv(
  logProbabilities: TensorLike,
  target: TensorLike,
  options: KLDivOptions = {},
): Tensor {
  const who = 'klDiv';
  check.options(who, options, ['reduction', 'logTarget']);
  const { reduction = 'mean', logTarget = false } = options;
  check.oneOf(who, 'reduction', reduction, ['mean', 'batchmean', 'sum', 'none']);
  check.boolean(who, 'logTarget', logTarget);
  const [x, t] = pairOf(who, ['log-probabilities', 'a target'], logProbabilities, target);
  const [batch] = x.shape;
  if (reduction === 'batchmean' && batch === undefined) {
    throw check.wrongValue(who, "at least one dimension for 'batchmean'", 'shape []');
  }
  return pointwiseLoss(who, x, t, {
    kind: logTarget ? 'logDivergence' : 'divergence',
    reduction: reduction === 'batchmean' ? 'mean' : reduction,
    ...(reduction === 'batchmean' ? { divisor: batch! } : {}),
  });
}
