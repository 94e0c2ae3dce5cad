// FrozenBatchNorm1d: BatchNorm1d's evaluation as a fixed map, for inference and for the backbone of a
// model that is trained further. Nothing of it is learned or moves.
import * as check from '../../check/index.js';
import { behindOf } from '../../functional/batchnorm/activation.js';
import { normalize } from '../../functional/batchnorm/forward.js';
import { packedDims, paddingOf } from '../../functional/batchnorm/padding.js';
import { deferring } from '../../run/deferral.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import { FORWARD_OPTIONS, SEQUENCE_OPTIONS, type BatchNormForwardOptions } from './options.js';
import { BatchNorm1d } from './layer.js';
import { WHO, PLAN_LOAD } from '../module/internals.js';
import { Module } from '../module/module.js';
import type { LoadPlan } from '../module/load-state-dict.js';
import { pythonFloat } from '../module/repr.js';

export interface FrozenBatchNormOptions {
  /** Added to the variance. Finite, at least 0. Default 1e-5. */
  eps?: number | undefined;
  /** Element type of the buffers and of the input. Default 'float32'. */
  dtype?: 'float32' | 'float64' | undefined;
  /** 'NLC': channels are the last dimension; nothing is transposed. Default 'NCL'. */
  layout?: 'NCL' | 'NLC' | undefined;
}

type BufferName = 'weight' | 'bias' | 'running_mean' | 'running_var';

const CHOSEN = Symbol('chosen');
const COUNTER = 'num_batches_tracked';

/**
 * y = (x - running_mean) / sqrt(running_var + eps) · weight + bias per channel, in training mode too:
 * torchvision's FrozenBatchNorm2d over [N, C] or [N, C, L], with the bits of `BatchNorm1d` in evaluation.
 *
 * All four are buffers: an optimiser does not see them, `requiresGrad_` does not reach them, and backward
 * is one pass, to x. `num_batches_tracked` of a BatchNorm1d's state dict is left out. A BatchNorm1d that is to
 * learn again later has `freeze()`.
 *
 * @example
 * ```ts
 * const bn = new nn.BatchNorm1d(1, { eps: 0 });
 * bn.runningMean?.data.set([1]);
 * bn.runningVar?.data.set([4]);
 * const frozen = nn.FrozenBatchNorm1d.from(bn);
 * frozen.train().forward(tensor([[1], [5]])).toArray(); // => [[0], [2]]
 * [...frozen.parameters()].length; // => 0
 * ```
 */
export class FrozenBatchNorm1d extends Module {
  static override readonly forwardOptions: readonly string[] = SEQUENCE_OPTIONS;
  private readonly [CHOSEN]: {
    numFeatures: number;
    dtype: 'float32' | 'float64';
    eps: number;
    layout: 'NCL' | 'NLC';
  };
  /** [C], key `weight`: scale, initially 1. */
  declare readonly weight: Tensor;
  /** [C], key `bias`: shift, initially 0. */
  declare readonly bias: Tensor;

  /**
   * @param numFeatures - C, a positive integer.
   * @throws {TypeError | RangeError} for an option that is unknown or out of range.
   */
  constructor(numFeatures: number, options: FrozenBatchNormOptions = {}) {
    super();
    const who = this[WHO];
    check.wholeNumber(who, 'numFeatures', numFeatures, 1);
    check.options(who, options, ['eps', 'dtype', 'layout']);
    const { eps = 1e-5, dtype = 'float32', layout = 'NCL' } = options;
    check.oneOf(who, 'dtype', dtype, ['float32', 'float64']);
    this[CHOSEN] = { numFeatures, dtype, eps: 1e-5, layout: 'NCL' };
    this.eps = eps;
    this.layout = layout;
    const perChannel = (value: number): Tensor => Tensor.filled([numFeatures], this.dtype, value);
    this.registerBuffer('weight', perChannel(1));
    this.registerBuffer('bias', perChannel(0));
    this.registerBuffer('running_mean', perChannel(0));
    this.registerBuffer('running_var', perChannel(1));
  }

