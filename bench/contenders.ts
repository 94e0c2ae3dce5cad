// What evenkeel does in a case, in each way that a user may call it. A further way is one more line.
import { functional, native, nn, noGrad, tensor, type Tensor } from 'evenkeel';

import type { Case } from './cases.js';
import type { Contender } from './contender.js';
import type { Job } from './data.js';
import { turnsOf } from './measure.js';
import { operationContenders } from './operation-contenders.js';
import { stepContenders } from './step.js';

export const US = 'evenkeel';

/** The output is given back by hand, at the moment when PyTorch's reference counting gives it back. */
export const DISPOSED = 'disposed';
/** Into memory of the caller's: what is compared with the limit. */
export const INTO = 'out';
/** A training step whose tensors are given back at its end: PyTorch's reference counting again. */
const SCOPED = 'scope';
/** What a user writes: nothing is given back by hand. */
export const PLAIN = 'plain';

/** Which of them stands against the peers: the first that a case has. */
export const OUR_WAYS: readonly string[] = [PLAIN, DISPOSED, INTO];
/** The same where memory is given back by hand. */
export const BY_HAND: readonly string[] = [DISPOSED, SCOPED];

export function ourContenders(job: Job): Contender[] {
  const { mode, scaling } = job.case;
  if (mode === 'step') return stepContenders(job);
  if (mode === 'operation' || mode === 'gradient') return operationContenders(job);
  if (scaling) return scalingContenders(job);
  return mode === 'forward' || mode === 'evaluate' ? forwards(job) : gradients(job);
}

function layerFor({ case: each, runningMean, runningVar }: Job): nn.BatchNorm1d {
  const { dtype, layout, mode } = each;
  const layer = new nn.BatchNorm1d(runningMean.length, { dtype, layout });
  if (mode === 'evaluate') layer.eval();
  if (mode === 'frozen') layer.freeze();
  if (mode === 'evaluate' || mode === 'frozen') {
    (layer.runningMean!.data as Float32Array).set(runningMean);
    (layer.runningVar!.data as Float32Array).set(runningVar);
  }
  return layer;
}

function forwards(job: Job): Contender[] {
  const layer = layerFor(job);
  const x = tensor(job.x, job.case.shape);
  const out = emptyLike(job, job.case);
  const into = ours(
    INTO,
    () => void layer.forward(x, { out }),
    () => layer.forward(x, { out }),
  );
  if (job.case.peers === 'none') return [into];
  return [
    ours(
      PLAIN,
      () => void layer.forward(x),
      () => layer.forward(x),
    ),
    ours(
      DISPOSED,
      () => layer.forward(x).dispose(),
      () => layer.forward(x),
    ),
    into,
  ];
}

function scalingContenders(job: Job): Contender[] {
  const layer = layerFor(job);
  const x = tensor(job.x, job.case.shape);
  const out = emptyLike(job, job.case);
  const all = native.threads;
  return Array.from({ length: all }, (_, i) => {
    const each = ours(threadsText(i + 1), () => void layer.forward(x, { out }));
    const turn: Contender['turn'] = (calls) => {
      native.setThreads(i + 1);
      try {
        return each.turn(calls);
      } finally {
        native.setThreads(all);
      }
    };
    return { ...each, turn };
  });
}

export function threadsText(count: number): string {
  return count === 1 ? '1 thread' : `${count} threads`;
}

/** Gradients of x, weight and bias, let go of before the next call: forgotten, and disposed of. */
function gradients(job: Job): Contender[] {
  const layer = layerFor(job);
  const x = tensor(job.x, job.case.shape, { requiresGrad: true });
  const dy = tensor(job.dy!, job.case.shape);
  const kept = layer.forward(x);
  const pull = (y: Tensor, byHand: boolean, retainGraph: boolean): void => {
    for (const leaf of [x, layer.weight!, layer.bias!]) {
      if (byHand) leaf.grad?.dispose();
      leaf.grad = null;
    }
    if (job.case.sumGradient) functional.sum(y).backward(undefined, { retainGraph });
    else y.backward(dy, { retainGraph });
  };
  const call = (byHand: boolean): void => {
    if (job.case.mode !== 'forward+backward') {
      pull(kept, byHand, true);
      return;
    }
    const y = layer.forward(x);
    pull(y, byHand, false);
    if (byHand) y.dispose();
  };
  return [PLAIN, DISPOSED].map((how) => {
    const one = (): void => call(how === DISPOSED);
    const output = (): Tensor => {
      one();
      return x.grad!.clone();
    };
    return {
      ...ours(how, one),
      turn: turnsOf(one),
      output: () => output().data as Float32Array,
    };
  });
}

/** Under noGrad, as every peer runs a forward alone. */
function ours(how: string, call: () => void, output?: () => Tensor): Contender {
  const turn = turnsOf(call);
  return {
    who: US,
    how,
    name: `${US}, ${how}`,
    turn: (calls) => noGrad(() => turn(calls) as number),
    ...(output && { output: () => noGrad(output).data as Float32Array }),
  };
}

function emptyLike({ x }: Job, { shape }: Case): Tensor {
  return tensor(x.slice().fill(0), shape);
}
