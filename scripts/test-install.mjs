// `npm run test:install`: the package as a user gets it. The tarball is installed offline, without scripts, and
// run with an empty PATH: in every Node, through every door, on every machine there is a binary for. Prints a
// table; the exit code is 1 where a cell is wrong.
//
//   node scripts/test-install.mjs [--short] [--install]
//
// --short: this Node, npm, and no other machine: what `npm test` runs. --install: gets other Nodes, pnpm, yarn and
// webpack from npm, emulators and a musl loader from apt-get, all into build-check/; without, they are skipped,
// with a line that says so.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { BUNDLES, tryBundle, webpackCases } from './test-install/bundlers.mjs';

import { musl } from './test-install/musl.mjs';
import * as programs from './test-install/programs.mjs';
import {
  hide,
  npm,
  otherManager,
  pack,
  packagesIn,
  project,
  run,
} from './test-install/project.mjs';
import { compileTypes } from './test-install/types.mjs';
import { Missing, must, needNode, needPrograms, parseJson, table } from './tools.mjs';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    install: { type: 'boolean', default: false },
  },
});
const { short, install } = values;
const NODES = ['20', '22', '24', '26'];

/** @type {{ machine: string, what: string, result: string }[]} */
const rows = [];
let expected = '';

const { tarball, platforms } = pack();
const place = project(tarball, npm);
if (
  packagesIn(place)
    .filter((name) => !name.startsWith('.'))
    .join() !== 'evenkeel'
) {
  report('npm', 'nothing but evenkeel is installed', packagesIn(place).join());
}
const doors = writePrograms(place);

everyDoor('this Node', [process.execPath], place);
attempt('this Node', 'the first example of README.md', () => {
  const { stdout, stderr } = run([process.execPath, 'readme.mjs'], place);
  return /^\d+ of 1024 are right\nfalse true\n$/.test(stdout) ? '' : `${stdout}${stderr}`;
});
attempt('this Node', 'no binary: the sentence', () => withoutBinary(place));
attempt('this Node', 'two copies at once', () => twoCopies(place));
attempt('this Node', 'evenkeel info', () => info(place));
for (const launcher of ['mpirun.openmpi', 'mpirun.mpich']) {
  attempt('this Node', `evenkeel run -n 4, ${launcher}`, () => ranks(place, launcher));
}
for (const each of BUNDLES) {
  attempt('bundler', `${each.name}: ${each.works ? 'works' : 'says what to do'}`, () =>
    tryBundle(each, place, process.execPath, expected),
  );
}
if (!short) full();
print();

function full() {
  for (const version of NODES) {
    attempt(`Node ${version}`, 'all doors', () => {
      everyDoor(`Node ${version}`, [needNode(version, process.arch, install)], place);
    });
    attempt(`Node ${version}, arm64`, 'all doors', () => {
      needBinary('linux-arm64');
      needPrograms(['qemu-aarch64-static'], ['qemu-user-static', 'libc6-arm64-cross', 'libstdc++6-arm64-cross'], install); // prettier-ignore
      const emulator = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'];
      const found = must('sh', ['-c', 'command -v qemu-aarch64-static']).trim();
      const node = needNode(version, 'arm64', install);
      everyDoor(`Node ${version}, arm64`, [found, ...emulator.slice(1), node], place);
    });
  }
  for (const name of ['pnpm', 'yarn']) {
    attempt(name, 'all doors', () => {
      const manager = otherManager(name, install);
      const other = project(tarball, manager);
      writePrograms(other);
      everyDoor(manager.name, [process.execPath, ...manager.flags], other, ['CommonJS', 'ESM']);
    });
  }
  attempt('webpack', 'all', () => {
    for (const each of webpackCases(install)) {
      attempt('bundler', `${each.name}: ${each.works ? 'works' : 'says what to do'}`, () =>
        tryBundle(each, place, process.execPath, expected),
      );
    }
  });
  attempt('musl x64, no Node', 'loads, computes and throws as on glibc', () => {
    needBinary('linuxmusl-x64');
    return musl(place, install);
  });
}

/** @param {string} platform */
function needBinary(platform) {
  if (!platforms.includes(platform))
    throw new Missing(`no binary for ${platform} of these sources: npm run prebuilds`);
}

/** @param {string} folder */
function writePrograms(folder) {
  writeFileSync(join(folder, 'app.cjs'), programs.COMMONJS);
  writeFileSync(join(folder, 'app.mjs'), programs.ESM);
  writeFileSync(join(folder, 'readme.mjs'), programs.readme());
  writeFileSync(join(folder, 'what-happens.cjs'), programs.WHAT_HAPPENS);
  return {
    CommonJS: () => 'app.cjs',
    ESM: () => 'app.mjs',
    'TypeScript, node16': () => compileTypes(folder, 'node16'),
    'TypeScript, bundler': () => compileTypes(folder, 'bundler'),
  };
}

/**
 * @param {string} machine
 * @param {string[]} node
 * @param {string} folder
 * @param {string[]} only
 */
