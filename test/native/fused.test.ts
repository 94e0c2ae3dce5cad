// The float32 multiply rounds each product and sum once, in every instruction set: against what an exact
// computation says, at the places where two roundings differ from one, and at the ends of the range.
import { afterEach, expect, test } from 'vitest';

import { addon } from '../../src/addon/control.js';
import { uniformFrom } from '../helpers/random.js';

const isas = addon.availableIsas();
const initial = addon.isa();
afterEach(() => addon.selectIsa(initial));

const LARGEST = (2 - 2 ** -23) * 2 ** 127;
const SMALLEST = 2 ** -149;
const NORMAL = 2 ** -126;
const UP = 1 + 2 ** -23;
const DOWN = 1 - 2 ** -24;

/** [a, b, c, a * b + c rounded once]. */
const known: readonly (readonly [number, number, number, number])[] = [
  // Halfway between two floats, but for something far below: double would round it away.
  [2 ** -24, 1, 1, 1],
  [2 ** -12 * UP, 2 ** -12, 1, UP],
  [2 ** -12 * DOWN, 2 ** -12, 1, 1],
  [2 ** -12 * UP, 2 ** -12, UP, 1 + 2 ** -22],
  [-(2 ** -12) * UP, 2 ** -13, 1, DOWN],
  [-(2 ** -12) * DOWN, 2 ** -13, 1, 1],
  [1, 2 ** -24, UP, 1 + 2 ** -22],
  [2 ** -60, 2 ** -60, UP, UP],
  // The same with the third term the tiny one, and more than 53 bits apart.
  [UP, UP, 2 ** -100, 1 + 2 ** -22],
  [1 + 2 ** -12, 1 + 2 ** -12, SMALLEST, 1 + 2 ** -11 + 2 ** -23],
  [1 + 2 ** -12, 1 + 2 ** -12, -SMALLEST, 1 + 2 ** -11],
  [-(1 + 2 ** -12), 1 + 2 ** -12, -SMALLEST, -(1 + 2 ** -11 + 2 ** -23)],
  // What is left after cancelling is what the product lost.
  [UP, UP, -(1 + 2 ** -22), 2 ** -46],
  [UP, DOWN, -1, 2 ** -24 - 2 ** -47],
  [3, 1 / 4, -0.75, 0],
  // Subnormal results.
  [2 ** -75, 2 ** -75, 0, 0],
  [2 ** -75 * UP, 2 ** -75, 0, SMALLEST],
  [2 ** -75, 2 ** -75, SMALLEST, 2 * SMALLEST],
  [2 ** -75 * DOWN, 2 ** -75, SMALLEST, SMALLEST],
  [-(2 ** -75), 2 ** -75, NORMAL, NORMAL],
  [2 ** -75, -(2 ** -74), NORMAL, NORMAL - SMALLEST],
  [-SMALLEST, SMALLEST, 0, -0],
  // The upper end: halfway to 2^128 is infinite, just below is not.
  [2 ** 103, 1, LARGEST, Infinity],
  [2 ** 103, DOWN, LARGEST, LARGEST],
  [LARGEST, LARGEST, -LARGEST, Infinity],
  [LARGEST, 2, -LARGEST, LARGEST],
  [2 ** 64, -(2 ** 64), LARGEST, -(2 ** 104)],
  [Infinity, 1, LARGEST, Infinity],
  [Infinity, 1, -Infinity, NaN],
  [Infinity, 0, 1, NaN],
  [NaN, 1, 1, NaN],
  [1, 1, NaN, NaN],
];

/** a[0] b[0] + a[1] b[1] + ... as the addon sums it: one element of C for each list, 37 columns. */
function dots(left: readonly number[], right: readonly (readonly number[])[]): Float32Array {
  const k = left.length;
  const n = right.length;
  const b = Float32Array.from({ length: k * n }, (_, i) => right[i % n]![Math.floor(i / n)]!);
  const c = new Float32Array(n);
  addon.matmul(Float32Array.from(left), b, null, c, 1, n, k, false, false);
  return c;
}

test.each(isas)('%s: a product and a sum, rounded once', (isa) => {
  expect(addon.selectIsa(isa)).toBe(true);
  // Two terms: c * 1 is exact, and then a * b is fused with it.
  for (const [a, b, c, expected] of known) {
    const sums = dots([c, a], Array(37).fill([1, b]));
    expect(sums, `${String(a)} * ${String(b)} + ${String(c)}`).toEqual(
      new Float32Array(37).fill(expected),
    );
  }
});

/** Floats of every exponent and sparse mantissas, which make halfway cases and cancellations common. */
function adversaries(seed: number, length: number): Float32Array {
  const uniform = uniformFrom(seed);
  const words = Uint32Array.from({ length }, () => {
    const below = (n: number): number => Math.floor(uniform() * n);
    const sign = below(2) * 2 ** 31;
    const exponent = below(8) === 0 ? below(256) : 97 + below(60);
    const mantissa = [0, 1, 2 ** 23 - 1, 2 ** 22, below(2 ** 12) * 2 ** 11, below(2 ** 23)][
      below(6)
    ]!;
    return sign + exponent * 2 ** 23 + mantissa;
  });
  return new Float32Array(words.buffer);
}

/** The bits, with one NaN for all: which one comes out of two is the CPU's choice. */
function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.map((value) => (Number.isNaN(value) ? NaN : value)).buffer);
}

test.each([1, 2, 3, 8, 300])('instruction sets agree on adversarial data, k = %d', (k) => {
  const [m, n] = [61, 83];
  for (let round = 0; round < 4; round++) {
    const a = adversaries(100 * k + round, m * k);
    const b = adversaries(100 * k + round + 50, k * n);
    const results = isas.map((isa) => {
      addon.selectIsa(isa);
      const c = new Float32Array(m * n);
      addon.matmul(a, b, null, c, m, n, k, false, false);
      return bits(c);
    });
    for (const result of results) expect(result).toEqual(results.at(-1));
    expect(results[0]!.some((word) => word % 2 ** 31 < 0x7f800000 && word % 2 ** 31 > 0)).toBe(
      true,
    );
  }
});
