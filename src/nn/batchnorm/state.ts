// What a BatchNorm keeps: weight, bias and the running statistics. What can be chosen of it is in choices.ts, which
// statistics normalise and move in mode.ts, what a forward does in layer.ts.
import * as check from '../../check/index.js';
import type { Moments } from '../../functional/batchnorm/moments.js';
import { floats, learned, Parameter, Tensor } from '../../tensor/tensor.js';
import * as internals from '../module/internals.js';
import {
  CHECK_COUNTER,
  CHECK_STATE,
  CHECK_STATISTICS,
  COUNT_BATCH,
  CREATE_STATE,
  HOLDS,
  MOVE_STATISTICS,
  NEXT_WEIGHT,
  STATISTICS,
  WITH_BIAS,
  WITH_STATISTICS,
} from '../module/internals.js';
import { BatchNormChoices } from './choices.js';
import { weightOrBias } from '../module/replaced.js';
import type { BatchNormOptions } from './options.js';

// Constants of this file for what each forward reads: the CommonJS build looks an import up at each use.
const WHO: typeof internals.WHO = internals.WHO;
const CHANNELS: typeof internals.CHANNELS = internals.CHANNELS;

/** @internal The buffers that a training forward moves. */
export const STATISTICS_NAMES = ['running_mean', 'running_var', 'num_batches_tracked'] as const;

export const AFFINE_PARAMETERS = Symbol('affineParameters');
export const REQUIRE_RUNNING = Symbol('requireRunning');

/** State of BatchNorm1d, 2d and 3d. */
export abstract class BatchNormState extends BatchNormChoices {
  /** [C]: scale, initially 1; null without affine. */
  weight: Parameter | null;
  /** [C]: shift, initially 0; null without affine or bias. */
  bias: Parameter | null;
  /** 0 while a lazy layer (lazy.ts) waits for its first input. */
  [CHANNELS] = 0;

