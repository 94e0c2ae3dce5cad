// What an epoch has made: test accuracy by the running statistics and by exact ones, and the doctor's word.
import { data } from 'evenkeel';
import { diagnose, recalibrate, type Finding } from 'evenkeel/doctor';

import { accuracy, PointNet } from './model.js';
import type { PointSets } from './points.js';

export interface Examined {
  /** Test accuracy by the running statistics, 0 to 1. */
  readonly running: number;
  /** Of the same weights, with statistics recomputed from the training set. */
  readonly recalibrated: number;
  /** What the doctor finds in the model, the worst first. */
  readonly findings: readonly Finding[];
}

/** The model is in evaluation mode afterwards, and otherwise as it was: it is a copy that is recalibrated. */
export function examine(
  model: PointNet,
  train: PointSets,
  test: PointSets,
  batchSize: number,
): Examined {
  const running = accuracy(model.eval(), test);
  const { findings } = diagnose(model, new data.DataLoader(test, { batchSize: 64 }));
  const copy = new PointNet();
  copy.loadStateDict(model.stateDict());
  recalibrate(copy, new data.DataLoader(train, { batchSize }));
  return { running, recalibrated: accuracy(copy.eval(), test), findings };
}
