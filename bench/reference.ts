// The truth, in plain loops over doubles, and how far an output is from it.
//
// Units are 2^-24 (2^-53 for float64) of the value that was rounded last: max(1, |y|) for an output,
// which has deviation 1; |invstd| · (|dy| + |mean dy| + |x̂ · mean(dy · x̂)|) for dx.
import { dimsOf, type Case } from './cases.js';
import type { Floats, Job } from './data.js';
import { lossOf } from './reference-step.js';

const EPS = 1e-5;

interface Channels {
  readonly mean: Float64Array;
  readonly invstd: Float64Array;
}

/** The largest error of an output, in the units above. */
export type ErrorOf = (output: Floats) => number;

export function referenceOf(job: Job): ErrorOf {
  const { mode, dtype } = job.case;
  const unit = dtype === 'float32' ? 2 ** -24 : 2 ** -53;
  if (mode === 'step') {
    const truth = lossOf(job);
    return ([loss = NaN]) => Math.abs(loss - truth) / (unit * Math.max(1, truth));
  }
  const running = mode === 'evaluate' || mode === 'frozen';
  const channels = running ? fromRunning(job) : fromBatch(job);
  if (mode === 'forward' || mode === 'evaluate') {
    return (y) => errorOfOutput(job, channels, y) / unit;
  }
  const pulled = mode === 'frozen' ? noMeans(job) : gradientMeans(job, channels);
  return (dx) => errorOfGradient(job, channels, pulled, dx) / unit;
}

function fromRunning({ runningMean, runningVar }: Job): Channels {
  const invstd = Float64Array.from(runningVar, (each) => 1 / Math.sqrt(each + EPS));
  return { mean: Float64Array.from(runningMean), invstd };
}

function fromBatch(job: Job): Channels {
  const { x } = job;
  const mean = channelMeans(job.case, (i) => x[i]!);
  const variance = channelMeans(job.case, (i, c) => (x[i]! - mean[c]!) ** 2);
  return { mean, invstd: variance.map((each) => 1 / Math.sqrt(each + EPS)) };
}

/** Calls `visit` for every element in order of memory, with its channel. */
function forEachElement(each: Case, visit: (i: number, c: number) => void): void {
  const { n, c, l } = dimsOf(each);
  const last = each.layout === 'NLC';
  const [rows, run] = last ? [n * l, 1] : [n, l];
  let i = 0;
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < c; channel++) {
      for (let k = 0; k < run; k++) visit(i++, channel);
    }
  }
}

/** With what each addition rounds away kept apart (Neumaier 1974): float64 outputs are judged too. */
function channelMeans(each: Case, value: (i: number, c: number) => number): Float64Array {
  const { n, c, l } = dimsOf(each);
  const sums = new Float64Array(c);
  const lost = new Float64Array(c);
  forEachElement(each, (i, channel) => {
    const [sum, term] = [sums[channel]!, value(i, channel)];
    const next = sum + term;
    lost[channel]! += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
    sums[channel] = next;
  });
  return sums.map((sum, channel) => (sum + lost[channel]!) / (n * l));
}

function errorOfOutput({ case: each, x }: Job, { mean, invstd }: Channels, y: Floats): number {
  let worst = y.length === x.length ? 0 : NaN;
  forEachElement(each, (i, c) => {
    const truth = (x[i]! - mean[c]!) * invstd[c]!;
    const error = Math.abs(y[i]! - truth) / Math.max(1, Math.abs(truth));
    if (error > worst || Number.isNaN(error)) worst = error; // a NaN stays: nothing is above it
  });
  return worst;
}

interface GradientMeans {
  readonly dy: Float64Array;
  /** Of dy · x̂. */
  readonly dyNormal: Float64Array;
}

function gradientMeans({ case: each, x, dy }: Job, { mean, invstd }: Channels): GradientMeans {
  const gradient = dy!;
  return {
    dy: channelMeans(each, (i) => gradient[i]!),
    dyNormal: channelMeans(each, (i, c) => gradient[i]! * ((x[i]! - mean[c]!) * invstd[c]!)),
  };
}

/** Running statistics depend on no batch. */
function noMeans({ case: each }: Job): GradientMeans {
  const { c } = dimsOf(each);
  return { dy: new Float64Array(c), dyNormal: new Float64Array(c) };
}

function errorOfGradient(
  { case: each, x, dy }: Job,
  { mean, invstd }: Channels,
  means: GradientMeans,
  dx: Floats,
): number {
  const gradient = dy!;
  let worst = dx.length === x.length ? 0 : NaN;
  forEachElement(each, (i, c) => {
    const b = (x[i]! - mean[c]!) * invstd[c]! * means.dyNormal[c]!;
    const [dyi, a] = [gradient[i]!, means.dy[c]!];
    const truth = invstd[c]! * (dyi - a - b);
    const scale = invstd[c]! * (Math.abs(dyi) + Math.abs(a) + Math.abs(b));
    const error = Math.abs(dx[i]! - truth) / scale;
    if (error > worst || Number.isNaN(error)) worst = error;
  });
  return worst;
}
