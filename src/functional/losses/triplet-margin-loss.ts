import * as check from '../../check/index.js';
import { floats, record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { outerOf, pairOf, reduced, reductionOf, type Reduction } from './reduction.js';

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
  const distance = (x: Tensor, y: Tensor, row: number): number =>
    distanceOf(floats(x), floats(y), row * size, size, p, eps);
  /** Distances of a row, and whether the negative's is that to the positive. */
  const measured = (row: number): readonly [near: number, far: number, swapped: boolean] => {
    const far = distance(a, c, row);
    const other = swap ? distance(b, c, row) : Infinity;
    return [distance(a, b, row), Math.min(far, other), other < far];
  };
  const losses = Float64Array.from({ length: rows }, (_, row) => {
    const [near, far] = measured(row);
    return Math.max(0, near - far + margin);
  });
  const out = reduced(losses, reduction, rows, shape.slice(0, -1), dtype);
  return record(who, out, [a, b, c], [a, b, c], (dy, needs) => {
    const scale = outerOf(dy, reduction, rows, rows);
    const sums = [a, b, c].map(() => new Float64Array(a.numel));
    const addTo = (x: number, y: number, row: number, length: number, factor: number): void => {
      const [from, to] = [floats([a, b, c][x]!), floats([a, b, c][y]!)];
      const [dx, dyOther] = [sums[x]!, sums[y]!];
      for (let k = row * size; k < (row + 1) * size; k++) {
        const difference = from[k]! - to[k]! + eps;
        // The length of nothing has no direction: its gradient is 0.
        const slope = p === 1 ? Math.sign(difference) : length === 0 ? 0 : difference / length;
        dx[k] = dx[k]! + factor * slope;
        dyOther[k] = dyOther[k]! - factor * slope;
      }
    };
    for (let row = 0; row < rows; row++) {
      const [near, far, swapped] = measured(row);
      if (!(near - far + margin > 0)) continue;
      addTo(0, 1, row, near, scale[row]!);
      addTo(swapped ? 1 : 0, 2, row, far, -scale[row]!);
    }
    return sums.map((each, i) => {
      if (!needs[i]) return null;
      const gradient = Tensor.uninitialized(shape, dtype);
      floats(gradient).set(each);
      return gradient;
    });
  });
}

function distanceOf(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  start: number,
  size: number,
  p: 1 | 2,
  eps: number,
): number {
  let sum = 0;
  for (let k = start; k < start + size; k++) {
    const difference = a[k]! - b[k]! + eps;
    sum += p === 1 ? Math.abs(difference) : difference * difference;
  }
  return p === 1 ? sum : Math.sqrt(sum);
}
