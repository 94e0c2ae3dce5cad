// Comparisons and arithmetic of whole numbers, which no kernel has: labels with predicted classes, indices with offsets.
// Comparisons are exact, also of int32 with int64; sums and products wrap around as PyTorch's do.
import { elementOf } from '../../memory/convert.js';
import { isFloating, type DType, type TensorData } from '../../memory/dtype.js';
import { JAVASCRIPT_WORK, perform } from '../../run/deferral.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import { gathered, repeatedStrides } from '../shapes/strided.js';
import * as check from '../../check/index.js';
import { broadcastShape } from './broadcast.js';
import type { CompareName } from './codes.js';

type Whole = number | bigint;

/** Of a number and a bigint too, so by < and >= alone: === never holds between them. NaN equals nothing. */
const HOLDS: Readonly<Record<CompareName, (a: Whole, b: Whole) => boolean>> = {
  eq: (a, b) => a <= b && a >= b,
  ne: (a, b) => !(a <= b && a >= b),
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

/** Whether a tensor is of whole numbers. */
export function isInteger({ dtype }: Tensor): boolean {
  return !isFloating(dtype);
}

/** 1 where the comparison holds, else 0, as int32. A number may be any: 1.5 is above 1. */
export function integerComparison(
  name: CompareName,
  a: Tensor | number,
  b: Tensor | number,
): Tensor {
  const y = Tensor.uninitialized(shapeOfBoth(name, a, b), 'int32');
  const holds = HOLDS[name];
  return combined(name, a, b, y, (first, second) => (holds(first, second) ? 1 : 0));
}

type ArithmeticName = 'add' | 'sub' | 'mul';

const OF_NUMBERS: Readonly<Record<ArithmeticName, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: Math.imul,
};

const OF_BIGINTS: Readonly<Record<ArithmeticName, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
};

/** Whether one operand is a tensor of whole numbers, and the other one such a tensor or a number. */
export function areIntegers(who: string, a: TensorLike | number, b: TensorLike | number): boolean {
  const isFirst = a instanceof Tensor && isInteger(a);
  if (!isFirst && !(b instanceof Tensor && isInteger(b))) return false;
  const other = isFirst ? b : a;
  const name = isFirst ? 'the second operand' : 'the first operand';
  return typeof other === 'number' || isInteger(Tensor.operand(who, name, other));
}

/**
 * The sum, difference or product of whole numbers: int64 where an operand is int64, else int32. What the dtype does not
 * hold wraps around. Numbers have to be whole and of the dtype.
 */
export function integerArithmetic(
  name: ArithmeticName,
  a: TensorLike | number,
  b: TensorLike | number,
): Tensor {
  const [first, second] = operandsOf(name, a, b);
  const operands = [first, second];
  const isWide = operands.some((each) => typeof each !== 'number' && each.dtype === 'int64');
  const dtype = isWide ? 'int64' : 'int32';
  for (const each of operands) {
    if (typeof each === 'number') checkWhole(name, each, dtype);
  }
  const y = Tensor.uninitialized(shapeOfBoth(name, first, second), dtype);
  const [ofNumbers, ofBigInts] = [OF_NUMBERS[name], OF_BIGINTS[name]];
  // An array of int32 and of int64 takes of a result what fits: it wraps around.
  return isWide
    ? combined(name, first, second, y, (p, q) => ofBigInts(BigInt(p), BigInt(q)))
    : combined(name, first, second, y, (p, q) => ofNumbers(p as number, q as number));
}

export function operandsOf(
  who: string,
  a: TensorLike | number,
  b: TensorLike | number,
): [Tensor | number, Tensor | number] {
  return [
    typeof a === 'number' ? a : Tensor.operand(who, 'the first operand', a),
    typeof b === 'number' ? b : Tensor.operand(who, 'the second operand', b),
  ];
}

/** A number beside whole numbers has to be one that their dtype holds. */
export function checkWhole(who: string, value: number, dtype: DType): void {
  if (Number.isFinite(value) && !Number.isInteger(value)) throw notWhole(who, value, dtype);
  elementOf(who, value, dtype, '');
}

/** A fraction for integers: what the tensor would have to be instead. */
function notWhole(who: string, value: number, dtype: string): RangeError {
  return check.wrongValue(
    who,
    `whole numbers for ${dtype}`,
    `${value} (${check.converting('float32')}; arange(n, { dtype: 'float32' }) makes floats)`,
  );
}

/** What both operands broadcast to, once both are known to have their memory. */
function shapeOfBoth(who: string, a: Tensor | number, b: Tensor | number): readonly number[] {
  if (typeof a !== 'number') a.present(who, 'the first operand');
  if (typeof b !== 'number') b.present(who, 'the second operand');
  const [first, second] = [a, b].map((each) => (typeof each === 'number' ? [] : each.shape));
  return broadcastShape(who, first!, second!);
}

/** Writes `combine` of each two elements into `y`, whose shape both broadcast to. */
function combined(
  who: string,
  a: Tensor | number,
  b: Tensor | number,
  y: Tensor,
  combine: (a: Whole, b: Whole) => Whole,
): Tensor {
  if (y.numel === 0) return y;
  const left = repeated(a, y.shape);
  const right = repeated(b, y.shape);
  const tensorOf = (value: Tensor | number): Tensor | null =>
    typeof value === 'number' ? null : value;
  perform(
    {
      who,
      work: JAVASCRIPT_WORK * y.numel,
      reads: { 'the first operand': tensorOf(left), 'the second operand': tensorOf(right) },
      writes: [y],
    },
    (_native, arrayOf, turns) => {
      const numbers = (value: Tensor | number): ((i: number) => Whole) => {
        if (typeof value === 'number') return () => value;
        const data = arrayOf(value) as TensorData;
        return (i) => data[i]!;
      };
      const [first, second] = [numbers(left), numbers(right)];
      const to = arrayOf(y) as TensorData as unknown as Whole[];
      return turns(y.numel, (from, end) => {
        for (let i = from; i < end; i++) to[i] = combine(first(i), second(i));
      });
    },
  );
  if (left !== a) tensorOf(left)?.dispose();
  if (right !== b) tensorOf(right)?.dispose();
  return y;
}

/** A tensor in the shape that it broadcasts to. */
function repeated(value: Tensor | number, shape: readonly number[]): Tensor | number {
  if (typeof value === 'number' || check.equalShapes(value.shape, shape)) return value;
  return gathered(value, shape, 0, repeatedStrides(value.shape, shape));
}
