// Builds dist/ from src/. The one implementation is CommonJS (dist/cjs); the ES module is a door
// onto it, so `import` and `require` in one program share every class. The benchmark (dist/bench)
// is a program on top, written against that door.
//
// The compiled modules are packed into one file: a hundred files cost 50 ms at load, one costs 25. Each module
// still has a file of its own name in dist/cjs, which takes it out of the pack, so every door shares it.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { fileURLToPath } from 'node:url';

import { withoutClosureNames } from './closure-names.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const cjs = join(dist, 'cjs');
const modules = join(root, 'build', 'modules');
const bench = join(dist, 'bench');
const COMMONJS = '{ "type": "commonjs" }\n';

// A source file that was renamed or deleted must not live on in the package.
if (hasOrphans(modules, join(root, 'src'))) rmSync(modules, { recursive: true });
if (hasOrphans(bench, join(root, 'bench'))) rmSync(bench, { recursive: true });

compile('tsconfig.build.json');
writeFileSync(join(modules, 'package.json'), COMMONJS);
fillInSources();
for (const file of modulesIn(modules)) settleReexports(file);
rmSync(cjs, { recursive: true, force: true });
pack();
bundleCharts();
copySchema();
writeFileSync(join(cjs, 'package.json'), COMMONJS);
// Before anything else, bundled.js says so where a bundler has taken the package apart.
makeDoor('', './cjs');
makeDoor('doctor', '../cjs');
makeDoor('distributed', '../cjs');

compileBench();
for (const name of ['pytorch.py', 'operations.py']) {
  copyFileSync(join(root, 'bench', 'peers', name), join(bench, 'peers', name));
}

/**
 * The ES module of a door: the index of a room, or of src/ itself.
 * @param {string} room
 * @param {string} up to dist/cjs
 */
function makeDoor(room, up) {
  const from = `export * from '${[up, room, 'index.js'].filter((part) => part !== '').join('/')}';\n`;
  mkdirSync(join(dist, room), { recursive: true });
  writeFileSync(join(dist, room, 'index.mjs'), `import '${up}/addon/bundled.js';\n${from}`);
  writeFileSync(join(dist, room, 'index.d.mts'), from);
}

/** bench/*.ts -> dist/bench/*.js; what they use of src/ is in dist/cjs, as deep in the tree. */
function compileBench() {
  const files = readdirSync(join(root, 'bench'), { recursive: true, encoding: 'utf8' });
  const apart = /^(results|alone|peers\/\.packages)\b/; // the last one: what `npm run bench:peers` installs
  const entryPoints = files.filter((file) => file.endsWith('.ts') && !apart.test(file));
  const { outputFiles } = buildSync({
    entryPoints: entryPoints.map((file) => join(root, 'bench', file)),
    outdir: bench,
    outbase: join(root, 'bench'),
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'warning',
  });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.replace(/(from "(?:\.\.\/)+)src\//g, '$1cjs/'));
  }
}

/** What a binary must have been built from, for the loader of an installed package (src/addon/stale.ts). */
function fillInSources() {
  /** @type {unknown} */
  const stale = createRequire(import.meta.url)(join(modules, 'addon', 'stale.js'));
  const { sourcesHash } = /** @type {{ sourcesHash: (root: string) => string }} */ (stale);
  const path = join(modules, 'addon', 'version.js');
  const text = readFileSync(path, 'utf8');
  const filled = text.replace(
    /^exports\.SOURCES = '[^']*';$/m,
    `exports.SOURCES = '${sourcesHash(root)}';`,
  );
  if (!filled.includes(sourcesHash(root))) throw new Error(`${path}: no SOURCES to fill in`);
  if (filled !== text) writeFileSync(path, filled);
}

/** @param {string} folder */
function modulesIn(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.js')).map((file) => join(folder, file));
}

/**
 * Makes plain properties of what a module passes on from another: the compiler makes getters, which every call
 * through `check.equalShapes` runs (a BatchNorm1d call on (32, 64) took 1.2 times as long). The module that is passed
 * on has run by then, as there are no circular imports; only a variable that changes later would be wrong.
 * @param {string} path
 */
