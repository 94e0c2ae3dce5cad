// The command line of the digits example: defaults, ranges, help, and one sentence for a mistake.
import { parseArgs } from 'node:util';

import { TRAIN_SIZE } from './data.js';

export interface Settings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly momentum: number;
  readonly seed: number;
  readonly json: boolean;
}

interface NumberOption {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  readonly help: string;
}

const NUMBERS: Readonly<Record<string, NumberOption>> = {
  epochs: { default: 15, min: 1, max: 1000, whole: true, help: 'times through the training set' },
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
};

const FLAGS: Readonly<Record<string, string>> = {
  json: 'print one JSON object and nothing else',
  help: 'print this',
};

/** The settings of this run. Prints help and leaves with 0, or a sentence and leaves with 2. */
export function readArguments(): Settings {
  try {
    return parse(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(`digits: ${error.message}`);
    process.exit(2);
  }
}

function parse(args: string[]): Settings {
  const known = [...Object.keys(NUMBERS), ...Object.keys(FLAGS)];
  const options = Object.fromEntries(
    known.map((name) => [name, { type: name in NUMBERS ? 'string' : 'boolean' } as const]),
  );
  // Not strict: its messages are several sentences long and take `--lr -1` for two options.
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true });
  const given = new Map<string, number>();
  for (const token of tokens) {
    if (token.kind !== 'option') {
      const text = token.kind === 'positional' ? token.value : '--';
      throw new RangeError(`expected options only, got '${text}'.`);
    }
    const { name, rawName, value } = token;
    if (!known.includes(name)) {
      const names = known.map((each) => `--${each}`).join(', ');
      throw new RangeError(`expected one of ${names}, got '${rawName}'.`);
    }
    const number = NUMBERS[name];
    if (number !== undefined) {
      given.set(name, parseNumber(name, value, number));
    } else if (value !== undefined) {
      throw new RangeError(`expected --${name} without a value, got '${value}'.`);
    } else {
      given.set(name, 1);
    }
  }
  if (given.has('help')) {
    console.log(help());
    process.exit(0);
  }
  const setting = (name: string): number => given.get(name) ?? NUMBERS[name]!.default;
  return {
    epochs: setting('epochs'),
    batchSize: setting('batch-size'),
    lr: setting('lr'),
    momentum: setting('momentum'),
    seed: setting('seed'),
    json: given.has('json'),
  };
}

function parseNumber(name: string, text: string | undefined, option: NumberOption): number {
  const { min, max, whole } = option;
  const value = text === undefined || text.trim() === '' ? NaN : Number(text);
  if (value >= min && value <= max && (!whole || Number.isSafeInteger(value))) return value;
  const kind = whole ? 'a whole number' : 'a number';
  const got = text === undefined ? 'nothing' : `'${text}'`;
  throw new RangeError(`expected --${name} to be ${kind} from ${min} to ${max}, got ${got}.`);
}

function help(): string {
  const numbers = Object.entries(NUMBERS).map(
    ([name, option]) => `${`--${name} <n>`.padEnd(18)}${option.help} (default ${option.default})`,
  );
  const flags = Object.entries(FLAGS).map(([name, text]) => `${`--${name}`.padEnd(18)}${text}`);
  return [
    'Usage: npm start -- [options]',
    '',
    'Trains a network with BatchNorm1d on 8,000 digits, tests it on 2,000 others, and',
    'evaluates it in the four cases of training x trackRunningStats.',
    '',
    ...[...numbers, ...flags].map((line) => `  ${line}`),
  ].join('\n');
}
