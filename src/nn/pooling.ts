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
  type AvgPool1dOptions,
  type MaxPool1dOptions,
} from '../functional/pooling/pooling.js';
import type { Tensor, TensorLike } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';
import { pythonBoolean } from './module/repr.js';

const OPTIONS = Symbol('options');

/** `functional.maxPool1d`. */
export class MaxPool1d extends Module {
  readonly kernelSize: number;
  readonly [OPTIONS]: Required<MaxPool1dOptions>;

  constructor(kernelSize: number, options: MaxPool1dOptions = {}) {
    super();
    const { taps, stride, padding, dilation, ceilMode } = maxSizes(this[WHO], kernelSize, options);
    this.kernelSize = taps;
    this[OPTIONS] = { stride, padding, dilation, ceilMode };
  }

  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return maxPool1d(x, this.kernelSize, this[OPTIONS]);
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
abstract class AdaptivePool extends Module {
  readonly outputSize: number;

  constructor(size: number) {
    super();
    this.outputSize = outputSize(this[WHO], size);
  }

  /** @internal */
  abstract [POOL](x: TensorLike): Tensor;

  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return this[POOL](x);
  }

  override extraRepr(): string {
    return `output_size=${this.outputSize}`;
  }
}

/** `functional.adaptiveMaxPool1d`. */
export class AdaptiveMaxPool1d extends AdaptivePool {
  /** @internal */
  [POOL](x: TensorLike): Tensor {
    return adaptiveMaxPool1d(x, this.outputSize);
  }
}

/** `functional.adaptiveAvgPool1d`. */
export class AdaptiveAvgPool1d extends AdaptivePool {
  /** @internal */
  [POOL](x: TensorLike): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }
}
