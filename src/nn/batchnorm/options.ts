// What can be said to a BatchNorm: options of the layer, of a forward, of freeze().
import type { Lengths, Mask } from '../../functional/batchnorm/padding.js';
import type { ActivationOption } from '../../functional/pointwise/activation-table.js';
import type { Tensor } from '../../tensor/tensor.js';

export interface BatchNormOptions {
  /** Added to the variance. Finite, at least 0; training needs more than 0. Default 1e-5. */
  eps?: number | undefined;
  /** Weight of the newest batch in the running statistics, 0 to 1; null: cumulative average. Default 0.1. */
  momentum?: number | null | undefined;
  /** Learn a scale and a shift per channel. Default true. */
  affine?: boolean | undefined;
  /** With affine: learn the shift too. Default true. */
  bias?: boolean | undefined;
  /** Keep running statistics and normalise by them in evaluation. Default true. */
  trackRunningStats?: boolean | undefined;
  /** Element type of parameters and statistics, and of the input. Default 'float32'. */
  dtype?: 'float32' | 'float64' | undefined;
  /** 'NLC': channels are the last dimension; nothing is transposed. Default 'NCL'. */
  layout?: 'NCL' | 'NLC' | undefined;
  /**
   * A batch whose mean or variance is NaN or infinite: into the running statistics with it, as PyTorch
   * does ('propagate', default), an error before anything has changed ('throw'), or normalised but
   * kept out of the running statistics, and counted in `skippedBatches` ('skip').
   */
  nonFinite?: 'propagate' | 'throw' | 'skip' | undefined;
  /**
   * One value per channel where the batch would normalise: an error in PyTorch's words ('throw',
   * default), or normalised by the running statistics, which stay ('running').
   */
  singleValue?: 'throw' | 'running' | undefined;
}

export interface BatchNormForwardOptions {
  /** Receives the output instead of new memory: same shape and dtype as the input. */
  out?: Tensor | undefined;
  /** y = max(y, 0) in the same pass, with the bits of a ReLU behind it. Default false. */
  relu?: boolean | undefined;
  /**
   * y = f(y) in the same pass, with the bits of that activation behind it: its name, as `'silu'`, or with options,
   * as `{ name: 'leakyRelu', negativeSlope: 0.2 }` or `{ name: 'prelu', weight }`. Not with `relu`. Default none.
   */
  activation?: ActivationOption | undefined;
  /**
   * How many steps of each sample of [N, C, L] count: N whole numbers from 0 to L. The rest is padding:
   * no part of the statistics, and y and dx are 0 there. The same bits as without it: default all.
   */
  lengths?: Lengths | undefined;
  /**
   * Which steps of [N, C, L] count, N rows of L flags, or which samples of [N, C], N flags: instead of `lengths`, for
   * those that are not the first ones. Booleans, or 1 and 0. Default all.
   */
  mask?: Mask | undefined;
}

export interface BatchNormAsyncOptions {
  /** Stops the call where it is, waiting or running: its promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * Take the input's array into the tensor's sole possession instead of copying it: views of it that were
   * made before the call have length 0 from here on, `x.data` gives a new one. Refused where its buffer holds
   * anything else. Default false.
   */
  transfer?: boolean | undefined;
  /** As for `forward`. */
  relu?: boolean | undefined;
  /** As for `forward`. */
  activation?: ActivationOption | undefined;
  /** As for `forward`. */
  lengths?: Lengths | undefined;
  /** As for `forward`. */
  mask?: Mask | undefined;
}

export interface FreezeOptions {
  /** Stop learning weight and bias too. Default true. */
  affine?: boolean | undefined;
}

/** @internal */
export const LAYER_OPTIONS = [
  'eps',
  'momentum',
  'affine',
  'bias',
  'trackRunningStats',
  'dtype',
  'layout',
  'nonFinite',
  'singleValue',
];

/** @internal */
export const FORWARD_OPTIONS = ['out', 'relu', 'activation', 'lengths', 'mask'];

/** @internal Those of one layer alone are no options of a Sequential, which hands the others on. */
export const SEQUENCE_OPTIONS = FORWARD_OPTIONS.filter(
  (name) => !['out', 'relu', 'activation'].includes(name),
);

/** @internal */
export const ASYNC_OPTIONS = ['signal', 'transfer', 'relu', 'activation', 'lengths', 'mask'];
