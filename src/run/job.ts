// One native call beside the event loop: started, cancelled by a signal, its end made a result or an error.
// What the call may touch is decided by who makes it (borrow.ts).
import type { Calls, JobEnd } from '../addon/types.js';
import * as check from '../check/index.js';
import { addon } from '../addon/control.js';

/**
 * Below this many elements a call runs at once, on this thread: handing it over and hearing of
 * its end costs 12 to 20 µs, and it takes no longer than that itself.
 */
const SMALL = 32 * 1024;

let tickets = 0;

/**
 * @internal Makes a native call as a job; at once where it has few elements.
 *
 * @returns What the call returns.
 * @throws The signal's reason when it is aborted by the time the job has ended; what the job was to
 * write is garbage then.
 */
export async function runJob<Name extends keyof Calls>(
  who: string,
  name: Name,
  args: Parameters<Calls[Name]>,
  elements: number,
  signal: AbortSignal | null,
): Promise<ReturnType<Calls[Name]>> {
  type Result = ReturnType<Calls[Name]>;
  check.notAborted(signal);
  if (elements < SMALL) return (addon[name] as (...args: unknown[]) => Result)(...args);
  const ticket = tickets++;
  const cancel = (): void => {
    addon.cancelJob(ticket);
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const start = addon.jobs[name] as (
      ...args: unknown[]
    ) => Promise<JobEnd<ReturnType<Calls[keyof Calls]>>>;
    const ended = await start(...args, ticket);
    check.notAborted(signal);
    if (ended === 'cancelled' || ended === 'out of memory') throw outOfMemory(who);
    return (ended === 'done' ? undefined : ended) as Result;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

function outOfMemory(who: string): Error {
  const error = new Error(`${who}: expected memory for the statistics of a call, got none.`);
  return Object.assign(error, { code: 'ERR_EVENKEEL_OUT_OF_MEMORY' });
}

/** @internal Waits for `promise`, but not longer than for the signal, whose reason is thrown. */
export async function unlessAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | null,
): Promise<Result> {
  if (signal === null) return promise;
  check.notAborted(signal);
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
