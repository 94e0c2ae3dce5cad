// softmax and its kind along one dimension.
import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { dimOf } from '../dims.js';
import { floatingInput } from '../pointwise/apply.js';
import { moved, movedBack } from './moved.js';

export interface SoftmaxOptions {
  /** The dimension whose values add up to 1; negative ones count from the end. */
  dim: number;
}

function alongDim(who: string, log: boolean, x: TensorLike, options: SoftmaxOptions): Tensor {
  check.options(who, options, ['dim']);
  const input = floatingInput(who, x);
  const dim = dimOf(who, 'dim', (options as SoftmaxOptions | undefined)?.dim, input.shape.length);
  const y = alongRows(input, dim, (rows, size, from, to) => {
    perform(
      { who, work: WORK * from.numel, reads: { 'the input': from }, writes: [to] },
      (native, arrayOf) => native.softmax(arrayOf(from), arrayOf(to), log, rows, size),
    );
  });
  return record(who, y, [input], [y], (dy) => {
    const out = moved(y, dim);
    const dx = alongRows(dy, dim, (rows, size, from, to) => {
      perform(
        {
          who,
          work: (log ? WORK : 2) * from.numel,
          reads: { 'the result': out, 'the gradient': from },
          writes: [to],
        },
        (native, arrayOf) =>
          native.softmaxBackward(arrayOf(out), arrayOf(from), arrayOf(to), log, rows, size),
      );
    });
    if (out !== y) out.dispose();
    return [dx];
  });
}

/** An exponential takes as long as so many elements through memory. */
const WORK = 8;

/** What `work` writes for rows along `dim`, in the order of x. */
function alongRows(
  x: Tensor,
  dim: number,
  work: (rows: number, size: number, from: Tensor, to: Tensor) => void,
): Tensor {
  const size = x.shape[dim] ?? 1;
  const from = moved(x, dim);
  const to = Tensor.like(from);
  if (x.numel > 0) work(x.numel / size, size, from, to);
  if (from !== x) from.dispose();
  const y = movedBack(to, x.shape, dim);
  if (y !== to) to.dispose();
  return y;
}

/**
 * e^x / Σ e^x along a dimension: positive values that add up to 1. Computed from x less its largest value.
 * A row of -∞ alone is NaN, as in PyTorch.
 *
 * @example
 * ```ts
 * functional.softmax(tensor([[0, 0], [5, -Infinity]]), { dim: 1 }).toArray(); // => [[0.5, 0.5], [1, 0]]
 * ```
 */
export function softmax(x: TensorLike, options: SoftmaxOptions, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('softmax', 2, rest);
  return alongDim('softmax', false, x, options);
}

/** log(e^x / Σ e^x) along a dimension, without overflow. */
export function logSoftmax(x: TensorLike, options: SoftmaxOptions, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('logSoftmax', 2, rest);
  return alongDim('logSoftmax', true, x, options);
}
