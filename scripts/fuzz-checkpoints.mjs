// Many checkpoints from their grammars, each to be refused with one of our sentences or read rightly, in little
// time and memory: the test of test/stress/checkpoint-fuzz.test.ts, longer, with the built package. `node scripts/fuzz-checkpoints.mjs --runs 1000000 --seed 1`
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'string', default: 'fuzz-failure.bin' },
  },
});

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-fuzz-'));
const report = join(folder, 'report.json');
const start = performance.now();
try {
  const { status, stdout } = spawnSync(
    process.execPath,
    [vitest, 'run', 'test/stress/checkpoint-fuzz.test.ts'],
    {
      cwd: root,
      encoding: 'utf8',
      env: {
        ...process.env,
        EVENKEEL_FUZZ_RUNS: values.runs,
        EVENKEEL_FUZZ_SEED: values.seed,
        EVENKEEL_FUZZ_KEEP: values.keep,
        EVENKEEL_FUZZ_REPORT: report,
      },
    },
  );
  if (status === 0 && existsSync(report)) {
    /** @type {unknown} */
    const figures = JSON.parse(readFileSync(report, 'utf8'));
    const {
      read,
      refused,
      slowest = 0,
      most = 0,
    } = /** @type {Record<string, number>} */ (figures);
    console.log(
      `${values.runs} runs, seed ${values.seed}: ${read} read, ${refused} refused; slowest ` +
        `${slowest.toFixed(1)} ms of CPU time; most memory more than an idle process ` +
        `${(most / 2 ** 20).toFixed(0)} MB; ${((performance.now() - start) / 1000).toFixed(0)} s`,
    );
  } else {
    console.log(stdout.trimEnd());
    console.log(`the file that failed: ${values.keep}`);
  }
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
