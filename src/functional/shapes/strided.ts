// Elements copied from one order to another, by one native call.
import { addon } from '../../addon/control.js';
import * as check from '../../check/index.js';
import type { FloatData } from '../../memory/dtype.js';
import { Tensor } from '../../tensor/tensor.js';

/** Strides of contiguous elements. */
export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => check.numelOf(shape, axis + 1));
}

/** Where a walk over sizes begins in a tensor, and how far each dimension goes on. */
export interface Place {
  readonly tensor: Tensor;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** The elements as floats of the same size: nobody looks at a value. */
export function wordsOf(tensor: Tensor): FloatData {
  const data = tensor.attached('evenkeel');
  if (tensor.dtype === 'float32' || tensor.dtype === 'float64') return data as FloatData;
  const Words = tensor.dtype === 'int32' ? Float32Array : Float64Array;
  return new Words(data.buffer as ArrayBuffer, data.byteOffset, tensor.numel);
}

/** to[i, j, …] = from[i, j, …] over `sizes`. */
export function copyStrided(sizes: readonly number[], from: Place, to: Place): void {
  if (check.numelOf(sizes) === 0) return;
  const layout = Float64Array.of(from.offset, to.offset, ...sizes, ...from.strides, ...to.strides);
  const [source, target] = [wordsOf(from.tensor), wordsOf(to.tensor)];
  addon.copyStrided(source, target, from.tensor.numel, to.tensor.numel, layout, sizes.length);
}

/** A new tensor of the elements that a walk over `shape` meets. */
export function gathered(
  x: Tensor,
  shape: readonly number[],
  offset: number,
  strides: readonly number[],
): Tensor {
  const y = Tensor.uninitialized(shape, x.dtype);
  copyStrided(
    shape,
    { tensor: x, offset, strides },
    { tensor: y, offset: 0, strides: stridesOf(shape) },
  );
  return y;
}

/** x with its dimensions in another order. */
export function permuted(x: Tensor, dims: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  return gathered(
    x,
    dims.map((dim) => x.shape[dim]!),
    0,
    dims.map((dim) => strides[dim]!),
  );
}
