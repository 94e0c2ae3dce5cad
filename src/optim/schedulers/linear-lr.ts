import * as check from '../../check/index.js';
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

export interface LinearLROptions extends SchedulerOptions {
  /** What the rate is multiplied by at first, above 0 and at most 1. Default 1/3. */
  startFactor?: number | undefined;
  /** … and from epoch totalIters on, from 0 to 1. Default 1. */
  endFactor?: number | undefined;
  /** Epochs of the way. Default 5. */
  totalIters?: number | undefined;
}

interface Own extends Kept {
  start_factor: number;
  end_factor: number;
  total_iters: number;
}

/**
 * Moves a factor of the rate from startFactor to endFactor, in a line over totalIters epochs: a warm-up.
 *
 * @throws {RangeError | TypeError} for an option that is none; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const scheduler = new optim.lrScheduler.LinearLR(optimizer, { startFactor: 0.5, totalIters: 4 });
 * optimizer.paramGroups[0].lr; // => 0.5
 * optimizer.step();
 * scheduler.step();
 * optimizer.paramGroups[0].lr; // => 0.625
 * ```
 */
export class LinearLR extends Schedule<Own> {
  constructor(optimizer: Scheduled, options: LinearLROptions = {}) {
    const who = 'LinearLR';
    check.options(who, options, ['startFactor', 'endFactor', 'totalIters', 'lastEpoch']);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5, lastEpoch = -1 } = options;
    const own = { start_factor: startFactor, end_factor: endFactor, total_iters: totalIters };
    super(who, optimizer, own, lastEpoch);
    this[BEGIN]();
  }

  override [CHECK](who: string, { start_factor, end_factor, total_iters }: Own): void {
    check.numberBetween(who, 'startFactor', start_factor, Number.MIN_VALUE, 1);
    check.numberBetween(who, 'endFactor', end_factor, 0, 1);
    check.wholeNumber(who, 'totalIters', total_iters, 1);
  }

  override [RATES](): number[] {
    const {
      last_epoch: epoch,
      start_factor: start,
      end_factor: end,
      total_iters: iters,
    } = this[KEPT];
    const way = end - start;
    const factor =
      epoch === 0 ? start : epoch > iters ? 1 : 1 + way / (iters * start + (epoch - 1) * way);
    return this.optimizer.paramGroups.map(({ lr }) => lr * factor);
  }

  override [CLOSED](): number[] {
    const { base_lrs, last_epoch, start_factor, end_factor, total_iters } = this[KEPT];
    const way = ((end_factor - start_factor) * Math.min(total_iters, last_epoch)) / total_iters;
    return base_lrs.map((lr) => lr * (start_factor + way));
  }
}
