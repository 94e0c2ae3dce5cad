// Every call of the addon as a job: the bits and the result of the same call now, its errors at once, and its
// cancelling.
import { describe, expect, test } from 'vitest';

import type { Addon, Calls } from '../../src/addon/types.js';
import { CODES } from '../../src/functional/pointwise/codes.js';
import { loadAddon } from '../helpers/child.js';

type Floats = Float32Array | Float64Array;
type Args = readonly unknown[];

const addon = loadAddon() as Addon;

/** Large enough that the calls spread over threads. */
const [N, C, L] = [64, 24, 60];
const ELEMENTS = N * C * L;
const wave = (n: number, step: number): number[] =>
  Array.from({ length: n }, (_, i) => Math.sin(i * step + 1));

/** Arguments that are right, anew at each call. */
const examples: { readonly [Name in keyof Calls]: (f: (n: number, step?: number) => Floats) => Args } = {
  batchNormForward: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS), N, C, L, f(C), f(C), f(C), f(C).map(Math.abs)],
    ...[new Float64Array(4 * C), false, true, 0.1, 1e-5, true],
  ],
  batchNormBackward: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), 0, N, C, L, f(C), f(C), new Float64Array(3 * C).fill(0.5)],
    ...[f(ELEMENTS), f(C), f(C), false, true],
  ],
  batchNormActivated: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS), N, C, L, f(C), f(C), f(C), f(C).map(Math.abs)],
    ...[new Float64Array(4 * C), false, true, 0.1, 1e-5, false, CODES.unary.leaky_relu, 0, 0, f(C)],
  ],
  activationBackward: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS), N, C, L, f(C), f(C)],
    ...[new Float64Array(3 * C).fill(0.5), CODES.binary.leaky_relu_gradient, 0, 0, f(C), f(ELEMENTS)],
  ],
  normalizeByMoments: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS), N, C, L, f(C), f(C), new Float64Array(4 * C).fill(0.5)],
    ...[new Float64Array(3 * C), 1e-5, true],
  ],
  gradientSums: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), 0, N, C, L, f(C), f(C), new Float64Array(3 * C).fill(0.5)],
    ...[new Float64Array(2 * C), f(C), f(C), true],
  ],
  gradientBySums: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), 0, N, C, L, f(C), f(C), new Float64Array(3 * C).fill(0.5)],
    ...[new Float64Array(2 * C).fill(0.3), 2 * N * L, f(ELEMENTS), f(C), f(C), true],
  ],
  batchMoments: (f) => [f(ELEMENTS), new Float64Array(4 * C), N, C, L],
  firstShift: (f) => [f(ELEMENTS), f(C), N, C, L],
  batchSums: (f) => [f(ELEMENTS), f(C), new Float64Array(2 * C), N, C, L],
  momentsOfSums: (f) => [f(C), new Float64Array(2 * C).fill(3), new Float64Array(4 * C), 20, C],
  mergeMoments: () => [new Float64Array(4 * C).fill(2), 5, new Float64Array(4 * C).fill(3), 7, C],
  finiteMoments: () => [new Float64Array(4 * C).fill(2), 5, C, true],
  moveByMoments: (f) => [f(C), f(C), new Float64Array(4 * C).fill(2), 5, 0.1, C],
  pack: (f) => [f(12, 1), f(6), Int32Array.of(1, 2), 2, 2, 3, 1],
  unpack: (f) => [f(12, 1), f(8), Int32Array.of(3, 1), 2, 2, 3, 1],
  matmul: (f) => [f(200 * 300), f(400 * 300), f(400), f(200 * 400), 200, 400, 300, false, true],
  matmulBatch: (f) => [
    ...[f(5 * 60 * 40), f(40 * 30), f(5 * 60 * 30), 5, false, true, 60, 30, 40, false, false],
  ],
  columnSums: (f) => [f(ELEMENTS), f(C), N * L, C],
  conv1d: (f) => [
    ...[f(ELEMENTS), f(36 * C * 5), f(36), f(N * 36 * L), N, C, 36, 1, L, L, 5, 1, 1, 2],
  ],
  conv1dTransposed: (f) => [
    ...[f(N * 36 * 30), f(36 * C * 5), f(C), f(ELEMENTS), N, C, 36, 1, L, 30, 5, 2, 1, 2],
  ],
  conv1dWeightGradient: (f) => [
    ...[f(ELEMENTS), f(N * 36 * 30), f(36 * C * 5), null, N, C, 36, 1, L, 30, 5, 2, 1, 2],
  ],
  channelSums: (f) => [f(ELEMENTS), f(C), N, C, L],
  maxWindows: (f) => [
    ...[f(ELEMENTS), f(N * C * 2), new Int32Array(N * C * 2), Int32Array.of(0, 40, 30, L)],
    ...[N * C, L, 2, 1],
  ],
  maxWindowsBackward: (f) => [
    ...[f(N * C * 2), new Int32Array(N * C * 2).fill(7), f(ELEMENTS), N * C, L, 2],
  ],
  meanWindows: (f) => [
    ...[f(ELEMENTS), f(N * C * 2), Float64Array.of(40, 30), Int32Array.of(0, 40, 30, L)],
    ...[N * C, L, 2, 1],
  ],
  meanWindowsBackward: (f) => [
    ...[f(N * C * 2), f(ELEMENTS), Float64Array.of(40, 30), Int32Array.of(0, 40, 30, L)],
    ...[N * C, L, 2, 1],
  ],
  leafProducts: (f) => [f(N * L * C), f(N * L * 3), f(C * 3), C, 3, N * L],
  columnTotals: (f) => [f(ELEMENTS), new Float64Array(C), N * L, C],
  relu: (f) => [f(ELEMENTS), f(ELEMENTS), ELEMENTS],
  reluBackward: (f) => [f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS), ELEMENTS],
  add: (f) => [f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS), ELEMENTS],
  multiply: (f) => [f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS), ELEMENTS],
  scale: (f) => [f(ELEMENTS), 0.7, f(ELEMENTS), ELEMENTS],
  unary: (f) => [f(ELEMENTS), f(ELEMENTS), ELEMENTS, CODES.unary.gelu, 0, 0],
  binary: (f) => [
    ...[f(ELEMENTS), f(L, 0.3), f(ELEMENTS), ELEMENTS, L, ELEMENTS, CODES.binary.mul, 0, 0],
    ...[Float64Array.of(N * C, L, L, 1, 0, 1), 2],
  ],
  compare: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), new Int32Array(ELEMENTS), ELEMENTS, ELEMENTS, ELEMENTS],
    ...[CODES.compare.lt, null, 0],
  ],
  choose: (f) => [
    ...[f(ELEMENTS), f(1), Int32Array.from({ length: ELEMENTS }, (_, i) => i % 3), f(ELEMENTS, 0.7)],
    ...[ELEMENTS, 1, ELEMENTS, ELEMENTS, Float64Array.of(ELEMENTS, 1, 0, 1), 1],
  ],
  reduce: (f) => [f(ELEMENTS), f(N * L), 2, N, C, L, 1],
  extremeIndices: (f) => [f(ELEMENTS), new BigInt64Array(N * L), true, N, C, L],
  softmax: (f) => [f(ELEMENTS), f(ELEMENTS), false, N * C, L, 1],
  softmaxBackward: (f) => [f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS), true, N, C, L],
  sort: (f) => [f(ELEMENTS), f(N * C * 5), new BigInt64Array(N * C * 5), N * C, L, 5, true],
  copyStrided: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS), ELEMENTS, ELEMENTS],
    ...[Float64Array.of(0, 0, L, N * C, 1, L, N * C, 1), 2],
  ],
  fill: (f) => [f(ELEMENTS), 0.5, ELEMENTS],
  indexSelect: (f) => [f(ELEMENTS), BigInt64Array.of(3n, 0n, 3n), f(N * 3 * L), N, C, 3, L],
  gather: (f) => [f(ELEMENTS), new Int32Array(N * L).fill(2), f(N * L), N, C, 1, L],
  indexSum: (f) => [f(ELEMENTS), Int32Array.of(3, 0, 3), f(N * 3 * L), N, C, 3, L],
  indexAdd: (f) => [f(ELEMENTS), Int32Array.of(3, 0, 3), f(N * 3 * L), N, C, 3, L],
  scatterAdd: (f) => [f(ELEMENTS), new Int32Array(N * L).fill(2), f(N * L), N, C, 1, L],
  sum: (f) => [f(ELEMENTS), ELEMENTS],
  mean: (f) => [f(ELEMENTS), ELEMENTS],
  dropout: (f) => [f(ELEMENTS), f(ELEMENTS), ELEMENTS, 0.3, 17, 2 ** 33],
  uniform: (f) => [f(ELEMENTS), ELEMENTS, -1, 3, 17, 5],
  randomWords: () => [new Uint32Array(1000), 1000, 17, 5],
  crossEntropy: (f) => [f(1200), targets(300), new Int32Array(300), f(1200), 300, 4, -100, new Float64Array(3)],
  crossEntropyBackward: (f) => [f(1200), targets(300), f(1200), 300, 4, -100, 0.25],
  squaredError: (f) => [f(ELEMENTS), f(ELEMENTS, 0.3), ELEMENTS],
  meanSquaredError: (f) => [f(ELEMENTS), f(ELEMENTS, 0.3), ELEMENTS],
  squaredErrorBackward: (f) => [f(ELEMENTS), f(ELEMENTS, 0.3), 0.5, f(ELEMENTS), ELEMENTS],
  sgdStep: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS, 0.7), ELEMENTS, 0.1, 0.9, 0, 0.01],
    ...[true, false, false],
  ],
  adamStep: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS, 0.7), f(ELEMENTS).map(Math.abs), ELEMENTS],
    ...[0.1, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.03, true, false],
  ],
  lossSum: (f) => [f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS, 0.7), null, 2, ELEMENTS, 0.5, 3],
  lossValues: (f) => [f(ELEMENTS), f(ELEMENTS, 0.3), null, f(ELEMENTS), 5, ELEMENTS, 0, f(ELEMENTS)],
  lossGradients: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), null, null, 3, ELEMENTS, 0.5, true, f(ELEMENTS), 0.5],
    f(ELEMENTS),
  ],
  rowLosses: (f) => [
    ...[f(1200), targets(300), new Int32Array(300), Float64Array.of(1, 2, 3, 4), 300, 4, -100, 0.1],
    ...[new Float64Array(300), f(300), new Float64Array(2)],
  ],
  rowGradients: (f) => [
    ...[f(1200), f(1200).map(Math.abs), null, 300, 4, false, -100, 0.1],
    ...[new Float64Array(300).fill(2), f(300), 0.5, f(1200), f(1200)],
  ],
  firstOutside: (f) => [f(ELEMENTS), ELEMENTS, -0.9, 0.9],
  nllLosses: (f) => [
    ...[f(1200), BigInt64Array.from(targets(300), BigInt), new Int32Array(300)],
    ...[Float64Array.of(1, 2, 3, 4), 100, 4, 3, -100, f(300), new Float64Array(2)],
  ],
  nllGradients: (f) => [f(1200), targets(300), null, 100, 4, 3, -100, f(300), 0.5],
  cosines: (f) => [f(1200), f(1200, 0.3), f(300), new Float64Array(900), 300, 4, 1e-8],
  cosineGradients: (f) => [
    ...[f(1200), f(1200, 0.3), new Float64Array(900).fill(0.5), f(300), 300, 4, 1e-8],
    ...[f(1200), f(1200)],
  ],
  embeddingLosses: (f) => [
    ...[f(1200), f(1200, 0.3), signs(300), 300, 4, 0.1, new Float64Array(900), f(300)],
  ],
  embeddingGradients: (f) => [
    ...[f(1200), f(1200, 0.3), signs(300), 300, 4, 0.1, new Float64Array(900).fill(0.5)],
    ...[f(300), 0.5, f(1200), f(1200)],
  ],
  tripletLosses: (f) => [
    ...[f(1200), f(1200, 0.3), f(1200, 0.7), 300, 4, 1, 1e-6, true, true],
    ...[new Float64Array(900), f(300)],
  ],
  tripletGradients: (f) => [
    ...[f(1200), f(1200, 0.3), f(1200, 0.7), 300, 4, 1, 1e-6, false, true],
    ...[new Float64Array(900).fill(1), f(300), 0.5, f(1200), f(1200), f(1200)],
  ],
  rmspropStep: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS).map(Math.abs), f(ELEMENTS, 0.7), f(ELEMENTS).fill(0)],
    ...[ELEMENTS, 0.1, 0.9, 1e-3, 0.01, 0.8, false],
  ],
  adagradStep: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS).map(Math.abs), ELEMENTS, 0.1, 1e-10, 0.01, false],
  ],
  nadamMomentum: () => [0.9, 0.004, 3],
  nadamStep: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS, 0.7), f(ELEMENTS).map(Math.abs), ELEMENTS],
    ...[0.1, 0.9, 0.99, 1e-8, 0.01, 0.3, 0.05, 0.07, true, false],
  ],
  larsStep: (f) => [
    ...[f(ELEMENTS), f(ELEMENTS, 0.3), f(ELEMENTS, 0.7), ELEMENTS, 0.1, 0.9, 0.01, 0.3, true],
  ],
  lerp: (f) => [f(ELEMENTS), f(ELEMENTS, 0.3), 0.3, f(ELEMENTS, 0.7), ELEMENTS],
  clipValues: (f) => [f(ELEMENTS), 0.5, f(ELEMENTS), ELEMENTS],
  normPart: (f) => [f(ELEMENTS), ELEMENTS, 2],
};

