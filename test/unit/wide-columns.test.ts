// Reductions over the rows of a wide matrix are cut into strips of columns, those of a narrower one into parts of rows: a
// column has the same bits in both. And broadcasts of many shapes, more than are remembered.
import { describe, expect, test } from 'vitest';

import { functional, tensor, type Tensor } from '../../src/index.js';

const ROWS = 400;
/** 10 strips, and 5: fewer than are worth while. */
const [WIDE, NARROW] = [1200, 600];

function matrix(columns: number, dtype: 'float32' | 'float64'): Tensor {
  const array =
    dtype === 'float32' ? new Float32Array(ROWS * columns) : new Float64Array(ROWS * columns);
  for (let r = 0; r < ROWS; r++) {
    for (let c = 0; c < columns; c++) {
      array[r * columns + c] = Math.sin(r * 7.3 + (c % NARROW) * 1.7) * 10 ** ((c % 7) - 3);
    }
  }
  array[5 * columns + 3] = NaN;
  array[9 * columns + 4] = -Infinity;
  return tensor(array, [ROWS, columns]);
}

const REDUCTIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  sum: (x) => functional.sum(x, { dim: 0 }),
  mean: (x) => functional.mean(x, { dim: 0 }),
  var: (x) => functional.var(x, { dim: 0 }),
  logsumexp: (x) => functional.logsumexp(x, { dim: 0 }),
  amax: (x) => functional.amax(x, { dim: 0 }),
  amin: (x) => functional.amin(x, { dim: 0 }),
};

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  test.each(Object.keys(REDUCTIONS))('%s of a column', (name) => {
    const reduce = REDUCTIONS[name]!;
    const wide = reduce(matrix(WIDE, dtype)).data;
    const narrow = reduce(matrix(NARROW, dtype)).data;
    const bytes = NARROW * narrow.BYTES_PER_ELEMENT;
    const bits = (from: ArrayLike<unknown>): Uint8Array => {
      const { buffer, byteOffset } = from as Float32Array;
      return new Uint8Array(buffer, byteOffset, bytes);
    };
    expect(Buffer.compare(bits(wide), bits(narrow))).toBe(0);
  });
});

test('a column sum is exact where the values are whole', () => {
  const x = tensor(
    Float32Array.from({ length: ROWS * WIDE }, (_, i) => i % 1001),
    [ROWS, WIDE],
  );
  const expected = new Float64Array(WIDE);
  x.data.forEach((value, i) => (expected[i % WIDE]! += Number(value)));
  expect([...functional.sum(x, { dim: 0 }).data]).toEqual([...expected]);
});

test('a broadcast of any of many shapes, again and again', () => {
  for (let round = 0; round < 2; round++) {
    for (let rows = 1; rows < 8; rows++) {
      for (let columns = 1; columns < 40; columns += 3) {
        const x = tensor(
          Float32Array.from({ length: rows * columns }, (_, i) => i),
          [rows, columns],
        );
        const column = tensor(
          Float32Array.from({ length: rows }, (_, r) => 10 * r),
          [rows, 1],
        );
        const row = tensor(
          Float32Array.from({ length: columns }, (_, c) => 100 * c),
          [columns],
        );
        const expected = Array.from(
          x.data as Float32Array,
          (value, i) => value - 10 * Math.floor(i / columns),
        );
        expect([...functional.sub(x, column).data]).toEqual(expected);
        expect([...functional.sub(row, column).data]).toEqual(
          Array.from(
            x.data as Float32Array,
            (_, i) => 100 * (i % columns) - 10 * Math.floor(i / columns),
          ),
        );
      }
    }
  }
});
