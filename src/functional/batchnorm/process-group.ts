// What layers need of the processes that share a batch. src/distributed/ has it; a process that is alone needs none.

/** @internal A place in the program at which all processes meet. */
export type Meeting = object;

/** @internal Processes that share batches. */
export interface ProcessGroup {
  readonly rank: number;
  readonly size: number;
  /** @param what - As errors name it: `net.1, SyncBatchNorm forward`. */
  meeting(what: string): Meeting;
  /** Everyone's bytes, by rank, good until the next call; blocks until they are there. */
  gatherBytes(meeting: Meeting, own: Uint8Array): Uint8Array[];
  /** Has the other processes throw a PeerError at this meeting, where this process cannot come. */
  refuse(meeting: Meeting, error: unknown): void;
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
