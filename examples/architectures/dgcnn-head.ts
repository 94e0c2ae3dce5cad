// The head of DGCNN (Wang et al. 2019): what comes after its graph layers, by the names of WangYueFt/dgcnn. A
// checkpoint of the whole network loads with `{ strict: false }`: conv1 to conv4 are reported as unexpected.
import { functional as F, nn, type Tensor } from 'evenkeel';

export interface DGCNNHeadOptions {
  readonly classes?: number;
  /** Features of a point after the graph layers. */
  readonly features?: number;
  readonly embDims?: number;
  readonly hidden?: readonly [number, number];
  readonly dropout?: number;
  readonly dtype?: 'float32' | 'float64';
}

/** Scores [N, classes] from features of points [N, features, L]. */
export class DGCNNHead extends nn.Module {
  /** The second layer of conv5 as well: the state dict has it under both names, as PyTorch's has. */
  bn5: nn.BatchNorm1d;
  conv5: nn.Sequential;
  linear1: nn.Linear;
  bn6: nn.BatchNorm1d;
  dp1: nn.Dropout;
  linear2: nn.Linear;
  bn7: nn.BatchNorm1d;
  dp2: nn.Dropout;
  linear3: nn.Linear;

  constructor(options: DGCNNHeadOptions = {}) {
    super();
    const { classes = 40, features = 512, embDims = 1024, hidden = [512, 256] } = options;
    const { dropout = 0.5, dtype = 'float32' } = options;
    this.bn5 = new nn.BatchNorm1d(embDims, { dtype });
    this.conv5 = new nn.Sequential(
      new nn.Conv1d(features, embDims, 1, { bias: false, dtype }),
      this.bn5,
      new nn.LeakyReLU({ negativeSlope: 0.2 }),
    );
    this.linear1 = new nn.Linear(embDims * 2, hidden[0], { bias: false, dtype });
    this.bn6 = new nn.BatchNorm1d(hidden[0], { dtype });
    this.dp1 = new nn.Dropout(dropout);
    this.linear2 = new nn.Linear(hidden[0], hidden[1], { dtype });
    this.bn7 = new nn.BatchNorm1d(hidden[1], { dtype });
    this.dp2 = new nn.Dropout(dropout);
    this.linear3 = new nn.Linear(hidden[1], classes, { dtype });
  }

  forward(features: Tensor): Tensor {
    let x = this.conv5.forward(features);
    const largest = F.adaptiveMaxPool1d(x, 1).squeeze(2);
    const mean = F.adaptiveAvgPool1d(x, 1).squeeze(2);
    x = F.cat([largest, mean], { dim: 1 });
    x = F.leakyRelu(this.bn6.forward(this.linear1.forward(x)), { negativeSlope: 0.2 });
    x = this.dp1.forward(x);
    x = F.leakyRelu(this.bn7.forward(this.linear2.forward(x)), { negativeSlope: 0.2 });
    x = this.dp2.forward(x);
    return this.linear3.forward(x);
  }
}
