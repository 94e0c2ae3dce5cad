import * as check from '../check.js';
import { addon } from '../native.js';
import { floats, type Parameter, type Tensor } from '../tensor.js';
import { Optimizer, zerosLike, type ParameterGroup } from './optimizer.js';

export interface AdamOptions {
  /** Learning rate, at least 0. Default 1e-3. */
  lr?: number;
  /** Decay of the first and second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** Added to the root of the second moment. Default 1e-8. */
  eps?: number;
  /** Adam: L2 penalty, default 0. AdamW: decoupled decay, default 0.01. */
  weightDecay?: number;
  /** Climb instead of descend. Default false. */
  maximize?: boolean;
}

type Hyper = Required<AdamOptions>;

const DEFAULTS: Hyper = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  maximize: false,
};

interface Moments {
  /** beta1^t and beta2^t after t steps: products, because `**` has other bits on other engines. */
  decay1: number;
  decay2: number;
  readonly m: Tensor;
  readonly v: Tensor;
}

/**
 * Adam (Kingma & Ba 2015): m = β₁ m + (1 - β₁) g; v = β₂ v + (1 - β₂) g²;
 * p -= lr / (1 - β₁ᵗ) · m / (sqrt(v) / sqrt(1 - β₂ᵗ) + eps).
 */
export class Adam extends Optimizer<Hyper> {
  protected readonly decoupled: boolean = false;
  readonly #moments = new Map<Parameter, Moments>();

  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options: AdamOptions = {},
  ) {
    check.options(new.target.name, options, Object.keys(DEFAULTS));
    super(params, { ...DEFAULTS, ...options });
  }

  protected override checkGroup(group: Hyper): void {
    for (const name of ['lr', 'eps', 'weightDecay'] as const) {
      check.numberBetween(this.who, name, group[name], 0, Infinity);
    }
    check.boolean(this.who, 'maximize', group.maximize);
    const betas: unknown = group.betas;
    if (!Array.isArray(betas) || betas.length !== 2) {
      throw check.wrongKind(this.who, 'betas to be two numbers', betas);
    }
    for (const beta of group.betas) {
      check.numberBetween(this.who, 'each of betas', beta, 0, 1 - Number.EPSILON);
    }
  }

  protected override prepare(parameter: Parameter): void {
    if (this.#moments.has(parameter)) return;
    const [m, v] = [zerosLike(parameter), zerosLike(parameter)];
    this.#moments.set(parameter, { decay1: 1, decay2: 1, m, v });
  }

  protected override update(parameter: Parameter, gradient: Tensor, group: Hyper): void {
    const moments = this.#moments.get(parameter)!;
    const [beta1, beta2] = group.betas;
    moments.decay1 *= beta1;
    moments.decay2 *= beta2;
    addon.adamStep(
      floats(parameter),
      floats(gradient),
      floats(moments.m),
      floats(moments.v),
      parameter.numel,
      group.lr,
      beta1,
      beta2,
      group.eps,
      group.weightDecay,
      1 - moments.decay1,
      Math.sqrt(1 - moments.decay2),
      this.decoupled,
      group.maximize,
    );
  }
}
