// Tensors: what is adopted and what is copied, reading back, and memory that goes away.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, Tensor, type NestedArray } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

/** Takes the memory of an array away, as posting it to a worker does. */
function detachBuffer(array: Float32Array<ArrayBuffer>): void {
  structuredClone(array.buffer, { transfer: [array.buffer] });
}

describe('tensor(typedArray)', () => {
  test.each([
    ['float32', new Float32Array(6)],
    ['float64', new Float64Array(6)],
    ['int32', new Int32Array(6)],
    ['int64', new BigInt64Array(6)],
  ])('adopts %s: the very same array', (dtype, array) => {
    const x = tensor(array, [2, 3]);
    expect(x.data).toBe(array);
    expect([x.dtype, x.shape, x.numel]).toEqual([dtype, [2, 3], 6]);
    expect(tensor(array).shape).toEqual([6]);
  });

  test('sees later changes of the array, and copies the shape', () => {
    const array = new Float32Array([1, 2]);
    const shape = [2, 1];
    const x = tensor(array, shape);
    array[1] = 7;
    shape[0] = 99;
    expect(x.toArray()).toEqual([[1], [7]]);
  });

  test('adopts views with a byte offset, and kernels read from there', () => {
    const memory = Float32Array.from({ length: 10 }, (_, i) => i);
    const view = memory.subarray(3, 7);
    const x = tensor(view, [2, 2]);
    expect(x.data).toBe(view);
    expect(functional.add(x, x).toArray()).toEqual([
      [6, 8],
      [10, 12],
    ]);
    expect(functional.sum(x).item()).toBe(18);
  });

  test('adopts views over a SharedArrayBuffer', () => {
    const shared = new Float32Array(new SharedArrayBuffer(32), 8, 4);
    shared.set([1, 3, 5, 7]);
    const x = tensor(shared, [2, 2]);
    expect(x.data).toBe(shared);
    const bn = new nn.BatchNorm1d(2, { eps: 12 });
    expect(bn.forward(x).toArray()).toEqual([
      [-0.5, -0.5],
      [0.5, 0.5],
    ]);
  });

  test.each([
    [
      'a shape of another size',
      () => tensor(new Float32Array(5), [2, 3]),
      'RangeError: tensor: expected 6 elements for shape [2, 3], got 5.',
    ],
    [
      'a negative size',
      () => tensor(new Float32Array(2), [-1, -2]),
      'RangeError: tensor: expected every size of a shape to be a whole number of at least 0, got -1.',
    ],
    [
      'a size that is no number',
      () => tensor(new Float32Array(2), ['2'] as never),
      "TypeError: tensor: expected every size of a shape to be a whole number of at least 0, got '2'.",
    ],
    [
      'another typed array',
      () => tensor(new Uint8Array(3)),
      'TypeError: tensor: expected a Float32Array, Float64Array, Int32Array, BigInt64Array or nested ' +
        'arrays of numbers (or another typed array with the dtype to convert it to), got Uint8Array of ' +
        'length 3.',
    ],
    [
      'a dtype unknown',
      () => tensor([1], { dtype: 'half' as never }),
      "RangeError: tensor: expected dtype to be 'float32' or 'float64' or 'int32' or 'int64', got 'half'.",
    ],
    [
      'an option unknown',
      () => tensor([1], { requires_grad: true } as never),
      "TypeError: tensor: expected options among dtype, requiresGrad, got 'requires_grad' " +
        "(did you mean 'requiresGrad'?).",
    ],
    [
      'an integer tensor that requires grad',
      () => tensor([1], { dtype: 'int32', requiresGrad: true }),
      "TypeError: Tensor.requiresGrad: expected a tensor that requires grad to be float32 or float64, got int32 (x.to('float32') converts).",
    ],
  ])('rejects %s', (_, make, message) => {
    expect(thrownBy(make)).toBe(message);
  });
});

