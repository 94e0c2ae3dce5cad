import * as check from '../check/index.js';
import {
  interpolate,
  interpolateOptions,
  type InterpolateOptions,
} from '../functional/interpolate.js';
import type { Tensor, TensorLike } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';
import { pythonFloat, pythonString } from './module/repr.js';

const OPTIONS = Symbol('options');

/** `functional.interpolate`. */
export class Upsample extends Module {
  readonly [OPTIONS]: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    interpolateOptions(this[WHO], options);
    this[OPTIONS] = { ...options };
  }

  /** @param x - [N, C, L]. */
  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return interpolate(x, this[OPTIONS]);
  }

  override extraRepr(): string {
    const { size, scaleFactor, mode = 'nearest' } = this[OPTIONS];
    const what = size === undefined ? `scale_factor=${pythonFloat(scaleFactor!)}` : `size=${size}`;
    return `${what}, mode=${pythonString(mode)}`;
  }
}
