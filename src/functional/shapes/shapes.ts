// Shapes: the same elements in another order, or side by side. Results are contiguous copies; `squeeze` and `unsqueeze`
// share memory with their input, as `reshape` does.
import * as check from '../../check/index.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { dimOf } from '../dims.js';
import { selected } from './select.js';
import { sumTo } from '../reductions/sum-to.js';
import { copyStrided, gathered, permuted, stridesOf } from './strided.js';

function inputOf(who: string, x: TensorLike, name = 'the input'): Tensor {
  const input = Tensor.from(x);
  input.present(who, name);
  return input;
}

/**
 * The dimensions in another order.
 *
 * @param dims - Each dimension once; negative ones count from the end.
 * @example
 * ```ts
 * functional.permute(tensor([[[1, 2, 3]]]), [2, 0, 1]).shape; // => [3, 1, 1]
 * ```
 */
export function permute(x: TensorLike, dims: readonly number[]): Tensor {
  const who = 'permute';
  const input = inputOf(who, x);
  if (!Array.isArray(dims)) throw check.wrongKind(who, 'dims to be an array of dimensions', dims);
  const rank = input.shape.length;
  const order = dims.map((dim: unknown) => dimOf(who, 'each of dims', dim, rank));
  if (order.length !== rank || new Set(order).size !== rank) {
    throw check.wrongValue(who, `each of ${rank} dimensions once`, `[${dims.join(', ')}]`);
  }
  return permutedBy(who, input, order);
}

function permutedBy(who: string, input: Tensor, order: readonly number[]): Tensor {
  const back = order.map((_, i) => order.indexOf(i));
  return record(who, permuted(input, order), [input], [], (dy) => [permuted(dy, back)]);
}

/** Two dimensions in each other's place; negative ones count from the end. */
export function transpose(x: TensorLike, a: number, b: number): Tensor {
  const who = 'transpose';
  const input = inputOf(who, x);
  const rank = input.shape.length;
  const first = dimOf(who, 'the first dimension', a, rank);
  const second = dimOf(who, 'the second dimension', b, rank);
  const order = input.shape.map((_, i) => (i === first ? second : i === second ? first : i));
  return permutedBy(who, input, order);
}

/** Without the dimensions of size 1, or without one of them: a `dim` of another size stays. Shares memory. */
export function squeeze(x: TensorLike, dim?: number): Tensor {
  const input = inputOf('squeeze', x);
  const which = dim === undefined ? null : dimOf('squeeze', 'dim', dim, input.shape.length);
  const shape = input.shape.filter((size, i) => size !== 1 || (which !== null && i !== which));
  return reshaped('squeeze', input, shape);
}

/** With a dimension of size 1 before `dim`, which may be the rank; negative ones count from the end. Shares memory. */
export function unsqueeze(x: TensorLike, dim: number): Tensor {
  const input = inputOf('unsqueeze', x);
  const at = dimOf('unsqueeze', 'dim', dim, input.shape.length + 1);
  return reshaped('unsqueeze', input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)]);
}

function reshaped(who: string, input: Tensor, shape: readonly number[]): Tensor {
  return record(who, input.alias(shape), [input], [], (dy) => [dy.alias(input.shape)]);
}

/**
 * Repeated to a shape: sizes of 1 become any size, and new dimensions come in front. A size of -1 stays as it is.
 * A copy; the gradient is summed.
 */
export function expand(x: TensorLike, shape: readonly number[]): Tensor {
  const who = 'expand';
  const input = inputOf(who, x);
  if (!Array.isArray(shape)) throw check.wrongKind(who, 'a shape (an array of sizes)', shape);
  const more = shape.length - input.shape.length;
  const sizes = check.shape(
    who,
    shape.map((size: unknown, i) => (size === -1 && i >= more ? input.shape[i - more] : size)),
  );
  const fits = more >= 0 && input.shape.every((size, i) => size === 1 || size === sizes[more + i]);
  if (!fits) {
    throw check.wrongValue(
      who,
      `a shape that ${check.shapeText(input.shape)} can be expanded to (the expanded size of the tensor must match the existing size at non-singleton dimensions)`,
      check.shapeText(sizes),
    );
  }
  const own = stridesOf(input.shape);
  const strides = sizes.map((_, i) =>
    i < more || input.shape[i - more] === 1 ? 0 : own[i - more]!,
  );
  return record(who, gathered(input, sizes, 0, strides), [input], [], (dy) => [
    sumTo(dy, input.shape),
  ]);
}

