// Reading a scheduler's state: each name must be there, with a value of the kind that is kept now.
import { isMap } from 'node:util/types';

import * as check from '../../check/index.js';

type KeptValue = number | boolean | string | null | number[] | Record<string, number> | object[];
export type Kept = Record<string, KeptValue>;

/** What PyTorch writes beside: how it computes, and options it no longer has. */
const NO_MATTER = ['verbose', '_get_lr_called_within_step', '_is_initial'];

/** The entries of an object or a Map, by name. */
export function entriesOf(who: string, what: string, value: unknown): Map<string, unknown> {
  if (isMap(value)) return new Map([...value].map(([key, each]) => [String(key), each]));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw check.wrongKind(who, what, value);
  }
  return new Map(Object.entries(value));
}

/** A new state with the values of `state`; the names and kinds are those of `now`. */
export function readState(
  who: string,
  state: unknown,
  now: Kept,
  ignored: readonly string[],
): Kept {
  const entries = entriesOf(who, "a scheduler's state", state);
  const known = Object.keys(now);
  for (const [name, value] of entries) {
    if (value === undefined || known.includes(name)) continue;
    if (NO_MATTER.includes(name) || ignored.includes(name)) continue;
    throw check.wrongValue(who, `a state with ${known.join(', ')}`, `'${name}' too`);
  }
  return Object.fromEntries(
    known.map((name) => {
      const value = entries.get(name);
      if (value === undefined) throw new TypeError(`${who}: expected ${name}, got none.`);
      return [name, like(who, name, value, now[name]!)];
    }),
  );
}

function like(who: string, name: string, value: unknown, now: KeptValue): KeptValue {
  if (Array.isArray(now)) return list(who, name, value, now);
  if (typeof now === 'object' && now !== null) {
    const counts = [...entriesOf(who, `${name} to be an object`, value)];
    return Object.fromEntries(counts.map(([key, each]) => [key, number(who, name, each)]));
  }
  if (now === null || typeof now === 'number') {
    return value === null ? null : number(who, name, value);
  }
  if (typeof value !== typeof now)
    throw check.wrongKind(who, `${name} to be a ${typeof now}`, value);
  return value as KeptValue;
}

function list(who: string, name: string, value: unknown, now: readonly unknown[]): KeptValue {
  if (!Array.isArray(value)) throw check.wrongKind(who, `${name} to be an array`, value);
  if (value.length !== now.length) {
    throw check.wrongValue(who, `${now.length} values in ${name}`, String(value.length));
  }
  if (typeof now[0] !== 'object') return value.map((each) => number(who, name, each));
  return value.map((each, i) => readState(who, each, now[i] as Kept, []));
}

/** A number; infinities are those of a best value that is none yet. */
function number(who: string, name: string, value: unknown): number {
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw check.wrongKind(who, `${name} to be a number`, value);
  }
  return value;
}
