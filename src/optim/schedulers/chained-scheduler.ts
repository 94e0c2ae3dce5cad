import * as check from '../../check/index.js';
import {
  keepGroups,
  KEPT,
  LRScheduler,
  optimizerOf,
  type Schedule,
  type Scheduled,
  type SchedulerState,
} from './scheduler.js';
import { loadMembers, membersOf } from './sequential-lr.js';
import { entriesOf, readState } from './state.js';

/**
 * Several schedulers of one optimiser, stepped together: their factors multiply.
 *
 * @throws {RangeError | TypeError} for schedulers that are none, or of several optimisers; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const { ChainedScheduler, ConstantLR, ExponentialLR } = optim.lrScheduler;
 * const scheduler = new ChainedScheduler([
 *   new ConstantLR(optimizer, { factor: 0.5, totalIters: 2 }),
 *   new ExponentialLR(optimizer, { gamma: 0.5 }),
 * ]);
 * const rates = [1, 2, 3].map(() => {
 *   optimizer.step();
 *   scheduler.step();
 *   return optimizer.paramGroups[0].lr;
 * });
 * rates; // => [0.25, 0.25, 0.125]
 * ```
 */
export class ChainedScheduler extends LRScheduler {
  override readonly optimizer: Scheduled;
  readonly #schedulers: readonly Schedule[];
  #lastLr: number[];

  /** @param schedulers - Of one schedule each: no sequence, and no other chain. */
  constructor(schedulers: readonly LRScheduler[], ...rest: undefined[]) {
    super();
    const who = 'ChainedScheduler';
    if (rest.length > 0) check.noMore(who, 1, rest);
    const first = Array.isArray(schedulers) ? (schedulers as readonly LRScheduler[])[0] : undefined;
    this.#schedulers = membersOf(who, schedulers, first?.optimizer);
    this.optimizer = optimizerOf(who, first?.optimizer);
    this.#lastLr = this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** The epoch of its first scheduler. */
  override get lastEpoch(): number {
    return this.#schedulers[0]!.lastEpoch;
  }

  /** Those of its first scheduler. */
  override get baseLrs(): number[] {
    return this.#schedulers[0]!.baseLrs;
  }

  override getLastLr(): number[] {
    return [...this.#lastLr];
  }

  override step(...rest: never[]): void {
    if (rest.length > 0) check.noMore('ChainedScheduler.step', 0, rest);
    const restore = keepGroups(this.optimizer);
    const before = this.#schedulers.map((each) => ({ ...each[KEPT] }));
    try {
      for (const each of this.#schedulers) each.step();
    } catch (error) {
      this.#schedulers.forEach((each, i) => (each[KEPT] = before[i]!));
      restore();
      throw error;
    }
    this.#lastLr = this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** All that it and its schedulers need to go on, under PyTorch's names; a copy. */
  override stateDict(): SchedulerState {
    return {
      _last_lr: [...this.#lastLr],
      _schedulers: this.#schedulers.map((each) => each.stateDict()),
    };
  }

  override loadStateDict(state: object): void {
    const who = 'ChainedScheduler.loadStateDict';
    const members: unknown = entriesOf(who, "a scheduler's state", state).get('_schedulers');
    const now = { _last_lr: this.#lastLr };
    const read = readState(who, state, now, ['_schedulers']) as typeof now;
    loadMembers(who, this.#schedulers, members);
    this.#lastLr = read._last_lr;
  }
}
