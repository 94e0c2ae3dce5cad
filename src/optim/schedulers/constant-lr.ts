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

export interface ConstantLROptions extends SchedulerOptions {
  /** What the rate is multiplied by before epoch totalIters, above 0 and at most 1. Default 1/3. */
  factor?: number | undefined;
  /** The epoch in which the rate is the initial one again. Default 5. */
  totalIters?: number | undefined;
}

interface Own extends Kept {
  factor: number;
  total_iters: number;
}

/**
 * lr = factor · initialLr before epoch totalIters, and initialLr from there on: a warm-up in one step.
 *
 * @throws {RangeError | TypeError} for an option that is none; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const scheduler = new optim.lrScheduler.ConstantLR(optimizer, { factor: 0.5, totalIters: 1 });
 * optimizer.paramGroups[0].lr; // => 0.5
 * optimizer.step();
 * scheduler.step();
 * optimizer.paramGroups[0].lr; // => 1
 * ```
 */
export class ConstantLR extends Schedule<Own> {
  constructor(optimizer: Scheduled, options: ConstantLROptions = {}) {
    const who = 'ConstantLR';
    check.options(who, options, ['factor', 'totalIters', 'lastEpoch']);
    const { factor = 1 / 3, totalIters = 5, lastEpoch = -1 } = options;
    super(who, optimizer, { factor, total_iters: totalIters }, lastEpoch);
    this[BEGIN]();
  }

  override [CHECK](who: string, { factor, total_iters }: Own): void {
    check.numberBetween(who, 'factor', factor, 2 ** -1000, 1);
    check.wholeNumber(who, 'totalIters', total_iters, 1);
  }

  override [RATES](): number[] {
    const { last_epoch: epoch, factor, total_iters } = this[KEPT];
    const by = epoch === 0 ? factor : epoch === total_iters ? 1 / factor : 1;
    return this.optimizer.paramGroups.map(({ lr }) => lr * by);
  }

  override [CLOSED](): number[] {
    const { base_lrs, last_epoch, factor, total_iters } = this[KEPT];
    return base_lrs.map((lr) => (last_epoch >= total_iters ? lr : lr * factor));
  }
}
