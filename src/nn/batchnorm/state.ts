// What a BatchNorm keeps: parameters, running statistics, and the choices that say which statistics
// normalise, which move, and what is learned. What a forward does with them is in layer.ts.
import * as check from '../../check/index.js';
import type { Moments } from '../../functional/batchnorm/moments.js';
import type { ModuleRecord } from '../../tensor/state-dict.js';
import { floats, learned, Parameter, Tensor } from '../../tensor/tensor.js';
import { LAYER_OPTIONS, type BatchNormOptions, type FreezeOptions } from './options.js';
import * as internals from '../module/internals.js';
import {
  RECORD,
  CHECK_STATE,
  WITH_BIAS,
  WITH_STATISTICS,
  CREATE_STATE,
  NORMALIZES_BY_RUNNING,
  UPDATES,
  MOVE_STATISTICS,
  STATISTICS,
  CHECK_STATISTICS,
  NEXT_WEIGHT,
  COUNT_BATCH,
  CHECK_COUNTER,
} from '../module/internals.js';
import { Module } from '../module/module.js';
import { pythonBoolean, pythonFloat } from '../module/repr.js';

// Constants of this file for what each forward reads: the CommonJS build looks an import up at each use.
const WHO: typeof internals.WHO = internals.WHO;
const CHANNELS: typeof internals.CHANNELS = internals.CHANNELS;

/** @internal The buffers that a training forward moves. */
export const STATISTICS_NAMES = ['running_mean', 'running_var', 'num_batches_tracked'] as const;

const EPS = Symbol('eps');
const MOMENTUM = Symbol('momentum');
const NORMALIZING = Symbol('normalizing');
const UPDATING = Symbol('updating');
const LEARNED = Symbol('learned');
const CHOSEN = Symbol('chosen');
const AFFINE_PARAMETERS = Symbol('affineParameters');
const REQUIRE_RUNNING = Symbol('requireRunning');
const CHOICES = {
  affine: true,
  layout: 'NCL',
  nonFinite: 'propagate',
  singleValue: 'throw',
  trackRunningStats: true,
  skippedBatches: 0,
} as const;

/** State and choices of BatchNorm1d, 2d and 3d. */
export abstract class BatchNormState extends Module {
  /** [C]: scale, initially 1; null without affine. */
  weight: Parameter | null;
  /** [C]: shift, initially 0; null without affine or bias. */
  bias: Parameter | null;
  /** 0 while a lazy layer (lazy.ts) waits for its first input. */
  [CHANNELS] = 0;
  /** What it was made with, whatever becomes of `bias` and `trackRunningStats`. */
  readonly [WITH_BIAS]: boolean;
  readonly [WITH_STATISTICS]: boolean;
  private [EPS] = 1e-5;
  private [MOMENTUM]: number | null = 0.1;
  private [NORMALIZING]: 'auto' | 'batch' | 'running' = 'auto';
  private [UPDATING]: 'auto' | boolean = 'auto';
  /** What can be set later; each by its property, which checks it. */
  private readonly [CHOSEN]: {
    affine: boolean;
    dtype: 'float32' | 'float64';
    layout: 'NCL' | 'NLC';
    nonFinite: 'propagate' | 'throw' | 'skip';
    singleValue: 'throw' | 'running';
    trackRunningStats: boolean;
    skippedBatches: number;
  };
  /** Frozen: what freeze() has stopped learning. */
  private [LEARNED]: { readonly weight: boolean; readonly bias: boolean } | null = null;

  /**
   * @param numFeatures - C, a positive integer.
   * @throws {TypeError | RangeError} for an option that is unknown or out of range.
   */
  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super();
    const who = this[WHO];
    check.options(who, options, LAYER_OPTIONS);
    const { eps = 1e-5, momentum = 0.1 } = options;
    const { affine = true, bias = true, trackRunningStats = true } = options;
    const { dtype = 'float32', layout = 'NCL' } = options;
    const { nonFinite = 'propagate', singleValue = 'throw' } = options;
    this.eps = eps;
    this.momentum = momentum;
    check.oneOf(who, 'dtype', dtype, ['float32', 'float64']);
    this[CHOSEN] = { ...CHOICES, dtype };
    this.affine = affine;
    this[WITH_BIAS] = check.boolean(who, 'bias', bias) && affine;
    this.trackRunningStats = trackRunningStats;
    this[WITH_STATISTICS] = trackRunningStats;
    this.layout = layout;
    this.nonFinite = nonFinite;
    this.singleValue = singleValue;
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

