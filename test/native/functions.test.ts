// The package's own exp, log and their kind against the engine's in float64: errors in units in the last place, as
// docs/operations.md states them.
import { describe, expect, test } from 'vitest';

import { functional, tensor } from '../../src/index.js';

type Reference = (x: number) => number;
const positive = (i: number): number => 2 ** ((i % 1999) / 10 - 100) * (1 + i / 1e5);
const small = (i: number): number => (i % 2 === 0 ? 1 : -1) * 2 ** ((i % 600) / 10 - 56);
const wide = (i: number): number => (i - 10000) / 120;

const CASES: readonly [keyof typeof FUNCTIONS, (i: number) => number, Reference][] = [
  ['exp', wide, Math.exp],
  ['exp', small, Math.exp],
  ['log', positive, Math.log],
  ['log', (i) => 1 + small(i) / 32, Math.log],
  ['log1p', small, (x) => (x <= -1 ? NaN : Math.log1p(x))],
  ['tanh', small, Math.tanh],
  ['tanh', wide, Math.tanh],
  ['sigmoid', wide, (x) => 1 / (1 + Math.exp(-x))],
  ['silu', wide, (x) => (x < 0 ? (x * Math.exp(x)) / (1 + Math.exp(x)) : x / (1 + Math.exp(-x)))],
  ['softplus', (i) => wide(i) / 5, (x) => (x > 20 ? x : Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))))],
  ['pow', positive, (x) => x ** 0.3],
  ['sqrt', positive, Math.sqrt],
];
const FUNCTIONS = {
  ...functional,
  pow: (x: Parameters<typeof functional.pow>[0]) => functional.pow(x, 0.3),
};
const TOLERANCES = { float32: 0.51, float64: 4 };
const PRECISION = { float32: [2 ** -23, 2 ** -149], float64: [2 ** -52, 2 ** -1074] } as const;

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  const kind = dtype === 'float32' ? Float32Array : Float64Array;
  const [epsilon, least] = PRECISION[dtype];
  test.each(CASES)('%s', (name, at, reference) => {
    const x = kind.from(Array.from({ length: 20000 }, (_, i) => at(i)));
    const y = (FUNCTIONS[name] as (input: unknown) => { readonly data: ArrayLike<number | bigint> })(
      tensor(x.slice()),
    ).data;
    let worst = 0;
    for (const [i, value] of x.entries()) {
      const [got, want] = [Number(y[i]), reference(value)];
      if (Object.is(got, want) || (Number.isNaN(got) && Number.isNaN(want))) continue;
      if (!Number.isFinite(kind.of(want)[0]!)) {
        expect(got).toBe(kind.of(want)[0]);
        continue;
      }
      const ulp = Math.max(2 ** Math.floor(Math.log2(Math.abs(want))) * epsilon, least);
      worst = Math.max(worst, Math.abs(got - want) / ulp);
    }
    expect(worst).toBeLessThanOrEqual(TOLERANCES[dtype]);
  });
});
