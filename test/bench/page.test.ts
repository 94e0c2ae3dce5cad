// The page of a run as text: who has which mark, a page that is whole and needs nothing else.
import { describe, expect, it } from 'vitest';

import { page } from '../../bench/html/page.js';
import { markOf, MARKS } from '../../bench/html/series.js';
import { caseOf, runOf } from './made-up.js';

describe('series', () => {
  it('knows every contender, and leaves the plain copy out', () => {
    const name = (who: string, how: string): string | undefined => markOf({ who, how })?.name;
    expect(name('evenkeel', 'out')).toBe('evenkeel, into out');
    expect(name('evenkeel', 'a way of tomorrow')).toBe('evenkeel');
    expect(name('PyTorch', '1 thread')).toBe('PyTorch, 1 thread');
    expect(name('PyTorch', '16 threads')).toBe('PyTorch, all threads');
    expect(name('copy', 'read, write')).toBeUndefined();
  });

  it('has no two contenders with the same colour and form', () => {
    const looks = MARKS.filter(({ name }) => name !== 'evenkeel').map(
      ({ colour, form }) => `${colour} ${form}`,
    );
    expect(new Set(looks).size).toBe(looks.length);
  });
});

describe('page', () => {
  const cases = [
    caseOf('forward', [32, 64], { limit: 1, out: 2, ours: 3, torch: 30, wasm: 90 }),
    caseOf('forward', [32, 64, 128], { limit: 10, out: 12, ours: 13, torch: 300 }),
    caseOf('step', [32, 64, 64, 10], { plain: 100, torch: 500 }),
    caseOf('threads', [1024, 1024], { one: 100, two: 55 }),
    caseOf('cost-n', [1024, 256], { limit: 10, out: 12 }),
    caseOf('cost-n', [2048, 256], { limit: 20, out: 24 }),
  ];
  const html = page(runOf(cases));

  it('closes every element it opens', () => {
    const open: string[] = [];
    for (const [, slash, name, alone] of html.matchAll(/<(\/?)([a-zA-Z0-9]+)[^>]*?(\/?)>/g)) {
      if (name === 'meta' || alone !== '') continue;
      if (slash === '') open.push(name!);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });

  it('needs nothing from anywhere', () => {
    expect(html).not.toMatch(/https?:|src=|href=|url\((?!#)|@import|<script/);
  });

  it('is the same text each time', () => {
    expect(page(runOf(cases))).toBe(html);
    expect(html).not.toMatch(/ecmeta|zr\d+-/);
  });

  it('has no mark without a place', () => {
    expect(html).not.toMatch(/NaN|undefined|Infinity|null/);
  });

  it('tells each figure to a resting pointer, and the machine to everyone', () => {
    expect(html).toContain(
      '<title>(32, 64), evenkeel, into out: 2.00 µs (1.80 to 2.40), 50 % of the limit; 9 turns of 1</title>',
    );
    expect(html).toContain('A CPU &lt;with&gt; 4 &quot;cores&quot; &amp; caches');
    expect(html).toContain('without deepbox');
    expect(html).toContain('1.82×');
  });

  it('leaves out charts that have nothing to show', () => {
    expect(page(runOf([]))).not.toContain('<svg');
    expect(page(runOf(cases.slice(0, 1)))).not.toContain('Over threads');
  });
});
