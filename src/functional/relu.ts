import * as check from '../check/index.js';
import { perform } from '../run/deferral.js';
import { record, Tensor, type TensorLike } from '../tensor/tensor.js';

/**
 * y = max(x, 0), elementwise; NaN stays NaN. dx = dy where y > 0, else 0.
 *
 * @param x - Any shape, float32 or float64.
 */
export function relu(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('relu', 1, rest);
  const input = Tensor.operand('relu', 'the input', x);
  check.floating('relu', 'the input', input);
  input.present('relu', 'the input');
  const y = Tensor.like(input);
  perform(
    {
      who: 'relu',
      work: y.numel,
      reads: { 'the input': input },
      writes: [y],
    },
    (native, arrayOf) => native.relu(arrayOf(input), arrayOf(y), y.numel),
  );
  return record('relu', y, [input], [y], (dy) => {
    const dx = Tensor.like(y);
    perform(
      {
        who: 'relu',
        work: y.numel,
        reads: { 'the output': y, 'the gradient': dy },
        writes: [dx],
      },
      (native, arrayOf) => native.reluBackward(arrayOf(y), arrayOf(dy), arrayOf(dx), dx.numel),
    );
    return [dx];
  });
}
