import * as check from '../check/index.js';
import { addon } from '../addon/control.js';
import { perform } from '../run/deferral.js';
import { floats, type Parameter, type Tensor } from '../tensor/tensor.js';
import { CHECK_GROUP, KEEP, KEPT, PREPARE, SLOTS, UPDATE, WHO } from './internals.js';
import { refuseHyperparameters } from './names.js';
import { Optimizer } from './optimizer.js';
import { ELSEWHERE, withDefaults, type ParameterGroup, type Resolved } from './param-groups.js';
import { zerosLike, type ParameterState } from './state.js';

export interface LARSOptions {
  /** Learning rate, at least 0. Default 0.1. */
  lr?: number | undefined;
  /** Weight of the past in the velocity, at least 0. Default 0.9. */
  momentum?: number | undefined;
  /** L2 penalty, at least 0. Default 0. */
  weightDecay?: number | undefined;
  /** η: the layer's own rate is η · |p| / |g + weightDecay · p|. At least 0, default 1e-3. */
  trustCoefficient?: number | undefined;
  /** Whether a bias or a weight of a normalisation, of at most one dimension, takes the plain step. Default true. */
  excludeOneDimensional?: boolean | undefined;
  /** Climb instead of descend. Default false. */
  maximize?: boolean | undefined;
}

type Hyper = Resolved<LARSOptions>;

const USUAL: Hyper = {
  lr: 0.1,
  momentum: 0.9,
  weightDecay: 0,
  trustCoefficient: 1e-3,
  excludeOneDimensional: true,
  maximize: false,
};

/**
 * Layer-wise adaptive rate scaling (You, Gitman & Ginsburg 2017), as the large-batch self-supervised loops have it:
 * u = g + weightDecay · p, times q = η |p| / |u| where both norms are above 0; v = momentum · v + u; p -= lr · v.
 * Parameters of at most one dimension take neither q nor the decay, unless `excludeOneDimensional` is false.
 *
 * @throws {RangeError | TypeError} for a hyperparameter out of its range.
 * @example
 * ```ts
 * const p = new nn.Parameter(tensor([[3, 4]]));
 * const optimizer = new optim.LARS([p], { lr: 1, trustCoefficient: 0.5, momentum: 0 });
 * p.grad = tensor([[0, 2]]);
 * optimizer.step(); // q = 0.5 · 5 / 2
 * p.toArray(); // => [[3, 1.5]]
 * ```
 */
export class LARS extends Optimizer<Hyper> {
  protected override readonly [SLOTS] = { mu: 'tensor' } as const;
  readonly #velocities = new Map<Parameter, Tensor>();

  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options?: LARSOptions,
  );
  constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    options: LARSOptions = {},
    ...rest: never[]
  ) {
    if (rest.length > 0) check.noMore('LARS', 2, rest);
    check.options('LARS', options, Object.keys(USUAL), ELSEWHERE);
    super(params, withDefaults(USUAL, options));
  }

  protected override [CHECK_GROUP](group: Hyper): void {
    for (const name of ['lr', 'momentum', 'weightDecay', 'trustCoefficient'] as const) {
      check.numberBetween(this[WHO], name, group[name], 0, Infinity);
    }
    check.boolean(this[WHO], 'excludeOneDimensional', group.excludeOneDimensional);
    check.boolean(this[WHO], 'maximize', group.maximize);
  }

  protected override [PREPARE](parameter: Parameter): void {
    if (!this.#velocities.has(parameter)) this.#velocities.set(parameter, zerosLike(parameter));
  }

  protected override [KEPT](parameter: Parameter): ParameterState | null {
    const mu = this.#velocities.get(parameter);
    return mu === undefined ? null : { mu };
  }

  protected override [KEEP](states: ReadonlyMap<Parameter, ParameterState>): void {
    this.#velocities.clear();
    for (const [parameter, { mu }] of states) this.#velocities.set(parameter, mu as Tensor);
  }

  protected override [UPDATE](parameter: Parameter, gradient: Tensor, group: Hyper): void {
    const plain = group.excludeOneDimensional && parameter.shape.length <= 1;
    const decay = plain ? 0 : group.weightDecay;
    const numbers = [
      parameter.numel,
      group.lr,
      group.momentum,
      decay,
      plain ? 1 : trustOf(parameter, gradient, decay, group),
      group.maximize,
    ] as const;
    perform(
      {
        who: `${this[WHO]}.step`,
        work: 4 * parameter.numel,
        reads: { 'a gradient': gradient },
        writes: [],
        rewrites: [parameter, this.#velocities.get(parameter)!],
      },
      (native, arrayOf) =>
        native.larsStep(
          arrayOf(parameter),
          arrayOf(gradient),
          arrayOf(this.#velocities.get(parameter)!),
          ...numbers,
        ),
    );
  }
}

refuseHyperparameters(LARS, Object.keys(USUAL));

/** η |p| / |g + decay · p|; 1 where one of the norms is 0. */
function trustOf(parameter: Parameter, gradient: Tensor, decay: number, group: Hyper): number {
  const n = parameter.numel;
  const p = Math.sqrt(addon.normPart(floats(parameter), n, 2));
  let u = floats(gradient);
  if (decay !== 0) {
    // The same product and sum that the step makes, elsewhere: its norm has to be known before.
    const decayed = floats(parameter).slice();
    addon.scale(decayed, group.maximize ? -decay : decay, decayed, n);
    addon.add(u, decayed, decayed, n);
    u = decayed;
  }
  const norm = Math.sqrt(addon.normPart(u, n, 2));
  return p > 0 && norm > 0 ? (group.trustCoefficient * p) / norm : 1;
}
