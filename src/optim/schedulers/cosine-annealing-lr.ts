import * as check from '../../check/index.js';
import { cosPi } from './cosine.js';
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

export interface CosineAnnealingLROptions extends SchedulerOptions {
  /** Epochs from the initial rate to the least. */
  tMax: number;
  /** The least rate, at least 0. Default 0. */
  etaMin?: number | undefined;
}

interface Own extends Kept {
  T_max: number;
  eta_min: number;
}

/**
 * Half a wave from the initial rate to etaMin over tMax epochs, and back after it (Loshchilov & Hutter 2017):
 * lr = etaMin + (initialLr - etaMin) (1 + cos(π epoch / tMax)) / 2. Computed from the rate before, as PyTorch does.
 *
 * @throws {RangeError | TypeError} for an option that is none; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, { tMax: 2 });
 * optimizer.step();
 * scheduler.step();
 * optimizer.paramGroups[0].lr; // => 0.5
 * ```
 */
export class CosineAnnealingLR extends Schedule<Own> {
  constructor(optimizer: Scheduled, options: CosineAnnealingLROptions) {
    const who = 'CosineAnnealingLR';
    check.requiredOptions(who, options, ['tMax', 'etaMin', 'lastEpoch']);
    const { tMax, etaMin = 0, lastEpoch = -1 } = options;
    super(who, optimizer, { T_max: tMax, eta_min: etaMin }, lastEpoch);
    this[BEGIN]();
  }

  override [CHECK](who: string, { T_max, eta_min }: Own): void {
    check.wholeNumber(who, 'tMax', T_max, 1);
    check.numberBetween(who, 'etaMin', eta_min, 0, Infinity);
  }

  override [RATES](): number[] {
    const { last_epoch: epoch, _step_count, T_max: period, eta_min: least, base_lrs } = this[KEPT];
    const { paramGroups } = this.optimizer;
    if (epoch === 0) return paramGroups.map(({ lr }) => lr);
    if (_step_count === 0) return this[CLOSED]();
    if ((epoch - 1 - period) % (2 * period) === 0) {
      const rise = 1 - cosPi(1 / period);
      return paramGroups.map(({ lr }, i) => lr + ((base_lrs[i]! - least) * rise) / 2);
    }
    const ratio = (1 + cosPi(epoch / period)) / (1 + cosPi((epoch - 1) / period));
    return paramGroups.map(({ lr }) => ratio * (lr - least) + least);
  }

  override [CLOSED](): number[] {
    const { last_epoch, T_max, eta_min, base_lrs } = this[KEPT];
    const wave = 1 + cosPi(last_epoch / T_max);
    return base_lrs.map((lr) => eta_min + ((lr - eta_min) * wave) / 2);
  }
}
