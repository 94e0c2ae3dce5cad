import * as check from '../check/index.js';
import { linear } from '../functional/linear.js';
import { learned, Parameter, Tensor, type TensorLike } from '../tensor/tensor.js';
import { drawUniform } from './draw-uniform.js';
import { HOLDS, WHO } from './module/internals.js';
import { Module } from './module/module.js';
import { weightOrBias } from './module/replaced.js';
import { pythonBoolean } from './module/repr.js';

export interface LinearOptions {
  /** Learn a shift. Default true. */
  bias?: boolean | undefined;
  /** Default 'float32'. */
  dtype?: 'float32' | 'float64' | undefined;
}

const FEATURES = Symbol('features');
/** An option out of sight: leave weight and bias as their memory is. */
const UNDRAWN = Symbol('undrawn');

/**
 * y = x Wᵀ + b of [*, inFeatures], where W is [outFeatures, inFeatures]. W and b start uniform in ±1/sqrt(inFeatures), as
 * PyTorch's do (He et al. 2015 with a = sqrt(5)).
 *
 * @throws {RangeError | TypeError} for sizes that are no whole numbers of at least 1, and other options.
 * @example
 * ```ts
 * const layer = new nn.Linear(2, 1);
 * layer.loadStateDict(new Map([['weight', tensor([[2, 3]])], ['bias', tensor([1])]]));
 * layer.forward(tensor([[1, 1]])).toArray(); // => [[6]]
 * ```
 */
export class Linear extends Module {
  private readonly [FEATURES] = { in: 0, out: 0 };
  /** [outFeatures, inFeatures]. */
  weight: Parameter;
  /** [outFeatures]; null without bias. */
  bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    check.options(this[WHO], options, ['bias', 'dtype']);
    const { bias = true, dtype = 'float32' } = options;
    check.oneOf(this[WHO], 'dtype', dtype, ['float32', 'float64']);
    check.boolean(this[WHO], 'bias', bias);
    this.weight = new Parameter(Tensor.uninitialized([outFeatures, inFeatures], dtype));
    this.bias = bias ? new Parameter(Tensor.uninitialized([outFeatures], dtype)) : null;
    if (!(UNDRAWN in options)) this.resetParameters();
  }

  /** What it was made with: PyTorch's attribute. Which inputs it takes is for `weight` to say. */
  get inFeatures(): number {
    return this[FEATURES].in;
  }

  set inFeatures(value: number) {
    this[FEATURES].in = check.wholeNumber(this[WHO], 'inFeatures', value, 1);
  }

  /** What it was made with. */
  get outFeatures(): number {
    return this[FEATURES].out;
  }

  set outFeatures(value: number) {
    this[FEATURES].out = check.wholeNumber(this[WHO], 'outFeatures', value, 1);
  }

  /** @internal */
  override [HOLDS](name: string): 'Parameter' | undefined {
    return weightOrBias(name);
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    drawUniform(this[WHO], this, 1 / Math.sqrt(this.inFeatures));
  }

  /** @param x - [..., inFeatures]. @returns [..., outFeatures]. */
  forward(x: TensorLike, ...rest: never[]): Tensor {
    const who = this[WHO];
    if (rest.length > 0) check.noMore(`${who}.forward`, 1, rest);
    return linear(x, learned(who, 'weight', this.weight), learned(who, 'bias', this.bias));
  }

  override extraRepr(): string {
    return (
      `in_features=${this.inFeatures}, out_features=${this.outFeatures}, ` +
      `bias=${pythonBoolean(this.bias !== null)}`
    );
  }
}

/** @internal Draws no random numbers: the caller writes every element of weight and bias. */
export function undrawnLinear(
  inFeatures: number,
  outFeatures: number,
  options: LinearOptions,
): Linear {
  return new Linear(inFeatures, outFeatures, { ...options, [UNDRAWN]: true } as LinearOptions);
}
