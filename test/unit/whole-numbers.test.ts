// Comparisons, arithmetic and sums of int32 and int64: what counts right predictions. Exact, also beyond 2^53.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, type Tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const int32 = (...values: number[]): Tensor => tensor(Int32Array.from(values));
const int64 = (...values: (number | bigint)[]): Tensor =>
  tensor(BigInt64Array.from(values, BigInt));
const NAMES = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;
const EXPECTED = {
  ...{ eq: [0, 1, 0], ne: [1, 0, 1], lt: [1, 0, 0], le: [1, 1, 0], gt: [0, 0, 1], ge: [0, 1, 1] },
};

test('the predictions that are right are counted as in PyTorch', () => {
  const logits = tensor([[1, 2], [4, 3], [0, 1]]); // prettier-ignore
  const right = logits.argmax({ dim: 1 }).eq(int32(1, 1, 1));
  expect(right.dtype).toBe('int32');
  expect(right.sum().item() / 3).toBeCloseTo(2 / 3);
});

describe('comparisons', () => {
  const [low, middle, high] = [-(2n ** 63n), 2n ** 53n, 2n ** 63n - 1n];
  test.each(NAMES)('%s', (name) => {
    const expected = EXPECTED[name];
    const compare = functional[name];
    for (const a of [int32(1, 2, 3), int64(1, 2, 3)]) {
      for (const b of [int32(2, 2, 2), int64(2, 2, 2), int32(2), 2]) {
        expect(compare(a, b).toArray()).toEqual(expected);
      }
    }
    // Neighbours beyond 2^53, which no double tells apart.
    const a = int64(low, middle, high);
    const b = int64(low + 1n, middle, high - 1n);
    expect(compare(a, b).toArray()).toEqual(expected);
    expect(compare(int32(1, 2, 3), int64(2).reshape([])).toArray()).toEqual(expected);
    expect(compare(2, int32(3, 2, 1)).toArray()).toEqual(expected);
  });

  test('with numbers that are not whole, and NaN', () => {
    expect(functional.lt(int64(1, 2), 1.5).toArray()).toEqual([1, 0]);
    expect(functional.eq(int32(1, 2), NaN).toArray()).toEqual([0, 0]);
    expect(functional.ne(int64(1, 2), NaN).toArray()).toEqual([1, 1]);
    expect(functional.lt(int64(1, 2), Infinity).toArray()).toEqual([1, 1]);
  });

  test('broadcast', () => {
    const column = int64(1, 2).reshape([2, 1]);
    expect(functional.ge(column, int32(1, 2, 3)).toArray()).toEqual([[1, 0, 0], [1, 1, 0]]); // prettier-ignore
    expect(functional.eq(int32(), 1).shape).toEqual([0]);
  });

  test('refused: with floats, shapes that do not broadcast, detached', () => {
    expect(thrownBy(() => functional.eq(int32(1), tensor([1])))).toBe(
      'TypeError: eq: expected two operands of floats or two of int32 or int64, ' +
        'got int32 and float32 (x.to(dtype) converts).',
    );
    expect(thrownBy(() => functional.lt(int32(1, 2), int64(1, 2, 3)))).toMatch(
      /^RangeError: lt: expected shapes that broadcast/,
    );
    const detached = int32(1, 2);
    structuredClone(detached.data.buffer, { transfer: [detached.data.buffer as ArrayBuffer] });
    const message = /^gt: expected the second operand to hold the 2 elements/;
    expect(() => functional.gt(int32(1, 2), detached)).toThrow(message);
  });
});

