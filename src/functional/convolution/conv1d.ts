// Convolution over one dimension, and its gradients.
// Longer than 250 lines because the forward pass and both gradients share one plan.
import * as check from '../../check/index.js';
import { zeros, type FloatData } from '../../memory/dtype.js';
import { perform } from '../../run/deferral.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { totalsOf } from '../batch-totals.js';
import { linear } from '../linear.js';
import { floatingInput } from '../pointwise/apply.js';
import { transpose } from '../shapes/permute.js';
import { reshape } from '../shapes/reshape.js';
import {
  atLeastOne,
  batchOf,
  checkWeights,
  notNegative,
  numbersOf,
  workOf,
  type ConvolutionShape,
} from './shape.js';

export interface Conv1dOptions {
  /** Positions from one window to the next. Default 1. */
  stride?: number | undefined;
  /**
   * Zeros before and behind each channel. Default 0, also called 'valid'. 'same', with a stride of 1: as many as keep
   * the length; an odd one is behind.
   */
  padding?: number | 'same' | 'valid' | undefined;
  /** Positions from one value of a window to the next. Default 1. */
  dilation?: number | undefined;
  /** The channels are split into so many groups, each of which sees its own inputs. Default 1. */
  groups?: number | undefined;
  /** Which dimension of x and of the result is the channels': 'NCL' (default) or 'NLC', the last. */
  layout?: 'NCL' | 'NLC' | undefined;
}

/** Zeros before and behind a channel. */
export function paddingOf(
  who: string,
  padding: unknown,
  taps: number,
  stride: number,
  dilation: number,
): readonly [left: number, right: number] {
  if (padding === 'valid') return [0, 0];
  if (padding !== 'same') {
    if (padding !== undefined && typeof padding !== 'number') {
      throw check.wrongKind(who, "padding to be a whole number, 'same' or 'valid'", padding);
    }
    const each = notNegative(who, 'padding', padding);
    return [each, each];
  }
  if (stride !== 1) {
    throw check.wrongValue(
      who,
      "a stride of 1 with padding 'same' (padding='same' is not supported for strided convolutions)",
      String(stride),
    );
  }
  const all = dilation * (taps - 1);
  return [Math.floor(all / 2), Math.ceil(all / 2)];
}

const WEIGHT = 'of shape [outChannels, inChannels / groups, kernelSize]';

