// The options of the digits example.
import { readOptions, type Usage } from '../../src/cli/options.js';
import { TRAIN_SIZE } from './data.js';

export interface Settings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly momentum: number;
  readonly seed: number;
  readonly json: boolean;
}

const USAGE: Usage = {
  name: 'digits',
  program: 'digits',
  call: 'npm start --',
  text: `Trains a network with BatchNorm1d on 8,000 digits, tests it on 2,000 others, and
evaluates it in the four cases of training x trackRunningStats.`,
  options: {
    epochs: {
      type: 'number',
      default: 15,
      min: 1,
      max: 1000,
      whole: true,
      help: 'times through the training set',
    },
    'batch-size': {
      type: 'number',
      default: 128,
      min: 2,
      max: TRAIN_SIZE,
      whole: true,
      help: 'samples a step; BatchNorm needs 2 to train',
    },
    lr: {
      type: 'number',
      default: 0.1,
      min: 1e-6,
      max: 10,
      whole: false,
      help: 'learning rate at the start; falls to 0 in a line',
    },
    momentum: { type: 'number', default: 0.9, min: 0, max: 0.999, whole: false, help: 'of SGD' },
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

/** The settings of this run. Prints help and ends the process with 0, or a mistake and ends it with 2. */
export function readSettings(): Settings {
  const values = readOptions(USAGE, process.argv.slice(2));
  if (typeof values === 'number') process.exit(values);
  const { epochs, 'batch-size': batchSize, lr, momentum, seed, json } = values;
  return { epochs, batchSize, lr, momentum, seed, json } as unknown as Settings;
}
