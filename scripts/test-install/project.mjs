// A user's project in a temporary folder: the tarball, an install by one of the package managers, offline and
// without scripts, and programs run in it with an empty PATH.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { built, must, needPackage, parseJson, root, run as spawn } from '../tools.mjs';

/** Everything is below it, outside of the checkout: nothing of ours is found by walking up. */
export const home = mkdtempSync(join(tmpdir(), 'evenkeel-install-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));

/** A registry that answers nothing: what is not offline fails. */
const NO_NETWORK = 'http://127.0.0.1:9/';

/**
 * The tarball that npm would publish. A binary of other sources is left out, and that of this machine is
 * build/Release where prebuilds/ has none.
 * @returns {{ tarball: string, platforms: string[] }}
 */
export function pack() {
  const staging = join(home, 'staging');
  mkdirSync(staging, { recursive: true });
  must('tar', ['-xzf', npmPack(root, staging), '-C', staging]);
  const inside = join(staging, 'package');
  const prebuilds = join(inside, 'prebuilds');
  const { SOURCES } = /** @type {{ SOURCES: string }} */ (built('addon', 'version.js'));
  for (const name of existsSync(prebuilds) ? readdirSync(prebuilds) : []) {
    const binary = readFileSync(join(prebuilds, name, 'evenkeel.node'));
    if (!binary.includes(SOURCES)) rmSync(join(prebuilds, name), { recursive: true });
  }
  const { platformName } = /** @type {{ platformName: () => string }} */ (
    built('addon', 'platform.js')
  );
  const binary = join(prebuilds, platformName(), 'evenkeel.node');
  if (!existsSync(binary)) {
    mkdirSync(dirname(binary), { recursive: true });
    copyFileSync(join(root, 'build', 'Release', 'evenkeel.node'), binary);
  }
  return { tarball: npmPack(inside, home), platforms: readdirSync(prebuilds) };
}

/**
 * @param {string} from
 * @param {string} into
 */
function npmPack(from, into) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', into];
  const [{ filename }] = /** @type {[{ filename: string }]} */ (
    parseJson(must('npm', args, { cwd: from }))
  );
  return join(into, filename);
}

let projects = 0;

/**
 * A new project with the tarball in it.
 * @param {string} tarball
 * @param {Manager} manager
 * @returns {string} its folder
 */
export function project(tarball, manager) {
  const place = join(home, `project-${projects++}`);
  mkdirSync(place);
  const manifest = { name: 'project', version: '1.0.0', private: true };
  writeFileSync(join(place, 'package.json'), `${JSON.stringify(manifest)}\n`);
  const [command = '', ...args] = manager.install(tarball, place);
  must(command, args, {
    cwd: place,
    env: {
      ...process.env,
      HOME: join(home, 'user'),
      npm_config_registry: NO_NETWORK,
      npm_config_cache: join(home, 'npm-cache'),
      YARN_NPM_REGISTRY_SERVER: NO_NETWORK,
      YARN_ENABLE_SCRIPTS: '0',
      YARN_ENABLE_TELEMETRY: '0',
      YARN_ENABLE_GLOBAL_CACHE: '0',
      CI: '',
    },
  });
  return place;
}

/**
 * @typedef {object} Manager
 * @property {string} name
 * @property {(tarball: string, place: string) => string[]} install - the command
 * @property {string[]} flags - of Node, to run a program in such a project
 */

/** @type {Manager} */
export const npm = {
  name: 'npm',
  install: (tarball) => ['npm', 'install', '--offline', '--ignore-scripts', '--no-audit', tarball],
  flags: [],
};

/**
 * pnpm and yarn (Plug'n'Play), as packages from npm, in build-check/.
 * @param {string} name
 * @param {boolean} install
 * @returns {Manager}
 */
export function otherManager(name, install) {
  if (name === 'pnpm') {
    const pnpm = needPackage('pnpm', '10', 'bin/pnpm.cjs', install);
    const flags = ['--offline', '--ignore-scripts', '--store-dir', join(home, 'pnpm-store')];
    return {
      name,
      install: (tarball) => [process.execPath, pnpm, 'add', ...flags, tarball],
      flags: [],
    };
  }
  const yarn = needPackage('@yarnpkg/cli-dist', '4', 'bin/yarn.js', install);
  return {
    name: 'yarn, Plug’n’Play',
    install: (tarball, place) => {
      writeFileSync(join(place, '.yarnrc.yml'), 'nodeLinker: pnp\n');
      writeFileSync(join(place, 'yarn.lock'), '');
      return [process.execPath, yarn, 'add', `evenkeel@file:${tarball}`];
    },
    flags: ['--require', './.pnp.cjs', '--experimental-loader', './.pnp.loader.mjs'],
  };
}

/**
 * Runs a program in a project: no PATH, no environment but what is given.
 * @param {string[]} command
 * @param {string} place
 * @param {Record<string, string>} env
 */
export function run(command, place, env = {}) {
  const { status, log, ...ended } = spawn(command, {
    cwd: place,
    env: { PATH: '', HOME: join(home, 'user'), ...env },
    timeout: 120_000,
  });
  return { ...ended, code: status, stderr: ended.stderr || (status === null ? log : '') };
}

/** Moves what is in a project out of it, to see what a program does without. @param {string} path */
export function hide(path) {
  renameSync(path, `${path}.hidden`);
  return () => renameSync(`${path}.hidden`, path);
}

/** @param {string} place */
export const packagesIn = (place) => readdirSync(join(place, 'node_modules'));
