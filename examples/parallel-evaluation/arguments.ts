// The options of the parallel evaluation.
import { availableParallelism } from 'node:os';

import { readOptions, type Usage } from '../../src/cli/options.js';
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

/** Of each option with a number. */
const whole = { type: 'number', min: 1, whole: true } as const;

const USAGE: Usage = {
  name: 'parallel-evaluation',
  program: 'parallel-evaluation',
  call: 'npm run example:workers --',
  text: `Trains a network with BatchNorm1d on 8,000 digits, then recognises 2,000 others in one
thread and in Workers that share the weights and the images: the same bits, and how fast.`,
  options: {
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
    json: { type: 'boolean', help: 'print one JSON object and nothing else' },
  },
};

/** The settings of this run. Prints help and ends the process with 0, or a mistake and ends it with 2. */
export function readSettings(): Settings {
  const values = readOptions(USAGE, process.argv.slice(2));
  if (typeof values === 'number') process.exit(values);
  const { workers, images, passes, epochs, seed, json } = values;
  return { workers, images, passes, epochs, seed, json } as unknown as Settings;
}