/** Everything about a convolution, decided and checked. */
function planOf(
  who: string,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: Conv1dOptions,
): ConvolutionShape {
  const stride = atLeastOne(who, 'stride', options.stride);
  const dilation = atLeastOne(who, 'dilation', options.dilation);
  const groups = atLeastOne(who, 'groups', options.groups);
  const [samples, channels, length] = batchOf(who, input);
  const [out, inner, taps] = checkWeights(who, input, weight, bias, WEIGHT);
  if (out % groups !== 0) {
    throw check.wrongValue(who, `outChannels that ${groups} groups divide`, String(out));
  }
  if (channels !== inner * groups) {
    throw check.wrongValue(
      who,
      `input with ${inner * groups} channels (weight ${check.shapeText(weight.shape)}, ${groups} groups)`,
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  if (bias !== null) check.sameShape(who, 'bias', bias, [out]);
  const [left, right] = paddingOf(who, options.padding, taps, stride, dilation);
  const reach = dilation * (taps - 1) + 1;
  if (length + left + right < reach) {
    throw check.wrongValue(
      who,
      `a padded length of at least ${reach} (Kernel size can't be greater than actual input size)`,
      String(length + left + right),
    );
  }
  const outLength = Math.floor((length + left + right - reach) / stride) + 1;
  return {
    samples,
    in: channels,
    out,
    groups,
    length,
    outLength,
    taps,
    stride,
    dilation,
    pad: left,
  };
}

/**
 * y[n, o, t] = bias[o] + Σ weight[o, c, j] · x[n, c, t · stride + j · dilation − padding] over the channels c of o's
 * group and the positions j of the kernel; x is 0 outside of its length. PyTorch's `conv1d`: a cross-correlation.
 *
 * @param x - [N, C, L], or [C, L]: float32 or float64; [N, L, C] or [L, C] with layout 'NLC', as the result then is.
 * @param weight - [outChannels, C / groups, kernelSize], same dtype.
 * @param bias - [outChannels], or null.
 * @returns [N, outChannels, floor((L + 2 · padding − dilation · (kernelSize − 1) − 1) / stride) + 1].
 * @throws {RangeError} where shapes do not fit, or the kernel is longer than the padded input.
 * @example
 * ```ts
 * const x = tensor([[[1, 2, 3, 4]]]);
 * functional.conv1d(x, tensor([[[1, 1]]])).toArray(); // => [[[3, 5, 7]]]
 * functional.conv1d(x, tensor([[[1, 1]]]), null, { padding: 'same', dilation: 2 }).toArray(); // => [[[2, 4, 6, 3]]]
 * ```
 */
export function conv1d(
  x: TensorLike,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Conv1dOptions = {},
): Tensor {
  const who = 'conv1d';
  check.options(who, options, ['stride', 'padding', 'dilation', 'groups', 'layout']);
  const { layout = 'NCL' } = options;
  check.oneOf(who, 'layout', layout, ['NCL', 'NLC']);
  if (layout === 'NLC') return channelsLast(who, x, weight, bias, { ...options, layout: 'NCL' });
  const { input, batch, shape, kept } = prepared(who, x, weight, bias, options, planOf);
  const y = convolve(who, input, weight, bias, [...batch, shape.out, shape.outLength], shape);
  return record(who, y, [input, weight, bias], kept, (dy, needs) => [
    needs[0] ? transposed(who, dy, weight, null, input.shape, shape) : null,
    needs[1] ? weightGradient(who, input, dy, weight.shape, shape, totalsOf(weight)) : null,
    needs[2] ? biasGradient(who, dy, bias!, shape) : null,
  ]);
}

/** The channel sums of dy, which are kept unrounded too, where somebody shares the batch with others. */
function biasGradient(
  who: string,
  dy: Tensor,
  bias: Tensor,
  { samples, out, outLength }: ConvolutionShape,
): Tensor {
  const totals = totalsOf(bias);
  if (totals === null) return channelSums(who, dy, samples, out, outLength);
  const db = Tensor.uninitialized([out], dy.dtype);
  const shift = zeros(dy.dtype, out) as FloatData;
  const sums = new Float64Array(2 * out);
  perform(
    { who, work: dy.numel, reads: { 'the gradient': dy }, writes: [db] },
    (native, arrayOf) => native.batchSums(arrayOf(dy), shift, sums, samples, out, outLength),
    (arrayOf) => {
      totals.set(sums.subarray(0, out));
      arrayOf(db).set(totals);
    },
  );
  return db;
}

/**
 * The same over [N, L, C]. A kernel of one value without stride, padding and groups is a linear layer of each step; any
 * other goes by way of the other layout.
 */
function channelsLast(
  who: string,
  x: TensorLike,
  weight: Tensor,
  bias: Tensor | null,
  options: Conv1dOptions,
): Tensor {
  const input = floatingInput(who, x);
  if (!((weight as unknown) instanceof Tensor))
    throw check.wrongKind(who, 'a weight Tensor', weight);
  const [, inner, taps] = checkWeights(who, input, weight, bias, WEIGHT);
  const groups = atLeastOne(who, 'groups', options.groups);
  batchOf(who, input);
  if (input.shape.at(-1) !== inner * groups) {
    throw check.wrongValue(
      who,
      `input with ${inner * groups} channels, last (weight ${check.shapeText(weight.shape)}, ${groups} groups)`,
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  const stride = atLeastOne(who, 'stride', options.stride);
  const dilation = atLeastOne(who, 'dilation', options.dilation);
  const [left] = paddingOf(who, options.padding, taps, stride, dilation);
  if (taps === 1 && stride === 1 && groups === 1 && left === 0) {
    if (bias !== null) check.sameShape(who, 'bias', bias, [weight.shape[0]!]);
    return linear(input, reshape(weight, [weight.shape[0]!, inner]), bias);
  }
  const turned = conv1d(transpose(input, -2, -1), weight, bias, options);
  return transpose(turned, -2, -1);
}

/** What a convolution and its transpose need alike: checked operands, and what their backward keeps of them. */
export function prepared<Options>(
  who: string,
  x: TensorLike,
  weight: Tensor,
  bias: Tensor | null,
  options: Options,
  planOf: (
    who: string,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | null,
    options: Options,
  ) => ConvolutionShape,
): { input: Tensor; batch: readonly number[]; shape: ConvolutionShape; kept: readonly Tensor[] } {
  const input = floatingInput(who, x);
  if (!((weight as unknown) instanceof Tensor))
    throw check.wrongKind(who, 'a weight Tensor', weight);
  if (bias !== null && !((bias as unknown) instanceof Tensor))
    throw check.wrongKind(who, 'a bias Tensor or null', bias);
  const shape = planOf(who, input, weight, bias, options);
  weight.present(who, 'weight');
  bias?.present(who, 'bias');
  const batch = input.shape.length === 3 ? [shape.samples] : [];
  const kept = [...(weight.requiresGrad ? [input] : []), ...(input.requiresGrad ? [weight] : [])];
  return { input, batch, shape, kept };
}

/** y of x. */
export function convolve(
  who: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  size: readonly number[],
  shape: ConvolutionShape,
): Tensor {
  const y = Tensor.uninitialized(size, x.dtype);
  perform(
    { who, work: workOf(shape), reads: { 'the input': x, weight, bias }, writes: [y] },
    (native, arrayOf) =>
      native.conv1d(arrayOf(x), arrayOf(weight), arrayOf(bias), arrayOf(y), ...numbersOf(shape)),
  );
  return y;
}

/** x of y: the gradient of a convolution's input, and what a transposed convolution does. */
export function transposed(
  who: string,
  y: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  size: readonly number[],
  shape: ConvolutionShape,
): Tensor {
  const x = Tensor.uninitialized(size, y.dtype);
  perform(
    { who, work: workOf(shape), reads: { 'the input': y, weight, bias }, writes: [x] },
    (native, arrayOf) =>
      native.conv1dTransposed(
        ...([arrayOf(y), arrayOf(weight), arrayOf(bias), arrayOf(x)] as const),
        ...numbersOf(shape),
      ),
  );
  return x;
}

/** dweight = Σ dy · x over samples and positions. */
export function weightGradient(
  who: string,
  x: Tensor,
  dy: Tensor,
  size: readonly number[],
  shape: ConvolutionShape,
  totals: Float64Array | null = null,
): Tensor {
  const dweight = Tensor.uninitialized(size, dy.dtype);
  perform(
    { who, work: workOf(shape), reads: { 'the input': x, 'the gradient': dy }, writes: [dweight] },
    (native, arrayOf) =>
      native.conv1dWeightGradient(
        ...([arrayOf(x), arrayOf(dy), arrayOf(dweight), totals] as const),
        ...numbersOf(shape),
      ),
  );
  return dweight;
}

/** Σ over samples and positions of [samples, channels, length]. */
export function channelSums(
  who: string,
  dy: Tensor,
  samples: number,
  channels: number,
  length: number,
): Tensor {
  const sums = Tensor.uninitialized([channels], dy.dtype);
  perform(
    { who, work: dy.numel, reads: { 'the gradient': dy }, writes: [sums] },
    (native, arrayOf) => native.channelSums(arrayOf(dy), arrayOf(sums), samples, channels, length),
  );
  return sums;
}
