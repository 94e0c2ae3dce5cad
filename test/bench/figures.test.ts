// The pages quote the newest committed run, and nothing else: `npx tsx bench/figures.ts` writes them.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { blocksOf, newestRun, PAGES, runsByKernels, withFigures } from '../../bench/figures.js';
import { caseOf, runOf } from './made-up.js';

it.each(PAGES)('%s has the figures of the newest run', (page) => {
  const text = readFileSync(page, 'utf8');
  expect(text).toContain('<!-- figures: ');
  expect(withFigures(text, blocksOf(newestRun(), runsByKernels()))).toBe(text);
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

it('says how far bare passes would be ahead of PyTorch, from the medians of each shape', () => {
  const cases = [
    caseOf('forward', [256, 1024], { limit: 5, plain: 20, ours: 10, torch: 90, torchAlone: 60 }),
    caseOf('forward', [512, 1024], { limit: 10, plain: 40, ours: 30, torch: 30 }),
  ];
  const room = blocksOf(runOf(cases))['room']!;
  expect(room).toMatch(/\| training forward, least +\| +0\.75× \| +1\.00× \| +3\.00× \|/);
  expect(room).toMatch(/\| training forward, geometric mean +\| +1\.50× \| +2\.45× \| +6\.00× \|/);
});

it('says how evenly bare passes take their time, beside ours', () => {
  const cases = [
    caseOf('cost-n', [1024, 256], { limit: 2, out: 4 }),
    caseOf('cost-n', [2048, 256], { limit: 12, out: 12 }),
  ];
  expect(blocksOf(runOf(cases))['evenness']).toMatch(
    /\| N, 1\.0 MB to 2\.1 MB +\| +1\.50× \| +3\.00× \|/,
  );
});

it('sets the newest runs of each kind of kernels side by side', () => {
  const [first, second] = [30, 90].map((torch) =>
    runOf([caseOf('forward', [256, 1024], { plain: 20, ours: 10, torch })]),
  );
  expect(blocksOf(first!, [first!, second!])['kernels']).toMatch(
    /\| training forward +\| +1\.50× \| +1\.50× \| +4\.50× \| +4\.50× \|/,
  );
  const kernels = runsByKernels().map(({ machine }) => machine.isa);
  expect(new Set(kernels).size).toBe(kernels.length);
});
