// The native program and the addon in Node under AddressSanitizer with UndefinedBehaviorSanitizer, ThreadSanitizer and
// valgrind: configures, builds and tests the presets of CMakePresets.json, into build-check/. What is tested is in
// test/native-program/CMakeLists.txt; a test whose tool is not there is skipped, with a sentence.
//
//   node scripts/sanitize.mjs [--short] [--seed S] [--only plain,valgrind,address,tests,thread]
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The lanes of each preset: labels of its tests. */
const PRESETS = { plain: ['plain', 'valgrind'], address: ['address', 'tests'], thread: ['thread'] };
const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: Object.values(PRESETS).flat().join() },
  },
});
const only = values.only.split(',');
const unknown = only.filter((lane) => !Object.values(PRESETS).flat().includes(lane));
if (unknown.length > 0) throw new RangeError(`--only: there is no lane ${unknown.join(', ')}`);
const counts = { tests: 0, failures: 0, skipped: 0 };
const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(versionOf('cmake')) ?? [];

if (process.platform !== 'linux' || Number(major) * 1000 + Number(minor) < 3021) {
  console.log('sanitizers: skipped, they need Linux and CMake 3.21 or later');
} else {
  for (const [preset, lanes] of Object.entries(PRESETS)) {
    const asked = lanes.filter((lane) => only.includes(lane));
    if (asked.length > 0) test(preset, asked);
  }
}
const { tests, failures, skipped } = counts;
console.log(
  `sanitize: ${tests - failures - skipped} passed, ${failures} failed, ${skipped} skipped`,
);
process.exitCode = failures === 0 ? 0 : 1;

/**
 * @param {string} preset
 * @param {string[]} lanes
 */
function test(preset, lanes) {
  const report = join(root, 'build-check', preset, 'report.xml');
  rmSync(report, { force: true });
  const parallel = ['--parallel', String(availableParallelism())];
  const isBuilt =
    run('cmake', ['--preset', preset, `-DEVENKEEL_SEED=${values.seed}`], 'ignore') &&
    run('cmake', ['--build', '--preset', preset, ...parallel], 'ignore');
  if (!isBuilt) {
    console.log(`${preset}: FAILED to build; to see why: cmake --build --preset ${preset}`);
    counts.tests++;
    counts.failures++;
    return;
  }
  const labels = ['-L', `^${values.short ? 'short' : 'long'}$`, '-L', `^(${lanes.join('|')})$`];
  const passed = run('ctest', ['--preset', preset, ...labels, '--output-junit', report], 'inherit');
  const text = existsSync(report) ? readFileSync(report, 'utf8') : '';
  const counted = (/** @type {string} */ what) =>
    Number(new RegExp(`<testsuite [^>]*\\b${what}="(\\d+)"`).exec(text)?.[1] ?? 0);
  counts.failures += passed ? 0 : Math.max(1, counted('failures'));
  counts.tests += Math.max(1, counted('tests'));
  counts.skipped += counted('skipped');
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {'ignore' | 'inherit'} output - errors are always shown
 */
function run(command, args, output) {
  return spawnSync(command, args, { cwd: root, stdio: ['ignore', output, 'inherit'] }).status === 0;
}

/** @param {string} command */
function versionOf(command) {
  const { error, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return error === undefined ? stdout : '';
}
