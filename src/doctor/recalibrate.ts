// recalibrate: running statistics anew, exactly, from data.
import * as check from '../check/index.js';
import { updateBatchNorm } from '../nn/batchnorm/update-batchnorm.js';
import type {
  UpdateBatchNormOptions,
  UpdateBatchNormResult,
} from '../nn/batchnorm/update-batchnorm.js';
import { batchNormsOf } from '../nn/batchnorm/virtual-batch.js';
import { Dropout } from '../nn/dropout.js';
import type { Module } from '../nn/module/module.js';

export interface RecalibrateOptions<Batch> extends UpdateBatchNormOptions<Batch> {
  /**
   * False: Dropout drops nothing during the pass, so that the statistics are those of evaluation. That is what a
   * Dropout before a BatchNorm asks for. Default true, as in training.
   */
  dropout?: boolean | undefined;
}

/**
 * Recomputes the running statistics of every BatchNorm below `model` from one pass over `loader`, exactly: the mean
 * and unbiased variance of all values. `nn.updateBatchNorm`, with a choice for Dropout. Layers that are frozen or do
 * not track statistics keep theirs.
 *
 * @param loader - Training data, in batches of the size of training. Where they arrive asynchronously the result is a promise.
 * @throws Whatever `nn.updateBatchNorm` throws; the model is as it was then.
 * @example
 * ```ts
 * const bn = new nn.BatchNorm1d(1);
 * recalibrate(bn, [tensor([[1], [3]]), tensor([[5], [7]])]);
 * bn.runningMean?.toArray(); // => [4]
 * ```
 */
export function recalibrate<Batch>(
  model: Module,
  loader: Iterable<Batch>,
  options?: RecalibrateOptions<Batch>,
): UpdateBatchNormResult;
export function recalibrate<Batch>(
  model: Module,
  loader: AsyncIterable<Batch>,
  options?: RecalibrateOptions<Batch>,
): Promise<UpdateBatchNormResult>;
export function recalibrate<Batch>(
  model: Module,
  loader: Iterable<Batch> | AsyncIterable<Batch>,
  options: RecalibrateOptions<Batch> = {},
): UpdateBatchNormResult | Promise<UpdateBatchNormResult> {
  const who = 'recalibrate';
  check.options(who, options, ['dropout', 'input', 'forwardOptions']);
  const { dropout = true, ...others } = options;
  check.boolean(who, 'dropout', dropout);
  batchNormsOf(who, model);
  const update = (): UpdateBatchNormResult | Promise<UpdateBatchNormResult> =>
    updateBatchNorm(model, loader as Iterable<Batch>, others);
  if (dropout) return update();
  const kept = [...model.modules()].flatMap((module) =>
    module instanceof Dropout ? [[module, module.p] as const] : [],
  );
  const restore = (): void => {
    for (const [module, p] of kept) module.p = p;
  };
  for (const [module] of kept) module.p = 0;
  let result;
  try {
    result = update();
  } catch (error) {
    restore();
    throw error;
  }
  if (check.isThenable(result)) return Promise.resolve(result).finally(restore);
  restore();
  return result;
}
