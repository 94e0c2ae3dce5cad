// functional.batchNorm: the stateless form.
import * as check from '../../check/index.js';
import { deferring } from '../../run/deferral.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import type { ActivationOption } from '../pointwise/activation-table.js';
import { behindOf } from './activation.js';
import { normalize } from './forward.js';
import { packedDims, paddingOf, type Lengths, type Mask } from './padding.js';

export interface BatchNormFunctionOptions {
  /** [C]: scale. Default none. */
  weight?: Tensor | null | undefined;
  /** [C]: shift. Default none. */
  bias?: Tensor | null | undefined;
  /** Normalise by this batch and move the running statistics. Default false, as in PyTorch. */
  training?: boolean | undefined;
  /** Weight of this batch in the running statistics, 0 to 1. Default 0.1. */
  momentum?: number | undefined;
  /** Added to the variance, at least 0 (above 0 in training). Default 1e-5. */
  eps?: number | undefined;
  /** y = max(y, 0) in the same pass, with the bits of `relu` of the result. Default false. */
  relu?: boolean | undefined;
  /** y = f(y) in the same pass, with the bits of that function of the result: 'silu', or with its options. Default none. */
  activation?: ActivationOption | undefined;
  /** Receives the output instead of new memory: same shape and dtype. */
  out?: Tensor | null | undefined;
  /**
   * How many steps of each sample of [N, C, L] count: whole numbers from 0 to L. The rest is padding: no
   * part of the statistics, and y and dx are 0 there. Default all.
   */
  lengths?: Lengths | undefined;
  /**
   * Which steps of [N, C, L] count, N rows of L flags, or which samples of [N, C]: instead of `lengths`, for those that
   * are not the first ones. The rest is padding.
   */
  mask?: Mask | undefined;
}

const OPTIONS = [
  ...['weight', 'bias', 'training', 'momentum', 'eps', 'relu', 'activation', 'out', 'lengths'],
  'mask',
];

/**
 * y = (x - mean) / sqrt(var + eps) · weight + bias per channel (Ioffe & Szegedy 2015), the stateless
 * form. In training, mean and biased variance are the batch's, and, where given,
 * running ← (1 - momentum) · running + momentum · {mean, unbiased variance}. In evaluation they are
 * the running statistics, or the batch's where none are given.
 *
 * @param x - [N, C, ...], float32 or float64.
 * @param runningMean - [C] or null; written in training.
 * @param runningVar - [C] or null; written in training. Both or neither.
 * @throws {RangeError | TypeError} for a wrong shape, dtype or option; nothing has changed then.
 * @example
 * ```ts
 * const x = tensor([[1], [5]]);
 * functional.batchNorm(x, tensor([1]), tensor([4]), { eps: 0 }).toArray(); // => [[0], [2]]
 * functional.batchNorm(x, null, null, { training: true, eps: 1e-30 }).toArray(); // => [[-1], [1]]
 * ```
 */
export function batchNorm(
  x: TensorLike,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options: BatchNormFunctionOptions = {},
): Tensor {
  const who = 'batchNorm';
  check.options(who, options, OPTIONS);
  const input = Tensor.operand(who, 'the input', x);
  if (input.shape.length < 2) {
    throw check.wrongValue(
      who,
      'input of shape [N, C, ...]',
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  for (const statistic of [runningMean, runningVar] as readonly unknown[]) {
    if (statistic !== null && !(statistic instanceof Tensor)) {
      throw check.wrongKind(who, 'running_mean and running_var to be Tensors or null', statistic);
    }
  }
  check.bothOrNeither(who, runningMean, runningVar);
  for (const moved of [runningMean, runningVar]) {
    if (moved?.requiresGrad) {
      throw new Error(`${who}: batch_norm is not differentiable wrt running_mean and running_var.`);
    }
  }
  // null is no default, but for what may be absent.
  const { weight = null, bias = null, out = null } = options;
  const { training = false, momentum = 0.1, eps = 1e-5 } = options;
  check.boolean(who, 'training', training);
  const padding = paddingOf(who, input, options, 'NCL');
  const { relu, activation } = behindOf(who, options);
  return normalize(input, {
    who,
    dims: padding === null ? check.channelDims(input.shape, false) : packedDims(padding),
    padding,
    weight,
    bias,
    runningMean,
    runningVar,
    useRunning: !training && runningMean !== null,
    update: training && runningMean !== null,
    momentum: check.numberBetween(who, 'momentum', momentum, 0, 1),
    eps: check.numberBetween(who, 'eps', eps, 0, Infinity),
    relu,
    activation,
    out,
    moments: null,
    owner: null,
    deferral: deferring(),
  });
}
