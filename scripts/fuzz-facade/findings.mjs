// What became of the calls, and whether an error is one that a refused call may end with.
// @ts-nocheck
import { complaint } from '../../test/helpers/hostile.mjs';
import { drawn } from './hostile.mjs';

/** Which call is being made. */
export const at = { episode: 0, call: 0 };
export const counts = { accepted: 0, refused: 0, asynchronous: 0, jobs: 0 };
export const findings = new Map();
/** How often each operation was accepted. */
export const byOperation = new Map();

export function accept(name) {
  counts.accepted++;
  byOperation.set(name, (byOperation.get(name) ?? 0) + 1);
}

/** @param given - What its arguments had among them (see hostile.mjs). */
export function refuse(name, error, given = drawn, example = { ...at }) {
  counts.refused++;
  // The reason of a signal that it has brought, or has not.
  const isReason = ['AbortError', 'TimeoutError', undefined].includes(error?.name);
  if (isReason ? given.hostile : complaint(error, given.forged) === null) return;
  found(
    `${name}: ${error?.name}: ${String(error?.message ?? error)
      .replace(/\d+/g, '#')
      .slice(0, 150)}`,
    {
      ...example,
      stack: error?.stack,
    },
  );
}

export function found(text, example = { ...at }) {
  const entry = findings.get(text) ?? { count: 0, example };
  entry.count++;
  findings.set(text, entry);
}
