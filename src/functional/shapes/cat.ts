// Tensors side by side in one.
import * as check from '../../check/index.js';
import { recordRepeatable, Tensor, type Backward, type TensorLike } from '../../tensor/tensor.js';
import { alongOf, listOf, type AlongOptions } from './arguments.js';
import { unsqueeze } from './reshape.js';
import { copyStrided, gathered, stridesOf } from './strided.js';

/**
 * Tensors one behind the other along a dimension; all other sizes are equal.
 *
 * @example
 * ```ts
 * functional.cat([tensor([[1], [2]]), tensor([[3], [4]])], { dim: 1 }).toArray(); // => [[1, 3], [2, 4]]
 * ```
 */
export function cat(tensors: readonly TensorLike[], options: AlongOptions | number = {}): Tensor {
  const who = 'cat';
  const list = listOf(who, tensors);
  const [first] = list as [Tensor];
  const rank = first.shape.length;
  if (rank === 0)
    throw check.wrongValue(
      who,
      'tensors of at least 1 dimension (zero-dimensional tensor cannot be concatenated)',
      'shape []',
    );
  const dim = alongOf(who, options, rank);
  for (const [i, { shape }] of list.entries()) {
    if (shape.length !== rank || shape.some((size, d) => d !== dim && size !== first.shape[d])) {
      throw check.wrongValue(
        who,
        `tensor ${i} of shape ${check.shapeText(first.shape)} but for dimension ${dim} (Sizes of tensors must match)`,
        `shape ${check.shapeText(shape)}`,
      );
    }
  }
  return joined(who, list, dim);
}

function joined(who: string, list: readonly Tensor[], dim: number): Tensor {
  const [first] = list as [Tensor];
  const total = list.reduce((sum, { shape }) => sum + shape[dim]!, 0);
  const y = Tensor.uninitialized(
    first.shape.map((size, d) => (d === dim ? total : size)),
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
    start += tensor.shape[dim]!;
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
  return joined(
    who,
    list.map((each) => unsqueeze(each, dim)),
    dim,
  );
}
