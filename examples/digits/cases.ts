// The four cases of `training` x `trackRunningStats`, on copies of one trained model.
import { nn } from 'evenkeel';

import type { Digits } from './data.js';
import { accuracy, digitNet } from './model.js';

export interface Case {
  readonly training: boolean;
  readonly trackRunningStats: boolean;
  readonly batchSize: number;
  readonly testAccuracy: number;
}

export const BATCH_SIZES = [256, 8, 2];

/** Test accuracy in each case at each batch size. The model stays as it is: (true, true) would move it. */
export function fourCases(model: nn.Sequential, test: Digits): Case[] {
  const cases: Case[] = [];
  for (const training of [true, false]) {
    for (const trackRunningStats of [true, false]) {
      for (const batchSize of BATCH_SIZES) {
        const copy = digitNet({ trackRunningStats });
        copy.loadStateDict(model.stateDict(), { strict: false }); // without tracking: no buffers
        copy.eval(); // Dropout stays off, so that only BatchNorm makes a difference
        for (const layer of copy) if (layer instanceof nn.BatchNorm1d) layer.train(training);
        const testAccuracy = accuracy(copy, test, batchSize);
        cases.push({ training, trackRunningStats, batchSize, testAccuracy });
      }
    }
  }
  return cases;
}
