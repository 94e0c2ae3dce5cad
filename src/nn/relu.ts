import { relu } from '../functional/relu.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { Module } from './module.js';

/** y = max(x, 0). */
export class ReLU extends Module {
  forward(x: TensorLike): Tensor {
    return relu(x);
  }
}
