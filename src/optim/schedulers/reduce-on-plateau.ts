import * as check from '../../check/index.js';
import { Tensor } from '../../tensor/tensor.js';
import { optimizerOf, type Scheduled, type SchedulerState } from './scheduler.js';
import { readState, type Kept } from './state.js';

export interface ReduceLROnPlateauOptions {
  /** Whether the metric should fall or rise. Default 'min'. */
  mode?: 'min' | 'max' | undefined;
  /** What the rate is multiplied by, from 0 to below 1. Default 0.1. */
  factor?: number | undefined;
  /** Epochs without an improvement that are still borne. Default 10. */
  patience?: number | undefined;
  /** How much better is better, at least 0. Default 1e-4. */
  threshold?: number | undefined;
  /** 'rel' (default): best · (1 ∓ threshold). 'abs': best ∓ threshold. */
  thresholdMode?: 'rel' | 'abs' | undefined;
  /** Epochs after a reduction that do not count. Default 0. */
  cooldown?: number | undefined;
  /** The least rate, of all groups or of each. Default 0. */
  minLr?: number | readonly number[] | undefined;
  /** A smaller change of the rate is not made. Default 1e-8. */
  eps?: number | undefined;
}

const OPTIONS = [
  ...['mode', 'factor', 'patience', 'threshold', 'thresholdMode', 'cooldown', 'minLr', 'eps'],
];

interface Own extends Kept {
  factor: number;
  default_min_lr: number | null;
  min_lrs: number[];
  patience: number;
  cooldown: number;
  cooldown_counter: number;
  mode: string;
  threshold: number;
  threshold_mode: string;
  best: number | null;
  num_bad_epochs: number;
  mode_worse: number;
  eps: number;
  last_epoch: number;
  _last_lr: number[];
}

/**
 * Multiplies the rate by factor when a metric has not improved for more than patience epochs.
 *
 * @throws {RangeError | TypeError} for an option that is none; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { patience: 1, factor: 0.5 });
 * for (const loss of [3, 2, 2, 2]) scheduler.step(loss);
 * optimizer.paramGroups[0].lr; // => 0.5
 * ```
 */
export class ReduceLROnPlateau {
  readonly optimizer: Scheduled;
  #kept: Own;

  constructor(optimizer: Scheduled, options: ReduceLROnPlateauOptions = {}) {
    const who = 'ReduceLROnPlateau';
    this.optimizer = optimizerOf(who, optimizer);
    check.options(who, options, OPTIONS);
    const { mode = 'min', factor = 0.1, patience = 10, threshold = 1e-4 } = options;
    const { thresholdMode = 'rel', cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    const { paramGroups } = this.optimizer;
    const many = check.isList(minLr) ? Array.from(minLr) : null;
    const worse = mode === 'min' ? Infinity : -Infinity;
    this.#kept = {
      factor,
      default_min_lr: many === null ? (minLr as number) : null,
      min_lrs: many ?? paramGroups.map(() => minLr as number),
      patience,
      cooldown,
      cooldown_counter: 0,
      mode,
      threshold,
      threshold_mode: thresholdMode,
      best: worse,
      num_bad_epochs: 0,
      mode_worse: worse,
      eps,
      last_epoch: 0,
      _last_lr: paramGroups.map(({ lr }) => lr),
    };
    this.#check(who, this.#kept);
  }

  #check(who: string, kept: Own): void {
    check.oneOf(who, 'mode', kept.mode, ['min', 'max']);
    check.oneOf(who, 'thresholdMode', kept.threshold_mode, ['rel', 'abs']);
    check.numberBetween(who, 'factor', kept.factor, 0, 1 - Number.EPSILON);
    for (const name of [
      'patience',
      'cooldown',
      'cooldown_counter',
      'num_bad_epochs',
      'last_epoch',
    ] as const) {
      check.wholeNumber(who, name, kept[name], 0);
    }
    check.numberBetween(who, 'threshold', kept.threshold, 0, Infinity);
    check.numberBetween(who, 'eps', kept.eps, 0, Infinity);
    const groups = this.optimizer.paramGroups.length;
    if (kept.min_lrs.length !== groups) {
      throw check.wrongValue(
        who,
        `${groups} values in minLr, one for each group`,
        String(kept.min_lrs.length),
      );
    }
    for (const each of kept.min_lrs) check.numberBetween(who, 'minLr', each, 0, Infinity);
  }

  /** How many metrics it has seen. */
  get lastEpoch(): number {
    return this.#kept.last_epoch;
  }

  /** The best metric so far; an infinity before the first. */
  get best(): number {
    return this.#kept.best ?? this.#kept.mode_worse;
  }

  get numBadEpochs(): number {
    return this.#kept.num_bad_epochs;
  }

  /** The rates after the last step, by group. */
  getLastLr(): number[] {
    return [...this.#kept._last_lr];
  }

  /**
   * Once an epoch.
   *
   * @param metric - What should fall (or rise): a number, or a tensor of one. NaN is no improvement.
   */
  step(metric: number | Tensor): void {
    const who = 'ReduceLROnPlateau.step';
    const current: unknown = metric instanceof Tensor ? metric.item() : metric;
    if (typeof current !== 'number') throw check.wrongKind(who, 'a metric: a number', metric);
    const kept = this.#kept;
    const { paramGroups } = this.optimizer;
    if (kept.min_lrs.length !== paramGroups.length) {
      if (kept.default_min_lr === null) {
        throw check.wrongValue(
          who,
          `${kept.min_lrs.length} groups, as when it was made`,
          String(paramGroups.length),
        );
      }
      kept.min_lrs = paramGroups.map(() => kept.default_min_lr!);
    }
    kept.last_epoch++;
    if (isBetter(current, kept)) {
      kept.best = current;
      kept.num_bad_epochs = 0;
    } else {
      kept.num_bad_epochs++;
    }
    if (kept.cooldown_counter > 0) {
      kept.cooldown_counter--;
      kept.num_bad_epochs = 0;
    }
    if (kept.num_bad_epochs > kept.patience) {
      paramGroups.forEach((group, i) => {
        const reduced = Math.max(group.lr * kept.factor, kept.min_lrs[i]!);
        if (group.lr - reduced > kept.eps) group.lr = reduced;
      });
      kept.cooldown_counter = kept.cooldown;
      kept.num_bad_epochs = 0;
    }
    kept._last_lr = paramGroups.map(({ lr }) => lr);
  }

  /** All that it needs to go on, under PyTorch's names; a copy. */
  stateDict(): SchedulerState {
    return structuredClone(this.#kept);
  }

  /**
   * Goes on from a state: one of `stateDict()`, or PyTorch's. JSON has no infinities: null for `best` is none yet.
   *
   * @throws {RangeError | TypeError} for names or values that do not fit. Nothing has changed then.
   */
  loadStateDict(state: object): void {
    const who = 'ReduceLROnPlateau.loadStateDict';
    const read = readState(who, state, this.#kept, []) as Own;
    this.#check(who, read);
    read.mode_worse = read.mode === 'min' ? Infinity : -Infinity;
    read.best ??= read.mode_worse;
    this.#kept = read;
  }
}

function isBetter(value: number, kept: Own): boolean {
  const { mode, threshold, threshold_mode } = kept;
  const best = kept.best ?? kept.mode_worse;
  if (threshold_mode === 'rel') {
    return mode === 'min' ? value < best * (1 - threshold) : value > best * (threshold + 1);
  }
  return mode === 'min' ? value < best - threshold : value > best + threshold;
}
