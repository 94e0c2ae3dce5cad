// The same bits elsewhere: the committed hashes (test/golden/bits.test.ts) under qemu as a CPU without AVX,
// with SSE4.2 and with AVX2, the native program (test/native-program) as those and as aarch64 against its
// digest on this machine, and the hashes again in other Node versions. Builds and installs into
// build-check/; what is not there is skipped, with a line that says so.
//
//   node scripts/other-cpus.mjs [--install] [--cases N] [--only qemu64,Nehalem,max,aarch64,node]
//
// --install: apt-get install qemu-user-static and the cross compiler, and the npm package `node`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'build-check');
const { values } = parseArgs({
  options: {
    install: { type: 'boolean', default: false },
    cases: { type: 'string', default: '150' },
    only: { type: 'string', default: 'qemu64,Nehalem,max,aarch64,node' },
  },
});
const only = values.only.split(',');
const CROSS = ['g++-aarch64-linux-gnu', 'libc6-dev-arm64-cross'];
const NODES = ['20', '22', '24', '26'];
let failures = 0;

mkdirSync(folder, { recursive: true });
if (values.install) {
  const packages = ['qemu-user-static', ...CROSS];
  ran('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { isQuiet: true });
}
const here = build('plain', []) ? digests(join(folder, 'plain', 'evenkeel-check'), []) : '';
if (here !== '') console.log(`this machine      ${here}`);
for (const cpu of ['qemu64', 'Nehalem', 'max']) if (only.includes(cpu)) x86(cpu);
if (only.includes('aarch64')) aarch64();
if (only.includes('node')) for (const version of NODES) otherNode(version);
console.log(
  `other CPUs: ${failures === 0 ? 'all that ran have the same bits' : `${failures} failed`}`,
);
process.exitCode = failures === 0 ? 0 : 1;

/** @param {string} cpu */
function x86(cpu) {
  const qemu = 'qemu-x86_64-static';
  if (process.arch !== 'x64') {
    skip(cpu, `this machine is ${process.arch}`);
    return;
  }
  if (!exists(qemu)) {
    skip(cpu, `${qemu} is not installed (--install)`);
    return;
  }
  // Its masked loads of AVX2 read what they leave out, and so touch the guard pages.
  const guards = cpu === 'max' ? ['--no-guards'] : [];
  const program = join(folder, 'plain', 'evenkeel-check');
  compare(cpu, digests(qemu, ['-cpu', cpu, program], guards));
  hashes(`${cpu}, Node`, qemu, ['-cpu', cpu, process.execPath]);
}

function aarch64() {
  if (!exists('qemu-aarch64-static') || !exists('aarch64-linux-gnu-g++')) {
    skip('aarch64', 'qemu-aarch64-static or aarch64-linux-gnu-g++ is not installed (--install)');
    return;
  }
  const options = [
    '-DCMAKE_SYSTEM_NAME=Linux',
    '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
    '-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++',
  ];
  if (!build('aarch64', options)) return;
  const program = join(folder, 'aarch64', 'evenkeel-check');
  compare('aarch64', digests('qemu-aarch64-static', ['-L', '/usr/aarch64-linux-gnu', program]));
}

/** @param {string} version */
function otherNode(version) {
  const home = join(folder, `node-${version}`);
  const node = join(home, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(node) && values.install) {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    const flags = ['--no-audit', '--no-fund', '--prefix', home];
    ran('npm', ['install', ...flags, `node@${version}`], { isQuiet: true });
  }
  if (existsSync(node)) hashes(`Node ${version}`, node, []);
  else skip(`Node ${version}`, 'the npm package `node` is not installed (--install)');
}

/**
 * The digests of the fuzzer and of the guard pages: one hash of all results.
 * @param {string} command
 * @param {string[]} args
 * @param {string[]} flags
 */
function digests(command, args, flags = []) {
  const checks = flags.length > 0 ? ['fuzz'] : ['fuzz', 'guards'];
  checks.push('--cases', values.cases, ...flags);
  const { status, stdout, stderr } = spawnSync(command, [...args, ...checks], { encoding: 'utf8' });
  const found = [...stdout.matchAll(/digest ([\da-f]{16})/g)].map(([, digest]) => digest);
  if (status === 0 && found.length > 0) {
    const families = /families ([^;]*);/.exec(stdout)?.[1] ?? '';
    return `${found.join(' ')} (${families})`;
  }
  console.error(`${stdout}${stderr}`);
  return '';
}

/**
 * @param {string} name
 * @param {string} there
 */
function compare(name, there) {
  const digest = (/** @type {string} */ text) => text.replace(/ \(.*/, '');
  const isSame = there !== '' && digest(here).startsWith(digest(there));
  console.log(
    `${name.padEnd(17)} ${there === '' ? 'no digest' : there}${isSame ? '' : '  FAILED'}`,
  );
  if (!isSame) failures++;
}

/**
 * The committed hashes. In threads: a child process would not be the emulator's.
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 */
function hashes(name, command, args) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const test = ['run', '--pool=threads', 'test/golden/bits.test.ts'];
  const result = spawnSync(command, [...args, vitest, ...test], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const line = /^\d+ passed, \d+ failed.*$/m.exec(result.stdout)?.[0] ?? 'no closing line';
  const passed = result.status === 0;
  console.log(`${name.padEnd(17)} committed hashes: ${line}${passed ? '' : '  FAILED'}`);
  if (passed) return;
  console.error(`${result.stdout}${result.stderr}`);
  failures++;
}

/**
 * @param {string} name
 * @param {string[]} options
 */
function build(name, options) {
  const into = join(folder, name);
  return (
    ran('cmake', ['-S', root, '-B', into, '-DEVENKEEL_CHECK=ON', ...options]) &&
    ran('cmake', [
      ...['--build', into, '--target', 'evenkeel-check'],
      ...['--parallel', String(availableParallelism())],
    ])
  );
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ isQuiet?: boolean }} [options] - not counted as a failure
 */
function ran(command, args, { isQuiet = false } = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return true;
  console.error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  if (!isQuiet) failures++;
  return false;
}

/** @param {string} command */
function exists(command) {
  return spawnSync(command, ['--version']).error === undefined;
}

/**
 * @param {string} what
 * @param {string} why
 */
function skip(what, why) {
  console.log(`${what.padEnd(17)} skipped: ${why}`);
}
