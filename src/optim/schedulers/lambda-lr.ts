import { ByFunctions, FACTOR, type Lambda } from './by-functions.js';
import { KEPT, RATES, type Scheduled, type SchedulerOptions } from './scheduler.js';

export interface LambdaLROptions extends SchedulerOptions {
  /** One function, or one for each group: the factor of the initial rate in an epoch, a finite number of at least 0. */
  lrLambda: Lambda | readonly Lambda[];
}

/**
 * lr = initialLr · lrLambda(epoch). The functions are not in the state.
 *
 * @throws {RangeError | TypeError} for an option that is none, or a factor that is no number; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const scheduler = new optim.lrScheduler.LambdaLR(optimizer, { lrLambda: (epoch) => 1 / (1 + epoch) });
 * optimizer.step();
 * scheduler.step();
 * optimizer.paramGroups[0].lr; // => 0.5
 * ```
 */
export class LambdaLR extends ByFunctions {
  constructor(optimizer: Scheduled, options: LambdaLROptions) {
    super('LambdaLR', optimizer, options);
  }

  override [RATES](): number[] {
    const { base_lrs, last_epoch } = this[KEPT];
    return base_lrs.map((lr, i) => lr * this[FACTOR](i, last_epoch));
  }
}
