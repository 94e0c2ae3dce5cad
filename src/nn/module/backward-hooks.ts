// The hooks around the part of a backward that goes through a module.
import { currentWalk, noGrad } from '../../autograd/index.js';
import * as check from '../../check/index.js';
import { refuseForeign } from '../../check/copies.js';
import { recordGate, Tensor } from '../../tensor/tensor.js';

/** One entry per positional argument or output; null where no gradient is. */
export type Gradients = readonly (Tensor | null)[];

interface Entry {
  readonly call: (...args: unknown[]) => unknown;
}

/**
 * One forward with backward hooks. An identity operation is inserted after the outputs and another one before the
 * inputs; they call the hooks. Hooks are those of the time of the forward.
 */
export class HookedForward {
  private gradOutput: Gradients = [];
  private inputs: readonly unknown[] = [];
  private watchesInputs = false;

  constructor(
    private readonly who: string,
    private readonly module: unknown,
    private readonly preHooks: readonly Entry[],
    private readonly hooks: readonly Entry[],
  ) {}

  enter(inputs: readonly unknown[]): readonly unknown[] {
    this.inputs = inputs;
    const needs = inputs.map((each) => each instanceof Tensor && each.requiresGrad);
    this.watchesInputs = needs.includes(true);
    if (!this.watchesInputs) return inputs;
    return watched(`${this.who} (inputs)`, inputs, (gradients) => {
      const whole = gradients.map((gradient, i) => {
        const input = inputs[i];
        const absent = gradient === null && needs[i] && input instanceof Tensor;
        return absent ? Tensor.filled(input.shape, input.dtype, 0) : gradient;
      });
      return this.call(Object.freeze(whole));
    });
  }

  leave(output: unknown): unknown {
    const outputs: readonly unknown[] = Array.isArray(output) ? output : [output];
    for (const each of outputs) refuseForeign(this.who, 'outputs of this copy', each);
    if (!outputs.some((each) => each instanceof Tensor)) {
      throw check.wrongKind(
        this.who,
        'forward to return a Tensor or an array with Tensors, for its backward hooks',
        output,
      );
    }
    if (!outputs.some((each) => each instanceof Tensor && each.requiresGrad)) return output;
    const passed = watched(`${this.who} (outputs)`, outputs, (gradients) => {
      let result = gradients;
      for (const { call } of this.preHooks) {
        const returned = call(this.module, result);
        if (returned === undefined || returned === null) continue;
        result = this.checked('full backward pre-hook', 'grad_output', returned, outputs);
      }
      this.gradOutput = result;
      if (!this.watchesInputs) this.call(Object.freeze(this.inputs.map(() => null)));
      return result;
    });
    return Array.isArray(output) ? passed : passed[0];
  }

  private call(given: Gradients): Gradients {
    let gradients = given;
    for (const { call } of this.hooks) {
      const returned = call(this.module, gradients, this.gradOutput);
      if (returned === undefined || returned === null) continue;
      const next = this.checked('full backward hook', 'grad_input', returned, this.inputs);
      if (!this.watchesInputs && next.some((each) => each !== null)) {
        throw new TypeError(
          `${this.who}: Backward hook for Modules where no input requires gradient should always return ` +
            'null or null for all gradients.',
        );
      }
      gradients = next;
    }
    return gradients;
  }

  /** What a hook returned: as many as `of`, each null or like the value it is the gradient of. */
  private checked(
    hook: string,
    name: 'grad_input' | 'grad_output',
    returned: unknown,
    of: readonly unknown[],
  ): Gradients {
    if (!Array.isArray(returned)) {
      throw check.wrongKind(this.who, `a ${hook} to return an array of gradients`, returned);
    }
    if (returned.length !== of.length) {
      throw new RangeError(
        `${this.who}: Backward hook returned an invalid number of ${name}, got ${returned.length}, but ` +
          `expected ${of.length}.`,
      );
    }
    (returned as unknown[]).forEach((each, i) => {
      const value = of[i];
      if (each === null) return;
      if (!(each instanceof Tensor) || !(value instanceof Tensor)) {
        throw check.wrongKind(
          this.who,
          `${name} ${i} to be a Tensor where one went in, or null`,
          each,
        );
      }
      check.sameShape(this.who, `${name} ${i}`, each, value.shape);
      check.dtype(this.who, `${name} ${i}`, each, value.dtype);
      if (each.expandedValue === null) each.attached(this.who, `${name} ${i}`);
    });
    return Object.freeze([...(returned as Gradients)]);
  }
}

/**
 * Inserts an identity operation behind the values. Its backward runs once, after the gradients of all values that were
 * used have arrived, and `pass` turns them into those that go on. A scalar result, whose gradient is not read, makes it
 * older than every use of the values: the walk comes to it last.
 */
function watched(
  name: string,
  values: readonly unknown[],
  pass: (gradients: Gradients) => Gradients,
): unknown[] {
  const slots: (Tensor | null)[] = values.map(() => null);
  let walk = 0;
  const at = values.flatMap((each, i) => (each instanceof Tensor && each.requiresGrad ? [i] : []));
  const tensors = at.map((i) => values[i] as Tensor);
  const scalar = (): Tensor => Tensor.filled([], 'float32', 0);
  const post = recordGate(name, scalar(), tensors, () => {
    const passed = noGrad(() => pass(Object.freeze([...slots])));
    slots.fill(null);
    return at.map((i) => passed[i]?.detach() ?? null);
  });
  return values.map((value, i) => {
    if (!at.includes(i)) return value;
    const tensor = value as Tensor;
    return recordGate(name, tensor.alias(tensor.shape), [post], (gradient) => {
      if (walk !== currentWalk()) slots.fill(null);
      walk = currentWalk();
      slots[i] = gradient.detach();
      return [scalar()];
    });
  });
}
