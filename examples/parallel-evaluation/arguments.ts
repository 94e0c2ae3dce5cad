// The options of the parallel evaluation.
import { availableParallelism } from 'node:os';

import { readArguments } from '../terminal/arguments.js';
import { TEST_SIZE } from '../digits/data.js';
import { TURNS } from './measure.js';

export interface Settings {
  readonly workers: number;
  readonly images: number;
  readonly passes: number;
  readonly epochs: number;
  readonly seed: number;
  readonly json: boolean;
}

/** The settings of this run. */
export function readSettings(): Settings {
  const whole = { min: 1, whole: true };
  const { number, json } = readArguments({
    name: 'parallel-evaluation',
    usage: 'npm run example:workers',
    about: [
      'Trains a network with BatchNorm1d on 8,000 digits, then recognises 2,000 others in one',
      'thread and in Workers that share the weights and the images: the same bits, and how fast.',
    ],
    numbers: {
      workers: {
        ...whole,
        default: Math.min(availableParallelism(), 64),
        max: 64,
        help: 'the most Workers at once',
      },
      images: { ...whole, default: TEST_SIZE, max: TEST_SIZE, help: 'digits to recognise' },
      passes: {
        ...whole,
        default: 6,
        max: 10_000,
        help: `times over, in each of ${TURNS} turns`,
      },
      epochs: { ...whole, default: 3, max: 1000, help: 'times through the training set' },
      seed: {
        ...whole,
        default: 0,
        min: 0,
        max: Number.MAX_SAFE_INTEGER,
        help: 'same seed, same numbers, with any number of Workers',
      },
    },
  });
  return {
    workers: number('workers'),
    images: number('images'),
    passes: number('passes'),
    epochs: number('epochs'),
    seed: number('seed'),
    json,
  };
}
