// How exact a folded Linear is, against bn(linear(x)) to twice the precision of a double, with means far
// from 0: the bound of foldBatchNorm's docstring, and where it beats the layers.
import { describe, expect, test } from 'vitest';

import { nn, tensor } from '../../src/index.js';
import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { ExactSum } from '../helpers/oracle.js';
import { normalFrom } from '../helpers/random.js';

const [ROWS, INPUTS, OUTPUTS] = [64, 48, 20];

interface Given {
  readonly dtype: 'float32' | 'float64';
  readonly affine: nn.BatchNormOptions;
  readonly bias: boolean;
  readonly channels: number;
  readonly offset: number;
  /** What the mean of linear's outputs comes from. */
  readonly from: 'inputs' | 'bias';
}

type Floats = Float32Array | Float64Array;

interface Case {
  readonly linear: nn.Linear;
  readonly bn: nn.BatchNorm1d;
  readonly x: Floats;
  /** bn(linear(x)). */
  readonly truth: Float64Array;
  /** What is added up to y: the products scaled, and b' or, for `terms`, what is added up to that. */
  readonly sizes: Float64Array;
  readonly terms: Float64Array;
}

/** Statistics are those of the very outputs, so that y is of size 1. */
function build({ dtype, affine, bias, channels, offset, from }: Given): Case {
  const normal = normalFrom(11);
  const array = (count: number, value: () => number): Floats => {
    const values = Float64Array.from({ length: count }, () => Math.fround(value()));
    return dtype === 'float32' ? new Float32Array(values) : values;
  };
  const linear = new nn.Linear(INPUTS, OUTPUTS, { dtype, bias }).eval();
  const bn = new nn.BatchNorm1d(channels, { dtype, ...affine }).eval();
  linear.weight.data.set(array(linear.weight.numel, () => normal() / 7));
  const far = from === 'bias' ? offset : 0;
  linear.bias?.data.set(array(OUTPUTS, () => far + normal()));
  bn.weight?.data.set(array(channels, normal));
  bn.bias?.data.set(array(channels, normal));
  const x = array(ROWS * INPUTS, () => (from === 'inputs' ? offset : 0) + normal());

  const w = linear.weight.data;
  const product = (row: number, out: number, ...more: number[]): number => {
    const sum = new ExactSum();
    for (let i = 0; i < INPUTS; i++) sum.addProduct(x[row * INPUTS + i]!, w[out * INPUTS + i]!);
    for (const term of [linear.bias?.data[out] ?? 0, ...more]) sum.add(term);
    return sum.value;
  };
  const [mean, variance] = [bn.runningMean!.data, bn.runningVar!.data];
  for (let c = 0; c < channels; c++) {
    const z: number[] = [];
    for (let row = 0; row < ROWS; row++) {
      for (let out = c; out < OUTPUTS; out += channels) z.push(product(row, out));
    }
    mean[c] = z.reduce((a, b) => a + b, 0) / z.length;
    variance[c] = z.reduce((a, b) => a + (b - Number(mean[c])) ** 2, 0) / z.length;
  }

  const truth = new Float64Array(ROWS * OUTPUTS);
  const [sizes, terms] = [truth.slice(), truth.slice()];
  for (let i = 0; i < truth.length; i++) {
    const [row, out] = [Math.floor(i / OUTPUTS), i % OUTPUTS];
    const c = out % channels;
    const scale = (bn.weight?.data[c] ?? 1) / Math.sqrt(Number(variance[c]) + bn.eps);
    const shift = bn.bias?.data[c] ?? 0;
    const [b, centre] = [linear.bias?.data[out] ?? 0, Number(mean[c])];
    truth[i] = product(row, out, -centre) * scale + shift;
    let products = 0;
    for (let k = 0; k < INPUTS; k++) {
      products += Math.abs(x[row * INPUTS + k]! * w[out * INPUTS + k]! * scale);
    }
    sizes[i] = products + Math.abs((b - centre) * scale + shift);
    terms[i] = products + Math.abs(b * scale) + Math.abs(centre * scale) + Math.abs(shift);
  }
  return { linear, bn, x, truth, sizes, terms };
}

