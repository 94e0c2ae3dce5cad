// The sizes of a convolution over one dimension, checked once, and what its native calls are given of them.
import * as check from '../../check/index.js';
import type { Tensor } from '../../tensor/tensor.js';

/** x is [samples, in, length], y is [samples, out, outLength], the weight [out, in / groups, taps] (native/math/conv1d.h). */
export interface ConvolutionShape {
  readonly samples: number;
  readonly in: number;
  readonly out: number;
  readonly groups: number;
  readonly length: number;
  readonly outLength: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros before the first value. */
  readonly pad: number;
}

type Numbers = readonly [
  samples: number,
  inChannels: number,
  outChannels: number,
  groups: number,
  length: number,
  outLength: number,
  taps: number,
  stride: number,
  dilation: number,
  pad: number,
];

/** The numbers as the calls take them. */
export function numbersOf(shape: ConvolutionShape): Numbers {
  const { samples, groups, length, outLength, taps, stride, dilation, pad } = shape;
  return [samples, shape.in, shape.out, groups, length, outLength, taps, stride, dilation, pad];
}

/** @internal Whether each group of one channel is walked by itself, as Conv1d::is_depthwise of native/math/conv1d.h. */
export function isDepthwise(layer: {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly groups: number;
}): boolean {
  const { inChannels, outChannels, groups } = layer;
  return groups > 1 && inChannels === groups && outChannels / groups <= 4;
}

/** Elements through memory that take as long. */
export function workOf(shape: ConvolutionShape): number {
  const { samples, outLength, groups, taps } = shape;
  const values = samples * shape.out * outLength;
  return Math.max(
    values + samples * shape.in * shape.length,
    (values * (shape.in / groups) * taps) / 16,
  );
}

/** Sizes and steps fit in 31 bits, as the native calls want them. */
const MOST = 2 ** 31 - 1;

/** A number of 1 or more; undefined is 1. */
export function atLeastOne(who: string, name: string, value: unknown): number {
  return value === undefined ? 1 : check.wholeNumber(who, name, value, 1, MOST);
}

/** A number of 0 or more; undefined is 0. */
export function notNegative(who: string, name: string, value: unknown): number {
  return value === undefined ? 0 : check.wholeNumber(who, name, value, 0, MOST);
}

/** The weight of a convolution, [a, b, taps], and a bias of `biases(weight)` numbers or none. */
export function checkWeights(
  who: string,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  shapeOfWeight: string,
): readonly [number, number, number] {
  check.sameDtype(who, 'weight', weight, input.dtype);
  const { shape } = weight;
  if (shape.length !== 3 || shape.includes(0)) {
    throw check.wrongValue(who, `a weight ${shapeOfWeight}`, `shape ${check.shapeText(shape)}`);
  }
  if (bias !== null) check.sameDtype(who, 'bias', bias, input.dtype);
  return shape as readonly [number, number, number];
}

/** [N, C, L], or [C, L] as a batch of one. */
export function batchOf(who: string, input: Tensor): readonly [number, number, number] {
  const { shape } = input;
  const [n, c, l] = shape.length === 2 ? [1, ...shape] : shape;
  if (shape.length < 2 || shape.length > 3) {
    throw check.wrongValue(
      who,
      'input of shape [N, C, L] or [C, L]',
      `shape ${check.shapeText(shape)}`,
    );
  }
  return [n!, c!, l!];
}
