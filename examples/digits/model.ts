// The network that reads digits, and how often it is right.
import { data, nn, noGrad } from 'evenkeel';

import type { Digits } from './data.js';

/** Two hidden layers. Linear needs no bias before BatchNorm, which subtracts it again. */
export function digitNet({ trackRunningStats = true } = {}): nn.Sequential {
  return new nn.Sequential(
    new nn.Dropout(0.2),
    new nn.Linear(784, 512, { bias: false }),
    new nn.BatchNorm1d(512, { trackRunningStats }),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(512, 256, { bias: false }),
    new nn.BatchNorm1d(256, { trackRunningStats }),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(256, 10),
  );
}

/** The part of `digits` the model recognises, 0 to 1, in whatever mode the model is. */
export function accuracy(model: nn.Sequential, digits: Digits, batchSize = 256): number {
  let right = 0;
  noGrad(() => {
    for (const [x, label] of new data.DataLoader(digits, { batchSize })) {
      const logits = model.forward(x);
      const classes = logits.shape[1]!;
      label.data.forEach((digit, i) => {
        const scores = (logits.data as Float32Array).subarray(i * classes, (i + 1) * classes);
        if (scores.indexOf(Math.max(...scores)) === digit) right++;
      });
    }
  });
  return right / digits.length;
}
