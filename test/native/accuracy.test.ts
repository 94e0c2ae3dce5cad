// Right bits: statistics, output and gradients in float32 against a 100-bit oracle, on data that
// breaks BatchNorms, within bounds that follow from the number format alone.
import { writeFileSync } from 'node:fs';

import { functional, tensor } from 'evenkeel';
import { afterAll, describe, expect, test } from 'vitest';

import {
  DOUBLE,
  DISTRIBUTIONS,
  fill,
  TOLERANCES,
  measure,
  SINGLE,
  violations,
  type Errors,
  type Distribution,
  type Shape,
} from '../helpers/accuracy.js';

const LAYOUTS: readonly Shape[] = [
  [4096, 8, 1],
  [50_000, 8, 1],
  [64, 8, 64],
  [256, 1024, 1],
  [2, 3, 30_011],
];
const layoutName = ([n, c, l]: Shape): string => (l === 1 ? `(${n}, ${c})` : `(${n}, ${c}, ${l})`);

const measured: [distribution: string, layout: string, errors: Errors][] = [];

describe.each(Object.entries(DISTRIBUTIONS))('%s', (name, distribution) => {
  test.each(LAYOUTS.map((shape) => [layoutName(shape), shape] as const))('%s', (layout, shape) => {
    const errors = measure(shape, fill(shape, distribution));
    measured.push([name, layout, errors]);
    expect(violations(errors)).toEqual([]);
  });
});

// scripts/accuracy.mjs asks for the figures.
afterAll(() => {
  const path = process.env['EVENKEEL_ACCURACY_TABLE'];
  if (path === undefined) return;
  const quantities = Object.keys(TOLERANCES) as (keyof Errors)[];
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const rows = measured.map(([distribution, layout, errors]) => {
    return row([distribution, layout, ...quantities.map((name) => errors[name].error.toPrecision(2))]);
  });
  const tolerances = quantities.map((name) => String(TOLERANCES[name][0]));
  writeFileSync(
    path,
    row(['data', 'shape', ...quantities]) +
      row(['---', '---', ...quantities.map(() => '--:')]) +
      rows.join('') +
      row(['at most', '', ...tolerances]) +
      `\nu = 2^-24. Units:\n${quantities.map((name) => `${name}: ${TOLERANCES[name][1]}\n`).join('')}`,
  );
});

describe('every size from 1 to 67', () => {
  const sizes = Array.from({ length: 67 }, (_, i) => i + 1);
  const axes: readonly [string, (size: number) => Shape][] = [
    ['channels of (7, C)', (c) => [7, c, 1]],
    ['channels of (35, C)', (c) => [35, c, 1]],
    ['rows of (N, 5)', (n) => [n + 1, 5, 1]],
    ['rows of (N, 1)', (n) => [n + 1, 1, 1]],
    ['channels of (3, C, 5)', (c) => [3, c, 5]],
    ['length of (3, 2, L)', (l) => [3, 2, l]],
    ['length of (3, 9, L)', (l) => [3, 9, l]],
    ['length of (1, 1, L)', (l) => [1, 1, l + 1]],
  ];
  test.each(axes)('%s', (_, shapeOf) => {
    for (const precision of [SINGLE, DOUBLE]) {
      for (const size of sizes) {
        for (const name of ['mean 0', 'mean 1e4']) {
          const shape = shapeOf(size);
          const errors = measure(shape, fill(shape, DISTRIBUTIONS[name]!), precision);
          const where = `${name}, ${precision.dtype} [${shape.join(', ')}]`;
          expect(violations(errors), where).toEqual([]);
        }
      }
    }
  });
});

describe('what can be exact is exact', () => {
  const shapes: readonly Shape[] = [
    [257, 37, 1],
    [5, 3, 1],
    [9, 11, 33],
    [6, 2, 70],
  ];

  /** A training forward; the arrays it leaves. */
  function forward(shape: Shape, distribution: Distribution, withBias = true) {
    const [n, c, l] = shape;
    const bias = Float32Array.from({ length: c }, (_, i) => (i % 5) * 0.3 - 0.7);
    const weight = Float32Array.from({ length: c }, (_, i) => 1.5 - i * 0.17);
    const [mean, variance] = [new Float32Array(c), new Float32Array(c)];
    const y = functional.batchNorm(
      tensor(fill(shape, distribution), [n, c, l]),
      tensor(mean, [c]),
      tensor(variance, [c]),
      withBias
        ? { training: true, momentum: 1, weight: tensor(weight, [c]), bias: tensor(bias, [c]) }
        : { training: true, momentum: 1 },
    );
    const channelOf = (i: number): number => Math.floor(i / l) % c;
    return { y: y.data as Float32Array, bias, mean, variance, channelOf };
  }

  const constants = [0.1, 7, -1e6, 1e20, 3e38, 1e-30, 2 ** -149, 0];
  test.each(constants)('a channel of %d is its bias, its variance 0', (value) => {
    for (const shape of shapes) {
      const { y, bias, mean, variance, channelOf } = forward(shape, () => () => value);
      expect(y.every((each, i) => each === bias[channelOf(i)])).toBe(true);
      expect(variance.every((each) => each === 0)).toBe(true);
      expect(mean.every((each) => each === Math.fround(value))).toBe(true);
    }
  });

  const alternating =
    (size: number): Distribution =>
    () =>
    (position) =>
      position % 2 === 0 ? size : -size;
  test.each([1e20, 1e30, 1e5])('plus and minus %d become plus and minus 1', (size) => {
    for (const shape of [
      [256, 37, 1],
      [6, 3, 70],
      [8, 1, 1],
    ] as const) {
      const { y, mean } = forward(shape, alternating(size), false);
      expect(mean.every((each) => each === 0)).toBe(true);
      expect(y.every((each) => Math.abs(Math.abs(each) - 1) <= 2 * 2 ** -24)).toBe(true);
    }
  });

  test('the variance of values that float32 cannot square is right before it is stored', () => {
    const shape = [64, 3, 1] as const;
    const { y, variance } = forward(shape, alternating(3e38), false);
    expect(y.every((each) => Math.abs(Math.abs(each) - 1) < 1e-6)).toBe(true);
    expect(variance.every((each) => each === Infinity)).toBe(true);
  });

  test('gradients of data of the size 1e20 are within their bounds', () => {
    for (const shape of [
      [256, 37, 1],
      [6, 3, 70],
    ] as const) {
      const x = fill(shape, (seed) => {
        const normal = DISTRIBUTIONS['mean 0']!(seed);
        return (position) => 1e20 * normal(position);
      });
      const { dx, dweight, dbias, y } = measure(shape, x);
      const none = { error: 0, at: '' };
      expect(violations({ dx, dweight, dbias, y, mean: none, variance: none })).toEqual([]);
    }
  });
});
