// PointNet without its transforms: one network for every point, the largest value of each feature over the points,
// and a classifier. The order of the points makes no difference.
import { data, nn, noGrad, type Tensor } from 'evenkeel';

import type { PointSets } from './points.js';

const WIDTHS = [2, 64, 64, 128, 256] as const;
const FEATURES = 256;

export class PointNet extends nn.Module {
  /** Kernels of size 1 see one point each. BatchNorm takes away a bias before it, so that there is none. */
  readonly shared = new nn.Sequential(
    ...WIDTHS.slice(1).flatMap((width, i) => [
      new nn.Conv1d(WIDTHS[i]!, width, 1, { bias: false }),
      new nn.BatchNorm1d(width),
      new nn.ReLU(),
    ]),
  );
  readonly head = new nn.Sequential(
    new nn.Linear(FEATURES, 128),
    new nn.BatchNorm1d(128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  );

  /** @param points - [N, 2, points]. Gives scores [N, 10]. */
  forward(points: Tensor): Tensor {
    return this.head.forward(this.shared.forward(points).amax({ dim: 2 }));
  }
}

/** The scores of each digit, [N, 10], in the mode that the model has. */
export function scoresOf(model: PointNet, digits: PointSets, batchSize = 64): Float32Array {
  const scores = new Float32Array(10 * digits.length);
  let at = 0;
  noGrad(() => {
    for (const [x] of new data.DataLoader(digits, { batchSize })) {
      const part = model.forward(x).data as Float32Array;
      scores.set(part, at);
      at += part.length;
    }
  });
  return scores;
}
