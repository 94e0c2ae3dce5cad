// Arbitrary batches for the property tests: what fast-check draws and shrinks are sizes and a seed.
import { nn, tensor, type Tensor } from 'evenkeel';
import fc from 'fast-check';

import { normalFrom } from './random.js';
import { runs } from './runs.js';

/** Every property runs this often, from one seed: EVENKEEL_SEED=n draws other examples. */
export const RUNS = {
  numRuns: runs(150),
  seed: Number(process.env['EVENKEEL_SEED'] ?? 20_240_607),
};

export interface Batch {
  readonly n: number;
  readonly c: number;
  readonly l: number;
  readonly seed: number;
  /** Mean of the data; its deviation is 1. */
  readonly offset: number;
}

/** At least 2 values per channel; mostly small, now and then large enough for several threads. */
export const batches: fc.Arbitrary<Batch> = fc
  .record({
    n: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 40 }) }, fc.constant(700)),
    c: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 40 }) }, fc.constant(67)),
    l: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
    seed: fc.nat(),
    offset: fc.constantFrom(0, 1, -100, 1e4),
  })
  .filter(({ n, c, l }) => n * l > 1 && n * c * l < 100_000);

export const elements = ({ n, c, l }: Batch): number => n * c * l;

/** [N, C], or [N, C, L] where L is not 1. */
export const shapeOf = ({ n, c, l }: Batch): number[] => (l === 1 ? [n, c] : [n, c, l]);

export const channelOf = ({ c, l }: Batch, i: number): number => Math.floor(i / l) % c;

export function dataOf(batch: Batch): Float32Array {
  const normal = normalFrom(batch.seed);
  return Float32Array.from({ length: elements(batch) }, () => batch.offset + normal());
}

/** Numbers of mean 0 and deviation 1: gradients, parameters. */
export function noise(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, normalFrom(seed ^ 0x5bd1e995));
}

/** A layer with random parameters, statistics replaced by each batch's (momentum 1). */
export function layerFor(
  { c, seed }: Batch,
  options: ConstructorParameters<typeof nn.BatchNorm1d>[1] = {},
): nn.BatchNorm1d {
  const bn = new nn.BatchNorm1d(c, { momentum: 1, ...options });
  (bn.weight?.data as Float32Array | undefined)?.set(noise(c, seed + 1));
  (bn.bias?.data as Float32Array | undefined)?.set(noise(c, seed + 2));
  return bn;
}

export interface Step {
  readonly y: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly dx: Float32Array;
  readonly dweight: Float32Array;
  readonly dbias: Float32Array;
}

export const floatsOf = (from: Tensor | null): Float32Array => from!.data as Float32Array;

/** A training forward and backward: everything it computes. */
export function step(
  bn: nn.BatchNorm1d,
  x: Float32Array,
  dy: Float32Array,
  shape: readonly number[],
): Step {
  const input = tensor(x, shape, { requiresGrad: true });
  const output = bn.forward(input);
  output.backward(tensor(dy, shape));
  return {
    y: floatsOf(output),
    mean: floatsOf(bn.runningMean).slice(),
    variance: floatsOf(bn.runningVar).slice(),
    dx: floatsOf(input.grad),
    dweight: floatsOf(bn.weight!.grad),
    dbias: floatsOf(bn.bias!.grad),
  };
}

type Array32 = Float32Array | Uint32Array;

/** Where two arrays differ in their bits, NaN equal to NaN; -1 where they don't. */
export function firstDifference(a: Array32, b: Array32): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  return a.findIndex((value, i) => !Object.is(value, b[i]));
}
