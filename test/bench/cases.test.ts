// The list of cases, what a filter picks, and what a case is held against.
import { describe, expect, it } from 'vitest';

import { allCases, bytesOf, dimsOf } from '../../bench/cases.js';
import { groupNames, select, shapeWord } from '../../bench/filter.js';
import { passesOf, touches } from '../../bench/passes.js';

const cases = allCases(2 ** 27);
const find = (filter: string): string[] =>
  select(cases, filter).map(({ group, shape }) => `${group} ${shapeWord(shape)}`);

describe('the cases', () => {
  it('are named apart', () => {
    const names = cases.map(({ group, operation, shape, dtype }) =>
      [group, operation, shapeWord(shape), dtype].join(' '),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it('grow from 1 to 128 MB along N, C and L', () => {
    for (const group of ['cost-n', 'cost-c', 'cost-l']) {
      const sizes = select(cases, group).map((each) => bytesOf(each) / 2 ** 20);
      expect(sizes).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
    }
  });

  it('hold an array as large as asked for beyond the caches', () => {
    expect(select(cases, 'beyond-cache').map(bytesOf)).toEqual([2 ** 27, 2 ** 27]);
  });

  it('have channels where their layout says', () => {
    expect(dimsOf(select(cases, 'channels-last 32x128x64')[0]!)).toEqual({ n: 32, c: 64, l: 128 });
    expect(dimsOf(select(cases, 'forward 32x64x128')[0]!)).toEqual({ n: 32, c: 64, l: 128 });
    expect(dimsOf(select(cases, 'forward 32x64')[0]!)).toEqual({ n: 32, c: 64, l: 1 });
  });
});

describe('select', () => {
  it('takes a group alone, not what its name begins', () => {
    expect(find('forward')).toHaveLength(14);
    expect(find('backward').every((name) => name.startsWith('backward '))).toBe(true);
  });

  it('takes cases that every word names, of any alternative', () => {
    expect(find('forward 32x64')).toEqual(['forward 32x64']);
    expect(find(' forward  32x64 ,step 32x64x64x10')).toEqual([
      'forward 32x64',
      'step 32x64x64x10',
    ]);
    expect(find('32x64')).toEqual([
      'forward 32x64',
      'evaluate 32x64',
      'backward 32x64',
      'forward+backward 32x64',
      'float64 32x64',
    ]);
    expect(find('float64 256x1024')).toEqual(['float64 256x1024']);
  });

  it.each(['', 'forwards', 'forward 3x3', 'step, forward'.slice(0, 0)])(
    'finds nothing by %j',
    (filter) => {
      expect(find(filter)).toEqual([]);
    },
  );

  it('reaches every group by its name', () => {
    for (const name of groupNames) expect(find(name).length).toBeGreaterThan(0);
  });
});

describe('passesOf', () => {
  const passes = (filter: string): string => passesOf(select(cases, filter)[0]!).join(', ');

  it('reads twice where rows are channels, once where a channel stays in cache', () => {
    expect(passes('forward 256x1024')).toBe('read x, x to out');
    expect(passes('forward 32x64x128')).toBe('x to out');
    expect(passes('channels-last')).toBe('read x, x to out');
    expect(passes('evaluate 256x1024')).toBe('x to out');
    expect(passes('backward 256x1024')).toBe('read x, read dy, read dy, x to dx');
    expect(passes('backward 32x64x128')).toBe('read dy, x to dx');
    expect(passes('forward+backward 32x64x128')).toBe('x to out, read dy, x to dx');
    expect(passes('step')).toBe('');
  });

  it('counts a copy twice: read, write', () => {
    expect(touches(['read x', 'x to out'])).toBe(3);
    expect(touches(['read x', 'read dy', 'read dy', 'x to dx'])).toBe(5);
    expect(touches([])).toBe(0);
  });
});
