// Comparisons, and choices by what they find. A mask is an int32 tensor of 1 and 0.
import * as check from '../../check/index.js';
import type { TensorData } from '../../memory/dtype.js';
import { JAVASCRIPT_WORK, perform } from '../../run/deferral.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { sumTo } from '../reductions/sum-to.js';
import { chosen, comparison, floatingInput } from './apply.js';
import type { Operand } from './arithmetic.js';
import { broadcastShape } from './broadcast.js';
import type { CompareName } from './codes.js';
import { inputOf } from '../shapes/arguments.js';
import { checkWhole, integerComparison, isInteger, operandsOf } from './integers.js';

function compared(who: CompareName, a: Operand, b: Operand): Tensor {
  const [first, second] = operandsOf(who, a, b);
  const tensors = [first, second].filter((each) => typeof each !== 'number');
  if (tensors.some(isInteger)) {
    refuseFloats(who, tensors);
    return integerComparison(who, first, second);
  }
  const [left, right] = pairOf(who, first, second);
  return comparison(who, left, right, broadcastShape(who, left.shape, right.shape));
}

function refuseFloats(who: string, tensors: readonly Tensor[]): void {
  if (tensors.every(isInteger)) return;
  throw new TypeError(
    `${who}: expected two operands of floats or two of int32 or int64, ` +
      `got ${tensors.map(({ dtype }) => dtype).join(' and ')} (x.to(dtype) converts).`,
  );
}

/** Two tensors of one dtype, from tensors or numbers. */
function pairOf(who: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const tensorOf = (value: Operand, other: Operand, name: string): Tensor => {
    if (typeof value !== 'number') return floatingInput(who, value, name);
    if (typeof other === 'number') throw check.wrongKind(who, 'a tensor among the operands', value);
    return Tensor.filled([], floatingInput(who, other).dtype, value);
  };
  const left = tensorOf(a, b, 'the first operand');
  const right = tensorOf(b, a, 'the second operand');
  check.sameDtype(who, 'the second operand', right, left.dtype);
  return [left, right];
}

/**
 * 1 where a = b, else 0, as int32; broadcast like `add`. NaN equals nothing. Comparisons take int32 and int64 too, also
 * one with the other.
 *
 * @example
 * ```ts
 * const logits = tensor([[1, 2], [4, 3], [0, 1]]);
 * const right = functional.eq(functional.argmax(logits, { dim: 1 }), tensor([1, 1, 1], { dtype: 'int64' }));
 * functional.sum(right).item(); // => 2
 * ```
 */
export function eq(a: Operand, b: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('eq', 2, rest);
  return compared('eq', a, b);
}

/** 1 where a ≠ b, else 0. */
export function ne(a: Operand, b: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('ne', 2, rest);
  return compared('ne', a, b);
}

/** 1 where a < b, else 0. */
export function lt(a: Operand, b: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('lt', 2, rest);
  return compared('lt', a, b);
}

/** 1 where a ≤ b, else 0. */
export function le(a: Operand, b: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('le', 2, rest);
  return compared('le', a, b);
}

/** 1 where a > b, else 0. */
export function gt(a: Operand, b: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('gt', 2, rest);
  return compared('gt', a, b);
}

/** 1 where a ≥ b, else 0. */
export function ge(a: Operand, b: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('ge', 2, rest);
  return compared('ge', a, b);
}

/** A mask as it is given. */
export function maskGiven(who: string, mask: TensorLike): Tensor {
  const given = Tensor.operand(who, 'the mask', mask);
  if (given.dtype !== 'int32' && given.dtype !== 'int64') {
    throw new TypeError(
      `${who}: expected a mask of int32 or int64 (a comparison's), got ${given.dtype}.`,
    );
  }
  given.present(who, 'the mask');
  return given;
}

/** A mask as an int32 tensor of our own reading. */
function maskOf(who: string, mask: TensorLike): Tensor {
  const given = maskGiven(who, mask);
  return given.dtype === 'int32' ? given : narrowed(who, given);
}

