// BatchNorm at the ends of the range: values whose differences, squares or scales no float or double holds,
// against whole numbers of any size. A channel of them beside usual ones, in both layouts.
import { createHash } from 'node:crypto';

import { functional, nn, tensor, type Tensor } from 'evenkeel';
import { afterEach, describe, expect, test } from 'vitest';

import { Moments } from '../../src/functional/batchnorm/moments.js';
import { addon } from '../../src/addon/control.js';
import { exactBatchNorm } from '../helpers/exact-batchnorm.js';

const initial = { isa: addon.isa(), threads: addon.threads() };
afterEach(() => {
  addon.selectIsa(initial.isa);
  addon.setThreads(initial.threads);
});

type Dtype = 'float32' | 'float64';
interface Case {
  readonly name: string;
  readonly dtype: Dtype;
  readonly eps: number;
  readonly values: readonly number[];
}

const mixed = (scale: number): number[] =>
  Array.from({ length: 64 }, (_, i) => scale * (Math.sin(i * 7) - 0.25));
const cases: Case[] = [
  ...[
    { name: '±1.7e308', values: [1.7e308, -1.7e308, 1.7e308, -1.7e308] },
    { name: 'the largest and its opposite', values: [Number.MAX_VALUE, -Number.MAX_VALUE, 0, 1] },
    { name: 'many up to 1.4e308', values: mixed(1.1e308) },
    { name: 'around 1e200', values: mixed(1e200) },
    { name: 'close together at 1e308', values: [1e308, 1.0000001e308, 1.0000002e308, 1e308] },
    { name: '1e160 beside small ones', values: [1e160, 1, 2, 3] },
  ].map((each) => ({ ...each, dtype: 'float64' as const, eps: 1e-5 })),
  ...[1e-100, 5e-324].flatMap((eps) => [
    { name: `around 1e-310, eps ${eps}`, dtype: 'float64' as const, eps, values: mixed(1e-310) },
    { name: `around 1e-160, eps ${eps}`, dtype: 'float64' as const, eps, values: mixed(1e-160) },
    { name: `constant, eps ${eps}`, dtype: 'float64' as const, eps, values: [1e300, 1e300, 1e300, 1e300] },
  ]),
  { name: 'around 1e-150, eps 1e-310', dtype: 'float64', eps: 1e-310, values: mixed(1e-150) },
  ...[
    { name: '3e38 and three of -3e38', eps: 1e-5, values: [3e38, -3e38, -3e38, -3e38] },
    { name: 'many up to 3.2e38', eps: 1e-5, values: mixed(2.5e38) },
    { name: 'around 1e35', eps: 1e-5, values: mixed(1e35) },
    { name: 'around 1e-40, eps 1e-5', eps: 1e-5, values: mixed(1e-40) },
    { name: 'around 1e-40, eps 1e-100', eps: 1e-100, values: mixed(1e-40) },
    { name: 'around 1e-44, eps 1e-60', eps: 1e-60, values: mixed(1e-44) },
  ].map((each) => ({ ...each, dtype: 'float32' as const })),
];

const USUAL = [2, 0.5, -1, 3, 0.25];
const gradient = (i: number): number => ((i * 5) % 7) - 3;
const arrayOf = (dtype: Dtype, values: readonly number[]): Float32Array | Float64Array =>
  dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);

/** [n, channels, l]: channel 1 of three has the values, the others usual ones. */
function spread(each: Case, l: number, at: (i: number, channel: number) => number): Tensor {
  const n = each.values.length / Math.min(l, each.values.length);
  const data = Array.from({ length: n * 3 * l }, (_, i) => at(Math.floor(i / 3 / l) * l + (i % l), Math.floor(i / l) % 3)); // prettier-ignore
  return tensor(arrayOf(each.dtype, data), l === 1 ? [n, 3] : [n, 3, l]);
}
const channelOf = (t: Tensor, channel: number): number[] => {
  const l = t.shape[2] ?? 1;
  return Array.from(t.data as Float64Array).filter((_, i) => Math.floor(i / l) % 3 === channel);
};

/** A training step and an evaluation; the output goes over the input's memory where `inPlace` says so. */
function step(each: Case, l: number) {
  const values = arrayOf(each.dtype, each.values);
  const count = Math.max(l, values.length);
  const value = (i: number, c: number): number =>
    c === 1 ? values[i % values.length]! : USUAL[(i + c) % USUAL.length]!;
  const x = spread(each, l, value);
  x.requiresGrad = true;
  const bn = new nn.BatchNorm1d(3, { dtype: each.dtype, eps: each.eps, momentum: 1 });
  const y = bn.forward(x);
  y.backward(spread(each, l, gradient));
  const exact = exactBatchNorm(
    Array.from({ length: count }, (_, i) => values[i % values.length]!),
    Array.from({ length: count }, (_, i) => gradient(i)),
    each.eps,
  );
  return { bn, x, y, exact, value };
}

