// Sums over a batch before they are rounded: what a process has to add to the sums of others, where each holds a part of
// the batch (src/distributed/).
import type { Tensor } from '../tensor/tensor.js';

const kept = new WeakMap<Tensor, Float64Array>();

/** @internal From here on backward keeps the unrounded gradient of a parameter, where it knows it. */
export function keepTotals(parameter: Tensor): void {
  if (!kept.has(parameter)) kept.set(parameter, new Float64Array(parameter.numel).fill(NaN));
}

/** @internal Where the unrounded gradient of the last backward is kept; null: nobody wants it. */
export function totalsOf(parameter: Tensor | null): Float64Array | null {
  return parameter === null ? null : (kept.get(parameter) ?? null);
}

const inLeaves = new WeakSet<Tensor>();

/**
 * @internal From here on the gradient of a weight is summed as the tree of native/kernels/sum_tree.h says, in the element
 * type: the node of this process's rows.
 */
export function sumInLeaves(weight: Tensor): void {
  inLeaves.add(weight);
}

/** @internal */
export function isSummedInLeaves(weight: Tensor): boolean {
  return inLeaves.has(weight);
}

const whole = new WeakSet<Tensor>();

/** @internal The gradient that a parameter gets is of the batch of all processes. */
export function markWhole(parameter: Tensor): void {
  whole.add(parameter);
}

/** @internal Whether it was, since the last time this was asked. */
export function takeWhole(parameter: Tensor): boolean {
  return whole.delete(parameter);
}
