// select, unbind, repeat, any, equal and their like: what test/golden/tensors.test.ts does not have.
import { describe, expect, test } from 'vitest';

import { functional, linspace, nn, scope, tensor, zeros, type Tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const { all, allclose, any, dot, equal, mm, outer, repeat, select, t, tile, unbind } = functional;
const labels = (values: number[], dtype: 'int32' | 'int64'): Tensor => tensor(values, { dtype });

describe('select and unbind', () => {
  test('of labels', () => {
    const x = tensor([[1, 2], [3, 4]], { dtype: 'int64' }); // prettier-ignore
    expect([x.select(0, -1).dtype, x.select(0, -1).toArray()]).toEqual(['int64', [3, 4]]);
    expect(x.unbind(1).map(({ data }) => [...data])).toEqual([[1n, 3n], [2n, 4n]]); // prettier-ignore
    expect(zeros([0, 2]).unbind()).toEqual([]);
  });

  test('one row has a gradient, and the others 0', () => {
    const x = tensor([[1, 2], [3, 4]], { requiresGrad: true }); // prettier-ignore
    scope(() => {
      x.select(0, 1).mul(5).sum().backward();
      x.unbind()[0]!.sum().backward();
    });
    expect(x.grad!.toArray()).toEqual([[1, 1], [5, 5]]); // prettier-ignore
  });

  test('a row is a copy', () => {
    const x = tensor([[1, 2], [3, 4]]); // prettier-ignore
    x.select(0, 0).fill_(9);
    expect(x.toArray()).toEqual([[1, 2], [3, 4]]); // prettier-ignore
  });
});

describe('repeat and tile', () => {
  test('take numbers or a list as methods', () => {
    const x = tensor([1, 2]);
    for (const y of [x.repeat(2, 2), x.repeat([2, 2]), x.tile(2, 2)])
      expect(y.toArray()).toEqual([[1, 2, 1, 2], [1, 2, 1, 2]]); // prettier-ignore
    expect(tensor([[1], [2]]).tile(2).toArray()).toEqual([[1, 1], [2, 2]]); // prettier-ignore
  });

  test('of labels, and into none', () => {
    const y = labels([4, 5], 'int64').repeat(2);
    expect([y.dtype, y.toArray()]).toEqual(['int64', [4, 5, 4, 5]]);
    const x = tensor([1, 2], { requiresGrad: true });
    x.repeat(0).sum().backward();
    expect(x.grad!.toArray()).toEqual([0, 0]);
  });

  test('once is a copy too', () => {
    const x = tensor([1, 2]);
    const y = x.repeat(1);
    y.fill_(7);
    expect(x.toArray()).toEqual([1, 2]);
  });
});

describe('any and all', () => {
  test.each(['int32', 'int64'] as const)('of %s', (dtype) => {
    const x = tensor([[0, 3], [0, 0], [-1, 2]], { dtype }); // prettier-ignore
    expect([any(x, 1).dtype, any(x, 1).toArray(), all(x, 1).toArray()]).toEqual(['int32', [1, 0, 1], [0, 0, 1]]); // prettier-ignore
    expect([any(x, 0).toArray(), all(x, { dim: 0, keepdim: true }).toArray()]).toEqual([[1, 1], [[0, 0]]]); // prettier-ignore
    expect([x.any().item(), x.all().item()]).toEqual([1, 0]);
  });

  test('beside the event loop, of what is still computed', async () => {
    class Some extends nn.Module {
      forward(x: Tensor): Tensor {
        return functional.relu(x).gt(0).any(1);
      }
    }
    const rows = Float32Array.from({ length: 80000 }, (_, i) => (i === 70001 ? 1 : -1));
    const y = await new Some().forwardAsync(tensor(rows, [8, 10000]));
    expect(y.toArray()).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
  });
});

test('isnan, isinf and isfinite of integers', () => {
  const x = labels([0, 5], 'int64');
  expect([x.isnan(), x.isinf(), x.isfinite()].map((mask) => mask.toArray())).toEqual([[0, 0], [0, 0], [1, 1]]); // prettier-ignore
  expect(x.isnan().dtype).toBe('int32');
});

describe('equal and allclose', () => {
  test('of integers and of two dtypes', () => {
    expect(equal(labels([1, 2], 'int64'), labels([1, 2], 'int32'))).toBe(true);
    expect(equal(labels([1, 2], 'int64'), tensor([1, 2.5]))).toBe(false);
    expect(equal(tensor([NaN]), tensor([NaN]))).toBe(false);
    expect(equal(zeros([0, 2]), zeros([0, 3]))).toBe(false);
    expect(allclose(labels([1, 2], 'int64'), labels([1, 3], 'int64'))).toBe(false);
    expect(allclose(labels([100000], 'int32'), labels([100001], 'int32'))).toBe(true);
    const [most, next] = [2n ** 60n, 2n ** 60n + 1n].map((n) => tensor(BigInt64Array.of(n)));
    expect(allclose(most!, next!, { rtol: 0 })).toBe(false);
    expect(allclose(most!, next!, { rtol: 0, atol: 1 })).toBe(true);
  });

  test('beside the event loop, of what is still computed', async () => {
    class Compared extends nn.Module {
      forward(x: Tensor): Tensor {
        return functional.relu(x).equal(x.detach()) ? x : x.mul(0);
      }
    }
    const x = tensor(Float32Array.from({ length: 65536 }, (_, i) => i));
    expect((await new Compared().forwardAsync(x)).sum().item()).toBe((65536 * 65535) / 2);
  });
});

test('cumsum of labels, wrapping around, and with its dtype', () => {
  const lengths = tensor([[1, 2], [3, 2 ** 31 - 1]], { dtype: 'int32' }); // prettier-ignore
  const sums = lengths.cumsum(0);
  expect([sums.dtype, sums.toArray()]).toEqual(['int64', [[1, 2], [4, 2 ** 31 + 1]]]); // prettier-ignore
  const most = tensor(BigInt64Array.of(2n ** 63n - 1n, 1n, 5n));
  expect([...most.cumsum(0).data]).toEqual([2n ** 63n - 1n, -(2n ** 63n), -(2n ** 63n) + 5n]);
});

test('cumsum is added in double', () => {
  const x = tensor([1e8, 1, 1, 1, -1e8]);
  expect(x.cumsum(0).toArray<number[]>().at(-1)).toBe(3);
});

test.each(['float32', 'float64'] as const)(
  'floor, ceil, round and trunc of %s as JavaScript has them',
  (dtype) => {
    const list = Float64Array.from(
      { length: 5000 },
      (_, i) => Math.sin(i * 1.7) * 2 ** (((i * 7) % 60) - 4),
    );
    const x = tensor(list, { dtype });
    const numbersOf = (y: Tensor): number[] => Array.from(y.data as Float64Array);
    const values = numbersOf(x);
    expect(numbersOf(x.floor())).toEqual(values.map(Math.floor));
    expect(numbersOf(x.ceil())).toEqual(values.map(Math.ceil));
    expect(numbersOf(x.trunc())).toEqual(values.map(Math.trunc));
    const even = (value: number): number => {
      const below = Math.floor(value);
      if (value - below !== 0.5) return value < 0 ? -Math.round(-value) : Math.round(value);
      return below % 2 === 0 ? below : below + 1;
    };
    expect(numbersOf(x.round())).toEqual(values.map(even));
  },
);

test('linspace has both ends exactly, and its dtype', () => {
  const x = linspace(0.1, 0.7, 7, { dtype: 'float64', requiresGrad: true });
  expect([x.data[0], x.data[6], x.dtype, x.requiresGrad]).toEqual([0.1, 0.7, 'float64', true]);
  expect(linspace(0, 1, 3).dtype).toBe('float32');
  const wide = linspace(-8e307, 8e307, 3, { dtype: 'float64' });
  expect(wide.toArray()).toEqual([-8e307, 0, 8e307]);
});

describe('what is refused', () => {
  const matrix = zeros([2, 3]);
  // prettier-ignore
  const wrong: [name: string, use: () => unknown, error: string][] = [
    ['a place of a scalar', () => select(tensor(1), 0, 0), 'RangeError: select: expected a tensor of at least 1 dimension (select() cannot be applied to a 0-dim tensor), got shape [].'],
    ['a place that is none', () => select(matrix, 0, 2), 'RangeError: select: expected index from -2 to 1 (index out of range), got 2.'],
    ['a place of an empty dimension', () => select(zeros([0]), 0, 0), 'RangeError: select: expected index into a dimension that is not empty (index out of range), got 0.'],
    ['a fraction', () => select(matrix, 0, 0.5), 'RangeError: select: expected index from -2 to 1 (index out of range), got 0.5.'],
    ['no index', () => select(matrix, 0, undefined as never), 'TypeError: select: expected index to be a whole number, got undefined.'],
    ['the parts of a scalar', () => unbind(tensor(1)), 'RangeError: unbind: expected a tensor of at least 1 dimension (the tensor has no dimensions), got shape [].'],
    ['too many parts', () => unbind(zeros([2 ** 20 + 1])), 'RangeError: unbind: expected at most 1048576 parts, got 1048577.'],
    ['three dimensions', () => t(zeros([1, 2, 3])), 'RangeError: t: expected at most 2 dimensions (transpose exchanges two of more), got shape [1, 2, 3].'],
    ['too few numbers', () => repeat(matrix, [2]), 'RangeError: repeat: expected a number for each of 2 dimensions (Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor), got [2].'],
    ['a number below 0', () => repeat(matrix, [2, -1]), 'RangeError: repeat: expected every number to be a whole number of at least 0, got -1.'],
    ['no list', () => tile(matrix, 2 as never), 'TypeError: tile: expected an array of how often, one number a dimension, got 2.'],
    ['more than there can be', () => tile(matrix, [2 ** 40, 2 ** 40]), 'RangeError: tile: expected at most 2^53 - 1 elements, got shape [2199023255552, 3298534883328].'],
    ['vectors', () => mm(zeros([3]), matrix), 'RangeError: mm: expected two matrices (self must be a matrix; matmul takes vectors and batches), got [3] and [2, 3].'],
    ['matrices that do not fit', () => mm(matrix, matrix), 'RangeError: mm: expected shapes [m, k] and [k, n] (mat1 and mat2 shapes cannot be multiplied), got [2, 3] and [2, 3].'],
    ['matrices', () => dot(matrix, matrix), 'RangeError: dot: expected two vectors (1D tensors expected), got [2, 3] and [2, 3].'],
    ['two lengths', () => dot(zeros([3]), zeros([4])), 'RangeError: dot: expected vectors of one length (inconsistent tensor size), got [3] and [4].'],
    ['a matrix', () => outer(zeros([3]), matrix), 'RangeError: outer: expected two vectors (Expected 1-D argument), got [3] and [2, 3].'],
    ['two dtypes', () => outer(zeros([3]), zeros([3]).double()), "TypeError: outer: expected the second operand to be float32 like the input, got float64 (all inputs must share same datatype; x.to('float32') converts)."],
    ['no bound', () => functional.clip(matrix, {}), 'TypeError: clip: expected min or max (At least one of min or max must not be None), got neither.'],
    ['a dimension that is none', () => any(matrix, 2), 'RangeError: any: expected dim from -2 to 1 (Dimension out of range), got 2.'],
    ['a text', () => all(matrix, { keepdim: 'yes' as never }), "TypeError: all: expected keepdim to be a boolean, got 'yes'."],
    ['shapes that do not broadcast', () => allclose(zeros([2]), zeros([3])), 'RangeError: allclose: expected shapes that broadcast (the size of tensor a must match the size of tensor b at non-singleton dimension 0), got [2] and [3].'],
    ['two dtypes', () => allclose(zeros([2]), zeros([2]).double()), "TypeError: allclose: expected the second operand to be float32 like the input, got float64 (all inputs must share same datatype; x.to('float32') converts)."],
    ['a tolerance below 0', () => allclose(matrix, matrix, { rtol: -1 }), 'RangeError: allclose: expected rtol to be a finite number of at least 0, got -1.'],
    ['a number', () => equal(matrix, 2 as never), 'TypeError: equal: expected the second operand to be a Tensor, got 2.'],
    ['an end of ∞', () => linspace(0, Infinity, 3), 'RangeError: linspace: expected end to be a number from -8.988465674311579e+307 to 8.988465674311579e+307, got Infinity.'],
    ['steps below 0', () => linspace(0, 1, -1), 'RangeError: linspace: expected steps to be a whole number of at least 0, got -1.'],
    ['integers', () => linspace(0, 1, 3, { dtype: 'int64' }), "RangeError: linspace: expected dtype to be 'float32' or 'float64', got 'int64'."],
  ];
  test.each(wrong)('%s', (_, use, error) => {
    expect(thrownBy(use)).toBe(error);
  });
});
