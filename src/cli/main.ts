#!/usr/bin/env node
// The `evenkeel` command: help, version, and one file a subcommand. Neither loads the addon, so both
// work where it does not.
import { VERSION } from '../addon/version.js';
import { bench } from './bench.js';
import { build } from './build.js';
import { doctor } from './doctor/command.js';
import { info } from './info.js';
import type { Command } from './options.js';
import { run } from './run/command.js';

const COMMANDS: Readonly<Record<string, Command>> = {
  bench: { summary: 'measure BatchNorm1d against the memory limit and against peers', run: bench },
  build: { summary: 'compile the addon on this machine', run: build },
  doctor: { summary: 'say what is wrong with the BatchNorm layers of a model', run: doctor },
  info: { summary: 'say which addon is loaded, and what it can do here', run: info },
  run: { summary: 'run a training program as several processes, on MPI or Workers', run },
};

async function main([name = '--help', ...rest]: readonly string[]): Promise<number> {
  if (name === '--version' || name === '-v') return say(VERSION);
  const isHelp = name === '--help' || name === '-h' || name === 'help';
  const [asked] = rest;
  if (isHelp && asked !== undefined) return main([asked, '--help']);
  if (isHelp) return say(help());
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

function help(): string {
  const commands = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  ${name.padEnd(12)}${summary}`,
  );
  return [
    `evenkeel ${VERSION}: batch normalisation for Node.js`,
    '',
    'Usage: evenkeel <command> [options]',
    '',
    'Commands:',
    ...commands,
    '',
    'Options:',
    `  ${'--help'.padEnd(12)}print this; before or after a command, its own help`,
    `  ${'--version'.padEnd(12)}print the version`,
  ].join('\n');
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
