// Large pages are a hint: contents, bounds and neighbours stay as they are, at any length and offset.
// `prepareLarge` answers where the first cache line begins.
import { describe, expect, it } from 'vitest';

import { addon } from '../../src/addon/control.js';
import { Tensor } from '../../src/tensor/tensor.js';

describe('prepareLarge', () => {
  it.each([0, 1, 2 ** 19, 2 ** 20 + 3, 2 ** 21])('leaves %i floats as they are', (count) => {
    for (const offset of [0, 1, 7]) {
      const memory = Float32Array.from({ length: count + 16 }, (_, i) => i % 251);
      addon.prepareLarge(memory.subarray(offset, offset + count), count);
      expect(memory.every((value, i) => value === i % 251)).toBe(true);
    }
  });

  it('refuses a length that is not the array’s', () => {
    expect(() => {
      addon.prepareLarge(new Float32Array(4), 5);
    }).toThrow('evenkeel addon: expected data to be a Float32Array of length 5, got length 4.');
  });

  it('is asked for by large tensors of every element type without harm', () => {
    for (const dtype of ['float32', 'float64', 'int32', 'int64'] as const) {
      const { data } = Tensor.filled([1024, 1025], dtype, 3);
      expect(Number(data[0])).toBe(3);
      expect(Number(data.at(-1))).toBe(3);
    }
  });
});

describe('gatherPages', () => {
  it.each([0, 1, 2 ** 17, 2 ** 19 + 3, 2 ** 21])('leaves %i floats as they are', (count) => {
    for (const offset of [0, 1, 7]) {
      const memory = Float32Array.from({ length: count + 16 }, (_, i) => i % 251);
      addon.gatherPages(memory.subarray(offset, offset + count), count);
      expect(memory.every((value, i) => value === i % 251)).toBe(true);
    }
  });

  it('refuses a length that is not the array’s', () => {
    expect(() => {
      addon.gatherPages(new Float64Array(4), 5);
    }).toThrow('evenkeel addon: expected data to be a Float64Array of length 5, got length 4.');
  });
});
