// Lists that select: lengths, masks, classes. Each is copied, and the copy checked: another thread may write into shared
// memory in between.
import { isList } from './arrays.js';
import { describe, wrongKind, wrongValue } from './sentences.js';
import { shapeText } from './shapes.js';

/** Lengths of `n` padded sequences: whole numbers from 0 to `most`; copied. */
export function lengths(who: string, value: unknown, n: number, most: number): Int32Array {
  if (!isList(value)) {
    throw wrongKind(who, 'lengths to be an array of whole numbers or an integer tensor', value);
  }
  if (value.length !== n) throw wrongValue(who, `${n} lengths, one a sample`, String(value.length));
  return wholeNumbers(who, 'lengths', value, most, null);
}

/**
 * Which of n · l positions count, 1 or 0 each: `n` rows of `l` flags, or all of them in one list; copied. `l` is null
 * where a sample has one position: then it is a list of `n`.
 */
export function mask(who: string, value: unknown, n: number, l: number | null): Int32Array {
  const what = 'mask to be an array of booleans (or 1 and 0), rows of such, or an integer tensor';
  if (!isList(value)) throw wrongKind(who, what, value);
  const flags = new Int32Array(n * (l ?? 1));
  const sizes = shapeText(l === null ? [n] : [n, l]);
  const copyRow = (row: ArrayLike<unknown>, start: number, count: number): void => {
    if (row.length !== count) {
      const got = `${count === flags.length ? '' : 'a row of '}${row.length}`;
      throw wrongValue(who, `a mask of shape ${sizes}`, got);
    }
    for (let i = 0; i < count; i++) flags[start + i] = flag(who, row[i], start + i);
  };
  const first = value.length === 0 ? undefined : value[0];
  if (l === null || !isList(first)) {
    copyRow(value, 0, flags.length);
    return flags;
  }
  if (value.length !== n) {
    throw wrongValue(who, `a mask of shape ${sizes}`, `${value.length} rows`);
  }
  for (let row = 0; row < n; row++) {
    const flagsOfRow = row === 0 ? first : value[row];
    if (!isList(flagsOfRow)) throw wrongKind(who, what, flagsOfRow);
    copyRow(flagsOfRow, row * l, l);
  }
  return flags;
}

function flag(who: string, value: unknown, index: number): number {
  if (value === true || value === 1 || value === 1n) return 1;
  if (value === false || value === 0 || value === 0n) return 0;
  throw wrongValue(
    who,
    'a mask of true and false, or 1 and 0',
    `${describe(value)} at index ${index}`,
  );
}

/** Whole numbers from 0 to size - 1; copied. */
export function indices(
  who: string,
  name: string,
  list: ArrayLike<unknown>,
  size: number,
): Int32Array {
  return wholeNumbers(who, name, list, size - 1, null);
}

/** Class indices: whole numbers from 0 to classes - 1, or `ignore`; copied. */
export function classTargets(
  who: string,
  targets: ArrayLike<unknown>,
  rows: number,
  classes: number,
  ignore: number,
): Int32Array {
  if (targets.length !== rows) {
    throw wrongValue(who, `${rows} class targets`, String(targets.length));
  }
  return wholeNumbers(who, 'class targets', targets, classes - 1, ignore);
}

/**
 * Whole numbers from 0 to `most`, or `other`, as numbers or BigInts. Each is read once, and the copy of it
 * checked: another thread may write into shared memory in between.
 */
function wholeNumbers(
  who: string,
  name: string,
  list: ArrayLike<unknown>,
  most: number,
  other: number | null,
): Int32Array {
  const copy = new Int32Array(list.length);
  for (let i = 0; i < copy.length; i++) {
    const each = list[i];
    // Those that lose digits as a number are far outside of the range.
    const number = typeof each === 'bigint' ? Number(each) : each;
    const inRange =
      Number.isInteger(number) && (number as number) >= 0 && (number as number) <= most;
    if (!inRange && (number !== other || other === null)) {
      throw wrongValue(who, `${name} from 0 to ${most}`, `${describe(each)} at index ${i}`);
    }
    copy[i] = number as number;
  }
  return copy;
}
