import * as check from '../check/index.js';
import { perform } from '../run/deferral.js';
import { takePartOfRange, takeRange } from '../tensor/random.js';
import { record, Tensor, type TensorLike } from '../tensor/tensor.js';
import { batchOf } from './convolution/shape.js';
import { identity } from './identity.js';
import { floatingInput } from './pointwise/apply.js';
import { mul } from './pointwise/arithmetic.js';

export interface DropoutOptions {
  /** Probability of a zero, 0 to 1. Default 0.5. */
  p?: number | undefined;
  /** Default true; when false y = x, over the same memory. */
  training?: boolean | undefined;
}

/**
 * In training, y = 0 with probability p, else x / (1 - p) (inverted dropout, Srivastava et al. 2014).
 * The mask is a function of the seed and the position alone, so backward draws it again instead of
 * keeping it.
 *
 * @param x - Any shape, float32 or float64.
 */
export function dropout(x: TensorLike, options: DropoutOptions = {}): Tensor {
  return dropoutOf(x, options, null);
}

/** @internal How many random numbers each process draws for its part of a batch, given how many this one does. */
export type Draws = (words: number) => { readonly words: readonly number[]; readonly rank: number };

/** @internal */
export function dropoutOf(x: TensorLike, options: DropoutOptions, draws: Draws | null): Tensor {
  check.options('dropout', options, ['p', 'training']);
  const { p = 0.5, training = true } = options;
  check.numberBetween('dropout', 'p', p, 0, 1);
  const input = Tensor.operand('dropout', 'the input', x);
  check.floating('dropout', 'the input', input);
  check.boolean('dropout', 'training', training);
  if (!training || p === 0) return identity('dropout', input);
  input.present('dropout', 'the input');
  const y = Tensor.like(input); // or an error would use up random numbers
  const parts = draws?.(input.numel) ?? null;
  const { key, offset } =
    parts === null ? takeRange(input.numel) : takePartOfRange(parts.words, parts.rank);
  const mask = (from: Tensor, to: Tensor): Tensor => {
    perform(
      {
        who: 'dropout',
        work: to.numel,
        reads: { 'the input': from },
        writes: [to],
      },
      (native, arrayOf) => native.dropout(arrayOf(from), arrayOf(to), to.numel, p, key, offset),
    );
    return to;
  };
  return record('dropout', mask(input, y), [input], [], (dy) => [mask(dy, Tensor.like(dy))]);
}

/**
 * Dropout of whole channels: y = 0 for a channel of a sample with probability p, else x / (1 - p) (Tompson et al. 2015).
 *
 * @param x - [N, C, L], or [C, L]: float32 or float64.
 */
export function dropout1d(x: TensorLike, options: DropoutOptions = {}): Tensor {
  return dropout1dOf(x, options, null);
}

/** @internal */
export function dropout1dOf(x: TensorLike, options: DropoutOptions, draws: Draws | null): Tensor {
  const who = 'dropout1d';
  check.options(who, options, ['p', 'training']);
  const { p = 0.5, training = true } = options;
  check.numberBetween(who, 'p', p, 0, 1);
  check.boolean(who, 'training', training);
  const input = floatingInput(who, x);
  batchOf(who, input);
  if (!training || p === 0) return identity(who, input);
  const channels = Tensor.filled([...input.shape.slice(0, -1), 1], input.dtype, 1);
  return mul(input, dropoutOf(channels, { p }, draws));
}
