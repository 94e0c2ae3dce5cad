// Losses of binary targets, and of pairs and triplets of vectors.
import * as check from '../check/index.js';
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
} from '../functional/losses/binary-cross-entropy.js';
import {
  cosineEmbeddingLoss,
  cosineSimilarity,
  type CosineEmbeddingLossOptions,
  type CosineSimilarityOptions,
} from '../functional/losses/similarity.js';
import {
  tripletMarginLoss,
  type TripletMarginLossOptions,
} from '../functional/losses/triplet-margin-loss.js';
import type { Tensor, TensorLike } from '../tensor/tensor.js';
import { weightBuffer } from './loss-weights.js';
import { Loss, optionsOf } from './loss.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';

/**
 * The mean of -(t log σ(x) + (1 - t) log(1 - σ(x))) for logits x and targets t from 0 to 1, without overflow:
 * `functional.binaryCrossEntropyWithLogits`.
 *
 * @example
 * ```ts
 * const criterion = new nn.BCEWithLogitsLoss();
 * criterion.forward(tensor([0]), tensor([1])).item().toFixed(4); // => '0.6931'
 * ```
 */
export class BCEWithLogitsLoss extends Loss<BinaryCrossEntropyWithLogitsOptions> {
  constructor(options: BinaryCrossEntropyWithLogitsOptions = {}) {
    super(options, ['weight', 'posWeight', 'reduction']);
    weightBuffer(this, 'weight', options.weight);
    weightBuffer(this, 'pos_weight', options.posWeight);
  }

  forward(logits: TensorLike, target: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    const { reduction } = optionsOf(this);
    return binaryCrossEntropyWithLogits(logits, target, {
      reduction,
      weight: this.getBuffer('weight'),
      posWeight: this.getBuffer('pos_weight'),
    });
  }
}

/**
 * The mean of -(t log p + (1 - t) log(1 - p)) for probabilities p and targets t: `functional.binaryCrossEntropy`.
 *
 * @example
 * ```ts
 * new nn.BCELoss().forward(tensor([0.5]), tensor([1])).item().toFixed(4); // => '0.6931'
 * ```
 */
export class BCELoss extends Loss<BinaryCrossEntropyOptions> {
  constructor(options: BinaryCrossEntropyOptions = {}) {
    super(options, ['weight', 'reduction']);
    weightBuffer(this, 'weight', options.weight);
  }

  forward(probabilities: TensorLike, target: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    const { reduction } = optionsOf(this);
    return binaryCrossEntropy(probabilities, target, {
      reduction,
      weight: this.getBuffer('weight'),
    });
  }
}

/** Pairs that should, or should not, point the same way: `functional.cosineEmbeddingLoss`. */
export class CosineEmbeddingLoss extends Loss<CosineEmbeddingLossOptions> {
  constructor(options: CosineEmbeddingLossOptions = {}) {
    super(options, ['margin', 'reduction']);
    check.numberBetween(this[WHO], 'margin', options.margin ?? 0, -1, 1);
  }

  forward(
    a: TensorLike,
    b: TensorLike,
    targets: Tensor | ArrayLike<number>,
    ...rest: never[]
  ): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 3, rest);
    return cosineEmbeddingLoss(a, b, targets, optionsOf(this));
  }
}

/** An anchor nearer to its positive than to its negative: `functional.tripletMarginLoss`. */
export class TripletMarginLoss extends Loss<TripletMarginLossOptions> {
  constructor(options: TripletMarginLossOptions = {}) {
    super(options, ['margin', 'p', 'eps', 'swap', 'reduction']);
    check.numberBetween(this[WHO], 'margin', options.margin ?? 1, Number.MIN_VALUE, Infinity);
    check.numberBetween(this[WHO], 'eps', options.eps ?? 1e-6, 0, Infinity);
    check.boolean(this[WHO], 'swap', options.swap ?? false);
    check.wholeNumber(this[WHO], 'p', options.p ?? 2, 1, 2);
  }

  forward(
    anchor: TensorLike,
    positive: TensorLike,
    negative: TensorLike,
    ...rest: never[]
  ): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 3, rest);
    return tripletMarginLoss(anchor, positive, negative, optionsOf(this));
  }
}

const SIMILARITY = Symbol('similarity');

/** Cosine of vectors along a dimension: `functional.cosineSimilarity`. */
export class CosineSimilarity extends Module {
  private readonly [SIMILARITY]: CosineSimilarityOptions;

  constructor(options: CosineSimilarityOptions = {}) {
    super();
    check.options(this[WHO], options, ['dim', 'eps']);
    check.numberBetween(this[WHO], 'eps', options.eps ?? 1e-8, 0, Infinity);
    this[SIMILARITY] = { ...options };
  }

  forward(a: TensorLike, b: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    return cosineSimilarity(a, b, this[SIMILARITY]);
  }
}
