// Carries out the plan of a normalisation (plan.ts): now, or, in a call beside the event loop, as steps of it.
// Longer than 250 lines because now, later and padded are three ways to carry out one plan.
import { addon } from '../../addon/control.js';
import { checkMade, type Native } from '../../run/calls.js';
import { undeferred, type Deferral } from '../../run/deferral.js';
import { savedDoubles } from '../../memory/slab.js';
import { floats, Tensor, type FloatData } from '../../tensor/tensor.js';
import { activate } from '../pointwise/activations.js';
import { CODES } from '../pointwise/codes.js';
import { recordNormalization } from './backward.js';
import { Moments } from './moments.js';
import { pack, unpack, type Padding } from './padding.js';
import {
  checkApart,
  checkOperands,
  checkPlan,
  checkStatisticsApart,
  slopesOf,
  type Plan,
} from './plan.js';

const NO_OUT = 'expected no out for an activation behind padding, got one.';

/** @internal Checks the plan, and normalises by it. Whatever throws has changed nothing. */
export function normalize(input: Tensor, plan: Plan): Tensor {
  const { activation } = plan;
  // Padding is not packed: there y is what the activation makes of 0.
  if (activation !== null && plan.padding !== null) {
    if (plan.out !== null) throw new TypeError(`${plan.who}: ${NO_OUT}`);
    // Before the running statistics move.
    if (activation.slopes !== null) checkOperands(input, plan);
    const { last } = plan.padding;
    const channel = last ? input.shape.length - 1 : 1;
    return activate(normalize(input, { ...plan, activation: null }), activation, channel);
  }
  const recorded = checkPlan(input, plan);
  if (plan.deferral !== null) return normalizeLater(input, plan, plan.deferral, recorded);
  if (plan.padding !== null) return normalizePadded(input, plan, plan.padding, recorded);
  const { out, update } = plan;
  // The result is a tensor of its own even over out's memory: out stays a leaf, to be used again.
  const y = run(input, out?.detach() ?? Tensor.like(input), plan, recorded);
  if (update) {
    plan.runningMean?.markChanged();
    plan.runningVar?.markChanged();
  }
  return y;
}

/** What the caller's `out` receives is written at once. */
function normalizeLater(input: Tensor, plan: Plan, deferral: Deferral, recorded: boolean): Tensor {
  const { update, out } = plan;
  const apart = update ? withMoments(plan) : plan;
  if (update) checkStatisticsApart(input, plan);
  const normalized = (by: Plan): Tensor => {
    if (plan.padding !== null) return normalizePadded(input, by, plan.padding, recorded);
    return run(input, out?.detach() ?? Tensor.like(input), by, recorded);
  };
  if (out !== null) {
    for (const operand of [input, plan.weight, plan.bias, slopesOf(plan)]) {
      operand?.attached(plan.who);
    }
  }
  const y =
    out === null ? normalized(apart) : undeferred(() => normalized({ ...apart, deferral: null }));
  if (update && apart.moments !== null) moveAtEnd(apart.moments, plan, deferral);
  return y;
}

/** The same plan, but that the running statistics do not move with the call. */
function withMoments(plan: Plan): Plan {
  const { dims } = plan;
  return { ...plan, update: false, moments: plan.moments ?? new Moments(dims.c, dims.n * dims.l) };
}

/** Moves the running statistics of a plan, once every call of the deferral has been made. */
function moveAtEnd(
  moments: Moments,
  { who, runningMean, runningVar, momentum }: Plan,
  deferral: Deferral,
): void {
  if (runningMean === null || runningVar === null || moments.count === 0) return;
  const owner = runningMean.identity;
  void deferral.inOrder(owner);
  deferral.atEnd({
    owner,
    check() {
      runningMean.attached(who, 'running_mean');
      runningVar.attached(who, 'running_var');
    },
    commit() {
      moments.moveInto(runningMean, runningVar, momentum);
    },
    preview(mean, variance) {
      moments.moveArrays(mean, variance, momentum);
    },
  });
}

/** The values without the padding lie as if there had never been one, and so have the same bits. */
function normalizePadded(input: Tensor, plan: Plan, padding: Padding, recorded: boolean): Tensor {
  const { who, weight, bias, runningMean, runningVar, update, out, deferral } = plan;
  const y = out?.detach() ?? Tensor.like(input);
  if (out !== null) checkApart(who, 'out', y, [weight, bias, runningMean, runningVar]);
  const packed = pack(input, padding);
  // In place where no backward reads the packed values again: a buffer less to go through the caches.
  const inPlace = !recorded && deferral === null;
  const room = inPlace ? packed : Tensor.uninitialized(packed.shape, packed.dtype);
  const apart = update ? withMoments(plan) : plan;
  const normalized = run(packed, room, apart, recorded);
  const result = unpack(normalized, padding, y);
  // Last: spreading out needs scratch, and there may be none.
  const { moments } = apart;
  if (
    update &&
    moments !== null &&
    moments.count > 0 &&
    runningMean !== null &&
    runningVar !== null
  ) {
    moments.moveInto(runningMean, runningVar, plan.momentum);
  }
  normalized.dispose();
  if (!recorded) packed.dispose();
  if (out !== null) y.markChanged();
  return result;
}