/** The elements of some dimensions in the opposite order. */
export function flip(x: TensorLike, dims: number | readonly number[]): Tensor {
  const who = 'flip';
  const input = inputOf(who, x);
  const list: readonly unknown[] = Array.isArray(dims) ? dims : [dims];
  const which = list.map((dim) => dimOf(who, 'each of dims', dim, input.shape.length));
  if (new Set(which).size !== which.length) {
    throw check.wrongValue(who, 'each dimension once', `[${list.join(', ')}]`);
  }
  const flipped = (from: Tensor): Tensor => {
    const strides = stridesOf(from.shape);
    let offset = 0;
    for (const dim of which) {
      if (from.shape.length === 0) continue;
      offset += (from.shape[dim]! - 1) * strides[dim]!;
      strides[dim] = -strides[dim]!;
    }
    return gathered(from, from.shape, offset, strides);
  };
  return record(who, flipped(input), [input], [], (dy) => [flipped(dy)]);
}

/**
 * `length` places of a dimension from `start` on.
 *
 * @param start - Negative: from the end.
 * @example
 * ```ts
 * functional.narrow(tensor([1, 2, 3, 4]), 0, 1, 2).toArray(); // => [2, 3]
 * ```
 */
export function narrow(x: TensorLike, dim: number, start: number, length: number): Tensor {
  const who = 'narrow';
  const input = inputOf(who, x);
  if (input.shape.length === 0) {
    throw check.wrongValue(
      who,
      'a tensor of at least 1 dimension (narrow() cannot be applied to a 0-dim tensor)',
      'shape []',
    );
  }
  const at = dimOf(who, 'dim', dim, input.shape.length);
  const size = input.shape[at]!;
  if (typeof start !== 'number') throw check.wrongKind(who, 'start to be a whole number', start);
  if (!Number.isInteger(start) || start < -size || start > size) {
    throw check.wrongValue(who, `start from ${-size} to ${size}`, check.describe(start));
  }
  const from = start < 0 ? start + size : start;
  check.wholeNumber(who, 'length', length, 0);
  if (from + length > size) {
    throw check.wrongValue(
      who,
      `start + length of at most ${size} (start (${from}) + length (${length}) exceeds dimension size (${size}))`,
      String(from + length),
    );
  }
  return part(who, input, at, from, length);
}

function part(who: string, input: Tensor, dim: number, start: number, length: number): Tensor {
  const strides = stridesOf(input.shape);
  const shape = input.shape.map((size, i) => (i === dim ? length : size));
  const offset = start * strides[dim]!;
  return record(who, gathered(input, shape, offset, strides), [input], [], (dy) => [
    placed(dy, input.shape, offset),
  ]);
}

/** Zeros of a shape, with the elements of `from` in a block that begins at an offset. */
function placed(from: Tensor, shape: readonly number[], offset: number, value = 0): Tensor {
  const into = Tensor.filled(shape, from.dtype, value);
  copyStrided(
    from.shape,
    { tensor: from, offset: 0, strides: stridesOf(from.shape) },
    { tensor: into, offset, strides: stridesOf(shape) },
  );
  return into;
}

export interface AlongOptions {
  /** The dimension; negative ones count from the end. Default 0. */
  dim?: number | undefined;
}

function alongOf(who: string, options: AlongOptions, rank: number): number {
  check.options(who, options, ['dim']);
  return dimOf(who, 'dim', options.dim ?? 0, rank);
}

/**
 * Parts of `size` places of a dimension each, the last one of what is left; or parts of the sizes given.
 *
 * @example
 * ```ts
 * functional.split(tensor([1, 2, 3]), 2).map(String); // => ['tensor([1., 2.])', 'tensor([3.])']
 * ```
 */
