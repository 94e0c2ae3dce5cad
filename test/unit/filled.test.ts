// Tensors of a shape alone: zeros, ones, full, rand, randn.
import { describe, expect, test } from 'vitest';

import { full, functional, manualSeed, nn, ones, rand, randn, tensor, zeros } from '../../src/index.js'; // prettier-ignore
import { thrownBy } from '../helpers/snapshot.js';

const DTYPES = ['float32', 'float64', 'int32', 'int64'] as const;

test.each(DTYPES)('of one value, in %s', (dtype) => {
  expect(zeros([2, 1], { dtype }).toArray()).toEqual([[0], [0]]);
  expect(ones([2], { dtype }).toArray()).toEqual([1, 1]);
  expect(full([2], -7, { dtype }).toArray()).toEqual([-7, -7]);
  expect(full([], 3, { dtype }).item()).toBe(3);
  expect(zeros([3, 0], { dtype }).shape).toEqual([3, 0]);
  // Of a page and more, whose memory nobody has zeroed.
  const { data } = zeros([5000], { dtype });
  expect(Buffer.from(data.buffer).some((byte) => byte !== 0)).toBe(false);
});

test('float32 without gradient unless it is asked for', () => {
  for (const each of [zeros([1]), ones([1]), full([1], 2), rand([1]), randn([1])]) {
    expect([each.dtype, each.requiresGrad]).toEqual(['float32', false]);
  }
  const x = ones([2], { requiresGrad: true });
  functional.sum(functional.mul(x, 3)).backward();
  expect(x.grad!.toArray()).toEqual([3, 3]);
  expect(full([1], 2n ** 60n, { dtype: 'int64' }).data[0]).toBe(2n ** 60n);
});

test('random ones are those of nn.init, from the same stream', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    manualSeed(5);
    const drawn = [rand([3, 4], { dtype }), randn([7], { dtype })];
    manualSeed(5);
    const filled = [
      nn.init.uniform_(zeros([3, 4], { dtype })),
      nn.init.normal_(zeros([7], { dtype })),
    ];
    expect(drawn.map((each) => each.toArray())).toEqual(filled.map((each) => each.toArray()));
  }
  const many = randn([10_000], { dtype: 'float64' });
  expect(many.mean().item()).toBeCloseTo(0, 1);
  expect(many.std().item()).toBeCloseTo(1, 1);
});

describe('refused', () => {
  test.each<[string, () => unknown, string]>([
    ['sizes one by one', () => zeros(2 as never, 3 as never), 'TypeError: zeros: expected a shape (an array of sizes), got 2.'],
    ['a negative size', () => ones([-1]), 'RangeError: ones: expected every size of a shape to be a whole number of at least 0, got -1.'],
    ['too many elements', () => zeros([2 ** 30, 2 ** 30]), 'RangeError: zeros: expected at most 2^53 - 1 elements, got shape [1073741824, 1073741824].'],
    ['a value that is none', () => full([2], 'x' as never), "TypeError: full: expected value to be a number or a bigint, got 'x'."],
    ['no value', () => full([2], undefined as never), 'TypeError: full: expected value to be a number or a bigint, got undefined.'],
    ['half an integer', () => full([2], 0.5, { dtype: 'int32' }), 'RangeError: full: expected whole numbers for int32, got 0.5.'],
    ['beyond int32', () => full([2], 2 ** 31, { dtype: 'int32' }), 'RangeError: full: expected whole numbers from -2^31 to 2^31 - 1 for int32, got 2147483648.'],
    ['random integers', () => randn([2], { dtype: 'int32' }), "RangeError: randn: expected dtype to be 'float32' or 'float64', got 'int32'."],
    ['integers with a gradient', () => zeros([2], { dtype: 'int32', requiresGrad: true }), 'TypeError: zeros: expected a tensor that requires grad to be float32 or float64, got int32.'],
    ['an unknown option', () => rand([2], { device: 'cpu' } as never), "TypeError: rand: expected options among dtype, requiresGrad, got 'device'."],
    ['no array for tensor() either', () => functional.add([1] as never, tensor([1])), 'TypeError: Tensor.from: expected a Tensor, { data, shape } or { data, dims } (tensor(values) makes a Tensor), got an array of length 1.'],
    ['clamp with numbers', () => functional.clamp(tensor([1]), 0 as never, 1 as never), 'TypeError: clamp: expected an options object { min, max }, got 0.'],
    ['permute with numbers', () => functional.permute(ones([2, 2]), 1 as never, 0 as never), 'TypeError: permute: expected dims to be an array of dimensions, got 1.'],
    ['reshape with numbers', () => functional.reshape(ones([4]), 2 as never, 2 as never), 'TypeError: reshape: expected a shape (an array of sizes), got 2.'],
    ['expand with numbers', () => functional.expand(ones([1]), 2 as never, 2 as never), 'TypeError: expand: expected a shape (an array of sizes), got 2.'],
  ])('%s', (_, call, message) => expect(thrownBy(call)).toBe(message)); // prettier-ignore
});
