import * as check from '../check/index.js';
import type { Parameter } from '../tensor/tensor.js';

/** What is asked of a model: a Module is one. */
export interface Grouped {
  namedModules(): Iterable<readonly [string, object]>;
  namedParameters(): Iterable<readonly [string, Parameter]>;
}

/** Decides for one parameter; `name` is that of the state dict, `owner` the module that has it. */
export type NoDecay = (name: string, parameter: Parameter, owner: object) => boolean;

export interface GroupsOptions {
  /** Decay of all other parameters, at least 0. */
  weightDecay: number;
  /**
   * Which take no decay. 'norm and bias' (default): those of a normalisation, of at most one dimension (biases, PReLU's
   * slopes), or named `bias`. Or a function.
   */
  noDecay?: 'norm and bias' | NoDecay | undefined;
}

/** What an optimiser takes. */
export interface DecayGroup {
  params: Parameter[];
  weightDecay: number;
}

/**
 * Two parameter groups for an optimiser: with decay, and without. BatchNorm's weight and bias are no weights of a
 * product, and decay moves what they normalise to. Frozen parameters are left out, shared ones come once, an empty
 * group does not come.
 *
 * @throws {TypeError} for what is no Module. @throws {RangeError} where nothing learns.
 * @example
 * ```ts
 * const model = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3));
 * const groups = optim.groups(model, { weightDecay: 0.01 });
 * groups.map(({ params, weightDecay }) => [params.length, weightDecay]); // => [[1, 0.01], [3, 0]]
 * const optimizer = new optim.AdamW(groups, { lr: 1e-3 });
 * ```
 */
export function groups(model: Grouped, options: GroupsOptions): DecayGroup[] {
  const who = 'optim.groups';
  if (typeof model !== 'object' || (model as unknown) === null || !('namedModules' in model)) {
    throw check.wrongKind(who, 'a Module', model);
  }
  check.requiredOptions(who, options, ['weightDecay', 'noDecay']);
  const { weightDecay, noDecay = 'norm and bias' } = options;
  check.numberBetween(who, 'weightDecay', weightDecay, 0, Infinity);
  const without = typeof noDecay === 'function' ? noDecay : usual;
  if (typeof noDecay !== 'function') check.oneOf(who, 'noDecay', noDecay, ['norm and bias']);
  const decayed: DecayGroup = { params: [], weightDecay };
  const others: DecayGroup = { params: [], weightDecay: 0 };
  const owners = new Map(model.namedModules());
  for (const [name, parameter] of model.namedParameters()) {
    if (!parameter.requiresGrad) continue;
    const owner = owners.get(name.slice(0, Math.max(0, name.lastIndexOf('.')))) ?? model;
    const chosen = check.boolean(who, "noDecay's result", without(name, parameter, owner));
    (chosen ? others : decayed).params.push(parameter);
  }
  const found = [decayed, others].filter(({ params }) => params.length > 0);
  if (found.length === 0) {
    throw check.wrongValue(who, 'a model with parameters that require grad', 'none');
  }
  return found;
}

const usual: NoDecay = (name, parameter, owner) =>
  parameter.shape.length <= 1 ||
  /(^|\.)bias$/.test(name) ||
  /Norm/.test((owner.constructor as { name: string }).name);
