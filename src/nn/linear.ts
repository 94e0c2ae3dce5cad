import * as check from '../check.js';
import { linear } from '../functional/linear.js';
import { fillUniform } from '../random.js';
import { floats, learned, Parameter, Tensor, type TensorLike } from '../tensor.js';
import { WHO } from './internals.js';
import { Module } from './module.js';
import { pythonBoolean } from './repr.js';

export interface LinearOptions {
  /** Learn a shift. Default true. */
  bias?: boolean;
  /** Default 'float32'. */
  dtype?: 'float32' | 'float64';
}

/** An option out of sight: leave weight and bias as their memory is. */
const UNDRAWN = Symbol('undrawn');

/**
 * y = x Wᵀ + b. W and b start uniform in ±1/sqrt(inFeatures), as PyTorch's do (He et al. 2015 with
 * a = sqrt(5)).
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** [outFeatures, inFeatures]. */
  weight: Parameter;
  /** [outFeatures]; null without bias. */
  bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    this.inFeatures = check.wholeNumber(this[WHO], 'inFeatures', inFeatures, 1);
    this.outFeatures = check.wholeNumber(this[WHO], 'outFeatures', outFeatures, 1);
    check.options(this[WHO], options, ['bias', 'dtype']);
    const dtype = check.oneOf(this[WHO], 'dtype', options.dtype ?? 'float32', [
      'float32',
      'float64',
    ]);
    const bias = check.boolean(this[WHO], 'bias', options.bias ?? true);
    this.weight = new Parameter(Tensor.uninitialized([outFeatures, inFeatures], dtype));
    this.bias = bias ? new Parameter(Tensor.uninitialized([outFeatures], dtype)) : null;
    if (!(UNDRAWN in options)) this.resetParameters();
  }

  /** Draws weight and bias anew. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.inFeatures);
    for (const parameter of [this.weight, this.bias]) {
      if (parameter === null) continue;
      fillUniform(floats(parameter), -bound, bound);
      parameter.markChanged();
    }
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
