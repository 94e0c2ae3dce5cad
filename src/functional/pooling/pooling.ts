// Pooling over one dimension.
import * as check from '../../check/index.js';
import type { Tensor, TensorLike, ValuesAndIndices } from '../../tensor/tensor.js';
import { atLeastOne, notNegative } from '../convolution/shape.js';
import { floatingInput } from '../pointwise/apply.js';
import {
  adaptiveWindows,
  largest,
  largestWithIndices,
  means,
  rowsOf,
  slidingWindows,
  type Sizes,
} from './windows.js';

export interface MaxPool1dOptions {
  /** Positions from one window to the next. Default kernelSize. */
  stride?: number | undefined;
  /** Values of −∞ before and behind each channel, at most half a window. Default 0. */
  padding?: number | undefined;
  /** Positions from one value of a window to the next. Default 1. */
  dilation?: number | undefined;
  /** A window may end beyond the input, if it begins within it. Default false. */
  ceilMode?: boolean | undefined;
  /** The places of the values, too: `{ values, indices }`, int64 within the channel. Default false. */
  returnIndices?: boolean | undefined;
}

export interface AdaptiveMaxPool1dOptions {
  /** The places of the values, too: `{ values, indices }`, int64 within the channel. Default false. */
  returnIndices?: boolean | undefined;
}

export interface AvgPool1dOptions {
  /** Positions from one window to the next. Default kernelSize. */
  stride?: number | undefined;
  /** Zeros before and behind each channel, at most half a window. Default 0. */
  padding?: number | undefined;
  /** A window may end beyond the input, if it begins within it. Default false. */
  ceilMode?: boolean | undefined;
  /** The zeros of the padding count. Default true. */
  countIncludePad?: boolean | undefined;
}

const MAX_OPTIONS = ['stride', 'padding', 'dilation', 'ceilMode', 'returnIndices'];
const AVG_OPTIONS = ['stride', 'padding', 'ceilMode', 'countIncludePad'];

/** The windows of options that are checked here, for `maxPool1d` and its layer. */
export function maxSizes(who: string, kernelSize: unknown, options: MaxPool1dOptions): Sizes {
  check.options(who, options, MAX_OPTIONS);
  return sizesOf(who, kernelSize, options, false);
}

/** The same for `avgPool1d`. */
export function avgSizes(who: string, kernelSize: unknown, options: AvgPool1dOptions): Sizes {
  check.options(who, options, AVG_OPTIONS);
  const { countIncludePad = true } = options;
  check.boolean(who, 'countIncludePad', countIncludePad);
  return sizesOf(who, kernelSize, options, countIncludePad);
}

function sizesOf(
  who: string,
  kernelSize: unknown,
  options: MaxPool1dOptions,
  countIncludePad: boolean,
): Sizes {
  const taps = check.wholeNumber(who, 'kernelSize', kernelSize, 1, 2 ** 31 - 1);
  const sizes = {
    taps,
    stride: options.stride === undefined ? taps : atLeastOne(who, 'stride', options.stride),
    padding: notNegative(who, 'padding', options.padding),
    dilation: atLeastOne(who, 'dilation', options.dilation),
    ceilMode: check.booleanOption(who, 'ceilMode', options.ceilMode),
    countIncludePad,
  };
  if (2 * sizes.padding > sizes.dilation * (taps - 1) + 1) {
    throw check.wrongValue(
      who,
      'padding of at most half a window (pad should be at most half of effective kernel size)',
      String(sizes.padding),
    );
  }
  return sizes;
}

/**
 * The largest value of each window. NaN is the largest; of equal ones the first gets the gradient.
 *
 * @param x - [N, C, L], or [C, L]: float32 or float64.
 * @param kernelSize - Values of a window.
 * @returns [N, C, floor((L + 2 · padding − dilation · (kernelSize − 1) − 1) / stride) + 1]; ceil in `ceilMode`.
 * @example
 * ```ts
 * functional.maxPool1d(tensor([[[1, 3, 2, 0, 5]]]), 2).toArray(); // => [[[3, 2]]]
 * functional.maxPool1d(tensor([[[1, 3, 2, 0, 5]]]), 2, { ceilMode: true }).toArray(); // => [[[3, 2, 5]]]
 * const { indices } = functional.maxPool1d(tensor([[[1, 3, 2, 0, 5]]]), 2, { returnIndices: true });
 * indices.toArray(); // => [[[1, 2]]]
 * ```
 */
