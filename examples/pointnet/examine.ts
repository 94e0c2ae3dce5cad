// What the training has made so far: test accuracy by the running statistics and by exact ones.
import { data } from 'evenkeel';
import { recalibrate, type Finding } from 'evenkeel/doctor';

import { scoresOf, type PointNet } from './model.js';
import type { PointSets } from './points.js';

export interface Examined {
  /** Test accuracy by the running statistics, 0 to 1. */
  readonly running: number;
  /** Of the same weights, with statistics recomputed from the training set. */
  readonly recalibrated: number;
  /** What each test digit is taken for, by either. */
  readonly taken: { readonly running: readonly number[]; readonly recalibrated: readonly number[] };
}

export interface Epoch extends Examined {
  /** Of each step. */
  readonly losses: readonly number[];
  /** Of the training alone. */
  readonly seconds: number;
  /** What the doctor finds in the model, the worst first. */
  readonly findings: readonly Finding[];
}

export interface Test extends Examined {
  /** Epochs of training before it. */
  readonly epoch: number;
}

/** The model is in evaluation mode afterwards, and otherwise as it was: it is a copy that is recalibrated. */
export function examine(model: PointNet, train: PointSets, test: PointSets): Examined {
  const labels = test.tensors[1]!.data as Int32Array;
  const running = digitsOf(scoresOf(model.eval(), test));
  const copy = model.clone();
  recalibrate(copy, new data.DataLoader(train, { batchSize: 256 }));
  const recalibrated = digitsOf(scoresOf(copy.eval(), test));
  const accuracy = (taken: readonly number[]): number =>
    taken.filter((digit, i) => digit === labels[i]).length / labels.length;
  return {
    running: accuracy(running),
    recalibrated: accuracy(recalibrated),
    taken: { running, recalibrated },
  };
}

/** The digit with the largest score, of each row of ten. */
function digitsOf(scores: Float32Array): number[] {
  return Array.from({ length: scores.length / 10 }, (_, i) => {
    const row = scores.subarray(10 * i, 10 * i + 10);
    return row.indexOf(Math.max(...row));
  });
}
