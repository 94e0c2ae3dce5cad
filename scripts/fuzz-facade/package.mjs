// The command line, and the package it names.
// @ts-nocheck
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    episode: { type: 'string' },
    calls: { type: 'string' },
    undisturbed: { type: 'boolean', default: false },
    package: { type: 'string', default: fileURLToPath(new URL('../..', import.meta.url)) },
  },
});

export const evenkeel = createRequire(import.meta.url)(
  join(options.package, 'dist', 'cjs', 'index.js'),
);