function settleReexports(path) {
  const text = readFileSync(path, 'utf8');
  const settled = text.replace(
    /^Object\.defineProperty\(exports, "(\w+)", \{ enumerable: true, get: function \(\) \{ return (\w+)\.(\w+); \} \}\);$/gm,
    (_, name, from, original) => {
      const [, source = ''] =
        new RegExp(`^(?:var|const) ${from} = require\\("(.+)"\\);$`, 'm').exec(text) ?? [];
      const code = readFileSync(join(dirname(path), source), 'utf8');
      if (code.includes(`exports.${original} = ${original} =`)) {
        throw new Error(`${path}: ${original} changes, so it must not be passed on`);
      }
      return `exports.${name} = ${from}.${original};`;
    },
  );
  if (settled !== text) writeFileSync(path, settled);
}

/** dist/cjs from the compiled modules: the pack, a file for each module that is in it, and the types. */
function pack() {
  const files = readdirSync(modules, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((each) => /\.(js|d\.ts(\.map)?)$/.test(each))) {
    mkdirSync(dirname(join(cjs, file)), { recursive: true });
    copyFileSync(join(modules, file), join(cjs, file));
  }
  const packed = files.filter((file) => file.endsWith('.js') && !isApart(file)).sort();
  const entries = packed.map((file) => `${JSON.stringify(file)}: () => require('./${file}'),`);
  buildSync({
    keepNames: true, // of classes: messages and users ask for them; not of closures, below
    stdin: { contents: `module.exports = {${entries.join('\n')}};`, resolveDir: modules },
    outfile: join(cjs, 'pack.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.17',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
  const code = join(cjs, 'pack.js');
  writeFileSync(code, withoutClosureNames(readFileSync(code, 'utf8')));
  // The list of modules has no source file: it stands for itself.
  const map = join(cjs, 'pack.js.map');
  // A module of types alone has no mapping that leads to its source, so esbuild names what it was compiled to.
  const text = readFileSync(map, 'utf8').replace('"<stdin>"', '"pack.js"');
  writeFileSync(map, text.replaceAll(/"[^"]*build\/modules\/([^"]+)\.js"/g, '"../../src/$1.ts"'));
  for (const file of packed) {
    const up = '../'.repeat(file.split('/').length - 1) || './';
    const take = `module.exports = require('${up}pack.js')[${JSON.stringify(file)}]();\n`;
    writeFileSync(join(cjs, file), `${take}${namesOf(file)}`);
  }
}

/**
 * dist/cjs/report/echarts.js: what the charts use of ECharts, from the ES modules, so that the rest of the library
 * is left out. A file of its own, which src/report/library.ts loads; its licences lie beside it.
 */
function bundleCharts() {
  buildSync({
    entryPoints: [join(root, 'src', 'report', 'echarts.ts')],
    outfile: join(cjs, 'report', 'echarts.js'),
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.17',
    legalComments: 'none',
    logLevel: 'warning',
  });
  const echarts = createRequire(import.meta.url).resolve('echarts/package.json');
  const ofEcharts = createRequire(echarts);
  const texts = [
    [echarts, 'NOTICE', 'LICENSE', 'licenses/LICENSE-d3'],
    [ofEcharts.resolve('zrender/package.json'), 'LICENSE'],
    [ofEcharts.resolve('tslib'), 'LICENSE.txt'],
  ].flatMap(([manifest = '', ...files]) =>
    files.map((file) => readFileSync(join(dirname(manifest), file), 'utf8').trim()),
  );
  writeFileSync(
    join(cjs, 'report', 'echarts.LICENSE.txt'),
    `${texts.join(`\n\n${'='.repeat(80)}\n\n`)}\n`,
  );
}

/** The form of the doctor's JSON, which package.json exports. */
function copySchema() {
  const file = join('doctor', 'report', 'report.schema.json');
  copyFileSync(join(root, 'src', file), join(cjs, file));
}

/**
 * What tells Node and bundlers the names of a CommonJS module's exports: they read the text, and never run it.
 * @param {string} file
 */
function namesOf(file) {
  const text = readFileSync(join(modules, file), 'utf8');
  const found = text.matchAll(/^(?:exports\.|Object\.defineProperty\(exports, ")(\w+)/gm);
  const names = new Set([...found].map(([, name]) => name));
  names.delete('__esModule');
  return names.size === 0 ? '' : `0 && (module.exports = { ${[...names].join(', ')} });\n`;
}

/**
 * Not in the pack: the command line, which is a program with paths of its own, what has to run before
 * anything else in a bundle, and the library of charts (bundleCharts).
 * @param {string} file
 */
function isApart(file) {
  return file.startsWith('cli/') || file === 'addon/bundled.js' || file === 'report/echarts.js';
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
