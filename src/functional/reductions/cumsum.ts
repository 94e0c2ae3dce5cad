// Sums of all elements up to each one, along a dimension.
import * as check from '../../check/index.js';
import { isFloating, type TensorData } from '../../memory/dtype.js';
import { JAVASCRIPT_WORK, perform } from '../../run/deferral.js';
import { recordRepeatable, Tensor, type Backward, type TensorLike } from '../../tensor/tensor.js';
import { dimOf } from '../dims.js';
import { inputOf } from '../shapes/arguments.js';
import { moved, movedBack } from './moved.js';

/**
 * y[i] = x[0] + … + x[i] along a dimension: added in double in this order, and rounded for each y[i]. The gradient is such
 * a sum from the end.
 *
 * @param x - float32 or float64; of int32 and int64 the sums are int64, exactly.
 * @param dim - Negative ones count from the end.
 * @example
 * ```ts
 * functional.cumsum(tensor([[1, 2, 3], [4, 5, 6]]), 1).toArray(); // => [[1, 3, 6], [4, 9, 15]]
 * tensor([2, 3], { dtype: 'int64' }).cumsum(0).toArray(); // => [2, 5]
 * ```
 */
export function cumsum(x: TensorLike, dim: number, ...rest: undefined[]): Tensor {
  const who = 'cumsum';
  if (rest.length > 0) check.noMore(who, 2, rest);
  const input = inputOf(who, x);
  const at = dimOf(who, 'dim', dim, input.shape.length);
  const y = sums(input, at, false);
  return isFloating(input.dtype) ? recordRepeatable(who, y, [input], back(at)) : y;
}

/** Holds no tensor. */
const back =
  (dim: number): Backward =>
  (dy) => [sums(dy, dim, true)];

function sums(x: Tensor, dim: number, isFromEnd: boolean): Tensor {
  const rows = moved(x, dim);
  const size = rows.shape.at(-1) ?? 1;
  const y = Tensor.uninitialized(rows.shape, isFloating(x.dtype) ? x.dtype : 'int64');
  const isWhole = y.dtype === 'int64';
  const count = y.numel;
  const begin = isFromEnd ? count - 1 : 0;
  const step = isFromEnd ? -1 : 1;
  perform(
    { who: 'cumsum', work: JAVASCRIPT_WORK * count, reads: { 'the input': rows }, writes: [y] },
    (_native, arrayOf, turns) => {
      const [from, to] = [arrayOf(rows) as TensorData, arrayOf(y) as TensorData];
      let sum = 0;
      let whole = 0n;
      return turns(count, (first, end) => {
        for (let i = first; i < end; i++) {
          const place = begin + step * i;
          if (i % size === 0) [sum, whole] = [0, 0n];
          if (isWhole) {
            whole += BigInt(from[place]!);
            to[place] = whole; // what is beyond its range wraps around, as in PyTorch
          } else {
            sum += from[place] as number;
            to[place] = sum;
          }
        }
      });
    },
  );
  if (rows !== x) rows.dispose();
  const result = movedBack(y, x.shape, dim);
  if (result !== y) y.dispose();
  return result;
}