  /**
   * What `bn` computes by its running statistics: copies of its state, weight 1 and bias 0 where it has none; its eps,
   * dtype, layout and mode.
   *
   * @param bn - With running statistics.
   * @throws {TypeError | RangeError} for another module, or one without.
   */
  static from(bn: BatchNorm1d): FrozenBatchNorm1d {
    const who = 'FrozenBatchNorm1d.from';
    if (!((bn as unknown) instanceof BatchNorm1d)) {
      throw check.wrongKind(who, 'a BatchNorm1d', bn);
    }
    const { numFeatures, eps, dtype, layout, weight, bias, runningMean, runningVar } = bn;
    if (runningMean === null || runningVar === null) {
      throw check.wrongValue(
        who,
        'a BatchNorm1d with running statistics (bn.running_mean and bn.running_var must not be None)',
        'none',
      );
    }
    const frozen = new FrozenBatchNorm1d(numFeatures, { eps, dtype, layout });
    const state = new Map([
      ['running_mean', runningMean],
      ['running_var', runningVar],
    ]);
    if (weight !== null) state.set('weight', weight);
    if (bias !== null) state.set('bias', bias);
    frozen.loadStateDict(state, { strict: false });
    return frozen.train(bn.training);
  }

  /** C, the number of channels. */
  get numFeatures(): number {
    return this[CHOSEN].numFeatures;
  }

  /** Element type of the buffers and of the input. */
  get dtype(): 'float32' | 'float64' {
    return this[CHOSEN].dtype;
  }

  /** Added to the variance. @throws {RangeError} unless finite and at least 0. */
  get eps(): number {
    return this[CHOSEN].eps;
  }

  set eps(value: number) {
    this[CHOSEN].eps = check.numberBetween(this[WHO], 'eps', value, 0, Infinity);
  }

  /** Which dimension has the channels: see the option. */
  get layout(): 'NCL' | 'NLC' {
    return this[CHOSEN].layout;
  }

  set layout(value: 'NCL' | 'NLC') {
    this[CHOSEN].layout = check.oneOf(this[WHO], 'layout', value, ['NCL', 'NLC']);
  }

  /** [C], key `running_mean`. */
  get runningMean(): Tensor {
    return bufferOf(this, 'running_mean');
  }

  /** [C], key `running_var`. */
  get runningVar(): Tensor {
    return bufferOf(this, 'running_var');
  }

  /**
   * @param x - [N, C] or [N, C, L] ([N, L, C] with layout 'NLC'), of the module's dtype. N may be 1 or 0.
   * @throws {TypeError | RangeError} for another shape or dtype.
   */
  forward(x: TensorLike, options?: BatchNormForwardOptions, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    const { [WHO]: who, layout } = this;
    if (options !== undefined) check.options(`${who}.forward`, options, FORWARD_OPTIONS);
    const input = Tensor.operand(who, 'the input', x);
    check.dtype(who, 'the input', input, this.dtype);
    const given = check.batchNormInput(who, 'BatchNorm1d', input, this.numFeatures, layout);
    const padding = paddingOf(who, input, options, layout);
    const { relu, activation } = behindOf(who, options);
    return normalize(input, {
      who,
      dims: padding === null ? given : packedDims(padding),
      padding,
      weight: bufferOf(this, 'weight'),
      bias: bufferOf(this, 'bias'),
      runningMean: this.runningMean,
      runningVar: this.runningVar,
      useRunning: true,
      update: false,
      momentum: 0,
      eps: this.eps,
      relu,
      activation,
      out: options?.out ?? null,
      moments: null,
      owner: this,
      deferral: deferring(),
    });
  }

  /** A BatchNorm1d's counter may be among the keys. */
  override [PLAN_LOAD](entries: ReadonlyMap<string, Tensor>): LoadPlan {
    return { entries: new Map([...entries].filter(([name]) => name !== COUNTER)) };
  }

  override extraRepr(): string {
    return `${this.numFeatures}, eps=${pythonFloat(this.eps)}`;
  }
}

/** A buffer that forward needs. */
function bufferOf(layer: FrozenBatchNorm1d, name: BufferName): Tensor {
  const tensor = layer.getBuffer(name);
  if (tensor === null) throw check.wrongValue(layer[WHO], `a buffer ${name}`, 'null');
  return tensor;
}

check.refuseAssignment(FrozenBatchNorm1d, {
  dtype: 'make a layer with another dtype',
  numFeatures: 'make a layer of another size',
  runningMean: "registerBuffer('running_mean', tensor) replaces it",
  runningVar: "registerBuffer('running_var', tensor) replaces it",
});
