import * as check from '../check/index.js';
import {
  crossEntropy,
  type ClassTargets,
  type CrossEntropyOptions,
} from '../functional/losses/cross-entropy.js';
import { mseLoss, type MSELossOptions } from '../functional/losses/mse-loss.js';
import type { Tensor, TensorLike } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import { Module } from './module/module.js';

const OPTIONS = Symbol('options');

/** Softmax cross-entropy of unnormalised logits [N, classes] against N class indices. */
export class CrossEntropyLoss extends Module {
  private readonly [OPTIONS]: CrossEntropyOptions;

  constructor(options: CrossEntropyOptions = {}) {
    super();
    check.options(this[WHO], options, ['reduction', 'ignoreIndex']);
    this[OPTIONS] = { ...options };
  }

  forward(logits: TensorLike, targets: ClassTargets, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    return crossEntropy(logits, targets, this[OPTIONS]);
  }
}

/** Mean squared error. */
export class MSELoss extends Module {
  private readonly [OPTIONS]: MSELossOptions;

  constructor(options: MSELossOptions = {}) {
    super();
    check.options(this[WHO], options, ['reduction']);
    this[OPTIONS] = { ...options };
  }

  forward(prediction: TensorLike, target: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    return mseLoss(prediction, target, this[OPTIONS]);
  }
}
