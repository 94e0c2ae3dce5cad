// Folding a BatchNorm into the Linear before or behind it, or the Conv1d before it, for inference: which modules, and
// what becomes of their flags. The numbers are functional/batchnorm/fold.ts.
import * as check from '../../check/index.js';
import { foldInputs, foldOutputs } from '../../functional/batchnorm/fold.js';
import { BatchNorm1d } from './layer.js';
import { FrozenBatchNorm1d } from './frozen.js';
import { LazyBatchNorm1d } from './lazy.js';
import { LazyConv1d } from '../lazy-convolution.js';
import { Conv1d, undrawnConv1d } from '../convolution.js';
import { Linear, undrawnLinear } from '../linear.js';
import type { Module } from '../module/module.js';

type Foldable = BatchNorm1d | FrozenBatchNorm1d;

/**
 * One Linear that computes what both do in evaluation, in the order in which they are given.
 *
 * `foldBatchNorm(linear, bn)` is `bn.forward(linear.forward(x))`, PyTorch's `fuse_linear_bn_eval`:
 * W' = W · weight / sqrt(running_var + eps) and b' = (b - running_mean) · weight / sqrt(running_var + eps)
 * + bias, row by row. Where `linear` has no bias, or `bn` no weight or bias, they count as 0, 1 and 0.
 *
 * `foldBatchNorm(conv, bn)` does the same for a Conv1d, channel by channel (`fuse_conv_bn_eval`).
 *
 * `foldBatchNorm(bn, linear)` is `linear.forward(bn.forward(x))`: W' = W · weight / sqrt(running_var + eps), column by
 * column, and b' = b + Σ W · bias - Σ W' · running_mean.
 *
 * `bn` normalises the last dimension: [N, C], or [N, L, C] with layout 'NLC'. With one channel for all
 * outputs, or inputs, [N, 1, C].
 *
 * The result is in evaluation mode, has memory of its own, and draws no random numbers. Its weight and bias
 * require grad where `linear`'s do; a bias that `linear` does not have does not. Hooks stay behind.
 *
 * W' and b' are computed in double and rounded once; a float32 output is off by at most (inFeatures + 3) ·
 * 2^-24 · (|W'| |x| + |b'|). What that means where the mean is 1e4 deviations from 0 depends on where the mean comes
 * from (measured, 64 inputs): linear's bias cancels in b', and the fold was off by 3e-6 where the layers were off by
 * 1e-3; large inputs cost both 1e-2, in the product. Only where the product itself is exact (W selects) are the
 * layers better, by 5e-7 against 1e-3: three roundings of mean · scale.
 *
 * @param linear - In evaluation mode.
 * @param bn - Likewise, with running statistics; of linear's dtype; `outFeatures` channels (`inFeatures` where it comes
 * first), or one (layout 'NCL').
 * @throws {TypeError | RangeError} for other modules, and for a fold that is not finite, as from a
 * statistic that is NaN.
 * @example
 * ```ts
 * const linear = new nn.Linear(1, 1).eval();
 * linear.loadStateDict(new Map([['weight', tensor([[3]])], ['bias', tensor([1])]]));
 * const bn = new nn.BatchNorm1d(1, { eps: 0 }).eval();
 * bn.runningMean?.data.set([5]);
 * bn.runningVar?.data.set([4]);
 * const folded = nn.foldBatchNorm(linear, bn); // (3 x + 1 - 5) / 2
 * folded.weight.toArray(); // => [[1.5]]
 * folded.bias?.toArray(); // => [-2]
 * const other = nn.foldBatchNorm(bn, linear); // 3 (x - 5) / 2 + 1
 * other.bias?.toArray(); // => [-6.5]
 * ```
 */
