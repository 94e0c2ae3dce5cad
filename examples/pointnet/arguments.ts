// The options of the PointNet example.
import { readOptions, type Usage } from '../../src/cli/options.js';
import { TEST_SIZE, TRAIN_SIZE } from '../digits/data.js';

export interface Settings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly digits: number;
  readonly seed: number;
  readonly json: boolean;
}

const USAGE: Usage = {
  name: 'pointnet',
  program: 'pointnet',
  call: 'npm run example:pointnet --',
  text: `Trains a PointNet with BatchNorm1d on digits as sets of 96 points. After each epoch
it tests by the running statistics, which trail the weights, and by exact ones.`,
  options: {
    epochs: {
      type: 'number',
      default: 3,
      min: 1,
      max: 1000,
      whole: true,
      help: 'times through the training set',
    },
    'batch-size': {
      type: 'number',
      default: 256,
      min: 2,
      max: TRAIN_SIZE,
      whole: true,
      help: 'digits a step',
    },
    lr: { type: 'number', default: 0.001, min: 1e-6, max: 10, whole: false, help: 'of Adam' },
    digits: {
      type: 'number',
      default: TRAIN_SIZE,
      min: 2,
      max: TRAIN_SIZE,
      whole: true,
      help: 'to train on; a quarter as many to test',
    },
    seed: {
      type: 'number',
      default: 0,
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      whole: true,
      help: 'same seed, same numbers, at any thread count',
    },
    json: { type: 'boolean', help: 'print one JSON object and nothing else' },
  },
};

/** As many of the test set as `digits` are of the training set. */
export const testSize = (digits: number): number => Math.ceil((digits * TEST_SIZE) / TRAIN_SIZE);

/** The settings of this run. Prints help and ends the process with 0, or a mistake and ends it with 2. */
export function readSettings(): Settings {
  const values = readOptions(USAGE, process.argv.slice(2));
  if (typeof values === 'number') process.exit(values);
  const { 'batch-size': batchSize, ...others } = values;
  return { ...others, batchSize } as unknown as Settings;
}
