// Typed arrays of a subclass: their elements count, not what the subclass says of them.
import { expect, test } from 'vitest';

import { data, Tensor, tensor } from '../../src/index.js';

/** What `subarray`, `slice` and `map` of it make is no typed array. */
class MakesArrays extends Float32Array {
  static get [Symbol.species](): Float32ArrayConstructor {
    return Array as unknown as Float32ArrayConstructor;
  }
}

/** It says that it is longer than it is. */
class SaysMore extends Uint32Array {
  override get length(): number {
    return 2 ** 40;
  }
}

/** Its elements lie elsewhere, it says. */
class LiesElsewhere extends Float64Array {
  override get buffer(): ArrayBuffer {
    return new ArrayBuffer(0);
  }
  override get byteLength(): number {
    return 8;
  }
}

test('a data set of an array whose subclass makes arrays of another kind has its rows', () => {
  const rows = new data.TensorDataset(new MakesArrays([1, 2, 3])).rows([2, 0]);
  expect(rows[0].toArray()).toEqual([3, 1]);
});

test('part of such an array is a tensor', () => {
  const part = Tensor.from({ data: new MakesArrays([1, 2, 3, 4]), shape: [2], offset: 1 });
  expect(part.toArray()).toEqual([2, 3]);
});

test('the length of an array that is converted is the one that it has', () => {
  expect(tensor(new SaysMore([1, 2]), { dtype: 'int64' }).toArray()).toEqual([1, 2]);
  expect(tensor([new SaysMore([1, 2])], { dtype: 'int32' }).toArray()).toEqual([[1, 2]]);
});

test('elements are where they are, and the memory is shared', () => {
  const source = new LiesElsewhere([1, 2, 3]);
  const adopted = tensor(source);
  expect(adopted.toArray()).toEqual([1, 2, 3]);
  source[1] = 5;
  expect(adopted.toArray()).toEqual([1, 5, 3]);
});

test('a plain array is adopted as it is', () => {
  const plain = Float32Array.of(1, 2);
  expect(tensor(plain).data).toBe(plain);
});