export function foldBatchNorm(linear: Linear, bn: Foldable): Linear;
export function foldBatchNorm(conv: Conv1d, bn: Foldable): Conv1d;
export function foldBatchNorm(bn: Foldable, linear: Linear): Linear;
export function foldBatchNorm(
  first: Linear | Conv1d | Foldable,
  second: Linear | Foldable,
): Linear | Conv1d {
  const who = 'foldBatchNorm';
  const normFirst = first instanceof BatchNorm1d || first instanceof FrozenBatchNorm1d;
  const [linear, bn] = (normFirst ? [second, first] : [first, second]) as [
    Linear | Conv1d,
    Foldable,
  ];
  checkModules(who, linear, bn, normFirst);
  const { weight } = linear;
  const { runningMean, runningVar } = bn;
  if (runningMean === null || runningVar === null) {
    throw check.wrongValue(
      who,
      'running statistics (bn.running_mean and bn.running_var must not be None)',
      'none',
    );
  }
  const { dtype } = bn;
  check.dtype(who, "linear's weight", weight, dtype, ' like bn');
  const folded =
    linear instanceof Conv1d
      ? undrawnConv1d(linear)
      : undrawnLinear(linear.inFeatures, linear.outFeatures, { dtype });
  const bias = folded.bias!;
  const norm = { weight: bn.weight, bias: bn.bias, runningMean, runningVar, eps: bn.eps };
  const fold = normFirst ? foldInputs : foldOutputs;
  fold(who, { weight: folded.weight, bias }, linear, norm, bn.numFeatures);
  folded.weight.requiresGrad = weight.requiresGrad;
  bias.requiresGrad = linear.bias?.requiresGrad ?? false;
  return folded.eval();
}

function checkModules(who: string, linear: unknown, bn: unknown, normFirst: boolean): void {
  // A subclass with a forward of its own computes something else.
  const isConv = linear instanceof Conv1d && !normFirst;
  const convolution = linear instanceof LazyConv1d ? LazyConv1d : Conv1d;
  if (!(isConv || linear instanceof Linear) || ownForward(linear, isConv ? convolution : Linear)) {
    const what = normFirst ? 'linear to be a Linear' : 'linear to be a Linear or a Conv1d';
    throw check.wrongKind(who, what, linear);
  }
  const known = [LazyBatchNorm1d, BatchNorm1d, FrozenBatchNorm1d].find(
    (each) => bn instanceof each,
  );
  if (known === undefined || ownForward(bn as Foldable, known)) {
    throw check.wrongKind(who, 'bn to be a BatchNorm1d or a FrozenBatchNorm1d', bn);
  }
  const { numFeatures, layout } = bn as Foldable;
  checkMode(who, linear, bn as Foldable);
  if (linear instanceof Conv1d) {
    checkChannels(who, linear, bn as Foldable);
    return;
  }
  const { inFeatures, outFeatures } = linear;
  const features = normFirst ? inFeatures : outFeatures;
  // [N, L, features] has no last dimension of 1.
  if (numFeatures === features || (numFeatures === 1 && layout === 'NCL')) return;
  if (normFirst) {
    throw check.wrongValue(
      who,
      'a channel for each input, or one for all (linear.in_features == bn.num_features or bn.num_features == 1)',
      `linear.in_features=${inFeatures} and bn.num_features=${numFeatures} in layout '${layout}'`,
    );
  }
  throw check.wrongValue(
    who,
    'a channel for each output, or one for all (To fuse, linear.out_features == bn.num_features or ' +
      'bn.num_features == 1)',
    `linear.out_features=${outFeatures} and bn.num_features=${numFeatures} in layout '${layout}'`,
  );
}

function checkChannels(who: string, conv: Conv1d, { numFeatures, layout }: Foldable): void {
  const { outChannels } = conv;
  if (numFeatures === outChannels && layout === conv.layout) return;
  throw check.wrongValue(
    who,
    `a channel of layout '${conv.layout}' for each output (To fuse, conv.out_channels == bn.num_features)`,
    `conv.out_channels=${outChannels} and bn.num_features=${numFeatures} in layout '${layout}'`,
  );
}

/** That both compute what the fold will: no batch's statistics, and none that move. */
function checkMode(who: string, linear: Linear | Conv1d, bn: Foldable): void {
  if (linear.training || bn.training) {
    const which = [...(linear.training ? ['linear'] : []), ...(bn.training ? ['bn'] : [])];
    throw check.wrongValue(
      who,
      'linear and bn in evaluation mode (Fusion only for eval!)',
      `${which.join(' and ')} in training mode`,
    );
  }
  if (!(bn instanceof BatchNorm1d) || bn.frozen) return;
  const byBatch = bn.normalizeBy === 'batch';
  if (!byBatch && bn.updateStatistics !== true) return;
  throw check.wrongValue(
    who,
    'bn to normalise by running statistics that stay',
    byBatch ? `normalizeBy 'batch'` : 'updateStatistics true',
  );
}

function ownForward(module: Module, of: { readonly prototype: Module }): boolean {
  return (Object.getPrototypeOf(module) as Module).forward !== of.prototype.forward;
}
