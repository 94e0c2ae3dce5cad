// The command line of one subcommand: its options, its help, its exit codes.
import { parseArgs, type ParseArgsConfig } from 'node:util';

export interface Command {
  readonly summary: string;
  /** The exit code. */
  run(args: readonly string[]): number | Promise<number>;
}

interface Option {
  readonly type: 'boolean' | 'string';
  readonly help: string;
}

export interface Usage {
  readonly name: string;
  readonly text: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly string[];
  readonly exitCodes: string;
}

export type Values = Readonly<Record<string, string | boolean | undefined>>;

/** The values of the options; or the exit code, where help was asked for or an option is unknown. */
export function readOptions(usage: Usage, args: readonly string[]): Values | number {
  const options: NonNullable<ParseArgsConfig['options']> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const [name, { type }] of Object.entries(usage.options)) options[name] = { type };
  const { values, tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    const isKnown = token.kind === 'option' && Object.hasOwn(options, token.name);
    if (!isKnown) {
      const got = token.kind === 'option' ? token.rawName : args[token.index];
      const names = Object.keys(usage.options).map((name) => `--${name}`);
      console.error(
        `evenkeel ${usage.name}: expected one of ${[...names, '--help'].join(', ')}, got '${got}'.`,
      );
      return 2;
    }
    if (usage.options[token.name]?.type === 'string' && typeof values[token.name] !== 'string') {
      console.error(`evenkeel ${usage.name}: expected a value after ${token.rawName}, got none.`);
      return 2;
    }
  }
  if (values['help'] !== true) return values;
  console.log(helpOf(usage));
  return 0;
}

function helpOf({ name, text, options, examples, exitCodes }: Usage): string {
  const rows = Object.entries(options).map(([option, { type, help }]): [string, string] => [
    `--${option}${type === 'string' ? ' <value>' : ''}`,
    help,
  ]);
  return [
    `Usage: evenkeel ${name} [options]`,
    '',
    text,
    '',
    'Options:',
    ...[...rows, ['--help', 'print this']].map(
      ([option = '', help]) => `  ${option.padEnd(18)}${help}`,
    ),
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    '',
    `Exit code: ${exitCodes}.`,
  ].join('\n');
}
