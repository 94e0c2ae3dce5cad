import * as check from '../../check/index.js';
import { floats, record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { ClassRows, ignoreIndexOf, type ClassTargets } from './class-rows.js';
import {
  outerOf,
  reduced,
  reductionOf,
  weightsOf,
  type Reduction,
  type Weights,
} from './reduction.js';

export interface NLLLossOptions {
  /** One for each class: multiplies the loss, and counts in the mean. */
  weight?: Weights | null | undefined;
  /** Rows with this target count for nothing. Default -100. */
  ignoreIndex?: number | undefined;
  /** 'mean' (default): over the weights of the targets; 'sum', or 'none': one loss for each row. */
  reduction?: Reduction | undefined;
}

/** Weights of classes in double, or null. */
export function classWeights(
  who: string,
  weight: Weights | null | undefined,
  classes: number,
): Float64Array | null {
  if (weight === undefined || weight === null) return null;
  const given = weightsOf(who, 'weight', weight, 'float64');
  check.sameShape(who, 'weight', given, [classes]);
  return Float64Array.from(floats(given));
}

/**
 * Negative log-likelihood: -weight[target] · x[target], of log-probabilities x (`logSoftmax`).
 *
 * @param logProbabilities - [N, classes], [classes], or [N, classes, …]: float32 or float64.
 * @param targets - N class indices, one for each position of [N, …].
 * @returns A scalar; [N, …] with 'none'. NaN for the mean of no rows, as in PyTorch.
 * @throws {RangeError} for a target outside 0 … classes - 1, or another number of them.
 * @example
 * ```ts
 * const x = tensor([[-1, -2], [-3, -4]]);
 * functional.nllLoss(x, [1, 0]).item(); // => 2.5
 * functional.nllLoss(x, [1, 0], { weight: [3, 1] }).item(); // => 2.75
 * ```
 */
export function nllLoss(
  logProbabilities: TensorLike,
  targets: ClassTargets,
  options: NLLLossOptions = {},
): Tensor {
  const who = 'nllLoss';
  check.options(who, options, ['weight', 'ignoreIndex', 'reduction']);
  const reduction = reductionOf(who, options.reduction);
  const ignore = ignoreIndexOf(who, options.ignoreIndex);
  const input = Tensor.from(logProbabilities);
  const shape = new ClassRows(who, 'log-probabilities', input);
  const labels = shape.targets(who, targets, ignore);
  const weight = classWeights(who, options.weight, shape.classes);

  const x = shape.read();
  const weights = rowWeights(labels, weight, ignore);
  const losses = Float64Array.from(weights, (each, row) =>
    each === 0 ? 0 : -each * x[row * shape.classes + labels[row]!]!,
  );
  const divisor = weights.reduce((sum, each) => sum + each, 0);
  const y = reduced(losses, reduction, divisor, shape.outer, input.dtype);
  return record(who, y, [input], [], (dy) => {
    const scale = outerOf(dy, reduction, divisor, shape.rows);
    const dx = shape.written((rows) => {
      rows.fill(0);
      weights.forEach((each, row) => {
        if (labels[row] !== ignore) rows[row * shape.classes + labels[row]!] = -each * scale[row]!;
      });
    });
    return [dx];
  });
}

/** The weight of each row's target: 0 for ignored ones. */
export function rowWeights(
  labels: Int32Array,
  weight: Float64Array | null,
  ignore: number,
): Float64Array {
  return Float64Array.from(labels, (each) => (each === ignore ? 0 : (weight?.[each] ?? 1)));
}