describe('sums', () => {
  test('of all, over dimensions, of none', () => {
    const x = tensor(Int32Array.from({ length: 24 }, (_, i) => i - 3), [2, 3, 4]); // prettier-ignore
    const like = (dtype: 'float64' | 'int64'): Tensor => tensor(x, { dtype });
    for (const dim of [undefined, 0, 1, -1, [0, 2], [0, 1], [1, 2]]) {
      for (const keepdim of [false, true]) {
        const expected = functional.sum(like('float64'), { dim, keepdim });
        for (const each of [x, like('int64')]) {
          const y = functional.sum(each, { dim, keepdim });
          expect(y.dtype).toBe('int64');
          expect(y.shape).toEqual(expected.shape);
          expect(y.toArray()).toEqual(expected.toArray());
        }
      }
    }
    expect(functional.sum(int32()).item()).toBe(0);
    expect(functional.sum(tensor(new Int32Array(0), [2, 0]), { dim: 1 }).toArray()).toEqual([0, 0]);
    expect(functional.sum(int64(5).reshape([])).item()).toBe(5);
  });

  test('exact: more int32 than a double can add, and int64 beyond 2^53', () => {
    const many = 2 ** 22 + 3;
    const x = tensor(new Int32Array(many).fill(2 ** 31 - 1));
    expect(functional.sum(x).data[0]).toBe(BigInt(many) * (2n ** 31n - 1n));
    expect(functional.sum(int64(2n ** 62n, 1, 1)).data[0]).toBe(2n ** 62n + 2n);
    expect(functional.sum(int64(2n ** 63n - 1n, 1)).data[0]).toBe(-(2n ** 63n));
  });

  test('a mean is refused, as in PyTorch', () => {
    expect(() => functional.mean(int32(1, 2))).toThrow(
      "mean: expected the input to be float32 or float64, got int32 (x.to('float32') converts; x.sum().item() / x.numel is the mean of a comparison).",
    );
  });
});

test('beside the event loop', async () => {
  const n = 300_000;
  const a = tensor(Int32Array.from({ length: n }, (_, i) => i % 7));
  const b = tensor(BigInt64Array.from({ length: n }, (_, i) => BigInt(i % 3)));
  class Count extends nn.Module {
    forward(x: Tensor, y: Tensor): Tensor {
      return x.eq(y).sum();
    }
  }
  const expected = Array.from({ length: n }, (_, i) => i % 7 === i % 3).filter(Boolean).length;
  expect((await new Count().forwardAsync(a, b)).item()).toBe(expected);
  expect(new Count().forward(a, b).item()).toBe(expected);
});

describe('arithmetic', () => {
  test('of indices with the offsets of their fields, as in tables of categories', () => {
    const rows = tensor([[0, 3], [2, 1]], { dtype: 'int64' }); // prettier-ignore
    const y = rows.add(int64(0, 4).unsqueeze(0));
    expect([y.dtype, y.toArray()]).toEqual(['int64', [[0, 7], [2, 5]]]); // prettier-ignore
  });

  test.each([
    ['add', [6, 5], [6, 7]],
    ['sub', [-4, -1], [-4, -3]],
    ['mul', [5, 6], [5, 10]],
  ] as const)('%s, of each mixture of dtypes and numbers', (name, expected, withFive) => {
    const operation = functional[name];
    for (const a of [int32(1, 2), int64(1, 2)]) {
      for (const b of [int32(5, 3), int64(5, 3)]) {
        const y = operation(a, b);
        expect(y.dtype).toBe(a.dtype === 'int32' ? b.dtype : 'int64');
        expect(y.toArray()).toEqual(expected);
      }
      const y = operation(a, 5);
      expect([y.dtype, y.toArray()]).toEqual([a.dtype, withFive]);
    }
    expect(operation(int32(), int32()).shape).toEqual([0]);
  });

  test('wraps around, as in PyTorch', () => {
    expect(
      int32(2 ** 31 - 1)
        .add(1)
        .item(),
    ).toBe(-(2 ** 31));
    expect(int32(65_537).mul(65_537).item()).toBe(131_073);
    expect(int64(2n ** 63n - 1n).add(1).data[0]).toBe(-(2n ** 63n));
    expect(int64(2n ** 40n).mul(int64(2n ** 40n)).data[0]).toBe(0n);
    expect(functional.sub(1, int64(2n ** 53n)).data[0]).toBe(1n - 2n ** 53n);
  });

  test('refuses what it would have to round, and floats', () => {
    const words = (body: () => unknown): string => thrownBy(body);
    expect(words(() => int32(1).add(0.5))).toBe(
      "RangeError: add: expected whole numbers for int32, got 0.5 (x.to('float32') converts; arange(n, { dtype: 'float32' }) makes floats).",
    );
    expect(words(() => int64(1).mul(NaN))).toBe(
      'RangeError: mul: expected whole numbers for int64, got NaN.',
    );
    expect(words(() => int32(1).add(2 ** 31))).toMatch(
      /^RangeError: add: expected whole numbers from/,
    );
    expect(words(() => int32(1).add(tensor([1])))).toMatch(
      /^TypeError: add: expected the first operand to be float32/,
    );
    expect(words(() => int32(1, 2).add(int32(1, 2, 3)))).toMatch(
      /^RangeError: add: expected shapes that broadcast/,
    );
  });
});

