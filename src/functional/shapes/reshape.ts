import * as check from '../../check/index.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';

/** The same elements in the same order under another shape; shares memory. */
export function reshape(x: TensorLike, shape: readonly number[]): Tensor {
  const input = Tensor.from(x);
  const sizes = check.shape('reshape', shape);
  if (check.numelOf(sizes) !== input.numel) {
    throw check.wrongValue(
      'reshape',
      `a shape of ${input.numel} elements`,
      `shape ${check.shapeText(sizes)}`,
    );
  }
  input.present('reshape', 'the input');
  return record('reshape', input.alias(sizes), [input], [], (dy) => [dy.alias(input.shape)]);
}
