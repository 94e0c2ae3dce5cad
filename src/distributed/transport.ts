// What moves bytes between the processes of a job: MPI (mpi.ts) or shared memory of Workers (workers.ts). It knows no
// collective and adds nothing: those are in group.ts and sums.ts.

export type Backend = 'mpi' | 'workers' | 'none';

/** Messages under way. Those of one sender to one receiver arrive in the order in which they were sent. */
export interface Exchange {
  /** bytes[begin … end) go to `peer`; nobody writes there before `wait` has said 0. */
  send(peer: number, bytes: Uint8Array, begin: number, end: number): void;
  /** bytes[begin … end), or fewer, come from `peer`; nobody reads there before `wait` has said 0. */
  receive(peer: number, bytes: Uint8Array, begin: number, end: number): void;
  /**
   * Waits for at most so many microseconds, 0: only looks.
   *
   * @returns How many messages are missing.
   */
  wait(microseconds: number): number;
  /** The peers from which something is missing. */
  silent(): number[];
}

export interface Transport {
  readonly backend: Backend;
  readonly rank: number;
  readonly size: number;
  /** Rank among the processes of this machine. */
  readonly localRank: number;
  /** The MPI and its version; null without one. */
  readonly mpi: string | null;
  exchange(): Exchange;
  /** Peers that have left the job: nothing more comes from them. */
  ended(): readonly number[];
  /** The job cannot go on: this process is to end with that code, and to take the others along. */
  fail(code: number): void;
}
