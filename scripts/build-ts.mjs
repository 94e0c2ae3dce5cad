// Builds dist/ from src/. The one implementation is CommonJS (dist/cjs); the ES module is a door
// onto it, so `import` and `require` in one program share every class. The benchmark (dist/bench)
// is a program on top, written against that door.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { builtAddon } from './other-cpus/tools.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const cjs = join(dist, 'cjs');
const bench = join(dist, 'bench');

// A source file that was renamed or deleted must not live on in the package.
if (hasOrphans(cjs, join(root, 'src')) || hasOrphans(bench, join(root, 'bench'))) {
  rmSync(dist, { recursive: true });
}

compile('tsconfig.build.json');
writeFileSync(join(cjs, 'package.json'), '{ "type": "commonjs" }\n');
// Before anything else, bundled.js says so where a bundler has taken the package apart.
const first = "import './cjs/addon/bundled.js';\n";
writeFileSync(join(dist, 'index.mjs'), `${first}export * from './cjs/index.js';\n`);
writeFileSync(join(dist, 'index.d.mts'), "export * from './cjs/index.js';\n");

fillInSources();

compile('tsconfig.bench.json');
copyFileSync(join(root, 'bench', 'peers', 'pytorch.py'), join(bench, 'peers', 'pytorch.py'));

/** What a binary must have been built from, for the loader of an installed package (src/addon/stale.ts). */
function fillInSources() {
  const { sourcesHash } = /** @type {{ sourcesHash: (root: string) => string }} */ (
    builtAddon('stale.js')
  );
  const path = join(cjs, 'addon', 'version.js');
  const text = readFileSync(path, 'utf8');
  const filled = text.replace(
    /^exports\.SOURCES = '[^']*';$/m,
    `exports.SOURCES = '${sourcesHash(root)}';`,
  );
  if (!filled.includes(sourcesHash(root))) throw new Error(`${path}: no SOURCES to fill in`);
  if (filled !== text) writeFileSync(path, filled);
}

/** @param {string} project */
function compile(project) {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const args = [tsc, '--project', join(root, project)];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

/**
 * Whether `emitted` holds a module that `sources` has no file for.
 * @param {string} emitted
 * @param {string} sources
 */
function hasOrphans(emitted, sources) {
  if (!existsSync(emitted)) return false;
  return readdirSync(emitted, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .some((file) => !existsSync(join(sources, file.replace(/js$/, 'ts'))));
}
