import * as check from '../../check/index.js';
import { cosPi } from './cosine.js';
import {
  BEGIN,
  CHECK,
  KEPT,
  noteInitial,
  RATES,
  RESTART,
  Schedule,
  setRates,
  warnOfOrder,
  type Common,
  type Scheduled,
  type SchedulerOptions,
} from './scheduler.js';
import type { Kept } from './state.js';

export interface CosineAnnealingWarmRestartsOptions extends SchedulerOptions {
  /** Epochs of the first wave. */
  t0: number;
  /** Each wave is so many times as long as the one before. A whole number, default 1. */
  tMult?: number | undefined;
  /** The least rate, at least 0. Default 0. */
  etaMin?: number | undefined;
}

interface Own extends Kept {
  T_0: number;
  T_i: number;
  T_mult: number;
  eta_min: number;
  T_cur: number;
}

/**
 * Half a wave from the initial rate to etaMin, then at once the initial rate again (Loshchilov & Hutter 2017):
 * lr = etaMin + (initialLr - etaMin) (1 + cos(π Tcur / Ti)) / 2.
 *
 * @throws {RangeError | TypeError} for an option that is none; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const scheduler = new optim.lrScheduler.CosineAnnealingWarmRestarts(optimizer, { t0: 2 });
 * const rates = [1, 2, 3].map(() => {
 *   optimizer.step();
 *   scheduler.step();
 *   return optimizer.paramGroups[0].lr;
 * });
 * rates; // => [0.5, 1, 0.5]
 * scheduler.step(0.5); // within an epoch: epoch + batch / batches
 * ```
 */
export class CosineAnnealingWarmRestarts extends Schedule<Own> {
  constructor(optimizer: Scheduled, options: CosineAnnealingWarmRestartsOptions) {
    const who = 'CosineAnnealingWarmRestarts';
    check.requiredOptions(who, options, ['t0', 'tMult', 'etaMin', 'lastEpoch']);
    const { t0, tMult = 1, etaMin = 0, lastEpoch = -1 } = options;
    check.wholeNumber(who, 't0', t0, 1);
    const own = { T_0: t0, T_i: t0, T_mult: tMult, eta_min: etaMin, T_cur: lastEpoch };
    super(who, optimizer, own, lastEpoch);
    this[BEGIN]();
  }

  override [CHECK](who: string, kept: Own & Common): void {
    check.wholeNumber(who, 't0', kept.T_0, 1);
    check.numberBetween(who, 'T_i', kept.T_i, 1, Infinity);
    check.wholeNumber(who, 'tMult', kept.T_mult, 1);
    check.numberBetween(who, 'etaMin', kept.eta_min, 0, Infinity);
    check.numberBetween(who, 'T_cur', kept.T_cur, -1, Infinity);
  }

  override [BEGIN](): void {
    this[KEPT]._step_count = 0;
    this.#move(this[KEPT].last_epoch < 0 ? 0 : undefined);
    noteInitial(this.optimizer, this[KEPT].base_lrs);
  }

  override [RESTART](): void {
    this.#move(0);
  }

  override [RATES](): number[] {
    return ratesOf(this[KEPT]);
  }

  /**
   * The rates of the next epoch, or of any: a fraction is within one.
   *
   * @param epoch - At least 0. Default: the next.
   */
  override step(epoch?: number): void {
    const who = 'CosineAnnealingWarmRestarts.step';
    if (epoch !== undefined) check.numberBetween(who, 'epoch', epoch, 0, Infinity);
    warnOfOrder('CosineAnnealingWarmRestarts', this.optimizer, this[KEPT]._step_count);
    this.#move(epoch ?? (this[KEPT].last_epoch < 0 ? 0 : undefined));
  }

  #move(epoch: number | undefined): void {
    const next = {
      ...this[KEPT],
      ...(epoch === undefined ? following(this[KEPT]) : at(this[KEPT], epoch)),
    };
    setRates('CosineAnnealingWarmRestarts', this.optimizer, ratesOf(next));
    next._step_count++;
    next._last_lr = this.optimizer.paramGroups.map(({ lr }) => lr);
    this[KEPT] = next;
  }
}

function ratesOf({ base_lrs, eta_min, T_cur, T_i }: Own & Common): number[] {
  const wave = 1 + cosPi(T_cur / T_i);
  return base_lrs.map((lr) => eta_min + ((lr - eta_min) * wave) / 2);
}

type Place = Pick<Own & Common, 'T_cur' | 'T_i' | 'last_epoch'>;

function following({ T_cur, T_i, T_mult, last_epoch }: Own & Common): Place {
  const next = T_cur + 1;
  const over = next >= T_i;
  return {
    T_cur: over ? next - T_i : next,
    T_i: over ? T_i * T_mult : T_i,
    last_epoch: last_epoch + 1,
  };
}

function at({ T_0, T_mult }: Own, epoch: number): Place {
  let length = T_0;
  let begin = T_mult === 1 ? epoch - (epoch % T_0) : 0;
  for (; T_mult > 1 && epoch >= begin + length; length *= T_mult) begin += length;
  return { T_cur: epoch - begin, T_i: length, last_epoch: Math.floor(epoch) };
}
