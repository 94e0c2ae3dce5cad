// The transpose of a convolution: what carries its gradient from the output to the input, as an operation of its own.
import * as check from '../../check/index.js';
import { record, type Tensor, type TensorLike } from '../../tensor/tensor.js';
import { channelSums, convolve, prepared, transposed, weightGradient } from './conv1d.js';
import { atLeastOne, batchOf, checkWeights, notNegative, type ConvolutionShape } from './shape.js';

export interface ConvTranspose1dOptions {
  /** Positions of the result from one value of the input to the next. Default 1. */
  stride?: number | undefined;
  /** Values that are cut off at either end of the result. Default 0. */
  padding?: number | undefined;
  /** Values more at the end: a stride above 1 fits several lengths. Below stride or dilation. Default 0. */
  outputPadding?: number | undefined;
  /** The channels are split into so many groups. Default 1. */
  groups?: number | undefined;
  /** Positions from one value of the kernel to the next. Default 1. */
  dilation?: number | undefined;
}

const WEIGHT = 'of shape [inChannels, outChannels / groups, kernelSize]';

/** The convolution whose transpose it is: its y is our x. */
function planOf(
  who: string,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvTranspose1dOptions,
): ConvolutionShape {
  check.options(who, options, ['stride', 'padding', 'outputPadding', 'groups', 'dilation']);
  const stride = atLeastOne(who, 'stride', options.stride);
  const pad = notNegative(who, 'padding', options.padding);
  const more = notNegative(who, 'outputPadding', options.outputPadding);
  const groups = atLeastOne(who, 'groups', options.groups);
  const dilation = atLeastOne(who, 'dilation', options.dilation);
  if (more >= Math.max(stride, dilation)) {
    throw check.wrongValue(
      who,
      'outputPadding below stride or dilation (output padding must be smaller than either stride or dilation)',
      `${more}, stride ${stride}, dilation ${dilation}`,
    );
  }
  const [samples, channels, outLength] = batchOf(who, input);
  const [out, inner, taps] = checkWeights(who, input, weight, bias, WEIGHT);
  if (channels !== out || out % groups !== 0) {
    throw check.wrongValue(
      who,
      `input with ${out} channels, which ${groups} groups divide (weight ${check.shapeText(weight.shape)})`,
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  if (bias !== null) check.sameShape(who, 'bias', bias, [inner * groups]);
  const length = (outLength - 1) * stride - 2 * pad + dilation * (taps - 1) + more + 1;
  if (outLength === 0 || length < 1) {
    throw check.wrongValue(
      who,
      'a result of at least 1 value a channel (calculated output size is too small)',
      String(length),
    );
  }
  return {
    samples,
    in: inner * groups,
    out,
    groups,
    length,
    outLength,
    taps,
    stride,
    dilation,
    pad,
  };
}

/**
 * y[n, o, t · stride + j · dilation − padding] += weight[c, o, j] · x[n, c, t] for all (c, t, j), + bias[o]: the gradient
 * of `conv1d` with regard to its input. PyTorch's `conv_transpose1d`.
 *
 * @param x - [N, C, L], or [C, L]: float32 or float64.
 * @param weight - [C, outChannels / groups, kernelSize], same dtype.
 * @param bias - [outChannels], or null.
 * @returns [N, outChannels, (L − 1) · stride − 2 · padding + dilation · (kernelSize − 1) + outputPadding + 1].
 * @throws {RangeError} where shapes do not fit, or nothing would be left.
 * @example
 * ```ts
 * functional.convTranspose1d(tensor([[[1, 2]]]), tensor([[[1, 10]]]), null, { stride: 2 }).toArray(); // => [[[1, 10, 2, 20]]]
 * ```
 */
export function convTranspose1d(
  x: TensorLike,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTranspose1dOptions = {},
): Tensor {
  const who = 'convTranspose1d';
  const { input, batch, shape, kept } = prepared(who, x, weight, bias, options, planOf);
  const y = transposed(who, input, weight, bias, [...batch, shape.in, shape.length], shape);
  return record(who, y, [input, weight, bias], kept, (dy, needs) => [
    needs[0] ? convolve(who, dy, weight, null, input.shape, shape) : null,
    needs[1] ? weightGradient(who, dy, input, weight.shape, shape) : null,
    needs[2] ? channelSums(who, dy, shape.samples, shape.in, shape.length) : null,
  ]);
}
