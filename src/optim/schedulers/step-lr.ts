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

export interface StepLROptions extends SchedulerOptions {
  /** Epochs from one decay to the next. */
  stepSize: number;
  /** What the rate is multiplied by. Default 0.1. */
  gamma?: number | undefined;
}

interface Own extends Kept {
  step_size: number;
  gamma: number;
}

/**
 * Multiplies the rate by gamma every stepSize epochs: lr = initialLr · gamma^⌊epoch / stepSize⌋.
 *
 * @throws {RangeError | TypeError} for an option that is none; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const scheduler = new optim.lrScheduler.StepLR(optimizer, { stepSize: 2, gamma: 0.5 });
 * const rates = [1, 2, 3, 4].map(() => {
 *   optimizer.step();
 *   scheduler.step();
 *   return optimizer.paramGroups[0].lr;
 * });
 * rates; // => [1, 0.5, 0.5, 0.25]
 * ```
 */
export class StepLR extends Schedule<Own> {
  constructor(optimizer: Scheduled, options: StepLROptions) {
    const who = 'StepLR';
    check.requiredOptions(who, options, ['stepSize', 'gamma', 'lastEpoch']);
    const { stepSize, gamma = 0.1, lastEpoch = -1 } = options;
    super(who, optimizer, { step_size: stepSize, gamma }, lastEpoch);
    this[BEGIN]();
  }

  override [CHECK](who: string, { step_size, gamma }: Own): void {
    check.wholeNumber(who, 'stepSize', step_size, 1);
    check.numberBetween(who, 'gamma', gamma, 0, Infinity);
  }

  override [RATES](): number[] {
    const { last_epoch: epoch, step_size: size, gamma } = this[KEPT];
    const factor = epoch === 0 || epoch % size !== 0 ? 1 : gamma;
    return this.optimizer.paramGroups.map(({ lr }) => lr * factor);
  }

  override [CLOSED](): number[] {
    const { base_lrs, last_epoch, step_size, gamma } = this[KEPT];
    return base_lrs.map((lr) => lr * power(gamma, Math.floor(last_epoch / step_size)));
  }
}