export function split(
  x: TensorLike,
  size: number | readonly number[],
  options: AlongOptions = {},
): Tensor[] {
  const who = 'split';
  const input = inputOf(who, x);
  if (input.shape.length === 0)
    throw check.wrongValue(who, 'at least a 1-dimensional tensor', 'shape []');
  const dim = alongOf(who, options, input.shape.length);
  return cutBy(who, input, dim, sizesOf(who, size, input.shape[dim]!));
}

function sizesOf(who: string, size: number | readonly number[], all: number): number[] {
  if (Array.isArray(size)) {
    const sizes = size.map((each: unknown) => check.wholeNumber(who, 'every size', each, 0));
    const total = sizes.reduce((a, b) => a + b, 0);
    if (total !== all) {
      throw check.wrongValue(
        who,
        `sizes that add up to ${all} (the size of the dimension)`,
        `[${sizes.join(', ')}]`,
      );
    }
    return sizes;
  }
  const step = check.wholeNumber(who, 'the size', size, 1);
  const count = Math.max(1, Math.ceil(all / step));
  return Array.from({ length: count }, (_, i) => Math.min(step, all - i * step));
}

function cutBy(who: string, input: Tensor, dim: number, sizes: readonly number[]): Tensor[] {
  let start = 0;
  return sizes.map((size) => part(who, input, dim, (start += size) - size, size));
}

/** At most `chunks` parts of a dimension, of one size but for the last. */
export function chunk(x: TensorLike, chunks: number, options: AlongOptions = {}): Tensor[] {
  const who = 'chunk';
  const input = inputOf(who, x);
  if (input.shape.length === 0)
    throw check.wrongValue(who, 'at least a 1-dimensional tensor', 'shape []');
  const dim = alongOf(who, options, input.shape.length);
  check.wholeNumber(who, 'chunks', chunks, 1);
  const all = input.shape[dim]!;
  const step = Math.max(1, Math.ceil(all / chunks));
  return cutBy(who, input, dim, sizesOf(who, step, all));
}

function listOf(who: string, tensors: readonly TensorLike[]): Tensor[] {
  if (!Array.isArray(tensors)) throw check.wrongKind(who, 'an array of tensors', tensors);
  if (tensors.length === 0) throw check.wrongValue(who, 'a non-empty list of tensors', '[]');
  const list = tensors.map((each, i) => inputOf(who, each as TensorLike, `tensor ${i}`));
  for (const [i, each] of list.entries())
    check.dtype(who, `tensor ${i}`, each, list[0]!.dtype, ' like the first');
  return list;
}

/**
 * Tensors one behind the other along a dimension; all other sizes are equal.
 *
 * @example
 * ```ts
 * functional.cat([tensor([[1], [2]]), tensor([[3], [4]])], { dim: 1 }).toArray(); // => [[1, 3], [2, 4]]
 * ```
 */
export function cat(tensors: readonly TensorLike[], options: AlongOptions = {}): Tensor {
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
  return record(who, y, list, [], (dy, needs) =>
    list.map((tensor, i) =>
      needs[i] ? gathered(dy, tensor.shape, starts[i]! * strides[dim]!, strides) : null,
    ),
  );
}

