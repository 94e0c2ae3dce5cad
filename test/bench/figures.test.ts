// The pages quote the newest committed run, and nothing else: `npx tsx bench/figures.ts` writes them.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { blocksOf, newestRun, PAGES, withFigures } from '../../bench/figures.js';
import { caseOf, runOf } from './made-up.js';

it.each(PAGES)('%s has the figures of the newest run', (page) => {
  const text = readFileSync(page, 'utf8');
  expect(text).toContain('<!-- figures: ');
  expect(withFigures(text, blocksOf(newestRun()))).toBe(text);
});

it('does so from the sources, without a build', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'bench/figures.ts', '--check'],
    { encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

it('the table of the README has at most eight rows and five columns', () => {
  const lines = blocksOf(newestRun())['speed']!.split('\n');
  expect(lines.length).toBeLessThanOrEqual(2 + 8);
  expect(lines.map((line) => line.split('|').length - 2).every((columns) => columns <= 5)).toBe(
    true,
  );
});

it('takes plain calls, and PyTorch at its faster', () => {
  const each = caseOf('forward', [256, 1024], { plain: 20, ours: 10, torch: 90, torchAlone: 60 });
  expect(blocksOf(runOf([each]))['speed']).toContain(
    '| (256, 1024) |  20.0 |    10.0 |    60.0 |           3.00× |',
  );
});
