// Convolutions over one dimension as layers: what both of them keep, and how their weights start.
import * as check from '../check/index.js';
import { conv1d, paddingOf, type Conv1dOptions } from '../functional/convolution/conv1d.js';
import { convTranspose1d } from '../functional/convolution/conv-transpose1d.js';
import { atLeastOne, notNegative } from '../functional/convolution/shape.js';
import { pad } from '../functional/shapes/pad.js';
import { transpose } from '../functional/shapes/permute.js';
import { learned, Parameter, Tensor, type TensorLike } from '../tensor/tensor.js';
import { drawUniform } from './draw-uniform.js';
import { HOLDS, WHO } from './module/internals.js';
import { Module } from './module/module.js';
import { weightOrBias } from './module/replaced.js';

interface Shared {
  /** Positions from one window to the next. Default 1. */
  stride?: number | undefined;
  /** Positions from one value of the kernel to the next. Default 1. */
  dilation?: number | undefined;
  /** Groups of channels that see each other; both numbers of channels are multiples of it. Default 1. */
  groups?: number | undefined;
  /** Learn a shift. Default true. */
  bias?: boolean | undefined;
  /** Default 'float32'. */
  dtype?: 'float32' | 'float64' | undefined;
}

export interface Conv1dLayerOptions extends Shared {
  /** Zeros before and behind, 'same' or 'valid' (see `functional.conv1d`). Default 0. */
  padding?: number | 'same' | 'valid' | undefined;
  /** What stands in the padding. Default 'zeros'. */
  paddingMode?: 'zeros' | 'reflect' | 'replicate' | 'circular' | undefined;
  /** Where the channels are: 'NCL' (default), or 'NLC', last. */
  layout?: 'NCL' | 'NLC' | undefined;
}

export interface ConvTranspose1dLayerOptions extends Shared {
  /** Values cut off at either end of the result. Default 0. */
  padding?: number | undefined;
  /** Values more at the end of the result. Default 0. */
  outputPadding?: number | undefined;
}

/** An option out of sight: leave weight and bias as their memory is. */
const UNDRAWN = Symbol('undrawn');
const DESCRIBE = Symbol('describe');
export const HAS_BIAS = Symbol('hasBias');
const SHARED = ['stride', 'padding', 'dilation', 'groups', 'bias', 'dtype'];

/** What the two layers share: sizes, weight and bias. */
abstract class Convolution extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  weight: Parameter;
  /** [outChannels]; null without bias. */
  bias: Parameter | null;

  /** @param transposed - Whether the weight has the input's channels first. */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    options: Shared,
    names: readonly string[],
    transposed: boolean,
  ) {
    super();
    const who = this[WHO];
    this.inChannels = check.wholeNumber(who, 'inChannels', inChannels, 1);
    this.outChannels = check.wholeNumber(who, 'outChannels', outChannels, 1);
    this.kernelSize = check.wholeNumber(who, 'kernelSize', kernelSize, 1, 2 ** 31 - 1);
    check.options(who, options, [...SHARED, ...names]);
    const { bias = true, dtype = 'float32' } = options;
    this.stride = atLeastOne(who, 'stride', options.stride);
    this.dilation = atLeastOne(who, 'dilation', options.dilation);
    this.groups = atLeastOne(who, 'groups', options.groups);
    for (const [name, channels] of [
      ['inChannels', inChannels] as const,
      ['outChannels', outChannels] as const,
    ]) {
      if (channels % this.groups !== 0) {
        throw check.wrongValue(
          who,
          `${name} that ${this.groups} groups divide (${name} must be divisible by groups)`,
          String(channels),
        );
      }
    }
    check.boolean(who, 'bias', bias);
    check.oneOf(who, 'dtype', dtype, ['float32', 'float64']);
    const [first, second] = transposed ? [inChannels, outChannels] : [outChannels, inChannels];
    const shape = [first, second / this.groups, kernelSize];
    this.weight = new Parameter(Tensor.uninitialized(shape, dtype));
    this.bias = bias ? new Parameter(Tensor.uninitialized([outChannels], dtype)) : null;
    if (!(UNDRAWN in options)) this.resetParameters();
  }

  /** @internal */
  override [HOLDS](name: string): 'Parameter' | undefined {
    return weightOrBias(name);
  }

  /** Draws weight and bias anew, uniform in ±1/sqrt(fan in), as PyTorch does. */
  resetParameters(): void {
    const [, inner = 1, taps = 1] = this.weight.shape;
    drawUniform(this[WHO], this, 1 / Math.sqrt(inner * taps));
  }

  /** @internal For the repr, which a layer that waits for its size has too. */
  get [HAS_BIAS](): boolean {
    return this.bias !== null;
  }

  /** @internal What PyTorch's repr says of a convolution. */
  [DESCRIBE](padding: string, more: string): string {
    const { dilation, groups } = this;
    return (
      `${this.inChannels}, ${this.outChannels}, kernel_size=(${this.kernelSize},), stride=(${this.stride},)` +
      padding +
      (dilation === 1 ? '' : `, dilation=(${dilation},)`) +
      more +
      (groups === 1 ? '' : `, groups=${groups}`) +
      (this[HAS_BIAS] ? '' : ', bias=False')
    );
  }
}

