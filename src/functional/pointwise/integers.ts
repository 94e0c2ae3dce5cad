// Comparisons of whole numbers, which no kernel has: labels with predicted classes. Exact, also of int32 with int64.
import { isFloating, type TensorData } from '../../memory/dtype.js';
import { perform } from '../../run/deferral.js';
import { Tensor } from '../../tensor/tensor.js';
import { gathered, repeatedStrides } from '../shapes/strided.js';
import * as check from '../../check/index.js';
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

/** Comparing two integers in JavaScript takes as long as so many elements through memory. */
const WORK = 4;

/** Whether a tensor is of whole numbers. */
export function isInteger({ dtype }: Tensor): boolean {
  return !isFloating(dtype);
}

/** 1 where the comparison holds, else 0, as int32. A number may be any: 1.5 is above 1. */
export function integerComparison(
  name: CompareName,
  a: Tensor | number,
  b: Tensor | number,
  shape: readonly number[],
): Tensor {
  const y = Tensor.uninitialized(shape, 'int32');
  if (y.numel === 0) return y;
  const holds = HOLDS[name];
  const left = repeated(a, shape);
  const right = repeated(b, shape);
  const tensorOf = (value: Tensor | number): Tensor | null =>
    typeof value === 'number' ? null : value;
  perform(
    {
      who: name,
      work: WORK * y.numel,
      reads: { 'the first operand': tensorOf(left), 'the second operand': tensorOf(right) },
      writes: [y],
    },
    (_native, arrayOf, turns) => {
      const numbers = (value: Tensor | number): ((i: number) => Whole) => {
        if (typeof value === 'number') return () => value;
        const data = arrayOf(value) as TensorData;
        return (i) => data[i]!;
      };
      const [first, second, to] = [numbers(left), numbers(right), arrayOf(y)];
      return turns(y.numel, (from, end) => {
        for (let i = from; i < end; i++) to[i] = holds(first(i), second(i)) ? 1 : 0;
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
