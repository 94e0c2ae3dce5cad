// Parameter groups, zeroGrad, state dicts, and the order of a step: every gradient is checked before any
// parameter moves.
import * as check from '../check/index.js';
import { mark } from '../check/copies.js';
import { addon } from '../addon/control.js';
import { deferred, perform, undeferred } from '../run/deferral.js';
import { floats, outsideScopes, Parameter, Tensor } from '../tensor/tensor.js';
import {
  CHECK_GRADIENT,
  CHECK_GROUP,
  CHECK_GROUPS,
  DEFAULTS,
  FIND_NON_FINITE,
  FIXED,
  KEEP,
  KEPT,
  OPTIONAL_STATE,
  PREPARE,
  SLOTS,
  CHECK_GRADIENTS,
  CHECK_SETTLED,
  CHECK_STEP,
  MAY_STEP,
  MOVE,
  STEPPED,
  STEPPING,
  UPDATE,
  WHO,
} from './internals.js';
import {
  pythonName,
  SCHEDULED,
  StateReader,
  type GroupState,
  type OptimizerStateDict,
  type ParameterState,
  type Slot,
} from './state.js';

/** What a scheduler keeps in the groups it moves, as PyTorch's do; each is a number of at least 0. */
export type ScheduledGroup = { [Name in (typeof SCHEDULED)[number]]?: number | undefined };

/** Parameters that share hyperparameters; what a group leaves out it takes from the defaults. */
export type ParameterGroup<Hyper> = { params: Iterable<Parameter> } & {
  [Name in keyof Hyper]?: Hyper[Name] | undefined;
} & ScheduledGroup;

/** Options with every default filled in. */
export type Resolved<Options> = { [Name in keyof Options]-?: Exclude<Options[Name], undefined> };

