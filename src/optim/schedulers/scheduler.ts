// What a scheduler is, and what those of one schedule share: the order of their steps, and their state in PyTorch's form.
// Every rate is computed from the one before, as PyTorch does, so that several schedulers of one optimiser multiply.
import * as check from '../../check/index.js';
import { mark } from '../../check/copies.js';
import { STEPPED } from '../internals.js';
import { Optimizer } from '../optimizer.js';
import type { ScheduledGroup } from '../param-groups.js';
import type { Parameter } from '../../tensor/tensor.js';
import { readState, type Kept } from './state.js';

/** A group that has a learning rate, as those of every optimiser here. */
export type Group = { params: Parameter[]; lr: number } & ScheduledGroup;

/** An optimiser, as a scheduler sees it. */
export interface Scheduled {
  readonly paramGroups: Group[];
}

export interface SchedulerOptions {
  /** The index of the last epoch, to go on from: `initialLr` must be in the groups then. Default -1: from the start. */
  lastEpoch?: number | undefined;
}

/** A scheduler's state under PyTorch's names. */
export type SchedulerState = Record<string, unknown>;

/** Names of what is kept, not of a user's class. */
export const KEPT = Symbol('kept');
export const RATES = Symbol('rates');
export const CLOSED = Symbol('closed');
export const CHECK = Symbol('check');
export const RESTART = Symbol('restart');
export const UNDO = Symbol('undo');
export const BEGIN = Symbol('begin');
export const IGNORED = Symbol('ignored');

/** What every scheduler keeps. */
export interface Common extends Kept {
  base_lrs: number[];
  last_epoch: number;
  _step_count: number;
  _last_lr: number[];
}

/** @internal The optimiser, checked. */
export function optimizerOf(who: string, optimizer: unknown): Scheduled {
  if (!((optimizer as object) instanceof Optimizer)) {
    throw check.wrongKind(who, 'an optimizer', optimizer);
  }
  const { paramGroups } = optimizer as Scheduled;
  for (const group of paramGroups) check.numberBetween(who, "a group's lr", group.lr, 0, Infinity);
  return optimizer as Scheduled;
}

/**
 * Moves the learning rates of an optimiser's groups: every schedule, and `SequentialLR` and `ChainedScheduler`, which are
 * made of several. Not `ReduceLROnPlateau`, whose step takes a metric. Call `step()` after `optimizer.step()`; the rate in
 * force is `optimizer.paramGroups[0].lr`.
 */
export abstract class LRScheduler {
  abstract readonly optimizer: Scheduled;

  /** How often `step` has moved it: the index of the epoch whose rate is in force. */
  abstract readonly lastEpoch: number;

  /** The rates that were in force when each group was added, which the schedule is relative to. */
  abstract readonly baseLrs: number[];

  /** The rates that the last step has set, by group. */
  abstract getLastLr(): number[];

  /** The rates of the next epoch. After `optimizer.step()`: before it, the first rate would never be used. */
  abstract step(...rest: never[]): void;

  /** All that it needs to go on, under PyTorch's names; a copy. The rates themselves are in the optimiser's. */
  abstract stateDict(): SchedulerState;

  /**
   * Goes on from a state: one of `stateDict()`, or PyTorch's. The rates in force are the optimiser's, whose
   * `loadStateDict` brings them.
   *
   * @throws {RangeError | TypeError} for names or values that do not fit. Nothing has changed then.
   */
  abstract loadStateDict(state: object): void;
}

mark(LRScheduler, 'LRScheduler');

/** A scheduler that is one schedule: its rates follow from its epoch. Several make a sequence or a chain. */
export abstract class Schedule<Own extends Kept = Kept> extends LRScheduler {
  readonly #optimizer: Scheduled;
  /** @internal All that a state dict holds. */
  [KEPT]: Own & Common;

  protected constructor(who: string, optimizer: unknown, own: Own, lastEpoch: number) {
    super();
    this.#optimizer = optimizerOf(who, optimizer);
    check.wholeNumber(who, 'lastEpoch', lastEpoch, -1);
    const { paramGroups } = this.#optimizer;
    for (const [i, group] of paramGroups.entries()) {
      if (lastEpoch === -1 || group.initialLr !== undefined) continue;
      throw check.wrongValue(
        who,
        `initialLr in paramGroups[${i}] (param 'initial_lr' is not specified when resuming an optimizer)`,
        'none',
      );
    }
    const base = paramGroups.map((group) => group.initialLr ?? group.lr);
    this[KEPT] = { ...own, base_lrs: base, last_epoch: lastEpoch, _step_count: 0, _last_lr: [] };
    this[CHECK](who, this[KEPT]);
  }

