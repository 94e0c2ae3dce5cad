import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { moved, movedBack } from '../reductions/moved.js';
import { ClassRows, ignoreIndexOf, type ClassTargets, type Labels } from './class-rows.js';
import { classWeights } from './nll-loss.js';
import {
  reductionOf,
  resultOf,
  rowScale,
  wholeBatchOf,
  type Reduction,
  type Weights,
} from './reduction.js';

export interface CrossEntropyOptions {
  /** One for each class: multiplies its part of the loss, and counts in the mean of class indices. */
  weight?: Weights | null | undefined;
  /** The part of a target that is spread over all classes, 0 (default) to 1. */
  labelSmoothing?: number | undefined;
  /** 'mean' over the rows counted (default), 'sum', or 'none': one loss for each row. */
  reduction?: Reduction | undefined;
  /** Rows with this target count for nothing. Default -100. Not for probabilities. */
  ignoreIndex?: number | undefined;
  /** What the mean is over instead: the rows of the whole batch, of which this is a part. Above 0. */
  of?: number | undefined;
}

/**
 * Softmax cross-entropy: -Σ q log(exp(x) / Σ exp(x)), over the rows of `logits`, where q is 1 at the target and 0 elsewhere, or
 * the row of probabilities; smoothed, (1 - s) q + s / classes. Computed in double from shifted logits, so it neither
 * overflows nor loses the small ones; rounded once.
 *
 * The mean is over the weights of the targets, smoothed or not; of probabilities it is over the rows.
 *
 * @param logits - [N, classes], [classes], or [N, classes, …], float32 or float64: unnormalised.
 * @param targets - N class indices, one for each position of [N, …]; or a tensor of probabilities, of the logits' shape
 * and dtype.
 * @returns A scalar; [N, …] with 'none'. NaN for the mean of no rows, as in PyTorch.
 * @throws {RangeError} for a target outside 0 … classes - 1, another number of them, or another shape.
 * @example
 * ```ts
 * const logits = tensor([[0, 0], [0, Math.log(3)]]);
 * functional.crossEntropy(logits, [0, 1], { reduction: 'none' }).toArray().map((each) => each.toFixed(4)); // => ['0.6931', '0.2877']
 * functional.crossEntropy(logits, tensor([[1, 0], [0.5, 0.5]])).item().toFixed(4); // => '0.7651'
 * ```
 */
export function crossEntropy(
  logits: TensorLike,
  targets: ClassTargets | TensorLike,
  options: CrossEntropyOptions = {},
): Tensor {
  const who = 'crossEntropy';
  check.options(who, options, ['weight', 'labelSmoothing', 'reduction', 'ignoreIndex', 'of']);
  const { labelSmoothing = 0 } = options;
  const reduction = reductionOf(who, options.reduction);
  const of = wholeBatchOf(who, options.of, reduction);
  const ignore = ignoreIndexOf(who, options.ignoreIndex);
  check.numberBetween(who, 'labelSmoothing', labelSmoothing, 0, 1);
  const input = Tensor.operand(who, 'logits', logits);
  const shape = new ClassRows(who, 'logits', input);
  const soft = probabilitiesOf(who, targets, input);
  if (soft !== null && options.ignoreIndex !== undefined) {
    throw check.wrongValue(
      who,
      'no ignoreIndex (not supported for floating point target)',
      String(ignore),
    );
  }
  const labels = soft === null ? shape.targets(who, targets as ClassTargets, ignore) : null;
  const weight = classWeights(who, options.weight, shape.classes);
  const usual = weight === null && labelSmoothing === 0 && reduction !== 'none' && of === undefined;
  if (usual && labels !== null && input.shape.length === 2) {
    return plainCrossEntropy(who, input, labels, reduction);
  }
  return rowCrossEntropy(who, shape, labels ?? soft!, {
    ...{ weight, ignore, labelSmoothing, reduction, of },
  });
}

interface RowOptions {
  readonly weight: Float64Array | null;
  readonly ignore: number;
  readonly labelSmoothing: number;
  readonly reduction: Reduction;
  readonly of: number | undefined;
}