/** The largest errors of the two layers, and of the fold. */
function errors({ linear, bn, x, truth }: Case): [layers: number, fold: number] {
  const input = tensor(x, [ROWS, linear.inFeatures]);
  const worst = (y: { readonly data: ArrayLike<unknown> }): number =>
    truth.reduce((most, value, i) => Math.max(most, Math.abs(Number(y.data[i]) - value)), 0);
  const folded = nn.foldBatchNorm(linear, bn);
  return [worst(bn.forward(linear.forward(input))), worst(folded.forward(input))];
}

const affines: nn.BatchNormOptions[] = [{}, { bias: false }, { affine: false }];
const origins = [
  { offset: 0, from: 'inputs' },
  { offset: 1e4, from: 'inputs' },
  { offset: 1e4, from: 'bias' },
] as const;
const cases: Given[] = (['float32', 'float64'] as const).flatMap((dtype) =>
  affines.flatMap((affine) =>
    [true, false].flatMap((bias) =>
      [OUTPUTS, 1].flatMap((channels) =>
        origins
          .filter(({ from }) => bias || from === 'inputs')
          .map((origin) => ({ dtype, affine, bias, channels, ...origin })),
      ),
    ),
  ),
);

describe('a folded Linear is as exact as its roundings', () => {
  test.each(cases)('%j', (given) => {
    const each = build(given);
    const folded = nn.foldBatchNorm(each.linear, each.bn);
    const shape = given.channels === 1 ? [ROWS, 1, INPUTS] : [ROWS, INPUTS];
    const y = folded.forward(tensor(each.x, shape)).data;
    // float32: W' or b' rounds once, a product at most once, and inputs + 1 sums once each; what is
    // rounded in double is below 0.01 of that. float64: W' rounds 3.5 times (sum and root of scale
    // 1.5, quotient, product) and b' 5.5 of its terms; the oracle 3.5, and 2 of its own.
    const limit =
      given.dtype === 'float32'
        ? { k: INPUTS + 3.01, scale: each.sizes }
        : { k: INPUTS + 2 + 11, scale: each.terms, unit: ROUNDING.float64 };
    expectAllClose(y, each.truth, limit);
  });

  const one = { dtype: 'float32', affine: {}, bias: true, channels: OUTPUTS } as const;

  test("a mean that is linear's bias cancels in b': 100 times closer than the layers", () => {
    const [layers, fold] = errors(build({ ...one, offset: 1e4, from: 'bias' }));
    expect(layers).toBeGreaterThan(1e-4);
    expect(fold).toBeLessThan(layers / 100);
    expect(fold).toBeLessThan(1e-5);
  });

  test('a mean that comes with the inputs: no further than twice the layers', () => {
    const [layers, fold] = errors(build({ ...one, offset: 1e4, from: 'inputs' }));
    expect(layers).toBeGreaterThan(1e-3);
    expect(fold).toBeLessThan(2 * layers);
  });

  test('where W selects, the layers lose nothing by the mean, the fold three roundings of mean · scale', () => {
    const normal = normalFrom(3);
    const linear = new nn.Linear(OUTPUTS, OUTPUTS, { bias: false }).eval();
    linear.weight.data.fill(0);
    for (let i = 0; i < OUTPUTS; i++) linear.weight.data[i * OUTPUTS + i] = 1;
    const bn = new nn.BatchNorm1d(OUTPUTS, { affine: false }).eval();
    bn.runningMean!.data.fill(1e4 as never);
    bn.runningVar!.data.set(
      Float32Array.from({ length: OUTPUTS }, () => 1 + normal() ** 2) as never,
    );
    const x = Float32Array.from({ length: ROWS * OUTPUTS }, () => 1e4 + normal());
    const scale = (i: number): number =>
      1 / Math.sqrt(Number(bn.runningVar!.data[i % OUTPUTS]) + bn.eps);
    const truth = Float64Array.from(x, (value, i) => (value - 1e4) * scale(i));
    const none = new Float64Array(0);
    const [layers, fold] = errors({ linear, bn, x, truth, sizes: none, terms: none });
    expect(layers).toBeLessThan(4 * 2 ** -24 * 4);
    // W', b' and the one product round; |x| is below 1e4 + 5, scale at most 1. The sum is exact: it cancels.
    expect(fold).toBeLessThan(3.01 * 2 ** -24 * 10_005);
    expect(fold).toBeGreaterThan(2 ** -24 * 1e4 * 0.5);
  });
});

