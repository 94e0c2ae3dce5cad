import * as check from '../check/index.js';
import { identity } from '../functional/identity.js';
import { Tensor, type TensorLike } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';

/** y = x, as a tensor of its own: what stands where a layer was. */
export class Identity extends Module {
  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return identity(this[WHO], Tensor.operand(this[WHO], 'the input', x));
  }
}
