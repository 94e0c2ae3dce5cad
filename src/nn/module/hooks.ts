// A module's hooks: around forward, and around the part of a backward that goes through the module.
import { currentWalk, isGradEnabled, noGrad } from '../../autograd/index.js';
import * as check from '../../check/index.js';
import { refuseForeign } from '../../check/copies.js';
import { record, Tensor } from '../../tensor/tensor.js';
import { INSIDE, WHO } from './internals.js';

/** One entry per positional argument or output; null where no gradient is. */
export type Gradients = readonly (Tensor | null)[];

export interface HookHandle {
  remove(): void;
}

type Call = (...args: unknown[]) => unknown;
interface Entry {
  readonly call: Call;
}

export type HookKind = 'pre' | 'post' | 'backward' | 'backwardPre';

const KINDS: readonly HookKind[] = ['pre', 'post', 'backward', 'backwardPre'];

/** What hooks need of a module. */
export interface Hooked {
  readonly [INSIDE]: { hooks: Hooks | null };
  readonly [WHO]: string;
  forward(...inputs: never[]): unknown;
}

/**
 * Adds a hook. The first one puts a wrapper before the class's forward, and the last one that is removed takes
 * it away again: without hooks forward costs nothing.
 */
export function addHook(module: Hooked, kind: HookKind, call: Call): HookHandle {
  const inside = module[INSIDE];
  const hooks = (inside.hooks ??= wrapForward(module));
  const entry = hooks.add(kind, call);
  return {
    remove: () => {
      if (hooks[kind].delete(entry) && hooks.empty && inside.hooks === hooks) unwrapForward(module);
    },
  };
}

function wrapForward(module: Hooked): Hooks {
  const before = Object.getOwnPropertyDescriptor(module, 'forward');
  // eslint-disable-next-line @typescript-eslint/unbound-method -- the wrapper binds it
  const plain = module.forward as Call;
  const wrapper: Call = function (this: Hooked, ...inputs: unknown[]) {
    // Of whoever it is called on: a copy of this module has the same wrapper. Another wrapper than that of the
    // hooks there are is one that somebody kept from before.
    const { hooks } = this[INSIDE];
    if (hooks?.wrapper !== wrapper) return plain.apply(this, inputs);
    return hooks.run(this[WHO], this, plain, inputs);
  };
  Object.defineProperty(module, 'forward', {
    value: wrapper,
    configurable: true,
    writable: true,
    enumerable: false,
  });
  return new Hooks(wrapper, plain, before);
}

function unwrapForward(module: Hooked): void {
  const { hooks } = module[INSIDE];
  module[INSIDE].hooks = null;
  // Somebody has put a forward of his own before it: that one stays, and calls what is behind the wrapper.
  if (hooks === null || module.forward !== hooks.wrapper) return;
  if (hooks.before === undefined) delete (module as { forward?: unknown }).forward;
  else Object.defineProperty(module, 'forward', hooks.before);
}

/** The hooks of one module, in order of registration. */
export class Hooks {
  readonly pre = new Set<Entry>();
  readonly post = new Set<Entry>();
  readonly backward = new Set<Entry>();
  readonly backwardPre = new Set<Entry>();

  /**
   * @param wrapper - The module's own `forward`, which runs these.
   * @param plain - The forward that it calls.
   * @param before - The own `forward` that it took the place of, if there was one.
   */
  constructor(
    readonly wrapper: Call,
    readonly plain: Call,
    readonly before: PropertyDescriptor | undefined,
  ) {}

  get empty(): boolean {
    return KINDS.every((kind) => this[kind].size === 0);
  }

  add(kind: HookKind, call: Call): Entry {
    const entry = { call };
    this[kind].add(entry);
    return entry;
  }

  /** The same hooks for a copy of the module. */
  copy(): Hooks {
    const copy = new Hooks(this.wrapper, this.plain, this.before);
    for (const kind of KINDS) {
      for (const { call } of this[kind]) copy.add(kind, call);
    }
    return copy;
  }

