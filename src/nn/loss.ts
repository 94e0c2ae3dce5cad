// Losses as layers: their options, checked when one is made, and a call of functional. Weights are buffers under PyTorch's
// keys.
import * as check from '../check/index.js';
import type { ClassTargets } from '../functional/losses/class-rows.js';
import { crossEntropy, type CrossEntropyOptions } from '../functional/losses/cross-entropy.js';
import {
  huberLoss,
  l1Loss,
  smoothL1Loss,
  type HuberLossOptions,
  type L1LossOptions,
  type SmoothL1LossOptions,
} from '../functional/losses/distances.js';
import { klDiv, type KLDivOptions } from '../functional/losses/kl-div.js';
import { mseLoss, type MSELossOptions } from '../functional/losses/mse-loss.js';
import { nllLoss, type NLLLossOptions } from '../functional/losses/nll-loss.js';
import type { Reduction } from '../functional/losses/reduction.js';
import type { Tensor, TensorLike } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';
import { weightBuffer } from './loss-weights.js';

const OPTIONS = Symbol('options');

/** Keeps options that were checked when it was made. */
export abstract class Loss<Options extends object> extends Module {
  /** @internal */
  protected readonly [OPTIONS]: Options;

  protected constructor(
    options: Options,
    names: readonly string[],
    reductions: readonly string[] = ['mean', 'sum', 'none'] satisfies Reduction[],
  ) {
    super();
    check.options(this[WHO], options, names, { ofTensor: 'its forward takes the tensors' });
    const { reduction = 'mean' } = options as { reduction?: string | undefined };
    check.oneOf(this[WHO], 'reduction', reduction, reductions);
    this[OPTIONS] = { ...options };
  }
}

/** @internal The options of a loss, without those that are buffers. */
export function optionsOf<Options extends object>(loss: Loss<Options>): Options {
  return loss[OPTIONS];
}

/** Options of a layer: `of` is of one batch, and given to the function. */
export type CrossEntropyLossOptions = Omit<CrossEntropyOptions, 'of'>;

/**
 * Cross-entropy of logits [N, classes] against class indices or probabilities: the mean of -log(softmax(logits)[target]).
 * The options are those of `functional.crossEntropy`.
 *
 * @throws {RangeError | TypeError} for an option out of its range.
 * @example
 * ```ts
 * const criterion = new nn.CrossEntropyLoss();
 * criterion.forward(tensor([[0, 0]]), [1]).item().toFixed(4); // => '0.6931'
 * ```
 */
export class CrossEntropyLoss extends Loss<CrossEntropyLossOptions> {
  constructor(options: CrossEntropyLossOptions = {}) {
    super(options, ['weight', 'labelSmoothing', 'reduction', 'ignoreIndex']);
    const { labelSmoothing = 0, weight } = options;
    check.numberBetween(this[WHO], 'labelSmoothing', labelSmoothing, 0, 1);
    weightBuffer(this, 'weight', weight);
  }

  forward(
    logits: TensorLike,
    targets: ClassTargets | TensorLike,
    options: { of?: number | undefined } = {},
    ...rest: never[]
  ): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 3, rest);
    check.options(`${this[WHO]}.forward`, options, ['of']);
    const { reduction, labelSmoothing, ignoreIndex } = optionsOf(this);
    const weight = this.getBuffer('weight');
    const { of } = options;
    return crossEntropy(logits, targets, { weight, reduction, labelSmoothing, ignoreIndex, of });
  }
}

/** Negative log-likelihood of log-probabilities [N, classes] against class indices: `functional.nllLoss`. */
export class NLLLoss extends Loss<NLLLossOptions> {
  constructor(options: NLLLossOptions = {}) {
    super(options, ['weight', 'ignoreIndex', 'reduction']);
    weightBuffer(this, 'weight', options.weight);
  }

  forward(logProbabilities: TensorLike, targets: ClassTargets, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    const { ignoreIndex, reduction } = optionsOf(this);
    const weight = this.getBuffer('weight');
    return nllLoss(logProbabilities, targets, { weight, ignoreIndex, reduction });
  }
}

/** Options of a layer: `of` is of one batch, and given to forward. */
type MSELossLayerOptions = Omit<MSELossOptions, 'of'>;

/**
 * The mean of (prediction - target)²: `functional.mseLoss`.
 *
 * @example
 * ```ts
 * new nn.MSELoss().forward(tensor([1, 4]), tensor([1, 2])).item(); // => 2
 * ```
 */
export class MSELoss extends Loss<MSELossLayerOptions> {
  constructor(options: MSELossLayerOptions = {}) {
    super(options, ['reduction']);
  }

  forward(
    prediction: TensorLike,
    target: TensorLike,
    options: { of?: number | undefined } = {},
    ...rest: never[]
  ): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 3, rest);
    check.options(`${this[WHO]}.forward`, options, ['of']);
    const { reduction } = optionsOf(this);
    return mseLoss(prediction, target, { reduction, of: options.of });
  }
}

/**
 * The mean of |prediction - target|: `functional.l1Loss`.
 *
 * @example
 * ```ts
 * new nn.L1Loss().forward(tensor([1, 4]), tensor([1, 2])).item(); // => 1
 * ```
 */
export class L1Loss extends Loss<L1LossOptions> {
  constructor(options: L1LossOptions = {}) {
    super(options, ['reduction']);
  }

  forward(prediction: TensorLike, target: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    return l1Loss(prediction, target, optionsOf(this));
  }
}

/**
 * The mean of d² / (2 beta) where |d| < beta, else |d| - beta / 2, with d = prediction - target: `functional.smoothL1Loss`.
 *
 * @throws {RangeError | TypeError} for a beta below 0.
 * @example
 * ```ts
 * new nn.SmoothL1Loss().forward(tensor([1, 4]), tensor([1, 2])).item(); // => 0.75
 * ```
 */
export class SmoothL1Loss extends Loss<SmoothL1LossOptions> {
  constructor(options: SmoothL1LossOptions = {}) {
    super(options, ['beta', 'reduction']);
    check.numberBetween(this[WHO], 'beta', options.beta ?? 1, 0, Infinity);
  }

  forward(prediction: TensorLike, target: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    return smoothL1Loss(prediction, target, optionsOf(this));
  }
}

/**
 * The mean of d² / 2 where |d| < delta, else delta (|d| - delta / 2), with d = prediction - target: `functional.huberLoss`.
 *
 * @throws {RangeError | TypeError} for a delta that is not above 0.
 * @example
 * ```ts
 * new nn.HuberLoss().forward(tensor([1, 4]), tensor([1, 2])).item(); // => 0.75
 * ```
 */
export class HuberLoss extends Loss<HuberLossOptions> {
  constructor(options: HuberLossOptions = {}) {
    super(options, ['delta', 'reduction']);
    check.numberBetween(this[WHO], 'delta', options.delta ?? 1, Number.MIN_VALUE, Infinity);
  }

  forward(prediction: TensorLike, target: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    return huberLoss(prediction, target, optionsOf(this));
  }
}

/** Kullback-Leibler divergence of log-probabilities: `functional.klDiv`. */
export class KLDivLoss extends Loss<KLDivOptions> {
  constructor(options: KLDivOptions = {}) {
    super(options, ['reduction', 'logTarget'], ['mean', 'batchmean', 'sum', 'none']);
    check.boolean(this[WHO], 'logTarget', options.logTarget ?? false);
  }

  forward(logProbabilities: TensorLike, target: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    return klDiv(logProbabilities, target, optionsOf(this));
  }
}
