// Prints how far BatchNorm is from the truth, per distribution and shape: the figures that the
// accuracy test (test/native/accuracy.test.ts) checks. `node scripts/accuracy.mjs`
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-accuracy-'));
const table = join(folder, 'table.md');
try {
  const { status, stdout } = spawnSync(
    process.execPath,
    [vitest, 'run', 'test/native/accuracy.test.ts'],
    { cwd: root, encoding: 'utf8', env: { ...process.env, EVENKEEL_ACCURACY_TABLE: table } },
  );
  if (existsSync(table)) console.log(readFileSync(table, 'utf8').trimEnd());
  if (status !== 0) console.log(stdout.trimEnd());
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
