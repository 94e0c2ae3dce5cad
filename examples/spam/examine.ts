// What an epoch has made: how the test mails are told apart by running statistics, and by exact ones.
import { data } from 'evenkeel';
import { recalibrate } from 'evenkeel/doctor';

import { accuracyOf, areaUnderCurve } from '../measures/binary.js';
import type { Mails } from './data.js';
import { logitsOf, type SpamNet } from './model.js';

export interface Examined {
  /** Test accuracy by the running statistics, 0 to 1. */
  readonly running: number;
  /** Of the same weights, with statistics recomputed from the training set. */
  readonly recalibrated: number;
  /** Area under the ROC curve by the running statistics: 0.5 by chance, 1 at best. */
  readonly auc: number;
}

export interface Epoch extends Examined {
  /** Of each step. */
  readonly losses: readonly number[];
  /** Of the training alone. */
  readonly seconds: number;
}

/** The model is in evaluation mode afterwards, and otherwise as it was: it is a copy that is recalibrated. */
export function examine(model: SpamNet, train: Mails, test: Mails): Examined {
  const spam = test.tensors[1]!.data as Float32Array;
  const logits = logitsOf(model.eval(), test);
  const copy = model.clone();
  recalibrate(copy, new data.DataLoader(train, { batchSize: 100 }));
  const exact = logitsOf(copy.eval(), test);
  return {
    running: accuracyOf(logits, spam),
    recalibrated: accuracyOf(exact, spam),
    auc: areaUnderCurve(logits, spam),
  };
}
