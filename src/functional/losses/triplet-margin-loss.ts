import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { record, type Tensor, type TensorLike } from '../../tensor/tensor.js';
import { pairOf, reductionOf, resultOf, rowScale, type Reduction } from './reduction.js';
import { gradientsOf } from './similarity.js';

export interface TripletMarginLossOptions {
  /** How much farther the negative should be, above 0. Default 1. */
  margin?: number | undefined;
  /** The distance: 1, or 2 (default). */
  p?: 1 | 2 | undefined;
  /** Added to each difference, so that a distance of 0 has a gradient. Default 1e-6. */
  eps?: number | undefined;
  /** Whether the negative's distance is the smaller of those to anchor and positive. Default false. */
  swap?: boolean | undefined;
  /** 'mean' over the triplets (default), 'sum', or 'none': one loss for each. */
  reduction?: Reduction | undefined;
}

/**
 * max(0, d(anchor, positive) - d(anchor, negative) + margin), with d(a, b) = |a - b + eps| in the p-norm.
 *
 * @param anchor - [N, size] or [size], float32 or float64.
 * @param positive - The same shape and dtype.
 * @param negative - The same shape and dtype.
 * @returns A scalar; [N], or [] of [size], with 'none'.
 * @throws {RangeError} for operands of other shapes: nothing is broadcast.
 * @example
 * ```ts
 * const [a, p, n] = [tensor([[0, 0]]), tensor([[0, 3]]), tensor([[2, 0]])];
 * functional.tripletMarginLoss(a, p, n, { margin: 1 }).item().toFixed(4); // => '2.0000'
 * ```
 */
export function tripletMarginLoss(
  anchor: TensorLike,
  positive: TensorLike,
  negative: TensorLike,
  options: TripletMarginLossOptions = {},
): Tensor {
  const who = 'tripletMarginLoss';
  check.options(who, options, ['margin', 'p', 'eps', 'swap', 'reduction']);
  const { margin = 1, p = 2, eps = 1e-6, swap = false } = options;
  check.numberBetween(who, 'margin', margin, Number.MIN_VALUE, Infinity);
  check.numberBetween(who, 'eps', eps, 0, Infinity);
  check.boolean(who, 'swap', swap);
  if ((p as number) !== 1 && (p as number) !== 2) {
    throw check.wrongValue(who, 'p to be 1 or 2', check.describe(p));
  }
  const reduction = reductionOf(who, options.reduction);
  const [a, b] = pairOf(who, ['the anchor', 'the positive'], anchor, positive);
  const [, c] = pairOf(who, ['the anchor', 'the negative'], a, negative);
  const { shape, dtype } = a;
  if (shape.length === 0 || shape.length > 2) {
    throw check.wrongValue(
      who,
      'operands of shape [N, size] or [size]',
      `shape ${check.shapeText(shape)}`,
    );
  }
  const size = shape.at(-1)!;
  const rows = check.numelOf(shape, 0, shape.length - 1);
  const out = resultOf(reduction, shape.slice(0, -1), dtype);
  const values = reduction === 'none' ? out : null;
  const distances = new Float64Array(3 * rows);
  const reads = { 'the anchor': a, 'the positive': b, 'the negative': c };
  const how = [rows, size, margin, eps, p === 2, swap, distances] as const;
  perform(
    { who, work: 3 * a.numel, reads, writes: [out] },
    (native, arrayOf) =>
      native.tripletLosses(arrayOf(a), arrayOf(b), arrayOf(c), ...how, arrayOf(values)),
    (arrayOf, result) => {
      if (values !== null) return;
      arrayOf(out)[0] = reduction === 'mean' ? (result as number) / rows : (result as number);
    },
  );
  return record(who, out, [a, b, c], [a, b, c], (dy, needs) => {
    const { each, factor } = rowScale(dy, reduction, rows);
    const gradients = gradientsOf(needs, a);
    perform(
      { who, work: 6 * a.numel, reads: { ...reads, 'the gradient': each }, writes: gradients },
      (native, arrayOf) => {
        const [da = null, db = null, dc = null] = gradients.map((derivative) =>
          arrayOf(derivative),
        );
        const operands = [arrayOf(a), arrayOf(b), arrayOf(c)] as const;
        return native.tripletGradients(...operands, ...how, arrayOf(each), factor, da, db, dc);
      },
    );
    return gradients;
  });
}
