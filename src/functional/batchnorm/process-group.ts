// What layers need of the processes that share a batch. src/distributed/ has it; a process that is alone needs none.
import type { Deferral, Arrival } from '../../run/deferral.js';

/** @internal A place in the program at which all processes meet. */
export type Meeting = object;

/** What everyone has is asked for at a meeting, by giving one's own; the answer is by rank. */
interface Ask {
  readonly meeting: Meeting;
  readonly own: Uint8Array;
}

/** @internal What is done with one answer or several, each good until the next one is asked for. */
export type Asks<Result> = Generator<Ask, Result, readonly Uint8Array[]>;

/** @internal Processes that share batches. */
export interface ProcessGroup {
  readonly rank: number;
  readonly size: number;
  /** @param what - As errors name it: `net.1, SyncBatchNorm forward`. */
  meeting(what: string): Meeting;
  /** Everyone's bytes, by rank, good until the next call; blocks until they are there. */
  gatherBytes(meeting: Meeting, own: Uint8Array): readonly Uint8Array[];
  /** Has the other processes throw a PeerError at this meeting, where this process cannot come. */
  refuse(meeting: Meeting, error: unknown): void;
  /** Has a call beside the event loop end well on all processes, or on none. */
  take(deferral: Deferral): void;
  /**
   * One more meeting of a call beside the event loop, behind those of the calls before it. Where the call fails before
   * that, the others are told.
   *
   * @param body - Is begun when its turn comes.
   */
  expect(deferral: Deferral, meeting: Meeting, body: () => Asks<void>): Arrival;
}

/** @internal Asks now: this thread waits for each answer. */
export function askNow<Result>(group: ProcessGroup, asks: Asks<Result>): Result {
  let step = asks.next();
  while (step.done !== true) {
    const { meeting, own } = step.value;
    step = asks.next(group.gatherBytes(meeting, own));
  }
  return step.value;
}

let world: ProcessGroup | null = null;

/** @internal All processes of the job; null before `distributed.init`. */
export function defaultGroup(): ProcessGroup | null {
  return world;
}

/** @internal */
export function setDefaultGroup(group: ProcessGroup | null): void {
  world = group;
}
