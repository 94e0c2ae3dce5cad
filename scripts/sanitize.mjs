// The native program and the addon in Node under AddressSanitizer with UndefinedBehaviorSanitizer, ThreadSanitizer and
// valgrind: configures, builds and tests the presets of CMakePresets.json, into build-check/. What is tested is in
// test/native-program/CMakeLists.txt; a test whose tool is not there is skipped, with a sentence.
//
//   node scripts/sanitize.mjs [--short] [--seed S] [--only plain,valgrind,address,tests,thread]
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { chosen, folder, root, run } from './tools.mjs';

/** The labels of the tests of each preset. */
const PRESETS = { plain: ['plain', 'valgrind'], address: ['address', 'tests'], thread: ['thread'] };
const all = Object.values(PRESETS).flat();
const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: all.join() },
  },
});
const only = chosen('--only', values.only, all);
const counts = { tests: 0, failures: 0, skipped: 0 };
const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(run(['cmake', '--version']).log) ?? [];

if (process.platform !== 'linux' || Number(major) * 1000 + Number(minor) < 3021) {
  console.log('sanitizers: skipped, they need Linux and CMake 3.21 or later');
} else {
  for (const [preset, labels] of Object.entries(PRESETS)) {
    const asked = labels.filter((label) => only.includes(label));
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
 * @param {string[]} labels
 */
function test(preset, labels) {
  const report = join(folder, preset, 'report.xml');
  rmSync(report, { force: true });
  const parallel = ['--parallel', String(availableParallelism())];
  const isDone =
    does('ignore', 'cmake', '--preset', preset, `-DEVENKEEL_SEED=${values.seed}`) &&
    does('ignore', 'cmake', '--build', '--preset', preset, ...parallel);
  const asked = ['-L', `^${values.short ? 'short' : 'long'}$`, '-L', `^(${labels.join('|')})$`];
  const passed =
    isDone && does('inherit', 'ctest', '--preset', preset, ...asked, '--output-junit', report);
  if (!isDone) console.log(`${preset}: FAILED to build: cmake --build --preset ${preset}`);
  const text = existsSync(report) ? readFileSync(report, 'utf8') : '';
  const counted = (/** @type {string} */ what) =>
    Number(new RegExp(`<testsuite [^>]*\\b${what}="(\\d+)"`).exec(text)?.[1] ?? 0);
  counts.failures += passed ? 0 : Math.max(1, counted('failures'));
  counts.tests += Math.max(1, counted('tests'));
  counts.skipped += counted('skipped');
}

/**
 * @param {'ignore' | 'inherit'} output - errors are always shown
 * @param {string[]} command
 */
function does(output, ...command) {
  return run(command, { cwd: root, stdio: ['ignore', output, 'inherit'] }).status === 0;
}
