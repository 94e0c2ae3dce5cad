// norm and cdist: exactness, corners and arguments. test/golden/tensors.test.ts has PyTorch's values.
import { describe, expect, test } from 'vitest';

import { functional, tensor, zeros, type Tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const { cdist, cosineSimilarity, norm } = functional;
const leaf = (values: number[][]): Tensor => tensor(values, { requiresGrad: true });
const calls = cosineSimilarity as (...given: unknown[]) => unknown;

describe('norm', () => {
  test('takes p and the dimension as PyTorch does, or options', () => {
    const x = tensor([[3, 4], [6, 8]]); // prettier-ignore
    expect(x.norm(1).item()).toBe(21);
    expect(x.norm({ dim: 1 }).toArray()).toEqual([5, 10]);
    for (const y of [norm(x, 2, 1, true), x.norm(2, { dim: 1, keepdim: true })])
      expect(y.toArray()).toEqual([[5], [10]]);
    expect(x.norm(Infinity, [0, 1]).item()).toBe(8);
    expect(tensor(-3).norm().item()).toBe(3);
  });

  test('float32 does not overflow', () => {
    expect(tensor([3e30, 4e30]).norm().item()).toBe(Math.fround(5e30));
  });

  test.each([0.5, 1, 1.5, 2, 3, Infinity])('p = %d: the gradient at 0 is 0', (p) => {
    const x = leaf([[0, 0], [3, 4]]); // prettier-ignore
    x.norm(p, 1).sum().backward();
    const [first, second] = x.grad!.toArray<number[][]>();
    expect(first).toEqual([0, 0]);
    expect(second!.every(Number.isFinite)).toBe(true);
  });
});

describe('cdist', () => {
  test('has the distance of close rows far from 0', () => {
    // By way of |a|² + |b|² - 2ab, as PyTorch computes more than 25 rows, these are 0 or far off.
    const far = tensor(Array.from({ length: 40 }, (_, i) => [4096, i / 1024]));
    const wanted = Array.from({ length: 40 }, (_, i) => Array.from({ length: 40 }, (_, j) => Math.abs(i - j) / 1024)); // prettier-ignore
    expect(cdist(far, far).toArray()).toEqual(wanted);
  });

  test('has the gradient 0 at the distance 0', () => {
    const x = leaf([[1, 2], [1, 2], [4, 6]]); // prettier-ignore
    cdist(x, x).sum().backward();
    const [a, b, c] = x.grad!.toArray<number[][]>();
    expect([a, b]).toEqual([a, a]);
    // Each of the two pulls by 0.6 and 0.8, as a row and as a column.
    expect([a, c]).toEqual([
      [2 * Math.fround(-0.6), 2 * Math.fround(-0.8)],
      [4 * Math.fround(0.6), 4 * Math.fround(0.8)],
    ]);
  });
});

describe('what is refused', () => {
  // prettier-ignore
  const wrong: [name: string, use: () => unknown, error: string][] = [
    ['p of 0', () => norm(tensor([1]), 0), 'RangeError: norm: expected p above 0, got 0.'],
    ['a name of a norm', () => norm(tensor([1]), { p: 'fro' as never }), "TypeError: norm: expected p to be a number, got 'fro'."],
    ['NaN', () => norm(tensor([1]), NaN), 'RangeError: norm: expected p above 0, got NaN.'],
    ['integers', () => tensor([1], { dtype: 'int64' }).norm(), "TypeError: norm: expected the input to be float32 or float64, got int64 (x.to('float32') converts)."],
    ['p twice', () => norm(tensor([1]), 2, { p: 1 } as never), 'TypeError: norm: expected 2 arguments, got 3 (an object with p).'],
    ['another option', () => norm(tensor([1]), 2, { dims: 1 } as never), "TypeError: norm: expected options among p, dim, keepdim, got 'dims' (did you mean 'dim'?)."],
    ['no dimension of it', () => norm(tensor([1]), 2, 1), 'RangeError: norm: expected dim from -1 to 0 (Dimension out of range), got 1.'],
    ['a keepdim of 1', () => norm(tensor([1]), 2, 0, 1 as never), 'TypeError: norm: expected keepdim to be a boolean, got 1.'],
    ['one argument more', () => norm(tensor([1]), ...([2, 0, true, 1] as unknown as [number])), 'TypeError: norm: expected 4 arguments, got 5 (1).'],
    ['options and more', () => norm(tensor([1]), {}, 1), 'TypeError: norm: expected 2 arguments, got 3 (1).'],
    ['the largest of none', () => norm(zeros([0]), Infinity), 'RangeError: amax: expected a dimension of size at least 1 to reduce (the operation does not have an identity), got shape [0].'],
    ['rows of two sizes', () => cdist(zeros([2, 3]), zeros([2, 1])), 'RangeError: cdist: expected shapes [M, size] and [N, size] (X1 and X2 must have the same number of columns), got [2, 3] and [2, 1].'],
    ['a vector', () => cdist(zeros([3]), zeros([2, 3])), 'RangeError: cdist: expected shapes [M, size] and [N, size] (X1 and X2 must have the same number of columns), got [3] and [2, 3].'],
    ['two dtypes', () => cdist(zeros([1, 3]), zeros([2, 3]).double()), "TypeError: cdist: expected the second operand to be float32 like the input, got float64 (all inputs must share same datatype; x.to('float32') converts)."],
    ['shapes that do not broadcast', () => cosineSimilarity(zeros([2, 3]), zeros([2, 4])), 'RangeError: cosineSimilarity: expected shapes that broadcast (the size of tensor a must match the size of tensor b at non-singleton dimension 1), got [2, 3] and [2, 4].'],
    ['a flag behind the dimension', () => calls(zeros([2, 3]), zeros([2, 3]), 1, true), 'TypeError: cosineSimilarity: expected 3 arguments, got 4 (true).'],
  ];
  test.each(wrong)('%s', (_, use, error) => {
    expect(thrownBy(use)).toBe(error);
  });
});
