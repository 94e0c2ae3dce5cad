import * as check from '../check/index.js';
import { perform } from '../run/deferral.js';
import { type Parameter, type Tensor } from '../tensor/tensor.js';
import { checkBetas } from './betas.js';
import {
  CHECK_GROUP,
  DECOUPLED,
  FIXED,
  KEEP,
  KEPT,
  PREPARE,
  SLOTS,
  UPDATE,
  WHO,
} from './internals.js';
import { refuseHyperparameters } from './names.js';
import { Optimizer } from './optimizer.js';
import { ELSEWHERE, withDefaults, type ParameterGroup, type Resolved } from './param-groups.js';
import { zerosLike, type ParameterState } from './state.js';
import { Power } from './power.js';

export interface AdamOptions {
  /** Learning rate, at least 0. Default 1e-3. */
  lr?: number | undefined;
  /** Decay of the first and second moment, each in [0, 1). Default [0.9, 0.999]. */
  betas?: readonly [number, number] | undefined;
  /** Added to the root of the second moment. Default 1e-8. */
  eps?: number | undefined;
  /** Adam: L2 penalty, default 0. AdamW: decoupled decay, default 0.01. */
  weightDecay?: number | undefined;
  /** Climb instead of descend. Default false. */
  maximize?: boolean | undefined;
}

type Hyper = Resolved<AdamOptions>;

const USUAL: Hyper = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  maximize: false,
};

/** @internal */
export const ADAM_OPTIONS = Object.keys(USUAL);

interface AdamState {
  step: number;
  readonly decay1: Power;
  readonly decay2: Power;
  readonly m: Tensor;
  readonly v: Tensor;
}

/**
 * Adam (Kingma & Ba 2015): m = β₁ m + (1 - β₁) g; v = β₂ v + (1 - β₂) g²;
 * p -= lr / (1 - β₁ᵗ) · m / (sqrt(v) / sqrt(1 - β₂ᵗ) + eps).
 *
 * @throws {RangeError | TypeError} for a hyperparameter out of its range.
 * @example
 * ```ts
 * const p = new nn.Parameter(tensor([1]));
 * const optimizer = new optim.Adam([p], { lr: 0.1 });
 * p.grad = tensor([4]);
 * optimizer.step();
 * p.item().toFixed(4); // => '0.9000'
 * ```
 */
export class Adam extends Optimizer<Hyper> {
  protected readonly [DECOUPLED]: boolean = false;
  protected override readonly [SLOTS] = {
    step: 'count',
    exp_avg: 'tensor',
    exp_avg_sq: 'square',
  } as const;
  protected override readonly [FIXED]: Readonly<Record<string, boolean>> = {
    amsgrad: false,
    decoupled_weight_decay: false,
  };
  readonly #states = new Map<Parameter, AdamState>();

  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options?: AdamOptions,
  );
  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options: AdamOptions = {},
    ...rest: never[]
  ) {
    if (rest.length > 0) check.noMore(new.target.name, 2, rest);
    check.options(new.target.name, options, ADAM_OPTIONS, ELSEWHERE);
    super(params, withDefaults(USUAL, options));
  }

  protected override [CHECK_GROUP](group: Hyper): void {
    for (const name of ['lr', 'eps', 'weightDecay'] as const) {
      check.numberBetween(this[WHO], name, group[name], 0, Infinity);
    }
    check.boolean(this[WHO], 'maximize', group.maximize);
    checkBetas(this[WHO], group.betas);
  }

  protected override [PREPARE](parameter: Parameter): void {
    if (this.#states.has(parameter)) return;
    const [m, v] = [zerosLike(parameter), zerosLike(parameter)];
    this.#states.set(parameter, stateAt(0, m, v));
  }

  protected override [KEPT](parameter: Parameter): ParameterState | null {
    const state = this.#states.get(parameter);
    if (state === undefined) return null;
    const { step, m, v } = state;
    return { step, exp_avg: m, exp_avg_sq: v };
  }

  protected override [KEEP](states: ReadonlyMap<Parameter, ParameterState>): void {
    this.#states.clear();
    for (const [parameter, { step, exp_avg: m, exp_avg_sq: v }] of states) {
      this.#states.set(parameter, stateAt(step as number, m as Tensor, v as Tensor));
    }
  }

  protected override [UPDATE](parameter: Parameter, gradient: Tensor, group: Hyper): void {
    const state = this.#states.get(parameter)!;
    const [beta1, beta2] = group.betas;
    const step = ++state.step;
    const numbers = [
      parameter.numel,
      group.lr,
      beta1,
      beta2,
      group.eps,
      group.weightDecay,
      1 - state.decay1.at(beta1, step),
      Math.sqrt(1 - state.decay2.at(beta2, step)),
      this[DECOUPLED],
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
        native.adamStep(
          arrayOf(parameter),
          arrayOf(gradient),
          arrayOf(state.m),
          arrayOf(state.v),
          ...numbers,
        ),
    );
  }
}

refuseHyperparameters(Adam, ADAM_OPTIONS);

function stateAt(step: number, m: Tensor, v: Tensor): AdamState {
  return { step, decay1: new Power(), decay2: new Power(), m, v };
}
