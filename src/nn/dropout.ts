import * as check from '../check/index.js';
import { dropout1dOf, dropoutOf, type Draws } from '../functional/dropout.js';
import type { Tensor, TensorLike } from '../tensor/tensor.js';
import { HAS_MODE, SHARED_DRAWS, WHO } from './module/internals.js';
import { Module } from './module/module.js';
import { pythonFloat } from './module/repr.js';

const PROBABILITY = Symbol('probability');

/**
 * In training, zeroes elements with probability p and scales the rest by 1 / (1 - p). In evaluation the values stay. It
 * draws from the stream of `manualSeed`.
 *
 * @throws {RangeError | TypeError} for a p that is no number from 0 to 1.
 * @example
 * ```ts
 * new nn.Dropout(0.5).eval().forward(tensor([1, 2])).toArray(); // => [1, 2]
 * ```
 */
export class Dropout extends Module {
  private [PROBABILITY] = 0.5;
  /** @internal */
  [SHARED_DRAWS]: Draws | null = null;

  /** @param p - 0 to 1, default 0.5. */
  constructor(p = 0.5) {
    super();
    this.p = p;
  }

  /** Probability of a zero. @throws {RangeError} outside 0 to 1. */
  get p(): number {
    return this[PROBABILITY];
  }

  set p(value: number) {
    this[PROBABILITY] = check.numberBetween(this[WHO], 'p', value, 0, 1);
  }

  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return dropoutOf(x, { p: this.p, training: this.training }, this[SHARED_DRAWS]);
  }

  /** @internal */
  get [HAS_MODE](): boolean {
    return true;
  }

  override extraRepr(): string {
    return `p=${pythonFloat(this.p)}, inplace=False`;
  }
}

/** In training, zeroes whole channels of [N, C, L] or [C, L] with probability p and scales the rest by 1 / (1 - p). */
export class Dropout1d extends Dropout {
  override forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return dropout1dOf(x, { p: this.p, training: this.training }, this[SHARED_DRAWS]);
  }
}