  /** `forward` of `module` with everything around it. */
  run(who: string, module: unknown, forward: Call, given: readonly unknown[]): unknown {
    const { inputs, leave } = this.enter(who, module, given);
    return leave(forward.apply(module, [...inputs]));
  }

  /** The same around a forward that gives a promise. */
  async runAsync(
    who: string,
    module: unknown,
    forward: (...inputs: unknown[]) => Promise<unknown>,
    given: readonly unknown[],
  ): Promise<unknown> {
    const { inputs, leave } = this.enter(who, module, given);
    return leave(await forward(...inputs));
  }

  /** What comes before a forward, and what is to come after it. */
  private enter(
    who: string,
    module: unknown,
    given: readonly unknown[],
  ): { inputs: readonly unknown[]; leave: (output: unknown) => unknown } {
    let inputs: readonly unknown[] = Object.freeze([...given]);
    for (const { call } of [...this.pre]) {
      const returned = call(module, inputs) as readonly unknown[] | undefined | null;
      if (returned !== undefined && returned !== null) inputs = Object.freeze([...returned]);
    }
    const around = this.backward.size + this.backwardPre.size > 0 && isGradEnabled();
    const passage = around
      ? new Passage(who, module, [...this.backwardPre], [...this.backward])
      : null;
    if (passage !== null) inputs = passage.enter(inputs);
    const leave = (computed: unknown): unknown => {
      let output = computed;
      for (const { call } of [...this.post]) output = call(module, inputs, output) ?? output;
      return passage === null ? output : passage.leave(output);
    };
    return { inputs, leave };
  }
}

/**
 * One forward that backward hooks watch. Gradients pass a gate behind the outputs and one before the
 * inputs; hooks are those of the time of the forward.
 */
class Passage {
  private gradOutput: Gradients = [];
  private inputs: readonly unknown[] = [];
  private gated = false;

  constructor(
    private readonly who: string,
    private readonly module: unknown,
    private readonly preHooks: readonly Entry[],
    private readonly hooks: readonly Entry[],
  ) {}

  enter(inputs: readonly unknown[]): readonly unknown[] {
    this.inputs = inputs;
    const needs = inputs.map((each) => each instanceof Tensor && each.requiresGrad);
    this.gated = needs.includes(true);
    if (!this.gated) return inputs;
    return gate(`${this.who} (inputs)`, inputs, (gradients) => {
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
    const passed = gate(`${this.who} (outputs)`, outputs, (gradients) => {
      let result = gradients;
      for (const { call } of this.preHooks) {
        const returned = call(this.module, result);
        if (returned === undefined || returned === null) continue;
        result = this.checked('full backward pre-hook', 'grad_output', returned, outputs);
      }
      this.gradOutput = result;
      if (!this.gated) this.call(Object.freeze(this.inputs.map(() => null)));
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
      if (!this.gated && next.some((each) => each !== null)) {
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
 * The same values behind a gate: when the gradients of all that were used have arrived, `pass` turns them
 * into those that go on. The gate is an operation older than every use of the values, so the walk comes to
 * it last; a scalar stands for it, whose gradient nobody reads.
 */
function gate(
  name: string,
  values: readonly unknown[],
  pass: (gradients: Gradients) => Gradients,
): unknown[] {
  const slots: (Tensor | null)[] = values.map(() => null);
  let walk = 0;
  const at = values.flatMap((each, i) => (each instanceof Tensor && each.requiresGrad ? [i] : []));
  const tensors = at.map((i) => values[i] as Tensor);
  const scalar = (): Tensor => Tensor.filled([], 'float32', 0);
  const post = record(name, scalar(), tensors, [], () => {
    const passed = noGrad(() => pass(Object.freeze([...slots])));
    slots.fill(null);
    return at.map((i) => passed[i]?.detach() ?? null);
  });
  return values.map((value, i) => {
    if (!at.includes(i)) return value;
    const tensor = value as Tensor;
    return record(name, tensor.alias(tensor.shape), [post], [], (gradient) => {
      if (walk !== currentWalk()) slots.fill(null);
      walk = currentWalk();
      slots[i] = gradient.detach();
      return [scalar()];
    });
  });
}
