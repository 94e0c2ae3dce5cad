// The calls of one deferral: what they read and write, and what happens when all of them have been made.
// Longer than 250 lines because a call that ends well and one that fails give back the same things.
import * as check from '../check/index.js';
import type { Memory } from '../memory/buffer.js';
import type { FloatData } from '../memory/dtype.js';
import { Borrowed, copyBudget } from './borrow.js';
import { makeLater, makeNow } from './make.js';
import { enterQueue, type QueueEntry } from './order.js';
import { Result } from './result.js';
import type { After, ArrayOf, Call, Operand, Step } from './step.js';
import { Stopwatch, unlessAborted } from './turns.js';

/** @internal What changes once every call of a deferral has been made. */
export interface Ending {
  /** Throws where `commit` could not be done. Changes nothing. */
  check(): void;
  /** Cannot fail. */
  commit(): void;
  /** Whose calls settle in order. */
  readonly owner: object;
  /**
   * What `commit` would make of these running statistics, which are copies.
   *
   * @param before - How many of the owner's endings come before it.
   */
  preview?(mean: FloatData, variance: FloatData, before: number): void;
}

/** @internal What a deferral has failed with. */
export interface Failure {
  readonly error: unknown;
}

/** @internal How a deferral takes the memory of one operand. */
export interface Transfer {
  readonly who: string;
  readonly operand: Operand;
}

type Place = Result | Borrowed;

interface Noted {
  readonly step: Step;
  readonly call: Call;
  readonly after: After | null;
  readonly places: ReadonlyMap<Operand, Place>;
}

/** @internal */
export class Deferral {
  readonly #signal: AbortSignal | null;
  #steps: Noted[] = [];
  readonly #places = new Map<Memory, Place>();
  readonly #endings: Ending[] = [];
  readonly #turns = new Map<object, QueueEntry>();
  readonly #apart: [string, Operand][] = [];
  readonly #afterwards: ((failure: Failure | null) => void)[] = [];
  #agreement: (() => Promise<void>) | null = null;
  #failure: Failure | null = null;
  #open = true;

  constructor(signal: AbortSignal | null) {
    this.#signal = signal;
  }

  /** Notes a call. */
  add(step: Step, call: Call, after: After | null = null): void {
    const places = new Map<Operand, Place>();
    for (const [name, operand] of Object.entries(step.reads)) {
      if (operand !== null) places.set(operand, this.#placeOf(step.who, name, operand));
    }
    for (const operand of step.writes) {
      if (operand === null) continue;
      const memory = operand.share();
      const known = this.#places.get(memory);
      if (known !== undefined) memory.release();
      else operand.attached(step.who); // of one of one value the array is made here
      const place = known ?? new Result(memory, this);
      this.#places.set(memory, place);
      places.set(operand, place);
    }
    for (const operand of step.rewrites ?? []) {
      if (operand !== null) places.set(operand, this.#rewrittenOf(step.who, operand));
    }
    this.#steps.push({ step, call, after, places });
  }

  #rewrittenOf(who: string, operand: Operand): Place {
    const place = this.#placeOf(who, 'a parameter or what is kept of it', operand);
    if (place instanceof Borrowed) place.rewrite();
    return place;
  }

  #placeOf(who: string, name: string, operand: Operand): Place {
    const memory = operand.share();
    try {
      const known = this.#places.get(memory);
      if (known !== undefined) {
        memory.release();
        return known;
      }
      operand.attached(who, name);
    } catch (error) {
      memory.release();
      throw error;
    }
    const place = new Borrowed(who, name, memory);
    this.#places.set(memory, place);
    return place;
  }

  /** Has `ending` happen once every call has been made. */
  atEnd(ending: Ending): void {
    this.#endings.push(ending);
  }

  /** Calls `body` when the deferral is over, whatever has become of it. */
  afterwards(body: (failure: Failure | null) => void): void {
    this.#afterwards.push(body);
  }

  /** Has nothing change before others have agreed, which they are asked once everything has been checked. */
  agreeFirst(agreement: () => Promise<void>): void {
    this.#agreement = agreement;
  }

  /** What has been noted so far for calls of `owner`. */
  endingsOf(owner: object): readonly Ending[] {
    return this.#endings.filter((ending) => ending.owner === owner);
  }

  /**
   * Has this deferral settle after those before it that have the same owner.
   *
   * @returns What settles when they have; null where there are none.
   */
  inOrder(owner: object): Promise<void> | null {
    const turn = this.#turns.get(owner) ?? enterQueue(owner);
    this.#turns.set(owner, turn);
    return turn.before;
  }

