// Targets, judged from made-up figures: which case decides, and what is left open.
import { describe, expect, it } from 'vitest';

import { geometricMean, unevenness } from '../../bench/ratios.js';
import { judge } from '../../bench/targets.js';
import { caseOf, MACHINE } from './made-up.js';

const verdicts = (...args: Parameters<typeof judge>): Record<string, unknown> =>
  Object.fromEntries(judge(...args).map(({ name, ...rest }) => [name, rest]));

describe('judge', () => {
  it('lets the worst shape decide, and averages by ratio', () => {
    const cases = [
      caseOf('forward', [32, 64], { plain: 10, torch: 20, out: 8, limit: 8 }),
      caseOf('forward', [256, 256], { plain: 10, torch: 12, out: 11, limit: 10 }),
    ];
    const found = verdicts(cases, MACHINE);
    expect(found['training forward against PyTorch, every shape']).toEqual({
      wanted: '>= 1.3',
      value: 1.2,
      met: false,
      detail: '(256, 256)',
    });
    expect(found['training forward against PyTorch, geometric mean']).toMatchObject({
      value: expect.closeTo(Math.sqrt(2.4), 12),
      met: false,
      detail: '2 shapes',
    });
    // (32, 64) lies in L1 and is not asked.
    expect(found['training forward: share of the limit, in L2 and L3']).toEqual({
      wanted: '>= 0.6',
      value: 10 / 11,
      met: true,
      detail: '(256, 256)',
    });
  });

  it('tells memory from caches by where x and y fit together', () => {
    const large = caseOf('forward', [8192, 1024], { ours: 9, out: 12, limit: 10 });
    const found = verdicts([large], MACHINE);
    expect(found['training forward: share of the limit, (N, C) beyond the caches']).toMatchObject({
      value: 10 / 12,
      met: false,
    });
    expect(found['training forward: share of the limit, in L2 and L3']).toMatchObject({
      met: null,
    });
    const unknown = verdicts([large], { ...MACHINE, caches: [] });
    expect(unknown['training forward: share of the limit, (N, C) beyond the caches']).toMatchObject(
      {
        met: null,
        detail: 'not measured',
      },
    );
  });

  it('leaves open what was not measured', () => {
    const open = judge([], MACHINE);
    expect(open.every(({ met, value }) => met === null && value === null)).toBe(true);
    expect(open).toHaveLength(46);
  });

  it('takes PyTorch at its faster', () => {
    const slow = caseOf('evaluate', [32, 64], { plain: 10, ours: 5, torch: 200, torchAlone: 20 });
    const found = verdicts([slow], MACHINE);
    expect(found['evaluation forward against PyTorch, every shape']).toMatchObject({ value: 2 });
  });

  it('takes plain calls as a user writes them, those given back by hand apart, and holds one against the other', () => {
    const cases = [
      caseOf('forward', [32, 64], { plain: 90, ours: 10, torch: 180 }), // 8 KB: nobody is asked about it
      caseOf('forward', [256, 256], { plain: 12, ours: 10, torch: 30 }),
      caseOf('evaluate', [256, 256], { plain: 14, ours: 7, torch: 28 }),
    ];
    const found = verdicts(cases, MACHINE);
    const value = (name: string): unknown => (found[name] as { value: unknown }).value;
    expect(value('training forward against PyTorch, every shape')).toBe(2);
    expect(value('training forward, disposed, against PyTorch, every shape')).toBe(3);
    expect(value('plain over disposed from 64 KB, every shape')).toBe(2);
    const mean = value('plain over disposed from 64 KB, geometric mean');
    expect(mean).toBeCloseTo(Math.sqrt(2.4), 12);
    expect(value('plain over disposed from 64 KB, means of turns, every shape')).toBeCloseTo(3, 12);
  });

  it('has a bound for each size of a step', () => {
    const found = verdicts(
      [
        caseOf('step', [32, 64, 64, 10], { plain: 100, torch: 500 }),
        caseOf('step', [1024, 784, 512, 10], { plain: 100, torch: 90 }),
      ],
      MACHINE,
    );
    expect(found['training step of 32 rows against PyTorch']).toMatchObject({
      value: 5,
      met: true,
    });
    expect(found['training step of 1024 rows against PyTorch']).toMatchObject({
      value: 0.9,
      met: false,
    });
  });
});

describe('ratios', () => {
  it('averages by ratio', () => {
    expect(geometricMean([2, 8])).toBeCloseTo(4, 12);
  });

  it('compares bytes within a cache level only', () => {
    const cases = [
      caseOf('cost-n', [1024, 256], { out: 10 }), // 1 MB, x and y in L2 of 4 MB
      caseOf('cost-n', [2048, 256], { out: 30 }), // the last in L2: 1.5 times a byte
      caseOf('cost-n', [8192, 256], { out: 1000 }), // L3
    ];
    expect(unevenness(cases, MACHINE)).toMatchObject([{ value: 1.5, shape: [2048, 256] }]);
  });
});
