// diagnoseCheckpoint: a file of weights alone. What is a BatchNorm is told by its keys.
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

import { loadSafetensors, loadTorch } from '../checkpoint/index.js';
import * as check from '../check/index.js';
import type { StateDict } from '../tensor/state-dict.js';
import type { Tensor } from '../tensor/tensor.js';
import { findingsOf, isHealthy, reportFrom } from './report.js';
import type { LayerReport, Report } from './report-types.js';
import { gainOf, NOT_EXAMINED, type ExaminedLayer } from './survey.js';

export interface DiagnoseCheckpointOptions {
  /** Where in a `.pt` the state dict is, as `loadTorch` takes it. Default: the whole, or one of the usual names. */
  key?: string | undefined;
  /** Of the layers: a file does not say it. Default 1e-5. */
  eps?: number | undefined;
  /** momentum of the layers, where it is known. */
  momentum?: number | undefined;
}

export type CheckpointSource = string | URL | Uint8Array | ArrayBufferLike;

const USUAL_EPS = 1e-5;
/** Where checkpoints of training programs keep the state dict. */
const USUAL_KEYS = ['state_dict', 'model_state_dict', 'model', 'net', 'ema', 'module', 'weights'];

/**
 * Examines the BatchNorm layers of a safetensors file or a file of `torch.save`, which are recognised by their keys
 * (`running_mean` beside `running_var`). No model and no data are asked for.
 *
 * @param source - A path or a file: URL; or bytes.
 * @throws {RangeError} when the file is damaged, holds something else, or has no BatchNorm.
 * @throws {Error} when it cannot be read.
 * @example
 * ```ts
 * const bn = new nn.BatchNorm1d(2);
 * bn.runningVar?.data.set([1, NaN]);
 * const bytes = checkpoint.encodeSafetensors(bn.stateDict());
 * const report = await diagnoseCheckpoint(bytes);
 * report.findings[0]?.id; // => 'non-finite-statistics'
 * ```
 */
export async function diagnoseCheckpoint(
  source: CheckpointSource,
  options: DiagnoseCheckpointOptions = {},
): Promise<Report> {
  const who = 'diagnoseCheckpoint';
  check.options(who, options, ['key', 'eps', 'momentum']);
  const { eps, momentum } = options;
  if (eps !== undefined) check.numberBetween(who, 'eps', eps, 0, Infinity);
  if (momentum !== undefined) check.numberBetween(who, 'momentum', momentum, 0, 1);
  const state = await readCheckpoint(source, options.key);
  return diagnoseState(state, { eps, momentum, subject: nameOf(source) });
}

/** The report of a state dict, whatever it was read from. */
export function diagnoseState(
  state: ReadonlyMap<string, Tensor>,
  { eps, momentum, subject }: DiagnoseCheckpointOptions & { subject: string },
): Report {
  const layers = layersOf(state, eps ?? USUAL_EPS, momentum ?? null);
  if (layers.length === 0) {
    throw check.wrongValue(
      'diagnoseCheckpoint',
      'a checkpoint with BatchNorm layers (keys running_mean and running_var)',
      `${state.size} keys without`,
    );
  }
  const findings = findingsOf({
    source: 'checkpoint',
    purpose: 'evaluation',
    layers,
    training: null,
    measured: null,
    events: [],
    decayed: new Map(),
  });
  return reportFrom({
    version: 1,
    source: 'checkpoint',
    subject,
    healthy: isHealthy(findings),
    findings,
    layers: layers.map(({ report }) => report),
    data: null,
    outputDifference: null,
    cases: null,
    accuracy: null,
    steps: null,
  });
}

function layersOf(
  state: ReadonlyMap<string, Tensor>,
  eps: number,
  momentum: number | null,
): ExaminedLayer[] {
  return [...state.keys()].flatMap((key): ExaminedLayer[] => {
    const [, prefix] = /^(?:(.*)\.)?running_mean$/.exec(key) ?? [null];
    if (prefix === null) return [];
    const name = prefix ?? '';
    const of = (field: string): Tensor | undefined =>
      state.get(name === '' ? field : `${name}.${field}`);
    const runningMean = numbersOf(of('running_mean'));
    const runningVar = numbersOf(of('running_var'));
    if (runningMean?.length !== runningVar?.length || runningMean === null) return [];
    const sized = (values: number[] | null): number[] | null =>
      values?.length === runningMean.length ? values : null;
    const weight = sized(numbersOf(of('weight')));
    const report: LayerReport = {
      ...NOT_EXAMINED,
      name,
      kind: 'BatchNorm',
      numFeatures: runningMean.length,
      training: null,
      frozen: null,
      normalizesBy: null,
      statisticsMove: null,
      hasRunningStatistics: true,
      numBatchesTracked: numbersOf(of('num_batches_tracked'))?.[0] ?? null,
      momentum,
      memoryInBatches: momentum === null || momentum === 0 ? null : 1 / momentum,
      eps,
      weight,
      bias: sized(numbersOf(of('bias'))),
      runningMean,
      runningVar,
      gain: gainOf(weight, runningVar, eps),
    };
    return [{ report, module: null, inFrozenPart: false }];
  });
}

function numbersOf(tensor: Tensor | undefined): number[] | null {
  return tensor === undefined ? null : Array.from(tensor.attached('diagnoseCheckpoint'), Number);
}

function nameOf(source: CheckpointSource): string {
  if (typeof source === 'string') return basename(source);
  return 'href' in source ? basename(source.pathname) : '';
}

/** A state dict out of a file of either kind, told apart by its first bytes. */
export async function readCheckpoint(source: CheckpointSource, key?: string): Promise<StateDict> {
  const first = await firstBytes(source);
  if (!isTorch(first)) return loadSafetensors(source);
  if (key !== undefined) return loadTorch(source, { key });
  try {
    return await loadTorch(source);
  } catch (error) {
    // A program's checkpoint holds the state dict under one of few names.
    for (const usual of USUAL_KEYS) {
      const state = await loadTorch(source, { key: usual }).catch(() => null);
      if (state !== null && state.size > 0) return state;
    }
    throw error;
  }
}

async function firstBytes(source: CheckpointSource): Promise<Uint8Array> {
  if (typeof source !== 'string' && !('href' in source)) {
    const bytes = ArrayBuffer.isView(source) ? source : new Uint8Array(source);
    return bytes.subarray(0, 8);
  }
  const path = typeof source === 'string' ? source : fileURLToPath(source);
  let file;
  try {
    file = await open(path);
  } catch (cause) {
    throw new Error(`diagnoseCheckpoint: expected a file that can be read, got '${path}'.`, {
      cause,
    });
  }
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(8), 0, 8, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A safetensors file begins with the length of a header and '{'; torch.save's are zip, pickle, or tar. */
function isTorch(first: Uint8Array): boolean {
  return first.length > 0 && !(first.length >= 8 && first[7] === 0 && first[6] === 0);
}
