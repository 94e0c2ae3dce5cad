// Running statistics of a whole data set, from one pass over it: for weights that no forward in training
// has ever seen, such as an average of checkpoints, and before inference.
import { noGrad } from '../../autograd/index.js';
import * as check from '../../check/index.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import type { BatchNorm } from './layer.js';
import { Collected } from './collected.js';
import { CHECK_STATISTICS, MOVE_STATISTICS, SINK, UPDATES } from '../module/internals.js';
import type { Module } from '../module/module.js';
import { runningStatistics } from './sink.js';
import { batchNormsOf, checkNotCollecting } from './virtual-batch.js';

export interface UpdateBatchNormOptions<Batch> {
  /** What of a batch goes into the model. Default: the batch itself, or the first of an array. */
  input?: ((batch: Batch) => TensorLike) | undefined;
  /** The options of the model's forward for a batch, such as `{ lengths }` or `{ mask }`. Default none. */
  forwardOptions?: ((batch: Batch) => object | undefined) | undefined;
}

/** What `updateBatchNorm` has done. */
export interface UpdateBatchNormResult {
  /** Batches of the loader. */
  readonly batches: number;
  /** Layers whose running statistics are new. */
  readonly layers: number;
}

const WHO = 'updateBatchNorm';

/**
 * Recomputes the running statistics of every BatchNorm below `model` from one pass over `loader`:
 * running_mean and running_var are the mean and the unbiased variance of all values a layer has seen,
 * num_batches_tracked is its number of batches with values. PyTorch's `torch.optim.swa_utils.update_bn`,
 * but exact: that one averages the batches' means and variances, whatever their sizes, and leaves out the
 * variance between them. Merged in double, whatever `momentum` says; nothing of the old values is left.
 *
 * During the pass the whole model is in `train()`, as in PyTorch: every layer normalises by its batch, and
 * dropout drops. Nothing is recorded. Afterwards every module has the mode it had.
 *
 * A layer keeps the statistics it has when forward would not move them in training (frozen, without
 * running statistics, `trackRunningStats` or `updateStatistics` false), and when no batch has reached it.
 * With `nonFinite: 'skip'` a batch that is not finite stays out. With `singleValue: 'running'` a batch of one
 * value counts as one of many; its own output is made by the statistics from before.
 *
 * @param loader - Batches: Tensors, what `Tensor.from` takes, or arrays whose first element is one of these,
 * such as a DataLoader's. It is not read when there is no layer to recompute. Where batches arrive asynchronously
 * (`for await`) the result is a promise, which every failure rejects; between the batches the model has its modes and
 * statistics, and may be used. They are written at the end.
 * @throws {RangeError} when no batch came, or only one value per channel.
 * @throws {Error} when one of the layers is in an open virtual batch. Whatever throws, the model and the
 * loader too, leaves modes and running statistics as they were.
 * @example
 * ```ts
 * const bn = new nn.BatchNorm1d(1).eval();
 * const loader = [tensor([[1], [3]]), tensor([[5], [6], [10]])];
 * const { batches } = nn.updateBatchNorm(bn, loader);
 * batches; // => 2
 * bn.runningMean?.toArray(); // => [5]
 * bn.runningVar?.toArray(); // => [11.5]
 * bn.training; // => false
 * ```
 */
export function updateBatchNorm<Batch>(
  model: Module,
  loader: Iterable<Batch>,
  options?: UpdateBatchNormOptions<Batch>,
): UpdateBatchNormResult;
export function updateBatchNorm<Batch>(
  model: Module,
  loader: AsyncIterable<Batch>,
  options?: UpdateBatchNormOptions<Batch>,
): Promise<UpdateBatchNormResult>;
export function updateBatchNorm<Batch>(
  model: Module,
  loader: Iterable<Batch> | AsyncIterable<Batch>,
  options: UpdateBatchNormOptions<Batch> = {},
): UpdateBatchNormResult | Promise<UpdateBatchNormResult> {
  return isAsync(loader) ? updateLater(model, loader, options) : updateNow(model, loader, options);
}

function isAsync<Batch>(loader: unknown): loader is AsyncIterable<Batch> {
  if (typeof loader !== 'object' || loader === null || Symbol.iterator in loader) return false;
  return Symbol.asyncIterator in loader;
}

function updateNow<Batch>(
  model: Module,
  loader: Iterable<Batch>,
  options: UpdateBatchNormOptions<Batch>,
): UpdateBatchNormResult {
  const layers = batchNormsOf(WHO, model).filter((layer) => layer[UPDATES](true));
  check.iterable(WHO, 'the loader', loader);
  checkOptions(options);
  checkNotCollecting(WHO, layers);
  if (layers.length === 0) return { batches: 0, layers: 0 };

  const skipped = layers.map((layer) => [layer, layer.skippedBatches] as const);
  const collected = collectionsOf(layers);
  try {
    let batches = 0;
    collectingInto(model, collected, () => {
      for (const batch of loader) {
        forward(model, batch, options);
        batches++;
      }
    });
    return finish(batches, collected);
  } catch (error) {
    for (const [layer, before] of skipped) layer.skippedBatches = before;
    throw error;
  }
}

