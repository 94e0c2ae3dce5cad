// The native program (test/native-program) under AddressSanitizer with UndefinedBehaviorSanitizer, under
// ThreadSanitizer and under valgrind; then the addon in Node under the first two, with both fuzzers.
// Builds into build-check/. A tool that is not there is skipped, with a line that says so.
//
//   node scripts/sanitize.mjs [--short] [--seed S] [--runs N] [--only plain,address,thread,valgrind]
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'build-check');
const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    runs: { type: 'string' },
    only: { type: 'string', default: 'plain,address,thread,valgrind' },
  },
});
const { short, seed } = values;
/** Calls of the fuzzers under AddressSanitizer; without it they make ten times as many in that time. */
const runs = Number(values.runs ?? (short ? 40_000 : 1_000_000));
let failures = 0;
let skipped = 0;

if (process.platform === 'linux') {
  const only = values.only.split(',');
  if (only.includes('plain')) plain();
  if (only.includes('address')) addressSanitizer();
  if (only.includes('thread')) threadSanitizer();
  if (only.includes('valgrind')) valgrind();
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
}

function addressSanitizer() {
  const library = runtime('libasan.so');
  if (library === '') {
    skip('AddressSanitizer', 'the compiler has no libasan');
    return;
  }
  if (!build('address', 'address,undefined', 'evenkeel-check', 'evenkeel')) return;
  run('AddressSanitizer and UndefinedBehaviorSanitizer', program('address'), [
    ...['--seed', seed, '--cases', short ? '200' : '3000'],
  ]);
  // The addon beside the built package, in a package of its own: src/native.ts looks there.
  const home = join(folder, 'package');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(join(home, 'build', 'Release'), { recursive: true });
  cpSync(join(root, 'package.json'), join(home, 'package.json'));
  cpSync(join(root, 'dist'), join(home, 'dist'), { recursive: true });
  const addon = join(home, 'build', 'Release', 'evenkeel.node');
  cpSync(join(folder, 'address', 'Release', 'evenkeel.node'), addon);
  // Its library comes before all others, so that arrays of JavaScript get redzones too. V8 frees nothing
  // at the end: no leaks to look for.
  const env = { LD_PRELOAD: library, ASAN_OPTIONS: 'detect_leaks=0' };
  const script = (/** @type {string} */ name) => join(root, 'scripts', name);
  const amount = ['--seed', seed, '--runs', String(runs)];
  const node = process.execPath;
  run('the addon under both', node, [script('fuzz-addon.mjs'), '--addon', addon, ...amount], env);
  run(
    'the package under both',
    node,
    [script('fuzz-facade.mjs'), '--package', home, ...amount],
    env,
  );
}

function threadSanitizer() {
  if (runtime('libtsan.so') === '') {
    skip('ThreadSanitizer', 'the compiler has no libtsan');
    return;
  }
  if (!build('thread', 'thread', 'evenkeel-check')) return;
  // Kernels with more than 28 random bits of address space place memory where it cannot look.
  const args = [program('thread'), '--seed', seed, '--cases', short ? '100' : '1000'];
  run('ThreadSanitizer', 'setarch', ['-R', ...args]);
}

function valgrind() {
  if (spawnSync('valgrind', ['--version']).error !== undefined) {
    skip('valgrind', 'not installed');
    return;
  }
  if (!existsSync(program('plain'))) return;
  // Without AVX-512, which it has not. It has its own operator new, so no allocation fails here.
  const cases = ['fuzz', 'guards', 'pool', '--seed', seed, '--cases', short ? '20' : '200'];
  run('valgrind', 'valgrind', ['-q', '--error-exitcode=9', program('plain'), ...cases]);
}

/** @param {string} name */
function program(name) {
  return join(folder, name, 'evenkeel-check');
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
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
function run(what, command, args, env = {}) {
  const start = performance.now();
  console.log(`--- ${what}`);
  const { status, signal } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
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
