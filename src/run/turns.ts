// The event loop's turns: waiting for the next one, for a signal, and long work of JavaScript's own in parts.
import { setImmediate } from 'node:timers/promises';

import * as check from '../check/index.js';
import { onAbort } from './aborts.js';

/** Half a millisecond of the slower loops. */
const PART = 2 ** 18;
/** How long a call that runs beside the event loop may compute on it before it gives it back. */
const TURN_MS = 0.3;

/** @internal Calls `work(from, to)` for parts of 0 to `count`; later it returns a promise. */
export type Turns = (
  count: number,
  work: (from: number, to: number) => void,
) => Promise<void> | undefined;

/** @internal All of it now. */
export const atOnce: Turns = (count, work) => {
  work(0, count);
  return undefined;
};

/**
 * @internal One part in each turn of the event loop.
 *
 * @throws The reason of `signal`, once it is aborted.
 */
export async function inTurns(
  count: number,
  signal: AbortSignal | null,
  work: (from: number, to: number) => void,
): Promise<void> {
  for (let from = 0; from < count; from += PART) {
    if (from > 0) await setImmediate();
    check.notAborted(signal);
    work(from, Math.min(count, from + PART));
  }
}

/** @internal Tells when small computations in a row have held the event loop for long enough. */
export class Stopwatch {
  #start = performance.now();

  /** Gives the event loop a turn, where it has waited for 0.3 ms. */
  async rest(): Promise<void> {
    if (performance.now() - this.#start < TURN_MS) return;
    await setImmediate();
    this.#start = performance.now();
  }

  /** The event loop has had a turn. */
  restart(): void {
    this.#start = performance.now();
  }
}

/** @internal Waits for `promise`, but not longer than for the signal, whose reason is thrown. */
export async function unlessAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | null,
): Promise<Result> {
  if (signal === null) return promise;
  check.notAborted(signal);
  let stopListening = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stopListening = onAbort(signal, () => {
      reject(check.abortReason(signal));
    });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stopListening();
  }
}
