import * as check from '../check.js';
import { dropout } from '../functional/dropout.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { HAS_MODE, WHO } from './internals.js';
import { Module } from './module.js';
import { pythonFloat } from './repr.js';

/** In training, zeroes elements with probability p and scales the rest by 1 / (1 - p). */
export class Dropout extends Module {
  readonly p: number;

  /** @param p - 0 to 1, default 0.5. */
  constructor(p = 0.5) {
    super();
    this.p = check.numberBetween(this[WHO], 'p', p, 0, 1);
  }

  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return dropout(x, { p: this.p, training: this.training });
  }

  /** @internal */
  get [HAS_MODE](): boolean {
    return true;
  }

  override extraRepr(): string {
    return `p=${pythonFloat(this.p)}, inplace=False`;
  }
}
