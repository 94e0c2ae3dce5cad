// The options of the digits example.
import { readArguments } from '../terminal/arguments.js';
import { TRAIN_SIZE } from './data.js';

export interface Settings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly momentum: number;
  readonly seed: number;
  readonly json: boolean;
}

/** The settings of this run. */
export function readSettings(): Settings {
  const { number, json } = readArguments({
    name: 'digits',
    usage: 'npm start',
    about: [
      'Trains a network with BatchNorm1d on 8,000 digits, tests it on 2,000 others, and',
      'evaluates it in the four cases of training x trackRunningStats.',
    ],
    numbers: {
      epochs: {
        default: 15,
        min: 1,
        max: 1000,
        whole: true,
        help: 'times through the training set',
      },
      'batch-size': {
        default: 128,
        min: 2,
        max: TRAIN_SIZE,
        whole: true,
        help: 'samples a step; BatchNorm needs 2 to train',
      },
      lr: {
        default: 0.1,
        min: 1e-6,
        max: 10,
        whole: false,
        help: 'learning rate at the start; falls to 0 in a line',
      },
      momentum: { default: 0.9, min: 0, max: 0.999, whole: false, help: 'of SGD' },
      seed: {
        default: 0,
        min: 0,
        max: Number.MAX_SAFE_INTEGER,
        whole: true,
        help: 'same seed, same numbers, at any thread count',
      },
    },
  });
  return {
    epochs: number('epochs'),
    batchSize: number('batch-size'),
    lr: number('lr'),
    momentum: number('momentum'),
    seed: number('seed'),
    json,
  };
}
