// The gradient of a normalisation whose batch several processes hold: all of them come here, with what each has added.
import { addon } from '../../addon/control.js';
import type { Native } from '../../run/calls.js';
import { deferring, type Deferral } from '../../run/deferral.js';
import { Tensor, type FloatData } from '../../tensor/tensor.js';
import { markWhole } from '../batch-totals.js';
import type { Plan } from './plan.js';
import { allDone, part, Scratch, type Shares } from './shares.js';

/** @internal What a forward leaves for its gradient. */
export interface SharedForward {
  readonly input: Tensor;
  readonly plan: Plan;
  /** The memory of `rows`: kept as a whole, because a part of it keeps no memory of the pool from being used again. */
  readonly saved: Float64Array;
  /** [3, C]. */
  readonly rows: Float64Array;
  readonly shares: Shares;
}

/** One gradient that is to be computed. */
interface Call {
  readonly forward: SharedForward;
  /** Null where the gradient is one value everywhere. */
  readonly dy: Tensor | null;
  readonly value: number;
  readonly gradients: readonly [Tensor | null, Tensor | null, Tensor | null];
}

/** The array of a tensor, as a call is to use it. */
type ArrayOf = (tensor: Tensor | null) => FloatData | null;

const elementsOf: ArrayOf = (tensor) => tensor?.elements ?? null;

/** @internal dx of this process's samples, and dweight and dbias of all. */
export function shareGradients(
  forward: SharedForward,
  dy: Tensor,
  needs: readonly boolean[],
): (Tensor | null)[] {
  const { input, plan, shares } = forward;
  const { dims, weight, bias } = plan;
  const dx = needs[0] ? Tensor.like(input) : null;
  const dweight = needs[1] && weight !== null ? Tensor.like(weight) : null;
  const dbias = needs[2] && bias !== null ? Tensor.like(bias) : null;
  const { expandedValue } = dy;
  const call: Call = {
    forward,
    dy: expandedValue === null ? dy : null,
    value: expandedValue ?? 0,
    gradients: [dx, dweight, dbias],
  };
  const deferral = deferring();
  if (deferral === null) {
    const { meetings } = shares;
    const sums = shares.total(meetings.gradient, 2 * dims.c, sumsOf(addon, elementsOf, call));
    apply(addon, elementsOf, call, sums);
  } else {
    noteGradients(deferral, call);
  }
  for (const parameter of [weight, bias]) if (parameter !== null) markWhole(parameter);
  return [dx, dweight, dbias];
}

/** The same as steps of a call beside the event loop. */
function noteGradients(deferral: Deferral, call: Call): void {
  const { forward, dy, gradients } = call;
  const { input, plan, shares } = forward;
  const { who, dims, weight, bias } = plan;
  const { group, meetings } = shares;
  const reads = { 'the input': input, 'the gradient': dy, weight, bias };
  const sent = new Scratch();
  let sums = new Float64Array(0);
  deferral.add({ who, work: input.numel, reads, writes: [] }, (native, arrayOf) =>
    allDone(shares.own(sent, 2 * dims.c, sumsOf(native, arrayOf, call))),
  );
  const arrival = group.expect(deferral, meetings.gradient, function* () {
    sums = (yield* shares.totalOf(meetings.gradient, 2 * dims.c, sent)).slice();
  });
  const writes = [...gradients];
  deferral.add({ who, work: input.numel, reads, writes, arrival }, (native, arrayOf) =>
    apply(native, arrayOf, call, sums),
  );
}

/** Writes the sums of samples [begin, end) of this process. */
function sumsOf(native: Native, arrayOf: ArrayOf, { forward, dy, value }: Call) {
  const { input, plan, rows } = forward;
  const { dims, weight, bias, relu } = plan;
  const { c, l } = dims;
  const x = arrayOf(input)!;
  const given = arrayOf(dy);
  const scale = arrayOf(weight);
  const shift = arrayOf(bias);
  return (begin: number, end: number, into: Float64Array): unknown =>
    native.gradientSums(
      part(x, begin * c * l, end * c * l),
      given === null ? null : part(given, begin * c * l, end * c * l),
      value,
      end - begin,
      c,
      l,
      scale,
      shift,
      rows,
      into,
      null,
      null,
      relu,
    );
}

function apply(
  native: Native,
  arrayOf: ArrayOf,
  { forward, dy, value, gradients }: Call,
  sums: Float64Array,
): unknown {
  const { input, plan, rows, shares } = forward;
  const { dims, weight, bias, relu } = plan;
  return native.gradientBySums(
    arrayOf(input)!,
    arrayOf(dy),
    value,
    dims.n,
    dims.c,
    dims.l,
    arrayOf(weight),
    arrayOf(bias),
    rows,
    sums,
    shares.count,
    arrayOf(gradients[0]),
    arrayOf(gradients[1]),
    arrayOf(gradients[2]),
    relu,
  );
}
