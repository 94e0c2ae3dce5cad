// Statistics merged over random cuts of a batch against a 100-bit oracle of the whole, on data that breaks
// BatchNorms: as right as those of one forward.
import { nn, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { DISTRIBUTIONS, fill } from '../helpers/accuracy.js';
import { channelIndices, moments, ulp32 } from '../helpers/oracle.js';
import { sizesFrom } from '../helpers/random.js';

const [N, C] = [6000, 3];

describe.each(Object.entries(DISTRIBUTIONS))('%s', (_, distribution) => {
  const x = fill([N, C, 1], distribution);

  test.each([1, 2, 3])('random cuts %i', (seed) => {
    const bn = new nn.BatchNorm1d(C, { momentum: 1 });
    const size = sizesFrom(seed);
    const batch = nn.virtualBatch(bn);
    for (let from = 0; from < N;) {
      const rows = Math.min(size(2, 900), N - from);
      const to = N - from - rows === 1 ? N : from + rows; // one row has no statistics
      bn.forward(tensor(x.slice(from * C, to * C), [to - from, C]));
      from = to;
    }
    batch.commit();
    for (let c = 0; c < C; c++) {
      const { mean, variance } = moments(x, channelIndices([N, C, 1], c));
      const unbiased = (variance * N) / (N - 1);
      const meanError = Math.abs(Number(bn.runningMean!.data[c]) - mean.high);
      const scale = 2 ** -24 * Math.max(Math.abs(mean.high), Math.sqrt(variance));
      expect(meanError / scale).toBeLessThanOrEqual(1.0001);
      const varError = Math.abs(Number(bn.runningVar!.data[c]) - unbiased);
      expect(varError / ulp32(unbiased)).toBeLessThanOrEqual(0.501);
    }
  });
});
