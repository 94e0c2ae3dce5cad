// Whether some elements are not 0, or all: of masks mostly.
import * as check from '../../check/index.js';
import type { TensorData } from '../../memory/dtype.js';
import { JAVASCRIPT_WORK, perform } from '../../run/deferral.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import { dimsOf, optionsOf, type AfterDim, type DimList } from '../dims.js';
import { inputOf } from '../shapes/arguments.js';
import { reducedShape, withLast } from './reduce.js';
import type { DimOptions } from './reductions.js';

/** Each result is `found` where an element is 0 (`zero`) or is not, else the opposite. */
function truths(
  who: string,
  x: TensorLike,
  options: DimOptions,
  zero: boolean,
  found: 0 | 1,
): Tensor {
  check.options(who, options, ['dim', 'keepdim']);
  const input = inputOf(who, x);
  const { shape } = input;
  const dims = dimsOf(who, options.dim, shape.length);
  const keepdim = check.booleanOption(who, 'keepdim', options.keepdim);
  const y = Tensor.uninitialized(reducedShape(shape, dims, keepdim), 'int32');
  if (y.numel === 0) return y;
  const size = dims.reduce((product, dim) => product * shape[dim]!, 1);
  const from = withLast(input, dims);
  perform(
    { who, work: JAVASCRIPT_WORK * from.numel, reads: { 'the input': from }, writes: [y] },
    (_native, arrayOf, turns) => {
      const data = arrayOf(from) as TensorData;
      const flags = arrayOf(y) as TensorData as Int32Array;
      const none = input.dtype === 'int64' ? 0n : 0;
      flags.fill(1 - found);
      return turns(from.numel, (begin, end) => {
        for (let i = begin; i < end;) {
          const row = Math.floor(i / size);
          const stop = Math.min(end, (row + 1) * size);
          while (i < stop && (data[i] === none) !== zero) i++;
          if (i < stop) flags[row] = found;
          i = stop;
        }
      });
    },
  );
  if (from !== input) from.dispose();
  return y;
}

/**
 * 1 where an element is not 0, of all or along dimensions, else 0, as int32. NaN is not 0. Of none it is 0.
 *
 * @param options - Or a dimension or several, as in PyTorch.
 * @example
 * ```ts
 * functional.any(tensor([0, 2])).item(); // => 1
 * tensor([[0, 0], [0, 3]]).gt(1).any(1).toArray(); // => [0, 1]
 * ```
 */
export function any(
  x: TensorLike,
  options: DimOptions | DimList = {},
  ...rest: AfterDim<DimOptions>
): Tensor {
  return truths('any', x, optionsOf('any', options, rest, 'keepdim'), false, 1);
}

/**
 * 1 where no element is 0, of all or along dimensions, else 0, as int32. NaN is not 0. Of none it is 1.
 *
 * @param options - Or a dimension or several, as in PyTorch.
 * @example
 * ```ts
 * functional.all(tensor([[1, 2], [0, 3]]), { dim: 1 }).toArray(); // => [1, 0]
 * ```
 */
export function all(
  x: TensorLike,
  options: DimOptions | DimList = {},
  ...rest: AfterDim<DimOptions>
): Tensor {
  return truths('all', x, optionsOf('all', options, rest, 'keepdim'), true, 0);
}
