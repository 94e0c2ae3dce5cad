// A residual network for electrocardiograms (Ribeiro et al. 2020), by the names of antonior92/ecg-age-prediction.
import { nn, type Tensor } from 'evenkeel';

type Size = readonly [filters: number, samples: number];

export interface ECGResNetOptions {
  /** Leads and samples of the input. */
  readonly input?: Size;
  /** Channels and samples behind each block. */
  readonly blocks?: readonly Size[];
  readonly classes: number;
  /** An odd number. */
  readonly kernelSize?: number;
  readonly dropout?: number;
  readonly dtype?: 'float32' | 'float64';
}

interface Block {
  readonly from: number;
  readonly to: number;
  readonly downsample: number;
}

const paddingOf = (downsample: number, kernelSize: number): number =>
  Math.max(0, Math.floor((kernelSize - downsample + 1) / 2));

type Common = Required<Pick<ECGResNetOptions, 'kernelSize' | 'dropout' | 'dtype'>>;

class ResBlock1d extends nn.Module {
  conv1: nn.Conv1d;
  bn1: nn.BatchNorm1d;
  relu: nn.ReLU;
  dropout1: nn.Dropout;
  conv2: nn.Conv1d;
  bn2: nn.BatchNorm1d;
  dropout2: nn.Dropout;
  skip_connection: nn.Sequential | null;

  constructor({ from, to, downsample }: Block, { kernelSize, dropout, dtype }: Common) {
    super();
    const options = { bias: false, dtype } as const;
    this.conv1 = new nn.Conv1d(from, to, kernelSize, {
      padding: paddingOf(1, kernelSize),
      ...options,
    });
    this.bn1 = new nn.BatchNorm1d(to, { dtype });
    this.relu = new nn.ReLU();
    this.dropout1 = new nn.Dropout(dropout);
    this.conv2 = new nn.Conv1d(to, to, kernelSize, {
      stride: downsample,
      padding: paddingOf(downsample, kernelSize),
      ...options,
    });
    this.bn2 = new nn.BatchNorm1d(to, { dtype });
    this.dropout2 = new nn.Dropout(dropout);
    const skip = [
      ...(downsample > 1 ? [new nn.MaxPool1d(downsample, { stride: downsample })] : []),
      ...(from === to ? [] : [new nn.Conv1d(from, to, 1, options)]),
    ];
    this.skip_connection = skip.length > 0 ? new nn.Sequential(...skip) : null;
  }

  /** What goes through the layers, and what goes past those of the next block. */
  forward(x: Tensor, y: Tensor): [x: Tensor, y: Tensor] {
    const past = this.skip_connection?.forward(y) ?? y;
    let through = this.relu.forward(this.bn1.forward(this.conv1.forward(x)));
    through = this.conv2.forward(this.dropout1.forward(through)).add(past);
    return [this.dropout2.forward(this.relu.forward(this.bn2.forward(through))), through];
  }
}

/** Scores [N, classes] from electrocardiograms [N, leads, samples]. */
export class ECGResNet extends nn.Module {
  conv1: nn.Conv1d;
  bn1: nn.BatchNorm1d;
  /** Behind the blocks resblock1d_0, resblock1d_1, …, as their keys say. */
  declare lin: nn.Linear;

  constructor(options: ECGResNetOptions) {
    super();
    const { input = [12, 4096], classes, kernelSize = 17, dropout = 0.8 } = options;
    const { dtype = 'float32' } = options;
    const { blocks = [[64, 4096], [128, 1024], [196, 256], [256, 64], [320, 16]] as const } = options; // prettier-ignore
    let [from, samples] = blocks[0]!;
    const stride = Math.floor(input[1] / samples);
    const padding = paddingOf(stride, kernelSize);
    this.conv1 = new nn.Conv1d(input[0], from, kernelSize, { bias: false, stride, padding, dtype });
    this.bn1 = new nn.BatchNorm1d(from, { dtype });
    blocks.forEach(([to, length], i) => {
      const block = { from, to, downsample: Math.floor(samples / length) };
      this.registerModule(`resblock1d_${i}`, new ResBlock1d(block, { kernelSize, dropout, dtype }));
      [from, samples] = [to, length];
    });
    this.registerModule('lin', new nn.Linear(from * samples, classes, { dtype }));
  }

  forward(signal: Tensor): Tensor {
    let x = this.bn1.forward(this.conv1.forward(signal));
    let y = x;
    for (const child of this.children()) {
      if (child instanceof ResBlock1d) [x, y] = child.forward(x, y);
    }
    return this.lin.forward(new nn.Flatten().forward(x));
  }
}
