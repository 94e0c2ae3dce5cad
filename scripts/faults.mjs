// Every kind of fault, at least 50 times: the tests of test/stress/faults-*.test.ts in their long form, and
// how many trials of each kind were survived. `node scripts/faults.mjs`, some minutes.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ENOUGH = 50;
const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-faults-'));
const report = join(folder, 'trials.jsonl');
const start = performance.now();
try {
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--testTimeout', '600000', 'test/stress/faults-', ...process.argv.slice(2)],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, EVENKEEL_STRESS: 'long', EVENKEEL_STRESS_REPORT: report },
    },
  );
  const short = print(readTrials());
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`Node ${process.version}, ${process.platform}-${process.arch}, ${String(seconds)} s`);
  process.exitCode = status === 0 && short === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @returns {Map<string, { tried: number, survived: number }>} */
function readTrials() {
  /** @type {Map<string, { tried: number, survived: number }>} */
  const sums = new Map();
  const lines = existsSync(report) ? readFileSync(report, 'utf8').trim().split('\n') : [];
  for (const line of lines) {
    /** @type {unknown} */
    const trial = JSON.parse(line);
    const { kind, tried, survived } =
      /** @type {{ kind: string, tried: number, survived: number }} */ (trial);
    const sum = sums.get(kind) ?? { tried: 0, survived: 0 };
    sums.set(kind, { tried: sum.tried + tried, survived: sum.survived + survived });
  }
  return sums;
}

/**
 * @param {Map<string, { tried: number, survived: number }>} sums
 * @returns {number} kinds that were not survived often enough
 */
function print(sums) {
  const path = join(root, 'test', 'helpers', 'fault-kinds.json');
  /** @type {unknown} */
  const kinds = JSON.parse(readFileSync(path, 'utf8'));
  let short = 0;
  for (const [kind, words] of Object.entries(/** @type {Record<string, string>} */ (kinds))) {
    const { tried, survived } = sums.get(kind) ?? { tried: 0, survived: 0 };
    const isShort = survived < tried || tried < ENOUGH;
    if (isShort) short++;
    const figure = `${String(survived)} of ${String(tried)}`;
    console.log(`${isShort ? 'NOT' : ' ok'} ${kind.padStart(3)} ${words.padEnd(52)} ${figure}`);
  }
  const all = Object.keys(/** @type {object} */ (kinds)).length;
  console.log(
    `${String(all - short)} of ${String(all)} kinds survived at least ${String(ENOUGH)} times`,
  );
  return short;
}
