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
import { reduce } from '../reductions/reduce.js';
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

/** @internal What activations leave for their gradients. */
interface Activated {
  readonly plan: Plan;
  readonly activation: PointwiseActivation;
  readonly x: Tensor;
  readonly y: Tensor;
  /** [3, C]. */
  readonly rows: Float64Array;
}

/**
 * @internal The gradient of what the activation was applied to, in memory of its own, and that of a PReLU's slopes where
 * it is needed. Where the activation's derivative is one of its input, that is computed again from x.
 */
export function activationGradient(
  { plan, activation, x, y, rows }: Activated,
  dy: Tensor,
  needsSlopes: boolean,
): { readonly dz: Tensor; readonly dslopes: Tensor | null } {
  const { backward, saved, p, q, slopes } = activation;
  if (saved === 'output') return { dz: gradient(backward, y, dy, p, q), dslopes: null };
  const { who, dims, weight, bias } = plan;
  const dz = Tensor.like(x);
  const products =
    needsSlopes && slopes !== null
      ? Tensor.uninitialized(productsShape(dims, slopes), x.dtype)
      : null;
  perform(
    {
      who,
      work: x.numel,
      reads: { 'the input': x, 'the gradient': dy, weight, bias, 'the slopes': slopes },
      writes: [dz, products],
    },
    (native, arrayOf) =>
      native.activationBackward(
        ...([arrayOf(x), arrayOf(dy), arrayOf(dz), dims.n, dims.c, dims.l] as const),
        ...([arrayOf(weight), arrayOf(bias), rows] as const),
        ...([CODES.binary[backward], p, q, arrayOf(slopes), arrayOf(products)] as const),
      ),
  );
  if (products === null || slopes === null) return { dz, dslopes: null };
  const along = products.shape.length === 1 || dims.l === 1 ? 0 : 1;
  const sums = reduce('sum', products, [along], [slopes.numel]);
  products.dispose();
  return { dz, dslopes: sums.alias(slopes.shape) };
}

/** How the products lie that add up to the gradients of slopes: as prelu sums its own, so that the bits are the same. */
function productsShape({ n, c, l }: Plan['dims'], slopes: Tensor): readonly number[] {
  if (slopes.numel === 1) return [n * c * l];
  return l === 1 ? [n, c] : [c, n * l];
}
