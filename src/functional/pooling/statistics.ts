// Mean and standard deviation over time: what makes one vector of a sequence of any length.
import * as check from '../../check/index.js';
import type { Lengths } from '../batchnorm/padding.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import { floatingInput } from '../pointwise/apply.js';
import { div, mul, sqrt, sub } from '../pointwise/arithmetic.js';
import { eq, where } from '../pointwise/masks.js';
import { mean, sum, var as varianceOf } from '../reductions/reductions.js';
import { cat } from '../shapes/cat.js';
import { unsqueeze } from '../shapes/reshape.js';

export interface StatisticsPoolingOptions {
  /** Steps that count of each sample, the first ones. Default all. */
  lengths?: Lengths | undefined;
  /** The divisor of a variance is the number of steps less this: 1 (default) for an unbiased estimate, or 0. */
  correction?: number | undefined;
}

/**
 * [mean, standard deviation] of each channel over the steps (x-vectors: Snyder et al. 2018). A deviation of 0 has the
 * gradient 0, as that of `std`. What is behind a sample's length is not read.
 *
 * @param x - [N, C, L]: float32 or float64.
 * @returns [N, 2 · C]: means, then deviations.
 * @throws {RangeError} where a sample has not more steps than `correction`.
 * @example
 * ```ts
 * const x = tensor([[[1, 3, 9]]]);
 * functional.statisticsPooling(x, { lengths: [2], correction: 0 }).toArray(); // => [[2, 1]]
 * ```
 */
export function statisticsPooling(x: TensorLike, options: StatisticsPoolingOptions = {}): Tensor {
  const who = 'statisticsPooling';
  const input = floatingInput(who, x);
  check.options(who, options, ['lengths', 'correction']);
  const correction = correctionOf(who, options.correction);
  const [n, channels, l] = input.shape;
  if (n === undefined || channels === undefined || l === undefined || input.shape.length !== 3) {
    throw check.wrongValue(
      who,
      'input of shape [N, C, L]',
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  const lengths = lengthsOf(who, options.lengths, n, l);
  const short =
    lengths === null ? (l > correction ? -1 : 0) : lengths.findIndex((each) => each <= correction);
  if (short >= 0) {
    throw check.wrongValue(
      who,
      `more than ${correction} ${correction === 1 ? 'step' : 'steps'} of each sample`,
      `${lengths?.[short] ?? l} of sample ${short}`,
    );
  }
  const [means, variances] =
    lengths === null || lengths.every((each) => each === l)
      ? [mean(input, { dim: 2 }), varianceOf(input, { dim: 2, correction })]
      : counted(input, lengths, correction);
  return cat([means, deviations(variances)], { dim: 1 });
}

export function correctionOf(who: string, value: unknown): number {
  return value === undefined ? 1 : check.wholeNumber(who, 'correction', value, 0, 1);
}

function lengthsOf(
  who: string,
  value: Lengths | undefined,
  n: number,
  l: number,
): Int32Array | null {
  if (value === undefined) return null;
  if (!(value instanceof Tensor)) return check.lengths(who, value, n, l);
  if (!value.dtype.startsWith('int')) {
    throw new TypeError(`${who}: expected lengths to be int32 or int64, got ${value.dtype}.`);
  }
  return check.lengths(who, value.attached(who, 'lengths'), n, l);
}

/** Mean and variance of the first lengths[i] steps of sample i, [N, C] each. */
function counted(
  input: Tensor,
  lengths: Int32Array,
  correction: number,
): readonly [means: Tensor, variances: Tensor] {
  const [n = 0, , l = 0] = input.shape;
  const flags = new Int32Array(n * l);
  lengths.forEach((length, i) => flags.fill(1, i * l, i * l + length));
  const steps = Tensor.adopting(flags, [n, 1, l], 'int32');
  const counts = (less: number): Tensor => {
    const numbers = Array.from(lengths, (length) => length - less);
    const wide = input.dtype === 'float64';
    const data = wide ? Float64Array.from(numbers) : Float32Array.from(numbers);
    return Tensor.adopting(data, [n, 1], input.dtype);
  };
  const means = div(sum(where(steps, input, 0), { dim: 2 }), counts(0));
  const apart = where(steps, sub(input, unsqueeze(means, 2)), 0);
  return [means, div(sum(mul(apart, apart), { dim: 2 }), counts(correction))];
}

/** The root; where it is 0, so is its gradient. */
function deviations(variances: Tensor): Tensor {
  const none = eq(variances, 0);
  return where(none, 0, sqrt(where(none, 1, variances)));
}
