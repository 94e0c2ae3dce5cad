// Pooling as layers.
import * as check from '../check/index.js';
import {
  adaptiveAvgPool1d,
  adaptiveMaxPool1d,
  avgPool1d,
  avgSizes,
  maxPool1d,
  maxSizes,
  outputSize,
  withIndices,
  type AdaptiveMaxPool1dOptions,
  type AvgPool1dOptions,
  type MaxPool1dOptions,
} from '../functional/pooling/pooling.js';
import type { Tensor, TensorLike, ValuesAndIndices } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';
import { pythonBoolean } from './module/repr.js';

const OPTIONS = Symbol('options');

/** What a forward gives: `{ values, indices }` where indices are asked for. */
type Pooled<Indices extends boolean> = Indices extends true ? ValuesAndIndices : Tensor;

/** `functional.maxPool1d`. With `returnIndices` forward gives `{ values, indices }`, which no Sequential hands on. */
export class MaxPool1d<Indices extends boolean = false> extends Module {
  readonly kernelSize: number;
  readonly [OPTIONS]: Required<MaxPool1dOptions>;

  constructor(
    kernelSize: number,
    options: MaxPool1dOptions & { returnIndices?: Indices | undefined } = {},
  ) {
    super();
    const who = this[WHO];
    const { taps, stride, padding, dilation, ceilMode } = maxSizes(who, kernelSize, options);
    const returnIndices = withIndices(who, options);
    this.kernelSize = taps;
    this[OPTIONS] = { stride, padding, dilation, ceilMode, returnIndices };
  }

  forward(x: TensorLike, ...rest: never[]): Pooled<Indices> {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return maxPool1d(x, this.kernelSize, this[OPTIONS]) as Pooled<Indices>;
  }

  override extraRepr(): string {
    const { stride, padding, dilation, ceilMode } = this[OPTIONS];
    return (
      `kernel_size=${this.kernelSize}, stride=${stride}, padding=${padding}, dilation=${dilation}, ` +
      `ceil_mode=${pythonBoolean(ceilMode!)}`
    );
  }
}

/** `functional.avgPool1d`. */
export class AvgPool1d extends Module {
  readonly kernelSize: number;
  readonly [OPTIONS]: Required<AvgPool1dOptions>;

  constructor(kernelSize: number, options: AvgPool1dOptions = {}) {
    super();
    const sizes = avgSizes(this[WHO], kernelSize, options);
    const { stride, padding, ceilMode, countIncludePad } = sizes;
    this.kernelSize = sizes.taps;
    this[OPTIONS] = { stride, padding, ceilMode, countIncludePad };
  }

  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return avgPool1d(x, this.kernelSize, this[OPTIONS]);
  }

  override extraRepr(): string {
    const { stride, padding } = this[OPTIONS];
    return `kernel_size=(${this.kernelSize},), stride=(${stride},), padding=(${padding},)`;
  }
}

const POOL = Symbol('pool');

/** Pooling to a size that is given. */
abstract class AdaptivePool<Result> extends Module {
  readonly outputSize: number;

  constructor(size: number) {
    super();
    this.outputSize = outputSize(this[WHO], size);
  }

  /** @internal */
  abstract [POOL](x: TensorLike): Result;

  forward(x: TensorLike, ...rest: never[]): Result {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return this[POOL](x);
  }

  override extraRepr(): string {
    return `output_size=${this.outputSize}`;
  }
}

const INDICES = Symbol('indices');

/** `functional.adaptiveMaxPool1d`. With `returnIndices` forward gives `{ values, indices }`. */
export class AdaptiveMaxPool1d<Indices extends boolean = false> extends AdaptivePool<
  Pooled<Indices>
> {
  private readonly [INDICES]: boolean;

  constructor(
    size: number,
    options: AdaptiveMaxPool1dOptions & { returnIndices?: Indices | undefined } = {},
  ) {
    super(size);
    check.options(this[WHO], options, ['returnIndices']);
    this[INDICES] = withIndices(this[WHO], options);
  }

  /** @internal */
  [POOL](x: TensorLike): Pooled<Indices> {
    const options = { returnIndices: this[INDICES] };
    return adaptiveMaxPool1d(x, this.outputSize, options) as Pooled<Indices>;
  }
}

/** `functional.adaptiveAvgPool1d`. */
export class AdaptiveAvgPool1d extends AdaptivePool<Tensor> {
  /** @internal */
  [POOL](x: TensorLike): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }
}
