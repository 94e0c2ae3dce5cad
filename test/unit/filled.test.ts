// Tensors of a shape alone: zeros, ones, full, rand, randn, those like another, eye, arange, randperm.
import { describe, expect, test } from 'vitest';

import { arange, eye, full, functional, manualSeed, nn, ones, onesLike, rand, randn, randnLike, randperm, tensor, zeros, zerosLike } from '../../src/index.js'; // prettier-ignore
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

test('like another: its shape and dtype, unless the options say otherwise', () => {
  const x = tensor([[1, 2]], { dtype: 'float64', requiresGrad: true });
  for (const like of [zerosLike, onesLike, randnLike]) {
    const y = like(x);
    expect([y.shape, y.dtype, y.requiresGrad]).toEqual([[1, 2], 'float64', false]);
    expect(like(x, { dtype: 'float32', requiresGrad: true }).dtype).toBe('float32');
  }
  expect(zerosLike({ data: new Int32Array(2), shape: [2] }).dtype).toBe('int32');
  expect(onesLike(x).toArray()).toEqual([[1, 1]]);
  manualSeed(3);
  const drawn = randnLike(x).toArray();
  manualSeed(3);
  expect(randn([1, 2], { dtype: 'float64' }).toArray()).toEqual(drawn);
});

test.each(DTYPES)('eye and arange, in %s', (dtype) => {
  expect(eye(3, { dtype }).toArray()).toEqual([[1, 0, 0], [0, 1, 0], [0, 0, 1]]); // prettier-ignore
  expect(eye(0, { dtype }).shape).toEqual([0, 0]);
  expect([arange(3, { dtype }).dtype, arange(3, { dtype }).toArray()]).toEqual([dtype, [0, 1, 2]]);
  expect(arange(2.5, { dtype }).toArray()).toEqual([0, 1, 2]);
  expect(arange(0).shape).toEqual([0]);
  expect([arange(1).dtype, eye(1).dtype]).toEqual(['int64', 'float32']);
});

test('randperm has each number once, in another order for another seed', () => {
  manualSeed(4);
  const first = randperm(100).toArray<number[]>();
  const second = randperm(100).toArray<number[]>();
  manualSeed(4);
  expect(randperm(100).toArray()).toEqual(first);
  expect(second).not.toEqual(first);
  expect([...second].sort((a, b) => a - b)).toEqual(arange(100).toArray());
  const rows = tensor([[1], [2], [3]]);
  expect(rows.indexSelect(0, randperm(3)).sum().item()).toBe(6);
});

describe('refused, of those by a number', () => {
  test.each<[string, () => unknown, string]>([
    ['half an identity', () => eye(1.5), 'RangeError: eye: expected n to be a whole number of at least 0, got 1.5.'],
    ['an identity of two sizes', () => eye(2, 3 as never), 'TypeError: eye: expected an options object { dtype, requiresGrad }, got 3.'],
    ['too large an identity', () => eye(2 ** 30), 'RangeError: eye: expected at most 2^53 - 1 elements, got shape [1073741824, 1073741824].'],
    ['a start', () => arange(1, 5 as never), 'TypeError: arange: expected an options object { dtype, requiresGrad }, got 5.'],
    ['a negative end', () => arange(-1), 'RangeError: arange: expected end to be a number from 0 to 9007199254740991, got -1.'],
    ['an order of NaN', () => randperm(NaN), 'RangeError: randperm: expected n to be a whole number from 0 to 4294967295, got NaN.'],
    ['normal integers', () => randnLike(arange(2)), "RangeError: randnLike: expected dtype to be 'float32' or 'float64', got 'int64'."],
    ['what is no tensor', () => zerosLike(3 as never), 'TypeError: zerosLike: expected the first argument to be a Tensor, got 3.'],
  ])('%s', (_, body, words) => {
    expect(thrownBy(body)).toBe(words);
  }); // prettier-ignore
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
    ['integers with a gradient', () => zeros([2], { dtype: 'int32', requiresGrad: true }), 'TypeError: zeros: expected a tensor that requires grad to be float32 or float64, got int32 (x.to(\'float32\') converts).'],
    ['an unknown option', () => rand([2], { device: 'cpu' } as never), "TypeError: rand: expected options among dtype, requiresGrad, got 'device'."],
    ['no array for tensor() either', () => functional.add([1] as never, tensor([1])), 'TypeError: add: expected the first operand to be a Tensor (tensor(values) makes a Tensor), got an array of length 1.'],
    ['clamp with numbers', () => functional.clamp(tensor([1]), 0 as never, 1 as never), 'TypeError: clamp: expected an options object { min, max }, got 0.'],
    ['permute with numbers', () => functional.permute(ones([2, 2]), 1 as never, 0 as never), 'TypeError: permute: expected dims to be an array of dimensions, got 1.'],
    ['reshape with numbers', () => functional.reshape(ones([4]), 2 as never, 2 as never), 'TypeError: reshape: expected a shape (an array of sizes), got 2.'],
    ['expand with numbers', () => functional.expand(ones([1]), 2 as never, 2 as never), 'TypeError: expand: expected a shape (an array of sizes), got 2.'],
  ])('%s', (_, call, message) => expect(thrownBy(call)).toBe(message)); // prettier-ignore
});
