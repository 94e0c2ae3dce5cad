// The same elements in another order.
import * as check from '../../check/index.js';
import {
  recordRepeatable,
  type Backward,
  type Tensor,
  type TensorLike,
} from '../../tensor/tensor.js';
import { dimOf } from '../dims.js';
import { inputOf } from './arguments.js';
import { gathered, permuted, stridesOf } from './strided.js';

/**
 * The dimensions in another order.
 *
 * @param dims - Each dimension once; negative ones count from the end.
 * @example
 * ```ts
 * functional.permute(tensor([[[1, 2, 3]]]), [2, 0, 1]).shape; // => [3, 1, 1]
 * ```
 */
export function permute(x: TensorLike, dims: readonly number[], ...rest: undefined[]): Tensor {
  const who = 'permute';
  if (!Array.isArray(dims)) throw check.wrongKind(who, 'dims to be an array of dimensions', dims);
  if (rest.length > 0) check.noMore(who, 2, rest);
  const input = inputOf(who, x);
  const rank = input.shape.length;
  const order = dims.map((dim: unknown) => dimOf(who, 'each of dims', dim, rank));
  if (order.length !== rank || new Set(order).size !== rank) {
    throw check.wrongValue(who, `each of ${rank} dimensions once`, `[${dims.join(', ')}]`);
  }
  return permutedBy(who, input, order);
}

function permutedBy(who: string, input: Tensor, order: readonly number[]): Tensor {
  const back = order.map((_, i) => order.indexOf(i));
  return recordRepeatable(who, permuted(input, order), [input], (dy) => [permuted(dy, back)]);
}

/** Two dimensions in each other's place; negative ones count from the end. */
export function transpose(x: TensorLike, a: number, b: number, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('transpose', 3, rest);
  const who = 'transpose';
  const input = inputOf(who, x);
  const rank = input.shape.length;
  const first = dimOf(who, 'the first dimension', a, rank);
  const second = dimOf(who, 'the second dimension', b, rank);
  const order = input.shape.map((_, i) => (i === first ? second : i === second ? first : i));
  return permutedBy(who, input, order);
}

/**
 * A matrix with rows and columns exchanged; fewer dimensions stay as they are. A copy.
 *
 * @throws {RangeError} for more than 2 dimensions.
 * @example
 * ```ts
 * functional.t(tensor([[1, 2, 3]])).toArray(); // => [[1], [2], [3]]
 * ```
 */
export function t(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('t', 1, rest);
  return exchanged('t', inputOf('t', x));
}

/** `t`, for the property `T` too. */
export function exchanged(who: string, input: Tensor): Tensor {
  const rank = input.shape.length;
  if (rank > 2) {
    const what = 'at most 2 dimensions (transpose exchanges two of more)';
    throw check.wrongValue(who, what, `shape ${check.shapeText(input.shape)}`);
  }
  return permutedBy(
    't',
    input,
    input.shape.map((_, dim) => rank - 1 - dim),
  );
}

/** The elements of some dimensions in the opposite order. */
export function flip(
  x: TensorLike,
  dims: number | readonly number[],
  ...rest: undefined[]
): Tensor {
  if (rest.length > 0) check.noMore('flip', 2, rest);
  const who = 'flip';
  const input = inputOf(who, x);
  const list: readonly unknown[] = Array.isArray(dims) ? dims : [dims];
  const which = list.map((dim) => dimOf(who, 'each of dims', dim, input.shape.length));
  if (new Set(which).size !== which.length) {
    throw check.wrongValue(who, 'each dimension once', `[${list.join(', ')}]`);
  }
  return recordRepeatable(who, flipped(input, which), [input], flipping(which));
}

function flipped(from: Tensor, which: readonly number[]): Tensor {
  const strides = stridesOf(from.shape);
  let offset = 0;
  for (const dim of which) {
    if (from.shape.length === 0) continue;
    offset += (from.shape[dim]! - 1) * strides[dim]!;
    strides[dim] = -strides[dim]!;
  }
  return gathered(from, from.shape, offset, strides);
}

/** Holds no tensor. */
const flipping =
  (which: readonly number[]): Backward =>
  (dy) => [flipped(dy, which)];
