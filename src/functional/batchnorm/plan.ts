// The plan of one normalisation: which values are normalised, by which statistics, which of them move, and where the
// output goes. It is checked here, once, before anything changes; forward.ts and backward.ts only carry it out. Padded,
// frozen and functional forms, and calls beside the event loop, are values of a plan.
import { needsGrad } from '../../autograd/index.js';
import * as check from '../../check/index.js';
import type { Deferral } from '../../run/deferral.js';
import { floats, sizesOf, Tensor, type FloatData } from '../../tensor/tensor.js';
import { checkSlopes, type PointwiseActivation } from '../pointwise/activation-table.js';
import type { Moments } from './moments.js';
import type { Padding } from './padding.js';

/** @internal */
export interface Plan {
  readonly who: string;
  /** How the values that count lie: without padding. */
  readonly dims: check.ChannelDims;
  /** The part of a padded input that counts; null where all of it does. */
  readonly padding: Padding | null;
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly runningMean: Tensor | null;
  readonly runningVar: Tensor | null;
  /** Normalise by the running statistics instead of the batch's. */
  readonly useRunning: boolean;
  /** Move the running statistics towards the batch's. */
  readonly update: boolean;
  /** Weight of the batch in the running statistics, 0 to 1. */
  readonly momentum: number;
  readonly eps: number;
  /** y = max(that, 0): the bits of relu() of it, without its pass over memory. */
  readonly relu: boolean;
  /** y = f(that): the bits of the pointwise operation, without its pass over memory. Not with relu. */
  readonly activation: PointwiseActivation | null;
  /** Receives the output; null: new memory. */
  readonly out: Tensor | null;
  /** Receives the batch's moments, where they normalise; null for nobody. */
  readonly moments: Moments | null;
  /** Whose calls beside the event loop take effect in their order; null: nobody's. */
  readonly owner: object | null;
  /** What notes the calls, to make them beside the event loop; null: they are made now. */
  readonly deferral: Deferral | null;
}

/**
 * @internal Everything about a plan that can be wrong. Returns whether the call is recorded.
 *
 * @param values - Where the statistics are of more values than the input has.
 */
export function checkPlan(input: Tensor, plan: Plan, values = plan.dims): boolean {
  checkOperands(input, plan);
  if (!plan.useRunning) {
    check.enoughForStatistics(plan.who, values, input);
    check.trainingEps(plan.who, plan.eps);
  }
  const recorded = needsGrad(input, plan.weight, plan.bias, slopesOf(plan));
  if (plan.out !== null) checkOut(plan.who, plan.out, input, recorded);
  return recorded;
}

/** @internal That the operands fit the input, and that their memory is there. */
export function checkOperands(input: Tensor, plan: Plan): void {
  const { who, dims } = plan;
  check.floating(who, 'the input', input);
  input.present(who, 'the input');
  checkOperand(who, 'weight', plan.weight, input, dims.c);
  checkOperand(who, 'bias', plan.bias, input, dims.c);
  checkOperand(who, 'running_mean', plan.runningMean, input, dims.c);
  checkOperand(who, 'running_var', plan.runningVar, input, dims.c);
  const slopes = slopesOf(plan);
  if (slopes !== null) checkSlopes('prelu', slopes, input, dims.c);
}

/** @internal What a PReLU behind the normalisation learns; null where there is none. */
export function slopesOf({ activation }: Plan): Tensor | null {
  return activation === null ? null : activation.slopes;
}

/** A per-channel operand is [C], of the input's dtype. */
function checkOperand(
  who: string,
  name: string,
  operand: Tensor | null,
  input: Tensor,
  c: number,
): void {
  if (operand === null) return;
  if (!fits(operand, input.dtype, c)) refuseOperand(who, name, operand, input, c);
  operand.present(who, name);
}

function fits(operand: Tensor, dtype: string, c: number): boolean {
  const isTensor = (operand as unknown) instanceof Tensor;
  return (
    isTensor && operand.dtype === dtype && sizesOf(operand).length === 1 && operand.numel === c
  );
}

function refuseOperand(
  who: string,
  name: string,
  operand: Tensor,
  input: Tensor,
  c: number,
): never {
  if (!((operand as unknown) instanceof Tensor))
    throw check.wrongKind(who, `${name} to be a Tensor or null`, operand);
  check.sameDtype(who, name, operand, input.dtype);
  throw check.wrongValue(
    who,
    `${name} of shape [${c}] (${name} should contain ${c} elements not ${operand.numel})`,
    `shape ${check.shapeText(operand.shape)}`,
  );
}

/** `out` may be the input's very memory while nothing is recorded; the addon refuses what overlaps otherwise. */
function checkOut(who: string, out: Tensor, input: Tensor, recorded: boolean): void {
  if (!((out as unknown) instanceof Tensor)) throw check.wrongKind(who, 'out to be a Tensor', out);
  check.sameDtype(who, 'out', out, input.dtype);
  if (!check.equalShapes(sizesOf(out), sizesOf(input))) {
    check.sameShape(who, 'an out', out, input.shape);
  }
  out.attached(who, 'out');
  if (out.requiresGrad || (recorded && sameMemory(out, input))) {
    const got = out.requiresGrad ? 'one that requires grad' : "the input's memory while recording";
    throw new Error(`${who}: expected an out that no gradient needs, got ${got}.`);
  }
}

function sameMemory(out: Tensor, input: Tensor): boolean {
  if (out.identity === input.identity) return true;
  const [a, b] = [floats(out), floats(input)];
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset;
}

/**
 * @internal That moving the running statistics, apart from the call that normalises, writes into nothing else. The
 * addon checks it where it does both.
 */
export function checkStatisticsApart(input: Tensor, plan: Plan): void {
  const { who, weight, bias, runningMean, runningVar } = plan;
  const slopes = slopesOf(plan);
  checkApart(who, 'running_mean', runningMean, [input, weight, bias, slopes, runningVar]);
  checkApart(who, 'running_var', runningVar, [input, weight, bias, slopes]);
}

/** @internal That `written` shares no memory with the others. */
export function checkApart(
  who: string,
  name: string,
  written: Tensor | null,
  others: readonly (Tensor | null)[],
): void {
  if (written === null) return;
  const from = floats(written);
  for (const other of others) {
    // What is still to be computed is in memory of its own.
    if (other === null || other.awaited || !overlap(from, floats(other))) continue;
    throw check.wrongValue(
      who,
      `${name} to have memory of its own`,
      'some that overlaps another operand',
    );
  }
}

function overlap(a: FloatData, b: FloatData): boolean {
  const [start, other] = [a.byteOffset, b.byteOffset];
  return a.buffer === b.buffer && start < other + b.byteLength && other < start + a.byteLength;
}
