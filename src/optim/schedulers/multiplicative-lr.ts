import * as check from '../../check/index.js';
import { functionsOf, type Lambda } from './lambda-lr.js';
import {
  BEGIN,
  CHECK,
  IGNORED,
  KEPT,
  RATES,
  Schedule,
  type Scheduled,
  type SchedulerOptions,
} from './scheduler.js';

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
export class MultiplicativeLR extends Schedule {
  readonly #lambdas: readonly Lambda[];

  constructor(optimizer: Scheduled, options: MultiplicativeLROptions) {
    const who = 'MultiplicativeLR';
    check.requiredOptions(who, options, ['lrLambda', 'lastEpoch']);
    const { lrLambda, lastEpoch = -1 } = options;
    const functions = functionsOf(who, lrLambda);
    super(who, optimizer, {}, lastEpoch);
    this.#lambdas = functions(this.optimizer.paramGroups.length);
    this[BEGIN]();
  }

  override [CHECK](): void {
    // Functions are no state.
  }

  override get [IGNORED](): readonly string[] {
    return ['lr_lambdas'];
  }

  override [RATES](): number[] {
    const epoch = this[KEPT].last_epoch;
    return this.optimizer.paramGroups.map(({ lr }, i) => {
      if (epoch === 0) return lr;
      const factor: unknown = this.#lambdas[i]!(epoch);
      return lr * check.numberBetween('MultiplicativeLR', "lrLambda's result", factor, 0, Infinity);
    });
  }
}
