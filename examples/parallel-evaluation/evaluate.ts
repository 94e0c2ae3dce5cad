// What each thread does: take the next batch, write its logits to their place, until none is left.
import { noGrad, scope, tensor, type nn } from 'evenkeel';

import { countRight } from '../digits/model.js';
import { BATCH_SIZE, CLASSES, type Shared } from './shared.js';

/**
 * Evaluates batches until `total` are taken, by whoever else is at it too; number n is batch n of the
 * images, which start over where they end.
 */
export function evaluate(model: nn.Sequential, shared: Shared, total: number): void {
  const { next, right } = shared;
  noGrad(() => {
    for (let taken; (taken = Atomics.add(next, 0, 1)) < total;) {
      const batch = taken % right.length;
      right[batch] = scope(() => evaluateBatch(model, shared, batch));
    }
  });
}

function evaluateBatch(model: nn.Sequential, shared: Shared, batch: number): number {
  const { pictures, labels, logits } = shared;
  const [images, pixels] = pictures.shape as [number, number];
  const from = batch * BATCH_SIZE;
  const to = Math.min(from + BATCH_SIZE, images);
  const x = tensor(pictures.data.subarray(from * pixels, to * pixels), [to - from, pixels]);
  const y = model.forward(x);
  logits.set(y.data as Float32Array, from * CLASSES);
  return countRight(y, (labels.data as Int32Array).subarray(from, to));
}
