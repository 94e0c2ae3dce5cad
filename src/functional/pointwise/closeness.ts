// Whether two tensors are the same, or nearly: a boolean, for tests. Values are read now.
import * as check from '../../check/index.js';
import type { TensorData } from '../../memory/dtype.js';
import type { Tensor, TensorLike } from '../../tensor/tensor.js';
import { inputOf } from '../shapes/arguments.js';
import { gathered, repeatedStrides } from '../shapes/strided.js';
import { broadcastShape } from './broadcast.js';

function pairOf(who: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  return [inputOf(who, a, 'the first operand'), inputOf(who, b, 'the second operand')];
}

/** Whether `holds` for each two elements. */
function every(
  who: string,
  a: Tensor,
  b: Tensor,
  holds: (a: number | bigint, b: number | bigint) => boolean,
): boolean {
  const [left, right]: TensorData[] = [a.attached(who), b.attached(who)];
  for (let i = 0; i < left!.length; i++) if (!holds(left![i]!, right![i]!)) return false;
  return true;
}

/**
 * Whether two tensors have the same shape and the same values, of whatever dtype. NaN is equal to nothing.
 *
 * @example
 * ```ts
 * functional.equal(tensor([1, 2]), tensor([1, 2])); // => true
 * tensor([1, 2]).equal(tensor([[1, 2]])); // => false
 * ```
 */
export function equal(a: TensorLike, b: TensorLike, ...rest: undefined[]): boolean {
  if (rest.length > 0) check.noMore('equal', 2, rest);
  const [left, right] = pairOf('equal', a, b);
  if (!check.equalShapes(left.shape, right.shape)) return false;
  // By <= and >=: === never holds between a number and a bigint.
  return every('equal', left, right, (p, q) => p <= q && p >= q);
}

export interface AllcloseOptions {
  /** What may differ, as a part of the second operand. Default 1e-5. */
  rtol?: number | undefined;
  /** What may differ beside that. Default 1e-8. */
  atol?: number | undefined;
  /** Whether NaN is close to NaN. Default false. */
  equalNan?: boolean | undefined;
}

/**
 * Whether |a - b| ≤ atol + rtol |b| for all elements, computed in double; both broadcast. An infinity is close to itself.
 *
 * @param b - The same dtype.
 * @example
 * ```ts
 * functional.allclose(tensor([1, 2]), tensor([1, 2.00001])); // => true
 * tensor([1]).allclose(tensor([1.1]), { atol: 0.2 }); // => true
 * ```
 */
export function allclose(
  a: TensorLike,
  b: TensorLike,
  options: AllcloseOptions = {},
  ...rest: undefined[]
): boolean {
  const who = 'allclose';
  if (rest.length > 0) check.noMore(who, 3, rest);
  check.options(who, options, ['rtol', 'atol', 'equalNan']);
  const rtol = tolerance(who, 'rtol', options.rtol, 1e-5);
  const atol = tolerance(who, 'atol', options.atol, 1e-8);
  const equalNan = check.booleanOption(who, 'equalNan', options.equalNan);
  const [left, right] = pairOf(who, a, b);
  check.sameDtype(who, 'the second operand', right, left.dtype);
  const shape = broadcastShape(who, left.shape, right.shape);
  const operands = [left, right].map((each) =>
    check.equalShapes(each.shape, shape)
      ? each
      : gathered(each, shape, 0, repeatedStrides(each.shape, shape)),
  );
  const close = (p: number | bigint, q: number | bigint): boolean => {
    if (p === q) return true;
    const [first, second] = [Number(p), Number(q)];
    if (first !== first && second !== second) return equalNan;
    // The difference of int64 is taken first: both may round to one number.
    const error = Math.abs(typeof p === 'bigint' ? Number(p - (q as bigint)) : first - second);
    return Number.isFinite(error) && error <= atol + Math.abs(rtol * second);
  };
  const holds = every(who, operands[0]!, operands[1]!, close);
  for (const each of operands) if (each !== left && each !== right) each.dispose();
  return holds;
}

function tolerance(who: string, name: string, value: unknown, standard: number): number {
  return value === undefined ? standard : check.numberBetween(who, name, value, 0, Infinity);
}
