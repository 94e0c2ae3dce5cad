// What a module learns.
import * as check from '../check/index.js';
import { mark } from '../check/copies.js';
import type { FloatData } from '../memory/dtype.js';
import { INSTEAD_OF_DATA, Tensor } from './class.js';

let parameters = 0;

/** @internal How many parameters have been made: those with a lower `[MADE]` are older than this moment. */
export function parametersMade(): number {
  return parameters;
}

/** @internal The how-manyth parameter one is. */
export const MADE = Symbol('made');

/** A tensor that a module learns: requires grad, and the module finds it. */
export class Parameter extends Tensor {
  /** @internal */
  readonly [MADE] = parameters++;

  constructor(data: Tensor, requiresGrad = true) {
    if (!((data as unknown) instanceof Tensor))
      throw check.wrongKind('Parameter', 'a Tensor', data);
    check.floating('Parameter', 'a parameter', data);
    check.boolean('Parameter', 'requiresGrad', requiresGrad);
    super(data.share(), data.shape, data.dtype);
    this.keep();
    this.requiresGrad = requiresGrad;
  }

  override get data(): FloatData {
    return super.data as FloatData;
  }

  /** Forgets the gradient: null, or zeros in the memory it has. */
  zeroGrad(setToNone: boolean): void {
    if (setToNone) this.grad = null;
    else this.gradient?.clear();
  }
}

mark(Parameter, 'Parameter');

check.refuseAssignment(Parameter, { data: INSTEAD_OF_DATA });

/** @internal A module's property that is learned: any other tensor would be missing in its state. */
export function learned<Value extends Parameter | null>(
  who: string,
  name: string,
  value: Value,
): Value {
  if (value === null || value instanceof Parameter) return value;
  const what = `${name} to be a Parameter or null (cannot assign another kind as parameter '${name}')`;
  throw check.wrongKind(who, what, value);
}
