// Running statistics move in forward, before anybody knows whether the step will be taken. This takes
// them back.
import * as check from '../check.js';
import type { Tensor } from '../tensor.js';
import type { BatchNorm } from './batchnorm.js';
import { STATISTICS } from './internals.js';
import type { Module } from './module.js';
import { batchNormsOf } from './virtual-batch.js';

interface Kept {
  readonly layer: BatchNorm;
  readonly buffers: readonly (readonly [Tensor, Tensor])[];
  readonly skippedBatches: number;
}

/** What `snapshotStatistics()` returns. */
export class StatisticsSnapshot {
  readonly #kept: readonly Kept[];

  /** @internal */
  constructor(layers: readonly BatchNorm[]) {
    this.#kept = layers.map((layer) => ({
      layer,
      buffers: layer[STATISTICS]().map((buffer) => [buffer, buffer.copied()] as const),
      skippedBatches: layer.skippedBatches,
    }));
  }

  /**
   * Puts running_mean, running_var, num_batches_tracked and skippedBatches back, as often as it is called.
   *
   * @throws {TypeError} when the memory of a buffer has gone; nothing has changed then.
   */
  rollback(): void {
    const all = this.#kept.flatMap(({ buffers }) => buffers);
    const copies = all.map(
      ([buffer, before]) =>
        [
          buffer,
          buffer.attached('StatisticsSnapshot.rollback', 'a running statistic'),
          before.attached('StatisticsSnapshot.rollback'),
        ] as const,
    );
    for (const [buffer, data, before] of copies) {
      (data as Float64Array).set(before as Float64Array);
      buffer.markChanged();
    }
    for (const { layer, skippedBatches } of this.#kept) layer.skippedBatches = skippedBatches;
  }
}

/**
 * Remembers the running statistics of every BatchNorm below `model`.
 *
 * @throws {TypeError} when `model` is no Module.
 * @example
 * ```ts
 * const bn = new nn.BatchNorm1d(1);
 * const before = nn.snapshotStatistics(bn);
 * bn.forward(tensor([[NaN], [1]]));
 * before.rollback();
 * bn.runningMean?.toArray(); // => [0]
 * ```
 */
export function snapshotStatistics(model: Module): StatisticsSnapshot {
  return new StatisticsSnapshot(batchNormsOf('snapshotStatistics', model));
}

/**
 * Runs `body`; when it throws, or its promise is rejected, the running statistics below `model` are again
 * what they were, and the error goes on. Parameters are not touched.
 *
 * @returns What `body` returns.
 * @throws {TypeError} when `model` is no Module or `body` no function.
 */
export function transaction<Result>(model: Module, body: () => Result): Result {
  const before = new StatisticsSnapshot(batchNormsOf('transaction', model));
  if (typeof body !== 'function') throw check.wrongKind('transaction', 'a function', body);
  const undo = (error: unknown): never => {
    before.rollback();
    throw error;
  };
  try {
    const result = body();
    return check.isThenable(result) ? (result.then(undefined, undo) as Result) : result;
  } catch (error) {
    return undo(error);
  }
}
