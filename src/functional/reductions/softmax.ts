// softmax and its kind along one dimension.
import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { around, dimOf, optionsOf } from '../dims.js';
import { floatingInput } from '../pointwise/apply.js';

export interface SoftmaxOptions {
  /** The dimension whose values add up to 1; negative ones count from the end. */
  dim: number;
}

function alongDim(who: string, log: boolean, x: TensorLike, options: SoftmaxOptions): Tensor {
  check.options(who, options, ['dim']);
  const input = floatingInput(who, x);
  const dim = dimOf(who, 'dim', (options as SoftmaxOptions | undefined)?.dim, input.shape.length);
  const [outer, size, inner] = around(input, dim);
  const y = Tensor.like(input);
  if (y.numel > 0) {
    perform(
      { who, work: WORK * y.numel, reads: { 'the input': input }, writes: [y] },
      (native, arrayOf) => native.softmax(arrayOf(input), arrayOf(y), log, outer, size, inner),
    );
  }
  return record(who, y, [input], [y], (dy) => {
    const dx = Tensor.like(dy);
    if (dx.numel === 0) return [dx];
    perform(
      {
        who,
        work: (log ? WORK : 2) * dx.numel,
        reads: { 'the result': y, 'the gradient': dy },
        writes: [dx],
      },
      (native, arrayOf) =>
        native.softmaxBackward(arrayOf(y), arrayOf(dy), arrayOf(dx), log, outer, size, inner),
    );
    return [dx];
  });
}

/** An exponential takes as long as so many elements through memory. */
const WORK = 8;

/**
 * e^x / Σ e^x along a dimension: positive values that add up to 1. Computed from x less its largest value.
 * A row of -∞ alone is NaN, as in PyTorch.
 *
 * @example
 * ```ts
 * functional.softmax(tensor([[0, 0], [5, -Infinity]]), { dim: 1 }).toArray(); // => [[0.5, 0.5], [1, 0]]
 * ```
 */
export function softmax(
  x: TensorLike,
  options: SoftmaxOptions | number,
  ...rest: undefined[]
): Tensor {
  return alongDim('softmax', false, x, optionsOf('softmax', options, rest));
}

/** log(e^x / Σ e^x) along a dimension, without overflow. */
export function logSoftmax(
  x: TensorLike,
  options: SoftmaxOptions | number,
  ...rest: undefined[]
): Tensor {
  return alongDim('logSoftmax', true, x, optionsOf('logSoftmax', options, rest));
}
