// LazyBatchNorm1d: a BatchNorm1d that takes its number of channels from its first input, or from a state
// dict. From then on it is one; nothing of the arithmetic is here.
import * as check from '../../check/index.js';
import { Tensor, type TensorLike } from '../../tensor/tensor.js';
import type {
  BatchNormAsyncOptions,
  BatchNormForwardOptions,
  BatchNormOptions,
} from './options.js';
import { BatchNorm1d } from './layer.js';
import {
  WHO,
  UNINITIALIZED,
  PLAN_LOAD,
  CHANNELS,
  WITH_BIAS,
  WITH_STATISTICS,
  CREATE_STATE,
} from '../module/internals.js';
import type { LoadPlan } from '../module/load-state-dict.js';

const FORGET = Symbol('forget');
const MISSING = Symbol('missing');
const EAGER = Symbol('eager');
const ADOPT = Symbol('adopt');

const PER_CHANNEL = ['weight', 'bias', 'running_mean', 'running_var'];

/**
 * `BatchNorm1d` whose numFeatures is that of the first input (its channel dimension by `layout`) or of
 * the first state dict it loads. Until then numFeatures is 0 and there are no parameters: asking this
 * module, or a model it is in, for `parameters()`, `buffers()` or `stateDict()` is an Error. So run a
 * forward before making the optimiser. Afterwards it behaves and prints as a BatchNorm1d.
 *
 * An input or state that is refused leaves it as it was: PyTorch's has a size then.
 *
 * @example
 * ```ts
 * const bn = new nn.LazyBatchNorm1d({ momentum: 0.5 });
 * bn.forward(tensor([[1, 2, 3], [3, 2, 1]]));
 * bn.numFeatures; // => 3
 * bn.runningMean?.toArray(); // => [1, 1, 1]
 * bn.toString().startsWith('BatchNorm1d(3, '); // => true
 * ```
 */
export class LazyBatchNorm1d extends BatchNorm1d {
  static override readonly forwardOptions: readonly string[] = BatchNorm1d.forwardOptions;

  /** @throws {TypeError | RangeError} for an option that is unknown or out of range. */
  constructor(options: BatchNormOptions = {}) {
    super(0, options);
  }

  override get [WHO](): string {
    return this[CHANNELS] > 0 ? 'BatchNorm1d' : super[WHO];
  }

  override get [UNINITIALIZED](): boolean {
    return this[CHANNELS] === 0 && (this.affine || this[WITH_STATISTICS]);
  }

  /** The constructor's 0 makes none: see `forget`. */
  override [CREATE_STATE](): void {
    this[FORGET]();
  }

  /** No size, and no state: reading a parameter that is to come is an error, not null. */
  private [FORGET](): void {
    this[CHANNELS] = 0;
    for (const name of ['weight', 'bias'] as const) {
      const awaited = name === 'weight' ? this.affine : this[WITH_BIAS];
      if (!awaited) continue;
      Object.defineProperty(this, name, {
        get(this: LazyBatchNorm1d) {
          throw this[MISSING](name);
        },
        enumerable: false,
        configurable: true,
      });
    }
    for (const name of ['running_mean', 'running_var', 'num_batches_tracked']) {
      this.registerBuffer(name, null);
    }
  }

  private [MISSING](name: string): Error {
    return new Error(
      `${this[WHO]}.${name}: Attempted to use an uninitialized parameter; run a first forward to initialize it.`,
    );
  }

  /** A layer that has the size, to take the state from. */
  private [EAGER](numFeatures: number): BatchNorm1d {
    const { affine, dtype } = this;
    const [bias, trackRunningStats] = [this[WITH_BIAS], this[WITH_STATISTICS]];
    return new BatchNorm1d(numFeatures, { affine, bias, trackRunningStats, dtype });
  }

  private [ADOPT](layer: BatchNorm1d): void {
    this[CHANNELS] = layer.numFeatures;
    for (const name of ['weight', 'bias'] as const) {
      const value = layer[name];
      Object.defineProperty(this, name, {
        ...{ value, writable: true, enumerable: true, configurable: true },
      });
    }
    for (const name of ['running_mean', 'running_var', 'num_batches_tracked']) {
      this.registerBuffer(name, layer.getBuffer(name));
    }
  }

  override get runningMean(): Tensor | null {
    if (this[CHANNELS] === 0 && this[WITH_STATISTICS]) throw this[MISSING]('runningMean');
    return super.runningMean;
  }

  override get runningVar(): Tensor | null {
    if (this[CHANNELS] === 0 && this[WITH_STATISTICS]) throw this[MISSING]('runningVar');
    return super.runningVar;
  }

  override resetRunningStats(): void {
    if (this[CHANNELS] > 0) super.resetRunningStats();
  }

  override resetParameters(): void {
    if (this[CHANNELS] > 0) super.resetParameters();
  }

  override forward(x: TensorLike, options?: BatchNormForwardOptions, ...rest: never[]): Tensor {
    if (this[CHANNELS] > 0) return super.forward(x, options, ...rest);
    check.noMore(`${this[WHO]}.forward`, 2, rest);
    const input = Tensor.operand(this[WHO], 'the input', x);
    const { shape } = input;
    const channels = shape[this.layout === 'NLC' ? shape.length - 1 : 1] ?? 0;
    check.batchNormInput(this[WHO], 'BatchNorm1d', input, channels, this.layout);
    this[ADOPT](this[EAGER](channels));
    try {
      return super.forward(input, options);
    } catch (error) {
      this[FORGET]();
      throw error;
    }
  }

  /** Needs its size: the input that decides it must be one that is accepted, and that is known too late. */
  override async forwardAsync(
    x: TensorLike,
    options?: BatchNormAsyncOptions,
    ...rest: never[]
  ): Promise<Tensor> {
    if (this[CHANNELS] === 0) throw this[MISSING]('forwardAsync');
    return super.forwardAsync(x, options, ...rest);
  }

  override [PLAN_LOAD](entries: ReadonlyMap<string, Tensor>, version: number | null): LoadPlan {
    if (!this[UNINITIALIZED]) return super[PLAN_LOAD](entries, version);
    const channels = channelsOf(entries);
    const layer = this[EAGER](channels ?? 1);
    // Not those of stateDict(), which would take assigned memory away from the layer's.
    const targets = new Map([...layer.namedParameters(), ...layer.namedBuffers()]);
    if (channels === null) return { entries, targets }; // says what is missing
    return {
      entries,
      targets,
      commit: () => {
        this[ADOPT](layer);
      },
    };
  }
}

/** The size that the first entry with one says; the others are checked against it. */
function channelsOf(entries: ReadonlyMap<string, unknown>): number | null {
  for (const name of PER_CHANNEL) {
    const entry = entries.get(name);
    if (entry instanceof Tensor && entry.shape.length === 1 && entry.numel > 0) return entry.numel;
  }
  return null;
}
