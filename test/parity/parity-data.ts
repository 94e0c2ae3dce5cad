// What scripts/golden/parity.py wrote, and how close to it an output has to be.
import { readFileSync } from 'node:fs';

import { tensor, type Tensor } from 'evenkeel';

import { sizesOf } from '../helpers/batchnorm-roundings.js';
import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { decode, type DTypeName, type Encoded } from '../helpers/golden.js';

export type Numbers = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** One forward and backward of PyTorch in float64. */
export interface Results {
  readonly y: Encoded;
  readonly dx: Encoded;
  readonly dweight: Encoded | null;
  readonly dbias: Encoded | null;
}

/** What of a step decides how often its outputs are rounded. */
interface Step {
  readonly dtype: DTypeName;
  readonly shape: readonly number[];
  readonly x: Encoded;
  readonly dy: Encoded;
  readonly weight: Numbers | null;
  readonly bias: Numbers | null;
  readonly eps: number;
  /** The statistics that normalise, or null: the batch's. */
  readonly running: { readonly mean: Numbers; readonly var: Numbers } | null;
}

interface Outputs {
  readonly y: Tensor;
  readonly dx: Tensor | null;
  readonly dweight: Tensor | null;
  readonly dbias: Tensor | null;
}

export function readParity(name: string): unknown {
  const text = readFileSync(new URL(`data/${name}.json`, import.meta.url), 'utf8');
  return JSON.parse(text) as unknown;
}

export function decoded(encoded: Encoded | null | undefined): Numbers | null {
  return encoded === null || encoded === undefined ? null : decode(encoded);
}

export function leaf(encoded: Encoded, shape: readonly number[]): Tensor {
  return tensor(decode(encoded), [...shape], { requiresGrad: true });
}

/**
 * The roundings of an output: counted in test/golden/batchnorm.test.ts for float32, whose sums are made
 * in double; in float64 the m terms of each sum may round, here and in PyTorch.
 */
function roundings(dtype: DTypeName, m: number): Record<keyof Outputs | 'mean', number> {
  if (dtype === 'float32') return { y: 6, dx: 13, dweight: 3, dbias: 1.01, mean: 0 };
  const k = 16 + 4 * m;
  return { y: k, dx: k, dweight: k, dbias: k, mean: k };
}

/** Throws unless every output is PyTorch's up to rounding, and there where PyTorch has one. */
export function expectResults(got: Outputs, expected: Results, step: Step): void {
  const { dtype, shape, weight, bias, eps, running } = step;
  const [n = 0, channels = 0] = shape;
  const inner = shape.slice(2).reduce((a, b) => a * b, 1);
  const known = {
    x: decode(step.x),
    dy: decode(step.dy),
    channels,
    channelOf: (i: number) => Math.floor(i / inner) % channels,
    weight,
    bias,
    eps,
    running,
  };
  const sizes = sizesOf(known);
  const k = roundings(dtype, n * inner);
  // An error of the mean shifts xhat; in float32 there is none, the mean being two floats.
  const gain = (c: number): number => Math.abs(weight?.[c] ?? 1);
  const shift = (c: number): number => k.mean * sizes.offCentre[c]!;
  const allowed = {
    y: sizes.y.map((size, i) => size * k.y + gain(known.channelOf(i)) * shift(known.channelOf(i))),
    dx: sizes.dx.map((size, i) => size * (k.dx + shift(known.channelOf(i)))),
    dweight: sizes.dweight.map(
      (size, c) => size * (k.dweight + shift(c)) + shift(c) * sizes.dbias[c]!,
    ),
    dbias: sizes.dbias.map((size) => size * k.dbias),
  };
  for (const name of ['y', 'dx', 'dweight', 'dbias'] as const) {
    const want = expected[name];
    if (want === null) {
      if (got[name] !== null) throw new Error(`${name}: expected none`);
      continue;
    }
    const shaped = name === 'y' || name === 'dx' ? shape : [channels];
    const tolerance = { k: 1, unit: ROUNDING[dtype], scale: allowed[name] };
    expectAllClose(got[name], { data: decode(want), shape: shaped }, tolerance, name);
  }
}

/** Running statistics: rounded once when stored, in float64 with the sums before that. */
export function expectStatistic(
  got: Tensor | null,
  expected: Encoded | null,
  dtype: DTypeName,
  m: number,
  what: string,
): void {
  if (expected === null) {
    if (got !== null) throw new Error(`${what}: expected none`);
    return;
  }
  const want = decode(expected);
  const k = dtype === 'float32' ? 1 : 16 + 4 * m;
  // Relative to what is added: values of up to 10 here, and the batch's variance of up to 40.
  const scale = Float64Array.from(want, (value) => Math.max(Math.abs(value), 1));
  expectAllClose(
    got,
    { data: want, shape: [want.length] },
    { k, unit: ROUNDING[dtype], scale },
    what,
  );
}
