// Numbers of one type as those of another: what an array or a list holds, written into a tensor's memory.
// Unlike in copy_ (elements.ts), integers are never truncated or wrapped: a value that does not fit is an error.
import * as check from '../check/index.js';
import { holds, nearestFloat } from './elements.js';
import type { DType, NumberArray, TensorData } from './dtype.js';

const RANGES = { int32: '-2^31 to 2^31 - 1', int64: '-2^63 to 2^63 - 1' } as const;

/** Kinds of arrays whose every value is an int32. */
const WITHIN_INT32 = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
];

/**
 * Writes every element of `from` into `to`, which is of `dtype`, from element `at` on.
 *
 * @throws {RangeError} for a value that an integer type does not have, with its index.
 */
export function convertInto(
  who: string,
  from: NumberArray,
  to: TensorData,
  dtype: DType,
  at: number,
): void {
  check.present(who, from);
  const kind = check.arrayKind(from) ?? '';
  const isBig = kind.startsWith('Big');
  // The engine's own conversion, where it is exact or a rounding.
  if (
    (dtype.startsWith('float') && !isBig) ||
    (dtype === 'int32' && WITHIN_INT32.includes(kind)) ||
    (dtype === 'int64' && kind === 'BigInt64Array')
  ) {
    (to as Float64Array).set(from as Float64Array, at);
    return;
  }
  const numbers = to as { [index: number]: number | bigint };
  const length = check.arrayLength(from);
  for (let i = 0; i < length; i++) {
    numbers[at + i] = elementOf(who, from[i]!, dtype, ` at index ${i}`);
  }
}

/**
 * One value as an element of `dtype`; true is 1 and false 0.
 *
 * @param where - Where it was, for the message.
 * @throws {RangeError} when an integer type does not have it.
 */
export function elementOf(
  who: string,
  value: number | bigint | boolean,
  dtype: DType,
  where: string,
): number | bigint {
  const plain = typeof value === 'boolean' ? Number(value) : value;
  if (dtype === 'float32' && typeof plain === 'bigint') return nearestFloat(plain);
  if (dtype === 'float32' || dtype === 'float64') return Number(plain);
  if (typeof plain === 'number' && !Number.isInteger(plain)) {
    throw check.wrongValue(who, `whole numbers for ${dtype}`, `${plain}${where}`);
  }
  if (!holds(dtype, plain)) {
    const what = `whole numbers from ${RANGES[dtype]} for ${dtype}`;
    throw check.wrongValue(who, what, `${check.describe(plain)}${where}`);
  }
  return dtype === 'int32' ? Number(plain) : BigInt(plain);
}
