// Other shapes over the same memory.
import * as check from '../../check/index.js';
import { recordRepeatable, Tensor, type Backward, type TensorLike } from '../../tensor/tensor.js';
import { dimOf } from '../dims.js';
import { inputOf } from './arguments.js';

/** Holds no tensor. */
const back =
  (shape: readonly number[]): Backward =>
  (dy) => [dy.alias(shape)];

/**
 * The same elements in the same order under another shape; shares memory. One size may be -1: what is left for it.
 *
 * @throws {RangeError} where the elements do not fill the shape.
 * @example
 * ```ts
 * functional.reshape(tensor([1, 2, 3, 4, 5, 6]), [2, -1]).shape; // => [2, 3]
 * ```
 */
export function reshape(x: TensorLike, shape: readonly number[], ...rest: undefined[]): Tensor {
  return shaped('reshape', x, shape, rest);
}

/** `reshape`, for the method `view` too. */
export function shaped(
  who: string,
  x: TensorLike,
  shape: readonly number[],
  rest: readonly unknown[],
): Tensor {
  if (!check.isList(shape)) throw check.wrongKind(who, 'a shape (an array of sizes)', shape);
  if (rest.length > 0) check.noMore(who, 2, rest);
  const input = Tensor.operand(who, 'the input', x);
  const sizes = check.shape(who, inferred(who, shape, input.numel));
  if (check.numelOf(sizes) !== input.numel) {
    throw check.wrongValue(
      who,
      `a shape of ${input.numel} elements`,
      `shape ${check.shapeText(Array.from(shape))}`,
    );
  }
  input.present(who, 'the input');
  return recordRepeatable(who, input.alias(sizes), [input], back(input.shape));
}

export interface FlattenFunctionOptions {
  /** The first dimension of those that become one. Default 0. */
  startDim?: number | undefined;
  /** The last of them. Default -1. */
  endDim?: number | undefined;
}

/**
 * Some dimensions, by default all, as one; the same elements in the same order. Shares memory. (`nn.Flatten` begins at
 * dimension 1 by default, as PyTorch's.)
 *
 * @param options - Or the first dimension, and behind it the last one.
 * @throws {RangeError} for dimensions that the tensor does not have, or a last one before the first.
 * @example
 * ```ts
 * functional.flatten(tensor([[1, 2], [3, 4]])).toArray(); // => [1, 2, 3, 4]
 * zeros([2, 3, 4]).flatten(1).shape; // => [2, 12]
 * ```
 */
export function flatten(
  x: TensorLike,
  options: FlattenFunctionOptions | number = {},
  ...rest: [endDim?: number]
): Tensor {
  const who = 'flatten';
  if (typeof options === 'number') {
    if (rest.length > 1) check.noMore(who, 3, rest.slice(1));
    return flattened(who, inputOf(who, x), options, rest[0] === undefined ? -1 : rest[0]);
  }
  if (rest.length > 0) check.noMore(who, 2, rest);
  check.options(who, options, ['startDim', 'endDim']);
  const { startDim = 0, endDim = -1 } = options;
  return flattened(who, inputOf(who, x), startDim, endDim);
}

/** Dimensions as one, for a layer too. */
export function flattened(who: string, x: Tensor, startDim: number, endDim: number): Tensor {
  const { shape } = x;
  const first = dimOf(who, 'startDim', startDim, shape.length);
  const last = dimOf(who, 'endDim', endDim, shape.length);
  if (first > last) {
    throw check.wrongValue(
      who,
      'startDim before endDim (start_dim cannot come after end_dim)',
      `${startDim} and ${endDim} of shape ${check.shapeText(shape)}`,
    );
  }
  const size = check.numelOf(shape, first, last + 1);
  return reshape(x, [...shape.slice(0, first), size, ...shape.slice(last + 1)]);
}

/** A shape whose only -1 is the size that is left by the others, rounded down; any other one as it is. */
function inferred(who: string, shape: readonly number[], numel: number): readonly number[] {
  const sizes = Array.from(shape, Number);
  const at = sizes.indexOf(-1);
  if (at < 0 || sizes.includes(-1, at + 1)) return shape;
  const others = sizes.reduce((product, size, i) => (i === at ? product : product * size), 1);
  if (others === 0) {
    throw check.wrongValue(
      who,
      'no -1 beside a size of 0 (the unspecified dimension size -1 can be any value and is ambiguous)',
      check.shapeText(sizes),
    );
  }
  if (!(others >= 1)) return shape;
  sizes[at] = Math.floor(numel / others);
  return sizes;
}

/** Without the dimensions of size 1, or without one of them: a `dim` of another size stays. Shares memory. */
export function squeeze(x: TensorLike, dim?: number, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('squeeze', 2, rest);
  const input = inputOf('squeeze', x);
  const which = dim === undefined ? null : dimOf('squeeze', 'dim', dim, input.shape.length);
  const shape = input.shape.filter((size, i) => size !== 1 || (which !== null && i !== which));
  return reshaped('squeeze', input, shape);
}

/** With a dimension of size 1 before `dim`, which may be the rank; negative ones count from the end. Shares memory. */
export function unsqueeze(x: TensorLike, dim: number, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('unsqueeze', 2, rest);
  const input = inputOf('unsqueeze', x);
  check.rank('unsqueeze', input.shape.length + 1);
  const at = dimOf('unsqueeze', 'dim', dim, input.shape.length + 1);
  return reshaped('unsqueeze', input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)]);
}

function reshaped(who: string, input: Tensor, shape: readonly number[]): Tensor {
  return recordRepeatable(who, input.alias(shape), [input], back(input.shape));
}
