// Module: a tree of layers with parameters, buffers and a training flag. PyTorch's semantics and
// state-dict keys. Parameters and children are found among the properties a class assigns; buffers
// are registered.
import * as check from '../check.js';
import { StateDict, type ModuleRecord } from '../state-dict.js';
import { Parameter, Tensor } from '../tensor.js';
import { loadInto, type LoadResult, type LoadStateDictOptions } from './state-dict.js';

export interface RegisterBufferOptions {
  /** Whether the state dict holds it. Default true. */
  persistent?: boolean;
}

export interface ZeroGradOptions {
  /** Set `grad` to null (default) rather than to zeros. */
  setToNone?: boolean;
}

/** Runs before forward; may return the arguments to use instead. */
export type ForwardPreHook = (
  module: Module,
  inputs: readonly unknown[],
) => readonly unknown[] | undefined;

/** Runs after forward; may return the output to use instead. */
export type ForwardHook = (module: Module, inputs: readonly unknown[], output: unknown) => unknown;

export interface HookHandle {
  remove(): void;
}

interface Buffer {
  tensor: Tensor | null;
  readonly persistent: boolean;
}

/** A module whose forward takes one tensor and gives one: what `Sequential` chains. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

/**
 * The base class of every layer and model.
 *
 * @example
 * ```ts
 * class Net extends nn.Module {
 *   fc = new nn.Linear(784, 10);
 *   forward(x: Tensor) {
 *     return this.fc.forward(x);
 *   }
 * }
 * [...new Net().stateDict().keys()]; // => ['fc.weight', 'fc.bias']
 * ```
 */
export abstract class Module {
  /** Batch statistics and dropout (true), or running statistics and no dropout (false). */
  training = true;
  readonly #name = this.constructor.name;
  readonly #buffers = new Map<string, Buffer>();
  readonly #modules = new Map<string, Module>();
  readonly #preHooks = new Set<ForwardPreHook>();
  readonly #hooks = new Set<ForwardHook>();

  abstract forward(...inputs: never[]): unknown;

  /** Sets `training` here and in every descendant. */
  train(mode = true): this {
    if (typeof mode !== 'boolean') {
      throw check.wrongKind(this.who, 'a boolean (training mode is expected to be boolean)', mode);
    }
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** `train(false)`. */
  eval(): this {
    return this.train(false);
  }

  /** The name errors and the repr use. */
  protected get who(): string {
    return this.#name;
  }

  // ---- What is in it ---------------------------------------------------------------------------

  /** Children and their names, in the order they were assigned. */
  *namedChildren(): IterableIterator<[string, Module]> {
    const seen = new Set<Module>();
    for (const [name, module] of this.#entries()) {
      if (!seen.has(module)) yield [name, module];
      seen.add(module);
    }
  }

  /** Children under every name they have. */
  *#entries(): IterableIterator<[string, Module]> {
    for (const [name, value] of Object.entries(this))
      if (value instanceof Module) yield [name, value];
    yield* this.#modules;
  }

  *children(): IterableIterator<Module> {
    for (const [, module] of this.namedChildren()) yield module;
  }

