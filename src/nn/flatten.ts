// Dimensions made one, and one made several: the same elements in the same order.
import * as check from '../check/index.js';
import { dimOf } from '../functional/dims.js';
import { flattened, reshape } from '../functional/shapes/reshape.js';
import { Tensor, type TensorLike } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';

export interface FlattenOptions {
  /** The first dimension of those that become one. Default 1: samples stay apart. */
  startDim?: number | undefined;
  /** The last of them. Default -1. */
  endDim?: number | undefined;
}

/**
 * [N, a, b, …] as [N, a · b · …], or other dimensions as one.
 *
 * @example
 * ```ts
 * new nn.Flatten().forward(tensor([[[1, 2], [3, 4]]])).toArray(); // => [[1, 2, 3, 4]]
 * ```
 */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(options: FlattenOptions = {}) {
    super();
    check.options(this[WHO], options, ['startDim', 'endDim']);
    const { startDim = 1, endDim = -1 } = options;
    const least = -Number.MAX_SAFE_INTEGER;
    this.startDim = check.wholeNumber(this[WHO], 'startDim', startDim, least);
    this.endDim = check.wholeNumber(this[WHO], 'endDim', endDim, least);
  }

  forward(x: TensorLike, ...rest: never[]): Tensor {
    const who = this[WHO];
    if (rest.length > 0) check.noMore(`${who}.forward`, 1, rest);
    return flattened(who, Tensor.operand(who, 'the input', x), this.startDim, this.endDim);
  }

  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

/** A dimension as several: the reverse of `Flatten`. */
export class Unflatten extends Module {
  readonly dim: number;
  readonly unflattenedSize: readonly number[];

  /**
   * @param dim - The dimension; negative ones count from the end.
   * @param unflattenedSize - Sizes whose product is that of the dimension; one may be -1: what is left.
   */
  constructor(dim: number, unflattenedSize: readonly number[]) {
    super();
    const who = this[WHO];
    this.dim = check.wholeNumber(who, 'dim', dim, -Number.MAX_SAFE_INTEGER);
    if (!Array.isArray(unflattenedSize) || unflattenedSize.length === 0)
      throw check.wrongKind(who, 'unflattenedSize to be an array of sizes', unflattenedSize);
    const sizes = unflattenedSize.map((size: unknown) =>
      check.wholeNumber(who, 'each of unflattenedSize', size, -1),
    );
    if (sizes.filter((size) => size === -1).length > 1)
      throw check.wrongValue(who, 'at most one size of -1', `[${sizes.join(', ')}]`);
    this.unflattenedSize = Object.freeze(sizes);
  }

  forward(x: TensorLike, ...rest: never[]): Tensor {
    const who = this[WHO];
    if (rest.length > 0) check.noMore(`${who}.forward`, 1, rest);
    const input = Tensor.operand(who, 'the input', x);
    const { shape } = input;
    const at = dimOf(who, 'dim', this.dim, shape.length);
    const size = shape[at] ?? 1;
    const known = this.unflattenedSize.reduce((a, b) => (b === -1 ? a : a * b), 1);
    const sizes = this.unflattenedSize.map((each) => (each === -1 ? size / known : each));
    if (!sizes.every(Number.isInteger) || check.numelOf(sizes) !== size) {
      throw check.wrongValue(
        who,
        `sizes whose product is ${size}, that of dimension ${at}`,
        `[${this.unflattenedSize.join(', ')}]`,
      );
    }
    return reshape(input, [...shape.slice(0, at), ...sizes, ...shape.slice(at + 1)]);
  }

  override extraRepr(): string {
    const sizes = this.unflattenedSize;
    const text = sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(', ')})`;
    return `dim=${this.dim}, unflattened_size=${text}`;
  }
}
