// Work of JavaScript's own on many elements that does not hold the event loop: a part in each turn.
import { setImmediate } from 'node:timers/promises';

/** Half a millisecond of the slower loops. */
const PART = 2 ** 18;

/**
 * @internal Calls `work(from, to)` for one part of 0 to `count` after another, each in a turn of the event loop.
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
    signal?.throwIfAborted();
    work(from, Math.min(count, from + PART));
  }
}
