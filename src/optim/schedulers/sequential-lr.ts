import * as check from '../../check/index.js';
import {
  BEGIN,
  KEPT,
  LRScheduler,
  optimizerOf,
  RESTART,
  Schedule,
  setRates,
  UNDO,
  type Scheduled,
  type SchedulerState,
} from './scheduler.js';
import { entriesOf, readState } from './state.js';

export interface SequentialLROptions {
  /** One after another, all of the same optimiser, of one schedule each: no other sequence, and no chain. */
  schedulers: readonly LRScheduler[];
  /** The epochs at which the next takes over: one fewer than schedulers, rising. */
  milestones: readonly number[];
}

/**
 * One scheduler after another: a warm-up, then a decay. Each begins at its milestone with its own epoch 0.
 *
 * @throws {RangeError | TypeError} for an option that is none; nothing has changed then.
 * @example
 * ```ts
 * const optimizer = new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 1 });
 * const { LinearLR, ExponentialLR, SequentialLR } = optim.lrScheduler;
 * const schedulers = [
 *   new LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 }),
 *   new ExponentialLR(optimizer, { gamma: 0.5 }),
 * ];
 * const scheduler = new SequentialLR(optimizer, { schedulers, milestones: [2] });
 * const rates = [1, 2, 3].map(() => {
 *   optimizer.step();
 *   scheduler.step();
 *   return optimizer.paramGroups[0].lr;
 * });
 * rates; // => [0.75, 1, 0.5]
 * ```
 */
export class SequentialLR extends LRScheduler {
  override readonly optimizer: Scheduled;
  readonly #schedulers: readonly Schedule[];
  #milestones: number[];
  #lastEpoch = 0;
  #lastLr: number[];

  constructor(optimizer: Scheduled, options: SequentialLROptions) {
    super();
    const who = 'SequentialLR';
    this.optimizer = optimizerOf(who, optimizer);
    check.requiredOptions(who, options, ['schedulers', 'milestones']);
    const { schedulers, milestones } = options;
    this.#schedulers = membersOf(who, schedulers, this.optimizer);
    this.#milestones = milestonesOf(who, milestones, this.#schedulers.length);
    const rates = this.optimizer.paramGroups.map(({ initialLr, lr }) => initialLr ?? lr);
    setRates(who, this.optimizer, rates);
    for (const each of this.#schedulers) each[UNDO]();
    this.#schedulers[0]![BEGIN]();
    this.#lastLr = this.#schedulers[0]!.getLastLr();
  }

  override get lastEpoch(): number {
    return this.#lastEpoch;
  }

  /** Those of its first scheduler. */
  override get baseLrs(): number[] {
    return this.#schedulers[0]!.baseLrs;
  }

  override getLastLr(): number[] {
    return [...this.#lastLr];
  }

  override step(...rest: never[]): void {
    if (rest.length > 0) check.noMore('SequentialLR.step', 0, rest);
    const epoch = this.#lastEpoch + 1;
    const at = this.#milestones.filter((each) => each <= epoch).length;
    const scheduler = this.#schedulers[at]!;
    if (at > 0 && this.#milestones[at - 1] === epoch) scheduler[RESTART]();
    else scheduler.step();
    this.#lastEpoch = epoch;
    this.#lastLr = scheduler.getLastLr();
  }

  /** All that it and its schedulers need to go on, under PyTorch's names; a copy. */
  override stateDict(): SchedulerState {
    return {
      _milestones: [...this.#milestones],
      last_epoch: this.#lastEpoch,
      _last_lr: [...this.#lastLr],
      _schedulers: this.#schedulers.map((each) => each.stateDict()),
    };
  }

  override loadStateDict(state: object): void {
    const who = 'SequentialLR.loadStateDict';
    const members: unknown = entriesOf(who, "a scheduler's state", state).get('_schedulers');
    const now = {
      _milestones: this.#milestones,
      last_epoch: this.#lastEpoch,
      _last_lr: this.#lastLr,
    };
    const read = readState(who, state, now, ['_schedulers']) as typeof now;
    check.wholeNumber(who, 'last_epoch', read.last_epoch, 0);
    const milestones = milestonesOf(who, read._milestones, this.#schedulers.length);
    loadMembers(who, this.#schedulers, members);
    this.#milestones = milestones;
    this.#lastEpoch = read.last_epoch;
    this.#lastLr = read._last_lr;
  }
}

/** Their states, all or none. */
export function loadMembers(who: string, schedulers: readonly Schedule[], states: unknown): void {
  if (!Array.isArray(states) || states.length !== schedulers.length) {
    throw check.wrongKind(who, `_schedulers to be ${schedulers.length} states`, states);
  }
  const before = schedulers.map((each) => each[KEPT]);
  try {
    schedulers.forEach((each, i) => each.loadStateDict(states[i] as object));
  } catch (error) {
    schedulers.forEach((each, i) => (each[KEPT] = before[i]!));
    throw error;
  }
}

/** Schedulers of one optimiser. */
export function membersOf(
  who: string,
  schedulers: unknown,
  optimizer: Scheduled | undefined,
): readonly Schedule[] {
  if (!Array.isArray(schedulers))
    throw check.wrongKind(who, 'schedulers to be an array', schedulers);
  if (schedulers.length === 0) throw check.wrongValue(who, 'at least one scheduler', 'none');
  for (const [i, each] of (schedulers as unknown[]).entries()) {
    if (!(each instanceof Schedule)) {
      const what =
        'schedulers of one schedule (no ReduceLROnPlateau, SequentialLR or ChainedScheduler)';
      throw check.wrongKind(who, what, each);
    }
    if ((each as Schedule).optimizer === optimizer) continue;
    throw check.wrongValue(who, 'schedulers of one optimizer', `another's at index ${i}`);
  }
  return [...(schedulers as Schedule[])];
}

function milestonesOf(who: string, milestones: unknown, schedulers: number): number[] {
  if (!check.isList(milestones))
    throw check.wrongKind(who, 'milestones to be an array', milestones);
  const list = Array.from(milestones, (each) => check.wholeNumber(who, 'a milestone', each, 1));
  if (list.length !== schedulers - 1) {
    const what = `${schedulers - 1} milestones for ${schedulers} schedulers`;
    throw check.wrongValue(who, what, String(list.length));
  }
  if (list.some((each, i) => i > 0 && each <= list[i - 1]!)) {
    throw check.wrongValue(who, 'milestones that rise', list.join(', '));
  }
  return list;
}
