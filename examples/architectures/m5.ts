// M5 (Dai et al. 2017): spoken words from raw sound, by the names of the tutorial on pytorch.org.
import { functional as F, nn, type Tensor } from 'evenkeel';

export interface M5Options {
  readonly inputs?: number;
  readonly outputs?: number;
  readonly stride?: number;
  readonly channels?: number;
  readonly dtype?: 'float32' | 'float64';
}

/** Log probabilities [N, 1, outputs] from sound [N, inputs, L]. */
export class M5 extends nn.Module {
  conv1: nn.Conv1d;
  bn1: nn.BatchNorm1d;
  pool1: nn.MaxPool1d;
  conv2: nn.Conv1d;
  bn2: nn.BatchNorm1d;
  pool2: nn.MaxPool1d;
  conv3: nn.Conv1d;
  bn3: nn.BatchNorm1d;
  pool3: nn.MaxPool1d;
  conv4: nn.Conv1d;
  bn4: nn.BatchNorm1d;
  pool4: nn.MaxPool1d;
  fc1: nn.Linear;

  constructor(options: M5Options = {}) {
    super();
    const { inputs = 1, outputs = 35, stride = 16, channels = 32, dtype = 'float32' } = options;
    this.conv1 = new nn.Conv1d(inputs, channels, 80, { stride, dtype });
    this.bn1 = new nn.BatchNorm1d(channels, { dtype });
    this.pool1 = new nn.MaxPool1d(4);
    this.conv2 = new nn.Conv1d(channels, channels, 3, { dtype });
    this.bn2 = new nn.BatchNorm1d(channels, { dtype });
    this.pool2 = new nn.MaxPool1d(4);
    this.conv3 = new nn.Conv1d(channels, 2 * channels, 3, { dtype });
    this.bn3 = new nn.BatchNorm1d(2 * channels, { dtype });
    this.pool3 = new nn.MaxPool1d(4);
    this.conv4 = new nn.Conv1d(2 * channels, 2 * channels, 3, { dtype });
    this.bn4 = new nn.BatchNorm1d(2 * channels, { dtype });
    this.pool4 = new nn.MaxPool1d(4);
    this.fc1 = new nn.Linear(2 * channels, outputs, { dtype });
  }

  forward(sound: Tensor): Tensor {
    let x = this.conv1.forward(sound);
    x = this.pool1.forward(F.relu(this.bn1.forward(x)));
    x = this.conv2.forward(x);
    x = this.pool2.forward(F.relu(this.bn2.forward(x)));
    x = this.conv3.forward(x);
    x = this.pool3.forward(F.relu(this.bn3.forward(x)));
    x = this.conv4.forward(x);
    x = this.pool4.forward(F.relu(this.bn4.forward(x)));
    x = F.avgPool1d(x, x.shape.at(-1)!);
    x = x.permute([0, 2, 1]);
    x = this.fc1.forward(x);
    return F.logSoftmax(x, { dim: 2 });
  }
}