  /** Element type of parameters and statistics, and of the input. */
  get dtype(): 'float32' | 'float64' {
    return this[CHOSEN].dtype;
  }

  /** What it was made with: PyTorch's attribute. Whether it scales is for `weight` to say. */
  get affine(): boolean {
    return this[CHOSEN].affine;
  }

  set affine(value: boolean) {
    this[CHOSEN].affine = check.boolean(this[WHO], 'affine', value);
  }

  /** Which dimension has the channels: see the option. */
  get layout(): 'NCL' | 'NLC' {
    return this[CHOSEN].layout;
  }

  set layout(value: 'NCL' | 'NLC') {
    this[CHOSEN].layout = check.oneOf(this[WHO], 'layout', value, ['NCL', 'NLC']);
  }

  /** What a batch with NaN or infinite statistics does: see the option. */
  get nonFinite(): 'propagate' | 'throw' | 'skip' {
    return this[CHOSEN].nonFinite;
  }

  set nonFinite(value: 'propagate' | 'throw' | 'skip') {
    const all = ['propagate', 'throw', 'skip'] as const;
    this[CHOSEN].nonFinite = check.oneOf(this[WHO], 'nonFinite', value, all);
  }

  /** What one value per channel does where the batch would normalise: see the option. */
  get singleValue(): 'throw' | 'running' {
    return this[CHOSEN].singleValue;
  }

  set singleValue(value: 'throw' | 'running') {
    this[CHOSEN].singleValue = check.oneOf(this[WHO], 'singleValue', value, ['throw', 'running']);
  }

  /** Batches that `nonFinite: 'skip'` has kept out of the running statistics; not in the state dict. */
  get skippedBatches(): number {
    return this[CHOSEN].skippedBatches;
  }

  set skippedBatches(value: number) {
    this[CHOSEN].skippedBatches = check.wholeNumber(this[WHO], 'skippedBatches', value, 0);
  }

  /**
   * Whether a training forward moves the running statistics. Switched off later, the module keeps
   * those it has and evaluation goes on using them, as in PyTorch.
   */
  get trackRunningStats(): boolean {
    return this[CHOSEN].trackRunningStats;
  }

  set trackRunningStats(value: boolean) {
    this[CHOSEN].trackRunningStats = check.boolean(this[WHO], 'trackRunningStats', value);
  }

  /** Added to the variance. @throws {RangeError} unless finite and at least 0. */
  get eps(): number {
    return this[EPS];
  }

  set eps(value: number) {
    this[EPS] = check.numberBetween(this[WHO], 'eps', value, 0, Infinity);
  }

  /** Weight of the newest batch; null: every batch weighs the same. @throws {RangeError} outside 0 to 1. */
  get momentum(): number | null {
    return this[MOMENTUM];
  }

  set momentum(value: number | null) {
    this[MOMENTUM] =
      value === null ? null : check.numberBetween(this[WHO], 'momentum (or null)', value, 0, 1);
  }

  /**
   * Which statistics normalise: 'auto' (default), the batch's in training and the running ones in
   * evaluation; 'batch' or 'running', whatever `training` says.
   *
   * @throws {RangeError} for 'running' without running statistics.
   */
  get normalizeBy(): 'auto' | 'batch' | 'running' {
    return this[NORMALIZING];
  }

  set normalizeBy(value: 'auto' | 'batch' | 'running') {
    check.oneOf(this[WHO], 'normalizeBy', value, ['auto', 'batch', 'running']);
    if (value === 'running') this[REQUIRE_RUNNING]('to normalise by');
    this[NORMALIZING] = value;
  }

  /**
   * Whether forward moves the running statistics: 'auto' (default), in training where they are tracked;
   * true or false, whatever `training` says. Where they move and normalise, they normalise first.
   *
   * @throws {RangeError} for true without running statistics.
   */
  get updateStatistics(): 'auto' | boolean {
    return this[UPDATING];
  }

  set updateStatistics(value: 'auto' | boolean) {
    if (value !== 'auto') check.boolean(this[WHO], "updateStatistics (or 'auto')", value);
    if (value === true) this[REQUIRE_RUNNING]('to move');
    this[UPDATING] = value;
  }

  /** Whether `freeze()` holds. */
  get frozen(): boolean {
    return this[LEARNED] !== null;
  }

