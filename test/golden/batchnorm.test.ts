// BatchNorm against PyTorch: three training steps and one in evaluation, every output of each. The
// digits are compared with PyTorch's float64, the meaning once more with its float32 kernels.
import { tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { sizesOf, type Sizes } from '../helpers/batchnorm-roundings.js';
import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { decode, type Encoded } from '../helpers/golden.js';
import {
  buildLayer,
  channelIn,
  data,
  parametersOf,
  type Case,
  type Inputs,
  type Layer,
  type StepResult,
} from './batchnorm-data.js';

/** How many roundings each output may be away. */
interface Allowed {
  readonly unit: number;
  readonly y: number;
  readonly dx: number;
  readonly dweight: number;
  readonly dbias: number;
  /** A step. */
  readonly running: number;
  /** Of the mean, relative to the largest |x|. */
  readonly mean: number;
}

// float32, with the statistics in double and the mean in two floats:
// y = (x - center) · scale + offset: center's low half, difference, scale, product, offset, sum = 6.
// dx = dy · a + d · b + k: a and its product 2; d, b, its product 3, and b's dot 2 of its own; k 1; the
// first sum rounds two terms and the second three = 4 at most: 13 with one to spare for the low half.
// dweight: 2 in its differences, 1 when stored. dbias: stored; M double roundings are below 0.01.
// Running statistics: stored once a step.
const TIGHT: Allowed = {
  unit: ROUNDING.float32,
  y: 6,
  dx: 13,
  dweight: 3,
  dbias: 1.01,
  running: 1,
  mean: 0,
};

/** Statistics summed in the unit itself: M terms for the mean and M for the variance, on both sides. */
function plainSums(unit: number, m: number): Allowed {
  const k = 16 + 4 * m;
  return { unit, y: k, dx: k, dweight: k, dbias: k, running: k, mean: k };
}

/** What a running statistic's roundings are relative to: the largest value it has had. */
class Largest {
  readonly values: Float64Array;

  constructor(channels: number, first: number) {
    this.values = new Float64Array(channels).fill(first);
  }

  see(value: number, c: number): void {
    this.values[c] = Math.max(this.values[c]!, Math.abs(value));
  }
}

interface Step {
  readonly expected: StepResult;
  readonly allowed: Allowed;
  readonly sizes: Sizes;
  readonly inputs: Inputs;
  readonly weight: ArrayLike<number> | null;
  /** Training steps so far: roundings of the running statistics. */
  readonly steps: number;
  readonly inEvaluation: boolean;
}

function compareGradients(bn: Layer, dx: Tensor | null, y: Tensor, step: Step): void {
  const { expected, allowed, sizes, inputs, weight, steps, inEvaluation } = step;
  const { unit } = allowed;
  const channelOf = channelIn(inputs);
  // In evaluation the roundings of the stored statistics come on top: the mean's shift x, the
  // variance's scale it.
  const stored = inEvaluation ? steps : 0;
  const shift = (c: number): number => (allowed.mean + stored) * sizes.offCentre[c]!;
  const gain = (c: number): number => Math.abs(weight?.[c] ?? 1);
  const shaped = (encoded: Encoded): { data: ArrayLike<number>; shape: number[] } => ({
    data: decode(encoded),
    shape: inputs.shape,
  });

  const ofY = sizes.y.map((size, i) => {
    const c = channelOf(i);
    return size * (allowed.y + stored) + gain(c) * shift(c);
  });
  expectAllClose(y, shaped(expected.y), { k: 1, unit, scale: ofY }, 'y');
  const ofDx = sizes.dx.map((size, i) => size * (allowed.dx + stored + shift(channelOf(i))));
  expectAllClose(dx, shaped(expected.dx), { k: 1, unit, scale: ofDx }, 'dx');

  expect(bn.weight === null).toBe(expected.dweight === null);
  if (expected.dweight !== null) {
    const scale = sizes.dweight.map(
      (size, c) => size * (allowed.dweight + stored + shift(c)) + shift(c) * sizes.dbias[c]!,
    );
    expectAllClose(bn.weight?.grad, decode(expected.dweight), { k: 1, unit, scale }, 'dweight');
  }
  expect(bn.bias === null).toBe(expected.dbias === null);
  if (expected.dbias !== null) {
    const tolerance = { k: allowed.dbias, unit, scale: sizes.dbias };
    expectAllClose(bn.bias?.grad, decode(expected.dbias), tolerance, 'dbias');
  }
}

function compareBuffers(
  bn: Layer,
  { expected, allowed, steps }: Step,
  largest: { mean: Largest; variance: Largest },
): void {
  expect(bn.numBatchesTracked).toBe(expected.numBatchesTracked);
  expect(bn.runningMean === null).toBe(expected.runningMean === null);
  expect(bn.runningVar === null).toBe(expected.runningVar === null);
  if (expected.runningMean === null || expected.runningVar === null) return;
  const k = steps * allowed.running;
  const mean = { k, unit: allowed.unit, scale: largest.mean.values };
  expectAllClose(bn.runningMean, decode(expected.runningMean), mean, 'running_mean');
  const variance = { k, unit: allowed.unit, scale: largest.variance.values };
  expectAllClose(bn.runningVar, decode(expected.runningVar), variance, 'running_var');
}

function run(each: Case, inputs: Inputs, results: StepResult[], allowed: Allowed): void {
  const bn = buildLayer(each, inputs);
  const { channels, shape } = inputs;
  const channelOf = channelIn(inputs);
  const { weight, bias } = parametersOf(each, inputs);
  const largest = { mean: new Largest(channels, 0), variance: new Largest(channels, 1) };
  results.forEach((expected, i) => {
    const inEvaluation = i >= data.trainingSteps;
    const x = tensor(decode(inputs.x[i]!), shape, { requiresGrad: true });
    const dy = decode(inputs.dy[i]!);
    bn.train(!inEvaluation);
    bn.zeroGrad();
    const y = bn.forward(x);
    y.backward(tensor(dy, shape));

    const values = x.data as Float32Array;
    const mean = expected.runningMean === null ? null : decode(expected.runningMean);
    const variance = expected.runningVar === null ? null : decode(expected.runningVar);
    mean?.forEach((value, c) => largest.mean.see(value, c));
    variance?.forEach((value, c) => largest.variance.see(value, c));
    if (allowed.mean > 0) values.forEach((value, j) => largest.mean.see(value, channelOf(j)));
    const running =
      inEvaluation && mean !== null && variance !== null ? { mean, var: variance } : null;
    const known = { x: values, dy, channels, channelOf, weight, bias, eps: each.eps, running };
    const steps = Math.min(i + 1, data.trainingSteps);
    const step = { expected, allowed, sizes: sizesOf(known), inputs, weight, steps, inEvaluation };
    compareGradients(bn, x.grad, y, step);
    compareBuffers(bn, step, largest);
  });
}

describe(`BatchNorm as PyTorch ${data.torch} computes it`, () => {
  test('the data cover every combination', () => {
    const name = (...parts: unknown[]): string => parts.map(String).join();
    const seen = new Set(
      data.cases.map(({ inputs, affine, track, momentum }) => {
        const { dtype, shape } = data.inputs[inputs]!;
        return name(dtype, shape.length, affine, track, momentum);
      }),
    );
    for (const dtype of ['float32', 'float64']) {
      for (const rank of [2, 3]) {
        for (const affine of ['both', 'none', 'weight']) {
          for (const track of [true, false]) {
            for (const momentum of [0.1, null, 0, 1]) {
              expect(seen).toContain(name(dtype, rank, affine, track, momentum));
            }
          }
        }
      }
    }
    expect(data.trainingSteps).toBe(3);
    expect(data.cases.every(({ steps }) => steps.length === 4)).toBe(true);
  });

  for (const each of data.cases) {
    const inputs = data.inputs[each.inputs]!;
    const m = inputs.shape.reduce((a, b) => a * b, 1) / inputs.channels;
    const kept = each.track ? `momentum ${String(each.momentum)}` : 'not tracked';
    test(`${each.inputs}, affine ${each.affine}, ${kept}, eps ${each.eps}`, () => {
      const isSingle = inputs.dtype === 'float32';
      run(each, inputs, each.steps, isSingle ? TIGHT : plainSums(ROUNDING.float64, m));
      expect(each.torch32 !== undefined).toBe(isSingle);
      if (isSingle) run(each, inputs, each.torch32!, plainSums(ROUNDING.float32, m));
    });
  }
});