/** In full: weighted, smoothed, of probabilities, of more dimensions. */
function rowCrossEntropy(
  who: string,
  shape: ClassRows,
  target: Labels | Tensor,
  { weight, ignore, labelSmoothing, reduction, of }: RowOptions,
): Tensor {
  const { input, rows, classes, dim } = shape;
  const soft = target instanceof Tensor ? target : null;
  const labels = target instanceof Tensor ? null : target;
  const [lse, out] = [new Float64Array(rows), new Float64Array(2)];
  const y = resultOf(reduction, shape.outer, input.dtype);
  const values = reduction === 'none' ? y : null;
  const x = moved(input, dim);
  const q = soft === null ? null : moved(soft, dim);
  perform(
    {
      who,
      work: EXP_WORK * input.numel,
      reads: { logits: x, 'target probabilities': q, 'class targets': labels?.given ?? null },
      writes: [y],
    },
    (native, arrayOf) => {
      const targets = labels?.in(arrayOf) ?? arrayOf(q!);
      const rest = [weight, rows, classes, ignore, labelSmoothing, lse] as const;
      return native.rowLosses(
        arrayOf(x),
        targets,
        labels?.copy ?? null,
        ...rest,
        arrayOf(values),
        out,
      );
    },
    (arrayOf, result) => {
      labels?.checkFound(arrayOf, result);
      const [sum = NaN, counted = NaN] = out;
      if (values === null) arrayOf(y)[0] = reduction === 'mean' ? sum / (of ?? counted) : sum;
    },
  );
  if (x !== input) x.dispose();
  if (q !== soft) q?.dispose();

  const inputs = soft === null ? [input] : [input, soft];
  return record(who, y, inputs, inputs, (dy, needs) => {
    const { each, factor } = rowScale(dy, reduction, of ?? out[1]!);
    const from = moved(input, dim);
    const given = soft === null ? null : moved(soft, dim);
    const gradients = needs.map((need) => (need ? Tensor.like(from) : null));
    const [dx = null, dtarget = null] = gradients;
    perform(
      {
        who,
        work: EXP_WORK * input.numel,
        reads: { logits: from, 'target probabilities': given, 'the gradient': each },
        writes: gradients,
      },
      (native, arrayOf) => {
        const targets = labels?.copy ?? arrayOf(given!);
        const how = [weight, rows, classes, given === null, ignore, labelSmoothing, lse] as const;
        return native.rowGradients(
          arrayOf(from),
          targets,
          ...how,
          arrayOf(each),
          factor,
          arrayOf(dx),
          arrayOf(dtarget),
        );
      },
    );
    if (from !== input) from.dispose();
    if (given !== soft) given?.dispose();
    return gradients.map((derivative) => {
      if (derivative === null) return null;
      const back = movedBack(derivative, input.shape, dim);
      if (back !== derivative) derivative.dispose();
      return back;
    });
  });
}

/** Targets that are probabilities: what is a tensor of floats, of the logits' shape. */
function probabilitiesOf(
  who: string,
  targets: ClassTargets | TensorLike,
  input: Tensor,
): Tensor | null {
  const isLike =
    typeof targets === 'object' && !check.isList(targets) && (targets as unknown) !== null;
  if (!isLike || !('data' in targets)) return null;
  const given = Tensor.from(targets);
  if (given.dtype !== 'float32' && given.dtype !== 'float64') return null;
  if (given.shape.length !== input.shape.length) return null; // class indices of a wrong dtype
  check.sameShape(who, 'target probabilities', given, input.shape);
  check.sameDtype(who, 'target probabilities', given, input.dtype);
  given.present(who, 'target probabilities');
  return given;
}

/** An exponential takes as long as so many elements through memory. */
const EXP_WORK = 8;

/** Of class indices, [N, classes], unweighted. */
function plainCrossEntropy(
  who: string,
  input: Tensor,
  labels: Labels,
  reduction: Reduction,
): Tensor {
  const [rows, classes] = input.shape as [number, number];
  const { ignore } = labels;
  const probabilities = Tensor.uninitialized(input.shape, input.dtype);
  const out = new Float64Array(3);
  const y = Tensor.uninitialized([], input.dtype);
  perform(
    {
      who,
      work: EXP_WORK * input.numel,
      reads: { logits: input, 'class targets': labels.given },
      writes: [probabilities, y],
    },
    (native, arrayOf) => {
      const [x, to] = [arrayOf(input), arrayOf(probabilities)];
      const targets = labels.in(arrayOf);
      return native.crossEntropy(x, targets, labels.copy, to, rows, classes, ignore, out);
    },
    (arrayOf, result) => {
      labels.checkFound(arrayOf, result);
      const [total = NaN, counted = 0, mean = NaN] = out;
      arrayOf(y)[0] = reduction === 'sum' ? total : counted > 0 ? mean : NaN;
    },
  );
  return record(who, y, [input], [probabilities], (dy) => {
    const dx = Tensor.uninitialized(input.shape, input.dtype);
    const factor = dy.item() / (reduction === 'mean' ? (out[1] ?? 0) : 1);
    perform(
      {
        who,
        work: dx.numel,
        reads: { 'the probabilities': probabilities },
        writes: [dx],
      },
      (native, arrayOf) => {
        const [from, to] = [arrayOf(probabilities), arrayOf(dx)];
        return native.crossEntropyBackward(from, labels.copy, to, rows, classes, ignore, factor);
      },
    );
    return [dx];
  });
}
