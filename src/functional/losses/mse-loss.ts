import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import type { Reduction } from './cross-entropy.js';

export interface MSELossOptions {
  /** 'mean' over all elements (default), or 'sum'. */
  reduction?: Reduction | undefined;
}

/**
 * Mean squared error: Σ (prediction - target)² / numel, summed in double and rounded once.
 *
 * @param prediction - Any shape, float32 or float64.
 * @param target - The same shape and dtype.
 * @returns A scalar.
 */
export function mseLoss(
  prediction: TensorLike,
  target: TensorLike,
  options: MSELossOptions = {},
): Tensor {
  const who = 'mseLoss';
  check.options(who, options, ['reduction']);
  const { reduction = 'mean' } = options;
  check.oneOf(who, 'reduction', reduction, ['mean', 'sum']);
  const input = Tensor.from(prediction);
  const wanted = Tensor.from(target);
  check.floating(who, 'the prediction', input);
  check.sameDtype(who, 'the target', wanted, input.dtype);
  check.sameShape(who, 'a target', wanted, input.shape);
  input.present(who, 'the prediction');
  wanted.present(who, 'the target');

  const divisor = reduction === 'mean' ? input.numel : 1;
  const y = Tensor.uninitialized([], input.dtype);
  const call = reduction === 'mean' ? 'meanSquaredError' : 'squaredError';
  perform(
    {
      who,
      work: input.numel,
      reads: { 'the prediction': input, 'the target': wanted },
      writes: [y],
    },
    (native, arrayOf) => native[call](arrayOf(input), arrayOf(wanted), input.numel),
    (arrayOf, result) => {
      arrayOf(y)[0] = result as number;
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
