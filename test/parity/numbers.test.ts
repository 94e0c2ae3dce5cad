// Numbers at the edge: what PyTorch does with NaN, infinities and float32 that overflows, and where
// ours are right instead.
import { nn, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { statistics } from './inputs.js';

const rows = (...values: number[]): Tensor => tensor(values.map((value) => [value]));
const out = (bn: nn.BatchNorm1d, ...values: number[]): number[] => [
  ...(bn.forward(rows(...values)).data as Float32Array),
];

describe('running statistics that are NaN', () => {
  test.each([1, null])('stay NaN with momentum %s: 0 times NaN is NaN', (momentum) => {
    const bn = new nn.BatchNorm1d(1, { momentum });
    bn.runningMean!.data[0] = NaN;
    bn.forward(rows(1, 3));
    expect(statistics(bn)).toEqual({ mean: [NaN], var: [2], batches: 1 });
  });

  test('are gone after resetRunningStats', () => {
    const bn = new nn.BatchNorm1d(1);
    bn.forward(rows(1, NaN));
    expect(statistics(bn)).toEqual({ mean: [NaN], var: [NaN], batches: 1 });
    bn.resetRunningStats();
    expect(statistics(bn)).toEqual({ mean: [0], var: [1], batches: 0 });
  });
});

test('an infinity in a batch: outputs NaN, running_mean infinite, running_var NaN', () => {
  const bn = new nn.BatchNorm1d(1);
  expect(out(bn, 1, Infinity)).toEqual([NaN, NaN]);
  expect(statistics(bn)).toEqual({ mean: [Infinity], var: [NaN], batches: 1 });
});

test('a running_var below 0 makes NaN in evaluation', () => {
  const bn = new nn.BatchNorm1d(1).eval();
  bn.runningVar!.data[0] = -1;
  expect(out(bn, 1, 3)).toEqual([NaN, NaN]);
});

test('running_var 0 and eps 0: the mean itself is the bias, where PyTorch has NaN', () => {
  const bn = new nn.BatchNorm1d(1, { eps: 0 }).eval();
  bn.runningVar!.data[0] = 0;
  expect(out(bn, 0, 3, -3)).toEqual([0, Infinity, -Infinity]);
});

test('a constant channel of 3e38 is its bias, and its mean is right: the sum does not overflow', () => {
  const bn = new nn.BatchNorm1d(1, { momentum: 1 });
  expect(out(bn, 3e38, 3e38)).toEqual([0, 0]);
  expect(statistics(bn)).toEqual({ mean: [Math.fround(3e38)], var: [0], batches: 1 });
});

test('plus and minus 1e20 are plus and minus 1; only running_var, which cannot hold 2e40, is infinite', () => {
  const bn = new nn.BatchNorm1d(1, { momentum: 1 });
  expect(out(bn, 1e20, -1e20)).toEqual([1, -1]);
  expect(statistics(bn)).toEqual({ mean: [0], var: [Infinity], batches: 1 });
});

test('at an offset of 1e6 the output is that of the same numbers without it', () => {
  const values = Array.from({ length: 4096 }, (_, i) => ((i * 37) % 64) / 16);
  const near = out(new nn.BatchNorm1d(1), ...values);
  const far = out(new nn.BatchNorm1d(1), ...values.map((value) => value + 1e6));
  // Each is right to 3 roundings of 2; PyTorch's far outputs are off by up to 5.
  const worst = Math.max(...near.map((value, i) => Math.abs(value - far[i]!)));
  expect(worst).toBeLessThan(6 * 2 * 2 ** -24);
});
