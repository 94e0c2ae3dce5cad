// The same values in another element type.
import * as check from '../check/index.js';
import { convert } from '../memory/elements.js';
import { DTYPES, isFloating, type DType, type TensorData } from '../memory/dtype.js';
import { JAVASCRIPT_WORK, perform } from '../run/deferral.js';
import { recordRepeatable, Tensor, type Backward } from '../tensor/tensor.js';
import { identity } from './identity.js';

const DEVICE = /^(cpu|cuda|mps|xpu)\b/;

/** What `to` is given. */
export function dtypeOf(who: string, value: unknown): DType {
  if (typeof value === 'string' && DEVICE.test(value)) {
    const what = 'a dtype (the CPU is the only device: leave to(device) out)';
    throw check.wrongValue(who, what, check.describe(value));
  }
  return check.oneOf(who, 'dtype', value, DTYPES);
}

/**
 * x as another dtype: floats rounded to nearest, integers cut off towards 0. Between floating ones the gradient goes back,
 * rounded to the dtype of x.
 */
export function inDtype(who: string, x: Tensor, dtype: DType): Tensor {
  x.present(who);
  if (x.dtype === dtype) return identity('to', x);
  const y = convertedTo(who, x, dtype);
  return isFloating(dtype) ? recordRepeatable('to', y, [x], back(x.dtype)) : y;
}

/** Holds no tensor. */
const back =
  (dtype: DType): Backward =>
  (dy) => [convertedTo('to', dy, dtype)];

function convertedTo(who: string, x: Tensor, dtype: DType): Tensor {
  const { expandedValue } = x;
  if (expandedValue !== null && isFloating(dtype))
    return Tensor.expanded(x.shape, dtype, expandedValue);
  const y = Tensor.uninitialized(x.shape, dtype);
  perform(
    { who, work: JAVASCRIPT_WORK * y.numel, reads: { 'the input': x }, writes: [y] },
    (_native, arrayOf, turns) => {
      const [data, result] = [arrayOf(x) as TensorData, arrayOf(y) as TensorData];
      return turns(y.numel, (begin, end) => {
        convert(who, data, x.dtype, result, dtype, begin, end);
      });
    },
  );
  return y;
}