  /**
   * @param numFeatures - C, a positive integer.
   * @throws {TypeError | RangeError} for an option that is unknown or out of range.
   */
  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super(options);
    this.weight = null;
    this.bias = null;
    this[CREATE_STATE](numFeatures);
  }

  /** Parameters and statistics of so many channels. */
  [CREATE_STATE](numFeatures: number): void {
    this[CHANNELS] = check.wholeNumber(this[WHO], 'numFeatures', numFeatures, 1);
    const perChannel = (value: number): Tensor => Tensor.filled([numFeatures], this.dtype, value);
    this.weight = this.affine ? new Parameter(perChannel(1)) : null;
    this.bias = this[WITH_BIAS] ? new Parameter(perChannel(0)) : null;
    const tracked = this[WITH_STATISTICS];
    this.registerBuffer('running_mean', tracked ? perChannel(0) : null);
    this.registerBuffer('running_var', tracked ? perChannel(1) : null);
    this.registerBuffer('num_batches_tracked', tracked ? Tensor.filled([], 'int64', 0) : null);
  }

  /** C, the number of channels. */
  get numFeatures(): number {
    return this[CHANNELS];
  }

  /** @internal That there are running statistics. */
  protected [REQUIRE_RUNNING](purpose: string, who = this[WHO]): void {
    if (this.runningMean !== null && this.runningVar !== null) return;
    throw check.wrongValue(who, `running statistics ${purpose}`, 'none');
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
      throw check.wrongValue(this[WHO], 'running statistics to count batches for', 'none');
    }
    check.wholeNumber(this[WHO], 'numBatchesTracked', value, 0);
    this[CHECK_COUNTER](this[WHO]);
    (counter.data as BigInt64Array)[0] = BigInt(value);
    counter.markChanged();
  }

  /** @internal One step of the running statistics, and of their counter; none of them throws. */
  [MOVE_STATISTICS](moments: Moments, momentum: number): void {
    const { runningMean, runningVar } = this;
    const counter = this.getBuffer('num_batches_tracked');
    if (runningMean === null || runningVar === null) return;
    if (moments.count > 0) moments.moveInto(runningMean, runningVar, momentum);
    if (counter !== null) this[COUNT_BATCH](counter);
  }

  /** @internal The buffers that a training forward moves. */
  [STATISTICS](): Tensor[] {
    return STATISTICS_NAMES.map((name) => this.getBuffer(name)).filter((buffer) => buffer !== null);
  }

  /** @internal That `moveStatistics` can write them. */
  [CHECK_STATISTICS](who: string): void {
    for (const buffer of this[STATISTICS]()) buffer.attached(who, 'a running statistic');
    this[CHECK_COUNTER](who);
  }

  /** @internal That one more batch can be counted: the buffer may be one that was registered since. */
  [CHECK_COUNTER](who: string): void {
    const counter = this.getBuffer('num_batches_tracked');
    if (counter === null) return;
    check.dtype(who, 'num_batches_tracked', counter, 'int64');
    if (counter.numel !== 1) check.sameShape(who, 'num_batches_tracked', counter, []);
    counter.attached(who, 'num_batches_tracked');
  }

  /** @internal The weight of the next batch: momentum, or for null what makes the plain average of all. `more` batches before it are still to be counted. */
  [NEXT_WEIGHT](momentum: number | null, more = 0): number {
    if (momentum !== null) return momentum;
    const counter = this.getBuffer('num_batches_tracked');
    if (counter === null) return 0; // an average of how many, nobody knows: they stay, as in PyTorch
    return 1 / (check.wholeNumber(this[WHO], 'num_batches_tracked', counter.item(), 0) + more + 1);
  }

  /** @internal */
  override [HOLDS](name: string): 'Parameter' | undefined {
    return weightOrBias(name);
  }

  /** running_mean 0, running_var 1, num_batches_tracked 0. */
  resetRunningStats(): void {
    const { runningMean, runningVar } = this;
    if (runningMean === null || runningVar === null) return;
    this[CHECK_STATISTICS](`${this[WHO]}.resetRunningStats`);
    fill(runningMean, 0);
    fill(runningVar, 1);
    if (this.getBuffer('num_batches_tracked') !== null) this.numBatchesTracked = 0;
  }

  /** The running statistics, weight 1 and bias 0. */
  resetParameters(): void {
    const { weight, bias } = this[AFFINE_PARAMETERS]();
    weight?.attached(`${this[WHO]}.resetParameters`, 'weight');
    bias?.attached(`${this[WHO]}.resetParameters`, 'bias');
    this.resetRunningStats();
    if (weight !== null) fill(weight, 1);
    if (bias !== null) fill(bias, 0);
  }

  /** weight and bias, which anything may have been assigned to. */
  protected [AFFINE_PARAMETERS](): { weight: Parameter | null; bias: Parameter | null } {
    const who = this[WHO];
    return {
      weight: learned(who, 'weight', this.weight),
      bias: learned(who, 'bias', this.bias),
    };
  }

  /** What no training leaves behind, and evaluation would turn into NaN without a word. */
  override [CHECK_STATE](name: string, value: Tensor): string | null {
    if (name === 'num_batches_tracked') {
      const count = value.item();
      return count >= 0 ? null : `expected a count of at least 0, got ${count}`;
    }
    if (name !== 'running_var') return null;
    const data = floats(value);
    const channel = data.findIndex((each) => !(each >= 0));
    if (channel < 0) return null;
    return `expected variances of at least 0, got ${String(data[channel])} in channel ${channel}`;
  }

  /** One batch more. */
  [COUNT_BATCH](counter: Tensor): void {
    const data = counter.data as BigInt64Array;
    data[0] = (data[0] ?? 0n) + 1n;
    counter.markChanged();
  }
}

function fill(target: Tensor, value: number): void {
  floats(target).fill(value);
  target.markChanged();
}

check.refuseAssignment(BatchNormState, {
  numFeatures: 'make a layer of another size',
  runningMean: "registerBuffer('running_mean', tensor) replaces it",
  runningVar: "registerBuffer('running_var', tensor) replaces it",
});
