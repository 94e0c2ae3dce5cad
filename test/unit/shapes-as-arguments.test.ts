// Shapes and dimensions as numbers, as methods of PyTorch's tensors take them: `x.view(2, -1)`, `x.size(0)`.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, zeros, type Tensor } from '../../src/index.js';

const leaf = (): Tensor => tensor([[1, 2, 3], [4, 5, 6]], { requiresGrad: true }); // prettier-ignore

describe('numbers in the place of a list', () => {
  const uses: Record<string, [(x: Tensor) => Tensor, (x: Tensor) => Tensor]> = {
    reshape: [(x) => x.reshape(3, -1), (x) => functional.reshape(x, [3, -1])],
    'reshape to one': [(x) => x.reshape(-1), (x) => functional.reshape(x, [6])],
    view: [(x) => x.view(3, -1), (x) => functional.reshape(x, [3, 2])],
    'view of a list': [(x) => x.view([1, 6]), (x) => functional.reshape(x, [1, 6])],
    'view as another': [(x) => x.view(...x.T.shape), (x) => functional.reshape(x, [3, 2])],
    permute: [(x) => x.permute(1, 0), (x) => functional.permute(x, [1, 0])],
    expand: [(x) => x.expand(2, -1, 3), (x) => functional.expand(x, [2, -1, 3])],
    flip: [(x) => x.flip(0, 1), (x) => functional.flip(x, [0, 1])],
    'flip of one': [(x) => x.flip(1), (x) => functional.flip(x, 1)],
    flatten: [(x) => x.flatten(0), (x) => functional.flatten(x)],
    'flatten from one on': [
      (x) => x.unsqueeze(0).flatten(1),
      (x) => functional.flatten(x.unsqueeze(0), { startDim: 1 }),
    ],
    'flatten of two': [
      (x) => functional.flatten(x.unsqueeze(2), 0, 1),
      (x) => functional.flatten(x.unsqueeze(2), { endDim: 1 }),
    ],
  };
  test.each(Object.entries(uses))('%s, with its gradient', (_, [method, operation]) => {
    const [x, same] = [leaf(), leaf()];
    const [y, wanted] = [method(x), operation(same)];
    expect([y.shape, y.toArray()]).toEqual([wanted.shape, wanted.toArray()]);
    y.mul(y).sum().backward();
    wanted.mul(wanted).sum().backward();
    expect(x.grad!.toArray()).toEqual(same.grad!.toArray());
  });

  test('a scalar has the empty list', () => {
    expect([tensor([7]).view([]).shape, tensor(7).view(1, 1).shape]).toEqual([[], [1, 1]]);
  });

  // prettier-ignore
  const wrong: [name: string, use: (x: Tensor) => unknown, error: string][] = [
    ['nothing', (x) => x.reshape(), 'TypeError: reshape: expected a shape (an array of sizes), got undefined.'],
    ['a dtype', (x) => x.view('float64' as never), "TypeError: view: expected a shape (an array of sizes), got 'float64'."],
    ['too many', (x) => x.view(7, -1), 'RangeError: view: expected a shape of 6 elements, got shape [7, -1].'],
    ['-1 beside 0', (x) => x.view(0, -1), 'RangeError: view: expected no -1 beside a size of 0 (the unspecified dimension size -1 can be any value and is ambiguous), got [0, -1].'],
    ['a text among them', (x) => x.view(2, '3' as never), "TypeError: view: expected every size of a shape to be a whole number of at least 0, got '3'."],
    ['a list and more', (x) => x.view(...([[3], 2] as never[])), 'TypeError: view: expected 2 arguments, got 3 (2).'],
    ['a list behind a number', (x) => x.permute(1, [0] as never), 'TypeError: permute: expected each of dims to be a whole number, got an array of length 1.'],
    ['too few dimensions', (x) => x.permute(0), 'RangeError: permute: expected each of 2 dimensions once, got [0].'],
    ['a dimension twice', (x) => x.flip(1, -1), 'RangeError: flip: expected each dimension once, got [1, -1].'],
    ['no dimension of it', (x) => x.flatten(2), 'RangeError: flatten: expected startDim from -2 to 1 (Dimension out of range), got 2.'],
    ['an end of null', (x) => functional.flatten(x, 0, null as never), 'TypeError: flatten: expected endDim to be a whole number, got null.'],
    ['one more', (x) => functional.flatten(x, 0, ...([1, 2] as never[] as [never])), 'TypeError: flatten: expected 3 arguments, got 4 (2).'],
    ['options and more', (x) => functional.flatten(x, {}, 1), 'TypeError: flatten: expected 2 arguments, got 3 (1).'],
  ];
  test.each(wrong)('%s is refused', (_, use, error) => {
    let got = 'nothing';
    try {
      use(leaf());
    } catch (thrown) {
      got = String(thrown);
    }
    expect(got).toBe(error);
  });
});

describe('view', () => {
  test('shares memory, and names itself', () => {
    const x = tensor([1, 2, 3, 4]);
    const y = x.view(2, 2);
    y.data[3] = 9;
    expect(x.toArray()).toEqual([1, 2, 3, 9]);
    expect(String(leaf().view(6).operation?.name)).toBe('view');
  });

  test('beside the event loop', async () => {
    class Rows extends nn.Module {
      forward(x: Tensor): Tensor {
        return functional.relu(x.neg()).view(x.size(0) / 2, -1);
      }
    }
    const y = await new Rows().forwardAsync(zeros([256, 256]).sub(1));
    expect([y.shape, y.data.every((value) => value === 1)]).toEqual([[128, 512], true]);
  });
});

describe('size and dim', () => {
  test('are the shape, a size of it, and how many there are', () => {
    const x = zeros([2, 3, 4]);
    const [rows, , last]: readonly number[] = x.size();
    const count: number = x.size(1);
    expect([rows, count, last, x.size(-1), x.dim(), tensor(1).dim()]).toEqual([2, 3, 4, 4, 3, 0]);
    expect(x.size()).toBe(x.shape);
  });

  test('refuse what is no dimension', () => {
    expect(() => zeros([2]).size(1)).toThrow(
      'Tensor.size: expected dim from -1 to 0 (Dimension out of range), got 1.',
    );
    expect(() => zeros([2]).size('0' as never)).toThrow(/dim to be a whole number, got '0'/);
    expect(() => zeros([2]).size(0, ...([1] as unknown as []))).toThrow(/expected 1 argument/);
    expect(() => tensor(1).size(0)).toThrow(
      'Tensor.size: expected a tensor of at least 1 dimension (a scalar has no sizes), got shape [].',
    );
  });

  test('a clone has its own property for the shape still', () => {
    expect(structuredClone(zeros([2, 3]))).toMatchObject({ sizes: [2, 3] });
  });
});
