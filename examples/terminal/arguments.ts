// The command line of an example: options with a number, --json and --help, ranges and defaults; one
// sentence for a mistake.
import { parseArgs } from 'node:util';

interface NumberOption {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  readonly help: string;
}

export interface CommandLine<Name extends string> {
  /** What a mistake is reported by. */
  readonly name: string;
  /** How it is run, without the options. */
  readonly usage: string;
  readonly about: readonly string[];
  readonly numbers: Readonly<Record<Name, NumberOption>>;
}

export interface Arguments<Name extends string> {
  readonly number: (name: Name) => number;
  readonly json: boolean;
}

const FLAGS: Readonly<Record<string, string>> = {
  json: 'print one JSON object and nothing else',
  help: 'print this',
};

/** The arguments of this run. Prints help and leaves with 0, or a sentence and leaves with 2. */
export function readArguments<Name extends string>(line: CommandLine<Name>): Arguments<Name> {
  try {
    return parse(line, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(`${line.name}: ${error.message}`);
    process.exit(2);
  }
}

function parse<Name extends string>(line: CommandLine<Name>, args: string[]): Arguments<Name> {
  const numbers: Readonly<Record<string, NumberOption>> = line.numbers;
  const known = [...Object.keys(numbers), ...Object.keys(FLAGS)];
  const options = Object.fromEntries(
    known.map((name) => [name, { type: name in numbers ? 'string' : 'boolean' } as const]),
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
    const number = numbers[name];
    if (number !== undefined) {
      given.set(name, parseNumber(name, value, number));
    } else if (value !== undefined) {
      throw new RangeError(`expected --${name} without a value, got '${value}'.`);
    } else {
      given.set(name, 1);
    }
  }
  if (given.has('help')) {
    console.log(help(line));
    process.exit(0);
  }
  return {
    number: (name) => given.get(name) ?? line.numbers[name].default,
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

function help<Name extends string>({ usage, about, numbers }: CommandLine<Name>): string {
  const options = Object.entries<NumberOption>(numbers).map(
    ([name, option]) => `${`--${name} <n>`.padEnd(18)}${option.help} (default ${option.default})`,
  );
  const flags = Object.entries(FLAGS).map(([name, text]) => `${`--${name}`.padEnd(18)}${text}`);
  return [
    `Usage: ${usage} -- [options]`,
    '',
    ...about,
    '',
    ...[...options, ...flags].map((each) => `  ${each}`),
  ].join('\n');
}
