// PointNet, the classifier with both transforms (Qi et al. 2017), by the names of fxia22/pointnet.pytorch.
import { functional as F, nn, type Tensor } from 'evenkeel';

export interface PointNetOptions {
  /** Kinds of objects. */
  readonly k: number;
  /** Features of a point after each shared layer. */
  readonly widths?: readonly [number, number, number];
  /** Features of the whole set after each layer of a head. */
  readonly hidden?: readonly [number, number];
  readonly dropout?: number;
  readonly dtype?: 'float32' | 'float64';
}

type Sizes = Required<Omit<PointNetOptions, 'k' | 'dropout'>>;

const IDENTITY = (k: number, dtype: 'float32' | 'float64'): Tensor =>
  F.oneHot(
    Int32Array.from({ length: k }, (_, i) => i),
    k,
    { dtype },
  );

/** T-Net, STN3d and STNkd of the original: a matrix [N, k, k] by which the points are turned. */
class TNet extends nn.Module {
  conv1: nn.Conv1d;
  conv2: nn.Conv1d;
  conv3: nn.Conv1d;
  fc1: nn.Linear;
  fc2: nn.Linear;
  fc3: nn.Linear;
  bn1: nn.BatchNorm1d;
  bn2: nn.BatchNorm1d;
  bn3: nn.BatchNorm1d;
  bn4: nn.BatchNorm1d;
  bn5: nn.BatchNorm1d;

  constructor(
    readonly k: number,
    { widths: [a, b, c], hidden: [d, e], dtype }: Sizes,
  ) {
    super();
    this.conv1 = new nn.Conv1d(k, a, 1, { dtype });
    this.conv2 = new nn.Conv1d(a, b, 1, { dtype });
    this.conv3 = new nn.Conv1d(b, c, 1, { dtype });
    this.fc1 = new nn.Linear(c, d, { dtype });
    this.fc2 = new nn.Linear(d, e, { dtype });
    this.fc3 = new nn.Linear(e, k * k, { dtype });
    this.bn1 = new nn.BatchNorm1d(a, { dtype });
    this.bn2 = new nn.BatchNorm1d(b, { dtype });
    this.bn3 = new nn.BatchNorm1d(c, { dtype });
    this.bn4 = new nn.BatchNorm1d(d, { dtype });
    this.bn5 = new nn.BatchNorm1d(e, { dtype });
  }

  forward(points: Tensor): Tensor {
    const { k } = this;
    let x = F.relu(this.bn1.forward(this.conv1.forward(points)));
    x = F.relu(this.bn2.forward(this.conv2.forward(x)));
    x = F.relu(this.bn3.forward(this.conv3.forward(x)));
    x = x.max({ dim: 2 }).values;
    x = F.relu(this.bn4.forward(this.fc1.forward(x)));
    x = F.relu(this.bn5.forward(this.fc2.forward(x)));
    x = this.fc3.forward(x).reshape([points.shape[0]!, k, k]);
    return x.add(IDENTITY(k, x.dtype as 'float32'));
  }
}

class PointNetFeatures extends nn.Module {
  stn: TNet;
  conv1: nn.Conv1d;
  conv2: nn.Conv1d;
  conv3: nn.Conv1d;
  bn1: nn.BatchNorm1d;
  bn2: nn.BatchNorm1d;
  bn3: nn.BatchNorm1d;
  fstn: TNet;

  constructor(sizes: Sizes) {
    super();
    const {
      widths: [a, b, c],
      dtype,
    } = sizes;
    this.stn = new TNet(3, sizes);
    this.conv1 = new nn.Conv1d(3, a, 1, { dtype });
    this.conv2 = new nn.Conv1d(a, b, 1, { dtype });
    this.conv3 = new nn.Conv1d(b, c, 1, { dtype });
    this.bn1 = new nn.BatchNorm1d(a, { dtype });
    this.bn2 = new nn.BatchNorm1d(b, { dtype });
    this.bn3 = new nn.BatchNorm1d(c, { dtype });
    this.fstn = new TNet(a, sizes);
  }

  forward(points: Tensor): [features: Tensor, turned: Tensor, turnedFeatures: Tensor] {
    const trans = this.stn.forward(points);
    let x = points.transpose(2, 1).bmm(trans).transpose(2, 1);
    x = F.relu(this.bn1.forward(this.conv1.forward(x)));
    const transFeatures = this.fstn.forward(x);
    x = x.transpose(2, 1).bmm(transFeatures).transpose(2, 1);
    x = F.relu(this.bn2.forward(this.conv2.forward(x)));
    x = this.bn3.forward(this.conv3.forward(x));
    return [x.max({ dim: 2 }).values, trans, transFeatures];
  }
}

/** Log probabilities of the kinds [N, k], and the two matrices, from points [N, 3, L]. */
export class PointNet extends nn.Module {
  feat: PointNetFeatures;
  fc1: nn.Linear;
  fc2: nn.Linear;
  fc3: nn.Linear;
  dropout: nn.Dropout;
  bn1: nn.BatchNorm1d;
  bn2: nn.BatchNorm1d;

  constructor(options: PointNetOptions) {
    super();
    const { k, dropout = 0.3, widths = [64, 128, 1024], hidden = [512, 256] } = options;
    const { dtype = 'float32' } = options;
    const [d, e] = hidden;
    this.feat = new PointNetFeatures({ widths, hidden, dtype });
    this.fc1 = new nn.Linear(widths[2], d, { dtype });
    this.fc2 = new nn.Linear(d, e, { dtype });
    this.fc3 = new nn.Linear(e, k, { dtype });
    this.dropout = new nn.Dropout(dropout);
    this.bn1 = new nn.BatchNorm1d(d, { dtype });
    this.bn2 = new nn.BatchNorm1d(e, { dtype });
  }

  forward(points: Tensor): [scores: Tensor, trans: Tensor, transFeatures: Tensor] {
    const [features, trans, transFeatures] = this.feat.forward(points);
    let x = F.relu(this.bn1.forward(this.fc1.forward(features)));
    x = F.relu(this.bn2.forward(this.dropout.forward(this.fc2.forward(x))));
    return [F.logSoftmax(this.fc3.forward(x), { dim: 1 }), trans, transFeatures];
  }
}

/** How far the matrices are from turning without stretching: the mean of |T Tᵀ − I|. */
export function featureTransformRegularizer(trans: Tensor): Tensor {
  const identity = IDENTITY(trans.shape[1]!, trans.dtype as 'float32');
  const apart = trans.bmm(trans.transpose(2, 1)).sub(identity);
  return apart
    .pow(2)
    .sum({ dim: [1, 2] })
    .sqrt()
    .mean();
}
