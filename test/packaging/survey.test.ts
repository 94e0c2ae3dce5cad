// The survey of training loops and models: its share may grow, and the loops that are left are those whose need is said.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Judged {
  complete: number;
  of: number;
  rows: { id: string; missing: string | null }[];
}

test('loops that do not run lack SyncBatchNorm or a gradient of a gradient', () => {
  const script = fileURLToPath(new URL('../../scripts/survey.mjs', import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, [script, '--json'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const { loops, models } = JSON.parse(stdout) as { loops: Judged; models: Judged };
  expect([loops.of, models.of]).toEqual([38, 152]);
  const lacks = new Set(loops.rows.flatMap(({ missing }) => (missing === null ? [] : [missing])));
  expect([...lacks].filter((each) => !['gp', 'syncbn'].includes(each))).toEqual([]);
  expect(loops.complete).toBeGreaterThanOrEqual(34);
  expect(models.complete).toBeGreaterThanOrEqual(65);
});
