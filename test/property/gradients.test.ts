// What the gradients of BatchNorm are for any data: Ioffe & Szegedy 2015, section 3.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  batches,
  channelOf,
  dataOf,
  elements,
  firstDifference,
  layerFor,
  noise,
  RUNS,
  shapeOf,
  step,
} from '../helpers/batches.js';
import { channelIndices, deviation, ExactSum, gradientSums, moments } from '../helpers/oracle.js';

const UNIT = 2 ** -24;
const EPS = 1e-5;
/** An element of dx is right to 4 units of the sum of its terms (test/native/accuracy.test.ts). */
const DX_UNITS = 4;

describe('dx of a training step', () => {
  test('sums to 0 per channel, and is orthogonal to xhat up to eps', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const { n, c, l, seed } = batch;
        const bn = layerFor(batch, { eps: EPS });
        const [x, dy] = [dataOf(batch), noise(elements(batch), seed)];
        const { dx } = step(bn, x, dy, shapeOf(batch));
        for (let channel = 0; channel < c; channel++) {
          const indices = channelIndices([n, c, l], channel);
          const m = indices.length;
          const truth = moments(x, indices);
          const invstd = 1 / Math.sqrt(truth.variance + EPS);
          const { sum, dot } = gradientSums(x, dy, indices, truth, invstd);
          const perDy = (bn.weight!.data[channel] as number) * invstd;
          const [total, projection] = [new ExactSum(), new ExactSum()];
          let [totalError, projectionError] = [0, 0];
          for (const i of indices) {
            const xhat = deviation(x[i]!, truth.mean) * invstd;
            total.add(dx[i]!);
            projection.addProduct(dx[i]!, xhat);
            const terms = Math.abs(dy[i]!) + Math.abs(sum / m) + Math.abs((xhat * dot) / m);
            const error = DX_UNITS * UNIT * Math.abs(perDy) * terms;
            totalError += error;
            projectionError += error * Math.abs(xhat);
          }
          // sum xhat^2 = M var / (var + eps), so a little of sum dy * xhat is left.
          const rest = perDy * dot * (EPS / (truth.variance + EPS));
          expect(Math.abs(total.value)).toBeLessThanOrEqual(totalError);
          expect(Math.abs(projection.value - rest)).toBeLessThanOrEqual(projectionError);
        }
      }),
      RUNS,
    );
  });

  test('is linear in dy where the factor is a power of two', () => {
    fc.assert(
      fc.property(batches, fc.integer({ min: -10, max: 10 }), (batch, power) => {
        const [x, dy] = [dataOf(batch), noise(elements(batch), batch.seed)];
        const factor = 2 ** power;
        const once = step(layerFor(batch), x, dy, shapeOf(batch));
        const scaled = step(
          layerFor(batch),
          x,
          dy.map((value) => value * factor),
          shapeOf(batch),
        );
        for (const name of ['dx', 'dweight', 'dbias'] as const) {
          const expected = once[name].map((value) => value * factor);
          expect(firstDifference(scaled[name], expected)).toBe(-1);
        }
      }),
      RUNS,
    );
  });
});

test('the gradient of a sum of outputs does not reach x', () => {
  fc.assert(
    fc.property(batches, (batch) => {
      const { n, l, seed } = batch;
      const m = n * l;
      const bn = layerFor(batch, { eps: EPS });
      const dy = new Float32Array(elements(batch)).fill(1);
      const { dx, dbias, variance } = step(bn, dataOf(batch), dy, shapeOf(batch));
      expect(dbias.every((value) => value === m)).toBe(true);
      const weight = noise(batch.c, seed + 1);
      dx.forEach((value, i) => {
        const channel = channelOf(batch, i);
        const invstd = 1 / Math.sqrt((variance[channel]! * (m - 1)) / m + EPS);
        const limit = 2 * DX_UNITS * UNIT * Math.abs(weight[channel]!) * invstd;
        if (!(Math.abs(value) <= limit)) throw new Error(`dx[${i}] is ${value}, not 0`);
      });
    }),
    RUNS,
  );
});
