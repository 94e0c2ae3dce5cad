// The native program (test/native-program) under AddressSanitizer with UndefinedBehaviorSanitizer, under
// ThreadSanitizer and under valgrind; then the addon in Node: both fuzzers and the tests of jobs, Workers and
// memory under the first two, the facade's fuzzer under ThreadSanitizer. Builds into build-check/. A tool that
// is not there is skipped, with a line that says so.
//
//   node scripts/sanitize.mjs [--short] [--seed S] [--runs N] [--only plain,address,tests,thread,valgrind]
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'build-check');
const lanes = { plain, address, tests, thread, valgrind };
const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    runs: { type: 'string' },
    only: { type: 'string', default: Object.keys(lanes).join() },
  },
});
const { short, seed } = values;
/** Calls of each fuzzer. */
const runs = Number(values.runs ?? (short ? 40_000 : 1_000_000));
/** What takes longer hangs: a job that does not end, a thread that is not woken. */
const PATIENCE = (short ? 10 : 90) * 60_000;
let failures = 0;
let skipped = 0;

if (process.platform === 'linux') {
  const only = values.only.split(',');
  for (const [name, lane] of Object.entries(lanes)) if (only.includes(name)) lane();
} else {
  skip('sanitizers', `the recipes are for Linux, this is ${process.platform}`);
}
console.log(
  `sanitize: ${failures === 0 ? 'all passed' : `${failures} failed`}${skipped > 0 ? `, ${skipped} skipped` : ''}`,
);
process.exitCode = failures === 0 ? 0 : 1;

function plain() {
  if (!build('plain', '', 'evenkeel-check')) return;
  run('without a sanitizer', program('plain'), ['--seed', seed, '--cases', short ? '300' : '3000']);
  run('arrays of more than 2^31 elements', program('plain'), ['large']);
}

function address() {
  const env = addressEnvironment();
  if (env === null || !build('address', 'address,undefined', 'evenkeel-check', 'evenkeel')) return;
  run('AddressSanitizer and UndefinedBehaviorSanitizer', program('address'), [
    ...['--seed', seed, '--cases', short ? '200' : '3000'],
  ]);
  const { addon, home } = packageWith('address');
  const amount = ['--seed', seed, '--runs', String(runs)];
  node('the addon under both', [script('fuzz-addon'), '--addon', addon, ...amount], env);
  node('the package under both', [script('fuzz-facade'), '--package', home, ...amount], env);
}

/**
 * Tests of jobs, Workers and memory, and their child processes, with the same addon. Without the files that
 * limit the address space, of which AddressSanitizer takes 20 TB, or preload an allocator beside its own, and
 * without what measures.
 */
