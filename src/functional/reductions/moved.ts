// One dimension moved behind the others and back, for loops that want it side by side.
import { Tensor } from '../../tensor/tensor.js';
import { copyStrided, permuted, stridesOf } from '../shapes/strided.js';

function orderOf(rank: number, dim: number): number[] {
  const order = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== dim);
  order.push(dim);
  return order;
}

/** x with `dim` last; x itself where it is. */
export function moved(x: Tensor, dim: number): Tensor {
  return dim >= x.shape.length - 1 ? x : permuted(x, orderOf(x.shape.length, dim));
}

/** The opposite: `y` has `dim` of `shape` last. */
export function movedBack(y: Tensor, shape: readonly number[], dim: number): Tensor {
  if (dim >= shape.length - 1) return y;
  const order = orderOf(shape.length, dim);
  const back = Tensor.uninitialized(shape, y.dtype);
  const strides = stridesOf(shape);
  copyStrided(
    order.map((each) => shape[each]!),
    { tensor: y, offset: 0, strides: stridesOf(order.map((each) => shape[each]!)) },
    { tensor: back, offset: 0, strides: order.map((each) => strides[each]!) },
  );
  return back;
}
