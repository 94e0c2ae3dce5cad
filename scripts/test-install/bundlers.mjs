// What happens to a program that a bundler has taken the package into: it works, or it says what to do.
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { must, needPackage, root } from '../tools.mjs';
import { COMMONJS, ESM } from './programs.mjs';
import { home, run } from './project.mjs';

const SAYS = /Mark evenkeel as external/;

/**
 * @typedef {object} BundleCase
 * @property {string} name
 * @property {(place: string) => string} make - bundles; gives the file to run
 * @property {boolean} isApart - run it where evenkeel is not installed
 * @property {boolean} works - else it must say what to do
 */

/** @type {BundleCase[]} */
export const BUNDLES = [
  { name: 'esbuild, CommonJS', make: esbuild('cjs', false), isApart: false, works: true },
  {
    name: 'esbuild, CommonJS, elsewhere',
    make: esbuild('cjs', false),
    isApart: true,
    works: false,
  },
  { name: 'esbuild, ES modules', make: esbuild('esm', false), isApart: false, works: false },
  { name: 'esbuild, external', make: esbuild('esm', true), isApart: false, works: true },
  { name: 'Vite SSR', make: vite(false), isApart: false, works: true },
  { name: 'Vite SSR, noExternal', make: vite(true), isApart: true, works: false },
];

/**
 * @param {boolean} install
 * @returns {BundleCase[]}
 */
export function webpackCases(install) {
  const webpack = needPackage('webpack', '5', 'lib/index.js', install);
  return [
    { name: 'webpack', make: webpackBundle(webpack, false), isApart: false, works: true },
    {
      name: 'webpack, elsewhere',
      make: webpackBundle(webpack, false),
      isApart: true,
      works: false,
    },
    { name: 'webpack, external', make: webpackBundle(webpack, true), isApart: false, works: true },
  ];
}

/**
 * @param {BundleCase} each
 * @param {string} place - a project with evenkeel in it
 * @param {string} node
 * @param {string} expected - what the program prints
 * @returns {string} empty where it is as it should be
 */
export function tryBundle({ name, make, isApart, works }, place, node, expected) {
  let file = make(place);
  if (isApart) {
    const apart = join(home, 'apart', name.replace(/\W+/g, '-'));
    mkdirSync(apart, { recursive: true });
    cpSync(dirname(file), apart, { recursive: true });
    file = join(apart, file.slice(dirname(file).length));
  }
  const { code, stdout, stderr } = run([node, file], dirname(file));
  if (works) return code === 0 && stdout.trim() === expected ? '' : `${stdout}${stderr}`;
  return code !== 0 && SAYS.test(stderr) ? '' : `it did not say what to do: ${stdout}${stderr}`;
}

/**
 * @param {'cjs' | 'esm'} format
 * @param {boolean} isExternal
 * @returns {BundleCase['make']}
 */
function esbuild(format, isExternal) {
  return (place) => {
    const source = join(place, `bundle-me.${format === 'esm' ? 'mjs' : 'cjs'}`);
    const out = join(
      place,
      `out-${format}-${isExternal}`,
      `app.${format === 'esm' ? 'mjs' : 'cjs'}`,
    );
    writeFileSync(source, format === 'esm' ? withoutRequire(ESM) : COMMONJS);
    const flags = ['--bundle', '--platform=node', `--format=${format}`, `--outfile=${out}`];
    if (isExternal) flags.push('--external:evenkeel');
    const program = createRequire(import.meta.url).resolve(`@esbuild/${process.platform}-${process.arch}/bin/esbuild`); // prettier-ignore
    must(program, [source, ...flags, '--log-level=error'], { cwd: place });
    return out;
  };
}

/**
 * @param {boolean} isInside - whether evenkeel is taken into the bundle
 * @returns {BundleCase['make']}
 */
function vite(isInside) {
  return (place) => {
    const out = join(place, `out-vite-${isInside}`);
    writeFileSync(join(place, 'entry.mjs'), withoutRequire(ESM));
    const script = `
      import { build } from ${JSON.stringify(`file://${join(root, 'node_modules/vite/dist/node/index.js')}`)};
      await build({ root: ${JSON.stringify(place)}, logLevel: 'error', configFile: false,
        ssr: { noExternal: ${isInside} ? ['evenkeel'] : [] },
        build: { ssr: 'entry.mjs', outDir: ${JSON.stringify(out)}, emptyOutDir: true } });`;
    must(process.execPath, ['--input-type=module', '-e', script], { cwd: place });
    writeFileSync(join(out, 'package.json'), '{ "type": "module" }\n');
    return join(out, existsSync(join(out, 'entry.mjs')) ? 'entry.mjs' : 'entry.js');
  };
}

/**
 * @param {string} webpack
 * @param {boolean} isExternal
 * @returns {BundleCase['make']}
 */
function webpackBundle(webpack, isExternal) {
  return (place) => {
    const out = join(place, `out-webpack-${isExternal}`);
    writeFileSync(join(place, 'bundle-me.cjs'), COMMONJS);
    const config = {
      context: place,
      entry: './bundle-me.cjs',
      target: 'node20',
      mode: 'production',
      output: { path: out, filename: 'app.cjs' },
      ...(isExternal && { externals: { evenkeel: 'commonjs evenkeel' } }),
    };
    const script = `require(${JSON.stringify(webpack)})(${JSON.stringify(config)}, (error, stats) => {
      if (error || stats.hasErrors()) { console.error(error ?? stats.toString()); process.exit(1); }
    });`;
    must(process.execPath, ['-e', script], { cwd: place });
    return join(out, 'app.cjs');
  };
}

/** Two lines of the program ask for a second door, which a bundle has not. @param {string} program */
function withoutRequire(program) {
  return program.replace(/^.*(createRequire|other).*$/gm, '');
}