describe('tensor(nested arrays)', () => {
  test.each<[NestedArray, number[]]>([
    [5, []],
    [[], [0]],
    [
      [[], []],
      [2, 0],
    ],
    [[1, 2, 3], [3]],
    [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [3, 2],
    ],
    [
      [[[1]], [[2]]],
      [2, 1, 1],
    ],
  ])('%j', (nested, shape) => {
    const x = tensor(nested);
    expect(x.shape).toEqual(shape);
    expect(x.dtype).toBe('float32');
    expect(x.toArray()).toEqual(nested);
  });

  test('dtypes and shapes on demand', () => {
    expect(tensor([1, 2], { dtype: 'float64' }).data).toEqual(new Float64Array([1, 2]));
    expect(tensor([1, 2], { dtype: 'int32' }).data).toEqual(new Int32Array([1, 2]));
    expect(tensor([1, 2], { dtype: 'int64' }).data).toEqual(new BigInt64Array([1n, 2n]));
    expect(tensor([1, 2, 3, 4], [2, 2]).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(tensor([1], { requiresGrad: true }).requiresGrad).toBe(true);
  });

  test.each([
    [
      [[1, 2], [3]],
      'RangeError: tensor: expected nested arrays of shape [2, 2], got 1 elements where 2 were expected.',
    ],
    [
      [[1], [2, 3]],
      'RangeError: tensor: expected nested arrays of shape [2, 1], got 2 elements where 1 were expected.',
    ],
    [[[1], 2], 'TypeError: tensor: expected nested arrays of shape [2, 1], got 2.'],
    [[1, [2]], 'TypeError: tensor: expected numbers in nested arrays, got an array of length 1.'],
    [['1'], "TypeError: tensor: expected numbers in nested arrays, got '1'."],
    [[1, null], 'TypeError: tensor: expected numbers in nested arrays, got null.'],
    [undefined, 'TypeError: tensor: expected numbers in nested arrays, got undefined.'],
    [{}, 'TypeError: tensor: expected numbers in nested arrays, got an object.'],
  ])('rejects %j', (nested, message) => {
    expect(thrownBy(() => tensor(nested as never))).toBe(message);
  });
});

describe('reading back', () => {
  test('item: the one element, of any dtype and shape', () => {
    expect(tensor([[7]]).item()).toBe(7);
    expect(tensor(new BigInt64Array([2n ** 40n]), []).item()).toBe(2 ** 40);
    expect(thrownBy(() => tensor([1, 2]).item())).toBe(
      'RangeError: Tensor.item: expected one element, got shape [2].',
    );
  });

  test('clone has memory of its own, detach shares it and leaves the graph', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = functional.add(x, x);
    const [copy, same] = [y.clone(), y.detach()];
    (y.data as Float32Array)[0] = 9;
    expect(copy.toArray()).toEqual([2, 4]);
    expect(same.toArray()).toEqual([9, 4]);
    expect([copy.requiresGrad, same.requiresGrad, y.requiresGrad]).toEqual([true, false, true]);
  });
});

describe('memory that is detached', () => {
  const withoutMemory = (who: string): string =>
    `TypeError: ${who}: expected tensor to hold the 2 elements of shape [2], got 0 ` +
    '(its buffer was detached, shrunk or disposed of).';

  test('a transferred buffer is an error by name, not zeros', () => {
    const array = new Float32Array([1, 2]);
    const x = tensor(array);
    detachBuffer(array);
    expect(thrownBy(() => x.toArray())).toBe(withoutMemory('Tensor.toArray'));
    expect(thrownBy(() => x.clone())).toBe(withoutMemory('Tensor.clone'));
    expect(thrownBy(() => functional.sum(x))).toContain('its buffer was detached');
    expect(thrownBy(() => functional.relu(x))).toContain('its buffer was detached');
    expect(thrownBy(() => tensor(array, [2]))).toBe(
      'RangeError: tensor: expected 2 elements for shape [2], got 0 (or its buffer was detached).',
    );
  });

  test('dispose lets go: reading, computing and going backward are errors', () => {
    const x = tensor([1, 2]);
    x.dispose();
    expect(() => x.data).toThrow('disposed of');
    expect(thrownBy(() => x.toArray())).toBe(withoutMemory('Tensor.toArray'));
    expect(thrownBy(() => functional.add(x, x))).toContain('disposed of');

    const leaf = tensor([1, 2], { requiresGrad: true });
    const y = functional.sum(leaf);
    y.dispose();
    expect(() => y.backward()).toThrow();
    expect(leaf.grad).toBeNull();
  });

  test('using disposes at the end of the block', () => {
    const kept: Tensor[] = [];
    {
      using x = tensor([1, 2]);
      kept.push(x);
      expect(x.toArray()).toEqual([1, 2]);
    }
    expect(kept[0]!.disposed).toBe(true);
  });

  test('only the tensor is disposed of, not the array it adopted', () => {
    const array = new Float32Array([1, 2]);
    const [a, b] = [tensor(array), tensor(array)];
    a.dispose();
    expect(b.toArray()).toEqual([1, 2]);
    expect(array.length).toBe(2);
  });

  test('an input that goes away before backward is an error, and gives no gradient', () => {
    const array = new Float32Array([1, 2]);
    const x = tensor(array);
    const w = tensor([3, 4], { requiresGrad: true });
    const y = functional.sum(functional.mul(x, w));
    detachBuffer(array);
    expect(thrownBy(() => y.backward())).toContain('its buffer was detached');
    expect(w.grad).toBeNull();
  });
});

test('Tensor.from gives a Tensor back as it is', () => {
  const x = tensor([1]);
  expect(Tensor.from(x)).toBe(x);
});
