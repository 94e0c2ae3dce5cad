// The network that reads digits, and how often it is right.
import { data, nn, noGrad, type Tensor } from 'evenkeel';

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

/** How many rows of scores have their largest where the label says. */
export function countRight(logits: Tensor, labels: Int32Array): number {
  const classes = logits.shape[1]!;
  const data = logits.data as Float32Array;
  return labels.reduce((right, digit, i) => {
    const scores = data.subarray(i * classes, (i + 1) * classes);
    return scores.indexOf(Math.max(...scores)) === digit ? right + 1 : right;
  }, 0);
}

/** The part of `digits` the model recognises, 0 to 1, in whatever mode the model is. */
export function accuracy(model: nn.Sequential, digits: Digits, batchSize = 256): number {
  let right = 0;
  noGrad(() => {
    for (const [x, label] of new data.DataLoader(digits, { batchSize })) {
      right += countRight(model.forward(x), label.data as Int32Array);
    }
  });
  return right / digits.length;
}
