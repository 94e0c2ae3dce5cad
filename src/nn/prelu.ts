import * as check from '../check/index.js';
import { numberOption } from '../functional/pointwise/activation-options.js';
import { prelu } from '../functional/pointwise/activations.js';
import { floats, learned, Parameter, Tensor, type TensorLike } from '../tensor/tensor.js';
import { HOLDS, WHO } from './module/internals.js';
import { Module } from './module/module.js';
import { weightOrBias } from './module/replaced.js';

export interface PReLUOptions {
  /** 1 (default): one slope for all; else one for each channel of dimension 1. */
  numParameters?: number | undefined;
  /** What the slopes start as. Default 0.25. */
  init?: number | undefined;
  /** Default 'float32'. */
  dtype?: 'float32' | 'float64' | undefined;
}

const START = Symbol('start');

/**
 * x where x > 0, else weight · x, with slopes that are learned (He et al. 2015): `functional.prelu`.
 *
 * @example
 * ```ts
 * new nn.PReLU({ numParameters: 2 }).forward(tensor([[-4, 1]])).toArray(); // => [[-1, 1]]
 * ```
 */
export class PReLU extends Module {
  private readonly [START]: number;
  /** [numParameters]. */
  weight: Parameter;

  constructor(options: PReLUOptions = {}) {
    super();
    check.options(this[WHO], options, ['numParameters', 'init', 'dtype']);
    const { numParameters = 1, dtype = 'float32' } = options;
    check.wholeNumber(this[WHO], 'numParameters', numParameters, 1);
    check.oneOf(this[WHO], 'dtype', dtype, ['float32', 'float64']);
    this[START] = numberOption(this[WHO], 'init', options.init, 0.25);
    this.weight = new Parameter(Tensor.filled([numParameters], dtype, this[START]));
  }

  /** How many slopes there are. */
  get numParameters(): number {
    return this.weight.numel;
  }

  /** What the slopes start as. */
  get init(): number {
    return this[START];
  }

  /** @internal */
  override [HOLDS](name: string): 'Parameter' | undefined {
    return weightOrBias(name);
  }

  /** Sets the slopes to `init`. */
  resetParameters(): void {
    const who = this[WHO];
    const weight = learned<Parameter | null>(who, 'weight', this.weight);
    if (weight === null) throw check.wrongKind(who, 'weight to be a Parameter', weight);
    weight.attached(`${who}.resetParameters`, 'a parameter');
    floats(weight).fill(this[START]);
    weight.markChanged();
  }

  /** @param x - [N, C, …]; C is numParameters, where there are several. */
  forward(x: TensorLike, ...rest: never[]): Tensor {
    if (rest.length > 0) check.noMore(`${this[WHO]}.forward`, 1, rest);
    return prelu(x, learned(this[WHO], 'weight', this.weight));
  }

  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`;
  }
}
