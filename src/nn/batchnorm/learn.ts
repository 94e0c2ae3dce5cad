// What becomes of a batch's moments: they are looked at, go into the layer's sink, and observers are told.
import * as check from '../../check/index.js';
import { momentsOf, normalize } from '../../functional/batchnorm/forward.js';
import { Moments } from '../../functional/batchnorm/moments.js';
import { checkOperands, checkStatisticsApart, type Plan } from '../../functional/batchnorm/plan.js';
import type { Deferral } from '../../run/deferral.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  CHECK_STATISTICS,
  NEXT_WEIGHT,
  OBSERVERS,
  SINK,
  UNDER_WAY,
  WHO,
} from '../module/internals.js';
import type { UnderWay } from './collected.js';
import type { BatchNormMode } from './mode.js';
import {
  runningStatistics,
  type ForwardObserver,
  type MomentsSink,
  type SeenForward,
} from './sink.js';

/** The layer that a batch goes through. */
export interface LearningLayer<L> extends BatchNormMode {
  readonly [SINK]: MomentsSink;
  readonly [OBSERVERS]: readonly ForwardObserver<L>[] | null;
  readonly [UNDER_WAY]: Set<UnderWay>;
}

/** The same in two steps, for whoever wants to see the batch's statistics before they go anywhere. */
export function normalizeThenLearn<L extends LearningLayer<L>>(
  layer: L,
  input: Tensor,
  plan: Plan,
): Tensor {
  const { who, dims, useRunning, update, out, deferral } = plan;
  if (update && layer.singleValue === 'throw') check.enoughForStatistics(who, dims, input);
  if (update && deferral !== null) {
    checkOperands(input, plan);
    checkStatisticsApart(input, plan);
  }
  // Ahead of the output where that could not be taken back, or other statistics make it.
  const irrevocable = layer.nonFinite === 'throw' && out !== null && !useRunning;
  const ahead = irrevocable || (update && useRunning) ? momentsOf(input, plan) : null;
  if (ahead !== null && deferral === null) refuseNonFinite(layer, ahead);
  const along = useRunning ? null : new Moments(dims.c, dims.n * dims.l);
  const y = normalize(input, { ...plan, update: false, moments: along });
  const moments = along ?? ahead;
  const { training, [SINK]: sink } = layer;
  if (deferral === null) learn(layer, moments, plan, sink, training);
  else learnAtEnd(layer, moments, plan, sink, training, deferral);
  return y;
}

/**
 * @internal The same once every call of a deferral has been made, in the order of the calls of this layer.
 *
 * @param takes - Whether the batch is learned from, where only its statistics say so.
 */
export function learnAtEnd<L extends LearningLayer<L>>(
  layer: L,
  moments: Moments | null,
  plan: Plan,
  sink: MomentsSink,
  training: boolean,
  deferral: Deferral,
  takes: () => boolean = () => true,
): void {
  const who = `${layer[WHO]}.forwardAsync`;
  const { momentum } = layer;
  const begun: UnderWay = { undone: false };
  void deferral.inOrder(layer);
  if (plan.update) {
    deferral.keepApart('running_mean', plan.runningMean);
    deferral.keepApart('running_var', plan.runningVar);
    layer[UNDER_WAY].add(begun);
    deferral.afterwards(() => layer[UNDER_WAY].delete(begun));
  }
  const learns = (): boolean => plan.update && !begun.undone && takes();
  deferral.atEnd({
    owner: layer,
    check: () => {
      if (moments !== null) refuseNonFinite(layer, moments);
      if (!learns()) return;
      if (sink !== runningStatistics && layer[SINK] !== sink) {
        throw new Error(`${who}: expected the virtual batch of the call to be open still.`);
      }
      layer[CHECK_STATISTICS](who);
      layer[NEXT_WEIGHT](momentum);
    },
    commit: () => {
      const next = learns() ? layer[NEXT_WEIGHT](momentum) : 0;
      learn(layer, moments, { ...plan, update: learns(), momentum: next }, sink, training);
    },
    preview: (mean, variance, before) => {
      if (moments === null || !learns() || sink !== runningStatistics) return;
      if (layer.nonFinite === 'skip' && moments.notFinite(layer.dtype) !== null) return;
      if (moments.count > 0)
        moments.moveArrays(mean, variance, layer[NEXT_WEIGHT](momentum, before));
    },
  });
}

/**
 * @internal What becomes of a batch's statistics; null where the running ones normalised and stay.
 *
 * @param update - Whether it is learned from, where that is not as planned.
 */
export function learn<L extends LearningLayer<L>>(
  layer: L,
  moments: Moments | null,
  plan: Plan,
  sink: MomentsSink,
  training: boolean,
  update = plan.update,
): void {
  if (moments === null) {
    tell(layer, plan, training, null, false);
    return;
  }
  refuseNonFinite(layer, moments);
  const skipped = update && layer.nonFinite === 'skip' && moments.notFinite(layer.dtype) !== null;
  if (skipped) layer.skippedBatches++;
  const learns = update && !skipped;
  if (learns) sink.take(layer, moments, plan.momentum);
  tell(layer, plan, training, moments, learns && sink === runningStatistics);
}

/** Tells the observers of a forward. */
function tell<L extends LearningLayer<L>>(
  layer: L,
  { dims, useRunning }: Plan,
  training: boolean,
  moments: Moments | null,
  moved: boolean,
): void {
  if (layer[OBSERVERS] === null) return;
  const seen: SeenForward<L> = {
    layer,
    training,
    normalizedBy: useRunning ? 'running' : 'batch',
    moved,
    count: dims.n * dims.l,
    moments,
    nonFinite: moments?.notFinite(layer.dtype) ?? null,
  };
  for (const observer of layer[OBSERVERS]) observer(seen);
}

/** @internal */
export function refuseNonFinite(layer: BatchNormMode, moments: Moments): void {
  const found = layer.nonFinite === 'throw' ? moments.notFinite(layer.dtype) : null;
  if (found !== null) throw check.wrongValue(layer[WHO], 'a batch of finite statistics', found);
}
