import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import type { Tensor, TensorLike } from '../../tensor/tensor.js';
import { pointwiseLoss } from './pointwise.js';
import { pairOf, reductionOf, repeatedWeights, type Reduction, type Weights } from './reduction.js';

export interface BinaryCrossEntropyOptions {
  /** Multiplies each loss: what broadcasts to the input's shape. */
  weight?: Weights | null | undefined;
  /** 'mean' over all elements (default), 'sum', or 'none': one loss for each. */
  reduction?: Reduction | undefined;
}

export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** Multiplies the loss of positive targets: what broadcasts to the input's shape, such as one for each class. */
  posWeight?: Weights | null | undefined;
}

/**
 * Binary cross-entropy of logits: (1 - t) x + (1 + (posWeight - 1) t) (log(1 + exp(-|x|)) + max(-x, 0)), which neither
 * overflows nor loses small losses.
 *
 * @param logits - Any shape, float32 or float64.
 * @param target - 0 to 1, of the same shape and dtype: nothing is broadcast, `[N]` against `[N, 1]` is refused.
 * @returns A scalar, or that shape with 'none'.
 * @throws {RangeError} for a target of another shape, or weights that do not broadcast.
 * @example
 * ```ts
 * const logits = tensor([0, 100, -100], { requiresGrad: true });
 * const loss = functional.binaryCrossEntropyWithLogits(logits, tensor([1, 1, 0]), { reduction: 'sum' });
 * loss.item().toFixed(4); // => '0.6931'
 * loss.backward();
 * logits.grad.toArray()[0]; // => -0.5
 * ```
 */
export function binaryCrossEntropyWithLogits(
  logits: TensorLike,
  target: TensorLike,
  options: BinaryCrossEntropyWithLogitsOptions = {},
): Tensor {
  const who = 'binaryCrossEntropyWithLogits';
  check.options(who, options, ['weight', 'posWeight', 'reduction']);
  const reduction = reductionOf(who, options.reduction);
  const [x, t] = pairOf(who, ['logits', 'a target'], logits, target);
  const weight = repeatedWeights(who, 'weight', options.weight, x);
  const positive = repeatedWeights(who, 'posWeight', options.posWeight, x);
  return pointwiseLoss(who, x, t, { kind: 'binaryLogits', reduction, weight, positive });
}

/**
 * Binary cross-entropy of probabilities: -(t log p + (1 - t) log(1 - p)), logarithms from -100 on as in PyTorch. Of
 * logits `binaryCrossEntropyWithLogits` is more exact.
 *
 * @param probabilities - 0 to 1, any shape, float32 or float64.
 * @param target - 0 to 1, of the same shape and dtype: nothing is broadcast.
 * @returns A scalar, or that shape with 'none'.
 * @throws {RangeError} for probabilities outside 0 to 1, a target of another shape, or weights that do not broadcast.
 * @example
 * ```ts
 * functional.binaryCrossEntropy(tensor([0.5, 1]), tensor([1, 0]), { reduction: 'none' }).toArray()[1]; // => 100
 * ```
 */
export function binaryCrossEntropy(
  probabilities: TensorLike,
  target: TensorLike,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const who = 'binaryCrossEntropy';
  check.options(who, options, ['weight', 'reduction']);
  const reduction = reductionOf(who, options.reduction);
  const [x, t] = pairOf(who, ['probabilities', 'a target'], probabilities, target);
  checkProbabilities(who, x);
  const weight = repeatedWeights(who, 'weight', options.weight, x);
  return pointwiseLoss(who, x, t, { kind: 'binary', reduction, weight });
}

function checkProbabilities(who: string, x: Tensor): void {
  const { numel } = x;
  perform(
    { who, work: numel, reads: { probabilities: x }, writes: [] },
    (native, arrayOf) => native.firstOutside(arrayOf(x), numel, 0, 1),
    (arrayOf, result) => {
      if (result === numel) return;
      const at = result as number;
      const what = 'probabilities from 0 to 1 (all elements of input should be between 0 and 1)';
      throw check.wrongValue(who, what, `${arrayOf(x)[at]} at index ${at}`);
    },
  );
}