/** Computes y, and records it. */
function run(input: Tensor, y: Tensor, plan: Plan, recorded: boolean): Tensor {
  if (plan.out === null) return compute(input, y, plan, recorded);
  // Before it is recorded: backward may read y again, and that is what is written now.
  y.markChanged();
  try {
    return compute(input, y, plan, recorded);
  } catch (error) {
    y.markUnchanged();
    throw error;
  }
}

function compute(input: Tensor, y: Tensor, plan: Plan, recorded: boolean): Tensor {
  // Mean, what its rounding left over, and 1/deviation: 3 · c values that backward reads again.
  const saved = plan.moments?.rows ?? (recorded ? savedDoubles(3 * plan.dims.c) : null);
  // First, because it may fail, where the stack ends: not with running statistics that have moved.
  const result = recorded && saved !== null ? recordNormalization(input, y, plan, saved) : y;
  const { deferral } = plan;
  // The plan has been checked, and so is what is read here.
  if (deferral === null) {
    const { weight, bias, runningMean, runningVar } = plan;
    const slopes = slopesOf(plan);
    const made = forwardCall(
      addon,
      input.elements,
      y.elements,
      weight === null ? null : weight.elements,
      bias === null ? null : bias.elements,
      slopes === null ? null : slopes.elements,
      runningMean === null ? null : runningMean.elements,
      runningVar === null ? null : runningVar.elements,
      saved,
      plan,
    );
    if (made !== undefined) checkMade(plan.who, made);
    return result;
  }
  addTo(deferral, input, y, plan, saved);
  return result;
}

function forwardCall(
  native: Native,
  x: FloatData,
  y: FloatData,
  weight: FloatData | null,
  bias: FloatData | null,
  slopes: FloatData | null,
  mean: FloatData | null,
  variance: FloatData | null,
  saved: Float64Array | null,
  { dims, useRunning, update, momentum, eps, relu, activation }: Plan,
): unknown {
  if (activation !== null) {
    return native.batchNormActivated(
      ...([x, y, dims.n, dims.c, dims.l, weight, bias, mean, variance, saved] as const),
      ...([useRunning, update, momentum, eps, false] as const),
      ...([CODES.unary[activation.forward], activation.p, activation.q, slopes] as const),
    );
  }
  return native.batchNormForward(
    x,
    y,
    dims.n,
    dims.c,
    dims.l,
    weight,
    bias,
    mean,
    variance,
    saved,
    useRunning,
    update,
    momentum,
    eps,
    relu,
  );
}

/** The same call as a step of a call beside the event loop. */
function addTo(
  deferral: Deferral,
  input: Tensor,
  y: Tensor,
  plan: Plan,
  saved: Float64Array | null,
): void {
  const { who, weight, bias, useRunning } = plan;
  const slopes = slopesOf(plan);
  const running = useRunning ? new RunningValues(plan, deferral) : null;
  deferral.add(
    {
      who,
      work: input.numel,
      reads: { 'the input': input, weight, bias, 'the slopes': slopes },
      writes: [y],
      before: running?.before ?? null,
    },
    (native, arrayOf) => {
      const [mean, variance] = running?.read() ?? [null, null];
      const operands = [input, y, weight, bias, slopes].map((each) => arrayOf(each));
      const [x, to, scale, shift, by] = operands;
      return forwardCall(native, x!, to!, scale!, shift!, by!, mean, variance, saved, plan);
    },
  );
}

/** @internal The running statistics as a call finds them: those of now, or, behind calls that move them, those that these leave. */
export class RunningValues {
  readonly before: Promise<void> | null;
  readonly #plan: Plan;
  #values: readonly [FloatData, FloatData] | null = null;
  readonly #preview: (mean: FloatData, variance: FloatData) => void;

  constructor(plan: Plan, deferral: Deferral) {
    const { owner, runningMean } = plan;
    const whose = owner ?? runningMean?.identity ?? null;
    const earlier = whose === null ? [] : [...deferral.endingsOf(whose)];
    this.before = whose === null ? null : deferral.inOrder(whose);
    this.#plan = plan;
    this.#preview = (mean, variance) => {
      earlier.forEach((ending, i) => ending.preview?.(mean, variance, i));
    };
    if (this.before === null && earlier.length === 0) this.#values = this.#copied();
  }

  read(): readonly [FloatData, FloatData] {
    if (this.#values === null) {
      this.#values = this.#copied();
      this.#preview(...this.#values);
    }
    return this.#values;
  }

  #copied(): readonly [FloatData, FloatData] {
    const { who, runningMean, runningVar } = this.#plan;
    runningMean!.attached(who, 'running_mean');
    runningVar!.attached(who, 'running_var');
    return [floats(runningMean!).slice(), floats(runningVar!).slice()];
  }
}

/** @internal The batch's moments alone, where the running statistics normalise and move. */
export function momentsOf(input: Tensor, plan: Plan): Moments {
  const { who, dims, padding } = plan;
  checkOperands(input, plan);
  checkStatisticsApart(input, plan);
  if (padding === null) return Moments.of(who, input, dims);
  const packed = pack(input, padding);
  const moments = Moments.of(who, packed, dims);
  packed.dispose();
  return moments;
}
