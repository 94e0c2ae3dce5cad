// What console.log, String and JSON.stringify make of a tensor. PyTorch's body: test/golden/printing.test.ts.
import { inspect } from 'node:util';
import { describe, expect, it, test } from 'vitest';

import { functional, nn, noGrad, tensor, type DType } from '../../src/index.js';

describe('the words behind the values', () => {
  test.each([
    ['float32 says no dtype', () => tensor([1, 2.5]), 'tensor([1.0000, 2.5000])'],
    ['float64', () => tensor([0.5], { dtype: 'float64' }), 'tensor([0.5000], dtype=float64)'],
    ['int32', () => tensor([1, -20], { dtype: 'int32' }), 'tensor([  1, -20], dtype=int32)'],
    ['int64', () => tensor(7, { dtype: 'int64' }), 'tensor(7, dtype=int64)'],
    [
      'a leaf that learns',
      () => tensor([1], { requiresGrad: true }),
      'tensor([1.], requiresGrad=true)',
    ],
    [
      'a result',
      () => functional.relu(tensor([1, -1], { requiresGrad: true })),
      'tensor([1., 0.], gradFn=<relu>)',
    ],
    [
      'a result without recording',
      () => noGrad(() => functional.relu(tensor([1, -1], { requiresGrad: true }))),
      'tensor([1., 0.])',
    ],
    ['no elements', () => tensor([]), 'tensor([])'],
    ['no elements in two dimensions', () => tensor([[], []]), 'tensor([], shape=[2, 0])'],
    [
      'more than 1000',
      () => tensor(new Float32Array(1001)),
      'tensor([0., 0., 0.,  ..., 0., 0., 0.], shape=[1001])',
    ],
    [
      'a line that is full',
      () => tensor(Float64Array.from({ length: 6 }, (_, i) => 12345.5 + i)),
      'tensor([12345.5000, 12346.5000, 12347.5000, 12348.5000, 12349.5000, 12350.5000],\n       dtype=float64)',
    ],
    [
      'a parameter',
      () => new nn.BatchNorm1d(2).weight!,
      'Parameter containing:\ntensor([1., 1.], requiresGrad=true)',
    ],
    [
      'a gradient that has no array yet',
      () => {
        const x = tensor([1, 2], { requiresGrad: true });
        functional.sum(x).backward();
        return x.grad!;
      },
      'tensor([1., 1.])',
    ],
  ])('%s', (_, make, expected) => {
    expect(String(make())).toBe(expected);
    expect(inspect(make())).toBe(expected);
  });
});

describe('inside other values', () => {
  it('a few values in one line, else shape and dtype', () => {
    const wide = tensor([[1, 2]]);
    const square = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(inspect({ loss: tensor(0.5), wide })).toBe(
      '{ loss: tensor(0.5000), wide: tensor([[1., 2.]]) }',
    );
    expect(inspect([square])).toBe('[ Tensor([2, 2], float32) ]');
    expect(inspect({ p: new nn.Linear(2, 2).bias })).toBe(
      '{ p: Parameter([2], float32, requiresGrad) }',
    );
    expect(inspect({ a: { b: square } }, { depth: 0 })).toBe('{ a: [Object] }');
    expect(inspect({ a: square }, { depth: null })).toContain('tensor([[1., 2.],\n');
  });

  it('colours numbers where they are asked for, and columns stay aligned', () => {
    expect(inspect(tensor([1, -20]), { colors: true })).toBe(
      'tensor([  \u001b[33m1.\u001b[39m, \u001b[33m-20.\u001b[39m])',
    );
  });

  it('a Module keeps its repr', () => {
    expect(inspect(new nn.ReLU())).toBe('ReLU()');
  });
});

describe('a tensor without memory', () => {
  it('disposed of: says so and never throws, but data does', () => {
    const x = tensor([1, 2]);
    const view = x.data;
    x.dispose();
    expect([String(x), inspect(x), inspect([x])]).toEqual([
      'Tensor([2], float32, disposed)',
      'Tensor([2], float32, disposed)',
      '[ Tensor([2], float32, disposed) ]',
    ]);
    expect(() => x.data).toThrow(
      new TypeError(
        'Tensor.data: expected a tensor that holds its elements, got one of shape [2] that was disposed of.',
      ),
    );
    expect(() => JSON.stringify(x)).toThrow('disposed of');
    expect(view.length).toBe(2); // nested arrays are copied into an array that is adopted: no pool has it
    const made = functional.relu(tensor([1, 2]));
    const seen = made.data;
    made.dispose();
    expect(seen.length).toBe(0);
  });

  it('of no elements, and a parameter', () => {
    const empty = tensor([]);
    empty.dispose();
    expect(() => empty.data).toThrow('disposed of');
    const { weight } = new nn.Linear(1, 1);
    weight.dispose();
    expect(() => weight.data).toThrow('disposed of');
    expect(String(weight)).toBe('Parameter([1, 1], float32, requiresGrad, disposed)');
  });

  it('with a buffer that was taken away', () => {
    const array = new Float32Array(3);
    const x = tensor(array);
    structuredClone(array, { transfer: [array.buffer] });
    expect(String(x)).toBe('Tensor([3], float32, detached)');
    expect(x.data.length).toBe(0);
  });
});

describe('JSON.stringify', () => {
  test.each([
    [
      'nested values',
      tensor([
        [1, 2.5],
        [3, 4],
      ]),
      '{"shape":[2,2],"dtype":"float32","data":[[1,2.5],[3,4]]}',
    ],
    ['a scalar', tensor(0.5), '{"shape":[],"dtype":"float32","data":0.5}'],
    ['no elements', tensor([[], []]), '{"shape":[2,0],"dtype":"float32","data":[[],[]]}'],
    [
      'what JSON has no number for',
      tensor([NaN, Infinity, -Infinity], { dtype: 'float64' }),
      '{"shape":[3],"dtype":"float64","data":["NaN","Infinity","-Infinity"]}',
    ],
    [
      'int64, safe and not',
      tensor(new BigInt64Array([2n ** 53n - 1n, 2n ** 53n, -(2n ** 63n)])),
      '{"shape":[3],"dtype":"int64","data":[9007199254740991,"9007199254740992","-9223372036854775808"]}',
    ],
  ])('%s', (_, x, expected) => {
    expect(JSON.stringify(x)).toBe(expected);
  });

  it('reads back', () => {
    const x = tensor([[1, 2]]);
    interface Read {
      shape: number[];
      dtype: DType;
      data: number[][];
    }
    const read = JSON.parse(JSON.stringify({ x })) as { x: Read };
    const { shape, dtype, data } = read.x;
    expect(tensor(data, shape, { dtype }).toArray()).toEqual(x.toArray());
  });
});
