// Another length for the last dimension.
import * as check from '../check/index.js';
import { Tensor, type TensorLike } from '../tensor/tensor.js';
import { batchOf } from './convolution/shape.js';
import { add, mul } from './pointwise/arithmetic.js';
import { floatingInput } from './pointwise/apply.js';
import { selected } from './shapes/select.js';

export interface InterpolateOptions {
  /** The new length. This or scaleFactor. */
  size?: number | undefined;
  /** The new length is floor(L · scaleFactor). */
  scaleFactor?: number | undefined;
  /** The nearest value before (default), or between the two beside. */
  mode?: 'nearest' | 'linear' | undefined;
  /** For 'linear': the first and the last value stay where they are. Default false: the edges of values do. */
  alignCorners?: boolean | undefined;
}

/** Places in a channel are 32-bit numbers. */
const MOST_VALUES = 2 ** 31 - 1;

/** Options that are checked: for the function and for the layer. */
export function interpolateOptions(who: string, options: InterpolateOptions = {}): void {
  check.options(who, options, ['size', 'scaleFactor', 'mode', 'alignCorners']);
  const { size, scaleFactor, mode = 'nearest' } = options;
  check.oneOf(who, 'mode', mode, ['nearest', 'linear']);
  check.booleanOption(who, 'alignCorners', options.alignCorners);
  if (options.alignCorners !== undefined && mode === 'nearest') {
    throw check.wrongValue(who, "mode 'linear' with alignCorners", "'nearest'");
  }
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw check.wrongValue(
      who,
      'either size or scaleFactor (only one of size or scale_factor should be defined)',
      size === undefined ? 'neither' : 'both',
    );
  }
  if (size !== undefined) check.wholeNumber(who, 'size', size, 1, MOST_VALUES);
  if (scaleFactor === undefined) return;
  if (typeof scaleFactor !== 'number')
    throw check.wrongKind(who, 'scaleFactor to be a number', scaleFactor);
  if (!(scaleFactor > 0 && scaleFactor < Infinity))
    throw check.wrongValue(who, 'scaleFactor above 0', check.describe(scaleFactor));
}

/**
 * Each channel with another length, by its values or between them. PyTorch's `interpolate` for [N, C, L].
 *
 * @param x - [N, C, L]: float32 or float64.
 * @example
 * ```ts
 * functional.interpolate(tensor([[[1, 3]]]), { size: 4 }).toArray(); // => [[[1, 1, 3, 3]]]
 * functional.interpolate(tensor([[[1, 3]]]), { scaleFactor: 2, mode: 'linear' }).toArray(); // => [[[1, 1.5, 2.5, 3]]]
 * ```
 */
export function interpolate(x: TensorLike, options: InterpolateOptions): Tensor {
  const who = 'interpolate';
  const input = floatingInput(who, x);
  interpolateOptions(who, options);
  const length = batchOf(who, input)[2];
  if (input.shape.length !== 3 || length === 0) {
    throw check.wrongValue(
      who,
      'input of shape [N, C, L] with at least 1 value a channel',
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  const { scaleFactor, mode = 'nearest', alignCorners = false } = options;
  const size = options.size ?? Math.floor(length * scaleFactor!);
  if (size < 1 || size > MOST_VALUES) {
    throw check.wrongValue(who, 'a result of 1 to 2^31 - 1 values a channel', String(size));
  }
  // Positions of x from one value of the result to the next.
  const step = scaleFactor === undefined ? length / size : 1 / scaleFactor;
  if (mode === 'nearest') {
    const nearest = (i: number): number => Math.min(Math.floor(i * step), length - 1);
    return selected(who, input, 2, listOf(Int32Array.from({ length: size }, (_, i) => nearest(i))));
  }
  return between(who, input, size, (i) => {
    if (alignCorners) return size > 1 ? (i * (length - 1)) / (size - 1) : 0;
    return Math.max((i + 0.5) * step - 0.5, 0);
  });
}

/** y[i] between the two values of x beside a place. */
function between(who: string, input: Tensor, size: number, placeOf: (i: number) => number): Tensor {
  const last = input.shape[2]! - 1;
  const before = new Int32Array(size);
  const behind = new Int32Array(size);
  const fraction = Tensor.uninitialized([size], input.dtype);
  const rest = Tensor.uninitialized([size], input.dtype);
  const [fractions, rests] = [fraction.attached(who), rest.attached(who)];
  for (let i = 0; i < size; i++) {
    const place = Math.min(placeOf(i), last);
    before[i] = Math.floor(place);
    behind[i] = Math.min(before[i]! + 1, last);
    fractions[i] = place - before[i]!;
    rests[i] = 1 - (fractions[i] as number);
  }
  return add(
    mul(selected(who, input, 2, listOf(before)), rest),
    mul(selected(who, input, 2, listOf(behind)), fraction),
  );
}

function listOf(places: Int32Array): Tensor {
  return Tensor.adopting(places, [places.length], 'int32');
}
