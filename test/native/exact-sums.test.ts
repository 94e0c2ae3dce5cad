// The sums of BatchNorm against plain JavaScript, with whole numbers: every order of summation gives the same value. Each
// length of a run and of a row up to 70, because what a vector leaves over has code of its own.
import { describe, expect, test } from 'vitest';

import { addon } from '../../src/addon/control.js';
import { uniformFrom } from '../helpers/random.js';
import type { Dtype, Floats } from './arena.js';

const dtypes: readonly Dtype[] = ['float32', 'float64'];
const upTo70 = Array.from({ length: 70 }, (_, i) => i + 1);
/** (samples, channels, length): runs, rows, one channel, and a run of several leaves of its sum. */
const shapes: readonly (readonly [number, number, number])[] = [
  ...upTo70.flatMap((size) => [[3, 9, size] as const, [3, size, 1] as const, [3, 1, size] as const]),
  ...[255, 256, 257, 1000].flatMap((size) => [[3, 9, size] as const, [size, 9, 1] as const]),
  [2, 1, 20_001],
  [40, 20, 61],
];

function array(dtype: Dtype, values: readonly number[]): Floats {
  return dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
}

/** Whole numbers from -9 to 9. */
function whole(length: number, seed: number): number[] {
  const uniform = uniformFrom(seed);
  return Array.from({ length }, () => Math.floor(uniform() * 19) - 9);
}

/** Sums over each channel of first(value's index, channel) and of second(…), the second behind all of the first. */
function sumsOf(
  [n, c, l]: readonly [number, number, number],
  first: (i: number, channel: number) => number,
  second: (i: number, channel: number) => number,
): Float64Array {
  const sums = new Float64Array(2 * c);
  for (let i = 0; i < n * c * l; i++) {
    const channel = Math.floor(i / l) % c;
    sums[channel]! += first(i, channel);
    sums[c + channel]! += second(i, channel);
  }
  return sums;
}

const equal = (a: Float64Array, b: Float64Array): boolean => a.every((value, i) => value === b[i]);

describe.each(dtypes)('%s', (dtype) => {
  test('sums of deviations from a shift, and of their squares', () => {
    const wrong = shapes.filter((shape) => {
      const [n, c, l] = shape;
      const [x, shift] = [whole(n * c * l, 1), whole(c, 2)];
      const sums = new Float64Array(2 * c).fill(NaN);
      addon.batchSums(array(dtype, x), array(dtype, shift), sums, n, c, l);
      const deviation = (i: number, channel: number): number => x[i]! - shift[channel]!;
      const expected = sumsOf(shape, deviation, (i, channel) => deviation(i, channel) ** 2);
      return !equal(sums, expected);
    });
    expect(wrong).toEqual([]);
  });

  test.each([false, true])('sums of gradients and of their products; ReLU %s', (relu) => {
    const wrong = shapes.filter((shape) => {
      const [n, c, l] = shape;
      const [x, dy, mean] = [whole(n * c * l, 3), whole(n * c * l, 4), whole(c, 5)];
      const saved = new Float64Array([...mean, ...mean.map(() => 0), ...mean.map(() => 1)]);
      const sums = new Float64Array(2 * c).fill(NaN);
      const [values, gradients] = [array(dtype, x), array(dtype, dy)];
      addon.gradientSums(
        ...([values, gradients, 0, n, c, l, null, null, saved, sums, null, null] as const),
        relu,
      );
      const passed = (i: number, channel: number): number =>
        relu && x[i]! <= mean[channel]! ? 0 : dy[i]!;
      const expected = sumsOf(
        shape,
        passed,
        (i, channel) => passed(i, channel) * (x[i]! - mean[channel]!),
      );
      return !equal(sums, expected);
    });
    expect(wrong).toEqual([]);
  });
});
