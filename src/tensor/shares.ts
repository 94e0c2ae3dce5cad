// Gradients of a share: what a process of a job has computed from its part of the batch, until src/distributed/ has
// summed it. An optimiser that steps by it moves one replica elsewhere than the others.
import type { Tensor } from './class.js';

const summedOf = new WeakMap<Tensor, WeakSet<Tensor>>();

/** @internal From here on a gradient of `parameter` is that of a share unless it is in `summed`. */
export function expectSummed(parameter: Tensor, summed: WeakSet<Tensor>): void {
  summedOf.set(parameter, summed);
}

/** @internal Whether the gradient of a parameter is that of a share. */
export function isOfShare(parameter: Tensor): boolean {
  const summed = summedOf.get(parameter);
  if (summed === undefined || parameter.gradient === null) return false;
  return !summed.has(parameter.gradient);
}