/** Defaults under the options; one that is undefined is left out. */
export function withDefaults<Hyper extends object>(
  defaults: Hyper,
  options: ParameterGroup<Hyper> | { [Name in keyof Hyper]?: Hyper[Name] | undefined },
): Hyper {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

/** A group as the optimiser keeps it: hyperparameters may be changed between steps. */
export type ResolvedGroup<Hyper> = { params: Parameter[] } & Hyper & ScheduledGroup;

/** A state dict as `loadStateDict` reads it, which checks all of it. */
export interface LoadableOptimizerState {
  readonly state: object;
  readonly param_groups: readonly object[];
}

export interface StepOptions {
  /**
   * What a gradient that is NaN or infinite does: move its parameter there, as in PyTorch ('propagate', default);
   * an error ('throw') or nothing but the result `false` ('skip'), before any parameter has moved.
   */
  nonFinite?: 'propagate' | 'throw' | 'skip' | undefined;
}

export interface StepAsyncOptions extends StepOptions {
  /** Stops the step where it is, waiting or running. */
  signal?: AbortSignal | undefined;
}

export abstract class Optimizer<Hyper extends object> {
  readonly paramGroups: ResolvedGroup<Hyper>[] = [];
  /** What a group leaves out. */
  protected readonly [DEFAULTS]: Hyper;
  /** @internal Whether `step` has been called: a scheduler that steps before it says so. */
  [STEPPED] = false;
  private [STEPPING] = false;

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
    if (typeof group !== 'object' || (group as unknown) === null || !('params' in group)) {
      throw check.wrongKind(this[WHO], 'parameters, or groups { params, … }', group);
    }
    const { params, ...own } = group;
    const scheduled = SCHEDULED.filter((name) => group[name] !== undefined);
    check.options(this[WHO], group, ['params', ...Object.keys(this[DEFAULTS]), ...scheduled]);
    const list = [...(check.iterable(this[WHO], 'params', params) as Iterable<Parameter>)];
    const known = new Set(this.paramGroups.flatMap((each) => each.params));
    for (const parameter of list) {
      if (!((parameter as unknown) instanceof Parameter)) {
        throw check.wrongKind(this[WHO], 'a Parameter to optimise', parameter);
      }
      if (known.has(parameter)) {
        throw new RangeError(
          `${this[WHO]}: some parameters appear in more than one parameter group.`,
        );
      }
      known.add(parameter);
    }
    // Lists, such as betas, are the group's own: others share the defaults, and the caller has his.
    const hyper = Object.entries(withDefaults(this[DEFAULTS], own as ParameterGroup<Hyper>)).map(
      ([name, value]: [string, unknown]) => [name, check.isList(value) ? Array.from(value) : value],
    );
    const resolved = { ...Object.fromEntries(hyper), params: list } as ResolvedGroup<Hyper>;
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
    this[CHECK_GROUPS](who);
    for (const { params } of this.paramGroups) {
      for (const parameter of params) parameter.zeroGrad(setToNone);
    }
  }

  /** That the groups, which anyone may change, are lists of parameters still. */
  private [CHECK_GROUPS](who: string): void {
    const groups: unknown = this.paramGroups;
    if (!Array.isArray(groups)) throw check.wrongKind(who, 'paramGroups to be an array', groups);
    for (const group of groups as unknown[]) {
      const params = (group as { params?: unknown } | null | undefined)?.params;
      if (!Array.isArray(params)) {
        throw check.wrongKind(who, "a group's params to be an array of Parameters", params);
      }
      for (const each of params as unknown[]) {
        if (!(each instanceof Parameter)) {
          throw check.wrongKind(who, "a group's params to be Parameters", each);
        }
      }
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
    this[STEPPING] = true;
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
      this[STEPPING] = false;
    }
  }

  /** That a step can be made: nothing has changed where it throws. */
  private [CHECK_STEP](who: string): void {
    this[CHECK_SETTLED](who);
    this[CHECK_GROUPS](who);
    this[CHECK_GRADIENTS]();
  }

  private [CHECK_SETTLED](who: string): void {
    if (!this[STEPPING]) return;
    throw new Error(
      `${who}: expected the promise of stepAsync to have settled, got one under way.`,
    );
  }

  private [CHECK_GRADIENTS](): void {
    for (const group of this.paramGroups) {
      this[CHECK_GROUP](group);
      for (const parameter of group.params) this[CHECK_GRADIENT](parameter);
    }
  }

  /** Whether gradients are finite; throws by the policy where they are not. */
  private [MAY_STEP](who: string, nonFinite: 'throw' | 'skip'): boolean {
    const found = this[FIND_NON_FINITE]();
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
        if (!this[STEPPING]) parameter.markChanged();
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
    const state: OptimizerStateDict['state'] = {};
    let index = 0;
    const groups = this.paramGroups.map((group): GroupState => {
      const own = group as unknown as Record<string, number | readonly number[]>;
      const scheduled = SCHEDULED.filter((name) => group[name] !== undefined);
      const hyper = [...names, ...scheduled].map((name) => {
        const value = own[name]!;
        return [pythonName(name), typeof value === 'object' ? [...value] : value] as const;
      });
      const params = group.params.map((parameter) => {
        const kept = this[KEPT](parameter);
        if (kept !== null) state[index] = copyOf(kept);
        return index++;
      });
      return { ...Object.fromEntries(hyper), params };
    });
    return { state, param_groups: groups };
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

  /** Where a gradient is not finite, in words; null where all are. */
  private [FIND_NON_FINITE](): string | null {
    const parameters = this.paramGroups.flatMap(({ params }) => params);
    for (const [i, { gradient, shape }] of parameters.entries()) {
      const at = gradient === null ? -1 : firstNonFinite(gradient);
      if (at < 0) continue;
      return `${floats(gradient!)[at]} at index ${at} of parameter ${i} (shape ${check.shapeText(shape)})`;
    }
    return null;
  }

  private [CHECK_GRADIENT](parameter: Parameter): void {
    const { gradient: grad } = parameter;
    if (grad === null) return;
    const who = `${this[WHO]}.step`;
    check.sameShape(who, 'a gradient', grad, parameter.shape);
    check.sameDtype(who, 'the gradient', grad, parameter.dtype);
    grad.attached(who);
    parameter.attached(who);
  }
}

mark(Optimizer, 'Optimizer');

function policyOf(who: string, options: StepOptions | undefined): 'propagate' | 'throw' | 'skip' {
  const { nonFinite = 'propagate' } = options ?? {};
  return check.oneOf(who, 'nonFinite', nonFinite, ['propagate', 'throw', 'skip']);
}

/** Whether the sum of each gradient is finite, found beside the event loop: then its terms are. */
async function areFinite(
  who: string,
  parameters: readonly Parameter[],
  signal: AbortSignal | null,
): Promise<boolean> {
  let finite = true;
  await deferred(signal, () => {
    for (const { gradient } of parameters) {
      if (gradient === null) continue;
      perform(
        { who, work: gradient.numel, reads: { 'a gradient': gradient }, writes: [] },
        (native, arrayOf) => native.sum(arrayOf(gradient), gradient.numel),
        (_, sum) => {
          finite &&= Number.isFinite(sum);
        },
      );
    }
  });
  return finite;
}

function checkScheduled(who: string, group: ScheduledGroup): void {
  for (const name of SCHEDULED) {
    if (group[name] !== undefined) check.numberBetween(who, name, group[name], 0, Infinity);
  }
}

/** The first element that is NaN or infinite, or -1. */
function firstNonFinite(gradient: Tensor): number {
  const data = floats(gradient);
  // A finite sum, which is computed in double, has finite terms; the reverse is true of float32 alone.
  if (Number.isFinite(addon.sum(data, gradient.numel))) return -1;
  return data.findIndex((element) => !Number.isFinite(element));
}

function copyOf(kept: ParameterState): ParameterState {
  const copies = Object.entries(kept).map(
    ([name, value]) => [name, value instanceof Tensor ? value.copied() : value] as const,
  );
  return Object.fromEntries(copies);
}

/** A state tensor of zeros like a parameter; it outlives the step, so no scope disposes of it. */
export function zerosLike(parameter: Parameter): Tensor {
  return Tensor.filled(parameter.shape, parameter.dtype, 0).keep();
}
