// One beyond the last: layouts, windows, indices and sizes at the edge of an array. Each has been seen to fail with one line of
// the binding or the native code broken.
import { describe, expect, test } from 'vitest';

import { functional, nn, noGrad, tensor } from '../../src/index.js';
import { loadAddon } from '../helpers/child.js';
import { thrownBy } from '../helpers/snapshot.js';

type Call = (...args: unknown[]) => unknown;
const addon = loadAddon() as Record<'copyStrided' | 'maxWindows' | 'maxWindowsBackward' | 'reduce', Call>; // prettier-ignore

describe('copyStrided', () => {
  const copy = (offsetFrom: number, offsetTo: number): number[] => {
    const to = new Float32Array(4);
    const layout = Float64Array.of(offsetFrom, offsetTo, 3, 1, 1);
    addon.copyStrided(Float32Array.of(1, 2, 3, 4), to, 4, 4, layout, 1);
    return [...to];
  };
  test('reaches the last element, and none behind it', () => {
    expect(copy(1, 1)).toEqual([0, 2, 3, 4]);
    expect(() => copy(2, 0)).toThrow('expected layout to be within the arrays, got beyond one');
    expect(() => copy(0, 2)).toThrow('expected layout to be within the arrays, got beyond one');
    expect(() => copy(-1, 0)).toThrow('expected layout to be within the arrays, got beyond one');
  });
});

describe('maxWindows', () => {
  const largest = (begin: number, end: number): number => {
    const y = new Float32Array(1);
    addon.maxWindows(Float32Array.of(5, 7, 6), y, null, Int32Array.of(begin, end), 1, 3, 1, 1);
    return y[0]!;
  };
  test('a window may be empty and end with the row; it may not end before it begins, nor behind the row', () => {
    expect(largest(1, 3)).toBe(7);
    expect(largest(3, 3)).toBe(-Infinity);
    for (const [begin, end] of [[2, 1], [3, 0], [1, 4], [-1, 2]] as const) { // prettier-ignore
      expect(() => largest(begin, end)).toThrow('expected bounds to be within the length');
    }
  });

  test('a place that is none of the row gets no gradient', () => {
    const memory = new Float32Array(8).fill(9);
    const dx = memory.subarray(2, 5);
    const indices = Int32Array.of(3, 1, -1, 2 ** 31 - 1);
    addon.maxWindowsBackward(Float32Array.of(10, 20, 40, 80), indices, dx, 1, 3, 4);
    expect([...memory]).toEqual([9, 9, 0, 20, 0, 9, 9, 9]);
  });
});

describe('the number of elements', () => {
  test.each([
    [2 ** 52, 2 ** 12],
    [2 ** 12, 2 ** 52],
    [2 ** 32, 2 ** 32],
    [2 ** 53 - 1, 2],
  ])('%i · %i is more than any array has, and not what is left of it in 64 bits', (outer, size) => {
    expect(() => addon.reduce(new Float32Array(0), new Float32Array(0), 0, outer, size, 1, 0)).toThrow('expected shape to be at most 2^53 - 1 elements, got more'); // prettier-ignore
  });
});

test('a job too refuses a result in memory of an operand', () => {
  const { jobs } = addon as unknown as { jobs: Record<'batchNormForward', Call> };
  const memory = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const [x, y] = [memory.subarray(0, 6), memory.subarray(2, 8)];
  const rest = [null, null, null, null, new Float64Array(6), false, false, 0.1, 1e-5, false];
  expect(() => jobs.batchNormForward(x, y, 3, 2, 1, ...rest, 1)).toThrow(
    'expected out to be memory of its own, got another operand',
  );
  expect([...memory]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a probability outside of [0, 1] is found wherever it is', () => {
  for (const at of [0, 1, 2, 4095, 4096, 9999]) {
    const values = new Float32Array(10_000).fill(0.5);
    values[at] = 1.5;
    expect(
      thrownBy(() => functional.binaryCrossEntropy(tensor(values), tensor(new Float32Array(10_000)))),
    ).toMatch(new RegExp(`1\\.5 at index ${at}\\.$`));
  }
});

test('variances near the largest double are merged, and not infinite', () => {
  const bn = new nn.BatchNorm1d(1, { dtype: 'float64', momentum: 1 });
  const x = tensor(Float64Array.of(1e154, -1e154, 1e154, -1e154), [4, 1]);
  noGrad(() => {
    using batch = nn.virtualBatch(bn);
    bn.forward(x);
    bn.forward(x);
    batch.commit();
  });
  // Σ x² / (n - 1) of eight values of 1e154
  expect(Number(bn.runningVar!.data[0]) / 1e308).toBeCloseTo(8 / 7, 12);
});

test.each([Int32Array.of(3), BigInt64Array.of(3n)])('an index of as much as the size: %s', (index) => {
  const rows = tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]);
  const found = /expected (indices|class targets) from 0 to 2, got 3n? at index 0\.$/;
  expect(() => functional.indexSelect(rows, 0, tensor(index))).toThrow(found);
  expect(() => functional.gather(rows, 0, tensor(index, [1, 1]))).toThrow(found);
  expect(() => functional.embedding(tensor(index), rows)).toThrow(found);
  const logits = tensor(Float32Array.of(1, 2, 3), [1, 3]);
  expect(() => functional.crossEntropy(logits, tensor(index))).toThrow(found);
});
