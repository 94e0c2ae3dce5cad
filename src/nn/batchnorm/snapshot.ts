// Running statistics move in forward, before anybody knows whether the step will be taken. This takes
// them back.
import * as check from '../../check/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { BatchNorm } from './layer.js';
import { Collected, type UnderWay } from './collected.js';
import { SINK, UNDER_WAY } from '../module/internals.js';
import { STATISTICS_NAMES } from './state.js';
import type { Module } from '../module/module.js';
import { batchNormsOf } from './virtual-batch.js';

/** What was under a buffer's name: the tensor itself, and a copy of its elements. */
interface KeptBuffer {
  readonly name: (typeof STATISTICS_NAMES)[number];
  readonly buffer: Tensor | null;
  readonly copy: Tensor | null;
}

interface Kept {
  readonly layer: BatchNorm;
  readonly buffers: readonly KeptBuffer[];
  readonly skippedBatches: number;
  /** The open virtual batch's, and the way back to what it had seen. */
  readonly collected: Collected | null;
  readonly restore: (() => void) | undefined;
  /** Asynchronous forwards that were begun before: what they move is not taken back. */
  readonly before: ReadonlySet<UnderWay>;
}

/** What `snapshotStatistics()` returns. */
export class StatisticsSnapshot {
  readonly #kept: readonly Kept[];

  /** @internal */
  constructor(layers: readonly BatchNorm[]) {
    this.#kept = layers.map((layer) => {
      const collected = collectedOf(layer);
      return {
        layer,
        buffers: STATISTICS_NAMES.map((name) => {
          const buffer = layer.getBuffer(name);
          return { name, buffer, copy: buffer?.copied() ?? null };
        }),
        skippedBatches: layer.skippedBatches,
        collected,
        restore: collected?.remember(),
        before: new Set(layer[UNDER_WAY]),
      };
    });
  }

  /**
   * Puts running_mean, running_var, num_batches_tracked and skippedBatches back, as often as it is called, and
   * with them what an open `virtualBatch` had collected: one that has been committed or discarded since is
   * open again, one that was opened since is closed. A `forwardAsync` that was begun since and is under way
   * moves nothing.
   *
   * @throws {TypeError} when a buffer is detached; nothing has changed then.
   */
  rollback(): void {
    const who = 'StatisticsSnapshot.rollback';
    const copies = this.#kept.flatMap(({ buffers }) =>
      buffers.flatMap(({ buffer, copy }) => {
        if (buffer === null || copy === null) return [];
        const data = buffer.attached(who, 'a running statistic');
        return [[buffer, data, copy.attached(who)] as const];
      }),
    );
    for (const [buffer, data, before] of copies) {
      (data as Float64Array).set(before as Float64Array);
      buffer.markChanged();
    }
    for (const { layer, buffers } of this.#kept) {
      // Another tensor may have been assigned since.
      for (const { name, buffer } of buffers) {
        if (layer.getBuffer(name) !== buffer) Object.assign(layer, { [name]: buffer });
      }
    }
    for (const kept of this.#kept) {
      kept.layer.skippedBatches = kept.skippedBatches;
      takeBackCollected(kept);
      for (const call of kept.layer[UNDER_WAY]) {
        if (!kept.before.has(call)) call.undone = true;
      }
    }
  }
}

/** What an open virtual batch, or a pass of updateBatchNorm, has seen of a layer; null without one. */
function collectedOf(layer: BatchNorm): Collected | null {
  const sink = layer[SINK];
  return sink instanceof Collected ? sink : null;
}

function takeBackCollected({ layer, collected, restore }: Kept): void {
  const now = collectedOf(layer);
  if (now !== null && now !== collected) {
    if (now.session === null) {
      now.clear(); // of updateBatchNorm, which is in the middle of its pass
      return;
    }
    now.session.close();
  }
  restore?.();
  // What updateBatchNorm has ended stays ended.
  if (collected === null || now === collected || collected.session === null) return;
  layer[SINK] = collected;
  collected.session.reopen();
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
 * what they were, and the error goes on. So is what an open `virtualBatch` had collected; one that `body` has
 * left open is closed. Parameters are not touched. Transactions may lie within one another. See
 * `StatisticsSnapshot.rollback`.
 *
 * @returns What `body` returns.
 * @example
 * ```ts
 * const bn = new nn.BatchNorm1d(1, { momentum: 1 });
 * const batch = nn.virtualBatch(bn);
 * bn.forward(tensor([[1], [3]]));
 * try {
 *   nn.transaction(bn, () => {
 *     bn.forward(tensor([[1000], [3000]]));
 *     throw new Error('the loss is not finite');
 *   });
 * } catch {} // this micro-batch does not count
 * batch.commit();
 * bn.runningMean?.toArray(); // => [2]
 * ```
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
