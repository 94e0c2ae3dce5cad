// Places of a dimension chosen by a list of indices.
import { addon } from '../../addon/control.js';
import { floats, record, Tensor } from '../../tensor/tensor.js';
import { around } from '../dims.js';
import { wordsOf } from './strided.js';

/** x[:, index, :], recorded; the gradient is added up in the order of the index. */
export function selected(who: string, input: Tensor, dim: number, index: Int32Array): Tensor {
  const [outer, size, inner] = around(input, dim);
  const shape = input.shape.map((each, d) => (d === dim ? index.length : each));
  const y = Tensor.uninitialized(shape, input.dtype);
  if (y.numel > 0) {
    addon.indexSelect(wordsOf(input), index, wordsOf(y), outer, size, index.length, inner);
  }
  return record(who, y, [input], [], (dy) => {
    const dx = Tensor.filled(input.shape, input.dtype, 0);
    if (dy.numel > 0) {
      addon.indexAdd(floats(dx), index, floats(dy), outer, size, index.length, inner);
    }
    return [dx];
  });
}
