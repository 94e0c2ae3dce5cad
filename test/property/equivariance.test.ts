// What a change of the input does to the results, mostly to the last bit: powers of two, permutations,
// and that values which do not meet do not matter to each other.
import { functional, noGrad, tensor } from 'evenkeel';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  batches,
  channelOf,
  dataOf,
  elements,
  firstDifference,
  floatsOf,
  layerFor,
  noise,
  RUNS,
  shapeOf,
  step,
} from '../helpers/batches.js';
import { uniformFrom } from '../helpers/random.js';

const UNIT = 2 ** -24;
/** An output is right to 4 units (test/native/accuracy.test.ts). */
const OUTPUT_UNITS = 4;

const check = (a: Float32Array, b: Float32Array): void => expect(firstDifference(a, b)).toBe(-1);

test('scaling by a power of two scales the statistics and leaves the output alone', () => {
  fc.assert(
    fc.property(batches, fc.integer({ min: -20, max: 20 }), (batch, power) => {
      const factor = 2 ** power;
      const [x, dy] = [dataOf(batch), noise(elements(batch), batch.seed)];
      const plain = step(layerFor(batch), x, dy, shapeOf(batch));
      const eps = 1e-5 * factor * factor;
      const larger = x.map((value) => value * factor);
      const scaled = step(layerFor(batch, { eps }), larger, dy, shapeOf(batch));
      check(scaled.y, plain.y);
      check(
        scaled.mean,
        plain.mean.map((value) => value * factor),
      );
      check(
        scaled.variance,
        plain.variance.map((value) => value * factor * factor),
      );
      check(
        scaled.dx,
        plain.dx.map((value) => value / factor),
      );
      check(scaled.dweight, plain.dweight);
      check(scaled.dbias, plain.dbias);
    }),
    RUNS,
  );
});

test('BN(a x + b) is BN(x), up to sign and rounding, where a x + b is exact', () => {
  const affine = fc.record({
    a: fc.constantFrom(-7, -1, 3, 10, 31),
    b: fc.integer({ min: -999, max: 999 }),
  });
  fc.assert(
    fc.property(batches, affine, (batch, { a, b }) => {
      const x = noise(elements(batch), batch.seed).map((value) => Math.round(value * 64) / 64);
      const normalized = (data: Float32Array, eps: number): Float32Array =>
        floatsOf(
          functional.batchNorm(tensor(data, shapeOf(batch)), null, null, { training: true, eps }),
        );
      const y = normalized(x, 1e-5);
      const moved = normalized(
        x.map((value) => a * value + b),
        1e-5 * a * a,
      );
      const bad = y.findIndex((value, i) => {
        const limit = 2 * OUTPUT_UNITS * UNIT * Math.abs(value);
        return !(Math.abs(Math.sign(a) * moved[i]! - value) <= limit);
      });
      expect(bad).toBe(-1);
    }),
    RUNS,
  );
});

test('permuting the channels permutes the results', () => {
  fc.assert(
    fc.property(batches, (batch) => {
      const { c, l, seed } = batch;
      const uniform = uniformFrom(seed);
      const order = Array.from({ length: c }, (_, i) => [uniform(), i] as const)
        .sort(([a], [b]) => a - b)
        .map(([, i]) => i);
      const perChannel = (from: Float32Array) => from.map((_, i) => from[order[i]!]!);
      const perElement = (from: Float32Array) =>
        from.map((_, i) => {
          const channel = channelOf(batch, i);
          return from[i + (order[channel]! - channel) * l]!;
        });
      const [x, dy] = [dataOf(batch), noise(elements(batch), seed)];
      const [bn, permuted] = [layerFor(batch), layerFor(batch)];
      floatsOf(permuted.weight).set(perChannel(floatsOf(bn.weight)));
      floatsOf(permuted.bias).set(perChannel(floatsOf(bn.bias)));
      const before = step(bn, x, dy, shapeOf(batch));
      const after = step(permuted, perElement(x), perElement(dy), shapeOf(batch));
      check(after.y, perElement(before.y));
      check(after.dx, perElement(before.dx));
      for (const name of ['mean', 'variance', 'dweight', 'dbias'] as const) {
        check(after[name], perChannel(before[name]));
      }
    }),
    RUNS,
  );
});

test('in evaluation a row does not depend on the batch it is in', () => {
  fc.assert(
    fc.property(batches, fc.nat(), (batch, pick) => {
      const { n, c, l } = batch;
      const bn = layerFor(batch);
      const x = dataOf(batch);
      noGrad(() => {
        bn.forward(tensor(x, shapeOf(batch)));
        bn.eval();
        const whole = floatsOf(bn.forward(tensor(x, shapeOf(batch))));
        const [from, to] = [pick % n, Math.min(n, (pick % n) + 1 + (pick % 5))];
        const part = x.slice(from * c * l, to * c * l);
        const some = bn.forward(tensor(part, l === 1 ? [to - from, c] : [to - from, c, l]));
        check(floatsOf(some), whole.subarray(from * c * l, to * c * l));
      });
    }),
    RUNS,
  );
});

test('NaN and infinity poison their own channel and no other', () => {
  fc.assert(
    fc.property(
      batches,
      fc.constantFrom(NaN, Infinity, -Infinity),
      fc.nat(),
      (batch, bad, pick) => {
        const [x, dy] = [dataOf(batch), noise(elements(batch), batch.seed)];
        const clean = step(layerFor(batch), x, dy, shapeOf(batch));
        const at = pick % x.length;
        const poisoned = channelOf(batch, at);
        x[at] = bad;
        const got = step(layerFor(batch), x, dy, shapeOf(batch));
        for (const name of ['y', 'dx'] as const) {
          got[name].forEach((value, i) => {
            const expected = channelOf(batch, i) === poisoned ? NaN : clean[name][i];
            if (!Object.is(value, expected)) throw new Error(`${name}[${i}] is ${value}`);
          });
        }
        for (const name of ['mean', 'variance', 'dweight', 'dbias'] as const) {
          const expected = clean[name].slice();
          if (name === 'mean') expected[poisoned] = bad;
          if (name === 'variance' || name === 'dweight') expected[poisoned] = NaN;
          check(got[name], expected);
        }
      },
    ),
    RUNS,
  );
});
