// What holds to the last bit: data whose sums are exact in any order (after oneDNN's benchdnn), and
// layouts that are the same data.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  batches,
  dataOf,
  elements,
  firstDifference,
  floatsOf,
  layerFor,
  noise,
  RUNS,
  shapeOf,
  step,
  type Batch,
} from '../helpers/batches.js';
import { channelIndices } from '../helpers/oracle.js';
import { uniformFrom } from '../helpers/random.js';

const UNIT = 2 ** -24;
/** An output is right to 4 units (test/native/accuracy.test.ts). */
const OUTPUT_UNITS = 4;

const check = (a: Float32Array, b: Float32Array): void => expect(firstDifference(a, b)).toBe(-1);

/** Pairs of whole numbers, mean +- d: every sum of them is exact in any order. M is even. */
function exactData({ n, c, l, seed }: Batch): Float32Array {
  const uniform = uniformFrom(seed);
  const x = new Float32Array(n * c * l);
  for (let channel = 0; channel < c; channel++) {
    const indices = channelIndices([n, c, l], channel);
    const mean = Math.floor(uniform() * 2000) - 1000;
    for (let i = 0; i < indices.length; i += 2) {
      const d = Math.floor(uniform() * 100);
      x[indices[i]!] = mean + d;
      x[indices[i + 1]!] = mean - d;
    }
  }
  return x;
}

/** [N, C, L] data as [N, L, C]. */
function channelsLast({ c, l }: Batch, from: Float32Array): Float32Array {
  return from.map((_, i) => {
    const [row, channel, position] = [Math.floor(i / (c * l)), i % c, Math.floor(i / c) % l];
    return from[(row * c + channel) * l + position]!;
  });
}

const evenBatches = batches.filter(({ n, l }) => (n * l) % 2 === 0);

describe('exact data', () => {
  test('statistics and parameter gradients are exact, in any order of summation', () => {
    fc.assert(
      fc.property(evenBatches, (batch) => {
        const { n, c, l, seed } = batch;
        const x = exactData(batch);
        const dy = noise(elements(batch), seed).map((value) => Math.round(value * 50));
        const got = step(layerFor(batch, { eps: 0.5 }), x, dy, shapeOf(batch));
        for (let channel = 0; channel < c; channel++) {
          const indices = channelIndices([n, c, l], channel);
          const m = indices.length;
          const total = (of: (i: number) => number) => indices.reduce((sum, i) => sum + of(i), 0);
          const mean = total((i) => x[i]!) / m;
          const squares = total((i) => (x[i]! - mean) ** 2);
          const dot = total((i) => dy[i]! * (x[i]! - mean));
          expect(got.mean[channel]).toBe(mean);
          expect(got.variance[channel]).toBe(Math.fround(squares / (m - 1)));
          expect(got.dbias[channel]).toBe(Math.fround(total((i) => dy[i]!)));
          const invstd = 1 / Math.sqrt(squares / m + 0.5);
          expect(got.dweight[channel]).toBe(Math.fround(dot * invstd));
        }
      }),
      RUNS,
    );
  });

  test('channels last computes the same bits as channels first', () => {
    fc.assert(
      fc.property(evenBatches, (batch) => {
        const { n, c, l, seed } = batch;
        const transpose = (from: Float32Array) => channelsLast(batch, from);
        const x = exactData(batch);
        const dy = noise(elements(batch), seed).map((value) => Math.round(value * 50));
        const first = step(layerFor(batch), x, dy, [n, c, l]);
        const last = step(layerFor(batch, { layout: 'NLC' }), transpose(x), transpose(dy), [
          n,
          l,
          c,
        ]);
        check(last.y, transpose(first.y));
        check(last.dx, transpose(first.dx));
        for (const name of ['mean', 'variance', 'dweight', 'dbias'] as const) {
          check(last[name], first[name]);
        }
      }),
      RUNS,
    );
  });
});

test('channels last is channels first, up to the rounding of an output', () => {
  fc.assert(
    fc.property(batches, (batch) => {
      const { n, c, l, seed } = batch;
      const [x, dy] = [dataOf(batch), noise(elements(batch), seed)];
      const { bias } = layerFor(batch);
      const first = channelsLast(batch, step(layerFor(batch), x, dy, [n, c, l]).y);
      const layer = layerFor(batch, { layout: 'NLC' });
      const last = step(layer, channelsLast(batch, x), dy, [n, l, c]).y;
      first.forEach((y, i) => {
        const shift = floatsOf(bias)[i % c]!;
        const largest = Math.max(Math.abs(y), Math.abs(y - shift), Math.abs(shift));
        const limit = 2 * OUTPUT_UNITS * UNIT * largest;
        if (!(Math.abs(y - last[i]!) <= limit)) throw new Error(`${y} and ${last[i]!} at ${i}`);
      });
    }),
    RUNS,
  );
});

test('[N, C, 1] is [N, C], and [N, L] of one channel is [1, 1, N * L]', () => {
  fc.assert(
    fc.property(
      batches.filter(({ n }) => n > 1),
      (batch) => {
        const { n, c, l } = batch;
        const [x, dy] = [dataOf(batch), noise(elements(batch), batch.seed)];
        const flat = step(
          layerFor({ ...batch, c: c * l }),
          x,
          dy,
          [n, c * l].map((s) => s),
        );
        const unit = step(layerFor({ ...batch, c: c * l }), x, dy, [n, c * l, 1]);
        const one = step(layerFor({ ...batch, c: 1 }), x, dy, [elements(batch), 1]);
        const run = step(layerFor({ ...batch, c: 1 }), x, dy, [1, 1, elements(batch)]);
        for (const name of ['y', 'mean', 'variance', 'dx', 'dweight', 'dbias'] as const) {
          check(unit[name], flat[name]);
          check(run[name], one[name]);
        }
      },
    ),
    RUNS,
  );
});
