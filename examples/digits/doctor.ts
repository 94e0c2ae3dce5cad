// The doctor's word on the trap: what it calls it, and what its mend makes of the same weights.
import { data, type nn } from 'evenkeel';
import { diagnose, recalibrate, type Finding } from 'evenkeel/doctor';

import type { Digits } from './data.js';
import { accuracy, digitNet } from './model.js';

export interface Diagnosis {
  readonly finding: Finding;
  /** Test accuracy in small batches after the mend. */
  readonly mended: number;
}

const SMALL = 2;
/** Enough to see it: a batch of two is wrong in the first one. */
const SAMPLES = 100;

/** Examines the last row of the four cases, and mends it. The model stays as it is. */
export function askDoctor(model: nn.Sequential, train: Digits, test: Digits): Diagnosis {
  const trapped = digitNet({ trackRunningStats: false });
  trapped.loadStateDict(model.stateDict(), { strict: false }); // no buffers for the statistics
  const small = new data.DataLoader(test, { batchSize: SMALL });
  const { findings } = diagnose(trapped.eval(), small, { samples: SAMPLES });

  const mended = digitNet(); // with trackRunningStats, as the finding asks
  mended.loadStateDict(trapped.stateDict(), { strict: false });
  recalibrate(mended, new data.DataLoader(train, { batchSize: 128 }));
  return { finding: findings[0]!, mended: accuracy(mended.eval(), test, SMALL) };
}
