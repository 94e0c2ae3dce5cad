// What a program for PyTorch may write and JavaScript would take without a word.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, type Tensor } from '../../src/index.js';

const loss = functional.sum(tensor([2, 3], { requiresGrad: true }));

describe("JavaScript's operators", () => {
  const uses: Record<string, (x: number) => unknown> = {
    'x + 1': (x) => x + 1,
    '1 - x': (x) => 1 - x,
    '0.5 * x': (x) => 0.5 * x,
    '-x': (x) => -x,
    'x > 2': (x) => x > 2,
    'Math.sqrt(x)': (x) => Math.sqrt(x),
  };
  test.each(Object.entries(uses))('%s is an error that says what to write', (_, use) => {
    expect(() => use(loss as never)).toThrow(
      new TypeError(
        "Tensor: JavaScript's operators do not work on tensors, write x.add(1), x.mul(2) or x.gt(0); " +
          'x.item() is the number of one element.',
      ),
    );
  });

  test('text is as it was', () => {
    expect([String(loss), [loss].join()]).toEqual(Array(2).fill('tensor(5., gradFn=<sum>)'));
    expect({ [String(loss)]: 1 }).toEqual({ [loss.toString()]: 1 });
  });
});

test('requires_grad is not set in vain', () => {
  const { weight } = new nn.Linear(2, 2);
  const words = 'Tensor: expected requiresGrad, got requires_grad.';
  expect(() => Object.assign(weight, { requires_grad: false })).toThrow(words);
  expect(() => (weight as unknown as { requires_grad: boolean }).requires_grad).toThrow(words);
  expect([weight.requiresGrad, Object.keys(weight).includes('requires_grad')]).toEqual([
    true,
    false,
  ]);
});

describe('ndim and T', () => {
  test('of a scalar, a vector, a matrix', () => {
    const all = [tensor(3), tensor([1, 2, 3]), tensor([[1, 2, 3], [4, 5, 6]])]; // prettier-ignore
    expect(all.map(({ ndim }) => ndim)).toEqual([0, 1, 2]);
    const turned: unknown[] = [3, [1, 2, 3], [[1, 4], [2, 5], [3, 6]]]; // prettier-ignore
    expect(all.map((x) => x.T.toArray())).toEqual(turned);
    expect(tensor(new BigInt64Array([1n, 2n]), [1, 2]).T.shape).toEqual([2, 1]);
  });

  test('T has a gradient', () => {
    const x = tensor([[1, 2, 3]], { requiresGrad: true });
    x.T.backward(tensor([[5], [6], [7]]));
    expect(x.grad?.toArray()).toEqual([[5, 6, 7]]);
  });

  test('T of more dimensions is refused, and neither can be assigned', () => {
    const x = tensor([[[1]]]);
    expect(() => x.T).toThrow(
      'Tensor.T: expected at most 2 dimensions (transpose exchanges two of more), got shape [1, 1, 1].',
    );
    expect(() => Object.assign(x, { ndim: 2 })).toThrow(/ndim to be left as it is/);
    expect(() => Object.assign(x, { T: x })).toThrow(TypeError);
  });
});

test('the depth of toArray is what the type says', () => {
  const rows: number[][] = tensor([[1, 2], [3, 4]]).toArray(); // prettier-ignore
  const deep = (x: Tensor): number => x.toArray<number[]>()[0]!;
  expect([rows.map(([first]) => first), deep(tensor([7]))]).toEqual([[1, 3], 7]);
});
