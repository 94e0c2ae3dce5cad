// The gradient of an operand that was broadcast: summed over what it was repeated along.
import * as check from '../../check/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { reduce } from './reduce.js';

/** `gradient` itself where it has the shape already. */
export function sumTo(gradient: Tensor, shape: readonly number[]): Tensor {
  if (check.equalShapes(gradient.shape, shape)) return gradient;
  const more = gradient.shape.length - shape.length;
  const dims = gradient.shape
    .map((_, i) => i)
    .filter((i) => i < more || (shape[i - more] === 1 && gradient.shape[i] !== 1));
  if (dims.length === 0) return gradient.alias(shape);
  return reduce('sum', gradient, dims, shape);
}