export function maxPool1d(
  x: TensorLike,
  kernelSize: number,
  options?: MaxPool1dOptions & { returnIndices?: false | undefined },
): Tensor;
export function maxPool1d(
  x: TensorLike,
  kernelSize: number,
  options: MaxPool1dOptions & { returnIndices: true },
): ValuesAndIndices;
export function maxPool1d(
  x: TensorLike,
  kernelSize: number,
  options?: MaxPool1dOptions,
): Tensor | ValuesAndIndices;
export function maxPool1d(
  x: TensorLike,
  kernelSize: number,
  options: MaxPool1dOptions = {},
): Tensor | ValuesAndIndices {
  const who = 'maxPool1d';
  const input = floatingInput(who, x);
  const sizes = maxSizes(who, kernelSize, options);
  const find = withIndices(who, options) ? largestWithIndices : largest;
  return find(who, input, slidingWindows(who, rowsOf(who, input).length, sizes));
}

/** Whether indices are asked for: an option that is checked here. */
export function withIndices(who: string, { returnIndices }: AdaptiveMaxPool1dOptions): boolean {
  return check.booleanOption(who, 'returnIndices', returnIndices);
}

/**
 * The mean of each window.
 *
 * @param x - [N, C, L], or [C, L]: float32 or float64.
 * @param kernelSize - Values of a window.
 * @returns [N, C, floor((L + 2 · padding − kernelSize) / stride) + 1]; ceil in `ceilMode`.
 * @example
 * ```ts
 * functional.avgPool1d(tensor([[[1, 3, 2, 0]]]), 2).toArray(); // => [[[2, 1]]]
 * functional.avgPool1d(tensor([[[1, 3]]]), 2, { padding: 1 }).toArray(); // => [[[0.5, 1.5]]]
 * ```
 */
export function avgPool1d(
  x: TensorLike,
  kernelSize: number,
  options: AvgPool1dOptions = {},
): Tensor {
  const who = 'avgPool1d';
  const input = floatingInput(who, x);
  const sizes = avgSizes(who, kernelSize, options);
  return means(who, input, slidingWindows(who, rowsOf(who, input).length, sizes));
}

/** How many values are to be left of each channel. */
export function outputSize(who: string, size: unknown): number {
  return check.wholeNumber(who, 'outputSize', size, 1, 2 ** 30);
}

/**
 * The largest value of each of `outputSize` windows that cover the input.
 *
 * @param x - [N, C, L], or [C, L]: float32 or float64.
 * @param size - How many values are left of each channel; window t goes from floor(t · L / size) to ceil((t + 1) · L / size).
 */
export function adaptiveMaxPool1d(
  x: TensorLike,
  size: number,
  options?: AdaptiveMaxPool1dOptions & { returnIndices?: false | undefined },
): Tensor;
export function adaptiveMaxPool1d(
  x: TensorLike,
  size: number,
  options: AdaptiveMaxPool1dOptions & { returnIndices: true },
): ValuesAndIndices;
export function adaptiveMaxPool1d(
  x: TensorLike,
  size: number,
  options?: AdaptiveMaxPool1dOptions,
): Tensor | ValuesAndIndices;
export function adaptiveMaxPool1d(
  x: TensorLike,
  size: number,
  options: AdaptiveMaxPool1dOptions = {},
): Tensor | ValuesAndIndices {
  const who = 'adaptiveMaxPool1d';
  check.options(who, options, ['returnIndices']);
  const input = floatingInput(who, x);
  const count = outputSize(who, size);
  const find = withIndices(who, options) ? largestWithIndices : largest;
  return find(who, input, adaptiveWindows(rowsOf(who, input).length, count));
}

/**
 * The mean of each of `outputSize` windows that cover the input.
 *
 * @param x - [N, C, L], or [C, L]: float32 or float64.
 * @param size - How many values are left of each channel; window t goes from floor(t · L / size) to ceil((t + 1) · L / size).
 * @example
 * ```ts
 * functional.adaptiveAvgPool1d(tensor([[[1, 2, 3]]]), 2).toArray(); // => [[[1.5, 2.5]]]
 * ```
 */
export function adaptiveAvgPool1d(x: TensorLike, size: number, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('adaptiveAvgPool1d', 2, rest);
  const who = 'adaptiveAvgPool1d';
  const input = floatingInput(who, x);
  const count = outputSize(who, size);
  return means(who, input, adaptiveWindows(rowsOf(who, input).length, count));
}
