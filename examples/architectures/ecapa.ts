// ECAPA-TDNN (Desplanques et al. 2020) on features that are there already, by the names of TaoRuijie/ECAPA-TDNN; a
// checkpoint of that one loads with `{ strict: false }`, which reports its filter bank as unexpected.
import { functional as F, nn, type Tensor } from 'evenkeel';

export interface ECAPAOptions {
  readonly features?: number;
  readonly channels?: number;
  /** Channels of the pooling. */
  readonly wide?: number;
  readonly attention?: number;
  readonly embedding?: number;
  readonly scale?: number;
  readonly bottleneck?: number;
  readonly dtype?: 'float32' | 'float64';
}

/** Squeeze and excitation: each channel times a factor that its mean and those of all others decide. */
class SEModule extends nn.Module {
  se: nn.Sequential;

  constructor(channels: number, bottleneck: number, dtype: 'float32' | 'float64') {
    super();
    this.se = new nn.Sequential(
      new nn.AdaptiveAvgPool1d(1),
      new nn.Conv1d(channels, bottleneck, 1, { dtype }),
      new nn.ReLU(),
      new nn.Conv1d(bottleneck, channels, 1, { dtype }),
      new nn.Sigmoid(),
    );
  }

  forward(x: Tensor): Tensor {
    return x.mul(this.se.forward(x));
  }
}

/** A Res2Net block: groups of channels, each of which sees the result of the one before it. */
class Bottle2neck extends nn.Module {
  conv1: nn.Conv1d;
  bn1: nn.BatchNorm1d;
  convs: nn.ModuleList<nn.Conv1d>;
  bns: nn.ModuleList<nn.BatchNorm1d>;
  conv3: nn.Conv1d;
  bn3: nn.BatchNorm1d;
  se: SEModule;
  readonly width: number;

  constructor(
    channels: number,
    kernelSize: number,
    dilation: number,
    { scale, bottleneck, dtype }: Required<ECAPAOptions>,
  ) {
    super();
    const width = (this.width = Math.floor(channels / scale));
    const padding = Math.floor(kernelSize / 2) * dilation;
    const groups = Array.from({ length: scale - 1 });
    this.conv1 = new nn.Conv1d(channels, width * scale, 1, { dtype });
    this.bn1 = new nn.BatchNorm1d(width * scale, { dtype });
    this.convs = new nn.ModuleList(
      groups.map(() => new nn.Conv1d(width, width, kernelSize, { dilation, padding, dtype })),
    );
    this.bns = new nn.ModuleList(groups.map(() => new nn.BatchNorm1d(width, { dtype })));
    this.conv3 = new nn.Conv1d(width * scale, channels, 1, { dtype });
    this.bn3 = new nn.BatchNorm1d(channels, { dtype });
    this.se = new SEModule(channels, bottleneck, dtype);
  }

  forward(x: Tensor): Tensor {
    const parts = this.bn1.forward(F.relu(this.conv1.forward(x))).split(this.width, { dim: 1 });
    const outputs: Tensor[] = [];
    for (let i = 0; i < this.convs.length; i++) {
      const part = i === 0 ? parts[i]! : outputs[i - 1]!.add(parts[i]!);
      outputs.push(this.bns.at(i)!.forward(F.relu(this.convs.at(i)!.forward(part))));
    }
    outputs.push(parts.at(-1)!);
    const y = this.bn3.forward(F.relu(this.conv3.forward(F.cat(outputs, { dim: 1 }))));
    return this.se.forward(y).add(x);
  }
}

/** Embeddings [N, embedding] of features [N, features, L]. */
export class ECAPA extends nn.Module {
  conv1: nn.Conv1d;
  bn1: nn.BatchNorm1d;
  layer1: Bottle2neck;
  layer2: Bottle2neck;
  layer3: Bottle2neck;
  layer4: nn.Conv1d;
  attention: nn.Sequential;
  bn5: nn.BatchNorm1d;
  fc6: nn.Linear;
  bn6: nn.BatchNorm1d;

  constructor(options: ECAPAOptions = {}) {
    super();
    const { features = 80, channels = 1024, wide = 1536, attention = 256 } = options;
    const { embedding = 192, scale = 8, bottleneck = 128, dtype = 'float32' } = options;
    const all = { features, channels, wide, attention, embedding, scale, bottleneck, dtype };
    this.conv1 = new nn.Conv1d(features, channels, 5, { padding: 2, dtype });
    this.bn1 = new nn.BatchNorm1d(channels, { dtype });
    this.layer1 = new Bottle2neck(channels, 3, 2, all);
    this.layer2 = new Bottle2neck(channels, 3, 3, all);
    this.layer3 = new Bottle2neck(channels, 3, 4, all);
    this.layer4 = new nn.Conv1d(3 * channels, wide, 1, { dtype });
    this.attention = new nn.Sequential(
      new nn.Conv1d(3 * wide, attention, 1, { dtype }),
      new nn.ReLU(),
      new nn.BatchNorm1d(attention, { dtype }),
      new nn.Tanh(),
      new nn.Conv1d(attention, wide, 1, { dtype }),
      new nn.Softmax({ dim: 2 }),
    );
    this.bn5 = new nn.BatchNorm1d(2 * wide, { dtype });
    this.fc6 = new nn.Linear(2 * wide, embedding, { dtype });
    this.bn6 = new nn.BatchNorm1d(embedding, { dtype });
  }

  forward(features: Tensor): Tensor {
    let x = this.bn1.forward(F.relu(this.conv1.forward(features)));
    const x1 = this.layer1.forward(x);
    const x2 = this.layer2.forward(x.add(x1));
    const x3 = this.layer3.forward(x.add(x1).add(x2));
    x = F.relu(this.layer4.forward(F.cat([x1, x2, x3], { dim: 1 })));

    const mean = x.mean({ dim: 2, keepdim: true }).expand(x.shape);
    const variance = x.var({ dim: 2, keepdim: true }).clamp({ min: 1e-4 });
    const deviation = variance.sqrt().expand(x.shape);
    const w = this.attention.forward(F.cat([x, mean, deviation], { dim: 1 }));
    const mu = x.mul(w).sum({ dim: 2 });
    const square = x.pow(2).mul(w).sum({ dim: 2 });
    const sg = square.sub(mu.pow(2)).clamp({ min: 1e-4 }).sqrt();
    x = F.cat([mu, sg], { dim: 1 });
    return this.bn6.forward(this.fc6.forward(this.bn5.forward(x)));
  }
}
