// mendCheckpoint: a new file, with what can be mended mended. The old file stays.
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as check from '../check/index.js';
import { saveSafetensors } from '../checkpoint/index.js';
import type { Module } from '../nn/module/module.js';
import { StateDict } from '../tensor/state-dict.js';
import { Tensor } from '../tensor/tensor.js';
import { diagnoseState, readCheckpoint, type CheckpointSource } from './checkpoint.js';
import { recalibrate, type RecalibrateOptions } from './recalibrate.js';
import type { FindingId, Report } from './report-types.js';

export interface MendOptions<Batch> extends RecalibrateOptions<Batch> {
  /** The file to write, safetensors. */
  out: string | URL;
  /** Whether a file that is there may be replaced. Default false. */
  overwrite?: boolean | undefined;
  /** As of `diagnoseCheckpoint`. */
  key?: string | undefined;
  /** The model of the checkpoint, to recompute statistics with: with `loader`. Its own weights are replaced. */
  model?: Module | undefined;
  /** Training data. */
  loader?: Iterable<Batch> | undefined;
}

export interface MendResult {
  /** Findings of the old file that the new one has no more, and those that it still has. */
  readonly mended: readonly FindingId[];
  readonly left: readonly FindingId[];
  /** Of the new file. */
  readonly report: Report;
}

const WHO = 'mendCheckpoint';
const COUNTER = 'num_batches_tracked';

/**
 * Writes a mended copy of a checkpoint: missing counters are added, and, given the model and training data, the
 * running statistics are recomputed. What needs data is left where there are none.
 *
 * @throws {RangeError} when `out` is there already and `overwrite` is not true: nothing has been written then.
 * @example
 * ```ts
 * const state = new Map([['bn.running_mean', tensor([0.5])], ['bn.running_var', tensor([2])]]);
 * const old = checkpoint.encodeSafetensors(state);
 * const { mended } = await mendCheckpoint(old, { out: 'mended.safetensors' });
 * mended; // => ['counter-missing']
 * ```
 */
export async function mendCheckpoint<Batch>(
  source: CheckpointSource,
  options: MendOptions<Batch>,
): Promise<MendResult> {
  check.options(WHO, options, [
    'out',
    'overwrite',
    'key',
    'model',
    'loader',
    'dropout',
    'input',
    'forwardOptions',
  ]);
  const { out, overwrite = false, key, model, loader, ...pass } = options;
  check.boolean(WHO, 'overwrite', overwrite);
  if ((model === undefined) !== (loader === undefined)) {
    throw check.wrongValue(WHO, 'model and loader, or neither', 'one of them');
  }
  if (!overwrite && (await isThere(out))) {
    throw check.wrongValue(
      WHO,
      'a new file to write, or overwrite: true',
      `'${pathOf(out)}', which is there`,
    );
  }
  const state = await readCheckpoint(source, key);
  const before = diagnoseState(state, { subject: '' });
  const mended = withCounters(state);
  if (model !== undefined && loader !== undefined) {
    model.loadStateDict(withUsableStatistics(mended));
    recalibrate(model, loader, pass);
    for (const [name, tensor] of model.stateDict()) mended.set(name, tensor);
  }
  const report = diagnoseState(mended, { subject: '' });
  await saveSafetensors(out, mended);
  const after = new Set(report.findings.map(({ id }) => id));
  const ids = [...new Set(before.findings.map(({ id }) => id))];
  return { mended: ids.filter((id) => !after.has(id)), left: [...after], report };
}

function pathOf(place: string | URL): string {
  return resolve(typeof place === 'string' ? place : fileURLToPath(place));
}

async function isThere(place: string | URL): Promise<boolean> {
  return access(pathOf(place)).then(
    () => true,
    () => false,
  );
}

/** A copy with a counter beside every pair of running statistics: right behind them, as PyTorch has it. */
function withCounters(state: StateDict): StateDict {
  const mended = new StateDict();
  for (const [key, tensor] of state) {
    mended.set(key, tensor);
    const counter = key.replace(/running_var$/, COUNTER);
    if (!/(^|\.)running_var$/.test(key) || state.has(counter)) continue;
    mended.set(counter, Tensor.filled([], 'int64', 0));
  }
  for (const [path, info] of state.modules) mended.modules.set(path, info);
  for (const [key, text] of state.metadata) mended.metadata.set(key, text);
  return mended;
}

/** Variances that cannot be loaded make room for those to come. */
function withUsableStatistics(state: StateDict): StateDict {
  const usable = state.clone();
  for (const [key, tensor] of usable) {
    if (!/(^|\.)running_var$/.test(key)) continue;
    const data = tensor.attached(WHO) as Float64Array;
    data.forEach((each, c) => {
      if (!(each >= 0)) data[c] = 1;
    });
  }
  return usable;
}
