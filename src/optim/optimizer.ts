// Optimizer: parameter groups, zeroGrad, state dicts, and the order of a step: every gradient is checked before any
// parameter moves. Longer than 250 lines because all that an optimiser promises its user is documented here.
import { walksMade } from '../autograd/index.js';
import * as check from '../check/index.js';
import { mark } from '../check/copies.js';
import { deferred, undeferred } from '../run/deferral.js';
import { outsideScopes, Parameter, type Tensor } from '../tensor/tensor.js';
import {
  areFinite,
  checkGradient,
  findNonFinite,
  policyOf,
  warnOfNoGradients,
  warnOfShares,
  type StepAsyncOptions,
  type StepOptions,
} from './gradients.js';
import {
  BEFORE,
  CHECK_ANY,
  CHECK_GRADIENTS,
  CHECK_GROUP,
  CHECK_SETTLED,
  CHECK_STEP,
  DEFAULTS,
  FIXED,
  KEEP,
  KEPT,
  MAY_STEP,
  MOVE,
  OPTIONAL_STATE,
  PREPARE,
  SLOTS,
  STEPPED,
  UPDATE,
  WALKS,
  WHO,
} from './internals.js';
import {
  checkGroups,
  checkScheduled,
  resolvedGroup,
  type ParameterGroup,
  type ResolvedGroup,
} from './param-groups.js';
import { StateReader } from './read-state.js';
import { stateDictOf, type OptimizerStateDict, type ParameterState, type Slot } from './state.js';

/** A state dict as `loadStateDict` reads it, which checks all of it. */
export interface LoadableOptimizerState {
  readonly state: object;
  readonly param_groups: readonly object[];
}

/**
 * The base class of every optimiser. `Optimizer` alone is the type of any of them: its groups have an `lr`.
 *
 * @example
 * ```ts
 * const optimizer: optim.Optimizer = new optim.Adam(new nn.Linear(2, 2).parameters());
 * optimizer.paramGroups[0]?.lr; // => 0.001
 * ```
 */
export abstract class Optimizer<Hyper extends object = { lr: number }> {
  readonly paramGroups: ResolvedGroup<Hyper>[] = [];
  /** What a group leaves out. */
  protected readonly [DEFAULTS]: Hyper;
  /** @internal Whether `step` has been called: a scheduler that steps before it says so. */
  [STEPPED] = false;
  private [WALKS]: number | null = walksMade();
  /** What was kept before the step that is under way; null: none is. */
  private [BEFORE]: ReadonlyMap<Parameter, ParameterState> | null = null;

