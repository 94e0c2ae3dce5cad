// Reading a state dict of an optimiser: everything is checked and allocated here, before anything that is kept changes.
import { isMap } from 'node:util/types';

import * as check from '../check/index.js';
import { tensor } from '../tensor/create.js';
import { revived } from '../tensor/state-dict.js';
import { floats, Tensor, type Parameter, type TensorLike } from '../tensor/tensor.js';
import { pythonName, SCHEDULED, type ParameterState, type Slot } from './state.js';

/** Of PyTorch's groups: how to compute the same numbers, names for people. */
const NO_MATTER = ['foreach', 'capturable', 'differentiable', 'fused', 'name', 'param_names'];

/** @internal One call of `loadStateDict`. */
export class StateReader {
  constructor(
    private readonly who: string,
    /** What the optimiser keeps of a parameter. */
    private readonly slots: Readonly<Record<string, Slot>>,
    /** A parameter may lack what it keeps: then it begins anew. */
    private readonly optional: boolean,
    /** What PyTorch's optimiser can choose and ours cannot. */
    private readonly fixed: Readonly<Record<string, boolean>>,
  ) {}

  /** The two parts of a state dict. */
  parts(value: unknown): { state: unknown; groups: unknown } {
    const entries = this.entries(value, 'a state dict { state, param_groups }');
    return { state: entries.get('state'), groups: entries.get('param_groups') };
  }

  /**
   * The hyperparameters of each group, and the parameter that each index means.
   *
   * @param names - Of hyperparameters, as we spell them.
   */
  groups(
    value: unknown,
    groups: readonly { readonly params: readonly Parameter[] }[],
    names: readonly string[],
  ): { hypers: Record<string, unknown>[]; parameters: Map<string, Parameter> } {
    const { who } = this;
    const given = this.array('param_groups', value);
    if (given.length !== groups.length) {
      throw check.wrongValue(
        who,
        `${groups.length} parameter groups`,
        `${given.length} (loaded state dict has a different number of parameter groups)`,
      );
    }
    const parameters = new Map<string, Parameter>();
    const hypers = given.map((each, i) => {
      const where = `param_groups[${i}]`;
      const entries = this.entries(each, `${where} to be an object or a Map`);
      this.indices(where, entries.get('params'), groups[i]!.params, parameters);
      return this.hyper(where, entries, names);
    });
    return { hypers, parameters };
  }

  private indices(
    where: string,
    value: unknown,
    params: readonly Parameter[],
    parameters: Map<string, Parameter>,
  ): void {
    const { who } = this;
    const indices = this.array(`${where}.params`, value);
    if (indices.length !== params.length) {
      throw check.wrongValue(
        who,
        `${params.length} parameters in ${where}`,
        `${indices.length} (loaded state dict contains a parameter group that doesn't match the size of ` +
          "optimizer's group)",
      );
    }
    indices.forEach((each, i) => {
      const index = String(check.wholeNumber(who, `an index in ${where}.params`, each, 0));
      if (parameters.has(index)) {
        throw check.wrongValue(who, 'indices of parameters that differ', `${index} twice`);
      }
      parameters.set(index, params[i]!);
    });
  }

  private hyper(
    where: string,
    entries: ReadonlyMap<string, unknown>,
    names: readonly string[],
  ): Record<string, unknown> {
    const hyper: Record<string, unknown> = {};
    for (const name of names) {
      const value = entries.get(pythonName(name));
      if (value === undefined) {
        throw new TypeError(`${this.who}: expected ${pythonName(name)} in ${where}, got none.`);
      }
      const plain = value instanceof Tensor ? value.item() : value;
      hyper[name] = Array.isArray(plain) ? [...(plain as unknown[])] : plain;
    }
    for (const [name, only] of Object.entries(this.fixed)) {
      const value = entries.get(name) ?? only;
      if (value === only) continue;
      throw check.wrongValue(this.who, `${name} to be ${only} in ${where}`, check.describe(value));
    }
    for (const name of SCHEDULED) {
      const value = entries.get(pythonName(name));
      if (value !== undefined) hyper[name] = value instanceof Tensor ? value.item() : value;
    }
    const known = names.map(pythonName);
    const others = [...Object.keys(this.fixed), ...SCHEDULED.map(pythonName), ...NO_MATTER];
    this.refuseOthers(where, entries, known, ['params', ...others]);
    return hyper;
  }

