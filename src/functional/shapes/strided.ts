// Elements copied from one order to another, by one native call.
import * as check from '../../check/index.js';
import { isFloating, type FloatData, type TensorData } from '../../memory/dtype.js';
import { perform } from '../../run/deferral.js';
import { Tensor, type DType } from '../../tensor/tensor.js';

/** Strides of contiguous elements. */
export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => check.numelOf(shape, axis + 1));
}

/** Strides with which a shape is walked that broadcasts to another: 0 along what is repeated. */
export function repeatedStrides(shape: readonly number[], into: readonly number[]): number[] {
  const more = into.length - shape.length;
  const own = stridesOf(shape);
  return into.map((_, i) => (i < more || shape[i - more] === 1 ? 0 : own[i - more]!));
}

/** Where a walk over sizes begins in a tensor, and how far each dimension goes on. */
export interface Place {
  readonly tensor: Tensor;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Elements as floats of the same size, for calls that look at no value. */
export function wordsOf(data: TensorData, dtype: DType): FloatData {
  if (isFloating(dtype)) return data as FloatData;
  const Words = dtype === 'int32' ? Float32Array : Float64Array;
  return new Words(data.buffer as ArrayBuffer, data.byteOffset, data.length);
}

/** to[i, j, …] = from[i, j, …] over `sizes`. */
export function copyStrided(sizes: readonly number[], from: Place, to: Place): void {
  const work = check.numelOf(sizes);
  if (work === 0) return;
  const layout = Float64Array.of(from.offset, to.offset, ...sizes, ...from.strides, ...to.strides);
  const { dtype } = from.tensor;
  perform(
    { who: 'copy', work, reads: { 'the input': from.tensor }, writes: [to.tensor] },
    (native, arrayOf) => {
      const source = wordsOf(arrayOf(from.tensor), dtype);
      const target = wordsOf(arrayOf(to.tensor), dtype);
      const [length, room] = [from.tensor.numel, to.tensor.numel];
      return native.copyStrided(source, target, length, room, layout, sizes.length);
    },
  );
}

/** A new tensor whose elements are all `value`. */
export function filled(shape: readonly number[], dtype: DType, value: number): Tensor {
  const floating = isFloating(dtype);
  if (!floating && value !== 0) return Tensor.filled(shape, dtype, value);
  const y = Tensor.uninitialized(shape, dtype);
  perform({ who: 'fill', work: y.numel, reads: {}, writes: [y] }, (native, arrayOf) =>
    native.fill(wordsOf(arrayOf(y), dtype), floating ? value : 0, y.numel),
  );
  return y;
}

/** The same elements in memory of their own. */
export function copied(x: Tensor): Tensor {
  return gathered(x, x.shape, 0, stridesOf(x.shape));
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
