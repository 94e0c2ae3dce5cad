// Running programs, and installing what a fresh machine does not have: Debian's emulators and cross
// compiler, other Nodes from npm. Nothing is installed but with --install.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where all of it is built and installed. */
export const folder = join(root, 'build-check');

/** Why a machine cannot be tried here; what is thrown for it is a line that says `skipped`. */
export class Missing extends Error {}

/**
 * @param {string} command
 * @param {string[]} args
 */
export function mustRun(command, args) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return;
  const log = error?.message ?? `${stdout}${stderr}`.trimEnd();
  throw new Error(`${command} ${args.join(' ')} failed:\n${log}`);
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
    spawnSync('apt-get', ['update'], { stdio: 'ignore' });
    const flags = ['install', '-y', '--no-install-recommends'];
    const { error, stderr } = spawnSync('apt-get', [...flags, ...packages], { encoding: 'utf8' });
    if (error !== undefined || stderr !== '') console.error(error?.message ?? stderr.trimEnd());
  }
  const missing = programs.filter((program) => !exists(program));
  if (missing.length === 0) return;
  const why = install ? `apt-get could not install ${packages.join(', ')}` : 'try --install';
  throw new Missing(`no ${missing.join(', no ')} on the PATH (${why})`);
}

/**
 * The path of a Node, by way of the packages that the npm package `node` fetches in its install script.
 * @param {string} version
 * @param {string} arch
 * @param {boolean} install
 */
export function needNode(version, arch, install) {
  const name = `node-${process.platform}-${arch}`;
  const home = join(folder, `${name}-${version}`);
  const node = join(home, 'node_modules', name, 'bin', 'node');
  if (existsSync(node)) return node;
  if (!install) throw new Missing(`no ${name}@${version} in build-check (try --install)`);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
  const platform = [`--os=${process.platform}`, `--cpu=${arch}`, '--force'];
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefix', home];
  const args = ['install', ...flags, ...platform, `${name}@${version}`];
  const { error, stderr } = spawnSync('npm', args, { encoding: 'utf8' });
  if (existsSync(node)) return node;
  console.error(error?.message ?? stderr.trimEnd());
  throw new Missing(`npm could not install ${name}@${version}`);
}

/** @param {string} program */
function exists(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
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
 * A module of src/addon as it is built, of a type that the reader has to say.
 * @param {string} name
 */
export function builtAddon(name) {
  /** @type {unknown} */
  const module = createRequire(import.meta.url)(join(root, 'dist', 'cjs', 'addon', name));
  return module;
}