function signs(rows: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? 1 : -1));
}

function targets(rows: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => (i % 7 === 0 ? -100 : i % 4));
}

const float = { float32: Float32Array, float64: Float64Array };
type Call = (...args: unknown[]) => unknown;
type Job = (...args: unknown[]) => Promise<unknown>;
const names = Object.keys(examples) as (keyof Calls)[];

const bytes = (args: Args): Buffer[] =>
  args.filter((each) => ArrayBuffer.isView(each)).map(({ buffer }) => Buffer.from(buffer));

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  const filled = (n: number, step = 0.1): Floats => float[dtype].from(wave(n, step));

  test.each(names)('%s as a job', async (name) => {
    const [now, later, before] = [0, 0, 0].map(() => examples[name](filled)) as [Args, Args, Args];
    const result = (addon[name] as Call)(...now);
    const end = await (addon.jobs[name] as Job)(...later, 1);
    expect(end).toBe(result ?? 'done');
    const [written, expected] = [bytes(later), bytes(now)];
    expect(written.every((each, i) => each.equals(expected[i]!))).toBe(true);
    const hasResult = typeof result === 'number' || typeof result === 'boolean';
    expect(written.some((each, i) => !each.equals(bytes(before)[i]!)) || hasResult).toBe(true);
  });
});

