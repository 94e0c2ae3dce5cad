// What LambdaLR and MultiplicativeLR share: rates by functions of the epoch.
import * as check from '../../check/index.js';
import {
  BEGIN,
  CHECK,
  IGNORED,
  Schedule,
  type Scheduled,
  type SchedulerOptions,
} from './scheduler.js';

/** A factor in an epoch: a finite number of at least 0. */
export type Lambda = (epoch: number) => number;

interface FunctionOptions extends SchedulerOptions {
  lrLambda: Lambda | readonly Lambda[];
}

/** @internal The name of a class in its errors. */
const NAME = Symbol('name');
/** @internal What the function of the i-th group gives. */
export const FACTOR = Symbol('factor');

/** One function, or one for each group, as functions for so many groups. */
function functionsOf(who: string, given: unknown): (groups: number) => Lambda[] {
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

export abstract class ByFunctions extends Schedule {
  readonly #lambdas: readonly Lambda[];
  /** @internal */
  readonly [NAME]: string;

  constructor(who: string, optimizer: Scheduled, options: FunctionOptions) {
    check.requiredOptions(who, options, ['lrLambda', 'lastEpoch']);
    const { lrLambda, lastEpoch = -1 } = options;
    const functions = functionsOf(who, lrLambda);
    super(who, optimizer, {}, lastEpoch);
    this[NAME] = who;
    this.#lambdas = functions(this.optimizer.paramGroups.length);
    this[BEGIN]();
  }

  override [CHECK](): void {
    // Functions are no state.
  }

  override get [IGNORED](): readonly string[] {
    return ['lr_lambdas'];
  }

  /** @internal */
  [FACTOR](i: number, epoch: number): number {
    const factor: unknown = this.#lambdas[i]!(epoch);
    return check.numberBetween(this[NAME], "lrLambda's result", factor, 0, Infinity);
  }
}
