// LazyConv1d: a Conv1d that takes its number of channels from its first input, or from a state dict. From then on it is
// one; nothing of the arithmetic is here.
import * as check from '../check/index.js';
import { randomState, restoreRandomState } from '../tensor/random.js';
import { Tensor, type TensorLike } from '../tensor/tensor.js';
import { Conv1d, HAS_BIAS, undrawn, type Conv1dLayerOptions } from './convolution.js';
import { PLAN_LOAD, UNINITIALIZED, WHO } from './module/internals.js';
import type { LoadPlan } from './module/load-state-dict.js';

const OPTIONS = Symbol('options');
const ADOPT = Symbol('adopt');
const MISSING = Symbol('missing');

/**
 * `Conv1d` whose inChannels is that of the first input, or of the first state dict it loads. Until then inChannels is 0
 * and there are no parameters: asking this module, or a model it is in, for them is an Error. So run a forward before
 * making the optimiser. Afterwards it behaves and prints as a Conv1d.
 *
 * @example
 * ```ts
 * const conv = new nn.LazyConv1d(8, 3);
 * conv.forward(tensor(new Float32Array(2 * 5 * 9), [2, 5, 9])).shape; // => [2, 8, 7]
 * conv.inChannels; // => 5
 * ```
 */
export class LazyConv1d extends Conv1d {
  private readonly [OPTIONS]: Conv1dLayerOptions;

  /** @throws {TypeError | RangeError} for an option that is unknown or out of range. */
  constructor(outChannels: number, kernelSize: number, options: Conv1dLayerOptions = {}) {
    // The smallest that there is, whose options are checked; its parameters go.
    const groups = (options as Conv1dLayerOptions | null)?.groups ?? 1;
    super(
      Number.isInteger(groups) ? Math.max(groups, 1) : 1,
      outChannels,
      kernelSize,
      undrawn(options),
    );
    const { bias, dtype = 'float32' } = options;
    this[OPTIONS] = { ...options, bias: bias ?? true, dtype };
    set(this, 'inChannels', 0);
    for (const name of ['weight', 'bias'] as const) {
      if (this[name] === null) continue;
      Object.defineProperty(this, name, {
        get(this: LazyConv1d) {
          throw this[MISSING](name);
        },
        enumerable: false,
        configurable: true,
      });
    }
  }

  override get [WHO](): string {
    return this[UNINITIALIZED] ? super[WHO] : 'Conv1d';
  }

  /** While Conv1d's constructor runs there are no options of ours yet. */
  override get [UNINITIALIZED](): boolean {
    return this.inChannels === 0 || (this[OPTIONS] as unknown) === undefined;
  }

  /** @internal */
  override get [HAS_BIAS](): boolean {
    return this[UNINITIALIZED] ? this[OPTIONS].bias === true : super[HAS_BIAS];
  }

  private [MISSING](name: string): Error {
    return new Error(
      `${this[WHO]}.${name}: Attempted to use an uninitialized parameter; run a first forward to initialize it.`,
    );
  }

  private [ADOPT](layer: Conv1d): void {
    set(this, 'inChannels', layer.inChannels);
    set(this, 'weight', layer.weight);
    set(this, 'bias', layer.bias);
  }

  override resetParameters(): void {
    if (this.inChannels > 0) super.resetParameters();
  }

  override forward(x: TensorLike, ...rest: never[]): Tensor {
    if (this.inChannels > 0) return super.forward(x, ...rest);
    const who = this[WHO];
    check.noMore(`${who}.forward`, 1, rest);
    const input = Tensor.operand(who, 'the input', x);
    const { shape } = input;
    const channels = shape.length < 2 ? 0 : shape.at(this.layout === 'NLC' ? -1 : -2)!;
    if (shape.length < 2 || shape.length > 3 || channels === 0) {
      const wanted = 'a first input of shape [N, C, L] or [C, L], with channels';
      throw check.wrongValue(who, wanted, `shape ${check.shapeText(shape)}`);
    }
    const before = randomState();
    try {
      const layer = new Conv1d(channels, this.outChannels, this.kernelSize, this[OPTIONS]);
      const y = layer.forward(input);
      this[ADOPT](layer);
      return y;
    } catch (error) {
      restoreRandomState(before);
      throw error;
    }
  }

  /** Needs its size: the input that decides it must be one that is accepted, and that is known too late. */
  override async forwardAsync(...inputs: unknown[]): Promise<Tensor> {
    if (this.inChannels === 0) throw this[MISSING]('forwardAsync');
    return super.forwardAsync<unknown[], Tensor>(...inputs);
  }

  override [PLAN_LOAD](entries: ReadonlyMap<string, Tensor>, version: number | null): LoadPlan {
    if (!this[UNINITIALIZED]) return super[PLAN_LOAD](entries, version);
    const { outChannels, kernelSize, groups } = this;
    const weight: unknown = entries.get('weight');
    const inner = weight instanceof Tensor && weight.shape.length === 3 ? weight.shape[1]! : 0;
    const options = undrawn(this[OPTIONS]);
    const layer = new Conv1d(Math.max(inner, 1) * groups, outChannels, kernelSize, options);
    const targets = new Map(layer.namedParameters());
    if (inner === 0) return { entries, targets }; // says what is missing, or the size that is wrong
    return { entries, targets, commit: () => this[ADOPT](layer) };
  }
}

/** An own property that walks find. */
function set(layer: LazyConv1d, name: string, value: unknown): void {
  const property = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(layer, name, property);
}