test('class targets are copied when they are checked', async () => {
  const [first, second] = [0, 0].map(() => examples.crossEntropyBackward((n) => new Float32Array(n)));
  const promise = (addon.jobs.crossEntropyBackward as Job)(...first!, 1);
  (first![1] as Int32Array).fill(2 ** 30);
  expect(await promise).toBe('done');
  (addon.crossEntropyBackward as Call)(...second!);
  expect(bytes(first!)[2]!.equals(bytes(second!)[2]!)).toBe(true);
});

test('queued jobs of any call are cancelled by their ticket', async () => {
  const filled = (n: number): Floats => new Float32Array(n);
  const ahead = examples.matmul(filled);
  const names = ['add', 'sum', 'adamStep'] as const;
  const args = names.map((name) => examples[name](filled));
  const allCancelled = async (): Promise<boolean> => {
    const busy = [0, 1, 2, 3].map(() => (addon.jobs.matmul as Job)(...ahead, 1));
    const queued = names.map((name, i) => (addon.jobs[name] as Job)(...args[i]!, 2));
    addon.cancelJob(2);
    expect(await Promise.all(busy)).toEqual(busy.map(() => 'done'));
    return (await Promise.all(queued)).every((end) => end === 'cancelled');
  };
  // This thread may be held up until they have run.
  let cancelled = false;
  for (let i = 0; i < 50 && !cancelled; i++) cancelled = await allCancelled();
  expect(cancelled).toBe(true);
});
