// How far a layer's running statistics are from those of the data, and how much of that is noise. What is
// derived here, and what was measured: docs/decisions/0010-the-doctors-thresholds.md.
import { criticalValue, holm, mean, rms, twoSided } from './distribution.js';
import type { Drift, Estimate } from './report-types.js';
import type { BatchMoments, Seen } from './seen.js';

/** Chance of calling noise drift in any channel of one layer. */
const ALPHA = 0.01;
/** One channel counts for at most so many standard deviations in the size of a layer's drift. */
const MOST = 3;
/** With fewer batches than this their spread says little, and the sampling formula is used instead. */
const FEWEST_BATCHES = 4;
/** Kurtosis minus 1 of a channel, where it cannot be estimated: 2 would be a normal distribution. */
const HEAVY_TAILS = 5;

/** What the layer's running statistics are, and how many values they stand for. */
export interface Kept {
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
  readonly eps: number;
  /** Variance of a running statistic, in parts of that of one training batch: momentum / (2 - momentum). */
  readonly noise: number;
}

/**
 * @param samplesPerBatch - Of the data given: what lies within one sample is not independent.
 * @param trainingBatch - Samples in a training batch.
 */
export function driftOf(
  kept: Kept,
  seen: Seen,
  samplesPerBatch: number,
  trainingBatch: number,
): Drift | null {
  const full = fullBatches(seen.batches);
  const variance = seen.variance;
  const finite = (values: ArrayLike<number>): boolean => Array.from(values).every(Number.isFinite);
  if (full.length === 0 || seen.all.count < 2) return null;
  if (![kept.mean, kept.variance, seen.mean, variance].every(finite)) return null;
  if (Array.from(kept.variance).some((each) => each < 0)) return null;

  const parts = 1 / seen.batches.length + kept.noise * (samplesPerBatch / trainingBatch);
  const spread = spreadOf(full, variance, samplesPerBatch, kept.eps);
  const channels = Array.from({ length: seen.channels }, (_, c) => {
    const running = Math.sqrt(kept.variance[c]! + kept.eps);
    const shift = (seen.mean[c]! - kept.mean[c]!) / running;
    const ratio = Math.log((variance[c]! + kept.eps) / (kept.variance[c]! + kept.eps));
    const shiftError = Math.sqrt(spread.mean[c]! * parts) / running;
    const ratioError = Math.sqrt(spread.logVariance[c]! * parts);
    return { shift, ratio, shiftError, ratioError };
  });
  const z = channels.map(({ shift, shiftError }) => scoreOf(shift, shiftError));
  const zRatio = channels.map(({ ratio, ratioError }) => scoreOf(ratio, ratioError));
  const rejected = holm([...z, ...zRatio].map(twoSided), ALPHA);
  const sure = criticalValue(ALPHA / (2 * seen.channels));
  const column = (name: 'shift' | 'ratio', error: 'shiftError' | 'ratioError'): Estimate => ({
    value: channels.map((each) => each[name]),
    low: channels.map((each) => each[name] - sure * each[error]),
    high: channels.map((each) => each[name] + sure * each[error]),
  });
  return {
    meanShift: column('shift', 'shiftError'),
    logVarianceRatio: column('ratio', 'ratioError'),
    z,
    driftedChannels: channels.flatMap((_, c) =>
      rejected[c] === true || rejected[c + seen.channels] === true ? [c] : [],
    ),
    size: rms(channels.map(({ shift, ratio }) => errorOf(shift, ratio))),
  };
}

/**
 * What a channel's drift does to the normalised value, which should have mean 0 and deviation 1: the distance of
 * mean and deviation from these.
 */
function errorOf(shift: number, ratio: number): number {
  return Math.min(MOST, Math.hypot(shift, Math.exp(ratio / 2) - 1));
}

function scoreOf(value: number, error: number): number {
  return value === 0 ? 0 : value / error;
}

/** A ragged last batch says less than the others. */
function fullBatches(batches: readonly BatchMoments[]): readonly BatchMoments[] {
  const largest = Math.max(0, ...batches.map(({ count }) => count));
  return batches.filter(({ count }) => count > 1 && count >= largest / 2);
}

/** The variance of one batch's mean, and of the logarithm of its variance, per channel. */
function spreadOf(
  batches: readonly BatchMoments[],
  variance: Float64Array,
  samples: number,
  eps: number,
): { mean: number[]; logVariance: number[] } {
  if (batches.length < FEWEST_BATCHES) {
    return {
      mean: Array.from(variance, (each) => each / samples),
      logVariance: Array.from(variance, () => HEAVY_TAILS / samples),
    };
  }
  // What values within a sample have in common is the same kind of thing in every channel: one factor for all,
  // from many more numbers than one channel has.
  const independent = (c: number): number => variance[c]! / samples;
  const factors = Array.from(variance, (_, c) => {
    const between = varianceOf(batches.map((batch) => batch.mean[c]!));
    return independent(c) > 0 ? between / independent(c) : 0;
  });
  const factor = mean(factors);
  // Tails differ from channel to channel: half its own, half all channels'.
  const own = Array.from(variance, (_, c) =>
    varianceOf(batches.map((batch) => Math.log(batch.variance[c]! + eps))),
  );
  const pooled = mean(own);
  return {
    mean: factors.map((each, c) => independent(c) * Math.max(factor, (factor + each) / 2)),
    logVariance: own.map((each) => (each + pooled) / 2),
  };
}

function varianceOf(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, each) => sum + (each - centre) ** 2, 0);
  return squares / (values.length - 1);
}
