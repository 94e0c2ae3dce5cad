// BatchNorm1d, 2d, 3d: what a forward does. What a layer keeps is in state.ts, what can be chosen of it in choices.ts and
// mode.ts, what becomes of a batch's moments in learn.ts, the arithmetic in functional/batchnorm/ and below it.
import * as check from '../../check/index.js';
import { behindOf } from '../../functional/batchnorm/activation.js';
import { normalize } from '../../functional/batchnorm/forward.js';
import { packedDims, paddingOf } from '../../functional/batchnorm/padding.js';
import type { Plan } from '../../functional/batchnorm/plan.js';
import { deferring } from '../../run/deferral.js';
import { learned, sizesOf, Tensor, type TensorLike } from '../../tensor/tensor.js';
import * as internals from '../module/internals.js';
import { AFTER_COPY, CHECK_COUNTER, HAS_MODE, UNDER_WAY } from '../module/internals.js';
import type { UnderWay } from './collected.js';
import { normalizeThenLearn } from './learn.js';
import { BatchNormMode } from './mode.js';
import {
  ASYNC_OPTIONS,
  FORWARD_OPTIONS,
  SEQUENCE_OPTIONS,
  type BatchNormAsyncOptions,
  type BatchNormForwardOptions,
} from './options.js';
import { runningStatistics, type ForwardObserver, type MomentsSink } from './sink.js';

// Constants of this file for what each forward reads: the CommonJS build looks an import up at each use.
const WHO: typeof internals.WHO = internals.WHO;
const UPDATES: typeof internals.UPDATES = internals.UPDATES;
const NORMALIZES_BY_RUNNING: typeof internals.NORMALIZES_BY_RUNNING =
  internals.NORMALIZES_BY_RUNNING;
const NEXT_WEIGHT: typeof internals.NEXT_WEIGHT = internals.NEXT_WEIGHT;
const COUNT_BATCH: typeof internals.COUNT_BATCH = internals.COUNT_BATCH;

const SINK: typeof internals.SINK = internals.SINK;
const OBSERVERS: typeof internals.OBSERVERS = internals.OBSERVERS;

const KIND = Symbol('kind');
/** @internal */
export const PLAN = Symbol('plan');

/**
 * @internal Has `observer` told of every forward of `layer`, now or beside the event loop, after its statistics have
 * moved. Copies of the layer have no observers.
 */
export function observeForwards(
  layer: BatchNorm,
  observer: ForwardObserver<BatchNorm>,
): { remove(): void } {
  const entry: ForwardObserver<BatchNorm> = (seen) => {
    observer(seen);
  };
  layer[OBSERVERS] = [...(layer[OBSERVERS] ?? []), entry];
  return {
    remove: () => {
      const left = (layer[OBSERVERS] ?? []).filter((each) => each !== entry);
      layer[OBSERVERS] = left.length > 0 ? left : null;
    },
  };
}

/** What BatchNorm1d, 2d and 3d have in common; for `instanceof`. */
export abstract class BatchNorm extends BatchNormMode {
  static override readonly forwardOptions: readonly string[] = SEQUENCE_OPTIONS;

  /** @internal Takes the moments of the batches that this layer learns from. */
  [SINK]: MomentsSink = runningStatistics;
  /** @internal Are told of each forward. */
  [OBSERVERS]: readonly ForwardObserver<BatchNorm>[] | null = null;
  /** @internal */
  [UNDER_WAY] = new Set<UnderWay>();

  /** @internal A copy learns by itself: it is in no virtual batch, and nobody watches it. */
  [AFTER_COPY](): void {
    this[SINK] = runningStatistics;
    this[OBSERVERS] = null;
    this[UNDER_WAY] = new Set();
  }

  /** @internal */
  get [HAS_MODE](): boolean {
    return true;
  }

  protected abstract readonly [KIND]: 'BatchNorm1d' | 'BatchNorm2d' | 'BatchNorm3d';

