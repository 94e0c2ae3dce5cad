// maskedSelect and nonzero: what test/golden/tensors.test.ts does not have.
import { describe, expect, test } from 'vitest';

import { functional, nn, scope, tensor, zeros, type Tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const { maskedSelect, nonzero } = functional;

describe('maskedSelect', () => {
  test('of labels, by a mask of int64', () => {
    const labels = tensor([4, 5, 6], { dtype: 'int64' });
    const kept = labels.maskedSelect(tensor([0, 7, 1], { dtype: 'int64' }));
    expect([kept.dtype, kept.toArray()]).toEqual(['int64', [5, 6]]);
  });

  test('of nothing', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.maskedSelect(x.detach().gt(5));
    expect(y.shape).toEqual([0]);
    y.sum().backward();
    expect(x.grad!.toArray()).toEqual([0, 0]);
    expect(maskedSelect(zeros([0, 2]), zeros([0, 2], { dtype: 'int32' })).shape).toEqual([0]);
  });

  test('in a scope, with its gradient', () => {
    const x = tensor([[1, 2], [3, 4]], { requiresGrad: true }); // prettier-ignore
    scope(() => {
      x.maskedSelect(x.detach().ne(3)).mul(10).sum().backward();
    });
    expect(x.grad!.toArray()).toEqual([[10, 10], [0, 10]]); // prettier-ignore
  });

  test('the mask may change afterwards', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const mask = tensor([1, 0], { dtype: 'int32' });
    const y = x.maskedSelect(mask);
    mask.fill_(1);
    y.sum().backward();
    expect(x.grad!.toArray()).toEqual([1, 0]);
  });
});

describe('nonzero', () => {
  test('of a scalar, of none, of int64', () => {
    expect([nonzero(tensor(5)).shape, nonzero(tensor(0)).shape]).toEqual([[1, 0], [0, 0]]); // prettier-ignore
    expect(nonzero(zeros([2, 0, 3])).shape).toEqual([0, 3]);
    const places = tensor([0, -1, 2], { dtype: 'int64' }).nonzero();
    expect([places.dtype, places.toArray()]).toEqual(['int64', [[1], [2]]]);
  });

  test('as rows that a mask chooses', () => {
    const x = tensor([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
    const rows = x.sum(1).gt(3).nonzero().flatten();
    expect(x.indexSelect(0, rows).toArray()).toEqual([[3, 4], [5, 6]]); // prettier-ignore
  });

  test('beside the event loop, of what is still computed', async () => {
    class Chosen extends nn.Module {
      forward(x: Tensor): Tensor {
        const y = functional.relu(x);
        return y.maskedSelect(y.detach().gt(0));
      }
    }
    const x = tensor(Float32Array.from({ length: 65536 }, (_, i) => (i % 3) - 1));
    const y = await new Chosen().forwardAsync(x);
    expect([y.shape, y.sum().item()]).toEqual([[21845], 21845]);
  });
});

describe('what is refused', () => {
  // prettier-ignore
  const wrong: [name: string, use: () => unknown, error: string][] = [
    ['a mask of floats', () => maskedSelect(tensor([1]), tensor([1])), 'TypeError: maskedSelect: expected a mask of int32 or int64 (a comparison\'s), got float32.'],
    ['a mask of another shape', () => maskedSelect(zeros([2]), zeros([3], { dtype: 'int32' })), 'RangeError: maskedSelect: expected shapes that broadcast (the size of tensor a must match the size of tensor b at non-singleton dimension 0), got [2] and [3].'],
    ['no mask', () => maskedSelect(zeros([2]), undefined as never), 'TypeError: maskedSelect: expected the mask to be a Tensor, got undefined.'],
    ['an argument of nonzero', () => nonzero(zeros([2]), ...([{ asTuple: true }] as unknown as [])), 'TypeError: nonzero: expected 1 argument, got 2 (an object with asTuple).'],
    ['a mask as an index', () => zeros([2, 2]).indexSelect(0, zeros([2, 2], { dtype: 'int32' })), 'RangeError: indexSelect: expected an index of one dimension (x.maskedSelect(mask) takes a mask), got shape [2, 2].'],
  ];
  test.each(wrong)('%s', (_, use, error) => {
    expect(thrownBy(use)).toBe(error);
  });
});

describe('maskedFill', () => {
  test('of a value of another dtype names both as they were given', () => {
    const mask = tensor([1, 0], { dtype: 'int32' });
    const labels = tensor([1, 2], { dtype: 'int64' });
    expect(thrownBy(() => labels.maskedFill(mask, tensor(7)))).toBe(
      "TypeError: maskedFill: expected the value to be int64 like the input, got float32 (all inputs must share same datatype; x.to('int64') converts).",
    );
    expect(thrownBy(() => labels.float().maskedFill(mask, tensor(7, { dtype: 'int64' })))).toBe(
      "TypeError: maskedFill: expected the value to be float32 like the input, got int64 (all inputs must share same datatype; x.to('float32') converts).",
    );
  });
});