/**
 * Within `units` roundings of the largest of them, and of `least`: the smallest number there is, times what it is
 * multiplied by.
 */
function close(
  dtype: Dtype,
  actual: readonly number[],
  expected: readonly number[],
  units = 16,
  factor = 1,
): void {
  const epsilon = dtype === 'float32' ? 2 ** -24 : 2 ** -53;
  const least = Math.max(dtype === 'float32' ? 2 ** -149 : 2 ** -1074, 2 ** -1074 * factor);
  const round = dtype === 'float32' ? Math.fround : Number;
  const rounded = expected.map(round);
  const largest = Math.max(...rounded.map(Math.abs).filter(Number.isFinite), 0);
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    if (!Number.isFinite(rounded[i]!)) expect(value).toBe(rounded[i]);
    const bound = units * Math.max(epsilon * largest, least);
    if (!(Math.abs(value - rounded[i]!) <= bound)) expect(value).toBe(rounded[i]); // NaN: infinite both
  });
}

const layouts = [1, 2, 64] as const;

describe.each(cases)('$dtype: $name', (each) => {
  test.each(layouts)('runs of %i: output, gradients and statistics', (l) => {
    const { bn, x, y, exact } = step(each, l);
    const { dtype } = each;
    // a mean is a double: of subnormal values it has few digits
    close(dtype, channelOf(y, 1), exact.y, 16, exact.invstd);
    close(dtype, channelOf(x.grad!, 1), exact.dx, 64, exact.invstd ** 2);
    close(dtype, [bn.weight!.grad!.data[1] as number], [exact.dweight], 256, exact.invstd);
    close(dtype, [bn.runningMean!.data[1] as number], [exact.mean], dtype === 'float32' ? 1 : 4);
    close(dtype, [bn.runningVar!.data[1] as number], [exact.unbiased]);
  });

  test.each(layouts)('runs of %i: the usual channels have their bits', (l) => {
    const { bn, x, y, value } = step(each, l);
    const usual = spread(each, l, (i, c) => (c === 1 ? 1 : value(i, c)));
    usual.requiresGrad = true;
    const other = new nn.BatchNorm1d(3, { dtype: each.dtype, eps: each.eps, momentum: 1 });
    const expected = other.forward(usual);
    expected.backward(spread(each, l, gradient));
    for (const c of [0, 2]) {
      expect(channelOf(y, c)).toEqual(channelOf(expected, c));
      expect(channelOf(x.grad!, c)).toEqual(channelOf(usual.grad!, c));
      expect(bn.runningVar!.data[c]).toBe(other.runningVar!.data[c]);
      expect(bn.weight!.grad!.data[c]).toBe(other.weight!.grad!.data[c]);
    }
  });

  test.each(layouts)('runs of %i: in place, with a ReLU and in evaluation', (l) => {
    const { bn, x, y } = step(each, l);
    const again = new nn.BatchNorm1d(3, { dtype: each.dtype, eps: each.eps }).requiresGrad_(false);
    const place = tensor(x.data.slice(), x.shape);
    expect([...again.forward(place, { out: place }).data]).toEqual([...y.data]);
    const gated = x.detach().clone();
    gated.requiresGrad = true;
    const fresh = new nn.BatchNorm1d(3, { dtype: each.dtype, eps: each.eps });
    const z = fresh.forward(gated, { relu: true });
    expect([...z.data]).toEqual([...functional.relu(y).data]);
    z.backward(spread(each, l, gradient));
    const plain = x.detach().clone();
    plain.requiresGrad = true;
    functional.relu(fresh.forward(plain)).backward(spread(each, l, gradient));
    close(each.dtype, channelOf(gated.grad!, 1), channelOf(plain.grad!, 1), 4);
    // an infinite variance divides by infinity
    const evaluated = bn.eval().forward(x.detach());
    expect(channelOf(evaluated, 1).every(Number.isFinite)).toBe(true);
  });

  test('moments of parts, merged, are those of the whole', () => {
    const values = arrayOf(each.dtype, each.values);
    const half = values.length / 2;
    const of = (part: Float32Array | Float64Array): Moments =>
      Moments.of('test', tensor(part.slice(), [part.length, 1]), { n: part.length, c: 1, l: 1 });
    const merged = of(values.subarray(0, half));
    merged.merge(of(values.subarray(half)));
    const exact = exactBatchNorm([...values], [...values].map((_, i) => gradient(i)), each.eps);
    const [mean, residual, , variance] = merged.rows;
    const largest = Math.max(...[...values].map(Math.abs));
    expect(Math.abs(mean! - exact.mean)).toBeLessThanOrEqual(2 ** -50 * largest + 2 ** -1074);
    expect(Math.abs(residual!)).toBeLessThanOrEqual(2 ** -50 * largest + 2 ** -1074);
    close('float64', [variance!], [exact.variance]);
  });
});

