// Pools against plain loops over each window: sizes of every loop, ties, both zeros, infinities, NaN.
import { functional, noGrad, tensor, type Tensor } from 'evenkeel';
import { afterAll, describe, expect, it } from 'vitest';

import { addon } from '../../src/addon/control.js';

const initial = addon.isa();
afterAll(() => {
  addon.selectIsa(initial);
});

type Sizes = readonly [taps: number, stride: number, padding: number, dilation: number];

const SIZES: readonly Sizes[] = [
  ...([2, 3, 4, 5] as const).map((taps): Sizes => [taps, taps, 0, 1]),
  ...[[3, 2, 0, 1], [3, 2, 1, 1], [4, 2, 1, 1], [2, 1, 0, 1], [3, 1, 1, 1], [4, 2, 2, 1], [3, 3, 1, 1], [2, 2, 0, 3]].map(
    (each) => each as unknown as Sizes,
  ),
  [40, 20, 7, 1],
  [40, 40, 0, 1],
  [3, 5, 0, 2],
];
const LENGTHS = [1, 2, 3, 4, 7, 8, 12, 31, 32, 33, 64, 90, 130];

/** Sums beyond the largest float, and quotients below the smallest. */
const EXTREMES = [3.4e38, 3.3e38, -3.4e38, -3.4e38, 2 ** -149, 2 ** -149, -(2 ** -149), -0, 2 ** -126, 3 * 2 ** -149];

/** Few different values, so that many are equal. */
function valuesOf(count: number, seed: number, special: boolean): number[] {
  const rare = [NaN, -0, 0, Infinity, -Infinity];
  let state = seed * 2654435761 + 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const at = state >>> 16;
    return special && at % 5 === 0 ? rare[at % rare.length]! : ((at % 23) - 11) / 4;
  });
}

/** Places that each window reads. */
function windowsOf(length: number, [taps, stride, padding, dilation]: Sizes): number[][] {
  const count = Math.floor((length + 2 * padding - dilation * (taps - 1) - 1) / stride) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, t) =>
    Array.from({ length: taps }, (_, j) => t * stride + j * dilation - padding).filter(
      (i) => i >= 0 && i < length,
    ),
  );
}

function largestOf(row: readonly number[], places: readonly number[]): number {
  let best = places[0]!;
  for (const i of places) if (row[i]! > row[best]! || Number.isNaN(row[i])) best = i;
  return best;
}

const rowsOf = (x: readonly number[], length: number): number[][] =>
  Array.from({ length: x.length / length }, (_, r) => x.slice(r * length, (r + 1) * length));

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  const Data = dtype === 'float32' ? Float32Array : Float64Array;
  const round = (value: number): number => (dtype === 'float32' ? Math.fround(value) : value);
  const made = (values: readonly number[], shape: readonly number[]): Tensor =>
    tensor(Data.from(values), shape, { requiresGrad: true });
  const cases = SIZES.flatMap((sizes) =>
    LENGTHS.filter((length) => windowsOf(length, sizes).length > 0).map(
      (length) => [sizes, length] as const,
    ),
  );

  describe.each(addon.availableIsas())('%s kernels', (isa) => {
    it.each([false, true])('maxPool1d, special values: %s', (special) => {
      addon.selectIsa(isa);
      for (const [sizes, length] of cases) {
        const [taps, stride, padding, dilation] = sizes;
        const values = valuesOf(6 * length, length, special);
        const x = made(values, [2, 3, length]);
        const y = functional.maxPool1d(x, taps, { stride, padding, dilation });
        const windows = windowsOf(length, sizes);
        const rows = rowsOf(values, length);
        const places = rows.map((row) => windows.map((each) => largestOf(row, each)));
        expect([...y.data], `${sizes.join()} of ${length}`).toEqual(
          rows.flatMap((row, r) => places[r]!.map((i) => row[i]!)),
        );
        const unrecorded = noGrad(() => functional.maxPool1d(x, taps, { stride, padding, dilation }));
        expect(unrecorded.data, `without places, ${sizes.join()} of ${length}`).toEqual(y.data);
        const dy = valuesOf(y.numel, 7, special);
        y.backward(tensor(Data.from(dy), y.shape));
        const dx = rows.flatMap((row, r) => {
          const sums = row.map(() => 0);
          places[r]!.forEach((i, t) => (sums[i] = round(sums[i]! + dy[r * windows.length + t]!)));
          return sums;
        });
        expect([...x.grad!.data], `gradient, ${sizes.join()} of ${length}`).toEqual(dx);
      }
    });

    it.each([false, true])('avgPool1d, special values: %s', (special) => {
      addon.selectIsa(isa);
      const extreme = (each: number, i: number): number =>
        special && i % 7 === 0 ? EXTREMES[(i / 7) % EXTREMES.length]! : each;
      for (const [sizes, length] of cases) {
        const [taps, stride, padding, dilation] = sizes;
        if (dilation !== 1) continue;
        for (const countIncludePad of [true, false]) {
          const values = valuesOf(10 * length, length, special).map((each, i) =>
            round(extreme(each / 3, i)),
          );
          const x = made(values, [5, 2, length]);
          const y = functional.avgPool1d(x, taps, { stride, padding, countIncludePad });
          const windows = windowsOf(length, sizes);
          const divisors = windows.map((each) => (countIncludePad ? taps : each.length));
          const rows = rowsOf(values, length);
          const sum = (row: readonly number[], each: readonly number[]): number =>
            each.reduce((total, i) => total + row[i]!, 0);
          expect([...y.data], `${sizes.join()} of ${length}`).toEqual(
            rows.flatMap((row) => windows.map((each, t) => round(sum(row, each) / divisors[t]!))),
          );
          const dy = valuesOf(y.numel, 7, special).map((each, i) => round(extreme(each, i)));
          y.backward(tensor(Data.from(dy), y.shape));
          const dx = rows.flatMap((row, r) => {
            const sums = row.map(() => 0);
            windows.forEach((each, t) => {
              const part = round(dy[r * windows.length + t]! / divisors[t]!);
              for (const i of each) sums[i] = round(sums[i]! + part);
            });
            return sums;
          });
          expect([...x.grad!.data], `gradient, ${sizes.join()} of ${length}`).toEqual(dx);
        }
      }
    });
  });
});
