// The package's types in a user's program: strict, no @types/node, no DOM, "lib" ES2022, library files checked.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { must, root } from '../tools.mjs';
import { TYPESCRIPT } from './programs.mjs';

/**
 * Compiles the program.
 * @param {string} place
 * @param {'node16' | 'bundler'} resolution
 * @returns {string} the file to run
 */
export function compileTypes(place, resolution) {
  const name = `types-${resolution}`;
  if (existsSync(join(place, `${name}.mjs`))) return `${name}.mjs`;
  writeFileSync(join(place, `${name}.mts`), TYPESCRIPT);
  const config = {
    compilerOptions: {
      target: 'es2022',
      lib: ['es2022'],
      module: resolution === 'bundler' ? 'esnext' : 'node16',
      moduleResolution: resolution,
      strict: true,
      skipLibCheck: false,
      types: [],
    },
    files: [`${name}.mts`],
  };
  writeFileSync(join(place, `${name}.json`), JSON.stringify(config));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  must(process.execPath, [tsc, '--project', `${name}.json`], { cwd: place });
  return `${name}.mjs`;
}
