// Losses that are computed element by element (native/math/losses.h): one call forward, one for each gradient.
import { perform } from '../../run/deferral.js';
import type { ArrayOf } from '../../run/step.js';
import { record, Tensor } from '../../tensor/tensor.js';
import type { Reduction } from './reduction.js';

/** In the order of LossKind in native/kernels/losses.h. */
const LOSS_KINDS = [
  ...(['squared', 'absolute', 'smooth', 'huber'] as const),
  ...(['binary', 'binaryLogits', 'divergence', 'logDivergence'] as const),
] as const;

/** How many elements go through memory in the time that one takes. */
const WORK = {
  ...{ squared: 2, absolute: 2, smooth: 3, huber: 3 },
  ...{ binary: 20, binaryLogits: 20, divergence: 10, logDivergence: 10 },
} as const;

export interface PointwiseLoss {
  readonly kind: (typeof LOSS_KINDS)[number];
  readonly reduction: Reduction;
  /** What a mean is over. Default: all elements. */
  readonly divisor?: number;
  /** Of the operands' size, which nobody else writes. */
  readonly weight?: Tensor | null;
  readonly positive?: Tensor | null;
  /** beta, or delta. */
  readonly p?: number;
}

/** The operands have been checked: of one shape and dtype. */
export function pointwiseLoss(
  who: string,
  x: Tensor,
  target: Tensor,
  { kind: name, reduction, divisor: over, weight = null, positive = null, p = 0 }: PointwiseLoss,
): Tensor {
  const kind = LOSS_KINDS.indexOf(name);
  const n = x.numel;
  const divisor = reduction === 'mean' ? (over ?? n) : 1;
  const y = Tensor.uninitialized(reduction === 'none' ? x.shape : [], x.dtype);
  const reads = (each: Tensor | null) => ({
    'the prediction': x,
    'the target': target,
    weight,
    posWeight: positive,
    'the gradient': each,
  });
  const operandsIn = (arrayOf: ArrayOf) =>
    [
      ...([arrayOf(x), arrayOf(target), arrayOf(weight), arrayOf(positive)] as const),
      ...([kind, n, p] as const),
    ] as const;
  perform(
    { who, work: WORK[name] * n, reads: reads(null), writes: [y] },
    (native, arrayOf) => {
      const operands = operandsIn(arrayOf);
      return reduction === 'none'
        ? native.lossValues(...operands, arrayOf(y))
        : native.lossSum(...operands, divisor);
    },
    (arrayOf, result) => {
      if (reduction !== 'none') arrayOf(y)[0] = result as number;
    },
  );
  return record(who, y, [x, target], [x, target], (dy, needs) => {
    const each = reduction === 'none' ? dy : null;
    const factor = reduction === 'none' ? 1 : dy.item() / divisor;
    const gradient = (ofTarget: boolean): Tensor => {
      const out = Tensor.uninitialized(x.shape, x.dtype);
      perform(
        { who, work: WORK[name] * n, reads: reads(each), writes: [out] },
        (native, arrayOf) => {
          const operands = operandsIn(arrayOf);
          return native.lossGradients(...operands, ofTarget, arrayOf(each), factor, arrayOf(out));
        },
      );
      return out;
    };
    return [needs[0] ? gradient(false) : null, needs[1] ? gradient(true) : null];
  });
}
