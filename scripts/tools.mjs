// What the scripts share: running programs and test files, tables, and installing what a fresh machine does not have
// (Debian's emulators and compilers, other Nodes and package managers from npm). Nothing is installed but with --install.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {import('node:child_process').SpawnSyncOptions} SpawnOptions */

export const root = fileURLToPath(new URL('..', import.meta.url));
/** Where all of it is built and installed. */
export const folder = join(root, 'build-check');
export const VITEST = join(root, 'node_modules', 'vitest', 'vitest.mjs');

/** Why something cannot be tried here; what is thrown for it is a line that says `skipped`. */
export class Missing extends Error {}

/**
 * Runs a program to its end. `log` is what it printed, or why it could not be started.
 * @param {readonly string[]} command
 * @param {SpawnOptions} [options]
 */
export function run([program = '', ...args], options = {}) {
  const all = /** @type {const} */ ({ maxBuffer: 2 ** 28, ...options, encoding: 'utf8' });
  const { error, status, signal, stdout, stderr } = spawnSync(program, args, all);
  const log = error?.message ?? [stdout, stderr].join('').trimEnd();
  return { isStarted: error === undefined, status, signal, stdout, stderr, log };
}

/**
 * Runs a program that has to succeed.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {SpawnOptions} [options]
 * @returns {string} what it printed
 */
export function must(program, args, options) {
  const { status, stdout, log } = run([program, ...args], options);
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')} failed:\n${log}`);
}

/**
 * The names in a list with commas.
 * @param {string} option - where they come from
 * @param {string} text
 * @param {readonly string[]} all
 */
export function chosen(option, text, all) {
  const names = text.split(',');
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length === 0) return names;
  throw new RangeError(
    `expected ${option} to be some of ${all.join(', ')}, got '${unknown.join()}'.`,
  );
}

/**
 * Runs test files in a long form; `variable` names a file that they write their figures into.
 * @param {readonly string[]} args - of Vitest
 * @param {string} variable
 * @param {Record<string, string>} env
 * @param {import('node:child_process').StdioOptions} stdio
 */
export function runTests(args, variable, env, stdio) {
  const place = mkdtempSync(join(tmpdir(), 'evenkeel-tests-'));
  const file = join(place, 'report');
  try {
    const { status, log } = run([process.execPath, VITEST, 'run', ...args], {
      cwd: root,
      env: { ...process.env, ...env, [variable]: file },
      stdio,
    });
    return { status, log, report: existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : '' };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/**
 * Rows of columns as wide as what is in them.
 * @param {readonly (readonly string[])[]} rows
 */
export function table(rows) {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
  return lines.map((line) => line.trimEnd()).join('\n');
}

/**
 * The programs of Debian packages, installed where they are missing.
 * @param {string[]} programs
 * @param {string[]} packages
 * @param {boolean} install
 */
export function needPrograms(programs, packages, install) {
  if (install && !programs.every(exists)) {
    // A fresh image has no lists. Whether it worked is seen below.
    run(['apt-get', 'update']);
    const { status, log } = run(['apt-get', 'install', '-y', '--no-install-recommends', ...packages]); // prettier-ignore
    if (status !== 0) console.error(log);
  }
  const missing = programs.filter((program) => !exists(program));
  if (missing.length === 0) return;
  const why = install ? `apt-get could not install ${packages.join(', ')}` : 'try --install';
  throw new Missing(`no ${missing.join(', no ')} on the PATH (${why})`);
}

/** @param {string} program */
function exists(program) {
  return run([program, '--version']).isStarted;
}

/**
 * The path of a file of an npm package that is no dependency of ours.
 * @param {string} name
 * @param {string} version
 * @param {string} file
 * @param {boolean} install
 * @param {string[]} flags - of npm
 */
export function needPackage(name, version, file, install, flags = []) {
  const place = join(folder, `${name.replace(/\W+/g, '-')}-${version}`);
  const path = join(place, 'node_modules', name, file);
  if (existsSync(path)) return path;
  if (!install) throw new Missing(`no ${name}@${version} in build-check (try --install)`);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
  const all = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefix', place, ...flags];
  const { log } = run(['npm', 'install', ...all, `${name}@${version}`]);
  if (existsSync(path)) return path;
  console.error(log);
  throw new Missing(`npm could not install ${name}@${version}`);
}

/**
 * The path of a Node, by way of the packages that the npm package `node` fetches in its install script.
 * @param {string} version
 * @param {string} arch
 * @param {boolean} install
 */
export function needNode(version, arch, install) {
  const platform = [`--os=${process.platform}`, `--cpu=${arch}`, '--force'];
  return needPackage(`node-${process.platform}-${arch}`, version, 'bin/node', install, platform);
}

/**
 * JSON, of a type that the reader has to say.
 * @param {string} text
 */
export function parseJson(text) {
  /** @type {unknown} */
  const value = JSON.parse(text);
  return value;
}

/**
 * A module of src/ as it is built, of a type that the reader has to say.
 * @param {string[]} path - below dist/cjs
 */
export function built(...path) {
  /** @type {unknown} */
  const module = createRequire(import.meta.url)(join(root, 'dist', 'cjs', ...path));
  return module;
}
