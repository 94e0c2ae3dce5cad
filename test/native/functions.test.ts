// The package's own exp, log and their kind: errors in units in the last place (ulp). In float32 they are held to what
// docs/operations.md states of each, which is the largest of all floats (scripts/function-errors.mjs); the truth is
// the engine's in float64, or, where it has none, the package's own float64, which is held to 4 ulp here.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { functional, tensor, type Tensor } from '../../src/index.js';

type Reference = (x: number) => number;

/** Inputs: every size a float may have, the middle densely, and what lies beside 0. */
const positive = (i: number): number => 2 ** ((i % 1999) / 10 - 100) * (1 + i / 1e5);
const small = (i: number): number => (i % 2 === 0 ? 1 : -1) * 2 ** ((i % 600) / 10 - 56);
const wide = (i: number): number => (i - 10000) / 120;
const middle = (i: number): number => (i - 10000) / 1500;
const COUNT = 20000;
const inputs = (kind: typeof Float32Array | typeof Float64Array, at: (i: number) => number) =>
  kind.from(Array.from({ length: COUNT }, (_, i) => at(i)));

const FUNCTIONS = {
  sqrt: functional.sqrt,
  rsqrt: functional.rsqrt,
  exp: functional.exp,
  log: functional.log,
  log1p: functional.log1p,
  sigmoid: functional.sigmoid,
  tanh: functional.tanh,
  silu: functional.silu,
  gelu: (x: Tensor) => functional.gelu(x),
  geluTanh: (x: Tensor) => functional.gelu(x, { approximate: 'tanh' }),
  softplus: (x: Tensor) => functional.softplus(x),
  elu: (x: Tensor) => functional.elu(x),
  logSigmoid: functional.logSigmoid,
  mish: functional.mish,
  'pow 2.5': (x: Tensor) => functional.pow(x, 2.5),
  'pow -0.3': (x: Tensor) => functional.pow(x, -0.3),
} satisfies Record<string, (x: Tensor) => Tensor>;
type Name = keyof typeof FUNCTIONS;

const ENGINE: Partial<Record<Name, Reference>> = {
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  silu: (x) => (x < 0 ? (x * Math.exp(x)) / (1 + Math.exp(x)) : x / (1 + Math.exp(-x))),
  softplus: (x) => (x > 20 ? x : Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  logSigmoid: (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))),
  'pow 2.5': (x) => x ** 2.5,
  'pow -0.3': (x) => x ** -0.3,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
};

const PRECISION = { float32: [2 ** -23, 2 ** -149], float64: [2 ** -52, 2 ** -1074] } as const;
type Dtype = keyof typeof PRECISION;

/** Of one value; infinite where only one of the two is a number. */
function ulps(got: number, want: number, dtype: Dtype): number {
  const [epsilon, least] = PRECISION[dtype];
  if (Object.is(got, want) || (Number.isNaN(got) && Number.isNaN(want))) return 0;
  const nearest = dtype === 'float32' ? Math.fround(want) : want;
  if (!Number.isFinite(nearest)) return got === nearest ? 0 : Infinity;
  const ulp = Math.max(2 ** Math.floor(Math.log2(Math.abs(want))) * epsilon, least);
  return Math.abs(got - want) / ulp;
}

function valuesOf(name: Name, x: Float32Array | Float64Array): ArrayLike<number> {
  return FUNCTIONS[name](tensor(x.slice())).data as Float32Array | Float64Array;
}

function worstOf(name: Name, dtype: Dtype, at: (i: number) => number): number {
  const x = inputs(dtype === 'float32' ? Float32Array : Float64Array, at);
  const engine = ENGINE[name];
  const doubles = Float64Array.from(x);
  const want = engine === undefined ? valuesOf(name, doubles) : doubles.map(engine);
  const got = valuesOf(name, x);
  return doubles.reduce((worst, _, i) => Math.max(worst, ulps(got[i]!, want[i]!, dtype)), 0);
}

interface Stated {
  readonly name: Name;
  readonly ulp: number;
  readonly at: number;
  readonly aboveOne: number;
  readonly inputs: number;
}
const STATED = (
  JSON.parse(readFileSync('docs/function-errors.json', 'utf8')) as { functions: Stated[] }
).functions;
/** What the truth in float64 may be off itself, and the digits that are stated. */
const SLACK = 0.001;
/** What floats may have more that were not measured. */
const MORE = 0.05;