describe('a normalisation folded into the Linear behind it', () => {
  const before = (['float32', 'float64'] as const).flatMap((dtype) =>
    affines.flatMap((affine) =>
      [true, false].flatMap((bias) =>
        [INPUTS, 1].flatMap((channels) =>
          [0, 1e4].map((offset) => ({ dtype, affine, bias, channels, offset })),
        ),
      ),
    ),
  );

  test.each(before)('%j', ({ dtype, affine, bias, channels, offset }) => {
    const normal = normalFrom(13);
    const array = (count: number, value: () => number): Floats => {
      const values = Float64Array.from({ length: count }, () => Math.fround(value()));
      return dtype === 'float32' ? new Float32Array(values) : values;
    };
    const linear = new nn.Linear(INPUTS, OUTPUTS, { dtype, bias }).eval();
    const bn = new nn.BatchNorm1d(channels, { dtype, ...affine }).eval();
    linear.weight.data.set(array(linear.weight.numel, () => normal() / 7));
    linear.bias?.data.set(array(OUTPUTS, normal));
    bn.weight?.data.set(array(channels, normal));
    bn.bias?.data.set(array(channels, normal));
    bn.runningMean!.data.set(array(channels, () => offset + normal()) as never);
    bn.runningVar!.data.set(array(channels, () => 0.5 + normal() ** 2) as never);
    const x = array(ROWS * INPUTS, () => offset + normal());
    const y = nn
      .foldBatchNorm(bn, linear)
      .forward(tensor(x, channels === 1 ? [ROWS, 1, INPUTS] : [ROWS, INPUTS])).data;

    const truth = new Float64Array(ROWS * OUTPUTS);
    const [sizes, terms] = [truth.slice(), truth.slice()];
    for (let at = 0; at < truth.length; at++) {
      const [row, out] = [Math.floor(at / OUTPUTS), at % OUTPUTS];
      const [sum, constant] = [new ExactSum(), new ExactSum()];
      for (const each of [sum, constant]) each.add(linear.bias?.data[out] ?? 0);
      for (let i = 0; i < INPUTS; i++) {
        const c = channels === 1 ? 0 : i;
        const w = linear.weight.data[out * INPUTS + i]!;
        const scale =
          (bn.weight?.data[c] ?? 1) / Math.sqrt(Number(bn.runningVar!.data[c]) + bn.eps);
        const [mean, shift] = [Number(bn.runningMean!.data[c]), bn.bias?.data[c] ?? 0];
        const value = x[row * INPUTS + i]!;
        sum.addProduct(w * scale, value - mean);
        sum.addProduct(w, shift);
        constant.addProduct(w, shift);
        constant.addProduct(w * scale, -mean);
        sizes[at]! += Math.abs(w * scale * value) + Math.abs(w * scale * (value - mean));
        terms[at]! +=
          Math.abs(w * scale * value) + Math.abs(w * scale * mean) + Math.abs(w * shift);
      }
      truth[at] = sum.value;
      sizes[at]! += Math.abs(constant.value);
      terms[at]! += Math.abs(linear.bias?.data[out] ?? 0);
    }
    // float32: a product rounds at most once, inputs + 1 sums once each, b' once; W' once, by a part of x - mean. What
    // is rounded in double is below 0.01 of that. float64: b' is a sum of 2 · inputs + 1 terms besides, each of 4
    // roundings; the oracle rounds a term 4 times.
    const limit =
      dtype === 'float32'
        ? { k: INPUTS + 3.01, scale: sizes }
        : { k: 3 * INPUTS + 3 + 8, scale: terms, unit: ROUNDING.float64 };
    expectAllClose(y, truth, limit);
  });

  test("b' makes up for what W' has lost by rounding", () => {
    const linear = new nn.Linear(2, 1, { bias: false }).eval();
    linear.weight.data.set([1, -1]);
    const bn = new nn.BatchNorm1d(2, { affine: false, eps: 0 }).eval();
    const mean = 1e6;
    bn.runningMean!.data.set([mean, mean] as never);
    bn.runningVar!.data.set([3, 3.0001] as never);
    const { weight, bias } = nn.foldBatchNorm(bn, linear);
    const [a, b] = weight.data as Float32Array;
    expect(bias!.item()).toBe(Math.fround(-a! * mean - b! * mean));
    const unrounded = (1 / Math.sqrt(3) - 1 / Math.sqrt(Math.fround(3.0001))) * -mean;
    expect(Math.abs(bias!.item() - unrounded)).toBeGreaterThan(1e-4); // a part in 10^5, 100 times a rounding
  });
});
