// One pass of the data through the model, with the normalisation of every BatchNorm decided from here: by which
// statistics, and with or without dropout. Nothing moves; what a layer sees is kept.
import * as check from '../check/index.js';
import { BatchNorm } from '../nn/batchnorm/layer.js';
import { INSIDE, NORMALIZES_BY_RUNNING, OBSERVERS, SINK, UPDATES } from '../nn/module/internals.js';
import type { Module } from '../nn/module/module.js';
import { Tensor } from '../tensor/tensor.js';
import type { GivenBatch } from './batches.js';
import { Seen } from './seen.js';

export interface Pass {
  /** 'found': as the layer would now. A layer without running statistics goes by the batch in any case. */
  readonly normalizeBy: 'batch' | 'running' | 'found';
  /** Whether everything but BatchNorm is in training mode; 'found': as it is. */
  readonly training: boolean | 'found';
  /** Statistics to use instead of the layers' own running ones. */
  readonly statistics?: ReadonlyMap<BatchNorm, Seen>;
}

export interface PassResult {
  readonly seen: ReadonlyMap<BatchNorm, Seen>;
  /** One a batch: a copy of the first tensor that the model gives; null where it gives none. */
  readonly outputs: readonly (Output | null)[];
}

export interface Output {
  readonly data: ArrayLike<number>;
  /** Numbers a sample. */
  readonly width: number;
}

/** Only inside of `leavingNoTrace`, which ends what is set here. */
export function runPass(
  model: Module,
  layers: readonly BatchNorm[],
  batches: readonly GivenBatch[],
  pass: Pass,
): PassResult {
  if (pass.training !== 'found') {
    for (const module of model.modules()) {
      if (!(module instanceof BatchNorm)) module.training = pass.training;
    }
  }
  const seen = new Map(layers.map((layer) => [layer, prepare(layer, pass)]));
  const outputs = batches.map(({ input, options, samples }) => {
    for (const each of seen.values()) each.next();
    const given = options === undefined ? [input] : [input, options];
    try {
      const output = check.synchronous('diagnose', model.forward(...(given as never[])));
      return outputOf(output, samples);
    } catch (error) {
      // Of a layer without running statistics: that is a finding, and no reason to stop.
      if (isLoneValue(error)) return null;
      throw error;
    }
  });
  return { seen, outputs };
}

function isLoneValue(error: unknown): boolean {
  const message: unknown =
    typeof error === 'object' && error !== null && 'message' in error ? error.message : '';
  return typeof message === 'string' && message.includes('more than 1 value per channel');
}

function prepare(layer: BatchNorm, { normalizeBy, statistics }: Pass): Seen {
  const seen = new Seen(layer.numFeatures);
  const byRunning =
    layer.runningMean !== null &&
    layer.runningVar !== null &&
    (normalizeBy === 'found' ? foundByRunning(layer) : normalizeBy === 'running');
  Object.defineProperty(
    layer,
    NORMALIZES_BY_RUNNING,
    own(() => byRunning),
  );
  Object.defineProperty(
    layer,
    UPDATES,
    own(() => true),
  );
  layer[SINK] = seen;
  layer[OBSERVERS] = null;
  layer.singleValue = 'running';
  layer.nonFinite = 'propagate';
  const instead = statistics?.get(layer);
  if (instead !== undefined && instead.all.count > 0) useStatistics(layer, instead);
  return seen;
}

/** By the class's own method: a pass before may have laid another over it. */
function foundByRunning(layer: BatchNorm): boolean {
  Reflect.deleteProperty(layer, NORMALIZES_BY_RUNNING);
  return layer[NORMALIZES_BY_RUNNING](layer.training);
}

function own(value: () => boolean): PropertyDescriptor {
  return { value, configurable: true, enumerable: false, writable: true };
}

/** Other tensors under the buffers' names. */
function useStatistics(layer: BatchNorm, seen: Seen): void {
  const { buffers } = layer[INSIDE];
  for (const [name, values] of [
    ['running_mean', seen.mean],
    ['running_var', seen.variance],
  ] as const) {
    const buffer = buffers.get(name);
    if (buffer?.tensor === null || buffer === undefined) continue;
    const tensor = buffer.tensor.copied();
    (tensor.attached('diagnose') as Float64Array).set(values);
    buffers.set(name, { tensor, persistent: buffer.persistent });
  }
}

function outputOf(output: unknown, samples: number): Output | null {
  if (!(output instanceof Tensor) || output.shape[0] !== samples || samples === 0) return null;
  if (output.dtype !== 'float32' && output.dtype !== 'float64') return null;
  const data = output.attached('diagnose') as Float32Array | Float64Array;
  return { data: data.slice(), width: data.length / samples };
}
