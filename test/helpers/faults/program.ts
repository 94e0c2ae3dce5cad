// What is done to the package while something fails: the first part of a program for runChild(), after which the
// exports of index.ts are there.
import { fileURLToPath } from 'node:url';

import { buildSync } from 'esbuild';

const { outputFiles } = buildSync({
  entryPoints: [fileURLToPath(new URL('index.ts', import.meta.url))],
  bundle: true,
  write: false,
  format: 'iife',
  globalName: 'faults',
  platform: 'node',
  target: 'node20',
  logLevel: 'error',
});

const NAMES =
  'bitsOf, cold, digest, FOLDER, interceptArrays, later, numbers, operations, stateOf, sweep, unbegun';

export const OPERATIONS = `${outputFiles[0]!.text}\nconst { ${NAMES} } = faults;\n`;