  /** What is to be kept of each parameter: new tensors, of its dtype. */
  states(
    value: unknown,
    parameters: ReadonlyMap<string, Parameter>,
  ): Map<Parameter, ParameterState> {
    const states = new Map<Parameter, ParameterState>();
    for (const [index, each] of this.entries(value, 'state to be an object or a Map')) {
      const parameter = parameters.get(index);
      if (parameter === undefined) {
        const all = [...parameters.keys()].join(', ');
        throw check.wrongValue(this.who, `state of the parameters ${all}`, `state of '${index}'`);
      }
      const where = `parameter ${index}`;
      const entries = this.entries(each, `the state of ${where} to be an object or a Map`);
      this.refuseOthers(where, entries, Object.keys(this.slots), []);
      const state = this.parameterState(where, entries, parameter);
      if (state !== null) states.set(parameter, state);
    }
    return states;
  }

  private parameterState(
    where: string,
    entries: ReadonlyMap<string, unknown>,
    parameter: Parameter,
  ): ParameterState | null {
    const state: ParameterState = {};
    for (const [name, slot] of Object.entries(this.slots)) {
      const value = entries.get(name) ?? null;
      if (value === null) {
        if (slot === 'optional') continue;
        if (this.optional) return null;
        throw new TypeError(`${this.who}: expected ${name} of ${where}, got none.`);
      }
      const what = `${name} of ${where}`;
      state[name] =
        slot === 'count' || slot === 'number'
          ? this.number(what, value, slot)
          : this.copy(what, value, parameter);
      if (slot === 'square') this.refuseNegative(what, state[name] as Tensor);
    }
    return state;
  }

  private number(what: string, value: unknown, kind: 'count' | 'number'): number {
    const number = isJSON(value) ? value.data : (revived(value)?.item() ?? value);
    return kind === 'count'
      ? check.wholeNumber(this.who, what, number, 0)
      : check.numberBetween(this.who, what, number, 0, Infinity);
  }

  private copy(what: string, value: unknown, { shape, dtype }: Parameter): Tensor {
    const { who } = this;
    // A Tensor that went through JSON has nested arrays for data.
    const values = isJSON(value) ? value.data : value;
    const nested = Array.isArray(values) || typeof values === 'number';
    const given = nested
      ? tensor(values as number[], { dtype: 'float64' })
      : (revived(value) ?? Tensor.from(value as TensorLike));
    check.floating(who, what, given);
    check.sameShape(who, what, given, shape);
    const data = given.attached(who, what);
    const copy = Tensor.uninitialized(shape, dtype).keep();
    floats(copy).set(data as Float64Array);
    return copy;
  }

  private refuseNegative(what: string, kept: Tensor): void {
    const negative = floats(kept).find((element) => element < 0);
    if (negative === undefined) return;
    throw check.wrongValue(this.who, `${what} to be at least 0`, check.describe(negative));
  }

  private refuseOthers(
    where: string,
    entries: ReadonlyMap<string, unknown>,
    known: readonly string[],
    allowed: readonly string[],
  ): void {
    for (const [name, value] of entries) {
      if (value === undefined || known.includes(name) || allowed.includes(name)) continue;
      throw check.wrongValue(this.who, `${where} to have ${known.join(', ')}`, `'${name}' too`);
    }
  }

  private array(name: string, value: unknown): readonly unknown[] {
    if (!Array.isArray(value)) throw check.wrongKind(this.who, `${name} to be an array`, value);
    return value as readonly unknown[];
  }

  /** Of an object, or of a Map, whose keys may be numbers. */
  private entries(value: unknown, what: string): Map<string, unknown> {
    if (isMap(value)) {
      return new Map([...value].map(([key, each]) => [String(key), each]));
    }
    const isPromise = check.isThenable(value);
    if (typeof value !== 'object' || value === null || Array.isArray(value) || isPromise) {
      throw check.wrongKind(this.who, what, value, isPromise ? 'await it' : undefined);
    }
    return new Map(Object.entries(value));
  }
}

function isJSON(value: unknown): value is { readonly data: unknown } {
  if (typeof value !== 'object' || value === null || value instanceof Tensor) return false;
  return 'dtype' in value && 'data' in value;
}
