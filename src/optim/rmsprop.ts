import * as check from '../check/index.js';
import { perform } from '../run/deferral.js';
import { type Parameter, type Tensor } from '../tensor/tensor.js';
import { CHECK_GROUP, KEEP, KEPT, PREPARE, SLOTS, UPDATE, WHO } from './internals.js';
import { refuseHyperparameters } from './names.js';
import { Optimizer } from './optimizer.js';
import { ELSEWHERE, withDefaults, type ParameterGroup, type Resolved } from './param-groups.js';
import { zerosLike, type ParameterState } from './state.js';

export interface RMSpropOptions {
  /** Learning rate, at least 0. Default 0.01. */
  lr?: number | undefined;
  /** Decay of the mean of squares, in [0, 1]. Default 0.99. */
  alpha?: number | undefined;
  /** Added to the root of the mean of squares, outside of the root. Default 1e-8. */
  eps?: number | undefined;
  /** L2 penalty, at least 0. Default 0. */
  weightDecay?: number | undefined;
  /** Weight of the past in the velocity, at least 0. Default 0. */
  momentum?: number | undefined;
  /** Divide by the deviation: take the squared mean of the gradient off the mean of squares. Default false. */
  centered?: boolean | undefined;
  /** Climb instead of descend. Default false. */
  maximize?: boolean | undefined;
}

type Hyper = Resolved<RMSpropOptions>;

const USUAL: Hyper = {
  lr: 1e-2,
  alpha: 0.99,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: false,
  maximize: false,
};

interface Averages {
  step: number;
  readonly square: Tensor;
  momentum: Tensor | null;
  mean: Tensor | null;
}

/**
 * RMSprop (Hinton 2012; Graves 2013 where `centered`), in PyTorch's form: s = α s + (1 - α) g²;
 * p -= lr · g / (sqrt(s) + eps), or v = momentum · v + g / (sqrt(s) + eps); p -= lr · v.
 * Centered: sqrt(s - m²) with m = α m + (1 - α) g.
 *
 * @throws {RangeError | TypeError} for a hyperparameter out of its range.
 * @example
 * ```ts
 * const p = new nn.Parameter(tensor([1]));
 * const optimizer = new optim.RMSprop([p], { lr: 0.1, alpha: 0, eps: 0 });
 * p.grad = tensor([4]);
 * optimizer.step();
 * p.item().toFixed(4); // => '0.9000'
 * ```
 */
export class RMSprop extends Optimizer<Hyper> {
  protected override readonly [SLOTS] = {
    step: 'count',
    square_avg: 'square',
    momentum_buffer: 'optional',
    grad_avg: 'optional',
  } as const;
  readonly #averages = new Map<Parameter, Averages>();

  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options?: RMSpropOptions,
  );
  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options: RMSpropOptions = {},
    ...rest: never[]
  ) {
    if (rest.length > 0) check.noMore('RMSprop', 2, rest);
    check.options('RMSprop', options, Object.keys(USUAL), ELSEWHERE);
    super(params, withDefaults(USUAL, options));
  }

  protected override [CHECK_GROUP](group: Hyper): void {
    for (const name of ['lr', 'eps', 'weightDecay', 'momentum'] as const) {
      check.numberBetween(this[WHO], name, group[name], 0, Infinity);
    }
    check.numberBetween(this[WHO], 'alpha', group.alpha, 0, 1);
    check.boolean(this[WHO], 'centered', group.centered);
    check.boolean(this[WHO], 'maximize', group.maximize);
  }

  protected override [PREPARE](parameter: Parameter, group: Hyper): void {
    const known = this.#averages.get(parameter);
    const kept = known ?? { step: 0, square: zerosLike(parameter), momentum: null, mean: null };
    if (group.momentum > 0) kept.momentum ??= zerosLike(parameter);
    if (group.centered) kept.mean ??= zerosLike(parameter);
    this.#averages.set(parameter, kept);
  }

  protected override [KEPT](parameter: Parameter): ParameterState | null {
    const kept = this.#averages.get(parameter);
    if (kept === undefined || kept.step === 0) return null;
    return {
      step: kept.step,
      square_avg: kept.square,
      ...(kept.momentum === null ? {} : { momentum_buffer: kept.momentum }),
      ...(kept.mean === null ? {} : { grad_avg: kept.mean }),
    };
  }

  protected override [KEEP](states: ReadonlyMap<Parameter, ParameterState>): void {
    this.#averages.clear();
    for (const [parameter, state] of states) {
      this.#averages.set(parameter, {
        step: state.step as number,
        square: state.square_avg as Tensor,
        momentum: (state.momentum_buffer as Tensor | undefined) ?? null,
        mean: (state.grad_avg as Tensor | undefined) ?? null,
      });
    }
  }

  protected override [UPDATE](parameter: Parameter, gradient: Tensor, group: Hyper): void {
    const kept = this.#averages.get(parameter)!;
    kept.step++;
    const velocity = group.momentum > 0 ? kept.momentum : null;
    const mean = group.centered ? kept.mean : null;
    const numbers = [
      parameter.numel,
      group.lr,
      group.alpha,
      group.eps,
      group.weightDecay,
      group.momentum,
      group.maximize,
    ] as const;
    perform(
      {
        who: `${this[WHO]}.step`,
        work: 4 * parameter.numel,
        reads: { 'a gradient': gradient },
        writes: [],
        rewrites: [parameter, kept.square, velocity, mean],
      },
      (native, arrayOf) =>
        native.rmspropStep(
          arrayOf(parameter),
          arrayOf(gradient),
          arrayOf(kept.square),
          arrayOf(velocity),
          arrayOf(mean),
          ...numbers,
        ),
    );
  }
}

refuseHyperparameters(RMSprop, Object.keys(USUAL));
