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

export interface ExponentialLROptions extends SchedulerOptions {
  /** What the rate is multiplied by every epoch. */
  gamma: number;
}

interface Own extends Kept {
  gamma: number;
}

/**
 * Multiplies the rate by gamma every epoch: lr = initialLr · gamma^epoch.
 *
 * @throws {RangeError | TypeError} for an option that is none; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const scheduler = new optim.lrScheduler.ExponentialLR(optimizer, { gamma: 0.5 });
 * optimizer.step();
 * scheduler.step();
 * scheduler.getLastLr(); // => [0.5]
 * ```
 */
export class ExponentialLR extends Schedule<Own> {
  constructor(optimizer: Scheduled, options: ExponentialLROptions) {
    const who = 'ExponentialLR';
    check.requiredOptions(who, options, ['gamma', 'lastEpoch']);
    const { gamma, lastEpoch = -1 } = options;
    super(who, optimizer, { gamma }, lastEpoch);
    this[BEGIN]();
  }

  override [CHECK](who: string, { gamma }: Own): void {
    check.numberBetween(who, 'gamma', gamma, 0, Infinity);
  }

  override [RATES](): number[] {
    const { last_epoch, gamma } = this[KEPT];
    const factor = last_epoch === 0 ? 1 : gamma;
    return this.optimizer.paramGroups.map(({ lr }) => lr * factor);
  }

  override [CLOSED](): number[] {
    const { base_lrs, last_epoch, gamma } = this[KEPT];
    return base_lrs.map((lr) => lr * power(gamma, last_epoch));
  }
}
