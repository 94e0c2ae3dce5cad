// Large pages are a hint: contents, bounds and neighbours stay as they are, at any length and offset.
// `prepareLarge` answers where the first cache line begins.
import { describe, expect, it } from 'vitest';

import { addon } from '../../src/addon/control.js';
import { Tensor } from '../../src/tensor/tensor.js';

const CALLS = ['prepareLarge', 'gatherPages'] as const;

describe.each(CALLS)('%s', (name) => {
  it.each([0, 1, 2 ** 17, 2 ** 19, 2 ** 19 + 3, 2 ** 20 + 3, 2 ** 21])(
    'leaves %i floats as they are',
    (count) => {
      for (const offset of [0, 1, 7]) {
        const memory = Float32Array.from({ length: count + 16 }, (_, i) => i % 251);
        addon[name](memory.subarray(offset, offset + count), count);
        expect(memory.every((value, i) => value === i % 251)).toBe(true);
      }
    },
  );

  it.each([Float32Array, Float64Array])('refuses a length that is not that of a %o', (Floats) => {
    expect(() => {
      addon[name](new Floats(4), 5);
    }).toThrow(
      `evenkeel addon: expected data to be a ${Floats.name} of length 5, got length 4.`,
    );
  });
});

it('large tensors of every element type are made without harm', () => {
  for (const dtype of ['float32', 'float64', 'int32', 'int64'] as const) {
    const { data } = Tensor.filled([1024, 1025], dtype, 3);
    expect(Number(data[0])).toBe(3);
    expect(Number(data.at(-1))).toBe(3);
  }
});
