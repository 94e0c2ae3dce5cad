import * as check from '../../check/index.js';
import { refuseForeign } from '../../check/copies.js';
import { perform } from '../../run/deferral.js';
import { record, Tensor, type IntegerArray, type TensorLike } from '../../tensor/tensor.js';

/** Class indices, one a row: whole numbers from 0 to classes - 1; a tensor's are int32 or int64. */
export type ClassTargets = IntegerArray | readonly number[] | readonly bigint[] | Tensor;

export type Reduction = 'mean' | 'sum';

export interface CrossEntropyOptions {
  /** 'mean' over the rows counted (default), or 'sum'. */
  reduction?: Reduction | undefined;
  /** Rows with this target count for nothing. Default -100. */
  ignoreIndex?: number | undefined;
}

/** An exponential takes as long as so many elements through memory. */
const EXP_WORK = 8;

/** Targets are held in an Int32Array: -2^31 to 2^31 - 1. */
const INT32 = 2 ** 31;

/**
 * Softmax cross-entropy: -log(exp(x[target]) / Σ exp(x)), over the rows of `logits`. Computed in
 * double from shifted logits, so it neither overflows nor loses the small ones; rounded once.
 *
 * @param logits - [N, classes], float32 or float64: unnormalised.
 * @param targets - N class indices.
 * @returns A scalar. NaN for the mean of no rows, as in PyTorch.
 * @throws {RangeError} for a target outside 0 … classes - 1.
 */
export function crossEntropy(
  logits: TensorLike,
  targets: ClassTargets,
  options: CrossEntropyOptions = {},
): Tensor {
  const who = 'crossEntropy';
  check.options(who, options, ['reduction', 'ignoreIndex']);
  const { reduction = 'mean', ignoreIndex: ignore = -100 } = options;
  check.oneOf(who, 'reduction', reduction, ['mean', 'sum']);
  check.wholeNumber(who, 'ignoreIndex', ignore, -INT32, INT32 - 1);
  const input = Tensor.from(logits);
  check.floating(who, 'logits', input);
  const [rows, classes] = input.shape;
  if (rows === undefined || classes === undefined || input.shape.length !== 2) {
    throw check.wrongValue(
      who,
      'logits of shape [N, classes]',
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  input.present(who, 'logits');
  const labels = classIndices(who, targets, rows, classes, ignore);

  const probabilities = Tensor.uninitialized(input.shape, input.dtype);
  const out = new Float64Array(3);
  const y = Tensor.uninitialized([], input.dtype);
  perform(
    {
      who,
      work: EXP_WORK * input.numel,
      reads: { logits: input },
      writes: [probabilities, y],
    },
    (native, arrayOf) => {
      const [x, to] = [arrayOf(input), arrayOf(probabilities)];
      return native.crossEntropy(x, labels, to, rows, classes, ignore, out);
    },
    (arrayOf) => {
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
        return native.crossEntropyBackward(from, labels, to, rows, classes, ignore, factor);
      },
    );
    return [dx];
  });
}

/** The targets as an Int32Array of our own: backward must see what forward saw. */
function classIndices(
  who: string,
  targets: ClassTargets,
  rows: number,
  classes: number,
  ignore: number,
): Int32Array {
  const values: unknown =
    targets instanceof Tensor ? targets.attached(who, 'class targets') : targets;
  if (!Array.isArray(values) && !check.isIntegerArray(values)) {
    refuseForeign(who, 'class targets', targets);
    const got =
      targets instanceof Tensor ? `a tensor of ${targets.dtype}` : check.describe(targets);
    throw new TypeError(
      `${who}: expected class targets as an integer array or tensor, number[] or bigint[], got ${got}.`,
    );
  }
  return check.classTargets(who, values as ArrayLike<unknown>, rows, classes, ignore);
}