/**
 * `functional.conv1d` with a weight [outChannels, inChannels / groups, kernelSize] and a bias, both of which start
 * uniform in ±1/sqrt(inChannels / groups · kernelSize).
 *
 * @example
 * ```ts
 * const conv = new nn.Conv1d(3, 8, 5, { padding: 'same' });
 * conv.forward(tensor(new Float32Array(2 * 3 * 10), [2, 3, 10])).shape; // => [2, 8, 10]
 * ```
 */
export class Conv1d extends Convolution {
  readonly padding: number | 'same' | 'valid';
  readonly paddingMode: 'zeros' | 'reflect' | 'replicate' | 'circular';
  readonly layout: 'NCL' | 'NLC';

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    options: Conv1dLayerOptions = {},
  ) {
    super(inChannels, outChannels, kernelSize, options, ['paddingMode', 'layout'], false);
    const { padding = 0, paddingMode = 'zeros', layout = 'NCL' } = options;
    const who = this[WHO];
    paddingOf(who, padding, kernelSize, this.stride, this.dilation);
    const modes = ['zeros', 'reflect', 'replicate', 'circular'] as const;
    this.padding = padding;
    this.paddingMode = check.oneOf(who, 'paddingMode', paddingMode, modes);
    this.layout = check.oneOf(who, 'layout', layout, ['NCL', 'NLC'] as const);
  }

  /** @param x - [N, inChannels, L], or [inChannels, L]; [N, L, inChannels] or [L, inChannels] with layout 'NLC'. */
  forward(x: TensorLike, ...rest: never[]): Tensor {
    const who = this[WHO];
    if (rest.length > 0) check.noMore(`${who}.forward`, 1, rest);
    const { stride, dilation, groups, padding, paddingMode, layout } = this;
    const weight = learned(who, 'weight', this.weight);
    const bias = learned(who, 'bias', this.bias);
    const options: Conv1dOptions = { stride, dilation, groups, padding, layout };
    if (paddingMode === 'zeros') return conv1d(x, weight, bias, options);
    const sides = paddingOf(who, padding, this.kernelSize, stride, dilation);
    const last = layout === 'NLC';
    const turned = last ? transpose(x, -2, -1) : x;
    const padded = pad(turned, sides, { mode: paddingMode });
    const y = conv1d(padded, weight, bias, { stride, dilation, groups });
    return last ? transpose(y, -2, -1) : y;
  }

  override extraRepr(): string {
    const { padding, paddingMode } = this;
    const sides = typeof padding === 'string' ? padding : `(${padding},)`;
    const text = this[DESCRIBE](padding === 0 ? '' : `, padding=${sides}`, '');
    return paddingMode === 'zeros' ? text : `${text}, padding_mode=${paddingMode}`;
  }
}

/**
 * `functional.convTranspose1d` with a weight [inChannels, outChannels / groups, kernelSize] and a bias, both of which
 * start uniform in ±1/sqrt(outChannels / groups · kernelSize), as PyTorch's do.
 */
export class ConvTranspose1d extends Convolution {
  readonly padding: number;
  readonly outputPadding: number;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    options: ConvTranspose1dLayerOptions = {},
  ) {
    super(inChannels, outChannels, kernelSize, options, ['outputPadding'], true);
    this.padding = notNegative(this[WHO], 'padding', options.padding);
    this.outputPadding = notNegative(this[WHO], 'outputPadding', options.outputPadding);
  }

  /** @param x - [N, inChannels, L], or [inChannels, L]. */
  forward(x: TensorLike, ...rest: never[]): Tensor {
    const who = this[WHO];
    if (rest.length > 0) check.noMore(`${who}.forward`, 1, rest);
    const { stride, dilation, groups, padding, outputPadding } = this;
    const weight = learned(who, 'weight', this.weight);
    const bias = learned(who, 'bias', this.bias);
    return convTranspose1d(x, weight, bias, { stride, dilation, groups, padding, outputPadding });
  }

  override extraRepr(): string {
    const { padding, outputPadding } = this;
    return this[DESCRIBE](
      padding === 0 ? '' : `, padding=(${padding},)`,
      outputPadding === 0 ? '' : `, output_padding=(${outputPadding},)`,
    );
  }
}

/** @internal The options of a convolution that leaves weight and bias as their memory is. */
export function undrawn(options: Conv1dLayerOptions): Conv1dLayerOptions {
  const given: unknown = options;
  // What is no object with options is for the constructor to refuse.
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return options;
  return { ...options, [UNDRAWN]: true } as Conv1dLayerOptions;
}

/** @internal A convolution with the sizes of another and a bias, which draws no random numbers. */
export function undrawnConv1d(like: Conv1d): Conv1d {
  const { stride, dilation, groups, padding, paddingMode, layout, weight } = like;
  const dtype = weight.dtype as 'float32' | 'float64';
  const options = undrawn({ stride, dilation, groups, padding, paddingMode, layout, dtype });
  return new Conv1d(like.inChannels, like.outChannels, like.kernelSize, options);
}
