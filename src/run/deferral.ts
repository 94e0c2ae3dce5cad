// Calls that run beside the event loop. While a deferral is open, operations check, record and allocate as ever, but
// note their native calls (step.ts) instead of making them. Then the calls are made one after another: as jobs, or,
// where they are small, here. What they write is seen by nobody until all of them have been made, and what was to
// change with them, such as running statistics, changes then, all or none.
import type { FloatData } from '../memory/dtype.js';
import { Deferral, type Transfer } from './deferred-calls.js';
import { makeNow } from './make.js';
import type { After, ArrayOf, Call, Operand, Step } from './step.js';

export type { Deferral, Transfer } from './deferred-calls.js';
export type { Arrival } from './step.js';

let current: Deferral | null = null;

/** @internal The deferral that is open; null where calls are made at once. */
export function deferring(): Deferral | null {
  return current;
}

/** @internal Runs `body` with calls made at once. */
export function undeferred<Result>(body: () => Result): Result {
  return within(null, body);
}

function within<Result>(deferral: Deferral | null, body: () => Result): Result {
  const outer = current;
  current = deferral;
  try {
    return body();
  } finally {
    current = outer;
  }
}

/** @internal The work of an element that is handled in JavaScript: as long as so many take through memory. */
export const JAVASCRIPT_WORK = 4;

/**
 * @internal Makes the call of a step: at once, or with the deferral that is open.
 *
 * @throws {RangeError} where it would write into memory of another operand.
 */
export function perform(step: Step, call: Call, after: After | null = null): void {
  if (current !== null) current.add(step, call, after);
  else makeNow(step, call, after, attachedArray);
}

/** The array of a tensor, for a call that is made at once. */
const attachedArray = ((operand: Operand | null) =>
  operand === null ? null : (operand.attached('evenkeel') as FloatData)) as ArrayOf;

/**
 * @internal Runs `body` with its calls deferred, and makes them beside the event loop.
 *
 * @param transfer - Which operand's memory is taken away from its user, rather than copied.
 * @returns What `body` returns, once every call has been made. Whatever fails has changed nothing.
 */
export async function deferred<Result>(
  signal: AbortSignal | null,
  body: () => Result,
  transfer: Transfer | null = null,
): Promise<Result> {
  const deferral = new Deferral(signal);
  try {
    const result = within(deferral, body);
    deferral.close(transfer);
    await deferral.drive();
    return result;
  } catch (error) {
    deferral.fail(error);
    throw error;
  } finally {
    deferral.end();
  }
}