  /** @internal Throws where a state is none of this scheduler. */
  abstract [CHECK](who: string, kept: Own): void;

  /** @internal The rates of the epoch `last_epoch`, from those in force. */
  abstract [RATES](): number[];

  /** @internal The rates of epoch 0, from the initial ones: where a sequence begins with it. */
  [CLOSED](): number[] {
    return this[RATES]();
  }

  /** @internal Names of PyTorch's state that say nothing here. */
  get [IGNORED](): readonly string[] {
    return [];
  }

  /** @internal The first rates. To be called at the end of a constructor. */
  [BEGIN](): void {
    this[KEPT]._step_count = 0;
    this.#advance(this[KEPT].last_epoch + 1, () => this[RATES]());
    noteInitial(this.#optimizer, this[KEPT].base_lrs);
  }

  /** @internal Takes the step of the constructor back, for a sequence. */
  [UNDO](): void {
    this[KEPT].last_epoch--;
  }

  /** @internal Epoch 0, in a sequence whose turn it is. */
  [RESTART](): void {
    this.#advance(0, () => this[CLOSED]());
  }

  override get optimizer(): Scheduled {
    return this.#optimizer;
  }

  override get lastEpoch(): number {
    return this[KEPT].last_epoch;
  }

  override get baseLrs(): number[] {
    return [...this[KEPT].base_lrs];
  }

  override getLastLr(): number[] {
    return [...this[KEPT]._last_lr];
  }

  override step(...rest: never[]): void {
    if (rest.length > 0) check.noMore(`${this.constructor.name}.step`, 0, rest);
    warnOfOrder(this.constructor.name, this.#optimizer, this[KEPT]._step_count);
    this.#advance(this[KEPT].last_epoch + 1, () => this[RATES]());
  }

  #advance(epoch: number, rates: () => number[]): void {
    const kept = this[KEPT];
    const before = kept.last_epoch;
    const restore = keepGroups(this.#optimizer);
    kept.last_epoch = epoch;
    try {
      setRates(this.constructor.name, this.#optimizer, rates());
    } catch (error) {
      kept.last_epoch = before;
      restore();
      throw error;
    }
    kept._step_count++;
    kept._last_lr = this.#optimizer.paramGroups.map(({ lr }) => lr);
  }

  override stateDict(): SchedulerState {
    return structuredClone(this[KEPT]);
  }

  override loadStateDict(state: object): void {
    const who = `${this.constructor.name}.loadStateDict`;
    const read = readState(who, state, this[KEPT], this[IGNORED]) as Own & Common;
    this[CHECK](who, read);
    this[KEPT] = read;
  }
}

/** @internal Assigns the rates once all are there and are numbers. */
export function setRates(who: string, optimizer: Scheduled, rates: readonly number[]): void {
  for (const rate of rates) check.numberBetween(who, 'a learning rate', rate, 0, Infinity);
  optimizer.paramGroups.forEach((group, i) => (group.lr = rates[i] ?? group.lr));
}

/** @internal What takes the groups back to the values they have now: rates, and momentum or betas where those cycle. */
export function keepGroups({ paramGroups }: Scheduled): () => void {
  const before = paramGroups.map((group) => ({ ...group }));
  return () => before.forEach((fields, i) => Object.assign(paramGroups[i]!, fields));
}

/** @internal Notes in the groups what a schedule is relative to, for others of the same optimiser. */
export function noteInitial({ paramGroups }: Scheduled, rates: readonly number[]): void {
  paramGroups.forEach((group, i) => (group.initialLr ??= rates[i]!));
}

/** @internal PyTorch's warning, once for each scheduler. */
export function warnOfOrder(who: string, optimizer: Scheduled, steps: number): void {
  if (steps !== 1 || (optimizer as unknown as { [STEPPED]: boolean })[STEPPED]) return;
  process.emitWarning(
    `${who}.step: Detected call of \`lr_scheduler.step()\` before \`optimizer.step()\`: the first value of the ` +
      'learning rate schedule is skipped. Call optimizer.step() first.',
    { type: 'EvenkeelWarning', code: 'EVENKEEL_SCHEDULER_ORDER' },
  );
}