  protected constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    defaults: Hyper,
  ) {
    this[DEFAULTS] = defaults;
    const given: unknown[] = Array.from(check.iterable(this[WHO], 'parameters or groups', params));
    if (given.length === 0) {
      throw new RangeError(`${this[WHO]}: optimizer got an empty parameter list.`);
    }
    if (given.every((each) => each instanceof Parameter)) {
      this.addParamGroup({ params: given } as unknown as ParameterGroup<Hyper>);
    } else {
      for (const group of given) this.addParamGroup(group as ParameterGroup<Hyper>);
    }
  }

  protected get [WHO](): string {
    return this.constructor.name;
  }

  /** Throws where a hyperparameter is out of range. */
  protected abstract [CHECK_GROUP](group: Hyper): void;

  /** Allocates what `update` keeps of a parameter from step to step; the last thing that may throw. */
  protected abstract [PREPARE](parameter: Parameter, group: Hyper): void;

  /** Moves one parameter. Its gradient has been checked, and is lent: `zeroGrad` disposes of it. */
  protected abstract [UPDATE](parameter: Parameter, gradient: Tensor, group: Hyper): void;

  /** What is kept of a parameter from step to step, under PyTorch's names; all of it or nothing. */
  protected readonly [SLOTS]: Readonly<Record<string, Slot>> = {};

  /** A state dict may have nothing of a parameter under these names: it begins anew then. */
  protected readonly [OPTIONAL_STATE]: boolean = false;

  /** What PyTorch's optimiser can choose and this one cannot, under PyTorch's name. */
  protected readonly [FIXED]: Readonly<Record<string, boolean>> = {};

  /** What is kept of a parameter now, itself; null for nothing. */
  protected abstract [KEPT](parameter: Parameter): ParameterState | null;

  /** Keeps these, and nothing of other parameters, from here on. Cannot fail. */
  protected abstract [KEEP](states: ReadonlyMap<Parameter, ParameterState>): void;

  /** Adds parameters with hyperparameters of their own. */
  addParamGroup(group: ParameterGroup<Hyper>): void {
    const known = new Set(this.paramGroups.flatMap((each) => each.params));
    const resolved = resolvedGroup(this[WHO], group, this[DEFAULTS], known);
    this[CHECK_GROUP](resolved);
    checkScheduled(this[WHO], resolved);
    this.paramGroups.push(resolved);
  }

  /** Forgets the gradients: `grad` becomes null, or zeros with `{ setToNone: false }`. */
  zeroGrad(options: { setToNone?: boolean | undefined } = {}): void {
    const who = `${this[WHO]}.zeroGrad`;
    check.options(who, options, ['setToNone']);
    const { setToNone = true } = options;
    check.boolean(who, 'setToNone', setToNone);
    checkGroups(who, this.paramGroups);
    for (const { params } of this.paramGroups) {
      for (const parameter of params) parameter.zeroGrad(setToNone);
    }
  }

  /**
   * Moves every parameter that has a gradient. Running statistics are not the optimiser's.
   *
   * @returns Whether it did: false where `nonFinite: 'skip'` has left everything as it was, counts of steps too.
   * @throws {RangeError | TypeError} for a hyperparameter or a gradient that does not fit, and with `nonFinite:
   * 'throw'` for one that is not finite. Nothing has changed then.
   * @example
   * ```ts
   * const p = new nn.Parameter(tensor([1, 2]));
   * const optimizer = new optim.SGD([p], { lr: 0.5 });
   * p.grad = tensor([NaN, 2]);
   * optimizer.step({ nonFinite: 'skip' }); // => false
   * p.grad = tensor([2, 2]);
   * optimizer.step({ nonFinite: 'skip' }); // => true
   * p.toArray(); // => [0, 1]
   * ```
   */
  step(options?: StepOptions): boolean {
    const who = `${this[WHO]}.step`;
    check.options(who, options, ['nonFinite']);
    const nonFinite = policyOf(who, options);
    this[CHECK_STEP](who);
    this[STEPPED] = true;
    if (nonFinite !== 'propagate' && !this[MAY_STEP](who, nonFinite)) return false;
    undeferred(() => {
      this[MOVE]();
    });
    return true;
  }

  /**
   * `step` that does not block the event loop: parameters and what is kept of them are computed in copies, on threads of
   * its own, and take the place of the old ones at the end, all or none. Until the promise settles nothing else may step
   * this optimiser or write into its parameters.
   *
   * Parameters whose `data` has been asked for, or that are shared, are written on the event loop.
   *
   * @returns A promise of what `step` returns, which every failure rejects; aborted, with the signal's reason. Nothing
   * has changed then.
   * @example
   * ```ts
   * const p = new nn.Parameter(tensor([1, 2]));
   * const optimizer = new optim.SGD([p], { lr: 0.5 });
   * p.grad = tensor([2, 2]);
   * await optimizer.stepAsync({ signal: AbortSignal.timeout(1000) });
   * p.toArray(); // => [0, 1]
   * ```
   */
  async stepAsync(options?: StepAsyncOptions): Promise<boolean> {
    const who = `${this[WHO]}.stepAsync`;
    check.options(who, options, ['nonFinite', 'signal']);
    const nonFinite = policyOf(who, options);
    const signal = check.signal(who, options?.signal);
    check.notAborted(signal);
    this[CHECK_STEP](who);
    const parameters = this.paramGroups.flatMap(({ params }) => params);
    const before = new Map<Parameter, ParameterState>();
    for (const parameter of parameters) {
      const kept = this[KEPT](parameter);
      if (kept !== null) before.set(parameter, kept);
    }
    this[BEFORE] = before;
    try {
      if (nonFinite !== 'propagate' && !(await areFinite(who, parameters, signal))) {
        if (!this[MAY_STEP](who, nonFinite)) return false;
      }
      this[CHECK_GRADIENTS]();
      const moved = parameters.filter(({ gradient }) => gradient !== null);
      await outsideScopes(() =>
        deferred(signal, () => {
          this[MOVE]();
        }),
      );
      for (const parameter of moved) parameter.markChanged();
      this[STEPPED] = true;
      return true;
    } catch (error) {
      this[KEEP](before);
      throw error;
    } finally {
      this[BEFORE] = null;
    }
  }

  /** That a step can be made: nothing has changed where it throws. */
  private [CHECK_STEP](who: string): void {
    this[CHECK_SETTLED](who);
    checkGroups(who, this.paramGroups);
    this[CHECK_GRADIENTS]();
    for (const { params } of this.paramGroups) warnOfShares(who, params);
    this[CHECK_ANY](who);
  }

  /** A warning, once, of a step that finds no gradient of the backward before it. */
  private [CHECK_ANY](who: string): void {
    const walks = walksMade();
    if (this[WALKS] === null || this[WALKS] === walks) return;
    this[WALKS] = walks;
    const has = (what: (parameter: Parameter) => boolean): boolean =>
      this.paramGroups.some(({ params }) => params.some(what));
    if (has(({ gradient }) => gradient !== null) || !has((each) => each.requiresGrad)) return;
    this[WALKS] = null;
    warnOfNoGradients(who);
  }

  private [CHECK_SETTLED](who: string): void {
    if (this[BEFORE] === null) return;
    throw new Error(
      `${who}: expected the promise of stepAsync to have settled, got one under way.`,
    );
  }

  private [CHECK_GRADIENTS](): void {
    for (const group of this.paramGroups) {
      this[CHECK_GROUP](group);
      for (const parameter of group.params) checkGradient(`${this[WHO]}.step`, parameter);
    }
  }

  /** Whether gradients are finite; throws by the policy where they are not. */
  private [MAY_STEP](who: string, nonFinite: 'throw' | 'skip'): boolean {
    const found = findNonFinite(this.paramGroups.flatMap(({ params }) => params));
    if (found === null) return true;
    if (nonFinite === 'skip') return false;
    throw check.wrongValue(who, 'finite gradients', found);
  }

  /** Everything is checked: moves the parameters. */
  private [MOVE](): void {
    for (const group of this.paramGroups) {
      for (const parameter of group.params) {
        if (parameter.gradient !== null) this[PREPARE](parameter, group);
      }
    }
    for (const group of this.paramGroups) {
      for (const parameter of group.params) {
        if (parameter.gradient === null) continue;
        this[UPDATE](parameter, parameter.gradient, group);
        if (this[BEFORE] === null) parameter.markChanged();
      }
    }
  }

  /**
   * What a run needs beside the parameters to go on with the same bits, in the form of PyTorch's `state_dict()`: what
   * is kept of each parameter by its index, and the hyperparameters of the groups, under PyTorch's names.
   *
   * @returns Copies: later steps do not change them.
   * @example
   * ```ts
   * const p = new nn.Parameter(tensor([1, 2]));
   * const optimizer = new optim.SGD([p], { lr: 0.5, momentum: 0.9 });
   * p.grad = tensor([2, 4]);
   * optimizer.step();
   * const { state, param_groups } = optimizer.stateDict();
   * String(state[0].momentum_buffer); // => 'tensor([2., 4.])'
   * param_groups[0].weight_decay; // => 0
   * ```
   */
  stateDict(): OptimizerStateDict {
    const names = Object.keys(this[DEFAULTS]);
    const before = this[BEFORE];
    return stateDictOf(this.paramGroups, names, (parameter) =>
      before === null ? this[KEPT](parameter) : (before.get(parameter) ?? null),
    );
  }

  /**
   * Goes on from a state dict: one of `stateDict()`, or PyTorch's. The parameters are those of the same places in the
   * groups, whatever their indices. Its hyperparameters replace those of `paramGroups`, the learning rate too; what was
   * kept before is forgotten.
   *
   * @param stateDict - Objects or Maps. Tensors of float32 or float64, which are copied and converted to a parameter's
   * dtype; what `Tensor.from` takes; or nested arrays of numbers; what JSON made of a Tensor.
   * @throws {RangeError | TypeError} for other groups, names, shapes or values. Nothing has changed then.
   * @example
   * ```ts
   * const p = new nn.Parameter(tensor([1, 2]));
   * const [before, after] = [new optim.Adam([p], { lr: 0.5 }), new optim.Adam([p])];
   * after.loadStateDict(before.stateDict());
   * after.paramGroups[0].lr; // => 0.5
   * ```
   */
  loadStateDict(stateDict: LoadableOptimizerState): void {
    const who = `${this[WHO]}.loadStateDict`;
    this[CHECK_SETTLED](who);
    const reader = new StateReader(who, this[SLOTS], this[OPTIONAL_STATE], this[FIXED]);
    const { state, groups } = reader.parts(stateDict);
    const names = Object.keys(this[DEFAULTS]);
    const { hypers, parameters } = reader.groups(groups, this.paramGroups, names);
    for (const hyper of hypers) {
      this[CHECK_GROUP](hyper as Hyper);
      checkScheduled(who, hyper);
    }
    const states = reader.states(state, parameters);
    this[KEEP](states);
    this.paramGroups.forEach((group, i) => Object.assign(group, hypers[i]));
  }
}

mark(Optimizer, 'Optimizer');
