// Reductions over any dimensions, as one native call over [outer, size, inner].
import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { Tensor } from '../../tensor/tensor.js';
import { permuted } from '../shapes/strided.js';

/** The order of ReduceCode in native/math/reductions.h. */
const CODES = { sum: 0, mean: 1, var: 2, std: 3, logsumexp: 4, norm: 5, amax: 6, amin: 7 } as const;

export type ReduceName = keyof typeof CODES;

/** The shape of a result: sizes of 1 in the place of the dimensions reduced, or without them. */
export function reducedShape(
  shape: readonly number[],
  dims: readonly number[],
  keepdim: boolean,
): number[] {
  return keepdim
    ? shape.map((size, i) => (dims.includes(i) ? 1 : size))
    : shape.filter((_, i) => !dims.includes(i));
}

/** The elements with `dims` behind the others. */
export function withLast(x: Tensor, dims: readonly number[]): Tensor {
  const others = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const order = [...others, ...dims];
  return order.every((dim, i) => dim === i) ? x : permuted(x, order);
}

/** Over `dims`, ascending; sums in double in an order that depends on the shape alone. */
export function reduce(
  name: ReduceName,
  x: Tensor,
  dims: readonly number[],
  shape: readonly number[],
  correction = 0,
): Tensor {
  const y = Tensor.uninitialized(shape, x.dtype);
  const first = dims[0] ?? 0;
  const last = dims.at(-1) ?? -1;
  const together = last - first + 1 === dims.length;
  let outer = check.numelOf(x.shape, 0, first);
  const size = dims.reduce((product, dim) => product * x.shape[dim]!, 1);
  let inner = check.numelOf(x.shape, last + 1);
  let from = x;
  if (!together) {
    from = withLast(x, dims);
    outer = y.numel;
    inner = 1;
  }
  if (y.numel > 0) {
    perform(
      { who: name, work: x.numel, reads: { 'the input': from }, writes: [y] },
      (native, arrayOf) =>
        native.reduce(arrayOf(from), arrayOf(y), CODES[name], outer, size, inner, correction),
    );
  }
  if (from !== x) from.dispose();
  return y;
}
