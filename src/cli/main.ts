#!/usr/bin/env node
// The `evenkeel` command: help, version, and one file a subcommand. Neither loads the addon, so both
// work where it does not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { bench } from './bench.js';

interface Command {
  readonly summary: string;
  /** The exit code. */
  run(args: readonly string[]): Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  bench: { summary: 'measure BatchNorm1d against the memory limit and against peers', run: bench },
};

async function main([name = '--help', ...rest]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') return say(help());
  if (name === '--version' || name === '-v') return say(version());
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return command.run(rest);
  const names = [...Object.keys(COMMANDS), '--help', '--version'].join(', ');
  console.error(`evenkeel: expected one of ${names}, got '${name}'.`);
  return 2;
}

function say(text: string): number {
  console.log(text);
  return 0;
}

function version(): string {
  const manifest = readFileSync(join(__dirname, '..', '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function help(): string {
  const commands = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  ${name.padEnd(12)}${summary}`,
  );
  return [
    `evenkeel ${version()}: batch normalisation for Node.js`,
    '',
    'Usage: evenkeel <command> [options]',
    '',
    'Commands:',
    ...commands,
    '',
    'Options:',
    `  ${'--help'.padEnd(12)}print this; after a command, its own help`,
    `  ${'--version'.padEnd(12)}print the version`,
  ].join('\n');
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
