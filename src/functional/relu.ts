import * as check from '../check/index.js';
import { addon } from '../addon/control.js';
import { floats, record, Tensor, type TensorLike } from '../tensor/tensor.js';

/**
 * y = max(x, 0), elementwise; NaN stays NaN. dx = dy where y > 0, else 0.
 *
 * @param x - Any shape, float32 or float64.
 */
export function relu(x: TensorLike): Tensor {
  const input = Tensor.from(x);
  check.floating('relu', 'the input', input);
  input.attached('relu', 'the input');
  const y = Tensor.like(input);
  addon.relu(floats(input), floats(y), y.numel);
  return record('relu', y, [input], [y], (dy) => {
    const dx = Tensor.like(y);
    addon.reluBackward(floats(y), floats(dy), floats(dx), dx.numel);
    return [dx];
  });
}