/** Tensors of one shape side by side along a new dimension before `dim`. */
export function stack(tensors: readonly TensorLike[], options: AlongOptions = {}): Tensor {
  const who = 'stack';
  const list = listOf(who, tensors);
  const [first] = list as [Tensor];
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

export interface PadOptions {
  /** What stands in the padding: `value`, the elements mirrored, the outermost repeated, or those of the other end. */
  mode?: 'constant' | 'reflect' | 'replicate' | 'circular' | undefined;
  /** For 'constant'. Default 0. */
  value?: number | undefined;
}

/**
 * With elements before and behind the last dimension: `[left, right]`. For 'constant' also further pairs, for the
 * dimension before it and so on; negative ones cut off.
 *
 * @example
 * ```ts
 * functional.pad(tensor([1, 2]), [1, 2]).toArray(); // => [0, 1, 2, 0, 0]
 * functional.pad(tensor([1, 2, 3]), [2, 1], { mode: 'reflect' }).toArray(); // => [3, 2, 1, 2, 3, 2]
 * ```
 */
export function pad(x: TensorLike, padding: readonly number[], options: PadOptions = {}): Tensor {
  const who = 'pad';
  const input = inputOf(who, x);
  check.options(who, options, ['mode', 'value']);
  const { mode = 'constant', value = 0 } = options;
  check.oneOf(who, 'mode', mode, ['constant', 'reflect', 'replicate', 'circular']);
  if (typeof value !== 'number') throw check.wrongKind(who, 'value to be a number', value);
  if (!Array.isArray(padding)) throw check.wrongKind(who, 'padding to be an array', padding);
  const rank = input.shape.length;
  const pairs = mode === 'constant' ? rank : Math.min(rank, 1);
  if (padding.length % 2 !== 0 || padding.length === 0 || padding.length > 2 * pairs) {
    throw check.wrongValue(
      who,
      `padding of 2 to ${2 * pairs} numbers, two a dimension`,
      `${padding.length}`,
    );
  }
  const least = mode === 'constant' ? -Number.MAX_SAFE_INTEGER : 0;
  const sizes = padding.map((each: unknown) =>
    check.wholeNumber(who, 'each of padding', each, least),
  );
  if (mode !== 'constant') return padded(input, sizes as [number, number], mode);
  const before = input.shape.map((_, d) => sizes[2 * (rank - 1 - d)] ?? 0);
  const shape = input.shape.map(
    (size, d) => size + before[d]! + (sizes[2 * (rank - 1 - d) + 1] ?? 0),
  );
  check.shape(who, shape);
  return withConstant(input, before, shape, value);
}

function withConstant(
  input: Tensor,
  before: readonly number[],
  shape: readonly number[],
  value: number,
): Tensor {
  // The block that stays: where it begins in the input and in the result.
  const starts = before.map((size) => Math.max(0, -size));
  const block = input.shape.map((size, d) =>
    Math.max(0, Math.min(size, shape[d]! - before[d]!) - starts[d]!),
  );
  const move = (from: Tensor, to: Tensor, forward: boolean): Tensor => {
    const [inner, outer] = [stridesOf(input.shape), stridesOf(shape)];
    const offset = (strides: readonly number[], at: (d: number) => number): number =>
      strides.reduce((sum, stride, d) => sum + stride * at(d), 0);
    const inside = offset(inner, (d) => starts[d]!);
    const outside = offset(outer, (d) => starts[d]! + before[d]!);
    copyStrided(
      block,
      { tensor: from, offset: forward ? inside : outside, strides: forward ? inner : outer },
      { tensor: to, offset: forward ? outside : inside, strides: forward ? outer : inner },
    );
    return to;
  };
  const y = move(input, Tensor.filled(shape, input.dtype, value), true);
  return record('pad', y, [input], [], (dy) => [
    move(dy, Tensor.filled(input.shape, dy.dtype, 0), false),
  ]);
}

function padded(
  input: Tensor,
  [left, right]: readonly [number, number],
  mode: 'reflect' | 'replicate' | 'circular',
): Tensor {
  const size = input.shape.at(-1)!;
  const most =
    mode === 'reflect' ? size - 1 : mode === 'circular' ? size : size === 0 ? 0 : Infinity;
  if (left > most || right > most) {
    throw check.wrongValue(
      'pad',
      `padding of at most ${most} for mode '${mode}' (Padding size should be less than the corresponding input dimension)`,
      `[${left}, ${right}] for shape ${check.shapeText(input.shape)}`,
    );
  }
  const source = (i: number): number => {
    if (mode === 'replicate') return Math.min(Math.max(i, 0), size - 1);
    if (mode === 'circular') return (i + size) % size;
    return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
  };
  const index = Int32Array.from({ length: left + size + right }, (_, i) => source(i - left));
  return selected('pad', input, input.shape.length - 1, index);
}
