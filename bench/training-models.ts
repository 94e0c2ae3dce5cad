// The models whose training steps are compared, each with a batch of random data: the same in PyTorch (peers/models.py).
import { functional, manualSeed, nn, optim, tensor, type Tensor } from 'evenkeel';

import { PointNet } from '../examples/pointnet/model.js';
import { BYTES, SYMBOLS } from '../examples/spam/data.js';
import { SpamNet } from '../examples/spam/model.js';

export interface Model {
  readonly name: string;
  readonly batch: readonly number[];
  readonly parameters: number;
  /** Forward, loss, backward, optimiser. */
  readonly step: () => void;
}

const CLASSES = 35;

/** M5 for keywords (Dai et al. 2016): 8,000 samples of sound, a first kernel of 80 with stride 16. */
class M5 extends nn.Module {
  readonly features: nn.Sequential;
  readonly fc1: nn.Linear;

  constructor(width = 32) {
    super();
    const block = (before: number, after: number, kernel: number, stride = 1): nn.Layer[] => [
      new nn.Conv1d(before, after, kernel, { stride }),
      new nn.BatchNorm1d(after),
      new nn.ReLU(),
      new nn.MaxPool1d(4),
    ];
    this.features = new nn.Sequential(
      ...block(1, width, 80, 16),
      ...block(width, width, 3),
      ...block(width, 2 * width, 3),
      ...block(2 * width, 2 * width, 3),
      new nn.AdaptiveAvgPool1d(1),
      new nn.Flatten(),
    );
    this.fc1 = new nn.Linear(2 * width, CLASSES);
  }

  forward(waves: Tensor): Tensor {
    return functional.logSoftmax(this.fc1.forward(this.features.forward(waves)), { dim: 1 });
  }
}

const waves = (shape: readonly number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * i)),
    shape,
  );
const classes = (count: number, most: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => (i * 7919) % most);

function model(
  name: string,
  batch: readonly number[],
  net: nn.Module,
  opt: { zeroGrad(): void; step(): void },
  lossOf: () => Tensor,
): Model {
  const parameters = [...net.parameters()].reduce((sum, { numel }) => sum + numel, 0);
  const step = (): void => {
    const loss = lossOf();
    opt.zeroGrad();
    loss.backward();
    opt.step();
  };
  return { name, batch, parameters, step };
}

export function models(): Model[] {
  manualSeed(0);
  const pointNet = new PointNet();
  const points = waves([256, 2, 96]);
  const digits = tensor(classes(256, 10));

  const m5 = new M5();
  const sound = waves([128, 1, 8000]);
  const words = tensor(classes(128, CLASSES));

  const spamNet = new SpamNet();
  const mails = tensor(classes(64 * BYTES, SYMBOLS), [64, BYTES]);
  const spam = tensor(Float32Array.from(classes(64, 2)), [64, 1]);

  return [
    model('PointNet', points.shape, pointNet, new optim.Adam(pointNet.parameters()), () =>
      functional.crossEntropy(pointNet.forward(points), digits),
    ),
    model('M5', sound.shape, m5, new optim.Adam(m5.parameters()), () =>
      functional.nllLoss(m5.forward(sound), words),
    ),
    model('SpamNet', mails.shape, spamNet, new optim.AdamW(spamNet.parameters()), () =>
      functional.binaryCrossEntropyWithLogits(spamNet.forward(mails), spam),
    ),
  ];
}
