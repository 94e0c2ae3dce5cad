// BatchNorm1d, 2d, 3d: which statistics normalise, which move, and what is learned. The arithmetic is
// in functional/batchnorm.ts and below it.
import * as check from '../check.js';
import { normalize } from '../functional/batchnorm.js';
import type { ModuleRecord } from '../state-dict.js';
import { floats, Parameter, Tensor, type TensorLike } from '../tensor.js';
import { Module } from './module.js';
import { pythonBoolean, pythonFloat } from './repr.js';

export interface BatchNormOptions {
  /** Added to the variance. Finite, at least 0; training needs more than 0. Default 1e-5. */
  eps?: number;
  /** Weight of the newest batch in the running statistics, 0 to 1; null: cumulative average. Default 0.1. */
  momentum?: number | null;
  /** Learn a scale and a shift per channel. Default true. */
  affine?: boolean;
  /** With affine: learn the shift too. Default true. */
  bias?: boolean;
  /** Keep running statistics and normalise by them in evaluation. Default true. */
  trackRunningStats?: boolean;
  /** Element type of parameters and statistics, and of the input. Default 'float32'. */
  dtype?: 'float32' | 'float64';
  /** 'NLC': channels are the last dimension; nothing is transposed. Default 'NCL'. */
  layout?: 'NCL' | 'NLC';
}

export interface BatchNormForwardOptions {
  /** Receives the output instead of new memory: same shape and dtype as the input. */
  out?: Tensor;
  /** y = max(y, 0) in the same pass, with the bits of a ReLU behind it. Default false. */
  relu?: boolean;
}

const OPTIONS = ['eps', 'momentum', 'affine', 'bias', 'trackRunningStats', 'dtype', 'layout'];

const FORWARD_OPTIONS = ['out', 'relu'];

/** What BatchNorm1d, 2d and 3d have in common; for `instanceof`. */
export abstract class BatchNorm extends Module {
  readonly numFeatures: number;
  readonly affine: boolean;
  readonly dtype: 'float32' | 'float64';
  readonly layout: 'NCL' | 'NLC';
  /**
   * Whether a training forward moves the running statistics. Switched off later, the module keeps
   * those it has and evaluation goes on using them, as in PyTorch.
   */
  trackRunningStats: boolean;
  /** [C]: scale, initially 1; null without affine. */
  weight: Parameter | null;
  /** [C]: shift, initially 0; null without affine or bias. */
  bias: Parameter | null;
  #eps = 1e-5;
  #momentum: number | null = 0.1;

  protected abstract readonly kind: 'BatchNorm1d' | 'BatchNorm2d' | 'BatchNorm3d';

