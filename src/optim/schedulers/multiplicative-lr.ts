import { ByFunctions, FACTOR, type Lambda } from './by-functions.js';
import { KEPT, RATES, type Scheduled, type SchedulerOptions } from './scheduler.js';

export interface MultiplicativeLROptions extends SchedulerOptions {
  /** One function, or one for each group: what the rate is multiplied by in an epoch, from 1 on. */
  lrLambda: Lambda | readonly Lambda[];
}

/**
 * Multiplies the rate by lrLambda(epoch) every epoch. The functions are not in the state.
 *
 * @throws {RangeError | TypeError} for an option that is none, or a factor that is no number; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const scheduler = new optim.lrScheduler.MultiplicativeLR(optimizer, { lrLambda: () => 0.5 });
 * optimizer.step();
 * scheduler.step();
 * optimizer.paramGroups[0].lr; // => 0.5
 * ```
 */
export class MultiplicativeLR extends ByFunctions {
  constructor(optimizer: Scheduled, options: MultiplicativeLROptions) {
    super('MultiplicativeLR', optimizer, options);
  }

  override [RATES](): number[] {
    const epoch = this[KEPT].last_epoch;
    return this.optimizer.paramGroups.map(({ lr }, i) =>
      epoch === 0 ? lr : lr * this[FACTOR](i, epoch),
    );
  }
}
