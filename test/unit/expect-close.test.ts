// The comparison that the golden tests rest on must be able to fail.
import { describe, expect, test } from 'vitest';

import { tensor } from '../../src/index.js';
import { expectAllClose, expectSameBits } from '../helpers/expect-close.js';
import { thrownBy } from '../helpers/snapshot.js';

const within = { tolerance: 0.5 };

describe('expectAllClose', () => {
  test('accepts what is within the tolerance, its edge included', () => {
    expectAllClose([1, 2.5, -3], [1.5, 2, -3], within);
    expectAllClose([Infinity, -Infinity, NaN], [Infinity, -Infinity, NaN], within);
    expectAllClose([0], [-0], { tolerance: 0 });
    expectAllClose([1 + 2 ** -23], [1], { k: 2, scale: 1 });
    expectAllClose(tensor([[1, 2]]), { data: [1, 2], shape: [1, 2] }, within);
  });

  test.each([
    ['NaN for a number', [NaN], [1]],
    ['a number for NaN', [1], [NaN]],
    ['an infinity for the other', [Infinity], [-Infinity]],
    ['a number for an infinity', [1e308], [Infinity]],
    ['beyond the edge', [1.5000001], [1]],
    ['a missing element', [1], [1, 1]],
    ['one too many', [1, 1], [1]],
  ])('rejects %s', (_, actual, expected) => {
    expect(() => expectAllClose(actual, expected, within)).toThrow();
  });

  test('rejects other shapes, and nothing at all', () => {
    const row = { data: [1, 2], shape: [1, 2] };
    expect(() => expectAllClose(tensor([1, 2]), row, within)).toThrow('shape [2], expected [1,2]');
    expect(() => expectAllClose(null, [1], within)).toThrow('actual is null');
    expect(() => expectAllClose(undefined, [1], within)).toThrow('actual is undefined');
    expect(() => expectAllClose([1], null, within)).toThrow('expected is null');
  });

  test('rejects a tolerance that cannot fail', () => {
    for (const tolerance of [NaN, Infinity, -1, [NaN]]) {
      expect(() => expectAllClose([1], [1], { tolerance })).toThrow('tolerance');
    }
    expect(() => expectAllClose([1], [1], { k: NaN, scale: 1 })).toThrow('k is NaN');
    expect(() => expectAllClose([1], [1], { tolerance: [] })).toThrow('0 tolerances');
  });

  test('names the worst element, relative to its own tolerance', () => {
    const message = thrownBy(() =>
      expectAllClose([1, 20, 3], [1.25, 10, 4], { k: 2, unit: 0.125, scale: [1, 40, 1] }, 'dx'),
    );
    expect(message).toBe(
      'Error: dx: worst at index 2 of 3: got 3, expected 4, error 8.000 units of 0.1250 where 2 are allowed',
    );
  });
});

describe('expectSameBits', () => {
  test('tells zeros apart, and NaN from numbers', () => {
    expectSameBits([NaN, -0, 1], [NaN, -0, 1]);
    expect(() => expectSameBits([0], [-0])).toThrow('index 0 of 1: got 0, expected -0');
    expect(() => expectSameBits([NaN], [1])).toThrow();
    expect(() => expectSameBits([1], [1, 2])).toThrow();
  });
});