  /**
   * @param numFeatures - C, a positive integer.
   * @throws {TypeError | RangeError} for an option that is unknown or out of range.
   */
  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super();
    const { who } = this;
    this.numFeatures = check.wholeNumber(who, 'numFeatures', numFeatures, 1);
    check.options(who, options, OPTIONS);
    if (options.eps !== undefined) this.eps = options.eps;
    if (options.momentum !== undefined) this.momentum = options.momentum;
    const { affine = true, bias = true, trackRunningStats = true } = options;
    const { dtype = 'float32', layout = 'NCL' } = options;
    this.affine = check.boolean(who, 'affine', affine);
    check.boolean(who, 'bias', bias);
    this.trackRunningStats = check.boolean(who, 'trackRunningStats', trackRunningStats);
    this.dtype = check.oneOf(who, 'dtype', dtype, ['float32', 'float64']);
    this.layout = check.oneOf(who, 'layout', layout, ['NCL', 'NLC']);
    const perChannel = (value: number): Tensor => Tensor.filled([numFeatures], this.dtype, value);
    this.weight = this.affine ? new Parameter(perChannel(1)) : null;
    this.bias = this.affine && bias ? new Parameter(perChannel(0)) : null;
    const tracked = this.trackRunningStats;
    this.registerBuffer('running_mean', tracked ? perChannel(0) : null);
    this.registerBuffer('running_var', tracked ? perChannel(1) : null);
    this.registerBuffer('num_batches_tracked', tracked ? Tensor.filled([], 'int64', 0) : null);
  }

  /** Added to the variance. @throws {RangeError} unless finite and at least 0. */
  get eps(): number {
    return this.#eps;
  }

  set eps(value: number) {
    this.#eps = check.numberBetween(this.who, 'eps', value, 0, Infinity);
  }

  /** Weight of the newest batch; null: every batch weighs the same. @throws {RangeError} outside 0 to 1. */
  get momentum(): number | null {
    return this.#momentum;
  }

  set momentum(value: number | null) {
    this.#momentum =
      value === null ? null : check.numberBetween(this.who, 'momentum (or null)', value, 0, 1);
  }

  /** [C], key `running_mean`; null without running statistics. */
  get runningMean(): Tensor | null {
    return this.getBuffer('running_mean');
  }

  /** [C], key `running_var`: unbiased; null without running statistics. */
  get runningVar(): Tensor | null {
    return this.getBuffer('running_var');
  }

  /** Training batches seen since the last reset, key `num_batches_tracked`; 0 without running statistics. */
  get numBatchesTracked(): number {
    return this.getBuffer('num_batches_tracked')?.item() ?? 0;
  }

  set numBatchesTracked(value: number) {
    const counter = this.getBuffer('num_batches_tracked');
    if (counter === null) {
      throw check.wrongValue(this.who, 'running statistics to count batches for', 'none');
    }
    (counter.data as BigInt64Array)[0] = BigInt(
      check.wholeNumber(this.who, 'numBatchesTracked', value, 0),
    );
    counter.markChanged();
  }

  /**
   * y = (x - mean) / sqrt(var + eps) · weight + bias per channel.
   *
   * | training | running statistics | normalises by | moves them |
   * |---|---|---|---|
   * | true | tracked | the batch | yes |
   * | true | none, or not tracked | the batch | no |
   * | false | there | the running statistics | no |
   * | false | none | the batch: results depend on who shares it | no |
   *
   * The running statistics move here, in forward, not in `optimizer.step()`, also under `noGrad`.
   *
   * @param x - [N, C] or [N, C, L] for BatchNorm1d ([N, L, C] with layout 'NLC'), [N, C, H, W] for 2d,
   * [N, C, D, H, W] for 3d; of the module's dtype. An empty batch moves only `numBatchesTracked`.
   * @throws {RangeError} for another shape, or one value per channel where the batch normalises.
   * Whatever throws has changed nothing.
   */
  forward(x: TensorLike, options?: BatchNormForwardOptions): Tensor {
    const { who, runningMean, runningVar, training, momentum } = this;
    if (options !== undefined) check.options(`${who}.forward`, options, FORWARD_OPTIONS);
    const input = Tensor.from(x);
    check.dtype(who, 'the input', input, this.dtype);
    const dims = check.batchNormInput(who, this.kind, input, this.numFeatures, this.layout);
    const update = training && this.trackRunningStats && runningMean !== null;
    const counter = update ? this.getBuffer('num_batches_tracked') : null;
    counter?.attached(who, 'num_batches_tracked');
    const y = normalize(input, {
      who,
      dims,
      weight: this.weight,
      bias: this.bias,
      runningMean,
      runningVar,
      useRunning: !training && runningMean !== null,
      update,
      momentum: momentum ?? (update ? this.#cumulativeMomentum() : 0),
      eps: this.eps,
      relu: check.boolean(who, 'relu', options?.relu ?? false),
      out: options?.out ?? null,
    });
    if (counter !== null) countBatch(counter);
    return y;
  }

  /** The weight that makes the running statistics the plain average of all batches. */
  #cumulativeMomentum(): number {
    const batches = check.wholeNumber(this.who, 'num_batches_tracked', this.numBatchesTracked, 0);
    return 1 / (batches + 1);
  }

  /** running_mean 0, running_var 1, num_batches_tracked 0. */
  resetRunningStats(): void {
    const { runningMean, runningVar } = this;
    if (runningMean === null || runningVar === null) return;
    fill(runningMean, 0);
    fill(runningVar, 1);
    this.numBatchesTracked = 0;
  }

  /** The running statistics, weight 1 and bias 0. */
  resetParameters(): void {
    this.resetRunningStats();
    if (this.weight !== null) fill(this.weight, 1);
    if (this.bias !== null) fill(this.bias, 0);
  }

  protected override record(): ModuleRecord {
    return { version: 2 };
  }

  override extraRepr(): string {
    const momentum = this.momentum === null ? 'None' : pythonFloat(this.momentum);
    return (
      `${this.numFeatures}, eps=${pythonFloat(this.eps)}, momentum=${momentum}, ` +
      `affine=${pythonBoolean(this.affine)}, bias=${pythonBoolean(this.bias !== null)}, ` +
      `track_running_stats=${pythonBoolean(this.trackRunningStats)}`
    );
  }
}

/**
 * Batch normalisation (Ioffe & Szegedy 2015) over [N, C] or [N, C, L].
 *
 * @example
 * ```ts
 * const bn = new nn.BatchNorm1d(2, { eps: 1, momentum: 0.5 });
 * const x = tensor([[1, 0], [3, 0]]);
 * bn.forward(x); // normalised by the batch: mean [2, 0], variance [1, 0]
 * bn.runningMean?.toArray(); // => [1, 0]
 * bn.runningVar?.toArray(); // => [1.5, 0.5]
 * bn.eval().forward(x); // normalised by the running statistics, which stay
 * bn.numBatchesTracked; // => 1
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  protected override readonly kind = 'BatchNorm1d';
}

/** Batch normalisation over [N, C, H, W] ([N, H, W, C] with layout 'NLC'): see BatchNorm1d. */
export class BatchNorm2d extends BatchNorm {
  protected override readonly kind = 'BatchNorm2d';
}

/** Batch normalisation over [N, C, D, H, W] ([N, D, H, W, C] with layout 'NLC'): see BatchNorm1d. */
export class BatchNorm3d extends BatchNorm {
  protected override readonly kind = 'BatchNorm3d';
}

function countBatch(counter: Tensor): void {
  const data = counter.data as BigInt64Array;
  data[0] = (data[0] ?? 0n) + 1n;
  counter.markChanged();
}

function fill(target: Tensor, value: number): void {
  floats(target).fill(value);
  target.markChanged();
}
