// Tensors side by side in one.
import * as check from '../../check/index.js';
import { recordRepeatable, Tensor, type Backward, type TensorLike } from '../../tensor/tensor.js';
import { alongOf, listOf, type AlongOptions } from './arguments.js';
import { unsqueeze } from './reshape.js';
import { copyStrided, gathered, stridesOf } from './strided.js';

/**
 * Tensors one behind the other along a dimension; all other sizes are equal. A tensor of shape [0] fits anywhere, as in
 * PyTorch: a list may begin with `tensor([])`.
 *
 * @example
 * ```ts
 * functional.cat([tensor([[1], [2]]), tensor([[3], [4]])], { dim: 1 }).toArray(); // => [[1, 3], [2, 4]]
 * ```
 */
export function cat(tensors: readonly TensorLike[], options: AlongOptions | number = {}): Tensor {
  const who = 'cat';
  const list = listOf(who, tensors);
  if (list.some(({ shape }) => shape.length === 0))
    throw check.wrongValue(
      who,
      'tensors of at least 1 dimension (zero-dimensional tensor cannot be concatenated)',
      'shape []',
    );
  const first = list.find(({ shape }) => !isEmptyList(shape)) ?? list[0]!;
  const rank = first.shape.length;
  // Where all are such, PyTorch looks at no dimension.
  const isNothing = isEmptyList(first.shape);
  const named = alongOf(who, options, isNothing ? check.MOST_DIMENSIONS : rank);
  const dim = isNothing ? 0 : named;
  for (const [i, { shape }] of list.entries()) {
    if (isEmptyList(shape)) continue;
    if (shape.length !== rank || shape.some((size, d) => d !== dim && size !== first.shape[d])) {
      throw check.wrongValue(
        who,
        `tensor ${i} of shape ${check.shapeText(first.shape)} but for dimension ${dim} (Sizes of tensors must match)`,
        `shape ${check.shapeText(shape)}`,
      );
    }
  }
  return joined(who, list, dim, first.shape);
}

/** What `tensor([])` has, which has no elements in any shape. */
const isEmptyList = (shape: readonly number[]): boolean => shape.length === 1 && shape[0] === 0;

/** @param like - Their shape but for the dimension. */
function joined(
  who: string,
  list: readonly Tensor[],
  dim: number,
  like: readonly number[],
): Tensor {
  const [first] = list as [Tensor];
  const along = (shape: readonly number[]): number => (isEmptyList(shape) ? 0 : shape[dim]!);
  const total = list.reduce((sum, { shape }) => sum + along(shape), 0);
  const y = Tensor.uninitialized(
    like.map((size, d) => (d === dim ? total : size)),
    first.dtype,
  );
  const strides = stridesOf(y.shape);
  const starts: number[] = [];
  let start = 0;
  for (const tensor of list) {
    starts.push(start);
    copyStrided(
      tensor.shape,
      { tensor, offset: 0, strides: stridesOf(tensor.shape) },
      { tensor: y, offset: start * strides[dim]!, strides },
    );
    start += along(tensor.shape);
  }
  const parts = list.map(({ shape }, i) => ({ shape, offset: starts[i]! * strides[dim]! }));
  return recordRepeatable(who, y, list, cutting(parts, strides));
}

/** Holds no tensor. */
const cutting =
  (
    parts: readonly { readonly shape: readonly number[]; readonly offset: number }[],
    strides: readonly number[],
  ): Backward =>
  (dy, needs) =>
    parts.map(({ shape, offset }, i) => (needs[i] ? gathered(dy, shape, offset, strides) : null));

/** Tensors of one shape side by side along a new dimension before `dim`. */
export function stack(tensors: readonly TensorLike[], options: AlongOptions | number = {}): Tensor {
  const who = 'stack';
  const list = listOf(who, tensors);
  const [first] = list as [Tensor];
  check.rank(who, first.shape.length + 1);
  const dim = alongOf(who, options, first.shape.length + 1);
  for (const [i, { shape }] of list.entries()) {
    if (!check.equalShapes(shape, first.shape)) {
      throw check.wrongValue(
        who,
        `tensor ${i} of shape ${check.shapeText(first.shape)} (stack expects each tensor to be equal size)`,
        `shape ${check.shapeText(shape)}`,
      );
    }
  }
  const parts = list.map((each) => unsqueeze(each, dim));
  return joined(who, parts, dim, parts[0]!.shape);
}
