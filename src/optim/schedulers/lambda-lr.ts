import * as check from '../../check/index.js';
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

/** The factor of the initial rate in an epoch: a finite number of at least 0. */
export type Lambda = (epoch: number) => number;

export interface LambdaLROptions extends SchedulerOptions {
  /** One function, or one for each group. */
  lrLambda: Lambda | readonly Lambda[];
}

/** One function, or one for each group, as functions for so many groups. */
export function functionsOf(who: string, given: unknown): (groups: number) => Lambda[] {
  const many: unknown[] | null = Array.isArray(given) ? [...(given as unknown[])] : null;
  for (const each of many ?? [given]) {
    if (typeof each !== 'function') throw check.wrongKind(who, 'lrLambda to be a function', each);
  }
  return (length) => {
    if (many !== null && many.length !== length) {
      throw check.wrongValue(who, `${length} functions, one for each group`, String(many.length));
    }
    return (many ?? Array.from({ length }, () => given)) as Lambda[];
  };
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
export class LambdaLR extends Schedule {
  readonly #lambdas: readonly Lambda[];

  constructor(optimizer: Scheduled, options: LambdaLROptions) {
    const who = 'LambdaLR';
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
    const { base_lrs, last_epoch } = this[KEPT];
    return base_lrs.map((lr, i) => {
      const factor: unknown = this.#lambdas[i]!(last_epoch);
      return lr * check.numberBetween('LambdaLR', "lrLambda's result", factor, 0, Infinity);
    });
  }
}