  /**
   * Normalises by the running statistics, which stay, and stops learning weight and bias, until
   * `unfreeze()`: `train()` does not undo it. Backward is then one pass, dx = dy · weight · invstd.
   *
   * @throws {RangeError} without running statistics.
   * @example
   * ```ts
   * const bn = new nn.BatchNorm1d(2).freeze().train();
   * bn.forward(tensor([[1, 2]], { requiresGrad: true }));
   * bn.numBatchesTracked; // => 0
   * `${bn}`.endsWith('frozen=True)'); // => true
   * ```
   */
  freeze(options: FreezeOptions = {}): this {
    check.options(`${this[WHO]}.freeze`, options, ['affine']);
    const { affine = true } = options;
    check.boolean(`${this[WHO]}.freeze`, 'affine', affine);
    this[REQUIRE_RUNNING]('(a layer with trackRunningStats: true)', `${this[WHO]}.freeze`);
    const { weight, bias } = this[AFFINE_PARAMETERS]();
    const learned = this[LEARNED];
    this[LEARNED] = {
      weight: learned?.weight === true || (affine && weight?.requiresGrad === true),
      bias: learned?.bias === true || (affine && bias?.requiresGrad === true),
    };
    if (!affine) return this;
    for (const parameter of [weight, bias]) {
      if (parameter === null) continue;
      parameter.requiresGrad = false;
      parameter.grad = null; // or the next step would still apply it
    }
    return this;
  }

  /** Ends `freeze()`: weight and bias learn again if they did before. Without a freeze nothing happens. */
  unfreeze(): this {
    const learned = this[LEARNED];
    const { weight, bias } = this[AFFINE_PARAMETERS]();
    this[LEARNED] = null;
    if (learned?.weight && weight !== null) weight.requiresGrad = true;
    if (learned?.bias && bias !== null) bias.requiresGrad = true;
    return this;
  }

  private [REQUIRE_RUNNING](purpose: string, who = this[WHO]): void {
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

  /** Whether a forward normalises by the running statistics. */
  [NORMALIZES_BY_RUNNING](training: boolean): boolean {
    if (this[LEARNED] === null && this[NORMALIZING] === 'auto') {
      return !training && this.runningMean !== null;
    }
    if (this[LEARNED] === null && this[NORMALIZING] === 'batch') return false;
    this[REQUIRE_RUNNING]('to normalise by');
    return true;
  }

  /** @internal Whether a forward moves the running statistics. */
  [UPDATES](training: boolean): boolean {
    if (this[LEARNED] !== null) return false;
    if (this[UPDATING] === 'auto') {
      return training && this.trackRunningStats && this.runningMean !== null;
    }
    if (this[UPDATING]) this[REQUIRE_RUNNING]('to move');
    return this[UPDATING];
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
  private [AFFINE_PARAMETERS](): { weight: Parameter | null; bias: Parameter | null } {
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

  override [RECORD](): ModuleRecord {
    return this.frozen ? { version: 2, frozen: true } : { version: 2 };
  }

  override extraRepr(): string {
    const momentum = this.momentum === null ? 'None' : pythonFloat(this.momentum);
    const bias = this[CHANNELS] === 0 ? this[WITH_BIAS] : this.bias !== null;
    // Beyond PyTorch's repr: what is set otherwise than by default.
    const set = [
      this.frozen ? ', frozen=True' : '',
      this[NORMALIZING] === 'auto' ? '' : `, normalize_by=${this[NORMALIZING]}`,
      this[UPDATING] === 'auto' ? '' : `, update_statistics=${pythonBoolean(this[UPDATING])}`,
      this.nonFinite === 'propagate' ? '' : `, non_finite=${this.nonFinite}`,
      this.singleValue === 'throw' ? '' : `, single_value=${this.singleValue}`,
    ];
    return (
      `${this.numFeatures}, eps=${pythonFloat(this.eps)}, momentum=${momentum}, ` +
      `affine=${pythonBoolean(this.affine)}, bias=${pythonBoolean(bias)}, ` +
      `track_running_stats=${pythonBoolean(this.trackRunningStats)}${set.join('')}`
    );
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
  dtype: 'make a layer with another dtype',
  numFeatures: 'make a layer of another size',
  frozen: 'freeze() and unfreeze() change it',
  runningMean: "registerBuffer('running_mean', tensor) replaces it",
  runningVar: "registerBuffer('running_var', tensor) replaces it",
});