describe('float32', () => {
  test('an error is stated for each function', () => {
    const stated = STATED.map(({ name }) => name);
    expect(stated).toEqual(Object.keys(FUNCTIONS));
    for (const { name, inputs: count } of STATED) {
      expect(count, name).toBeGreaterThan(2 ** 27);
    }
  });

  test.each(STATED)('$name: nowhere larger than stated', ({ name, ulp, inputs: count }) => {
    const most = ulp + (count === 2 ** 32 ? SLACK : MORE);
    const isOfPositive = ['log', 'sqrt', 'rsqrt'].includes(name) || name.startsWith('pow');
    const sets = isOfPositive
      ? [positive, (i: number) => 1 + small(i) / 32]
      : [wide, small, middle];
    for (const at of sets) expect(worstOf(name, 'float32', at)).toBeLessThanOrEqual(most);
  });

  test.each(STATED)('$name: as large as stated where it is stated', ({ name, ulp, at }) => {
    expect(Math.abs(worstOf(name, 'float32', () => at) - ulp)).toBeLessThanOrEqual(SLACK);
  });

  test('sqrt: correctly rounded', () => {
    expect(worstOf('sqrt', 'float32', positive)).toBeLessThanOrEqual(0.5);
  });
});

describe('float64: within 4 ulp', () => {
  test.each<[Name, (i: number) => number]>([
    ['exp', wide],
    ['exp', small],
    ['log', positive],
    ['log', (i) => 1 + small(i) / 32],
    ['log1p', small],
    ['tanh', small],
    ['tanh', wide],
    ['sigmoid', wide],
    ['silu', wide],
    ['elu', wide],
    ['elu', small],
    ['softplus', (i) => wide(i) / 5],
    ['logSigmoid', (i) => wide(i) / 5],
    ['pow 2.5', (i) => positive(i) ** 0.5],
    ['pow -0.3', positive],
  ])('%s', (name, at) => {
    expect(worstOf(name, 'float64', at)).toBeLessThanOrEqual(4);
  });

  test('sqrt: correctly rounded', () => {
    expect(worstOf('sqrt', 'float64', positive)).toBeLessThanOrEqual(0.5);
  });
});

const ENDS: readonly [Name, atInfinity: number, atMinusInfinity: number, atMinusZero: number][] = [
  ['sqrt', Infinity, NaN, -0],
  ['rsqrt', 0, NaN, -Infinity],
  ['exp', Infinity, 0, 1],
  ['log', Infinity, NaN, -Infinity],
  ['log1p', Infinity, NaN, -0],
  ['sigmoid', 1, 0, 0.5],
  ['tanh', 1, -1, -0],
  ['silu', Infinity, NaN, -0],
  ['gelu', Infinity, NaN, -0],
  ['geluTanh', Infinity, NaN, -0],
  ['softplus', Infinity, 0, Math.fround(Math.LN2)],
  ['elu', Infinity, -1, -0],
  ['logSigmoid', 0, -Infinity, -Math.fround(Math.LN2)],
  ['mish', Infinity, NaN, -0],
];
test.each(ENDS)('%s at the ends, at -0 and of NaN', (name, ...ends) => {
  const got = valuesOf(name, Float32Array.of(Infinity, -Infinity, -0, NaN));
  expect(Array.from(got)).toEqual([...ends, NaN]);
});

/** Of a derivative in float32 against float64's, in units of 2^-24 or of 2^-24 of the derivative. */
const DERIVATIVES: readonly [Name, number][] = [
  ['sigmoid', 1],
  ['tanh', 2.1],
  ['silu', 4],
  ['gelu', 2],
  ['geluTanh', 8],
  ['softplus', 1],
  ['elu', 1],
  ['logSigmoid', 1],
  ['mish', 3],
];

test.each(DERIVATIVES)('the derivative of %s: within %f times 2^-24', (name, limit) => {
  const derivatives = (x: Float32Array | Float64Array): ArrayLike<number> => {
    const input = tensor(x);
    input.requiresGrad = true;
    const y = FUNCTIONS[name](input);
    y.backward(tensor(x.map(() => 1)));
    return input.grad!.data as Float32Array | Float64Array;
  };
  for (const at of [wide, middle, small]) {
    const x = inputs(Float32Array, at) as Float32Array;
    const [got, want] = [derivatives(x), derivatives(Float64Array.from(x))];
    const errors = Array.from(x, (_, i) => {
      return Math.abs(got[i]! - want[i]!) / 2 ** -24 / Math.max(1, Math.abs(want[i]!));
    });
    expect(Math.max(...errors)).toBeLessThanOrEqual(limit);
  }
});

test('docs/operations.md states these errors', () => {
  const page = readFileSync('docs/operations.md', 'utf8');
  const [, table = ''] = /<!-- function errors -->([\s\S]*)<!-- \/function errors -->/.exec(page)!;
  const rows = [...table.matchAll(/^\| `(.+?)` +\| +([\d.]+) \|/gm)].map(([, name, ulp]) => [
    name,
    ulp,
  ]);
  expect(rows).toEqual(STATED.map(({ name, ulp }) => [name, ulp.toFixed(2)]));
});
