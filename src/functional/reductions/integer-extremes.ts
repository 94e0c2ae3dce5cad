// The largest and smallest of whole numbers, and their order, which no kernel has: labels, places, codes. Exact.
import type { TensorData } from '../../memory/dtype.js';
import { JAVASCRIPT_WORK, perform } from '../../run/deferral.js';
import { Tensor } from '../../tensor/tensor.js';
import { select } from '../shapes/select.js';
import { moved } from './moved.js';
import { withLast } from './reduce.js';

/** Where the largest or smallest of each row of `size` is: the first of equal ones. */
function placesInRows(
  who: string,
  largest: boolean,
  rows: Tensor,
  size: number,
  places: Tensor,
): void {
  perform(
    { who, work: JAVASCRIPT_WORK * rows.numel, reads: { 'the input': rows }, writes: [places] },
    (_native, arrayOf, turns) => {
      const data = arrayOf(rows) as TensorData as Int32Array | BigInt64Array;
      const found = arrayOf(places) as TensorData as BigInt64Array;
      return turns(rows.numel, (begin, end) => {
        for (let i = begin; i < end;) {
          const start = i - (i % size);
          const stop = Math.min(end, start + size);
          // A turn may begin within a row.
          let best = i === start ? start : start + Number(found[start / size]);
          for (; i < stop; i++) {
            if (largest ? data[i]! > data[best]! : data[i]! < data[best]!) best = i;
          }
          found[start / size] = BigInt(best - start);
        }
      });
    },
  );
}

/** Writes where the largest or smallest along `dim` is. */
export function integerPlaces(
  who: string,
  largest: boolean,
  x: Tensor,
  dim: number,
  places: Tensor,
): void {
  const rows = moved(x, dim);
  placesInRows(who, largest, rows, x.shape[dim] ?? 1, places);
  if (rows !== x) rows.dispose();
}

/** The largest or smallest over `dims`, which hold `size` elements, in the dtype of x. */
export function integerExtremes(
  who: string,
  largest: boolean,
  x: Tensor,
  dims: readonly number[],
  size: number,
  shape: readonly number[],
): Tensor {
  const rows = withLast(x, dims);
  const outer = size === 0 ? 0 : rows.numel / size;
  const index = Tensor.uninitialized([outer], 'int64');
  if (outer > 0) placesInRows(who, largest, rows, size, index);
  const y = select('gather', rows, shape, { who, index, outer, size, count: 1, inner: 1 });
  if (rows !== x) rows.dispose();
  index.dispose();
  return y;
}

/** The first `count` of each row of `size` in order, and where each was; equal ones stay in their order. */
export function orderIntegers(
  from: Int32Array | BigInt64Array,
  to: Int32Array | BigInt64Array,
  places: BigInt64Array,
  row: number,
  size: number,
  count: number,
  descending: boolean,
): void {
  const start = row * size;
  const sign = descending ? -1 : 1;
  const order = Array.from({ length: size }, (_, i) => i);
  order.sort((a, b) => {
    const [first, second] = [from[start + a]!, from[start + b]!];
    return first < second ? -sign : first > second ? sign : 0;
  });
  for (let k = 0; k < count; k++) {
    to[row * count + k] = from[start + order[k]!]!;
    places[row * count + k] = BigInt(order[k]!);
  }
}
