// What the addon itself refuses, because it would read or write past an array: the package's own checks never let such
// calls through, so nothing else makes them but scripts/fuzz-addon.mjs, at random.
import { describe, expect, test } from 'vitest';

import { addon } from '../../src/addon/control.js';

const f = (n: number): Float32Array => new Float32Array(n).fill(0.5);
const blank = (n: number): Float32Array => new Float32Array(n).fill(7);

describe('windows', () => {
  /** Of 2 rows of 4 values: two windows, and how far apart the values of a window are. */
  const pooled = (bounds: readonly number[], dilation = 1): (() => Float32Array) => {
    return () => {
      const y = blank(4);
      addon.maxWindows(f(8), y, null, Int32Array.from(bounds), 2, 4, 2, dilation);
      return y;
    };
  };

  test('within a row are computed, the last value and none among them', () => {
    expect(pooled([0, 3, 1, 4])()).toEqual(f(4));
    expect(pooled([0, 4, 4, 4])()[1]).toBe(-Infinity);
  });

  test.each([
    ['that end behind a row', [0, 3, 1, 5]],
    ['that begin before it', [-1, 3, 1, 4]],
    ['that end before they begin', [3, 2, 1, 4]],
  ] as const)('%s are refused', (_, bounds) => {
    expect(pooled(bounds)).toThrow('expected bounds to be within the length, got others.');
  });

  test('without a distance between their values are refused', () => {
    expect(pooled([0, 3, 1, 4], 0)).toThrow('expected dilation to be at least 1, got 0.');
  });
});

describe('convolutions', () => {
  /** samples, in, out, groups, length, outLength, taps, stride, dilation, pad */
  const shape = [2, 3, 3, 3, 4, 4, 2, 1, 1, 1] as const;
  type Shape = [number, number, number, number, number, number, number, number, number, number];
  const changed = (at: number, value: number): Shape =>
    shape.map((size, i) => (i === at ? value : size)) as Shape;

  test.each([
    ['no groups', 3, 0, 'groups'],
    ['groups that do not divide the channels', 3, 2, 'groups'],
    ['no taps', 6, 0, 'taps, stride and dilation'],
    ['no stride', 7, 0, 'taps, stride and dilation'],
    ['no dilation', 8, 0, 'taps, stride and dilation'],
    ['a window longer than any array', 8, 2 ** 53 - 1, 'shape'],
    ['results further apart than any array', 7, 2 ** 53 - 1, 'shape'],
  ])('of %s are refused', (_, at, value, name) => {
    const y = blank(24);
    expect(() => {
      addon.conv1d(f(24), f(6), null, y, ...changed(at, value));
    }).toThrow(`expected ${name} to be `);
    expect(y).toEqual(blank(24));
  });

  test('take totals of a gradient only where each channel has its own filter', () => {
    const totals = new Float64Array(6).fill(7);
    addon.conv1dWeightGradient(f(24), f(24), blank(6), totals, ...shape);
    expect(totals).not.toContain(7);
    const dense = changed(3, 1);
    const dweight = blank(18);
    expect(() => {
      addon.conv1dWeightGradient(f(24), f(24), dweight, new Float64Array(18), ...dense);
    }).toThrow('expected totals to be null, or a depthwise shape, got an array.');
    expect(dweight).toEqual(blank(18));
  });
});

describe('watches', () => {
  test.each([2 ** 24, 2 ** 24 + 1, 2 ** 53 - 1])('of slot %d are refused', (slot) => {
    const message = 'expected slot to be below 2^24';
    expect(() => {
      addon.weakWatch(slot, {});
    }).toThrow(message);
    expect(() => {
      addon.weakForget(slot);
    }).toThrow(message);
    expect(() => addon.weakAlive(slot)).toThrow(message);
  });
});

describe('sizes', () => {
  test.each([-1, 0.5, NaN, Infinity, 2 ** 53, 2 ** 64])('of %d are refused', (n) => {
    const y = blank(8);
    expect(() => {
      addon.relu(f(8), y, n);
    }).toThrow('expected n to be a whole number from 0 to 2^53 - 1');
    expect(y).toEqual(blank(8));
  });

  test('whose product is that of the array only past 2^64 are refused', () => {
    expect(() => {
      addon.columnSums(f(0), f(0), 2 ** 52, 2 ** 12);
    }).toThrow('expected shape to be at most 2^53 - 1 elements, got more.');
  });

  test.each([7, 9])('%d of an array of 8 are refused', (n) => {
    expect(() => {
      addon.relu(f(8), f(8), n);
    }).toThrow(`to be a Float32Array of length ${n}, got length 8.`);
  });
});