function tests() {
  const env = addressEnvironment();
  if (env === null || !build('address', 'address,undefined', 'evenkeel')) return;
  const { home } = packageWith('address');
  for (const each of ['src', 'test', 'vitest.config.ts', 'tsconfig.json', 'tsconfig.base.json'])
    cpSync(join(root, each), join(home, each), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'));
  const files = ['test/unit/async', 'test/stress/faults-buffers', 'test/stress/shared-weights'];
  if (!short)
    files.push('test/stress/faults-workers', 'test/stress/faults-exits', 'test/stress/memory');
  if (!short) files.push('test/native');
  const vitest = [
    ...[join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--maxWorkers=1', ...files],
    ...['-t', '^(?!.*(within 50 ms))'],
  ];
  node('tests under both', vitest, env, home);
}

function thread() {
  const library = runtime('libtsan.so');
  if (library === '') {
    skip('ThreadSanitizer', 'the compiler has no libtsan');
    return;
  }
  if (!build('thread', 'thread', 'evenkeel-check', 'evenkeel')) return;
  // Kernels with more than 28 random bits of address space place memory where it cannot look.
  const args = [program('thread'), '--seed', seed, '--cases', short ? '100' : '1000'];
  run('ThreadSanitizer', 'setarch', ['-R', ...args]);
  const { home } = packageWith('thread');
  const amount = ['--seed', seed, '--runs', String(runs / 4)];
  const fuzzer = [script('fuzz-facade'), '--package', home, '--undisturbed', ...amount];
  // Node is not instrumented, and what its own threads say to each other looks like races.
  const env = {
    LD_PRELOAD: library,
    TSAN_OPTIONS: 'exitcode=66 ignore_noninstrumented_modules=1',
  };
  run('the package under it', 'setarch', ['-R', process.execPath, ...fuzzer], env);
}

function valgrind() {
  if (spawnSync('valgrind', ['--version']).error !== undefined) {
    skip('valgrind', 'not installed');
    return;
  }
  if (!build('plain', '', 'evenkeel-check')) return;
  // Without AVX-512, which it has not. It has its own operator new, so no allocation fails here.
  const checks = ['fuzz', 'guards', 'pool', 'jobs'];
  const cases = ['--seed', seed, '--cases', short ? '20' : '200'];
  run('valgrind', 'valgrind', ['-q', '--error-exitcode=9', program('plain'), ...checks, ...cases]);
}

/** @param {string} name */
function program(name) {
  return join(folder, name, 'evenkeel-check');
}

/** @param {string} name */
function script(name) {
  return join(root, 'scripts', `${name}.mjs`);
}

/** @returns what Node needs to be run with, or null where the compiler has no AddressSanitizer. */
function addressEnvironment() {
  const library = runtime('libasan.so');
  if (library === '') {
    skip('AddressSanitizer', 'the compiler has no libasan');
    return null;
  }
  // Its library comes before all others, so that arrays of JavaScript get redzones too. V8 frees nothing
  // at the end: no leaks to look for.
  return { LD_PRELOAD: library, ASAN_OPTIONS: 'detect_leaks=0' };
}

/**
 * That build's addon beside the built package, in a package of its own: src/addon/find.ts looks there.
 *
 * @param {string} name
 */
function packageWith(name) {
  const home = join(folder, name, 'package');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(join(home, 'build', 'Release'), { recursive: true });
  cpSync(join(root, 'package.json'), join(home, 'package.json'));
  cpSync(join(root, 'dist'), join(home, 'dist'), { recursive: true });
  const addon = join(home, 'build', 'Release', 'evenkeel.node');
  cpSync(join(folder, name, 'Release', 'evenkeel.node'), addon);
  return { home, addon };
}

/**
 * @param {string} library
 * @returns its path, or '' where the compiler has none.
 */
function runtime(library) {
  const asked = spawnSync('g++', [`-print-file-name=${library}`], { encoding: 'utf8' });
  const path = asked.error === undefined ? asked.stdout.trim() : '';
  return existsSync(path) && path !== library ? path : '';
}

/**
 * @param {string} name
 * @param {string} sanitizers
 * @param {string[]} targets
 */
function build(name, sanitizers, ...targets) {
  if (spawnSync('cmake', ['--version']).error !== undefined) {
    skip(name, 'cmake is not installed');
    return false;
  }
  const into = join(folder, name);
  const type = sanitizers === '' ? 'Release' : 'RelWithDebInfo';
  const options = [`-DEVENKEEL_SANITIZE=${sanitizers}`, `-DCMAKE_BUILD_TYPE=${type}`];
  const commands = [
    ['-S', root, '-B', into, '-DEVENKEEL_CHECK=ON', ...options],
    ['--build', into, '--parallel', String(availableParallelism()), '--target', ...targets],
  ];
  for (const args of commands) {
    const { status, stdout, stderr } = spawnSync('cmake', args, { encoding: 'utf8' });
    if (status === 0) continue;
    console.error(`${stdout}${stderr}\nFAILED: building ${targets.join(' and ')} (${name})`);
    failures++;
    return false;
  }
  return true;
}

/**
 * @param {string} what
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @param {string} [cwd]
 */
function node(what, args, env, cwd) {
  run(what, process.execPath, args, env, cwd);
}

/**
 * @param {string} what
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 * @param {string} [cwd]
 */
function run(what, command, args, env = {}, cwd = root) {
  const start = performance.now();
  console.log(`--- ${what}`);
  const { status, signal } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
    timeout: PATIENCE,
    cwd,
  });
  const took = `${((performance.now() - start) / 1000).toFixed(0)} s`;
  if (status === 0) {
    console.log(`    0 reports, ${took}`);
    return;
  }
  failures++;
  console.log(`    FAILED (${signal ?? `exit code ${String(status)}`}), ${took}`);
}

/**
 * @param {string} what
 * @param {string} why
 */
function skip(what, why) {
  skipped++;
  console.log(`--- ${what}: skipped, ${why}`);
}
