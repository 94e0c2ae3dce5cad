// The passes of the data through a model, and what is made of them.
// Longer than 250 lines because each measurement uses the inputs and layers that the first pass through the data has
// kept.
import type { BatchNorm } from '../nn/batchnorm/layer.js';
import type { Module } from '../nn/module/module.js';
import { Tensor } from '../tensor/tensor.js';
import { regrouped, type GivenBatch } from './batches.js';
import { median, rms } from './distribution.js';
import { driftOf } from './drift.js';
import { DropoutTrail, type VarianceShift } from './dropout.js';
import type { Measured } from './examined.js';
import { LARGE_DRIFT } from './findings/stale-statistics.js';
import { accuracyOf, differenceOf, improvement, rightOf } from './outputs.js';
import { runPass, type Pass, type PassResult } from './passes.js';
import type { CaseReport, Drift, LayerReport } from './report-types.js';
import type { Seen } from './seen.js';
import type { ExaminedLayer } from './survey.js';

export interface Given {
  readonly model: Module;
  readonly layers: readonly ExaminedLayer[];
  readonly batches: readonly GivenBatch[];
  /** Training data, to tell a change of the data from one of the weights. */
  readonly reference: readonly GivenBatch[] | null;
  /** Samples in a training batch; null: not known. */
  readonly trainingBatch: number | null;
  readonly areTrainingBatches: boolean;
}

/** Where it is not known: a small one, whose statistics are noisy and must not be called drift. */
const SMALL_TRAINING_BATCH = 16;
/** The four cases at another batch size are had from so many samples. */
const CASE_SAMPLES = 2000;
const SMALL_BATCH = 8;
/** Inputs of the calls of one layer that are so many standard deviations apart are two kinds of input. */
const APART = 0.5;

/** Only inside of `leavingNoTrace`. */
export function measure(given: Given): { measured: Measured; layers: ExaminedLayer[] } {
  const { model, batches, reference } = given;
  const modules = given.layers.flatMap(({ module }) => (module === null ? [] : [module]));
  const pass = (options: Pass, over = batches): PassResult =>
    runPass(model, modules, over, options);

  // As it was found comes first: the others set modes.
  const found = pass({ normalizeBy: 'found', training: 'found' });
  const evaluated = pass({ normalizeBy: 'running', training: false });
  const onData = new Set<BatchNorm>();
  const byBatch = watchingInputs(modules, batches, onData, () =>
    pass({ normalizeBy: 'batch', training: false }),
  );
  const shifts = shiftsOf(model, given.layers, evaluated, pass);
  const cases = casesOf(given, { byBatch, evaluated }, pass);
  const learned = pass({ normalizeBy: 'batch', training: true });
  const learnedBefore =
    reference === null ? null : pass({ normalizeBy: 'batch', training: true }, reference);
  // And this last: it puts other statistics in.
  const statistics = (learnedBefore ?? learned).seen;
  const recalibrated = pass({ normalizeBy: 'running', training: false, statistics });

  const [rightFound, rightEvaluated, rightAfter] = [found, evaluated, recalibrated].map(
    ({ outputs }) => rightOf(batches, outputs),
  );
  const drifts = driftsOf(given, learned.seen, batches);
  const driftsBefore =
    learnedBefore === null ? null : driftsOf(given, learnedBefore.seen, reference!);
  const names = namesOf(given.layers);
  const measured: Measured = {
    batchSizes: batches.map(({ samples }) => samples),
    areTrainingBatches: given.areTrainingBatches,
    outputDifference: differenceOf(byBatch.outputs, evaluated.outputs),
    cases,
    accuracy: {
      asFound: accuracyOf(rightFound!),
      evaluated: accuracyOf(rightEvaluated!),
      recalibrated: accuracyOf(rightAfter!),
    },
    improvement: rightEvaluated && rightAfter ? improvement(rightEvaluated, rightAfter) : null,
    shifts,
    onData: new Set([...onData].map((module) => names.get(module)!)),
    shared: sharedOf(names, learned.seen, batches.length),
    agreesWithReference:
      driftsBefore === null
        ? null
        : new Set([...driftsBefore].flatMap(([name, drift]) => (isSmall(drift) ? [name] : []))),
  };
  const layers = given.layers.map((layer) => withData(layer, learned.seen, drifts));
  return { measured, layers };
}

function namesOf(layers: readonly ExaminedLayer[]): Map<BatchNorm, string> {
  return new Map(
    layers.flatMap(({ module, report }) => (module === null ? [] : [[module, report.name]])),
  );
}

function isSmall(drift: Drift | null): boolean {
  return drift !== null && (drift.size < LARGE_DRIFT || drift.driftedChannels.length === 0);
}

/** Which layers are given the data themselves. */
function watchingInputs<Result>(
  modules: readonly BatchNorm[],
  batches: readonly GivenBatch[],
  onData: Set<BatchNorm>,
  body: () => Result,
): Result {
  const inputs = new WeakSet(batches.map(({ input }) => input));
  const handles = modules.map((module) =>
    module.registerForwardPreHook((_, [x]) => {
      if (x instanceof Tensor && inputs.has(x)) onData.add(module);
      return undefined;
    }),
  );
  try {
    return body();
  } finally {
    for (const handle of handles) handle.remove();
  }
}

