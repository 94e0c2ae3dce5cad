import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { floats, record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { ClassRows, ignoreIndexOf, type ClassTargets } from './class-rows.js';
import {
  reductionOf,
  resultOf,
  rowScale,
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
  const input = Tensor.operand(who, 'log-probabilities', logProbabilities);
  const shape = new ClassRows(who, 'log-probabilities', input);
  const labels = shape.targets(who, targets, ignore);
  const weight = classWeights(who, options.weight, shape.classes);

  const [outer, classes, inner] = shape.sizes;
  const out = new Float64Array(2);
  const y = resultOf(reduction, shape.outer, input.dtype);
  const values = reduction === 'none' ? y : null;
  perform(
    {
      who,
      work: WORK * shape.rows,
      reads: { 'log-probabilities': input, 'class targets': labels.given },
      writes: [y],
    },
    (native, arrayOf) => {
      const [x, to] = [arrayOf(input), arrayOf(values)];
      const sizes = [outer, classes, inner] as const;
      return native.nllLosses(
        x,
        labels.in(arrayOf),
        labels.copy,
        weight,
        ...sizes,
        ignore,
        to,
        out,
      );
    },
    (arrayOf, result) => {
      labels.checkFound(arrayOf, result);
      const [sum = NaN, divisor = NaN] = out;
      if (values === null) arrayOf(y)[0] = reduction === 'mean' ? sum / divisor : sum;
    },
  );
  // Nothing of the forward but its targets is needed; saved as PyTorch does, so that a second backward is an error.
  return record(who, y, [input], [y], (dy) => {
    const { each, factor } = rowScale(dy, reduction, out[1]!);
    const dx = Tensor.uninitialized(input.shape, input.dtype);
    perform(
      { who, work: dx.numel, reads: { 'the gradient': each }, writes: [dx] },
      (native, arrayOf) => {
        const sizes = [outer, classes, inner] as const;
        const [to, scale] = [arrayOf(dx), arrayOf(each)];
        return native.nllGradients(to, labels.copy, weight, ...sizes, ignore, scale, factor);
      },
    );
    return [dx];
  });
}

/** A target takes as long as so many elements through memory: it is somewhere else in it each time. */
const WORK = 8;
