// The gradient of a normalisation: dx, dweight and dbias from dy, by what the forward saved.
import { addon } from '../../addon/control.js';
import type { Native } from '../../run/calls.js';
import { deferring, perform } from '../../run/deferral.js';
import { floats, record, Tensor, type FloatData } from '../../tensor/tensor.js';
import { activationGradient } from './activation.js';
import { slopesOf, type Plan } from './plan.js';

/** One gradient that is to be computed. */
interface Call {
  readonly plan: Plan;
  /** The forward's input; dx where it is not read. */
  readonly x: Tensor;
  /** Null where the gradient is one value everywhere: then it has no array. */
  readonly dy: Tensor | null;
  readonly expandedValue: number | null;
  /** What the forward saved: [3, C]. */
  readonly rows: Float64Array;
  readonly dx: Tensor | null;
  readonly dweight: Tensor | null;
  readonly dbias: Tensor | null;
}

/**
 * @internal Makes y the recorded result of a normalisation whose statistics are, or will be by the time
 * of a backward, in `saved`.
 */
export function recordNormalization(
  input: Tensor,
  y: Tensor,
  plan: Plan,
  saved: Float64Array,
): Tensor {
  const { who, weight, bias, useRunning, relu, activation } = plan;
  // Frozen, the gradient is a multiple of the one that comes in: x is not read again.
  const learns = weight?.requiresGrad === true || bias?.requiresGrad === true;
  const again = activation?.saved === 'input';
  const readsInput = !useRunning || relu || again || learns;
  const kept = keptBy(readsInput ? input : null, weight, relu || again ? bias : null);
  if (activation?.saved === 'output') kept.push(y);
  const slopes = slopesOf(plan);
  if (slopes !== null) kept.push(slopes);
  const learned = slopes === null ? [input, weight, bias] : [input, weight, bias, slopes];
  const forward = { input, y, plan, saved, readsInput };
  return record(who, y, learned, kept, (dy, needs) => gradientsOf(forward, dy, needs));
}

/** @internal What a forward leaves for its gradient. */
export interface Forward {
  readonly input: Tensor;
  readonly y: Tensor;
  readonly plan: Plan;
  /** [3, C], and maybe more. */
  readonly saved: Float64Array;
  /** Whether the input is there still. */
  readonly readsInput: boolean;
}

const NOTHING_BEHIND = { dz: null, dslopes: null } as const;

/** @internal dx, dweight and dbias of a normalisation by what its forward has saved, and behind a PReLU its slopes' gradient. */
export function gradientsOf(
  { input, y, plan, saved, readsInput }: Forward,
  dy: Tensor,
  needs: readonly boolean[],
): (Tensor | null)[] {
  const { activation, weight, bias } = plan;
  const { c } = plan.dims;
  const rows = saved.length === 3 * c ? saved : saved.subarray(0, 3 * c);
  const { dz, dslopes } =
    activation === null
      ? NOTHING_BEHIND
      : activationGradient({ plan, activation, x: input, y, rows }, dy, needs[3] === true);
  // dx takes the place of dz.
  const dx = needs[0] ? (dz ?? Tensor.like(input)) : null;
  const dweight = needs[1] && weight !== null ? Tensor.like(weight) : null;
  const dbias = needs[2] && bias !== null ? Tensor.like(bias) : null;
  const x = readsInput ? input : dx;
  if (x === null) return [null, null, null, dslopes];
  // Read now: whoever owns the gradient may dispose of it before a job begins.
  const { expandedValue } = dz ?? dy;
  const read = expandedValue === null ? (dz ?? dy) : null;
  if (needs[0] || needs[1] || needs[2]) {
    differentiate({ plan, x, dy: read, expandedValue, rows, dx, dweight, dbias });
  }
  return [dx, dweight, dbias, dslopes];
}

/** What backward reads again: behind a ReLU also the bias, which says where y was above 0. */
function keptBy(input: Tensor | null, weight: Tensor | null, bias: Tensor | null): Tensor[] {
  if (input === null) return weight === null ? [] : [weight];
  if (bias !== null) return weight === null ? [input, bias] : [input, weight, bias];
  return weight === null ? [input] : [input, weight];
}

function differentiate(call: Call): void {
  const { plan, x, dy, dx, dweight, dbias } = call;
  const { who, weight, bias } = plan;
  if (deferring() === null) {
    backwardCall(addon, (tensor) => (tensor === null ? null : floats(tensor)), call);
    return;
  }
  perform(
    {
      who,
      work: x.numel,
      reads: {
        'the input': x === dx ? null : x,
        'the gradient': dy === dx ? null : dy,
        weight,
        bias,
      },
      writes: [dx, dweight, dbias],
    },
    (native, arrayOf) => backwardCall(native, arrayOf, call),
  );
}

function backwardCall(
  native: Native,
  arrayOf: (tensor: Tensor | null) => FloatData | null,
  { plan, x, dy, expandedValue, rows, dx, dweight, dbias }: Call,
): unknown {
  const { dims, weight, bias, useRunning, relu } = plan;
  return native.batchNormBackward(
    arrayOf(x)!,
    arrayOf(dy),
    expandedValue ?? 0,
    dims.n,
    dims.c,
    dims.l,
    arrayOf(weight),
    arrayOf(bias),
    rows,
    arrayOf(dx),
    arrayOf(dweight),
    arrayOf(dbias),
    useRunning,
    relu,
  );
}
