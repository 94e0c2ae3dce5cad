import * as check from '../check.js';
import { dropout } from '../functional/dropout.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { Module } from './module.js';
import { pythonFloat } from './repr.js';

/** In training, zeroes elements with probability p and scales the rest by 1 / (1 - p). */
export class Dropout extends Module {
  readonly p: number;

  /** @param p - 0 to 1, default 0.5. */
  constructor(p = 0.5) {
    super();
    this.p = check.numberBetween(this.who, 'p', p, 0, 1);
  }

  forward(x: TensorLike): Tensor {
    return dropout(x, { p: this.p, training: this.training });
  }

  override extraRepr(): string {
    return `p=${pythonFloat(this.p)}, inplace=False`;
  }
}
