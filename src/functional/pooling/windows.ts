// Windows over the last dimension: where each begins and ends, and what carries values and gradients through them.
import { needsGrad } from '../../autograd/index.js';
import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { record, Tensor, ValuesAndIndices, type TensorData } from '../../tensor/tensor.js';
import { batchOf } from '../convolution/shape.js';

/** Window t reads from `bounds[2 t]` to before `bounds[2 t + 1]` in steps of `dilation`. */
export interface Windows {
  readonly bounds: Int32Array;
  readonly dilation: number;
  /** What the sum of each is divided by, for means. */
  readonly divisors: Float64Array;
}

/** What a window may be: sizes checked by the caller. */
export interface Sizes {
  readonly taps: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  /** A window may begin within the input and end beyond the padding. */
  readonly ceilMode: boolean;
  /** Zeros of the padding count in a mean. */
  readonly countIncludePad: boolean;
}

/** Places in a channel are 32-bit numbers. */
const MOST_VALUES = 2 ** 31 - 1;

/** The rows of [N, C, L] or [C, L]: at least one value each. */
export function rowsOf(who: string, input: Tensor): { rows: number; length: number } {
  const [n, c, length] = batchOf(who, input);
  if (length === 0 || length > MOST_VALUES) {
    throw check.wrongValue(
      who,
      'input of 1 to 2^31 - 1 values a channel',
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  return { rows: n * c, length };
}

/** Windows one stride after the other. @throws {RangeError} where none fits. */
export function slidingWindows(who: string, length: number, sizes: Sizes): Windows {
  const { taps, stride, padding, dilation, ceilMode, countIncludePad } = sizes;
  const reach = dilation * (taps - 1) + 1;
  const room = length + 2 * padding - reach;
  let count = Math.floor((room + (ceilMode ? stride - 1 : 0)) / stride) + 1;
  // The last one has to begin within the input or the padding before it.
  if (ceilMode && (count - 1) * stride >= length + padding) count--;
  if (count < 1) {
    throw check.wrongValue(
      who,
      `a padded length of at least ${reach} (Output size is too small)`,
      String(length + 2 * padding),
    );
  }
  const bounds = new Int32Array(2 * count);
  const divisors = new Float64Array(count);
  for (let t = 0; t < count; t++) {
    const first = t * stride - padding;
    const begin = first < 0 ? first + Math.ceil(-first / dilation) * dilation : first;
    const end = Math.min(first + reach, length);
    bounds[2 * t] = Math.min(begin, length);
    bounds[2 * t + 1] = Math.max(end, bounds[2 * t]!);
    const whole = Math.min(first + taps, length + padding) - first;
    divisors[t] = Math.max(1, countIncludePad ? whole : bounds[2 * t + 1]! - bounds[2 * t]!);
  }
  return { bounds, dilation, divisors };
}

/** `count` windows that cover the input: t from floor(t · L / count) to ceil((t + 1) · L / count). */
export function adaptiveWindows(length: number, count: number): Windows {
  const bounds = new Int32Array(2 * count);
  const divisors = new Float64Array(count);
  for (let t = 0; t < count; t++) {
    bounds[2 * t] = Math.floor((t * length) / count);
    bounds[2 * t + 1] = Math.ceil(((t + 1) * length) / count);
    divisors[t] = bounds[2 * t + 1]! - bounds[2 * t]!;
  }
  return { bounds, dilation: 1, divisors };
}

/** The largest value of each window; the gradient goes to the first of equal ones. */
export function largest(who: string, input: Tensor, windows: Windows): Tensor {
  return found(who, input, windows, needsGrad(input)).values;
}

/** The same with where in its channel each value is: int64. */
export function largestWithIndices(who: string, input: Tensor, windows: Windows): ValuesAndIndices {
  const { values, places } = found(who, input, windows, true);
  const indices = Tensor.uninitialized(values.shape, 'int64');
  perform(
    { who, work: values.numel, reads: { 'the places': places }, writes: [indices] },
    (_native, arrayOf) => {
      const from = placesIn(arrayOf(places))!;
      const { buffer, byteOffset, length } = arrayOf(indices) as TensorData as BigInt64Array;
      const halves = new Int32Array(buffer, byteOffset, 2 * length);
      for (let i = 0; i < length; i++) {
        halves[2 * i] = from[i]!; // the low half: every machine that is built for has it first
        halves[2 * i + 1] = 0;
      }
    },
  );
  return new ValuesAndIndices(values, indices);
}

/** The values, and their places where somebody needs them: int32, in memory of the pool. */
function found(
  who: string,
  input: Tensor,
  windows: Windows,
  withPlaces: boolean,
): { values: Tensor; places: Tensor | null } {
  const { rows, length } = rowsOf(who, input);
  const count = windows.divisors.length;
  const y = Tensor.uninitialized([...input.shape.slice(0, -1), count], input.dtype);
  const places = withPlaces ? Tensor.uninitialized(y.shape, 'int32') : null;
  const work = Math.max(input.numel, y.numel);
  perform({ who, work, reads: { 'the input': input }, writes: [y, places] }, (native, arrayOf) =>
    native.maxWindows(
      ...([arrayOf(input), arrayOf(y), placesIn(arrayOf(places)), windows.bounds] as const),
      ...([rows, length, count, windows.dilation] as const),
    ),
  );
  const values = record(who, y, [input], places === null ? [] : [places], (dy) => {
    const dx = Tensor.like(input);
    perform(
      { who, work, reads: { 'the gradient': dy, 'the places': places }, writes: [dx] },
      (native, arrayOf) => {
        const at = placesIn(arrayOf(places))!;
        return native.maxWindowsBackward(arrayOf(dy), at, arrayOf(dx), rows, length, count);
      },
    );
    return [dx];
  });
  return { values, places };
}

const placesIn = (array: TensorData | null): Int32Array | null => array as Int32Array | null;

/** The mean of each window. */
export function means(who: string, input: Tensor, windows: Windows): Tensor {
  const { rows, length } = rowsOf(who, input);
  const { bounds, dilation, divisors } = windows;
  const count = divisors.length;
  const y = Tensor.uninitialized([...input.shape.slice(0, -1), count], input.dtype);
  perform(
    { who, work: Math.max(input.numel, y.numel), reads: { 'the input': input }, writes: [y] },
    (native, arrayOf) =>
      native.meanWindows(
        ...([arrayOf(input), arrayOf(y), divisors, bounds] as const),
        ...([rows, length, count, dilation] as const),
      ),
  );
  return record(who, y, [input], [], (dy) => {
    const dx = Tensor.like(input);
    perform(
      { who, work: Math.max(dx.numel, dy.numel), reads: { 'the gradient': dy }, writes: [dx] },
      (native, arrayOf) =>
        native.meanWindowsBackward(
          ...([arrayOf(dy), arrayOf(dx), divisors, bounds] as const),
          ...([rows, length, count, dilation] as const),
        ),
    );
    return [dx];
  });
}
