// How the call of a step is made: on the event loop, or as a job.
import * as check from '../check/index.js';
import { checkMade, now, runJob } from './calls.js';
import type { After, ArrayOf, Call, Step } from './step.js';
import { atOnce, inTurns, type Stopwatch } from './turns.js';

/**
 * Below this many elements a call is made at once, on this thread: handing it over and hearing of
 * its end costs 12 to 20 µs, and it takes no longer than that itself.
 */
const SMALL = 32 * 1024;

/** @internal Makes it at once. */
export function makeNow(step: Step, call: Call, after: After | null, arrayOf: ArrayOf): void {
  const result = call(now, arrayOf, atOnce);
  checkMade(step.who, result);
  if (after !== null) after(arrayOf, result);
}

/** @internal Makes it as a job, or, where it is small, at once. */
export async function makeLater(
  step: Step,
  call: Call,
  after: After | null,
  arrayOf: ArrayOf,
  signal: AbortSignal | null,
  watch: Stopwatch,
): Promise<void> {
  check.notAborted(signal);
  if (step.work < SMALL) {
    makeNow(step, call, after, arrayOf);
    await watch.rest();
    return;
  }
  const turns = (count: number, work: (from: number, to: number) => void): Promise<void> =>
    inTurns(count, signal, work);
  const result = await runJob(step.who, signal, (native) => call(native, arrayOf, turns));
  watch.restart();
  after?.(arrayOf, result);
}
