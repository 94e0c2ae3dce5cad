// Every kind of fault, at least 50 times: the tests of test/stress/faults-*.test.ts in their long form, and
// how many trials of each kind were survived. `node scripts/faults.mjs`, some minutes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseJson, root, runTests } from './tools.mjs';

/** @typedef {{ kind: string, tried: number, survived: number }} Trial */

const ENOUGH = 50;
const start = performance.now();
const { status, report } = runTests(
  ['--testTimeout', '600000', 'test/stress/faults-', ...process.argv.slice(2)],
  'EVENKEEL_STRESS_REPORT',
  { EVENKEEL_STRESS: 'long' },
  ['ignore', 'inherit', 'inherit'],
);
const trials = report.split('\n').filter((line) => line !== '');
const all = trials.map((line) => /** @type {Trial} */ (parseJson(line)));
const path = join(root, 'test', 'helpers', 'fault-kinds.json');
const kinds = /** @type {Record<string, string>} */ (parseJson(readFileSync(path, 'utf8')));
let enough = 0;
for (const [kind, words] of Object.entries(kinds)) {
  const own = all.filter((trial) => trial.kind === kind);
  const [tried, survived] = [sum(own, 'tried'), sum(own, 'survived')];
  const isEnough = survived === tried && tried >= ENOUGH;
  if (isEnough) enough++;
  const figure = `${survived} of ${tried}`;
  console.log(`${isEnough ? ' ok' : 'NOT'} ${kind.padStart(3)} ${words.padEnd(52)} ${figure}`);
}
const count = Object.keys(kinds).length;
console.log(`${enough} of ${count} kinds survived at least ${ENOUGH} times`);
const seconds = Math.round((performance.now() - start) / 1000);
console.log(`Node ${process.version}, ${process.platform}-${process.arch}, ${seconds} s`);
process.exitCode = status === 0 && enough === count ? 0 : 1;

/**
 * @param {Trial[]} trials
 * @param {'tried' | 'survived'} key
 */
function sum(trials, key) {
  return trials.reduce((total, trial) => total + trial[key], 0);
}
