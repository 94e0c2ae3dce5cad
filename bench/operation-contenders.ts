// An operation alone, in each way that a user may call it, and how far its output is from float64's.
import { noGrad, tensor, type Tensor } from 'evenkeel';

import type { Contender } from './contender.js';
import type { Floats, Job } from './data.js';
import { convolutionRunner } from './convolution-runner.js';
import { CONVOLUTIONS } from './convolutions.js';
import { turnsOf } from './measure.js';
import { OPERATIONS, type Operands } from './operations.js';

/** The same arrays as tensors; `other`, or as much of it as y has, is the gradient of a backward. */
function operandsOf(
  { case: { shape }, x, dy }: Job,
  Data: new (from: Iterable<number>) => Floats,
): Operands {
  const columns = shape.at(-1)!;
  const rows = x.length / columns;
  const of = (values: Floats, sizes: readonly number[]): Tensor => tensor(new Data(values), sizes);
  const column = dy!.filter((_, i) => i % columns === 0);
  const index = Int32Array.from(column, (each) => Math.floor(((each + 2) / 4) * rows) % rows);
  const mask = Int32Array.from(dy!, (each) => (each > 0 ? 1 : 0));
  return {
    x: of(x, shape),
    other: of(dy!, shape),
    row: of(dy!.subarray(0, columns), [columns]),
    column: of(column, [rows, 1]),
    mask: tensor(mask, shape),
    index: tensor(index),
  };
}

/** The operation, or the backward of one that has run. `release`: give its memory back by hand. */
function runnerOf(
  job: Job,
  Data: new (from: Iterable<number>) => Floats,
): (release: boolean) => Tensor {
  const { operation, mode } = job.case;
  if (operation! in CONVOLUTIONS) return convolutionRunner(job, Data);
  const { call } = OPERATIONS[operation!]!;
  const operands = operandsOf(job, Data);
  const { x, other } = operands;
  if (mode === 'operation') return () => noGrad(() => call(operands));
  x.requiresGrad = true;
  const y = call(operands);
  const gradient =
    y.numel === other.numel ? other : tensor(new Data(job.dy!.subarray(0, y.numel)), y.shape);
  return (release) => {
    if (release) x.grad?.dispose();
    x.grad = null;
    y.backward(gradient, { retainGraph: true });
    return x.grad as unknown as Tensor;
  };
}

export function operationContenders(job: Job): Contender[] {
  const run = runnerOf(job, Float32Array);
  const isBackward = job.case.mode === 'gradient';
  const output = (): Floats => Float32Array.from(run(false).data as Float32Array, Number);
  const of = (how: string, one: () => void): Contender => {
    const who = 'evenkeel';
    return { who, how, name: `${who}, ${how}`, turn: turnsOf(one), output };
  };
  return [
    of('plain', () => void run(false)),
    of('disposed', isBackward ? () => void run(true) : () => run(true).dispose()),
  ];
}

/**
 * The error of an output against the same call in float64, in units of 2^-24 · max(1, |truth|). Where that takes long, of
 * large arrays, it is not asked for.
 */
export function operationErrorOf(job: Job): ((output: Floats) => number) | null {
  if (!job.case.quick) return null;
  const truth = Float64Array.from(runnerOf(job, Float64Array)(false).data as Float64Array, Number);
  return (output) => {
    if (output.length !== truth.length) return NaN;
    let worst = 0;
    for (const [i, right] of truth.entries()) {
      const error = Math.abs(output[i]! - right) / Math.max(1, Math.abs(right));
      if (error > worst || Number.isNaN(error)) worst = error;
    }
    return worst / 2 ** -24;
  };
}
