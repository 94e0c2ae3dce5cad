import * as check from '../check/index.js';
import { perform } from '../run/deferral.js';
import { type Parameter, type Tensor } from '../tensor/tensor.js';
import {
  CHECK_GROUP,
  KEEP,
  KEPT,
  OPTIONAL_STATE,
  PREPARE,
  SLOTS,
  UPDATE,
  WHO,
} from './internals.js';
import { refuseHyperparameters } from './names.js';
import { Optimizer } from './optimizer.js';
import { ELSEWHERE, withDefaults, type ParameterGroup, type Resolved } from './param-groups.js';
import { zerosLike, type ParameterState } from './state.js';

export interface SGDOptions {
  /** Learning rate, at least 0. Default 1e-3. */
  lr?: number | undefined;
  /** Weight of the past in the velocity, at least 0. Default 0. */
  momentum?: number | undefined;
  /** Part of the gradient kept out of the velocity. Default 0. */
  dampening?: number | undefined;
  /** L2 penalty, at least 0. Default 0. */
  weightDecay?: number | undefined;
  /** Look ahead by one step; needs momentum and no dampening. Default false. */
  nesterov?: boolean | undefined;
  /** Climb instead of descend. Default false. */
  maximize?: boolean | undefined;
}

type Hyper = Resolved<SGDOptions>;

const USUAL: Hyper = {
  lr: 1e-3,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
};

interface Velocity {
  readonly v: Tensor;
  /** Nothing has moved it yet: the next step sets it. */
  first: boolean;
}

/**
 * Stochastic gradient descent with momentum (Sutskever et al. 2013), in PyTorch's form:
 * g += weightDecay · p; v = momentum · v + (1 - dampening) · g (v = g at first);
 * p -= lr · v, or lr · (g + momentum · v) with nesterov.
 *
 * @throws {RangeError | TypeError} for a hyperparameter out of its range.
 * @example
 * ```ts
 * const p = new nn.Parameter(tensor([1]));
 * const optimizer = new optim.SGD([p], { lr: 0.5, momentum: 0.5 });
 * for (let i = 0; i < 2; i++) {
 *   p.grad = tensor([1]);
 *   optimizer.step(); // v is 1, then 1.5
 * }
 * p.item(); // => -0.25
 * ```
 */
export class SGD extends Optimizer<Hyper> {
  protected override readonly [SLOTS] = { momentum_buffer: 'tensor' } as const;
  protected override readonly [OPTIONAL_STATE] = true;
  readonly #velocities = new Map<Parameter, Velocity>();

  constructor(params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[], options?: SGDOptions);
  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options: SGDOptions = {},
    ...rest: never[]
  ) {
    if (rest.length > 0) check.noMore('SGD', 2, rest);
    check.options('SGD', options, Object.keys(USUAL), ELSEWHERE);
    super(params, withDefaults(USUAL, options));
  }

  protected override [CHECK_GROUP](group: Hyper): void {
    for (const name of ['lr', 'momentum', 'weightDecay'] as const) {
      check.numberBetween(this[WHO], name, group[name], 0, Infinity);
    }
    check.numberBetween(this[WHO], 'dampening', group.dampening, 0, 1);
    check.boolean(this[WHO], 'maximize', group.maximize);
    const nesterov = check.boolean(this[WHO], 'nesterov', group.nesterov);
    if (nesterov && (group.momentum <= 0 || group.dampening !== 0)) {
      throw check.wrongValue(
        this[WHO],
        'Nesterov momentum to come with a momentum and zero dampening',
        `momentum ${group.momentum}, dampening ${group.dampening}`,
      );
    }
  }

  protected override [PREPARE](parameter: Parameter, group: Hyper): void {
    if (group.momentum === 0 || this.#velocities.has(parameter)) return;
    this.#velocities.set(parameter, { v: zerosLike(parameter), first: true });
  }

  protected override [KEPT](parameter: Parameter): ParameterState | null {
    const velocity = this.#velocities.get(parameter);
    return velocity === undefined || velocity.first ? null : { momentum_buffer: velocity.v };
  }

  protected override [KEEP](states: ReadonlyMap<Parameter, ParameterState>): void {
    this.#velocities.clear();
    for (const [parameter, { momentum_buffer: v }] of states) {
      this.#velocities.set(parameter, { v: v as Tensor, first: false });
    }
  }

  protected override [UPDATE](parameter: Parameter, gradient: Tensor, group: Hyper): void {
    const velocity = group.momentum === 0 ? undefined : this.#velocities.get(parameter);
    const numbers = [
      parameter.numel,
      group.lr,
      group.momentum,
      group.dampening,
      group.weightDecay,
      group.nesterov,
      group.maximize,
      velocity?.first ?? true,
    ] as const;
    perform(
      {
        who: `${this[WHO]}.step`,
        work: 4 * parameter.numel,
        reads: { 'a gradient': gradient },
        writes: [],
        rewrites: [parameter, velocity?.v ?? null],
      },
      (native, arrayOf) =>
        native.sgdStep(
          arrayOf(parameter),
          arrayOf(gradient),
          arrayOf(velocity?.v ?? null),
          ...numbers,
        ),
    );
    if (velocity !== undefined) velocity.first = false;
  }
}

refuseHyperparameters(SGD, Object.keys(USUAL));
