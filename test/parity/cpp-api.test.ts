// BatchNorm1d in PyTorch's C++ tests (test/cpp/api/modules.cpp and functional.cpp), told anew.
import { functional, nn, tensor, type Tensor } from 'evenkeel';
import { expect, test } from 'vitest';

import { expectAllClose } from '../helpers/expect-close.js';
import { normal } from './inputs.js';

test('BatchNorm1dStateful: five channels of everything, and one counter', () => {
  const bn = new nn.BatchNorm1d(5);
  expect([bn.trackRunningStats, bn.affine]).toEqual([true, true]);
  for (const each of [bn.runningMean, bn.runningVar, bn.weight, bn.bias])
    expect(each!.shape).toEqual([5]);
  expect(bn.getBuffer('num_batches_tracked')!.shape).toEqual([]);
});

test('BatchNorm1dStateless: nothing of it', () => {
  const bn = new nn.BatchNorm1d(5, { trackRunningStats: false, affine: false });
  expect([bn.runningMean, bn.runningVar, bn.getBuffer('num_batches_tracked')]).toEqual([
    null,
    null,
    null,
  ]);
  expect([bn.weight, bn.bias]).toEqual([null, null]);
});

test('BatchNorm1d: a fresh layer in evaluation, and the gradient of its output', () => {
  const range = Float32Array.from({ length: 20 }, (_, i) => i);
  const bn = new nn.BatchNorm1d(5).eval();
  const x = tensor(range, [2, 5, 2], { requiresGrad: true });
  const y = bn.forward(x);
  functional.sum(y).backward();
  const expected = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((value) => (value < 2 ? value : value - 5e-6 * value)),
    [10, 10.9999, 11.9999, 12.9999, 13.9999, 14.9999, 15.9999, 16.9999, 17.9999, 18.9999],
  ].flat();
  // PyTorch's literals have four digits; its own test allows 1e-5 of the value more.
  expectAllClose(
    y.data,
    expected,
    { tolerance: expected.map((value) => 1e-5 * value + 1e-5) },
    'y',
  );
  expect(y.shape).toEqual([2, 5, 2]);
  expect(x.grad!.shape).toEqual([2, 5, 2]);
});

test('PrettyPrintBatchNorm1d: as Python prints it, with the names and the bias that C++ leaves out', () => {
  expect(new nn.BatchNorm1d(4, { eps: 0.5, momentum: 0.1, affine: false }).toString()).toBe(
    'BatchNorm1d(4, eps=0.5, momentum=0.1, affine=False, bias=False, track_running_stats=True)',
  );
});

/** (x - mean) / sqrt(var + eps) · weight + bias, in double. */
function plain(
  x: Tensor,
  [mean, variance, weight, bias]: readonly Tensor[],
  eps: number,
): Float64Array {
  const of = (each: Tensor | undefined, i: number, otherwise: number): number =>
    each === undefined ? otherwise : Number(each.data[i % 5]);
  return Float64Array.from(
    { length: x.numel },
    (_, i) =>
      ((Number(x.data[i]) - of(mean, i, 0)) / Math.sqrt(of(variance, i, 1) + eps)) *
        of(weight, i, 1) +
      of(bias, i, 0),
  );
}

test('functional BatchNorm1d: by the statistics that are given, with weight, bias, momentum and eps', () => {
  const x = normal([2, 5], 1);
  const operands = [2, 3, 4, 5].map((seed) => normal([5], seed));
  operands[1] = tensor(Float32Array.of(0.5, 1, 1.5, 2, 2.5));
  const [mean, variance, weight, bias] = operands;
  const y = functional.batchNorm(x, mean!, variance, {
    weight: weight!,
    bias: bias!,
    momentum: 0.1,
    eps: 1e-5,
  });
  expectAllClose(y, { data: plain(x, operands, 1e-5), shape: [2, 5] }, { k: 6, scale: 8 }, 'y');
});

test('functional BatchNorm1dDefaultOptions: evaluation, eps 1e-5, no weight, no bias', () => {
  const x = normal([2, 5], 1);
  const operands = [normal([5], 2), tensor(Float32Array.of(0.5, 1, 1.5, 2, 2.5))];
  const y = functional.batchNorm(x, operands[0]!, operands[1]!);
  expectAllClose(y, { data: plain(x, operands, 1e-5), shape: [2, 5] }, { k: 6, scale: 8 }, 'y');
});
