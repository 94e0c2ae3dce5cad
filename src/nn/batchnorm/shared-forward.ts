// The forward of a SyncBatchNorm, once it is known that the processes meet: now, or in a call beside the event loop.
import * as check from '../../check/index.js';
import { normalize } from '../../functional/batchnorm/forward.js';
import { pack, unpack } from '../../functional/batchnorm/padding.js';
import {
  checkOperands,
  checkPlan,
  checkStatisticsApart,
  type Plan,
} from '../../functional/batchnorm/plan.js';
import type { ProcessGroup } from '../../functional/batchnorm/process-group.js';
import { LaterShare } from '../../functional/batchnorm/shared-batch-later.js';
import { meet, normalizeShare, sharedMoments } from '../../functional/batchnorm/shared-batch.js';
import type { Meetings } from '../../functional/batchnorm/shares.js';
import type { Deferral } from '../../run/deferral.js';
import { Tensor } from '../../tensor/tensor.js';
import { SINK } from '../module/internals.js';
import type { BatchNorm } from './layer.js';
import { learn, learnAtEnd, refuseNonFinite } from './learn.js';

/** Errors that the other processes have not seen: those from before the first meeting. */
const shared = new WeakSet();
/** @internal */
export const isLocal = (error: unknown): boolean =>
  typeof error !== 'object' || error === null || !shared.has(error);

/** @internal */
export function forwardShared(
  layer: BatchNorm,
  input: Tensor,
  plan: Plan,
  group: ProcessGroup,
  places: Meetings,
): Tensor {
  const { who, dims, padding, useRunning, update, out } = plan;
  checkHere(input, plan);
  const x = padding === null ? input : pack(input, padding);
  const y = out?.detach() ?? Tensor.like(input);
  const room = padding === null ? y : Tensor.uninitialized(x.shape, x.dtype);
  try {
    const { shares, shift } = meet(who, group, places, x, dims);
    const lone = isLone(layer, plan, group, shares.count);
    const learns = update && (!lone || layer[SINK].takesSingle);
    const moments = sharedMoments(x, dims, shares, shift);
    refuseNonFinite(layer, moments);
    const { training, [SINK]: sink } = layer;
    const byRunning = useRunning || lone;
    const normalized = byRunning
      ? normalize(input, { ...plan, useRunning: true, update: false, moments: null })
      : normalizeShare(x, room, plan, moments, shares);
    learn(layer, moments, plan, sink, training, learns);
    if (byRunning) return normalized;
    const result = padding === null ? normalized : unpack(normalized, padding, y);
    if (out !== null) result.markChanged();
    return result;
  } catch (error) {
    if (typeof error === 'object' && error !== null) shared.add(error);
    throw error;
  }
}

/** All that can be wrong here alone, before the others are met. */
function checkHere(input: Tensor, plan: Plan): void {
  const { dims } = plan;
  if (plan.useRunning) checkOperands(input, plan);
  // One value here is no error: the others have more.
  else checkPlan(input, plan, dims.n * dims.l === 1 ? { ...dims, n: 2 } : dims);
  if (plan.update) checkStatisticsApart(input, plan);
}

/** Whether the running statistics normalise, because all processes together have one value. @throws where they may not. */
function isLone(layer: BatchNorm, plan: Plan, group: ProcessGroup, count: number): boolean {
  if (count !== 1) return false;
  if (layer.singleValue === 'running' && plan.runningMean !== null) return true;
  if (plan.useRunning && !plan.update) return false;
  throw check.wrongValue(
    plan.who,
    'more than 1 value per channel when training',
    `one, of ${group.size} processes together`,
  );
}

/** @internal The same beside the event loop: what is learned is learned at the end, on all processes or on none. */
export function forwardLater(
  layer: BatchNorm,
  input: Tensor,
  plan: Plan,
  group: ProcessGroup,
  places: Meetings,
  deferral: Deferral,
): Tensor {
  const { who, padding, useRunning, out } = plan;
  if (out !== null) {
    throw new TypeError(
      `${who}: expected no out in a call beside the event loop, where other processes have to come first, got one.`,
    );
  }
  checkHere(input, plan);
  const x = padding === null ? input : pack(input, padding);
  let lone = false;
  const share = new LaterShare(plan, group, places, deferral, x, (count) => {
    lone = isLone(layer, plan, group, count);
  });
  share.noteStatistics();
  const { training, [SINK]: sink } = layer;
  const normalized = (): Tensor => {
    if (useRunning) return normalize(input, { ...plan, update: false });
    const mayBeLone = layer.singleValue === 'running' && plan.runningMean !== null;
    const room = padding === null ? Tensor.like(input) : Tensor.uninitialized(x.shape, x.dtype);
    const y = share.noteNormalized(room, mayBeLone ? () => lone : null);
    return padding === null ? y : unpack(y, padding, Tensor.like(input));
  };
  const result = normalized();
  learnAtEnd(layer, share.moments, plan, sink, training, deferral, () => !lone || sink.takesSingle);
  return result;
}

/** @internal Whatever becomes of the error here: the call fails, and the other processes hear why. */
export function failLater(
  who: string,
  group: ProcessGroup,
  deferral: Deferral,
  error: unknown,
): void {
  group.take(deferral);
  const fail = (): never => {
    throw error;
  };
  const arrival = { now: fail, later: async () => Promise.resolve().then(fail) };
  deferral.add({ who, work: 0, reads: {}, writes: [], arrival }, fail);
}
