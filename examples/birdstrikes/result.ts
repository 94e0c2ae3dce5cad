// What a training of the birdstrikes example gives.
import type { Importance } from './importance.js';

export interface Epoch {
  /** Of each step. */
  readonly losses: readonly number[];
  /** Of the training alone. */
  readonly seconds: number;
  /** Area under the ROC curve of the validation set: 0.5 by chance, 1 at best. */
  readonly auc: number;
}

export interface Result {
  readonly epochs: readonly Epoch[];
  /** From 1. */
  readonly bestEpoch: number;
  /** Of the test set, by the weights of the best epoch. */
  readonly auc: number;
  readonly importance: readonly Importance[];
}
