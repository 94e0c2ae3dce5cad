// A module's hooks: what runs before and after its forward. Those of backward: backward-hooks.ts.
import { isGradEnabled } from '../../autograd/index.js';
import { HookedForward, type Gradients } from './backward-hooks.js';
import { INSIDE, WHO } from './internals.js';

export type { Gradients };

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
  // The caller has assigned another forward since: that one stays, and calls what is behind the wrapper.
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
    const hooked = around
      ? new HookedForward(who, module, [...this.backwardPre], [...this.backward])
      : null;
    if (hooked !== null) inputs = hooked.enter(inputs);
    const leave = (computed: unknown): unknown => {
      let output = computed;
      for (const { call } of [...this.post]) output = call(module, inputs, output) ?? output;
      return hooked === null ? output : hooked.leave(output);
    };
    return { inputs, leave };
  }
}
