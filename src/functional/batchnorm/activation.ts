// A pointwise activation right behind a normalisation: in its pass, or, where that pass is none over whole tensors, as an
// operation of its own. The same bits either way.
import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { Tensor } from '../../tensor/tensor.js';
import {
  activationOf,
  type ActivationOption,
  type PointwiseActivation,
} from '../pointwise/activation-table.js';
import { CODES } from '../pointwise/codes.js';
import { gradient } from '../pointwise/apply.js';
import type { Plan } from './plan.js';

/** What is computed behind y in its pass. */
interface Behind {
  readonly relu?: boolean | undefined;
  readonly activation?: ActivationOption | undefined;
}

/**
 * @internal The two fields of a plan.
 *
 * @throws {TypeError | RangeError} for both options, or for no activation.
 */
export function behindOf(
  who: string,
  options: Behind | undefined,
): { readonly relu: boolean; readonly activation: PointwiseActivation | null } {
  const relu = check.booleanOption(who, 'relu', options?.relu);
  if (options?.activation === undefined) return { relu, activation: null };
  if (relu) throw new TypeError(`${who}: expected relu or activation, got both.`);
  const activation = activationOf(who, options.activation);
  return activation === 'relu' ? { relu: true, activation: null } : { relu, activation };
}

/**
 * @internal The gradient of what the activation was applied to, in memory of its own. Where the activation's derivative
 * is one of its input, that is computed again from x.
 */
export function activationGradient(
  plan: Plan,
  activation: PointwiseActivation,
  x: Tensor,
  y: Tensor,
  dy: Tensor,
  rows: Float64Array,
): Tensor {
  const { backward, saved, p, q } = activation;
  if (saved === 'output') return gradient(backward, y, dy, p, q);
  const { who, dims, weight, bias } = plan;
  const dz = Tensor.like(x);
  perform(
    {
      who,
      work: x.numel,
      reads: { 'the input': x, 'the gradient': dy, weight, bias },
      writes: [dz],
    },
    (native, arrayOf) =>
      native.activationBackward(
        ...([arrayOf(x), arrayOf(dy), arrayOf(dz), dims.n, dims.c, dims.l] as const),
        ...([arrayOf(weight), arrayOf(bias), rows] as const),
        ...([CODES.binary[backward], p, q] as const),
      ),
  );
  return dz;
}
