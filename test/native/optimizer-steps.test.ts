// The optimiser kernels against plain JavaScript, one Math.fround per operation: PyTorch's order of
// operations, bit for bit.
import { describe, expect, test } from 'vitest';

import { addon } from '../../src/addon/control.js';
import { normals32 } from '../helpers/random.js';
import type { Dtype, Floats } from './arena.js';

const dtypes: readonly Dtype[] = ['float32', 'float64'];

function array(dtype: Dtype, length: number, at: (i: number) => number): Floats {
  const from = { length };
  const fill = (_: unknown, i: number): number => at(i);
  return dtype === 'float32' ? Float32Array.from(from, fill) : Float64Array.from(from, fill);
}

describe.each(dtypes)('%s', (dtype) => {
  const rounded = dtype === 'float32' ? Math.fround : Number;

  test('optimiser steps, one rounding per operation', () => {
    const n = 40_003;
    const fresh = () => {
      const random = (seed: number, of = (value: number) => value): Floats => {
        const normals = normals32(seed, n);
        return array(dtype, n, (i) => of(normals[i]!));
      };
      return { p: random(1), g: random(2), m: random(3), v: random(4, Math.abs) };
    };
    const r = rounded;
    const [lr, mu, decay] = [r(0.1), r(0.9), r(0.01)];
    const same = (got: Floats, expected: Floats) =>
      expect(got.findIndex((value, i) => !Object.is(value, expected[i]))).toBe(-1);

    for (const nesterov of [false, true]) {
      const [got, start] = [fresh(), fresh()];
      addon.sgdStep(got.p, got.g, got.m, n, 0.1, 0.9, 0.25, 0.01, nesterov, false, false);
      const grad = (i: number) => r(start.g[i]! + r(decay * start.p[i]!));
      const m = array(dtype, n, (i) => r(r(mu * start.m[i]!) + r(0.75 * grad(i))));
      const direction = (i: number) => (nesterov ? r(grad(i) + r(mu * m[i]!)) : m[i]!);
      same(got.m, m);
      same(
        got.p,
        array(dtype, n, (i) => start.p[i]! - r(lr * direction(i))),
      );
    }

    for (const decoupled of [false, true]) {
      const [got, start] = [fresh(), fresh()];
      const [c1, c2] = [1 - 0.9 ** 3, Math.sqrt(1 - 0.99 ** 3)];
      addon.adamStep(
        ...([got.p, got.g, got.m, got.v, n, 0.1, 0.9, 0.99, 1e-3, 0.01, c1, c2] as const),
        ...([decoupled, false] as const),
      );
      const kept = decoupled ? r(1 - 0.1 * 0.01) : 1;
      const p = array(dtype, n, (i) => start.p[i]! * kept);
      const grad = (i: number) => (decoupled ? start.g[i]! : r(start.g[i]! + r(decay * p[i]!)));
      const m = array(dtype, n, (i) => r(r(0.9) * start.m[i]!) + r(r(1 - 0.9) * grad(i)));
      const v = array(
        dtype,
        n,
        (i) => r(r(0.99) * start.v[i]!) + r(r(1 - 0.99) * r(grad(i) * grad(i))),
      );
      same(got.m, m);
      same(got.v, v);
      const [rate, root] = [r(0.1 / c1), r(c2)];
      const step = (i: number) => r(r(rate * m[i]!) / r(r(r(Math.sqrt(v[i]!)) / root) + r(1e-3)));
      same(
        got.p,
        array(dtype, n, (i) => p[i]! - step(i)),
      );
    }
  });
});
