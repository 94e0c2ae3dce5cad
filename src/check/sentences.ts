// The sentences of errors: `<Who>: expected <what>, got <actual>.`
import { arrayKind, arrayLength } from './arrays.js';
import { foreignError } from './copies.js';

/** How a value reads in an error message: its kind and size, never its contents. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined) {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return value.name ? `function ${value.name}` : 'a function';
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (ArrayBuffer.isView(value)) {
    const kind = arrayKind(value);
    const name = (value as { constructor?: { name?: string } }).constructor?.name ?? kind;
    return kind === undefined ? (name ?? 'a view') : `${name} of length ${arrayLength(value)}`;
  }
  const name = (value as { constructor?: { name?: string } }).constructor?.name;
  return name === undefined || name === 'Object' ? 'an object' : `an instance of ${name}`;
}

/** A value of another copy of this package looks right, so the sentence for it says what is wrong. */
export function wrongKind(who: string, what: string, got: unknown, hint?: string): TypeError {
  const foreign = foreignError(who, what, got);
  const way = hint === undefined ? '' : ` (${hint})`;
  return foreign ?? new TypeError(`${who}: expected ${what}, got ${describe(got)}${way}.`);
}

export function wrongValue(who: string, what: string, got: string): RangeError {
  return new RangeError(`${who}: expected ${what}, got ${got}.`);
}
