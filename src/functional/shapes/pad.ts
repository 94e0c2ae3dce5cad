import * as check from '../../check/index.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { inputOf } from './arguments.js';
import { selected } from './select.js';
import { copyStrided, filled, stridesOf } from './strided.js';

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
  const y = move(input, filled(shape, input.dtype, value), true);
  return record('pad', y, [input], [], (dy) => [move(dy, filled(input.shape, dy.dtype, 0), false)]);
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
  const places = Tensor.adopting(index, [index.length], 'int32');
  return selected('pad', input, input.shape.length - 1, places);
}