function shiftsOf(
  model: Module,
  layers: readonly ExaminedLayer[],
  evaluated: PassResult,
  pass: (options: Pass) => PassResult,
): Map<string, VarianceShift> {
  const shifts = new Map<string, VarianceShift>();
  if (!DropoutTrail.isNeeded(model)) return shifts;
  const trail = new DropoutTrail(model);
  try {
    const dropping = pass({ normalizeBy: 'running', training: true });
    for (const { module, report } of layers) {
      const [without, withIt] = [evaluated, dropping].map(({ seen }) =>
        module === null ? undefined : seen.get(module),
      );
      if (module === null || without === undefined || withIt === undefined) continue;
      if (without.all.count < 2 || withIt.all.count < 2) continue;
      shifts.set(report.name, trail.shiftOf(module, without, withIt));
    }
  } finally {
    trail.remove();
  }
  return shifts;
}

function driftsOf(
  { layers, trainingBatch }: Given,
  seen: ReadonlyMap<BatchNorm, Seen>,
  batches: readonly GivenBatch[],
): Map<string, Drift | null> {
  const samples = median(batches.map((batch) => batch.samples));
  const training = trainingBatch ?? Math.min(samples, SMALL_TRAINING_BATCH);
  return new Map(
    layers.map(({ module, report }) => {
      const { runningMean, runningVar, name } = report;
      const of = module === null ? undefined : seen.get(module);
      if (of === undefined || runningMean === null || runningVar === null) return [name, null];
      const kept = {
        mean: runningMean,
        variance: runningVar,
        eps: report.eps ?? 0,
        noise: noiseOf(report),
      };
      return [name, driftOf(kept, of, samples, training)];
    }),
  );
}

/** Variance of the running statistics, in parts of that of a batch. */
function noiseOf({ momentum, numBatchesTracked }: LayerReport): number {
  const all = 1 / Math.max(1, numBatchesTracked ?? 1);
  return typeof momentum === 'number' ? Math.max(momentum / (2 - momentum), all) : all;
}

function withData(
  layer: ExaminedLayer,
  seen: ReadonlyMap<BatchNorm, Seen>,
  drifts: ReadonlyMap<string, Drift | null>,
): ExaminedLayer {
  const of = layer.module === null ? undefined : seen.get(layer.module);
  if (of === undefined) return layer;
  const counts = of.batches.map(({ count }) => count);
  const report: LayerReport = {
    ...layer.report,
    forwards: of.batches.length,
    valuesPerChannel:
      counts.length === 0 ? null : { smallest: Math.min(...counts), largest: Math.max(...counts) },
    batchMean: counts.length === 0 ? null : Array.from(of.mean),
    batchVar: counts.length === 0 ? null : Array.from(of.variance),
    drift: drifts.get(layer.report.name) ?? null,
  };
  return { ...layer, report };
}

/** Layers that stand in several places, whose inputs differ. */
function sharedOf(
  names: ReadonlyMap<BatchNorm, string>,
  seen: ReadonlyMap<BatchNorm, Seen>,
  forwards: number,
): Map<string, { calls: number; apart: number }> {
  const shared = new Map<string, { calls: number; apart: number }>();
  for (const [module, of] of seen) {
    const calls = of.mostCalls;
    if (calls < 2 || of.batches.length !== calls * forwards) continue;
    const variance = of.variance;
    const apart = Array.from(variance, (each, c) => {
      const means = Array.from({ length: calls }, (_, call) => {
        const own = of.batches.filter((_batch, i) => i % calls === call);
        return own.reduce((sum, batch) => sum + batch.mean[c]!, 0) / own.length;
      });
      const spread = Math.max(...means) - Math.min(...means);
      return spread / Math.sqrt(each + module.eps);
    });
    const size = rms(apart);
    if (size > APART) shared.set(names.get(module)!, { calls, apart: size });
  }
  return shared;
}

/** `training` x `trackRunningStats`, at the batch size given and at a small one. Dropout is off in all of them. */
function casesOf(
  { batches, layers }: Given,
  { byBatch, evaluated }: { byBatch: PassResult; evaluated: PassResult },
  pass: (options: Pass, over?: readonly GivenBatch[]) => PassResult,
): CaseReport[] | null {
  if (layers.length === 0 || batches.some(({ labels }) => labels === null)) return null;
  const size = Math.max(...batches.map(({ samples }) => samples));
  const tracked = layers.every(({ report }) => report.hasRunningStatistics);
  const accuracy = (over: readonly GivenBatch[], { outputs }: PassResult): number | null =>
    accuracyOf(rightOf(over, outputs));
  const cases = fourCases(
    size,
    accuracy(batches, byBatch),
    tracked ? accuracy(batches, evaluated) : null,
  );
  const small = size > SMALL_BATCH ? regrouped(batches, SMALL_BATCH, CASE_SAMPLES) : null;
  if (small === null) return cases;
  const again = (normalizeBy: 'batch' | 'running'): number | null =>
    accuracy(small, pass({ normalizeBy, training: false }, small));
  return [...cases, ...fourCases(SMALL_BATCH, again('batch'), tracked ? again('running') : null)];
}

function fourCases(
  batchSize: number,
  byBatch: number | null,
  byRunning: number | null,
): CaseReport[] {
  return [true, false].flatMap((training) =>
    [true, false].map((trackRunningStats) => {
      const normalizesBy = !training && trackRunningStats ? 'running' : 'batch';
      const accuracy = normalizesBy === 'running' ? byRunning : byBatch;
      return { training, trackRunningStats, normalizesBy, batchSize, accuracy };
    }),
  );
}
