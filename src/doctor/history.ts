// Drift between the batches and the running statistics in the course of training.
import type { HistoryPoint } from './report-types.js';

const MOST_POINTS = 500;
/** Every step in the beginning, then one in so many. */
const FIRST_STEPS = 32;
const STRIDE = 8;
/**
 * Batches that are drawn at random differ from the one before as much as from the running mean. Where they come
 * sorted they are like the one before, and far from the mean: so much more, in variance, over so many points.
 */
const TIMES_NOISE = 4;
const LARGE = 0.3;
const POINTS = 16;

export interface Batch {
  readonly rows: Float64Array;
  readonly count: number;
  /** After the batch has moved them. */
  readonly runningMean: ArrayLike<number>;
  readonly runningVar: ArrayLike<number>;
  readonly momentum: number;
  readonly eps: number;
}

export class History {
  private kept: HistoryPoint[] = [];
  private every = 1;
  private taken = 0;
  /** Channel means of the step before one that is looked at. */
  private last = new Float64Array(0);
  private lastStep = -1;
  /** Of the points looked at: squares of the shift, and of what noise alone would make. */
  private readonly recent: { readonly shift: number; readonly noise: number }[] = [];

  get points(): readonly HistoryPoint[] {
    return this.kept;
  }

  /** @returns Numbers of a drift that lasts; null where there is none. */
  add(step: number, batch: Batch): Record<string, number> | null {
    const isPoint = step % STRIDE === 0;
    if (step % STRIDE === STRIDE - 1) {
      this.last = batch.rows.slice(0, batch.runningMean.length);
      this.lastStep = step;
    }
    if (step > FIRST_STEPS && !isPoint) return null;
    if (batch.count < 2 || batch.momentum >= 1) return null;
    const point = pointOf(step, batch);
    if (this.taken++ % this.every === 0) this.keep(point);
    if (step <= FIRST_STEPS || !isPoint || this.lastStep !== step - 1) return null;
    return this.lasting(point, noiseOf(this.last, batch));
  }

  private lasting({ meanShift }: HistoryPoint, noise: number): Record<string, number> | null {
    this.recent.push({ shift: meanShift ** 2, noise });
    if (this.recent.length > POINTS) this.recent.shift();
    if (this.recent.length < POINTS) return null;
    const mean = (name: 'shift' | 'noise'): number =>
      this.recent.reduce((sum, each) => sum + each[name], 0) / POINTS;
    const [shift, expected] = [mean('shift'), mean('noise')];
    if (shift < LARGE ** 2 || shift < TIMES_NOISE * expected) return null;
    const steps = POINTS * STRIDE;
    return { meanShift: Math.sqrt(shift), expected: Math.sqrt(expected), steps };
  }

  private keep(point: HistoryPoint): void {
    this.kept.push(point);
    if (this.kept.length <= MOST_POINTS) return;
    this.kept = this.kept.filter((_, i) => i % 2 === 0);
    this.every *= 2;
  }
}

/** Mean square over channels of the shift that noise alone would make, from two batches one after the other. */
function noiseOf(last: Float64Array, { rows, runningVar, momentum, eps }: Batch): number {
  let sum = 0;
  for (let c = 0; c < last.length; c++) {
    sum += (rows[c]! - last[c]!) ** 2 / 2 / (runningVar[c]! + eps);
  }
  return (sum / last.length) * (1 + momentum / (2 - momentum));
}

function pointOf(step: number, batch: Batch): HistoryPoint {
  const { rows, count, runningMean, runningVar, momentum, eps } = batch;
  const channels = runningMean.length;
  const unbiased = count / (count - 1);
  // The running statistics have taken the batch in: before, they were further away.
  const before = 1 / (1 - momentum);
  let [shifts, ratios] = [0, 0];
  for (let c = 0; c < channels; c++) {
    const variance = runningVar[c]! + eps;
    const of = rows[3 * channels + c]! * unbiased + eps;
    shifts += (before * (rows[c]! - runningMean[c]!)) ** 2 / variance;
    ratios += (before * Math.log(of / variance)) ** 2;
  }
  const noise = (1 + momentum / (2 - momentum)) / count;
  return {
    step,
    meanShift: Math.sqrt(shifts / channels),
    logVarianceRatio: Math.sqrt(ratios / channels),
    expectedMeanShift: Math.sqrt(noise),
    expectedLogVarianceRatio: Math.sqrt(2 * noise),
  };
}
