// Arguments of a call: its options object, its number, an AbortSignal.
import { isMap, isPromise, isSet } from 'node:util/types';

import { markedKind } from './copies.js';
import { describe, wrongKind } from './sentences.js';

const NO_HINTS: OptionHints = {};

/** What to say to somebody who comes from elsewhere. */
export interface OptionHints {
  /** What to call instead where a tensor is given. */
  readonly ofTensor?: string | undefined;
  /** What other libraries call an option, in camelCase, and what to do here. */
  readonly elsewhere?: Readonly<Record<string, string>> | undefined;
}

/**
 * An options object with no name but the known ones; a near miss, and one written_like_this, gets the name it was meant
 * for.
 */
export function options(
  who: string,
  value: unknown,
  known: readonly string[],
  { ofTensor, elsewhere }: OptionHints = NO_HINTS,
): void {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongKind(who, `an options object { ${known.join(', ')} }`, value);
  }
  // Most have the language's own prototype; what is no options object has another, and its keys say nothing to anybody.
  if (Object.getPrototypeOf(value) !== Object.prototype) refuseObject(who, value, known, ofTensor);
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const hint = hintOf(name, elsewhere) ?? (near === null ? null : `did you mean '${near}'?`);
    throw new TypeError(
      `${who}: expected options among ${known.join(', ')}, got '${name}'` +
        `${hint === null ? '' : ` (${hint})`}.`,
    );
  }
}

/** What is said of a name that other libraries have, however it is written. */
function hintOf(name: string, elsewhere: OptionHints['elsewhere'] = {}): string | null {
  const found = Object.entries(elsewhere).find(([each]) => plain(each) === plain(name));
  return found?.[1] ?? null;
}

/** Refuses what is an object, but none of options: by what it is. */
function refuseObject(
  who: string,
  value: object,
  known: readonly string[],
  ofTensor?: string,
): void {
  const what = `options among ${known.join(', ')}`;
  const kind = markedKind(value);
  if (kind === null) {
    if (isMap(value) || isSet(value) || isPromise(value) || ArrayBuffer.isView(value)) {
      throw wrongKind(who, what, value);
    }
    return;
  }
  const name = (value as { constructor?: { name?: string } }).constructor?.name ?? kind;
  const hint = kind === 'Tensor' && ofTensor !== undefined ? ofTensor : name;
  throw new TypeError(
    `${who}: expected ${what}, got a ${kind}${hint === kind ? '' : ` (${hint})`}.`,
  );
}

/** The same, where an option has no default. */
export function requiredOptions(who: string, value: unknown, known: readonly string[]): void {
  if (value === undefined) {
    throw wrongKind(who, `an options object { ${known.join(', ')} }`, value);
  }
  options(who, value, known);
}

/** That a call got no argument beyond those it has: what nobody reads would be ignored without a word. */
export function noMore(who: string, expected: number, rest: readonly unknown[]): void {
  const extra = rest.find((each) => each !== undefined);
  if (extra === undefined) return;
  const names = isPlain(extra) ? Object.keys(extra) : [];
  const what = names.length > 0 ? `an object with ${names.join(', ')}` : describe(extra);
  throw new TypeError(
    `${who}: expected ${expected} argument${expected === 1 ? '' : 's'}, got ${expected + rest.length} (${what}).`,
  );
}

function isPlain(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** The known name within a third of its length in edits, or the same name written_like_this. */
function nearest(name: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const candidate of known) {
    const distance = editDistance(plain(name), plain(candidate));
    if (distance < least && distance <= Math.ceil(candidate.length / 3)) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** An AbortSignal, or null where none is given. */
export function signal(who: string, value: unknown): AbortSignal | null {
  if (value === undefined) return null;
  if (!isSignal(value)) throw wrongKind(who, 'signal to be an AbortSignal', value);
  return value;
}

function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false;
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>;
  return (
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function'
  );
}

/** Throws the signal's reason once it is aborted. Signals of other libraries may lack their own method. */
export function notAborted(signal: AbortSignal | null): void {
  if (signal?.aborted === true) throw abortReason(signal);
}

/** The reason of a signal that is aborted: whatever the user gave. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return (
    reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason
  ) as Error;
}