  /**
   * y = (x - mean) / sqrt(var + eps) · weight + bias per channel.
   *
   * | training | running statistics | normalises by | moves them |
   * |---|---|---|---|
   * | true | tracked | the batch | yes |
   * | true | none, or not tracked | the batch | no |
   * | false | there | the running statistics | no |
   * | false | none | the batch: results depend on who shares it | no |
   *
   * `normalizeBy`, `updateStatistics` and `freeze()` say otherwise where they are set. The running
   * statistics move here, in forward, not in `optimizer.step()`, also under `noGrad`.
   *
   * @param x - [N, C] or [N, C, L] for BatchNorm1d ([N, L, C] with layout 'NLC'), [N, C, H, W] for 2d,
   * [N, C, D, H, W] for 3d; of the module's dtype. An empty batch moves only `numBatchesTracked`.
   * @throws {RangeError} for another shape, or one value per channel where the batch normalises.
   * Whatever throws has changed nothing.
   */
  forward(x: TensorLike, options?: BatchNormForwardOptions, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 2, rest);
    if (options !== undefined) check.options(`${this[WHO]}.forward`, options, FORWARD_OPTIONS);
    const input = x instanceof Tensor ? x : Tensor.operand(this[WHO], 'the input', x);
    const plan = this[PLAN](input, options, options?.out ?? null);
    if (
      this.nonFinite !== 'propagate' ||
      this[OBSERVERS] !== null ||
      plan.deferral !== null ||
      (plan.update && (plan.useRunning || this[SINK] !== runningStatistics))
    ) {
      return normalizeThenLearn(this, input, plan);
    }
    const y = normalize(input, plan);
    const counter = plan.update ? this.getBuffer('num_batches_tracked') : null;
    if (counter !== null) this[COUNT_BATCH](counter);
    return y;
  }

  /**
   * `forward` that does not block the event loop: it runs on threads of its own. The same bits, and the
   * same semantics: mode, options, weights and running statistics are those of the time of the call, as if
   * forward had run there and then. The running statistics move just before the promise is fulfilled, in
   * the order of the calls of this module: an evaluation behind a training call sees what that has moved.
   * A plain `forward` in between acts at once. Forward hooks run: those before at the call, those after
   * it before the promise is fulfilled.
   *
   * `x` must not be written until the promise settles. What an operation writes into it is noticed and
   * rejected; what you write into its array is not, where that is shared, or above 1 MB and not yet copied.
   *
   * @returns A promise that every failure rejects, those of the arguments too; aborted, with the
   * signal's reason. Running statistics and counters have not changed then.
   * @example
   * ```ts
   * const bn = new nn.BatchNorm1d(2, { momentum: 1 });
   * const shared = new Float32Array(new SharedArrayBuffer(16));
   * shared.set([1, 2, 3, 6]);
   * const y = await bn.forwardAsync(tensor(shared, [2, 2]), { signal: AbortSignal.timeout(1000) });
   * y.shape; // => [2, 2]
   * bn.runningMean?.toArray(); // => [2, 4]
   * ```
   */
  override async forwardAsync(
    x: TensorLike,
    options: BatchNormAsyncOptions = {},
    ...rest: never[]
  ): Promise<Tensor> {
    const who = `${this[WHO]}.forwardAsync`;
    if (rest.length > 0) check.noMore(who, 2, rest);
    check.options(who, options, ASYNC_OPTIONS);
    return super.forwardAsync(x, options) as Promise<Tensor>;
  }

  /**
   * @internal Which statistics normalise, and which move: everything about a call but its memory.
   *
   * @param values - In each channel: those of the input unless it is only a part of the batch.
   */
  protected [PLAN](
    input: Tensor,
    options: Pick<BatchNormForwardOptions, 'lengths' | 'mask' | 'relu' | 'activation'> | undefined,
    out: Tensor | null,
    values?: number,
  ): Plan {
    const { [WHO]: who, runningMean, runningVar, training } = this;
    check.dtype(who, 'the input', input, this.dtype);
    const given = check.batchNormInput(
      who,
      this[KIND],
      input,
      this.numFeatures,
      this.layout,
      sizesOf(input),
    );
    check.bothOrNeither(who, runningMean, runningVar);
    const padding = paddingOf(who, input, options, this.layout);
    const dims = padding === null ? given : packedDims(padding);
    // One value has no spread: by the policy it is neither normalised by itself nor, but as one of
    // many, learned from.
    const count = values ?? dims.n * dims.l;
    const lone = count === 1 && this.singleValue === 'running' && runningMean !== null;
    const sink = this[SINK];
    const update = this[UPDATES](training) && (!lone || sink.takesSingle);
    if (update) this[CHECK_COUNTER](who);
    // Field by field: with a spread in its literal, making the plan took 500 ns instead of next to none.
    const { relu, activation } = behindOf(who, options);
    return {
      who,
      dims,
      padding,
      weight: learned(who, 'weight', this.weight),
      bias: learned(who, 'bias', this.bias),
      runningMean,
      runningVar,
      useRunning: lone || this[NORMALIZES_BY_RUNNING](training),
      update,
      momentum: update && sink === runningStatistics ? this[NEXT_WEIGHT](this.momentum) : 0,
      eps: this.eps,
      relu,
      activation,
      out,
      moments: null,
      owner: this,
      deferral: deferring(),
    };
  }
}

/**
 * Batch normalisation (Ioffe & Szegedy 2015) over [N, C] or [N, C, L] ([N, L, C] with layout 'NLC'):
 * y = (x - mean) / sqrt(var + eps) · weight + bias, channel by channel. In training, mean and variance are the batch's, and
 * move the running ones: running = (1 - momentum) · running + momentum · batch's (its unbiased variance). In evaluation they
 * are the running ones.
 *
 * @throws {RangeError | TypeError} for an option out of its range; of `forward`, for a shape that does not fit, and for one
 * value per channel in training.
 * @example
 * ```ts
 * const bn = new nn.BatchNorm1d(2, { eps: 1, momentum: 0.5 });
 * const x = tensor([[1, 0], [3, 0]]);
 * bn.forward(x); // normalised by the batch: mean [2, 0], variance [1, 0]
 * bn.runningMean?.toArray(); // => [1, 0]
 * bn.runningVar?.toArray(); // => [1.5, 0.5]
 * bn.eval().forward(x); // normalised by the running statistics, which stay
 * bn.numBatchesTracked; // => 1
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  protected override readonly [KIND] = 'BatchNorm1d';
}

/** Batch normalisation over [N, C, H, W] ([N, H, W, C] with layout 'NLC'): see BatchNorm1d. */
export class BatchNorm2d extends BatchNorm {
  protected override readonly [KIND] = 'BatchNorm2d';
}

/** Batch normalisation over [N, C, D, H, W] ([N, D, H, W, C] with layout 'NLC'): see BatchNorm1d. */
export class BatchNorm3d extends BatchNorm {
  protected override readonly [KIND] = 'BatchNorm3d';
}
