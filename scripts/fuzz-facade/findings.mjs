// What became of the calls, and whether an error is one that a refused call may end with.
// @ts-nocheck
import { drawn, MARK } from './hostile.mjs';

/**
 * The engine's own words for what nobody can look into, iterate or call, and for options that inherit from an
 * AbortController; the addon's for an empty shape like [2^52, 0, 2^52].
 */
const ENGINE =
  /proxy that has been revoked|shape to be at most 2\^53|%TypedArray%\.prototype\.values on a detached|Class constructors? .*'new'|private member #signal/;
const SENTENCE = /^(Error\(s\) in loading state_dict for |[A-Za-z][\w.$ ]*: )[^]*\.$/;

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
  const message = error instanceof Error ? error.message : String(error);
  if (message === MARK || ENGINE.test(message)) return;
  const known = error instanceof Error && ['TypeError', 'RangeError', 'Error'].includes(error.name);
  if (known && given.forged) return;
  // The reason of a signal that it has brought, or has not.
  const { name: kind } = error ?? {};
  if (given.hostile && ['AbortError', 'TimeoutError', undefined].includes(kind)) return;
  if (known && SENTENCE.test(message) && !message.startsWith('evenkeel addon')) return;
  found(`${name}: ${error?.name}: ${message.replace(/\d+/g, '#').slice(0, 150)}`, {
    ...example,
    stack: error?.stack,
  });
}

export function found(text, example = { ...at }) {
  const entry = findings.get(text) ?? { count: 0, example };
  entry.count++;
  findings.set(text, entry);
}
