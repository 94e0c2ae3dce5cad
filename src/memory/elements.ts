// Copying elements between arrays of different element types and shapes: conversion as PyTorch's, and
// repetition along dimensions (broadcasting), with the sum that is its gradient.
import * as check from '../check/index.js';
import { zeros, type DType, type FloatData, type TensorData } from './dtype.js';

/** Values from -2^(bits - 1) to before 2^(bits - 1). */
const BITS = { int32: 32, int64: 64 } as const;

/**
 * @internal The same values as `to`, as `convert` has them.
 *
 * @returns `data` itself where it is of that type.
 * @throws {RangeError} as `convert` does.
 */
export function converted(who: string, data: TensorData, from: DType, to: DType): TensorData {
  if (from === to) return data;
  const result = zeros(to, data.length);
  convert(who, data, from, result, to, 0, data.length);
  return result;
}

/**
 * @internal Writes elements from `begin` to before `end` as another type: floats rounded to nearest, what becomes an
 * integer cut off towards 0, and int64 wrapped round in int32.
 *
 * @throws {RangeError} for NaN, an infinity or a float that the integer type cannot hold (what PyTorch makes of
 * those depends on the CPU).
 */
export function convert(
  who: string,
  data: TensorData,
  from: DType,
  result: TensorData,
  to: DType,
  begin: number,
  end: number,
): void {
  if (from === 'int64') {
    const wide = data as BigInt64Array;
    const element = to === 'float32' ? nearestFloat : to === 'float64' ? Number : wrapped;
    for (let i = begin; i < end; i++) result[i] = element(wide[i]!);
  } else if (to === 'float32' || to === 'float64') {
    const whole = end - begin === data.length;
    (result as FloatData).set((whole ? data : data.subarray(begin, end)) as FloatData, begin);
  } else if (from === 'int32') {
    for (let i = begin; i < end; i++) result[i] = BigInt(data[i]!);
  } else {
    for (let i = begin; i < end; i++) {
      const whole = Math.trunc(data[i] as number);
      if (!holds(to, whole)) {
        const got = `${check.describe(data[i])} at index ${i}`;
        throw check.wrongValue(who, `values that ${to} can hold`, got);
      }
      result[i] = to === 'int64' ? BigInt(whole) : whole;
    }
  }
}

function wrapped(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

/** @internal Whether a whole number is in the range of an integer type; NaN is not. */
export function holds(dtype: 'int32' | 'int64', whole: number | bigint): boolean {
  const end = 2 ** (BITS[dtype] - 1);
  return whole >= -end && whole < end;
}

/** @internal Rounded once. By way of a double, large ones would be rounded twice: so with a sticky last bit. */
export function nearestFloat(value: bigint): number {
  if (BigInt.asIntN(53, value) === value) return Math.fround(Number(value)); // exact as a double
  const high = value >> 11n;
  const sticky = high << 11n === value ? 0n : 1n;
  return Math.fround(Number(high | sticky) * 2 ** 11);
}

/** @internal Whether `shape` can be repeated to fill `into`: from the last dimension on, equal or 1. */
export function broadcasts(shape: readonly number[], into: readonly number[]): boolean {
  const more = into.length - shape.length;
  return more >= 0 && shape.every((size, i) => size === 1 || size === into[more + i]);
}

/** @internal target = source, repeated; of the same element type. Arrays that overlap need one shape. */
export function repeat(
  target: TensorData,
  into: readonly number[],
  source: TensorData,
  shape: readonly number[],
): void {
  if (check.equalShapes(shape, into)) {
    (target as FloatData).set(source as FloatData);
    return;
  }
  eachPair(into, shape, (to, from) => {
    target[to] = source[from]!;
  });
}

/** @internal The gradient of `repeat`: for each element of `shape` the sum, in double, of those it went to. */
export function sumOfRepeats(
  gradient: FloatData,
  into: readonly number[],
  shape: readonly number[],
): Float64Array {
  const sums = new Float64Array(check.numelOf(shape));
  eachPair(into, shape, (at, to) => {
    sums[to] = sums[to]! + gradient[at]!;
  });
  return sums;
}

/** Every position in `into`, in order, with that in `shape` which is repeated there. */
function eachPair(
  into: readonly number[],
  shape: readonly number[],
  visit: (at: number, from: number) => void,
): void {
  const more = into.length - shape.length;
  const strides = into.map((_, axis) =>
    axis < more || shape[axis - more] === 1 ? 0 : check.numelOf(shape, axis - more + 1),
  );
  let at = 0;
  const walk = (axis: number, from: number): void => {
    if (axis === into.length) {
      visit(at++, from);
      return;
    }
    for (let i = 0; i < into[axis]!; i++) walk(axis + 1, from + i * strides[axis]!);
  };
  walk(0, 0);
}
