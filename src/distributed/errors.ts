// What a process is told of the others.
import * as check from '../check/index.js';

const known = new WeakSet();

/** Another process of the group has failed, has ended, or is somewhere else in the program. */
export class PeerError extends Error {
  override readonly name = 'PeerError';

  /**
   * @param ranks - Those of the group that it is about.
   * @param fatal - Whether the job cannot go on: the processes do not know any more where the others are. Otherwise all
   * of them have left the same call, and may make the next one.
   */
  constructor(
    message: string,
    readonly ranks: readonly number[],
    readonly fatal: boolean,
  ) {
    super(message);
    known.add(this);
  }
}

/** A process has waited for longer than its `timeout`; the job ends with exit code 70. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';

  /** @param ranks - Those of the group from which nothing has come. */
  constructor(
    message: string,
    readonly ranks: readonly number[],
  ) {
    super(message);
    known.add(this);
  }
}

/** @internal Whether an error is one of these, which the other processes have too. */
export function isOfPeers(error: unknown): error is PeerError | TimeoutError {
  return error !== null && typeof error === 'object' && known.has(error);
}

/** The exit code of a process that has thrown a TimeoutError: EX_SOFTWARE of sysexits.h. */
export const TIMEOUT_CODE = 70;

/** @internal Of whatever was thrown. */
export function messageOf(error: unknown): string {
  const message = (error as { readonly message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : check.describe(error);
}

/** Ranks in a sentence. */
export function ranksText(ranks: readonly number[]): string {
  return `${ranks.length === 1 ? 'rank' : 'ranks'} ${ranks.join(', ')}`;
}
