// x.to(dtype), x.float() and the like: values and gradients as PyTorch's.
import { describe, expect, test } from 'vitest';

import {
  arange,
  functional,
  nn,
  tensor,
  zeros,
  type DType,
  type Tensor,
  type TensorSource,
} from '../../src/index.js';

const dtypes: DType[] = ['float32', 'float64', 'int32', 'int64'];

describe('values', () => {
  // What torch 2.6 gives for each, and what JavaScript writes for it.
  const values: [from: DType, data: TensorSource, wanted: Record<DType, number[]>][] = [
    [
      'float64',
      Float64Array.of(1.9, -1.9, 16777217, 0.1, -0),
      {
        float32: [Math.fround(1.9), -Math.fround(1.9), 16777216, Math.fround(0.1), -0],
        float64: [1.9, -1.9, 16777217, 0.1, -0],
        int32: [1, -1, 16777217, 0, 0],
        int64: [1, -1, 16777217, 0, 0],
      },
    ],
    [
      'int64',
      BigInt64Array.of(2n ** 33n + 7n, -3n, 2n ** 53n + 1n),
      {
        float32: [8589934592, -3, 9007199254740992],
        float64: [8589934599, -3, 9007199254740992],
        int32: [7, -3, 1],
        int64: [8589934599, -3, 9007199254740992],
      },
    ],
    [
      'int32',
      Int32Array.of(1, 0, -(2 ** 31), 16777217),
      {
        float32: [1, 0, -(2 ** 31), 16777216],
        float64: [1, 0, -(2 ** 31), 16777217],
        int32: [1, 0, -(2 ** 31), 16777217],
        int64: [1, 0, -(2 ** 31), 16777217],
      },
    ],
  ];
  test.each(values)('of %s', (from, data, wanted) => {
    const x = tensor(data, { dtype: from });
    for (const dtype of dtypes) {
      const y = x.to(dtype);
      expect([y.dtype, y.toArray()]).toEqual([dtype, wanted[dtype]]);
    }
    const named = [x.float(), x.double(), x.int(), x.long()];
    expect(named.map((each) => each.dtype)).toEqual(dtypes);
    expect(named.map((each) => each.toArray())).toEqual(dtypes.map((dtype) => wanted[dtype]));
  });

  test('infinities and NaN between floats', () => {
    const x = tensor(Float64Array.of(NaN, Infinity, -1e300, 1e-50));
    expect(x.float().toArray()).toEqual([NaN, Infinity, -Infinity, 0]);
    expect(x.float().double().toArray()).toEqual([NaN, Infinity, -Infinity, 0]);
  });

  test('a mask as floats', () => {
    const logits = tensor([[1, 2], [4, 3], [0, 1]]); // prettier-ignore
    const right = logits.argmax(1).eq(tensor([1, 1, 1], { dtype: 'int64' }));
    expect(right.float().mean().item()).toBe(Math.fround(2 / 3));
    expect(logits.mul(logits.gt(1).float()).toArray()).toEqual([[0, 2], [4, 3], [0, 0]]); // prettier-ignore
  });

  test('of no elements, and of a shape', () => {
    expect(zeros([0, 3]).to('int64').shape).toEqual([0, 3]);
    expect(arange(6).view(2, 3).float().toArray()).toEqual([[0, 1, 2], [3, 4, 5]]); // prettier-ignore
  });

  test('in the same dtype: a tensor of its own over the same memory', () => {
    const x = tensor([1, 2]);
    const y = x.float();
    y.data[0] = 7;
    expect(x.toArray()).toEqual([7, 2]);
    y.dispose();
    expect(x.toArray()).toEqual([7, 2]);
  });
});

describe('gradients', () => {
  test('through float64 and back', () => {
    const x = tensor([1, 2, 3], { requiresGrad: true });
    const y = x.double().mul(tensor(Float64Array.of(0.1, 0.2, 0.3)));
    y.float().sum().backward();
    expect([x.grad!.dtype, x.grad!.toArray()]).toEqual([
      'float32',
      [0.1, 0.2, 0.3].map(Math.fround),
    ]);
  });

  test('of one value, without an array', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    x.double().sum().backward();
    expect([x.grad!.dtype, x.grad!.toArray()]).toEqual(['float32', [1, 1]]);
  });

  test('in the same dtype it goes through', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    x.float().mul(3).sum().backward();
    expect(x.grad!.toArray()).toEqual([3, 3]);
  });

  test('integers have none', () => {
    const x = tensor([1.5, 2], { requiresGrad: true });
    expect([x.long().requiresGrad, x.long().float().requiresGrad]).toEqual([false, false]);
    expect(String(x.double())).toContain('gradFn=<to>');
  });

  test('beside the event loop: the same bits', async () => {
    class Converting extends nn.Module {
      forward(x: Tensor): Tensor {
        return x
          .double()
          .mul(1 / 3)
          .float()
          .mul(x.gt(0).float());
      }
    }
    const rows = (): Tensor => tensor(Float32Array.from({ length: 65536 }, (_, i) => i - 30000.3), { requiresGrad: true }); // prettier-ignore
    const [now, later] = [rows(), rows()];
    const y = new Converting().forward(now);
    const z = await new Converting().forwardAsync(later);
    expect(Buffer.from(z.data.buffer).equals(Buffer.from(y.data.buffer))).toBe(true);
    y.sum().backward();
    await z.sum().backwardAsync();
    expect(later.grad!.toArray()).toEqual(now.grad!.toArray());
  });
});

describe('what is refused', () => {
  // prettier-ignore
  const wrong: [name: string, use: () => unknown, error: string][] = [
    ['a device', () => zeros([1]).to('cuda:0' as never), "RangeError: Tensor.to: expected a dtype (the CPU is the only device: leave to(device) out), got 'cuda:0'."],
    ['another name', () => zeros([1]).to('half' as never), "RangeError: Tensor.to: expected dtype to be 'float32' or 'float64' or 'int32' or 'int64', got 'half'."],
    ['options', () => zeros([1]).to({ dtype: 'float64' } as never), "TypeError: Tensor.to: expected dtype to be 'float32' or 'float64' or 'int32' or 'int64', got an object."],
    ['a further argument', () => zeros([1]).to('float64', ...([true] as unknown as [])), 'TypeError: Tensor.to: expected 1 argument, got 2 (true).'],
    ['an argument of float', () => zeros([1]).float(...([1] as unknown as [])), 'TypeError: Tensor.float: expected 0 arguments, got 1 (1).'],
    ['NaN as an integer', () => tensor([1, NaN]).long(), 'RangeError: Tensor.long: expected values that int64 can hold, got NaN at index 1.'],
    ['what is too large', () => tensor([2 ** 31]).int(), 'RangeError: Tensor.int: expected values that int32 can hold, got 2147483648 at index 0.'],
  ];
  test.each(wrong)('%s', (_, use, error) => {
    let got = 'nothing';
    try {
      use();
    } catch (thrown) {
      got = String(thrown);
    }
    expect(got).toBe(error);
  });

  test('a tensor that was disposed of', () => {
    const x = tensor([1, 2]);
    x.dispose();
    expect(() => x.double()).toThrow(
      'Tensor.double: expected tensor to hold the 2 elements of shape [2], got 0',
    );
  });

  test('an error beside the event loop rejects', async () => {
    class Counting extends nn.Module {
      forward(x: Tensor): Tensor {
        return functional.log(x).long();
      }
    }
    await expect(new Counting().forwardAsync(tensor([1, -1]))).rejects.toThrow(
      'Tensor.long: expected values that int64 can hold, got NaN at index 1.',
    );
  });
});
