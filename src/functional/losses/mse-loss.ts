import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { pointwiseLoss } from './pointwise.js';
import { reductionOf, wholeBatchOf, type Reduction } from './reduction.js';

export interface MSELossOptions {
  /** 'mean' over all elements (default), 'sum', or 'none': one loss for each. */
  reduction?: Reduction | undefined;
  /** What the mean is over instead: the rows of the whole batch, of which this is a part. Above 0. */
  of?: number | undefined;
}

/**
 * Mean squared error: Σ (prediction - target)² / numel, summed in double and rounded once.
 *
 * @param prediction - Any shape, float32 or float64.
 * @param target - The same shape and dtype.
 * @returns A scalar, or that shape with 'none'.
 */
export function mseLoss(
  prediction: TensorLike,
  target: TensorLike,
  options: MSELossOptions = {},
): Tensor {
  const who = 'mseLoss';
  check.options(who, options, ['reduction', 'of']);
  const reduction = reductionOf(who, options.reduction);
  const of = wholeBatchOf(who, options.of, reduction);
  const input = Tensor.operand(who, 'the prediction', prediction);
  const wanted = Tensor.operand(who, 'the target', target);
  check.floating(who, 'the prediction', input);
  check.sameDtype(who, 'the target', wanted, input.dtype);
  check.sameShape(who, 'a target', wanted, input.shape);
  input.present(who, 'the prediction');
  wanted.present(who, 'the target');

  if (reduction === 'none')
    return pointwiseLoss(who, input, wanted, { kind: 'squared', reduction });
  const all = of === undefined ? input.numel : of * check.numelOf(input.shape, 1);
  const divisor = reduction === 'mean' ? all : 1;
  const y = Tensor.uninitialized([], input.dtype);
  const call = reduction === 'mean' && of === undefined ? 'meanSquaredError' : 'squaredError';
  perform(
    {
      who,
      work: input.numel,
      reads: { 'the prediction': input, 'the target': wanted },
      writes: [y],
    },
    (native, arrayOf) => native[call](arrayOf(input), arrayOf(wanted), input.numel),
    (arrayOf, result) => {
      arrayOf(y)[0] = of === undefined ? (result as number) : (result as number) / divisor;
    },
  );
  return record(who, y, [input, wanted], [input, wanted], (dy, needs) => {
    const factor = (2 * dy.item()) / divisor;
    const gradient = (a: Tensor, b: Tensor): Tensor => {
      const out = Tensor.uninitialized(a.shape, a.dtype);
      perform(
        {
          who,
          work: out.numel,
          reads: { 'the prediction': a, 'the target': b },
          writes: [out],
        },
        (native, arrayOf) =>
          native.squaredErrorBackward(arrayOf(a), arrayOf(b), factor, arrayOf(out), out.numel),
      );
      return out;
    };
    return [needs[0] ? gradient(input, wanted) : null, needs[1] ? gradient(wanted, input) : null];
  });
}
