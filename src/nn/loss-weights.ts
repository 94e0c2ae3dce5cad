import { weightsOf, type Weights } from '../functional/losses/reduction.js';
import { Tensor } from '../tensor/tensor.js';
import { WHO } from './module/internals.js';
import type { Module } from './module/module.js';

/** Registers weights, a tensor or numbers, as a buffer, which a state dict has; null where there are none. */
export function weightBuffer(
  module: Module,
  key: string,
  weights: Weights | null | undefined,
): void {
  const isTensor = weights instanceof Tensor;
  const given =
    weights === undefined || weights === null
      ? null
      : weightsOf(module[WHO], key, weights, isTensor ? weights.dtype : 'float32');
  module.registerBuffer(key, given);
}
