// The command line of a program: its options, its help, its exit codes. The subcommands of `evenkeel`, the benchmark
// and the examples read theirs with it.
import { parseArgs } from 'node:util';
import { isNativeError } from 'node:util/types';

export interface Command {
  readonly summary: string;
  /** The exit code. */
  run(args: readonly string[]): number | Promise<number>;
}

interface Flag {
  readonly type: 'boolean';
  readonly help: string;
}

interface Text {
  readonly type: 'string';
  /** What stands for the value in the help: `<file>`. `<value>` if it is left out. */
  readonly hint?: string;
  readonly help: string;
}

interface Numeric {
  readonly type: 'number';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** Whether only whole numbers are right. */
  readonly whole?: boolean;
  readonly help: string;
}

type Option = Flag | Text | Numeric;

export interface Usage {
  /** The subcommand of `evenkeel`. */
  readonly name: string;
  /** The name that a mistake is reported by; `evenkeel <name>` if left out. */
  readonly program?: string;
  /** How the program is run; `[options]` comes last where it has none. If left out: its name and positionals. */
  readonly call?: string;
  readonly text: string;
  readonly options: Readonly<Record<string, Option>>;
  /** What may come beside the options, in the order of the values, as `<model>`; each may be left out. */
  readonly positionals?: readonly string[];
  readonly examples?: readonly string[];
  /** Paragraphs after the options. */
  readonly notes?: readonly string[];
  readonly exitCodes?: string;
}

/** Of a flag whether it was given, of a number its value or default, of a text its value, if it was given. */
export interface Values {
  readonly [name: string]: string | number | boolean | readonly string[] | undefined;
  readonly positionals: readonly string[];
}

/** The values of the options; or the exit code, where help was asked for or there is a mistake, and printed. */
export function readOptions(usage: Usage, args: readonly string[]): Values | number {
  try {
    const values = parseOptions(usage, args);
    if (values['help'] !== true) return values;
    console.log(helpOf(usage));
    return 0;
  } catch (error) {
    if (!isNativeError(error) || error.name !== 'RangeError') throw error;
    console.error(`${programOf(usage)}: ${error.message}`);
    return 2;
  }
}

/** @throws {RangeError} a sentence about the first mistake. */
export function parseOptions(usage: Usage, args: readonly string[]): Values {
  const known: Readonly<Record<string, Option>> = { ...usage.options, help: HELP };
  const places = usage.positionals ?? [];
  const positionals: string[] = [];
  const given = new Map<string, string | number | true>();
  // Not strict: its messages are several sentences long, and it takes `--lr -1` for two options.
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(known).map(([name, { type }]) => [
        name,
        { type: type === 'boolean' ? type : 'string', ...(name === 'help' && { short: 'h' }) },
      ]),
    ),
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional' && positionals.length < places.length) {
      positionals.push(token.value);
      continue;
    }
    const option =
      token.kind === 'option' && Object.hasOwn(known, token.name) ? known[token.name] : undefined;
    if (token.kind !== 'option' || option === undefined) {
      const names = [...places, ...Object.keys(known).map((name) => `--${name}`)].join(', ');
      const got = token.kind === 'option' ? token.rawName : args[token.index];
      throw new RangeError(`expected one of ${names}, got '${got}'.`);
    }
    given.set(token.name, valueOf(token.name, option, token.value));
  }
  const values = Object.entries(known).map(([name, option]) => {
    if (option.type === 'boolean') return [name, given.has(name)];
    return [name, given.get(name) ?? (option.type === 'number' ? option.default : undefined)];
  });
  return { ...(Object.fromEntries(values) as Omit<Values, 'positionals'>), positionals };
}

function valueOf(name: string, option: Option, text: string | undefined): string | number | true {
  if (option.type === 'boolean') {
    if (text === undefined) return true;
    throw new RangeError(`expected --${name} without a value, got '${text}'.`);
  }
  if (option.type === 'string') {
    if (text !== undefined && text !== '') return text;
    throw new RangeError(`expected --${name} ${hintOf(option)}, got nothing.`);
  }
  const { min, max, whole = false } = option;
  const value = text === undefined || text.trim() === '' ? NaN : Number(text);
  if (value >= min && value <= max && (!whole || Number.isSafeInteger(value))) return value;
  const kind = whole ? 'a whole number' : 'a number';
  const got = text === undefined ? 'nothing' : `'${text}'`;
  throw new RangeError(`expected --${name} to be ${kind} from ${min} to ${max}, got ${got}.`);
}

const HELP: Flag = { type: 'boolean', help: 'print this' };

function hintOf(option: Option): string {
  if (option.type === 'boolean') return '';
  return option.type === 'number' ? '<n>' : (option.hint ?? '<value>');
}

function programOf({ name, program = `evenkeel ${name}` }: Usage): string {
  return program;
}

/** A terminal's width: longer lines of a help are broken. */
const WIDTH = 80;

export function helpOf(usage: Usage): string {
  const { text, options, positionals = [], examples = [], notes = [], exitCodes } = usage;
  const places = positionals.map((each) => `[${each}] `).join('');
  const call = usage.call ?? `${programOf(usage)} ${places}`.trimEnd();
  const paragraphs = [
    `Usage: ${call.includes('[options]') ? call : `${call} [options]`}`,
    wrapped(text),
    ['Options:', ...optionRows({ ...options, help: HELP })].join('\n'),
    ...notes,
    ...(examples.length > 0
      ? [['Examples:', ...examples.map((each) => `  ${each}`)].join('\n')]
      : []),
    ...(exitCodes === undefined ? [] : [wrapped(`Exit code: ${exitCodes}.`)]),
  ];
  return paragraphs.join('\n\n');
}

/** Names to the left, the help of each in one column behind them. */
function optionRows(options: Readonly<Record<string, Option>>): string[] {
  const rows = Object.entries(options).map(([name, option]): [string, string] => [
    `  --${name} ${hintOf(option)}`.trimEnd(),
    option.help + (option.type === 'number' ? ` (default ${option.default})` : ''),
  ]);
  const column = Math.max(20, ...rows.map(([name]) => name.length + 2));
  return rows.map(([name, help]) => wrapped(name.padEnd(column) + help, column));
}

/** Lines that are too long, broken at blanks; the rest of each stands `indent` blanks to the right. */
function wrapped(text: string, indent = 0): string {
  const lines: string[] = [];
  for (let line of text.split('\n')) {
    while (line.length > WIDTH) {
      const at = line.lastIndexOf(' ', WIDTH);
      if (at <= indent) break;
      lines.push(line.slice(0, at));
      line = ' '.repeat(indent) + line.slice(at + 1);
    }
    lines.push(line);
  }
  return lines.join('\n');
}
