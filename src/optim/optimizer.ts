// Parameter groups, zeroGrad, and the order of a step: every gradient is checked before any parameter
// moves.
import * as check from '../check.js';
import { mark } from '../copies.js';
import { Parameter, Tensor } from '../tensor.js';

/** Parameters that share hyperparameters; what a group leaves out it takes from the defaults. */
export type ParameterGroup<Hyper> = { params: Iterable<Parameter> } & Partial<Hyper>;

/** A group as the optimiser keeps it: hyperparameters may be changed between steps. */
export type ResolvedGroup<Hyper> = { params: Parameter[] } & Hyper;

export abstract class Optimizer<Hyper extends object> {
  readonly paramGroups: ResolvedGroup<Hyper>[] = [];

  protected constructor(
    params: Iterable<Parameter> | readonly ParameterGroup<Hyper>[],
    protected readonly defaults: Hyper,
  ) {
    const given: unknown[] = Array.from(check.iterable(this.who, 'parameters or groups', params));
    if (given.length === 0) {
      throw new RangeError(`${this.who}: optimizer got an empty parameter list.`);
    }
    if (given.every((each) => each instanceof Parameter)) {
      this.addParamGroup({ params: given } as unknown as ParameterGroup<Hyper>);
    } else {
      for (const group of given) this.addParamGroup(group as ParameterGroup<Hyper>);
    }
  }

  protected get who(): string {
    return this.constructor.name;
  }

  /** Throws where a hyperparameter is out of range. */
  protected abstract checkGroup(group: Hyper): void;

  /** Allocates what `update` keeps of a parameter from step to step; the last thing that may throw. */
  protected abstract prepare(parameter: Parameter, group: Hyper): void;

  /** Moves one parameter. Its gradient has been checked, and is lent: `zeroGrad` disposes of it. */
  protected abstract update(parameter: Parameter, gradient: Tensor, group: Hyper): void;

  /** Adds parameters with hyperparameters of their own. */
  addParamGroup(group: ParameterGroup<Hyper>): void {
    if (typeof group !== 'object' || (group as unknown) === null || !('params' in group)) {
      throw check.wrongKind(this.who, 'parameters, or groups { params, … }', group);
    }
    check.options(this.who, group, ['params', ...Object.keys(this.defaults)]);
    const { params, ...own } = group;
    const list = [...(check.iterable(this.who, 'params', params) as Iterable<Parameter>)];
    const known = new Set(this.paramGroups.flatMap((each) => each.params));
    for (const parameter of list) {
      if (!((parameter as unknown) instanceof Parameter)) {
        throw check.wrongKind(this.who, 'a Parameter to optimise', parameter);
      }
      if (known.has(parameter)) {
        throw new RangeError(
          `${this.who}: some parameters appear in more than one parameter group.`,
        );
      }
      known.add(parameter);
    }
    const resolved = { ...this.defaults, ...own, params: list } as unknown as ResolvedGroup<Hyper>;
    this.checkGroup(resolved);
    this.paramGroups.push(resolved);
  }

  /** Forgets the gradients: `grad` becomes null, or zeros with `{ setToNone: false }`. */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    check.options(`${this.who}.zeroGrad`, options, ['setToNone']);
    for (const { params } of this.paramGroups) {
      for (const parameter of params) parameter.zeroGrad(options.setToNone ?? true);
    }
  }

  /** Moves every parameter that has a gradient. Running statistics are not the optimiser's. */
  step(): void {
    for (const group of this.paramGroups) {
      this.checkGroup(group);
      for (const parameter of group.params) this.checkGradient(parameter);
    }
    for (const group of this.paramGroups) {
      for (const parameter of group.params) {
        if (parameter.gradient !== null) this.prepare(parameter, group);
      }
    }
    for (const group of this.paramGroups) {
      for (const parameter of group.params) {
        if (parameter.gradient === null) continue;
        this.update(parameter, parameter.gradient, group);
        parameter.markChanged();
      }
    }
  }

  private checkGradient(parameter: Parameter): void {
    const { gradient: grad } = parameter;
    if (grad === null) return;
    const who = `${this.who}.step`;
    check.sameShape(who, 'a gradient', grad, parameter.shape);
    check.sameDtype(who, 'the gradient', grad, parameter.dtype);
    grad.attached(who);
    parameter.attached(who);
  }
}

mark(Optimizer, 'Optimizer');

/** A state tensor of zeros like a parameter; it outlives the step, so no scope disposes of it. */
export function zerosLike(parameter: Parameter): Tensor {
  return Tensor.filled(parameter.shape, parameter.dtype, 0).keep();
}
