// Tensor.from: other libraries' arrays. Contiguous data is adopted, strided data gathered, and nothing
// outside the data is ever read.
import { describe, expect, test } from 'vitest';

import { nn, Tensor, type ArrayLikeTensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const counting = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i);

describe('contiguous data is adopted', () => {
  test.each<[string, (data: Float32Array) => ArrayLikeTensor]>([
    ['{ data, shape } (ndarray)', (data) => ({ data, shape: [2, 3] })],
    ['{ data, dims } (onnxruntime)', (data) => ({ data, dims: [2, 3] })],
    ['shape as a method', (data) => ({ data, shape: () => [2, 3] })],
    ['row-major stride', (data) => ({ data, shape: [2, 3], stride: [3, 1], offset: 0 })],
    ['row-major strides', (data) => ({ data, shape: [2, 3], strides: [3, 1] })],
  ])('%s', (_, make) => {
    const data = counting(6);
    const x = Tensor.from(make(data));
    expect(x.data).toBe(data);
    expect(x.toArray()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  test('an offset is a view of the same memory', () => {
    const data = counting(10);
    const x = Tensor.from({ data, shape: [2, 2], offset: 3 });
    expect(x.data.buffer).toBe(data.buffer);
    expect(x.data.byteOffset).toBe(12);
    expect([...x.data]).toEqual([3, 4, 5, 6]);
  });

  test('the stride of a dimension of size 1 says nothing', () => {
    const data = counting(3);
    expect(Tensor.from({ data, shape: [1, 3], strides: [77, 1] }).data).toBe(data);
  });

  test.each([
    ['float64', new Float64Array(2)],
    ['int32', new Int32Array(2)],
    ['int64', new BigInt64Array(2)],
  ])('%s', (dtype, data) => {
    expect(Tensor.from({ data, shape: [2] }).dtype).toBe(dtype);
  });
});

describe('strided data is gathered', () => {
  test.each<[string, Omit<ArrayLikeTensor, 'data'>, unknown]>([
    [
      'transposed',
      { shape: [3, 2], strides: [1, 3] },
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ],
    ['every other', { shape: [3], strides: [2] }, [0, 2, 4]],
    ['every other from 1', { shape: [3], strides: [2], offset: 1 }, [1, 3, 5]],
    ['backwards', { shape: [6], strides: [-1], offset: 5 }, [5, 4, 3, 2, 1, 0]],
    [
      'rows backwards',
      { shape: [2, 3], strides: [-3, 1], offset: 3 },
      [
        [3, 4, 5],
        [0, 1, 2],
      ],
    ],
    [
      'both backwards',
      { shape: [2, 2], strides: [-3, -1], offset: 5 },
      [
        [5, 4],
        [2, 1],
      ],
    ],
    [
      'broadcast rows',
      { shape: [2, 3], strides: [0, 1] },
      [
        [0, 1, 2],
        [0, 1, 2],
      ],
    ],
    [
      'overlapping windows',
      { shape: [4, 3], strides: [1, 1] },
      [
        [0, 1, 2],
        [1, 2, 3],
        [2, 3, 4],
        [3, 4, 5],
      ],
    ],
  ])('%s', (_, how, expected) => {
    const data = counting(6);
    const x = Tensor.from({ data, ...how });
    expect(x.toArray()).toEqual(expected);
    expect(x.data.buffer).not.toBe(data.buffer);
  });

  test('int64 keeps its digits', () => {
    const data = new BigInt64Array([1n, 2n ** 60n + 1n]);
    expect([...Tensor.from({ data, shape: [2], strides: [-1], offset: 1 }).data]).toEqual([
      2n ** 60n + 1n,
      1n,
    ]);
  });

  test('empty shapes need no data, whatever the strides say', () => {
    const x = Tensor.from({ data: counting(0), shape: [0, 3], strides: [-5, 9] });
    expect([x.shape, x.numel]).toEqual([[0, 3], 0]);
  });
});

describe('what lies outside the data is refused', () => {
  const outside = (low: number, high: number, shape: string): string =>
    `RangeError: Tensor.from: expected elements within the 6 of data, got indices ${low} to ${high} ` +
    `for shape ${shape}.`;

  test.each<[Omit<ArrayLikeTensor, 'data'>, string]>([
    [{ shape: [7] }, outside(0, 6, '[7]')],
    [{ shape: [2, 3], offset: 1 }, outside(1, 6, '[2, 3]')],
    [{ shape: [4], strides: [2] }, outside(0, 6, '[4]')],
    [{ shape: [2], strides: [-1] }, outside(-1, 0, '[2]')],
    [{ shape: [2, 2], strides: [5, -1], offset: 0 }, outside(-1, 5, '[2, 2]')],
    [{ shape: [1], offset: 6 }, outside(6, 6, '[1]')],
    [
      { shape: [2, 3], strides: [1] },
      'RangeError: Tensor.from: expected 2 whole-number strides, got [1].',
    ],
    [
      { shape: [2], strides: [0.5] },
      'RangeError: Tensor.from: expected 1 whole-number strides, got [0.5].',
    ],
    [
      { shape: [2], strides: [NaN] },
      'RangeError: Tensor.from: expected 1 whole-number strides, got [NaN].',
    ],
    [
      { shape: [2], offset: -1 },
      'RangeError: Tensor.from: expected offset to be a whole number of at least 0, got -1.',
    ],
    [
      { shape: [2], offset: 0.5 },
      'RangeError: Tensor.from: expected offset to be a whole number of at least 0, got 0.5.',
    ],
    [
      { shape: [1.5] },
      'RangeError: Tensor.from: expected every size of a shape to be a whole number of at least 0, got 1.5.',
    ],
    [
      { shape: [2 ** 30, 2 ** 30] },
      'RangeError: Tensor.from: expected at most 2^53 - 1 elements, got shape [1073741824, 1073741824].',
    ],
    [{}, 'TypeError: Tensor.from: expected a shape or dims beside data, got undefined.'],
  ])('%j', (how, message) => {
    expect(thrownBy(() => Tensor.from({ data: counting(6), ...how }))).toBe(message);
  });

  test.each<[unknown, string]>([
    [null, 'null'],
    [undefined, 'undefined'],
    [5, '5'],
    ['x', "'x'"],
    [{ shape: [1] }, 'an object'],
  ])('no array at all: %j', (other, got) => {
    expect(thrownBy(() => Tensor.from(other as never))).toBe(
      `TypeError: Tensor.from: expected a Tensor, { data, shape } or { data, dims }, got ${got}.`,
    );
  });

  test.each<[unknown, string]>([
    [[[1, 2]], 'an array of length 1'],
    [new Float32Array(3), 'Float32Array of length 3'],
  ])('values without tensor(): %j', (other, got) => {
    expect(thrownBy(() => Tensor.from(other as never))).toBe(
      'TypeError: Tensor.from: expected a Tensor, { data, shape } or { data, dims } (tensor(values) makes a ' +
        `Tensor), got ${got}.`,
    );
  });

  test('data of a kind we have no kernels for', () => {
    expect(thrownBy(() => Tensor.from({ data: [1, 2], shape: [2] }))).toBe(
      'TypeError: Tensor.from: expected a Float32Array, Float64Array, Int32Array or BigInt64Array, ' +
        'got an array of length 2.',
    );
  });
});

test('layers take such arrays as they are', () => {
  const bn = new nn.BatchNorm1d(2, { eps: 3 });
  const transposed = { data: new Float32Array([1, 3, 2, 4]), shape: [2, 2], strides: [1, 2] };
  expect(bn.forward(transposed).toArray()).toEqual([
    [-0.5, -0.5],
    [0.5, 0.5],
  ]);
});
