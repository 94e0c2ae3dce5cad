import * as check from '../../check/index.js';
import { power } from '../power.js';
import {
  BEGIN,
  CHECK,
  CLOSED,
  KEPT,
  RATES,
  Schedule,
  type Scheduled,
  type SchedulerOptions,
} from './scheduler.js';
import type { Kept } from './state.js';

export interface MultiStepLROptions extends SchedulerOptions {
  /** Epochs at which the rate decays; one that is there twice decays twice. */
  milestones: readonly number[];
  /** What the rate is multiplied by. Default 0.1. */
  gamma?: number | undefined;
}

interface Own extends Kept {
  milestones: Record<string, number>;
  gamma: number;
}

/**
 * Multiplies the rate by gamma at each milestone.
 *
 * @throws {RangeError | TypeError} for an option that is none; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const scheduler = new optim.lrScheduler.MultiStepLR(optimizer, { milestones: [1, 3], gamma: 0.5 });
 * optimizer.step();
 * scheduler.step();
 * optimizer.paramGroups[0].lr; // => 0.5
 * ```
 */
export class MultiStepLR extends Schedule<Own> {
  constructor(optimizer: Scheduled, options: MultiStepLROptions) {
    const who = 'MultiStepLR';
    check.requiredOptions(who, options, ['milestones', 'gamma', 'lastEpoch']);
    const { milestones, gamma = 0.1, lastEpoch = -1 } = options;
    if (!check.isList(milestones))
      throw check.wrongKind(who, 'milestones to be an array', milestones);
    const counts: Record<string, number> = {};
    for (const each of Array.from(milestones)) {
      const epoch = check.wholeNumber(who, 'a milestone', each, 0);
      counts[epoch] = (counts[epoch] ?? 0) + 1;
    }
    super(who, optimizer, { milestones: counts, gamma }, lastEpoch);
    this[BEGIN]();
  }

  override [CHECK](who: string, { milestones, gamma }: Own): void {
    check.numberBetween(who, 'gamma', gamma, 0, Infinity);
    for (const [epoch, count] of Object.entries(milestones)) {
      check.wholeNumber(who, 'a milestone', Number(epoch), 0);
      check.wholeNumber(who, 'how often a milestone is there', count, 1);
    }
  }

  override [RATES](): number[] {
    const { last_epoch: epoch, milestones, gamma } = this[KEPT];
    const factor = power(gamma, milestones[epoch] ?? 0);
    return this.optimizer.paramGroups.map(({ lr }) => lr * factor);
  }

  override [CLOSED](): number[] {
    const { base_lrs, last_epoch, milestones, gamma } = this[KEPT];
    const passed = Object.entries(milestones).filter(([epoch]) => Number(epoch) <= last_epoch);
    const count = passed.reduce((sum, [, each]) => sum + each, 0);
    return base_lrs.map((lr) => lr * power(gamma, count));
  }
}