/** 1 where a mask of int64 is not 0, as int32. */
function narrowed(who: string, mask: Tensor): Tensor {
  const flags = Tensor.uninitialized(mask.shape, 'int32');
  perform(
    { who, work: JAVASCRIPT_WORK * flags.numel, reads: { 'the mask': mask }, writes: [flags] },
    (_native, arrayOf, turns) => {
      const from = arrayOf(mask) as TensorData as BigInt64Array;
      const to = arrayOf(flags);
      return turns(flags.numel, (begin, end) => {
        for (let i = begin; i < end; i++) to[i] = from[i] === 0n ? 0 : 1;
      });
    },
  );
  return flags;
}

/** Two tensors of one dtype, of floats or of whole numbers; a number beside whole ones has to be one. */
function choicesOf(who: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const [first, second] = operandsOf(who, a, b);
  const tensors = [first, second].filter((each) => typeof each !== 'number');
  if (!tensors.some(isInteger)) return pairOf(who, first, second);
  for (const each of tensors)
    each.present(who, each === first ? 'the first operand' : 'the second operand');
  const { dtype } = tensors[0]!;
  for (const each of tensors.slice(1)) check.sameDtype(who, 'the second operand', each, dtype);
  const tensorOf = (value: Tensor | number): Tensor => {
    if (typeof value !== 'number') return value;
    checkWhole(who, value, dtype);
    return Tensor.filled([], dtype, value);
  };
  return [tensorOf(first), tensorOf(second)];
}

/**
 * a where the mask is not 0, else b; all three broadcast. a and b are floats of one dtype, or both int32 or int64.
 *
 * @param mask - int32 or int64, as comparisons make it.
 * @example
 * ```ts
 * const x = tensor([-1, 2]);
 * functional.where(functional.gt(x, 0), x, 0).toArray(); // => [0, 2]
 * ```
 */
export function where(mask: TensorLike, a: Operand, b: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('where', 3, rest);
  const who = 'where';
  const flags = maskOf(who, mask);
  const [left, right] = choicesOf(who, a, b);
  const shape = broadcastShape(who, broadcastShape(who, left.shape, right.shape), flags.shape);
  const y = chosen(flags, left, right, shape);
  return record(who, y, [left, right], [flags], (dy, needs) => {
    const zero = Tensor.filled([], dy.dtype, 0);
    return [
      needs[0] ? sumTo(chosen(flags, dy, zero, shape), left.shape) : null,
      needs[1] ? sumTo(chosen(flags, zero, dy, shape), right.shape) : null,
    ];
  });
}

/**
 * `value` where the mask is not 0, else x, which may be int32 or int64: its value has to be whole then.
 *
 * @param mask - int32 or int64; broadcasts to the shape of x.
 * @param value - A number, or a tensor of shape [].
 */
export function maskedFill(
  x: TensorLike,
  mask: TensorLike,
  value: Operand,
  ...rest: undefined[]
): Tensor {
  if (rest.length > 0) check.noMore('maskedFill', 3, rest);
  const who = 'maskedFill';
  const input = inputOf(who, x);
  const flags = maskOf(who, mask);
  const filling = typeof value === 'number' ? value : Tensor.operand(who, 'the value', value);
  if (typeof filling !== 'number') {
    if (filling.shape.length !== 0) {
      throw check.wrongValue(
        who,
        'a number or a tensor of shape [] (0-dimensional value)',
        `shape ${check.shapeText(filling.shape)}`,
      );
    }
    check.sameDtype(who, 'the value', filling, input.dtype);
  }
  if (!check.equalShapes(broadcastShape(who, input.shape, flags.shape), input.shape)) {
    throw check.wrongValue(
      who,
      `a mask that broadcasts to shape ${check.shapeText(input.shape)}`,
      `shape ${check.shapeText(flags.shape)}`,
    );
  }
  if (isInteger(input) && typeof filling === 'number') checkWhole(who, filling, input.dtype);
  return where(flags, filling, input);
}