  /** This module and all below it with dotted names; one that occurs twice comes once. */
  *namedModules(prefix = '', seen = new Set<Module>()): IterableIterator<[string, Module]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, module] of this.namedChildren()) {
      yield* module.namedModules(join(prefix, name), seen);
    }
  }

  *modules(): IterableIterator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** Own parameters, in the order they were assigned. */
  *#ownParameters(): IterableIterator<[string, Parameter]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Parameter) yield [name, value];
    }
  }

  /** Every parameter here and below with dotted names; a shared one comes once. */
  *namedParameters(prefix = ''): IterableIterator<[string, Parameter]> {
    const seen = new Set<Parameter>();
    for (const [path, module] of this.namedModules(prefix)) {
      for (const [name, parameter] of module.#ownParameters()) {
        if (seen.has(parameter)) continue;
        seen.add(parameter);
        yield [join(path, name), parameter];
      }
    }
  }

  *parameters(): IterableIterator<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  /** Every buffer here and below with dotted names, the non-persistent ones too. */
  *namedBuffers(prefix = ''): IterableIterator<[string, Tensor]> {
    for (const [path, module] of this.namedModules(prefix)) {
      for (const [name, { tensor }] of module.#buffers) {
        if (tensor !== null) yield [join(path, name), tensor];
      }
    }
  }

  *buffers(): IterableIterator<Tensor> {
    for (const [, tensor] of this.namedBuffers()) yield tensor;
  }

  // ---- Registering -------------------------------------------------------------------------------

  /**
   * Makes `tensor` part of this module's state without being learned. Registering a buffer again
   * replaces it.
   *
   * @throws {Error} when the name is empty, dotted, or taken by something else.
   */
  registerBuffer(name: string, tensor: Tensor | null, options: RegisterBufferOptions = {}): void {
    check.options(`${this.who}.registerBuffer`, options, ['persistent']);
    if (tensor !== null && !((tensor as unknown) instanceof Tensor)) {
      throw check.wrongKind(`${this.who}.registerBuffer`, 'a Tensor or null', tensor);
    }
    if (!this.#buffers.has(name)) this.#checkName('registerBuffer', name);
    tensor?.keep();
    this.#buffers.set(name, { tensor, persistent: options.persistent ?? true });
  }

  /** The buffer of that name; null when there is none or it was registered as null. */
  getBuffer(name: string): Tensor | null {
    return this.#buffers.get(name)?.tensor ?? null;
  }

  /** The same as assigning a Parameter to a property. */
  registerParameter(name: string, parameter: Parameter | null): void {
    this.#checkName('registerParameter', name);
    Object.assign(this, { [name]: parameter });
  }

  /** Adds a child under a name that is no property, such as a number. */
  registerModule(name: string, module: Module): void {
    this.#checkName('registerModule', name);
    this.#modules.set(name, module);
  }

  #checkName(method: string, name: string): void {
    const who = `${this.who}.${method}`;
    if (typeof name !== 'string') throw check.wrongKind(who, 'a name', name);
    if (name === '' || name.includes('.')) {
      throw check.wrongValue(who, 'a name that is not empty and has no dot', check.describe(name));
    }
    if (name in this || this.#modules.has(name) || this.#buffers.has(name)) {
      throw check.wrongValue(who, 'a new name', `'${name}' (attribute '${name}' already exists)`);
    }
  }

  // ---- Doing something to all of it ----------------------------------------------------------------

  /** Calls `fn` on every descendant, children first, then on this. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Sets requiresGrad of every parameter. Running statistics move all the same. */
  requiresGrad_(flag = true): this {
    check.boolean(`${this.who}.requiresGrad_`, 'requiresGrad', flag);
    for (const parameter of this.parameters()) parameter.requiresGrad = flag;
    return this;
  }

  zeroGrad(options: ZeroGradOptions = {}): void {
    check.options(`${this.who}.zeroGrad`, options, ['setToNone']);
    for (const parameter of this.parameters()) parameter.zeroGrad(options.setToNone ?? true);
  }

  // ---- State ---------------------------------------------------------------------------------------

  /**
   * Parameters and persistent buffers by dotted PyTorch keys, in PyTorch's order. The tensors share
   * the module's memory, detached from the graph.
   */
  stateDict(): StateDict {
    const state = new StateDict();
    for (const [key, tensor] of this.#persistentState('')) state.set(key, tensor.detach());
    for (const [path, module] of this.namedModules()) state.modules.set(path, module.record());
    return state;
  }

  /** What a state dict says of this module beside its tensors. */
  protected record(): ModuleRecord {
    return { version: 1 };
  }

  *#persistentState(prefix: string): IterableIterator<[string, Tensor]> {
    for (const [name, parameter] of this.#ownParameters()) yield [join(prefix, name), parameter];
    for (const [name, { tensor, persistent }] of this.#buffers) {
      if (persistent && tensor !== null) yield [join(prefix, name), tensor];
    }
    for (const [name, child] of this.#entries()) {
      yield* child.#persistentState(join(prefix, name));
    }
  }

  /**
   * Copies a state dict into this module. Atomic: a rejected load has changed nothing.
   *
   * A missing `num_batches_tracked` keeps its value, as PyTorch does for checkpoints that do not say
   * their version.
   *
   * @throws {RangeError} for shapes that differ, and, when strict (default), missing or unexpected
   * keys: PyTorch's sentences, all of them at once.
   */
  loadStateDict(
    state: ReadonlyMap<string, Tensor>,
    options: LoadStateDictOptions = {},
  ): LoadResult {
    return loadInto(this.who, new Map(this.#persistentState('')), state, options);
  }

  // ---- Hooks ---------------------------------------------------------------------------------------

  registerForwardPreHook(hook: ForwardPreHook): HookHandle {
    return this.#addHook(this.#preHooks, hook);
  }

  registerForwardHook(hook: ForwardHook): HookHandle {
    return this.#addHook(this.#hooks, hook);
  }

  /** The first hook puts a wrapper before the class's forward: without hooks forward costs nothing. */
  #addHook<Hook>(hooks: Set<Hook>, hook: Hook): HookHandle {
    if (typeof hook !== 'function') throw check.wrongKind(this.who, 'a hook function', hook);
    if (!Object.hasOwn(this, 'forward')) {
      const plain = this.forward.bind(this) as (...inputs: unknown[]) => unknown;
      Object.defineProperty(this, 'forward', {
        value: (...inputs: unknown[]) => this.#forwardWithHooks(plain, inputs),
        configurable: true,
        writable: true,
        enumerable: false,
      });
    }
    hooks.add(hook);
    return {
      remove: () => {
        hooks.delete(hook);
      },
    };
  }

  #forwardWithHooks(plain: (...inputs: unknown[]) => unknown, given: readonly unknown[]): unknown {
    let inputs = given;
    for (const hook of this.#preHooks) inputs = hook(this, inputs) ?? inputs;
    let output = plain(...inputs);
    for (const hook of this.#hooks) output = hook(this, inputs, output) ?? output;
    return output;
  }

  // ---- Repr ----------------------------------------------------------------------------------------

  /** The part of the repr between the parentheses, for a module without children. */
  extraRepr(): string {
    return '';
  }

  /** PyTorch's repr. */
  toString(): string {
    const children = [...this.#entries()].map(
      ([name, child]) => `(${name}): ${child.toString().replaceAll('\n', '\n  ')}`,
    );
    const extra = this.extraRepr();
    if (children.length === 0) return `${this.who}(${extra})`;
    const lines = extra === '' ? children : [extra, ...children];
    return `${this.who}(\n  ${lines.join('\n  ')}\n)`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}