/** One batch after another, as they arrive; in between the model is as it was. */
async function updateLater<Batch>(
  model: Module,
  loader: AsyncIterable<Batch>,
  options: UpdateBatchNormOptions<Batch>,
): Promise<UpdateBatchNormResult> {
  const layers = batchNormsOf(WHO, model).filter((layer) => layer[UPDATES](true));
  checkOptions(options);
  checkNotCollecting(WHO, layers);
  if (layers.length === 0) return { batches: 0, layers: 0 };

  const collected = collectionsOf(layers);
  const skipped = new Map<BatchNorm, number>();
  try {
    let batches = 0;
    for await (const batch of loader) {
      checkNotCollecting(WHO, layers);
      const before = layers.map((layer) => layer.skippedBatches);
      try {
        collectingInto(model, collected, () => forward(model, batch, options));
      } finally {
        layers.forEach((layer, i) => {
          const more = layer.skippedBatches - before[i]!;
          skipped.set(layer, (skipped.get(layer) ?? 0) + more);
        });
      }
      batches++;
    }
    checkNotCollecting(WHO, layers);
    return finish(batches, collected);
  } catch (error) {
    for (const [layer, more] of skipped) layer.skippedBatches -= more;
    throw error;
  }
}

/** What each layer sees; batches of one value too. */
function collectionsOf(layers: readonly BatchNorm[]): Map<BatchNorm, Collected> {
  return new Map(layers.map((layer) => [layer, new Collected(layer.numFeatures, true, null)]));
}

function checkOptions(options: UpdateBatchNormOptions<never>): void {
  check.options(WHO, options, ['input', 'forwardOptions']);
  for (const name of ['input', 'forwardOptions'] as const) {
    const value: unknown = options[name];
    if (value === undefined || typeof value === 'function') continue;
    throw check.wrongKind(WHO, `${name} to be a function`, value);
  }
}

/** Runs `body` with the model in training, unrecorded, and its layers' batches going into `collected`. */
function collectingInto(
  model: Module,
  collected: ReadonlyMap<BatchNorm, Collected>,
  body: () => void,
): void {
  const modes = [...model.modules()].map((module) => [module, module.training] as const);
  for (const [layer, each] of collected) layer[SINK] = each;
  try {
    model.train();
    noGrad(body);
  } finally {
    for (const layer of collected.keys()) layer[SINK] = runningStatistics;
    for (const [module, training] of modes) module.training = training;
  }
}

function forward<Batch>(
  model: Module,
  batch: Batch,
  { input, forwardOptions }: UpdateBatchNormOptions<Batch>,
): void {
  const x = Tensor.from((input ?? inputOf)(batch));
  const options = forwardOptions?.(batch);
  const given = options === undefined ? [x] : [x, options];
  check.synchronous(WHO, model.forward(...(given as never[])));
}

function finish(
  batches: number,
  collected: ReadonlyMap<BatchNorm, Collected>,
): UpdateBatchNormResult {
  if (batches === 0) throw check.wrongValue(WHO, 'a loader of at least one batch', 'none');
  return { batches, layers: write(collected) };
}

function inputOf(batch: unknown): TensorLike {
  const x: unknown = Array.isArray(batch) ? batch[0] : batch;
  if (typeof x === 'object' && x !== null && 'data' in x) return x;
  throw check.wrongKind(
    WHO,
    'a batch to be a Tensor or an array that begins with one (options.input says what else goes in)',
    batch,
  );
}

/** All or none: everything that can fail comes first. Returns the number of layers that have changed. */
function write(collected: ReadonlyMap<BatchNorm, Collected>): number {
  const seen = [...collected].filter(([, { nonEmpty }]) => nonEmpty > 0);
  for (const [layer, { moments }] of seen) {
    layer[CHECK_STATISTICS](WHO);
    if (moments.count > 1) continue;
    throw check.wrongValue(
      WHO,
      'more than 1 value per channel when training',
      `one for ${layer.toString()}`,
    );
  }
  for (const [layer, { moments, nonEmpty }] of seen) {
    layer.resetRunningStats(); // 0 · NaN would be NaN: nothing that was there before gets a weight
    layer[MOVE_STATISTICS](moments, 1);
    if (layer.getBuffer('num_batches_tracked') !== null) layer.numBatchesTracked = nonEmpty;
  }
  return seen.length;
}
