import * as check from '../check/index.js';
import { perform } from '../run/deferral.js';
import { Tensor, type Parameter } from '../tensor/tensor.js';
import { CHECK_GROUP, KEEP, KEPT, PREPARE, SLOTS, UPDATE, WHO } from './internals.js';
import { refuseHyperparameters } from './names.js';
import { Optimizer } from './optimizer.js';
import { ELSEWHERE, withDefaults, type ParameterGroup, type Resolved } from './param-groups.js';
import type { ParameterState } from './state.js';

export interface AdagradOptions {
  /** Learning rate, at least 0. Default 0.01. */
  lr?: number | undefined;
  /** Step t has the rate lr / (1 + (t - 1) · lrDecay). At least 0, default 0. */
  lrDecay?: number | undefined;
  /** L2 penalty, at least 0. Default 0. */
  weightDecay?: number | undefined;
  /** What the sum of squares starts with, at least 0. Default 0. */
  initialAccumulatorValue?: number | undefined;
  /** Added to the root of the sum of squares. Default 1e-10. */
  eps?: number | undefined;
  /** Climb instead of descend. Default false. */
  maximize?: boolean | undefined;
}

type Hyper = Resolved<AdagradOptions>;

const USUAL: Hyper = {
  lr: 1e-2,
  lrDecay: 0,
  weightDecay: 0,
  initialAccumulatorValue: 0,
  eps: 1e-10,
  maximize: false,
};

interface Sum {
  step: number;
  readonly squares: Tensor;
}

/**
 * Adagrad (Duchi, Hazan & Singer 2011), in PyTorch's form: s += g²;
 * p -= lr / (1 + (t - 1) · lrDecay) · g / (sqrt(s) + eps).
 *
 * @throws {RangeError | TypeError} for a hyperparameter out of its range.
 * @example
 * ```ts
 * const p = new nn.Parameter(tensor([1]));
 * const optimizer = new optim.Adagrad([p], { lr: 0.25 });
 * p.grad = tensor([4]);
 * optimizer.step();
 * p.item(); // => 0.75
 * ```
 */
export class Adagrad extends Optimizer<Hyper> {
  protected override readonly [SLOTS] = { step: 'count', sum: 'square' } as const;
  readonly #sums = new Map<Parameter, Sum>();

  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options?: AdagradOptions,
  );
  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options: AdagradOptions = {},
    ...rest: never[]
  ) {
    if (rest.length > 0) check.noMore('Adagrad', 2, rest);
    check.options('Adagrad', options, Object.keys(USUAL), ELSEWHERE);
    super(params, withDefaults(USUAL, options));
  }

  protected override [CHECK_GROUP](group: Hyper): void {
    for (const [name, value] of Object.entries(group).filter(([each]) => each in USUAL)) {
      if (name !== 'maximize') check.numberBetween(this[WHO], name, value, 0, Infinity);
    }
    check.boolean(this[WHO], 'maximize', group.maximize);
  }

  protected override [PREPARE](parameter: Parameter, group: Hyper): void {
    if (this.#sums.has(parameter)) return;
    const { shape, dtype } = parameter;
    const squares = Tensor.filled(shape, dtype, group.initialAccumulatorValue).keep();
    this.#sums.set(parameter, { step: 0, squares });
  }

  /** PyTorch's has a sum before the first step too, and asks for one. */
  protected override [KEPT](parameter: Parameter): ParameterState {
    const group = this.paramGroups.find(({ params }) => params.includes(parameter))!;
    this[PREPARE](parameter, group);
    const { step, squares } = this.#sums.get(parameter)!;
    return { step, sum: squares };
  }

  protected override [KEEP](states: ReadonlyMap<Parameter, ParameterState>): void {
    this.#sums.clear();
    for (const [parameter, { step, sum }] of states) {
      this.#sums.set(parameter, { step: step as number, squares: sum as Tensor });
    }
  }

  protected override [UPDATE](parameter: Parameter, gradient: Tensor, group: Hyper): void {
    const kept = this.#sums.get(parameter)!;
    const rate = group.lr / (1 + kept.step * group.lrDecay);
    kept.step++;
    const numbers = [parameter.numel, rate, group.eps, group.weightDecay, group.maximize] as const;
    perform(
      {
        who: `${this[WHO]}.step`,
        work: 4 * parameter.numel,
        reads: { 'a gradient': gradient },
        writes: [],
        rewrites: [parameter, kept.squares],
      },
      (native, arrayOf) =>
        native.adagradStep(
          arrayOf(parameter),
          arrayOf(gradient),
          arrayOf(kept.squares),
          ...numbers,
        ),
    );
  }
}

refuseHyperparameters(Adagrad, Object.keys(USUAL));
