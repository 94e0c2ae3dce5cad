// What a model says of its BatchNorm layers without any data.
import { FrozenBatchNorm1d } from '../nn/batchnorm/frozen.js';
import { BatchNorm } from '../nn/batchnorm/layer.js';
import { NORMALIZES_BY_RUNNING, UPDATES } from '../nn/module/internals.js';
import type { Module } from '../nn/module/module.js';
import type { Tensor } from '../tensor/tensor.js';
import type { LayerReport } from './report-types.js';

/** A layer of a model, or of a file. */
export interface ExaminedLayer {
  readonly report: LayerReport;
  /** Null: from a file, or a FrozenBatchNorm1d. */
  readonly module: BatchNorm | null;
  /**
   * Whether nothing of what makes its input is learned, nor its weight and bias, though it has these: it belongs
   * to a part that is frozen.
   */
  readonly inFrozenPart: boolean;
}

function valuesOf(tensor: Tensor | null | undefined): number[] | null {
  return tensor === null || tensor === undefined
    ? null
    : Array.from(tensor.attached('diagnose') as Float64Array);
}

export function gainOf(
  weight: readonly number[] | null,
  variance: readonly number[] | null,
  eps: number,
): number[] | null {
  return variance?.map((each, c) => (weight?.[c] ?? 1) / Math.sqrt(each + eps)) ?? null;
}

/** How many batches the running statistics remember. */
function memoryOf(momentum: LayerReport['momentum'], tracked: number | null): number | null {
  if (momentum === 'cumulative') return tracked;
  if (momentum === null) return null;
  const memory = momentum === 0 ? Infinity : 1 / momentum;
  return tracked === null ? memory : Math.min(memory, tracked);
}

export function surveyOf(model: Module): ExaminedLayer[] {
  const modules = [...model.namedModules()];
  return modules.flatMap(([name, module], i): ExaminedLayer[] => {
    if (module instanceof FrozenBatchNorm1d) {
      return [{ report: frozenReport(name, module), module: null, inFrozenPart: true }];
    }
    if (!(module instanceof BatchNorm)) return [];
    const before = modules.slice(0, i).map(([, each]) => each);
    return [
      {
        report: reportOf(name, module),
        module,
        inFrozenPart: isInFrozenPart(
          module,
          before,
          modules.slice(i).map(([, each]) => each),
        ),
      },
    ];
  });
}

/** Looks at the layer's own parameters and those of the module with parameters that comes next before it. */
function isInFrozenPart(
  layer: BatchNorm,
  before: readonly Module[],
  after: readonly Module[],
): boolean {
  const learns = (module: Module): boolean[] => ownParameters(module).map((p) => p.requiresGrad);
  if (layer.weight === null || learns(layer).some(Boolean)) return false;
  const last = [...before].reverse().find((module) => ownParameters(module).length > 0);
  if (last !== undefined && learns(last).some(Boolean)) return false;
  return [...before, ...after].some((module) => learns(module).some(Boolean));
}

function ownParameters(module: Module): readonly { requiresGrad: boolean }[] {
  const below = new Set([...module.children()].flatMap((child) => [...child.parameters()]));
  return [...module.parameters()].filter((parameter) => !below.has(parameter));
}

function reportOf(name: string, layer: BatchNorm): LayerReport {
  const { training, eps } = layer;
  const weight = valuesOf(layer.weight);
  const runningVar = valuesOf(layer.runningVar);
  const counter = layer.getBuffer('num_batches_tracked');
  const momentum = layer.momentum ?? 'cumulative';
  const tracked = counter === null ? null : layer.numBatchesTracked;
  return {
    ...NOT_EXAMINED,
    name,
    kind: layer.constructor.name,
    numFeatures: layer.numFeatures,
    training,
    frozen: layer.frozen,
    normalizesBy: layer[NORMALIZES_BY_RUNNING](training) ? 'running' : 'batch',
    statisticsMove: layer[UPDATES](training),
    hasRunningStatistics: layer.runningMean !== null && layer.runningVar !== null,
    numBatchesTracked: tracked,
    momentum,
    memoryInBatches: memoryOf(momentum, tracked),
    eps,
    weight,
    bias: valuesOf(layer.bias),
    runningMean: valuesOf(layer.runningMean),
    runningVar,
    gain: gainOf(weight, runningVar, eps),
  };
}

function frozenReport(name: string, layer: FrozenBatchNorm1d): LayerReport {
  const weight = valuesOf(layer.weight);
  const runningVar = valuesOf(layer.runningVar);
  return {
    ...NOT_EXAMINED,
    name,
    kind: layer.constructor.name,
    numFeatures: layer.numFeatures,
    training: layer.training,
    frozen: true,
    normalizesBy: 'running',
    statisticsMove: false,
    hasRunningStatistics: true,
    numBatchesTracked: null,
    momentum: null,
    memoryInBatches: null,
    eps: layer.eps,
    weight,
    bias: valuesOf(layer.bias),
    runningMean: valuesOf(layer.runningMean),
    runningVar,
    gain: gainOf(weight, runningVar, layer.eps),
  };
}

/** What only data or training can tell. */
export const NOT_EXAMINED: Pick<
  LayerReport,
  'forwards' | 'valuesPerChannel' | 'batchMean' | 'batchVar' | 'drift' | 'history'
> = {
  forwards: null,
  valuesPerChannel: null,
  batchMean: null,
  batchVar: null,
  drift: null,
  history: null,
};
