// The sum of whole numbers, which no kernel has: how many of a mask hold. Exact, as int64.
import type { TensorData } from '../../memory/dtype.js';
import { JAVASCRIPT_WORK, perform } from '../../run/deferral.js';
import { Tensor } from '../../tensor/tensor.js';
import { withLast } from './reduce.js';

/** As many int32 are added as numbers, exactly, before they are added as BigInts: 2^21 · 2^31 is below 2^53. */
const PART = 2 ** 21;

/** Over `dims`, which hold `size` elements, as int64. What is beyond its range wraps around, as in PyTorch. */
export function integerSum(
  x: Tensor,
  dims: readonly number[],
  size: number,
  shape: readonly number[],
): Tensor {
  const y = Tensor.uninitialized(shape, 'int64');
  if (y.numel === 0) return y;
  const from = withLast(x, dims);
  perform(
    { who: 'sum', work: JAVASCRIPT_WORK * x.numel, reads: { 'the input': from }, writes: [y] },
    (_native, arrayOf, turns) => {
      const data = arrayOf(from) as TensorData as Int32Array | BigInt64Array;
      const sums = arrayOf(y) as TensorData as BigInt64Array;
      sums.fill(0n);
      return turns(from.numel, (begin, end) => {
        for (let i = begin; i < end;) {
          const row = Math.floor(i / size);
          const stop = Math.min(end, (row + 1) * size, i + PART);
          sums[row] = sums[row]! + sumOf(data, i, stop);
          i = stop;
        }
      });
    },
  );
  if (from !== x) from.dispose();
  return y;
}

function sumOf(data: Int32Array | BigInt64Array, begin: number, end: number): bigint {
  if (typeof data[begin] === 'bigint') {
    let sum = 0n;
    for (let i = begin; i < end; i++) sum += data[i] as bigint;
    return sum;
  }
  let sum = 0;
  for (let i = begin; i < end; i++) sum += data[i] as number;
  return BigInt(sum);
}
