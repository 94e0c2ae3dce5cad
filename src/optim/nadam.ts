import * as check from '../check/index.js';
import { addon } from '../addon/control.js';
import { perform } from '../run/deferral.js';
import { type Parameter, type Tensor } from '../tensor/tensor.js';
import { checkBetas } from './betas.js';
import { CHECK_GROUP, KEEP, KEPT, PREPARE, SLOTS, UPDATE, WHO } from './internals.js';
import { refuseHyperparameters } from './names.js';
import { Optimizer } from './optimizer.js';
import { ELSEWHERE, withDefaults, type ParameterGroup, type Resolved } from './param-groups.js';
import { zerosLike, type ParameterState } from './state.js';
import { Power } from './power.js';

export interface NAdamOptions {
  /** Learning rate, at least 0. Default 2e-3. */
  lr?: number | undefined;
  /** Decay of the first and second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment. Default 1e-8. */
  eps?: number | undefined;
  /** L2 penalty, or with `decoupledWeightDecay` the decay of the parameter itself; at least 0. Default 0. */
  weightDecay?: number | undefined;
  /** How fast the momentum approaches its full size, at least 0. Default 4e-3. */
  momentumDecay?: number | undefined;
  /** Decay the parameter instead of the gradient, as AdamW. Default false. */
  decoupledWeightDecay?: boolean | undefined;
  /** Climb instead of descend. Default false. */
  maximize?: boolean | undefined;
}

type Hyper = Resolved<NAdamOptions>;

const USUAL: Hyper = {
  lr: 2e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  momentumDecay: 4e-3,
  decoupledWeightDecay: false,
  maximize: false,
};

interface NAdamState {
  step: number;
  /** μ₁ · … · μₜ */
  product: number;
  readonly decay2: Power;
  readonly m: Tensor;
  readonly v: Tensor;
}

/**
 * Adam with Nesterov momentum (Dozat 2016), in PyTorch's form: μₜ = β₁ (1 - 0.96^(t · momentumDecay) / 2);
 * m, v as in Adam; p -= lr · ((1 - μₜ) / (1 - Π μ) · g + μₜ₊₁ / (1 - Π μ · μₜ₊₁) · m) / (sqrt(v / (1 - β₂ᵗ)) + eps).
 *
 * @throws {RangeError | TypeError} for a hyperparameter out of its range.
 * @example
 * ```ts
 * const p = new nn.Parameter(tensor([1]));
 * const optimizer = new optim.NAdam([p], { lr: 0.1 });
 * p.grad = tensor([4]);
 * optimizer.step();
 * p.item() < 1; // => true
 * ```
 */
export class NAdam extends Optimizer<Hyper> {
  protected override readonly [SLOTS] = {
    step: 'count',
    mu_product: 'number',
    exp_avg: 'tensor',
    exp_avg_sq: 'square',
  } as const;
  readonly #states = new Map<Parameter, NAdamState>();

  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options?: NAdamOptions,
  );
  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options: NAdamOptions = {},
    ...rest: never[]
  ) {
    if (rest.length > 0) check.noMore('NAdam', 2, rest);
    check.options('NAdam', options, Object.keys(USUAL), ELSEWHERE);
    super(params, withDefaults(USUAL, options));
  }

  protected override [CHECK_GROUP](group: Hyper): void {
    for (const name of ['lr', 'eps', 'weightDecay', 'momentumDecay'] as const) {
      check.numberBetween(this[WHO], name, group[name], 0, Infinity);
    }
    check.boolean(this[WHO], 'decoupledWeightDecay', group.decoupledWeightDecay);
    check.boolean(this[WHO], 'maximize', group.maximize);
    checkBetas(this[WHO], group.betas);
  }

  protected override [PREPARE](parameter: Parameter): void {
    if (this.#states.has(parameter)) return;
    const [m, v] = [zerosLike(parameter), zerosLike(parameter)];
    this.#states.set(parameter, { step: 0, product: 1, decay2: new Power(), m, v });
  }

  protected override [KEPT](parameter: Parameter): ParameterState | null {
    const state = this.#states.get(parameter);
    if (state === undefined || state.step === 0) return null;
    const { step, product, m, v } = state;
    return { step, mu_product: product, exp_avg: m, exp_avg_sq: v };
  }

  protected override [KEEP](states: ReadonlyMap<Parameter, ParameterState>): void {
    this.#states.clear();
    for (const [parameter, state] of states) {
      this.#states.set(parameter, {
        step: state.step as number,
        product: state.mu_product as number,
        decay2: new Power(),
        m: state.exp_avg as Tensor,
        v: state.exp_avg_sq as Tensor,
      });
    }
  }

  protected override [UPDATE](parameter: Parameter, gradient: Tensor, group: Hyper): void {
    const state = this.#states.get(parameter)!;
    const [beta1, beta2] = group.betas;
    const step = ++state.step;
    const mu = addon.nadamMomentum(beta1, group.momentumDecay, step);
    const next = addon.nadamMomentum(beta1, group.momentumDecay, step + 1);
    state.product *= mu;
    const numbers = [
      parameter.numel,
      group.lr,
      beta1,
      beta2,
      group.eps,
      group.weightDecay,
      1 - state.decay2.at(beta2, step),
      (group.lr * (1 - mu)) / (1 - state.product),
      (group.lr * next) / (1 - state.product * next),
      group.decoupledWeightDecay,
      group.maximize,
    ] as const;
    perform(
      {
        who: `${this[WHO]}.step`,
        work: 4 * parameter.numel,
        reads: { 'a gradient': gradient },
        writes: [],
        rewrites: [parameter, state.m, state.v],
      },
      (native, arrayOf) =>
        native.nadamStep(
          arrayOf(parameter),
          arrayOf(gradient),
          arrayOf(state.m),
          arrayOf(state.v),
          ...numbers,
        ),
    );
  }
}

refuseHyperparameters(NAdam, Object.keys(USUAL));
