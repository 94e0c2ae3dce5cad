import * as check from '../../check/index.js';
import { Power } from '../power.js';
import { forEach, isByBeta, setMomentum, type Cycled } from './cycled.js';
import {
  BEGIN,
  CHECK,
  IGNORED,
  KEPT,
  optimizerOf,
  RATES,
  Schedule,
  type Scheduled,
  type SchedulerOptions,
} from './scheduler.js';
import type { Kept } from './state.js';

export interface CyclicLROptions extends SchedulerOptions {
  /** The least rate, of all groups or of each: the initial one. */
  baseLr: number | readonly number[];
  /** The largest rate, of all groups or of each. */
  maxLr: number | readonly number[];
  /** Steps in which the rate rises. Default 2000. */
  stepSizeUp?: number | undefined;
  /** Steps in which it falls. Default stepSizeUp. */
  stepSizeDown?: number | undefined;
  /** 'triangular' (default); 'triangular2': half as high each cycle; 'exp_range': gamma^step as high. */
  mode?: 'triangular' | 'triangular2' | 'exp_range' | undefined;
  /** For 'exp_range'. Default 1. */
  gamma?: number | undefined;
  /** Whether momentum, or the first of betas, moves against the rate. Default true. */
  cycleMomentum?: boolean | undefined;
  /** The least and largest momentum. Default 0.8 and 0.9. */
  baseMomentum?: number | readonly number[] | undefined;
  maxMomentum?: number | readonly number[] | undefined;
}

const OPTIONS = [
  ...['baseLr', 'maxLr', 'stepSizeUp', 'stepSizeDown', 'mode', 'gamma', 'cycleMomentum'],
  ...['baseMomentum', 'maxMomentum', 'lastEpoch'],
];
const MODES = ['triangular', 'triangular2', 'exp_range'] as const;

interface Own extends Kept {
  max_lrs: number[];
  total_size: number;
  step_ratio: number;
  mode: string;
  gamma: number;
  scale_mode: string;
  cycle_momentum: boolean;
}

/**
 * The rate rises from baseLr to maxLr and falls again, over and over (Smith 2017); momentum moves against it. Step it after
 * every batch.
 *
 * @throws {RangeError | TypeError} for an option that is none; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1, momentum: 0.9 });
 * const scheduler = new optim.lrScheduler.CyclicLR(optimizer, { baseLr: 0.5, maxLr: 1, stepSizeUp: 2 });
 * const rates = [1, 2, 3, 4].map(() => {
 *   optimizer.step();
 *   scheduler.step();
 *   return optimizer.paramGroups[0].lr;
 * });
 * rates; // => [0.75, 1, 0.75, 0.5]
 * ```
 */
export class CyclicLR extends Schedule<Own> {
  readonly #power = new Power();

  constructor(optimizer: Scheduled, options: CyclicLROptions) {
    const who = 'CyclicLR';
    const { paramGroups } = optimizerOf(who, optimizer);
    check.requiredOptions(who, options, OPTIONS);
    const { stepSizeUp = 2000, mode = 'triangular', gamma = 1, cycleMomentum = true } = options;
    const { stepSizeDown = stepSizeUp, baseMomentum = 0.8, maxMomentum = 0.9 } = options;
    const { lastEpoch = -1 } = options;
    const { length } = paramGroups;
    const rates = forEach(who, 'baseLr', options.baseLr, length, Infinity);
    const largest = forEach(who, 'maxLr', options.maxLr, length, Infinity);
    check.wholeNumber(who, 'stepSizeUp', stepSizeUp, 1);
    check.wholeNumber(who, 'stepSizeDown', stepSizeDown, 1);
    check.oneOf(who, 'mode', mode, MODES);
    check.numberBetween(who, 'gamma', gamma, 0, Infinity);
    check.boolean(who, 'cycleMomentum', cycleMomentum);
    check.wholeNumber(who, 'lastEpoch', lastEpoch, -1);
    const low = forEach(who, 'baseMomentum', baseMomentum, length, 1 - Number.EPSILON);
    const high = forEach(who, 'maxMomentum', maxMomentum, length, 1 - Number.EPSILON);
    const byBeta = isByBeta(who, paramGroups, cycleMomentum);
    const total = stepSizeUp + stepSizeDown;
    const own: Own = {
      ...{ max_lrs: largest, total_size: total, step_ratio: stepSizeUp / total, mode, gamma },
      scale_mode: mode === 'exp_range' ? 'iterations' : 'cycle',
      cycle_momentum: cycleMomentum,
      ...(cycleMomentum ? { use_beta1: byBeta, base_momentums: low, max_momentums: high } : {}),
    };
    if (lastEpoch === -1) begin();
    super(who, optimizer, own, lastEpoch);
    this[BEGIN]();
    this[KEPT].base_lrs = rates;

    function begin(): void {
      paramGroups.forEach((group: Cycled, i) => {
        group.lr = rates[i]!;
        if (!cycleMomentum) return;
        setMomentum(group, byBeta, high[i]!);
        group.maxMomentum = high[i]!;
        group.baseMomentum = low[i]!;
      });
    }
  }

  override [CHECK](who: string, kept: Own): void {
    check.numberBetween(who, 'total_size', kept.total_size, 1, Infinity);
    check.numberBetween(who, 'step_ratio', kept.step_ratio, Number.MIN_VALUE, 1 - Number.EPSILON);
    check.oneOf(who, 'mode', kept.mode, MODES);
    check.numberBetween(who, 'gamma', kept.gamma, 0, Infinity);
    check.oneOf(who, 'scale_mode', kept.scale_mode, ['cycle', 'iterations']);
  }

  override get [IGNORED](): readonly string[] {
    return ['_scale_fn_custom'];
  }

  override [RATES](): number[] {
    const { last_epoch: step, base_lrs, max_lrs, total_size, step_ratio, ...kept } = this[KEPT];
    const cycle = Math.floor(1 + step / total_size);
    const x = 1 + step / total_size - cycle;
    const part = x <= step_ratio ? x / step_ratio : (x - 1) / (step_ratio - 1);
    const scale = this.#scaleOf(cycle, step);
    if (kept.cycle_momentum) {
      const [low, high] = [kept['base_momentums'], kept['max_momentums']] as [number[], number[]];
      this.optimizer.paramGroups.forEach((group: Cycled, i) => {
        const height = (high[i]! - low[i]!) * part;
        setMomentum(group, kept['use_beta1'] === true, high[i]! - height * scale);
      });
    }
    return base_lrs.map((lr, i) => lr + (max_lrs[i]! - lr) * part * scale);
  }

  /** How high a cycle is, or the step of one. */
  #scaleOf(cycle: number, step: number): number {
    const { mode, gamma } = this[KEPT];
    if (mode === 'triangular') return 1;
    return mode === 'triangular2' ? this.#power.at(0.5, cycle - 1) : this.#power.at(gamma, step);
  }
}
