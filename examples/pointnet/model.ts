// PointNet without its transforms: one network for every point, the largest value of each feature over the points,
// and a classifier. The order of the points makes no difference.
import { data, nn, noGrad, type Tensor } from 'evenkeel';

import { countRight } from '../digits/model.js';
import { POINTS, type PointSets } from './points.js';

const WIDTHS = [2, 64, 64, 128, 256] as const;
const FEATURES = 256;

export class PointNet extends nn.Module {
  /** For [N * points, 2]: what PyTorch calls Conv1d of kernel size 1. BatchNorm takes away a bias before it. */
  readonly shared = new nn.Sequential(
    ...WIDTHS.slice(1).flatMap((width, i) => [
      new nn.Linear(WIDTHS[i]!, width, { bias: false }),
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

  /** @param points - [N, 96, 2]. Gives scores [N, 10]. */
  forward(points: Tensor): Tensor {
    const count = points.shape[0]!;
    const each = this.shared.forward(points.reshape([count * POINTS, 2]));
    return this.head.forward(each.reshape([count, POINTS, FEATURES]).amax({ dim: 1 }));
  }
}

/** The part of the digits that the model recognises, 0 to 1, in the mode that the model has. */
export function accuracy(model: PointNet, digits: PointSets, batchSize = 64): number {
  let right = 0;
  noGrad(() => {
    for (const [x, label] of new data.DataLoader(digits, { batchSize })) {
      right += countRight(model.forward(x), label.data as Int32Array);
    }
  });
  return right / digits.length;
}
