// Numbers, booleans and names: kinds and ranges.
import { describe, wrongKind, wrongValue } from './sentences.js';

export function boolean(who: string, name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrongKind(who, `${name} to be a boolean`, value);
  return value;
}

/** A boolean option that is false unless it is given. */
export function booleanOption(who: string, name: string, value: unknown): boolean {
  return value === undefined ? false : boolean(who, name, value);
}

export function iterable(who: string, name: string, value: unknown): Iterable<unknown> {
  if (typeof value !== 'object' || value === null || !(Symbol.iterator in value)) {
    throw wrongKind(who, `${name} to be iterable`, value);
  }
  return value as Iterable<unknown>;
}

/** A whole number from `least` to `most`, 2^53 - 1 unless given. */
export function wholeNumber(
  who: string,
  name: string,
  value: unknown,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const range =
    most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of at least ${least}`;
  // Of one that is positive, and too large, the limit is what there is to say.
  const isTooLarge = typeof value === 'number' && most < Number.MAX_SAFE_INTEGER && value > most;
  const what =
    least === 1 && !isTooLarge
      ? `${name} to be a positive integer`
      : `${name} to be a whole number ${range}`;
  if (typeof value !== 'number') throw wrongKind(who, what, value);
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw wrongValue(who, what, describe(value));
  }
  return value;
}

/** A finite number from `least` to `most`, both allowed. */
export function numberBetween(
  who: string,
  name: string,
  value: unknown,
  least: number,
  most: number,
): number {
  const what =
    most === Infinity
      ? `${name} to be a finite number of at least ${least}`
      : `${name} to be a number from ${least} to ${most}`;
  if (typeof value !== 'number') throw wrongKind(who, what, value);
  if (!Number.isFinite(value) || value < least || value > most) {
    throw wrongValue(who, what, describe(value));
  }
  return value;
}

export function oneOf<Name extends string>(
  who: string,
  name: string,
  value: unknown,
  names: readonly Name[],
): Name {
  const what = `${name} to be ${names.map((each) => `'${each}'`).join(' or ')}`;
  if (typeof value !== 'string') throw wrongKind(who, what, value);
  if (!(names as readonly string[]).includes(value)) throw wrongValue(who, what, describe(value));
  return value as Name;
}
