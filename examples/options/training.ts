// What the options of the showcases have in common.
import { readOptions, type Usage } from '../../src/cli/options.js';

export interface Common {
  readonly epochs: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly seed: number;
  readonly report: string;
  readonly json: boolean;
}

export interface Defaults {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  /** Samples to train on, and the optimiser's name. */
  readonly samples: number;
  readonly optimizer: string;
}

type Options = Usage['options'];

/** The options that every showcase has. */
export function trainingOptions(defaults: Defaults): Options {
  const { epochs, batchSize, lr, samples, optimizer } = defaults;
  const whole = { type: 'number', min: 1, whole: true } as const;
  return {
    epochs: { ...whole, default: epochs, max: 1000, help: 'times through the training set' },
    'batch-size': { ...whole, default: batchSize, min: 2, max: samples, help: 'samples a step' },
    lr: { type: 'number', default: lr, min: 1e-6, max: 10, help: `of ${optimizer}` },
    steps: { ...whole, default: 1e6, max: 1e6, help: 'stop after so many, if not before' },
    seed: {
      ...whole,
      default: 0,
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      help: 'same seed, same numbers, at any thread count',
    },
  };
}

/** Where the results go. */
export const RESULT_OPTIONS: Options = {
  report: { type: 'string', hint: '<file>', help: 'the page to write; examples/pages/<name>.html' },
  json: { type: 'boolean', help: 'print one JSON object and nothing else; no page' },
};

/** The settings of this run. Prints help and ends the process with 0, or a mistake and ends it with 2. */
export function readSettings(usage: Usage): Common {
  const values = readOptions(usage, process.argv.slice(2));
  if (typeof values === 'number') process.exit(values);
  const {
    'batch-size': batchSize,
    report = `examples/pages/${usage.name}.html`,
    ...others
  } = values;
  return { ...others, batchSize, report } as unknown as Common;
}
