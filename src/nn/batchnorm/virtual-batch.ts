// Gradient accumulation for running statistics: many micro-batches, one step.
import * as check from '../../check/index.js';
import { BatchNorm } from './layer.js';
import { Collected, type Session } from './collected.js';
import { CHECK_STATISTICS, MOVE_STATISTICS, NEXT_WEIGHT, SINK } from '../module/internals.js';
import { Module } from '../module/module.js';
import { runningStatistics } from './sink.js';

/** What `virtualBatch()` returns. */
export class VirtualBatch {
  readonly #collected: ReadonlyMap<BatchNorm, Collected>;
  #open = true;

  /** @internal */
  constructor(layers: readonly BatchNorm[]) {
    this.#collected = collect(layers, {
      close: () => {
        this.discard();
      },
      reopen: () => {
        this.#open = true;
      },
    });
  }

  /**
   * One step of every layer's running statistics, towards the mean and unbiased variance of all values
   * since the start, and one count. A layer that has seen no batch stays as it is.
   *
   * @throws {Error} when it is committed, discarded or taken back already; {TypeError} when the memory of a running
   * statistic is detached. Nothing has moved then.
   */
  commit(): void {
    if (!this.#open)
      throw new Error('VirtualBatch.commit: expected an open virtual batch, got a closed one.');
    const seen = [...this.#collected].filter(
      ([layer, each]) => layer[SINK] === each && each.batches > 0 && !layer.frozen,
    );
    const steps = seen.map(([layer, { moments }]) => {
      layer[CHECK_STATISTICS]('VirtualBatch.commit');
      return { layer, moments, momentum: layer[NEXT_WEIGHT](layer.momentum) };
    });
    this.discard();
    for (const { layer, moments, momentum } of steps) layer[MOVE_STATISTICS](moments, momentum);
  }

  /** Forgets what was collected: the running statistics stay as they were at the start. */
  discard(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const [layer, each] of this.#collected) {
      if (layer[SINK] === each) layer[SINK] = runningStatistics;
    }
  }

  /** `using batch = …` discards what was not committed. */
  [Symbol.dispose](): void {
    this.discard();
  }
}

/**
 * Collects the statistics of the micro-batches of one optimiser step: until `commit()`, training-mode
 * forwards of every BatchNorm below `model` leave its running statistics alone; then these make one step
 * by all values together, merged by count. k micro-batches of n leave what one batch of k · n leaves, to
 * rounding in double. Each micro-batch is still normalised by itself: outputs and gradients are not those
 * of one large batch.
 *
 * It ends with `commit()`, `discard()` or its `using` block. A `transaction` that fails, and `rollback()`, end
 * it too where they began before it; one that was open before them is open again, with what it had collected.
 *
 * @throws {TypeError} when `model` is no Module.
 * @throws {Error} when one of its layers is in another open virtual batch.
 * @example
 * ```ts
 * const bn = new nn.BatchNorm1d(1, { momentum: 1 });
 * const batch = nn.virtualBatch(bn);
 * bn.forward(tensor([[1], [3]]));
 * bn.forward(tensor([[5], [7]]));
 * bn.runningMean?.toArray(); // => [0]
 * batch.commit();
 * bn.runningMean?.toArray(); // => [4]
 * bn.numBatchesTracked; // => 1
 * ```
 */
export function virtualBatch(model: Module): VirtualBatch {
  const layers = batchNormsOf('virtualBatch', model);
  checkNotCollecting('virtualBatch', layers);
  return new VirtualBatch(layers);
}

/** @internal */
export function checkNotCollecting(who: string, layers: readonly BatchNorm[]): void {
  for (const layer of layers) {
    if (layer[SINK] === runningStatistics) continue;
    throw new Error(`${who}: expected no open virtual batch of ${layer.toString()}, got one.`);
  }
}

/** From here on the layers' batches are collected. */
function collect(
  layers: readonly BatchNorm[],
  session: Session,
): ReadonlyMap<BatchNorm, Collected> {
  const collected = new Map(
    layers.map((layer) => [layer, new Collected(layer.numFeatures, false, session)]),
  );
  for (const [layer, each] of collected) layer[SINK] = each;
  return collected;
}

/** @internal Every BatchNorm in a model, once. One that waits for its size is an error. */
export function batchNormsOf(who: string, model: unknown): BatchNorm[] {
  if (!(model instanceof Module)) throw check.wrongKind(who, 'a Module', model);
  const layers = [...model.modules()].filter((each) => each instanceof BatchNorm);
  for (const layer of layers) {
    if (layer.numFeatures > 0) continue;
    throw new Error(
      `${who}: Attempted to use an uninitialized parameter of ${layer.toString()}; ` +
        'run a first forward to initialize it.',
    );
  }
  return layers;
}
