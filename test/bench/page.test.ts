// The report as text: scales and marks by their numbers, a page that is whole and needs nothing else.
import { describe, expect, it } from 'vitest';

import { page } from '../../bench/html/page.js';
import { inOrder, seriesOf } from '../../bench/html/series.js';
import * as svg from '../../bench/html/svg.js';
import { caseOf, runOf } from './made-up.js';

describe('svg', () => {
  it('escapes what markup would take for its own', () => {
    expect(svg.escape('<a href="x">&</a>')).toBe('&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;');
    expect(svg.tag('text', { x: 1.26, class: 'a "b"' }, 'c')).toBe(
      '<text x="1.3" class="a &quot;b&quot;">c</text>',
    );
  });

  it('maps equal ratios to equal lengths', () => {
    const scale = svg.logScale(1, 1000, 100, 400);
    expect([1, 10, 100, 1000].map(scale).map(Math.round)).toEqual([100, 200, 300, 400]);
  });

  it.each([
    [[0.3, 42], false, [0.1, 100]],
    [[1, 10], false, [1, 10]],
    [[7, 7], false, [1, 10]],
    [[10], false, [10, 100]],
    [[130, 480], true, [100, 500]],
    [[0, NaN, 5], false, [1, 10]],
    [[], false, [1, 10]],
  ])('bounds %j (fine: %s) by round numbers', (values, fine, bounds) => {
    const [low, high] = svg.logBounds(values, fine);
    expect([low, high].map((each) => Number(each.toPrecision(6)))).toEqual(bounds);
  });

  it('ticks at powers of ten, and at 2 and 5 where there is room', () => {
    expect(svg.logTicks(svg.logScale(0.1, 1000, 0, 1))).toEqual([0.1, 1, 10, 100, 1000]);
    expect(svg.logTicks(svg.logScale(100, 1000, 0, 1))).toEqual([100, 200, 500, 1000]);
    expect([0.1, 20, 1000, 5e6].map(svg.timeTick)).toEqual(['0.1 µs', '20 µs', '1 ms', '5 s']);
  });
});

describe('series', () => {
  it('knows every contender, and leaves the plain copy out', () => {
    const key = (who: string, how: string): string | undefined => seriesOf({ who, how })?.key;
    expect(key('evenkeel', 'out')).toBe('out');
    expect(key('evenkeel', 'a way of tomorrow')).toBe('ours');
    expect(key('PyTorch', '1 thread')).toBe('torch-1');
    expect(key('PyTorch', '16 threads')).toBe('torch');
    expect(key('copy', 'read, write')).toBeUndefined();
  });

  it('keeps one order', () => {
    const used = ['PyTorch', 'limit', 'PyTorch'].map((who) => seriesOf({ who, how: '2 threads' })!);
    expect(inOrder(used).map(({ key }) => key)).toEqual(['limit', 'torch']);
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
    for (const [, slash, name] of html.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
      if (name === 'meta') continue;
      if (slash === '') open.push(name!);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });

  it('needs nothing from anywhere', () => {
    expect(html).not.toMatch(/https?:|src=|href=|url\(|@import|<script/);
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
