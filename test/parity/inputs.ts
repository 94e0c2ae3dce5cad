// Inputs for the tests here: seeded normal numbers, a gradient to match, and what a call left behind.
import { tensor, type nn, type Tensor } from 'evenkeel';

import { normalFrom } from '../helpers/random.js';

type Float = 'float32' | 'float64';

/** Mean 0, deviation 1, times `scale`, plus `offset`. */
export function normal(
  shape: readonly number[],
  seed: number,
  {
    dtype = 'float32',
    scale = 1,
    offset = 0,
  }: { dtype?: Float; scale?: number; offset?: number } = {},
): Tensor {
  const next = normalFrom(seed);
  const numel = shape.reduce((a, b) => a * b, 1);
  const data = Float64Array.from({ length: numel }, () => offset + scale * next());
  return tensor(dtype === 'float32' ? Float32Array.from(data) : data, [...shape]);
}

/** The same numbers in memory of their own, as a leaf. */
export function asLeaf(x: Tensor): Tensor {
  const leaf = x.clone();
  leaf.requiresGrad = true;
  return leaf;
}

export interface Passed {
  readonly y: Tensor;
  readonly dx: Tensor;
}

/** One forward and backward of a layer: its output, and the gradient of its input. */
export function pass(layer: nn.Layer, x: Tensor, dy: Tensor): Passed {
  const leaf = asLeaf(x);
  const y = layer.forward(leaf);
  y.backward(dy);
  return { y, dx: leaf.grad! };
}

/** running_mean, running_var and num_batches_tracked as plain numbers. */
export function statistics(bn: nn.BatchNorm): { mean: number[]; var: number[]; batches: number } {
  const numbers = (each: Tensor | null): number[] => Array.from(each?.data ?? [], Number);
  return {
    mean: numbers(bn.runningMean),
    var: numbers(bn.runningVar),
    batches: bn.numBatchesTracked,
  };
}
