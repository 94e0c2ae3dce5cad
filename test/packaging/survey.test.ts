// The survey of training loops and models: its share may grow, and the loops that are left are those whose need is said.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Judged {
  complete: number;
  of: number;
  rows: { id: string; missing: string | null }[];
}

const script = fileURLToPath(new URL('../../scripts/survey.mjs', import.meta.url));

test('the page lists what is lacking as the script finds it', () => {
  const { stdout } = spawnSync(process.execPath, [script, '--table'], { encoding: 'utf8' });
  const page = readFileSync(new URL('../../docs/training.md', import.meta.url), 'utf8');
  const rowsOf = (table: string): string[] =>
    table
      .split('\n')
      .filter((line) => /^\|.*\w/.test(line))
      .map((line) => line.replaceAll(/ +/g, ' ').trim());
  const said = page.slice(page.indexOf('<!-- survey -->'), page.indexOf('<!-- end of survey -->'));
  expect(rowsOf(stdout).length).toBeGreaterThan(2);
  expect(rowsOf(said)).toEqual(rowsOf(stdout));
});

test('loops that do not run lack SyncBatchNorm or a gradient of a gradient', () => {
  const { stdout, stderr } = spawnSync(process.execPath, [script, '--json'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const { loops, models, ownField } = JSON.parse(stdout) as Record<
    'loops' | 'models' | 'ownField',
    Judged
  >;
  expect([loops.of, models.of, ownField.of]).toEqual([38, 152, 105]);
  const lacks = new Set(loops.rows.flatMap(({ missing }) => (missing === null ? [] : [missing])));
  expect([...lacks].filter((each) => !['gp', 'syncbn'].includes(each))).toEqual([]);
  expect(loops.complete).toBeGreaterThanOrEqual(34);
  expect(models.complete).toBeGreaterThanOrEqual(65);
  const page = readFileSync(new URL('../../docs/training.md', import.meta.url), 'utf8');
  expect(page).toContain(`\n${ownField.complete} of the ${ownField.of} models without attention`);
});
