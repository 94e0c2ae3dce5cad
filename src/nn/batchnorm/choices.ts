// What can be chosen of a BatchNorm: the options of its constructor, each a property that checks what it is set to.
import * as check from '../../check/index.js';
import { WITH_BIAS, WITH_STATISTICS } from '../module/internals.js';
import * as internals from '../module/internals.js';
import { Module } from '../module/module.js';
import { LAYER_OPTIONS, type BatchNormOptions } from './options.js';

// A constant of this file for what each forward reads: the CommonJS build looks an import up at each use.
const WHO: typeof internals.WHO = internals.WHO;

const EPS = Symbol('eps');
const MOMENTUM = Symbol('momentum');
const CHOSEN = Symbol('chosen');
const CHOICES = {
  affine: true,
  layout: 'NCL',
  nonFinite: 'propagate',
  singleValue: 'throw',
  trackRunningStats: true,
  skippedBatches: 0,
} as const;

/** The choices of BatchNorm1d, 2d and 3d. */
export abstract class BatchNormChoices extends Module {
  /** What it was made with, whatever becomes of `bias` and `trackRunningStats`. */
  readonly [WITH_BIAS]: boolean;
  readonly [WITH_STATISTICS]: boolean;
  private [EPS] = 1e-5;
  private [MOMENTUM]: number | null = 0.1;
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

  /** @throws {TypeError | RangeError} for an option that is unknown or out of range. */
  constructor(options: BatchNormOptions) {
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
}

check.refuseAssignment(BatchNormChoices, { dtype: 'make a layer with another dtype' });

// PyTorch's name would make a property that nobody reads, and the statistics would go on moving.
Object.defineProperty(BatchNormChoices.prototype, 'track_running_stats', {
  configurable: true,
  get: () => undefined,
  set(this: BatchNormChoices) {
    throw new TypeError(`${this[WHO]}: expected trackRunningStats, got track_running_stats.`);
  },
});
