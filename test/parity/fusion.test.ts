// PyTorch's fusion of a Linear and the BatchNorm1d behind it (test/test_fx_experimental.py and
// torch/nn/utils/fusion.py's own tests), told anew; and torchvision's tests of its FrozenBatchNorm2d.
import { nn, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { thrownBy } from '../helpers/snapshot.js';
import { normal } from './inputs.js';

type Float = 'float32' | 'float64';

/** A Linear and a BatchNorm that has seen batches, both in evaluation. */
function layers(
  options: { bias?: boolean; affine?: boolean; shift?: boolean; dtype?: Float } = {},
) {
  const { bias = true, affine = true, shift = true, dtype = 'float32' } = options;
  const linear = new nn.Linear(6, 5, { bias, dtype });
  const bn = new nn.BatchNorm1d(5, { affine, bias: shift, dtype });
  linear.weight.data.set(normal([5, 6], 1, { dtype }).data as Float32Array);
  linear.bias?.data.set(normal([5], 2, { dtype }).data as Float32Array);
  bn.weight?.data.set(normal([5], 3, { dtype }).data as Float32Array);
  bn.bias?.data.set(normal([5], 4, { dtype }).data as Float32Array);
  for (const seed of [5, 6]) bn.forward(linear.forward(normal([16, 6], seed, { dtype })));
  return { linear: linear.eval(), bn: bn.eval() };
}

describe('test_fuse_module_eval_numerics', () => {
  const combinations = [true, false].flatMap((bias) =>
    [
      [true, true],
      [true, false],
      [false, false],
    ].flatMap(([affine, shift]) =>
      (['float32', 'float64'] as const).map((dtype) => ({
        bias,
        affine: affine!,
        shift: shift!,
        dtype,
      })),
    ),
  );

  test.each(combinations)('test_fuse_module_eval_numerics: as the two layers, %j', (options) => {
    const { dtype } = options;
    const { linear, bn } = layers(options);
    const x = normal([7, 6], 9, { dtype });
    const folded = nn.foldBatchNorm(linear, bn);
    const y = bn.forward(linear.forward(x));
    // What is added up, of each output: |W'| |x| + |b'|, by either way; 6 products, their sum, and what
    // the layers round in between.
    const [w, b] = [folded.weight.data, folded.bias!.data];
    const scale = Float64Array.from({ length: 35 }, (_, i) => {
      const [row, channel] = [Math.floor(i / 5), i % 5];
      let size = Math.abs(b[channel]!);
      for (let j = 0; j < 6; j++)
        size += Math.abs(w[channel * 6 + j]! * Number(x.data[row * 6 + j]));
      const center = bn.runningMean!.data as Float32Array;
      const gain =
        Math.abs(bn.weight?.data[channel] ?? 1) / Math.sqrt(Number(bn.runningVar!.data[channel]));
      return (
        size +
        Math.abs(center[channel]! * gain) +
        Math.abs((linear.bias?.data[channel] ?? 0) * gain)
      );
    });
    expectAllClose(folded.forward(x), y, { k: 2 * (6 + 6), unit: ROUNDING[dtype], scale }, 'y');
  });
});

describe('test_fuse_linear_bn_requires_grad', () => {
  test.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])(
    "test_fuse_linear_bn_requires_grad: the linear's flags stay: weight %s, bias %s",
    (weight, bias) => {
      const { linear, bn } = layers();
      linear.weight.requiresGrad = weight;
      linear.bias!.requiresGrad = bias;
      const folded = nn.foldBatchNorm(linear, bn);
      expect([folded.weight.requiresGrad, folded.bias!.requiresGrad]).toEqual([weight, bias]);
      expect([linear.weight.requiresGrad, linear.bias!.requiresGrad]).toEqual([weight, bias]);
    },
  );

  test('a bias that the linear did not have requires no grad', () => {
    const { linear, bn } = layers({ bias: false });
    expect(nn.foldBatchNorm(linear, bn).bias!.requiresGrad).toBe(false);
  });
});

describe('what cannot be fused', () => {
  test('layers in training', () => {
    const { linear, bn } = layers();
    bn.train();
    expect(thrownBy(() => nn.foldBatchNorm(linear, bn))).toContain('Fusion only for eval!');
  });

  test('without running statistics', () => {
    const { linear } = layers();
    const bn = new nn.BatchNorm1d(5, { trackRunningStats: false }).eval();
    expect(thrownBy(() => nn.foldBatchNorm(linear, bn))).toContain(
      'bn.running_mean and bn.running_var must not be None',
    );
  });

  test('other channels', () => {
    const { linear } = layers();
    expect(thrownBy(() => nn.foldBatchNorm(linear, new nn.BatchNorm1d(4).eval()))).toContain(
      'To fuse, linear.out_features == bn.num_features or bn.num_features == 1',
    );
  });
});

describe("torchvision's FrozenBatchNorm2d, here over [N, C] and [N, C, L]", () => {
  test('test_frozenbatchnorm2d_repr: channels and eps', () => {
    expect(new nn.FrozenBatchNorm1d(32).toString()).toBe('FrozenBatchNorm1d(32, eps=1e-05)');
  });

  test('test_frozenbatchnorm2d_eps: a state dict of either, and the output of BatchNorm in evaluation', () => {
    const shape = [4, 3, 16];
    const x = normal(shape, 1);
    const state = new Map<string, Tensor>([
      ['weight', normal([3], 2)],
      ['bias', normal([3], 3)],
      ['running_mean', normal([3], 4)],
      ['running_var', tensor(Float32Array.of(0.25, 1, 3))],
      ['num_batches_tracked', tensor(BigInt64Array.of(100n), [])],
    ]);
    const frozen = new nn.FrozenBatchNorm1d(3, { eps: 1e-3 });
    const bn = new nn.BatchNorm1d(3, { eps: 1e-3 }).eval();
    expect(frozen.loadStateDict(state).unexpectedKeys).toEqual([]);
    bn.loadStateDict(state);
    expect(frozen.forward(x).toArray()).toEqual(bn.forward(x).toArray());
    expect([...frozen.stateDict().keys()]).toEqual([
      'weight',
      'bias',
      'running_mean',
      'running_var',
    ]);
    expect([...frozen.parameters()]).toEqual([]);
  });
});
