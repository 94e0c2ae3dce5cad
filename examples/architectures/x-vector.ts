// The x-vector network (Snyder et al. 2018): convolutions over time, mean and standard deviation of all steps, and a
// classifier of speakers; by the names of manojpamk/pytorch_xvectors.
import { functional as F, nn, type Tensor } from 'evenkeel';

export interface XVectorOptions {
  readonly speakers: number;
  readonly features?: number;
  readonly width?: number;
  /** Channels whose statistics are taken. */
  readonly wide?: number;
  readonly hidden?: number;
  readonly dropout?: number;
  readonly dtype?: 'float32' | 'float64';
}

/** Scores [N, speakers] from features [N, features, L] with L of at least 31. */
export class XVector extends nn.Module {
  tdnn1: nn.Conv1d;
  bn_tdnn1: nn.BatchNorm1d;
  dropout_tdnn1: nn.Dropout;
  tdnn2: nn.Conv1d;
  bn_tdnn2: nn.BatchNorm1d;
  dropout_tdnn2: nn.Dropout;
  tdnn3: nn.Conv1d;
  bn_tdnn3: nn.BatchNorm1d;
  dropout_tdnn3: nn.Dropout;
  tdnn4: nn.Conv1d;
  bn_tdnn4: nn.BatchNorm1d;
  dropout_tdnn4: nn.Dropout;
  tdnn5: nn.Conv1d;
  bn_tdnn5: nn.BatchNorm1d;
  dropout_tdnn5: nn.Dropout;
  fc1: nn.Linear;
  bn_fc1: nn.BatchNorm1d;
  dropout_fc1: nn.Dropout;
  fc2: nn.Linear;
  bn_fc2: nn.BatchNorm1d;
  dropout_fc2: nn.Dropout;
  fc3: nn.Linear;

  constructor(options: XVectorOptions) {
    super();
    const { speakers, features = 30, width = 512, wide = 1500, hidden = 512 } = options;
    const { dropout = 0.5, dtype = 'float32' } = options;
    const norm = (channels: number): nn.BatchNorm1d =>
      new nn.BatchNorm1d(channels, { affine: false, dtype });
    this.tdnn1 = new nn.Conv1d(features, width, 5, { dtype });
    this.bn_tdnn1 = norm(width);
    this.dropout_tdnn1 = new nn.Dropout(dropout);
    this.tdnn2 = new nn.Conv1d(width, width, 5, { dilation: 2, dtype });
    this.bn_tdnn2 = norm(width);
    this.dropout_tdnn2 = new nn.Dropout(dropout);
    this.tdnn3 = new nn.Conv1d(width, width, 7, { dilation: 3, dtype });
    this.bn_tdnn3 = norm(width);
    this.dropout_tdnn3 = new nn.Dropout(dropout);
    this.tdnn4 = new nn.Conv1d(width, width, 1, { dtype });
    this.bn_tdnn4 = norm(width);
    this.dropout_tdnn4 = new nn.Dropout(dropout);
    this.tdnn5 = new nn.Conv1d(width, wide, 1, { dtype });
    this.bn_tdnn5 = norm(wide);
    this.dropout_tdnn5 = new nn.Dropout(dropout);
    this.fc1 = new nn.Linear(2 * wide, hidden, { dtype });
    this.bn_fc1 = norm(hidden);
    this.dropout_fc1 = new nn.Dropout(dropout);
    this.fc2 = new nn.Linear(hidden, hidden, { dtype });
    this.bn_fc2 = norm(hidden);
    this.dropout_fc2 = new nn.Dropout(dropout);
    this.fc3 = new nn.Linear(hidden, speakers, { dtype });
  }

  forward(features: Tensor): Tensor {
    let x = this.bn_tdnn1.forward(F.relu(this.tdnn1.forward(features)));
    x = this.bn_tdnn2.forward(F.relu(this.tdnn2.forward(this.dropout_tdnn1.forward(x))));
    x = this.bn_tdnn3.forward(F.relu(this.tdnn3.forward(this.dropout_tdnn2.forward(x))));
    x = this.bn_tdnn4.forward(F.relu(this.tdnn4.forward(this.dropout_tdnn3.forward(x))));
    x = this.bn_tdnn5.forward(F.relu(this.tdnn5.forward(this.dropout_tdnn4.forward(x))));
    x = this.dropout_tdnn5.forward(x);
    x = F.cat([x.mean({ dim: 2 }), x.std({ dim: 2 })], { dim: 1 });
    x = this.dropout_fc1.forward(this.bn_fc1.forward(F.relu(this.fc1.forward(x))));
    x = this.dropout_fc2.forward(this.bn_fc2.forward(F.relu(this.fc2.forward(x))));
    return this.fc3.forward(x);
  }
}
