// The elements where a mask holds, and the places of what is not 0. Their number depends on values, which are read now.
import * as check from '../../check/index.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import { broadcastShape } from '../pointwise/broadcast.js';
import { maskGiven } from '../pointwise/masks.js';
import { inputOf } from './arguments.js';
import { expand } from './expand.js';
import { reshape } from './reshape.js';
import { selected } from './select.js';
import { gathered, repeatedStrides } from './strided.js';

/** So many elements have places that an int32 can name. */
const MOST = 2 ** 31 - 1;

/**
 * The elements of x where the mask is not 0, in their order; both broadcast. The gradient is 0 elsewhere.
 *
 * @param mask - int32 or int64, as comparisons make it.
 * @returns One dimension, as long as the mask holds.
 * @example
 * ```ts
 * const x = tensor([[1, -2], [-3, 4]]);
 * functional.maskedSelect(x, x.gt(0)).toArray(); // => [1, 4]
 * ```
 */
export function maskedSelect(x: TensorLike, mask: TensorLike, ...rest: undefined[]): Tensor {
  const who = 'maskedSelect';
  if (rest.length > 0) check.noMore(who, 2, rest);
  const input = inputOf(who, x);
  const flags = maskGiven(who, mask);
  const shape = broadcastShape(who, input.shape, flags.shape);
  const whole = check.equalShapes(input.shape, shape) ? input : expand(input, shape);
  const same = check.equalShapes(flags.shape, shape);
  const repeated = same ? flags : gathered(flags, shape, 0, repeatedStrides(flags.shape, shape));
  const places = placesOf(who, repeated);
  if (!same) repeated.dispose();
  const index = Tensor.adopting(places, [places.length], 'int32');
  return selected(who, reshape(whole, [whole.numel]), 0, index);
}

/**
 * Where a mask, or any tensor, is not 0: a row for each such element, with its place along every dimension.
 *
 * @returns int64, [K, ndim].
 * @example
 * ```ts
 * functional.nonzero(tensor([[0, 1], [1, 1]])).toArray(); // => [[0, 1], [1, 0], [1, 1]]
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * const rows = functional.nonzero(x.sum(1).gt(3)).flatten();
 * x.indexSelect(0, rows).toArray(); // => [[3, 4], [5, 6]]
 * ```
 */
export function nonzero(x: TensorLike, ...rest: undefined[]): Tensor {
  const who = 'nonzero';
  if (rest.length > 0) check.noMore(who, 1, rest);
  const input = inputOf(who, x);
  const places = placesOf(who, input);
  const rank = input.shape.length;
  const rows = Tensor.uninitialized([places.length, rank], 'int64');
  const data = rows.attached(who) as BigInt64Array;
  for (let row = 0; row < places.length; row++) {
    let left = places[row]!;
    for (let d = rank - 1; d >= 0; d--) {
      const size = input.shape[d]!;
      data[row * rank + d] = BigInt(left % size);
      left = Math.floor(left / size);
    }
  }
  return rows;
}

/** The places, in their order, of elements that are not 0. */
function placesOf(who: string, x: Tensor): Int32Array {
  if (x.numel > MOST)
    throw check.wrongValue(who, `at most ${MOST} elements`, `shape ${check.shapeText(x.shape)}`);
  const data = x.attached(who);
  const none = x.dtype === 'int64' ? 0n : 0;
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i] !== none) count++;
  const places = new Int32Array(count);
  for (let i = 0, at = 0; at < count; i++) if (data[i] !== none) places[at++] = i;
  return places;
}