describe('choices and order', () => {
  const words = (body: () => unknown): string => thrownBy(body);

  test('labels that are padding are masked, and the largest is found', () => {
    const labels = int64(3, -1, 7, 2n ** 53n + 1n);
    const known = labels.ge(0);
    expect(labels.maskedFill(known.eq(0), -100).data[1]).toBe(-100n);
    expect(functional.where(known, labels, 0).data).toEqual(
      BigInt64Array.of(3n, 0n, 7n, 2n ** 53n + 1n),
    );
    expect(labels.max().data[0]).toBe(2n ** 53n + 1n);
    expect(labels.gather(0, int64(3, 0)).data).toEqual(BigInt64Array.of(2n ** 53n + 1n, 3n));
    expect(labels.sort({ descending: true }).indices.toArray()).toEqual([3, 2, 0, 1]);
  });

  test('a row that is longer than a turn beside the event loop', async () => {
    class Largest extends nn.Module {
      forward(x: Tensor): Tensor {
        return functional.cat([x.argmax({ dim: 1 }), x.argmin({ dim: 1 })]);
      }
    }
    const data = Int32Array.from({ length: 2 ** 21 }, (_, i) => (i * 7919) % 1_000_003);
    const rows = tensor(data, [2, 2 ** 20]);
    const found = await new Largest().forwardAsync(rows);
    expect(found.toArray()).toEqual(new Largest().forward(rows).toArray());
    const row = data.subarray(2 ** 20);
    const places = Array.from(found.data, Number);
    expect(places[1]).toBe(row.indexOf(row.reduce((a, b) => Math.max(a, b))));
    expect(places[3]).toBe(row.indexOf(row.reduce((a, b) => Math.min(a, b))));
  });

  test('refuse what they would have to round, two dtypes, and rows of nothing', () => {
    const mask = int32(1, 0);
    expect(words(() => functional.where(mask, int64(1, 2), 0.5))).toMatch(
      /^RangeError: where: expected whole numbers for int64, got 0.5/,
    );
    expect(words(() => int32(1, 2).maskedFill(mask, -Infinity))).toBe(
      'RangeError: maskedFill: expected whole numbers for int32, got -Infinity.',
    );
    expect(words(() => functional.where(mask, int32(1, 2), int64(1, 2)))).toMatch(
      /^TypeError: where: /,
    );
    expect(words(() => functional.where(mask, tensor([1, 2]), int64(1, 2)))).toMatch(
      /^TypeError: where: /,
    );
    expect(words(() => functional.where(mask, 1, 0))).toMatch(
      /^TypeError: where: expected a tensor/,
    );
    expect(words(() => int64().max())).toMatch(/^RangeError: max: expected a dimension of size/);
    expect(words(() => int64().argmin({ dim: 0 }))).toMatch(/^RangeError: argmin: /);
    expect(int64(5).reshape([]).max().item()).toBe(5);
    expect(int64().sort().values.shape).toEqual([0]);
  });
});
