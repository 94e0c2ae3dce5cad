import * as check from '../check.js';
import {
  crossEntropy,
  type ClassTargets,
  type CrossEntropyOptions,
} from '../functional/cross-entropy.js';
import { mseLoss, type MSELossOptions } from '../functional/mse-loss.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { Module } from './module.js';

/** Softmax cross-entropy of unnormalised logits [N, classes] against N class indices. */
export class CrossEntropyLoss extends Module {
  private readonly options: CrossEntropyOptions;

  constructor(options: CrossEntropyOptions = {}) {
    super();
    check.options(this.who, options, ['reduction', 'ignoreIndex']);
    this.options = { ...options };
  }

  forward(logits: TensorLike, targets: ClassTargets): Tensor {
    return crossEntropy(logits, targets, this.options);
  }
}

/** Mean squared error. */
export class MSELoss extends Module {
  private readonly options: MSELossOptions;

  constructor(options: MSELossOptions = {}) {
    super();
    check.options(this.who, options, ['reduction']);
    this.options = { ...options };
  }

  forward(prediction: TensorLike, target: TensorLike): Tensor {
    return mseLoss(prediction, target, this.options);
  }
}