test('running statistics from which x is further away than any number', () => {
  for (const [dtype, far] of [['float32', 3e38], ['float64', 1.7e308]] as const) { // prettier-ignore
    for (const l of layouts) {
      const bn = new nn.BatchNorm1d(2, { dtype, eps: 0 }).eval();
      bn.runningMean!.data.set([-far, 1] as never);
      bn.runningVar!.data.set([1e12, 4] as never);
      const x = tensor(arrayOf(dtype, Array.from({ length: 2 * l }, (_, i) => (i < l ? far : 5))), l === 1 ? [1, 2] : [1, 2, l]); // prettier-ignore
      x.requiresGrad = true;
      const y = bn.forward(x);
      const [wanted] = arrayOf(dtype, [2 * (Number(arrayOf(dtype, [far])[0]) / 1e6)]);
      expect(Math.abs(Number(y.data[0]) / wanted! - 1)).toBeLessThan(1e-6);
      expect(y.data[l]).toBe(2);
      functional.sum(y).backward();
      expect(Math.abs(Number(x.grad!.data[0]) / 1e-6 - 1)).toBeLessThan(1e-6);
      expect(bn.weight!.grad!.data[1]).toBe(2 * l);
    }
  }
});

test('a weight that makes a scale no float holds', () => {
  const bn = new nn.BatchNorm1d(1, { eps: 1e-20 });
  bn.weight!.data.fill(1e30);
  const y = bn.forward(tensor([[1e-12], [3e-12]]));
  expect(Math.abs(Number(y.data[1]) / 1e28 - 1)).toBeLessThan(0.01); // 1e-12 * 1e30 / sqrt(1e-20 + 1e-24)
});

test('NaN and infinity still poison their channel', () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    const bn = new nn.BatchNorm1d(2, { dtype: 'float64' });
    const y = bn.forward(tensor(Float64Array.of(bad, 1, 1.7e308, 2, -1.7e308, 3), [3, 2]));
    expect(channelPair(y, 0)).toEqual([NaN, NaN, NaN]);
    expect(channelPair(y, 1).every(Number.isFinite)).toBe(true);
  }
});
const channelPair = (t: Tensor, c: number): number[] =>
  Array.from(t.data as Float64Array).filter((_, i) => i % 2 === c);

test('the same bits in every instruction set, on every number of threads, and later', async () => {
  const n = 700;
  const c = 64; // more elements than one thread takes
  const values = Float64Array.from({ length: n * c }, (_, i) =>
    i % c < 3 ? 1.7e308 * Math.sin(i) : i % c === 3 ? 1e-310 * Math.sin(i) : Math.sin(i),
  );
  for (const shape of [[n, c], [10, c, 70], [70, c, 10], [n * c / 7, 7]]) { // prettier-ignore
    const seen = new Set<string>();
    const options = { dtype: 'float64', eps: 1e-300 } as const;
    const run = async (later: boolean): Promise<void> => {
      const bn = new nn.BatchNorm1d(shape[1]!, options);
      const x = tensor(values, shape, { requiresGrad: true });
      const y = later ? await bn.forwardAsync(x) : bn.forward(x);
      y.backward(tensor(values.map((v) => (Math.abs(v) > 1 ? 1 : v)), shape)); // prettier-ignore
      const sha = createHash('sha256');
      for (const each of [y, x.grad!, bn.runningMean!, bn.runningVar!, bn.weight!.grad!]) sha.update(each.data as Float64Array); // prettier-ignore
      seen.add(sha.digest('hex'));
    };
    for (const isa of addon.availableIsas()) {
      addon.selectIsa(isa);
      for (const threads of [1, 2, 5]) {
        addon.setThreads(threads);
        await run(threads === 5);
      }
    }
    expect(seen.size).toBe(1);
  }
});
