import * as check from '../check/index.js';
import { relu } from '../functional/relu.js';
import type { Tensor, TensorLike } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';

/**
 * y = max(x, 0), and NaN of NaN. The gradient at 0 is 0.
 *
 * @example
 * ```ts
 * new nn.ReLU().forward(tensor([-1, 2])).toArray(); // => [0, 2]
 * ```
 */
export class ReLU extends Module {
  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return relu(x);
  }
}