  /** That the buffer of `operand` is not taken away. */
  keepApart(name: string, operand: Operand | null): void {
    if (operand !== null) this.#apart.push([name, operand]);
  }

  /** Whether reading makes the calls that have been noted. */
  get open(): boolean {
    return this.#open;
  }

  /**
   * Makes the calls that have been noted, at once: somebody reads a result.
   *
   * @throws {Error} when they are being made beside the event loop.
   */
  now(): void {
    if (!this.#open) {
      throw new Error(
        'Tensor: expected a tensor that has been computed, got one of a call beside the event loop: ' +
          'wait until its promise is fulfilled.',
      );
    }
    for (const noted of this.#steps) {
      const { step, call, after, places } = noted;
      step.arrival?.now();
      makeNow(step, call, after, arraysOf(places));
    }
    this.#steps = [];
    const places = [...this.#places.values()];
    this.#places.clear();
    for (const place of places) {
      if (place instanceof Result) place.show();
      else place.release();
    }
  }

  /** No more calls: makes sure of the memory that they read. */
  close(transfer: Transfer | null): void {
    const taken = transfer === null ? null : this.#taken(transfer);
    this.#open = false;
    const budget = copyBudget();
    for (const place of this.#places.values()) {
      if (place instanceof Borrowed && place !== taken) place.open(budget);
    }
    // Last: it cannot be undone.
    taken?.open(budget, true);
  }

  /** What lies in the buffer that is taken away would be lost with it. */
  #taken({ who, operand }: Transfer): Borrowed {
    const memory = operand.share();
    const place = this.#places.get(memory) ?? new Borrowed(who, 'the input', memory);
    if (this.#places.has(memory)) memory.release();
    else this.#places.set(memory, place);
    if (place instanceof Result) throw new TypeError(`${who}: expected an input that is given.`);
    const { buffer } = memory.data;
    const others = [...this.#places.values()].flatMap((other) =>
      other instanceof Borrowed && other !== place
        ? [[other.name, other.memory.data] as const]
        : [],
    );
    const apart = this.#apart.map(([name, each]) => [name, each.attached(who, name)] as const);
    for (const [name, data] of [...others, ...apart]) {
      if (!memory.exposed || data.buffer !== buffer || memory.length === 0) continue;
      throw check.wrongValue(
        who,
        'a buffer to transfer that holds the input alone',
        `one that holds ${name} too`,
      );
    }
    return place;
  }

  /** Makes the calls. Whatever throws has changed nothing. */
  async drive(): Promise<void> {
    const signal = this.#signal;
    const watch = new Stopwatch();
    for (const noted of this.#steps) {
      const { step, call, after, places } = noted;
      if (step.before !== undefined && step.before !== null) {
        await unlessAborted(step.before, signal);
      }
      if (step.arrival !== undefined) {
        check.notAborted(signal);
        await unlessAborted(step.arrival.later(), signal);
        watch.restart();
      }
      for (const place of places.values()) await place.copied(signal);
      await makeLater(step, call, after, arraysOf(places), signal, watch);
    }
    for (const { before } of this.#turns.values()) {
      if (before !== null) await unlessAborted(before, signal);
    }
    check.notAborted(signal);
    this.#checkEnd();
    if (this.#agreement !== null) {
      await this.#agreement();
      this.#checkEnd();
    }
    for (const ending of this.#endings) ending.commit();
    for (const place of this.#places.values()) {
      if (place instanceof Result) place.show();
      else place.commit();
    }
  }

  #checkEnd(): void {
    for (const place of this.#places.values()) if (place instanceof Borrowed) place.check();
    for (const ending of this.#endings) ending.check();
  }

  /** No result will be there: they are disposed of. */
  fail(error: unknown): void {
    this.#open = false;
    this.#failure = { error };
    for (const { step } of this.#steps) {
      for (const operand of step.writes) operand?.dispose();
    }
    for (const place of this.#places.values()) if (place instanceof Result) place.drop();
  }

  /** Gives back what was borrowed. */
  end(): void {
    for (const place of this.#places.values()) if (place instanceof Borrowed) place.release();
    for (const turn of this.#turns.values()) turn.leave();
    for (const body of this.#afterwards) body(this.#failure);
  }
}

function arraysOf(places: ReadonlyMap<Operand, Place>): ArrayOf {
  return ((operand: Operand | null) =>
    operand === null ? null : places.get(operand)!.array) as ArrayOf;
}