function everyDoor(machine, node, folder, only = Object.keys(doors)) {
  for (const [door, file] of Object.entries(doors)) {
    if (!only.includes(door)) continue;
    attempt(machine, door, () => {
      const { code, signal, stdout, stderr } = run([...node, file()], folder);
      const line = stdout.trim();
      if (expected === '') expected = line;
      const isRight = code === 0 && /^[\da-f]{6,8}$/.test(line) && line === expected;
      return isRight ? '' : `${line} ${String(code ?? signal)}, not ${expected}\n${stderr}`;
    });
  }
}

/** @param {string} folder */
function withoutBinary(folder) {
  const undo = hide(join(folder, 'node_modules', 'evenkeel', 'prebuilds'));
  try {
    const { stdout, stderr } = run([process.execPath, 'what-happens.cjs'], folder);
    const parts = ['got none that loads.\nTried:\n', 'is not there\n', 'Required: Node 20.17', '  npx evenkeel build\n']; // prettier-ignore
    return parts.every((part) => stdout.includes(part)) ? '' : `${stdout}${stderr}`;
  } finally {
    undo();
  }
}

/** @param {string} folder */
function twoCopies(folder) {
  const other = join(folder, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'package.json'), '{}\n');
  cpSync(join(folder, 'node_modules'), join(other, 'node_modules'), { recursive: true });
  writeFileSync(join(folder, 'two.cjs'), programs.TWO_COPIES);
  const { stdout, stderr } = run([process.execPath, 'two.cjs'], folder);
  rmSync(other, { recursive: true });
  const isRight = stdout.startsWith(`${expected} ${expected}\n`) && /another copy/.test(stdout);
  return isRight ? '' : `${stdout}${stderr}`;
}

/** @param {string} folder */
function info(folder) {
  const program = join('node_modules', 'evenkeel', 'dist', 'cjs', 'cli', 'main.js');
  const { code, stdout, stderr } = run([process.execPath, program, 'info', '--json'], folder);
  if (code !== 0) return `${stdout}${stderr}`;
  const { addon } = /** @type {{ addon: { path: string } }} */ (parseJson(stdout));
  return addon.path.startsWith(join(folder, 'node_modules')) ? '' : stdout;
}

/**
 * Four processes by an MPI of this machine, of which only the run-time package is needed.
 * @param {string} folder
 * @param {string} launcher
 */
function ranks(folder, launcher) {
  needPrograms([launcher], ['openmpi-bin', 'mpich'], install);
  const path = must('sh', ['-c', `command -v ${launcher}`]).trim();
  writeFileSync(join(folder, 'train.mjs'), programs.RANKS);
  const program = join('node_modules', 'evenkeel', 'dist', 'cjs', 'cli', 'main.js');
  const asRoot = process.getuid?.() === 0 ? ['--allow-run-as-root'] : [];
  const options = ['-n', '4', '--threads', '1', ...asRoot, 'train.mjs'];
  // Open MPI looks for ssh, which it does not need here.
  const environment = { EVENKEEL_MPIRUN: path, OMPI_MCA_plm: 'isolated' };
  const call = [process.execPath, program, 'run', ...options];
  const { code, stdout, stderr } = run(call, folder, environment);
  const lines = stdout.trim().split('\n').sort();
  const hashes = new Set(lines.map((line) => line.split(' ').at(-1)));
  const isRight = code === 0 && hashes.size === 1 && lines.length === 4 && lines.every((line, i) => line.startsWith(`[${i}] 4 processes`)); // prettier-ignore
  return isRight ? '' : `${String(code)} ${stdout}${stderr}`;
}

/**
 * Tries one cell of the table; an empty text is a right one.
 * @param {string} machine
 * @param {string} what
 * @param {() => string | void} body
 */
function attempt(machine, what, body) {
  try {
    const problem = body();
    if (problem !== undefined) report(machine, what, problem);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    report(machine, what, error instanceof Missing ? `skipped: ${message}` : message || 'failed');
  }
}

/**
 * @param {string} machine
 * @param {string} what
 * @param {string} result
 */
function report(machine, what, result) {
  rows.push({ machine, what, result });
  if (!short) process.stderr.write('.');
  if (result !== '' && !result.startsWith('skipped'))
    console.error(`${machine}, ${what}: ${result.slice(0, 1500)}`);
}

function print() {
  const isSkipped = (/** @type {string} */ result) => result.startsWith('skipped');
  const verdict = (/** @type {string} */ result) =>
    result === '' ? 'ok' : isSkipped(result) ? result : 'WRONG';
  console.log(table(rows.map(({ machine, what, result }) => [machine, what, verdict(result)])));
  const skipped = rows.filter(({ result }) => isSkipped(result)).length;
  const right = rows.filter(({ result }) => result === '').length;
  const wrong = rows.length - right - skipped;
  console.log(`install: ${right} right, ${wrong} wrong, ${skipped} skipped`);
  process.exitCode = wrong === 0 ? 0 : 1;
}
