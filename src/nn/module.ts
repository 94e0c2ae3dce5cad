// Module: a tree of layers with parameters, buffers and a training flag. PyTorch's semantics and
// state-dict keys. Parameters and children are found among the properties a class assigns; buffers
// are registered.
import * as check from '../check.js';
import { foreignError, foreignKind, mark } from '../copies.js';
import { StateDict, type ModuleRecord } from '../state-dict.js';
import { Parameter, Tensor } from '../tensor.js';
import { cloneModule, INSIDE } from './clone.js';
import { Hooks, type Gradients, type HookHandle, type HookKind } from './hooks.js';
import {
  loadInto,
  type LoadPlan,
  type LoadResult,
  type LoadSite,
  type LoadStateDictOptions,
} from './load-state-dict.js';

export type { Gradients, HookHandle };

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

/** Sees the gradients of a module's outputs before they enter it; may return those to use instead. */
export type FullBackwardPreHook = (
  module: Module,
  gradOutput: Gradients,
) => Gradients | null | undefined;

/** Sees the gradients of a module's inputs and outputs; may return inputs' gradients to use instead. */
export type FullBackwardHook = (
  module: Module,
  gradInput: Gradients,
  gradOutput: Gradients,
) => Gradients | null | undefined;

interface Buffer {
  readonly tensor: Tensor | null;
  readonly persistent: boolean;
}

/** What a module keeps beside the properties of its class. */
class Inside {
  readonly buffers = new Map<string, Buffer>();
  readonly modules = new Map<string, Module>();
  hooks: Hooks | null = null;

  constructor(readonly name: string) {}

  copy(each: <T>(value: T) => T): Inside {
    const copy = new Inside(this.name);
    for (const [name, { tensor, persistent }] of this.buffers) {
      copy.buffers.set(name, { tensor: each(tensor), persistent });
    }
    for (const [name, module] of this.modules) copy.modules.set(name, each(module));
    copy.hooks = this.hooks?.copy() ?? null;
    return copy;
  }
}

/** A module whose forward takes one tensor and gives one: what `Sequential` chains. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

// Names that no class's own members can collide with, and that a copy made without a constructor has.
const CHILDREN = Symbol('children');
const PARAMETERS = Symbol('parameters');
const REQUIRE = Symbol('requireInitialized');
const CHECK_NAME = Symbol('checkName');
const PATHS = Symbol('paths');
const OWN_STATE = Symbol('ownState');
const ADD_HOOK = Symbol('addHook');
const REFUSE_FOREIGN = Symbol('refuseForeign');

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
  /** @internal */
  readonly [INSIDE] = new Inside(this.constructor.name);

  abstract forward(...inputs: never[]): unknown;

  /** Sets `training` here and in every descendant. */
  train(mode = true): this {
    if (typeof mode !== 'boolean') {
      throw check.wrongKind(this.who, 'a boolean (training mode is expected to be boolean)', mode);
    }
    // All of them first: the walk may refuse one, and then no mode has changed.
    for (const module of [...this.modules()]) module.training = mode;
    return this;
  }

  /** `train(false)`. */
  eval(): this {
    return this.train(false);
  }

  /** The name errors and the repr use. */
  protected get who(): string {
    return this[INSIDE].name;
  }

  /** Whether its parameters and buffers wait for a first forward to know their size. */
  protected get uninitialized(): boolean {
    return false;
  }

  private [REQUIRE](method: string): void {
    for (const [path, module] of this.namedModules()) {
      if (!module.uninitialized) continue;
      throw new Error(
        `${this.who}.${method}: Attempted to use an uninitialized parameter` +
          `${path === '' ? '' : ` of '${path}' (${module.who})`}; run a first forward to initialize it.`,
      );
    }
  }

  // ---- What is in it ---------------------------------------------------------------------------

  /** Children and their names, in the order they were assigned. */
  *namedChildren(): IterableIterator<[string, Module]> {
    const seen = new Set<Module>();
    for (const [name, module] of this[CHILDREN]()) {
      if (!seen.has(module)) yield [name, module];
      seen.add(module);
    }
  }

  /** Children under every name they have. */
  private *[CHILDREN](): IterableIterator<[string, Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module) yield [name, value];
      else this[REFUSE_FOREIGN](name, value);
    }
    yield* this[INSIDE].modules;
  }

  /** A module or parameter of another copy of the package can be assigned: it is found when the tree is walked. */
  private [REFUSE_FOREIGN](name: string, value: unknown): void {
    const kind = foreignKind(value);
    if (kind !== 'Module' && kind !== 'Parameter') return;
    const error = foreignError(this.who, `'${name}' to be a ${kind} of this copy`, value);
    if (error !== null) throw error;
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
  private *[PARAMETERS](): IterableIterator<[string, Parameter]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Parameter) yield [name, value];
    }
  }

  /** Every parameter here and below with dotted names; a shared one comes once. */
  *namedParameters(prefix = ''): IterableIterator<[string, Parameter]> {
    this[REQUIRE]('namedParameters');
    const seen = new Set<Parameter>();
    for (const [path, module] of this.namedModules(prefix)) {
      for (const [name, parameter] of module[PARAMETERS]()) {
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
    this[REQUIRE]('namedBuffers');
    for (const [path, module] of this.namedModules(prefix)) {
      for (const [name, { tensor }] of module[INSIDE].buffers) {
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
    const who = `${this.who}.registerBuffer`;
    const persistent = check.boolean(who, 'persistent', options.persistent ?? true);
    this[CHECK_NAME]('registerBuffer', name, this[INSIDE].buffers.has(name));
    tensor?.keep();
    this[INSIDE].buffers.set(name, { tensor, persistent });
  }

  /** The buffer of that name; null when there is none or it was registered as null. */
  getBuffer(name: string): Tensor | null {
    return this[INSIDE].buffers.get(name)?.tensor ?? null;
  }

  /** The same as assigning a Parameter to a property, which may hold one already, or null. */
  registerParameter(name: string, parameter: Parameter | null): void {
    if (parameter !== null && !((parameter as unknown) instanceof Parameter)) {
      throw check.wrongKind(`${this.who}.registerParameter`, 'a Parameter or null', parameter);
    }
    // A name that is none must not be made one: that would call its toString.
    const isText = typeof (name as unknown) === 'string';
    const property = isText
      ? (Object.getOwnPropertyDescriptor(this, name)?.value as unknown)
      : undefined;
    this[CHECK_NAME]('registerParameter', name, property === null || property instanceof Parameter);
    Object.assign(this, { [name]: parameter });
  }

  /** Adds a child under a name that is no property, such as a number, or puts it in another's place. */
  registerModule(name: string, module: Module): void {
    if (!((module as unknown) instanceof Module)) {
      throw check.wrongKind(`${this.who}.registerModule`, 'a Module', module);
    }
    this[CHECK_NAME]('registerModule', name, this[INSIDE].modules.has(name));
    this[INSIDE].modules.set(name, module);
  }

  private [CHECK_NAME](method: string, name: string, again: boolean): void {
    const who = `${this.who}.${method}`;
    if (typeof name !== 'string') throw check.wrongKind(who, 'a name', name);
    if (name === '' || name.includes('.')) {
      throw check.wrongValue(who, 'a name that is not empty and has no dot', check.describe(name));
    }
    if (again) return;
    if (name in this || this[INSIDE].modules.has(name) || this[INSIDE].buffers.has(name)) {
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

  /**
   * Moves parameters and buffers into SharedArrayBuffers, the same bits: Workers that are sent the arrays have
   * the weights without a copy. Parameters stay the same objects, so an optimiser goes on with them; gradients
   * stay where they are. An array taken of `data` before keeps the elements of then.
   *
   * @throws {RangeError} when there is no memory; nothing has changed then.
   * @throws {Error} for a module that waits for its first forward.
   * @example
   * ```ts
   * const model = new nn.Linear(2, 1).shareMemory();
   * const weights = [...model.stateDict()].map(([key, { data, shape }]) => [key, { data, shape }] as const);
   * const sent = structuredClone(weights); // as a Worker gets it
   * const replica = new nn.Linear(2, 1);
   * const state = new Map(sent.map(([key, each]) => [key, Tensor.from(each)]));
   * replica.loadStateDict(state, { assign: true });
   * model.weight.data[0] = 5;
   * replica.weight.data[0]; // => 5
   * ```
   */
  shareMemory(): this {
    this[REQUIRE]('shareMemory');
    const state = [...this.namedParameters(), ...this.namedBuffers()];
    Tensor.shareAll(`${this.who}.shareMemory`, state);
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
    this[REQUIRE]('stateDict');
    const state = new StateDict();
    for (const [path, module] of this[PATHS]('')) {
      state.modules.set(path, module.record());
      for (const [name, tensor] of module[OWN_STATE]())
        state.set(join(path, name), tensor.detach());
    }
    return state;
  }

  /** What a state dict says of this module beside its tensors. */
  protected record(): ModuleRecord {
    return { version: 1 };
  }

  /** This module and all below it under every path they have. */
  private *[PATHS](path: string): IterableIterator<[string, Module]> {
    yield [path, this];
    for (const [name, child] of this[CHILDREN]()) yield* child[PATHS](join(path, name));
  }

  private *[OWN_STATE](): IterableIterator<[string, Tensor]> {
    yield* this[PARAMETERS]();
    for (const [name, { tensor, persistent }] of this[INSIDE].buffers) {
      if (persistent && tensor !== null) yield [name, tensor];
    }
  }

  /**
   * Loads a state dict into this module: copies its values, or shares its memory. Atomic: a rejected load
   * has changed nothing.
   *
   * A BatchNorm's missing `num_batches_tracked` keeps its value, as in PyTorch, unless `state` is a StateDict
   * that says version 2 for it. Values are converted to the module's dtypes; 5.7 counts 5.
   *
   * With `assign` nothing is copied: parameters and buffers, which stay the same objects, have the memory of
   * `state` from then on, and need its dtypes to be theirs.
   *
   * @throws {RangeError} for shapes that differ, values that do not fit, and, when strict (default),
   * missing or unexpected keys: PyTorch's sentences, all of them at once.
   */
  loadStateDict(
    state: ReadonlyMap<string, Tensor>,
    options: LoadStateDictOptions = {},
  ): LoadResult {
    const sites = [...this[PATHS]('')].map(([path, module]): LoadSite => ({
      path,
      version: module.record().version,
      own: () => new Map(module[OWN_STATE]()),
      plan: (entries, version) => module.planLoad(entries, version),
      checkState: (name, value) => module.checkState(name, value),
    }));
    return loadInto(this.who, sites, state, options);
  }

  /**
   * How to load this module from its entries, by local name: some may be dropped or adapted, and a module
   * without sizes may bring the tensors to fill. Must change nothing but in `commit`.
   *
   * @param _version - What the state dict says of this module's layout, or null.
   */
  protected planLoad(entries: ReadonlyMap<string, Tensor>, _version: number | null): LoadPlan {
    return { entries };
  }

  /** What is wrong with a value to be loaded, as `expected …, got …`, or null. In the module's dtype. */
  protected checkState(_name: string, _value: Tensor): string | null {
    return null;
  }

  /**
   * A deep copy with memory of its own: parameters (requiresGrad kept, `grad` not), buffers, modules, and
   * arrays, plain objects, Maps, Sets and typed arrays among the properties. What is shared inside is
   * shared inside the copy. Functions, hooks among them, and instances of other classes are the same ones. A class with
   * `#private` members must override it.
   *
   * @throws {Error} for a property that is a result (no leaf), or a module that waits for its first forward.
   * @throws {TypeError} for a class whose source has `#private` members.
   * @example
   * ```ts
   * const model = new nn.Linear(2, 1);
   * const best = model.clone();
   * best.weight.data.fill(0);
   * model.weight.data[0] === 0; // => false
   * ```
   */
  clone(): this {
    this[REQUIRE]('clone');
    // eslint-disable-next-line @typescript-eslint/unbound-method -- compared, not called
    return cloneModule(this, Module.prototype.clone);
  }

  // ---- Hooks ---------------------------------------------------------------------------------------

  registerForwardPreHook(hook: ForwardPreHook): HookHandle {
    return this[ADD_HOOK]('pre', hook);
  }

  registerForwardHook(hook: ForwardHook): HookHandle {
    return this[ADD_HOOK]('post', hook);
  }

  /**
   * Calls `hook` in each backward through a later forward of this module, with the gradients of its positional
   * inputs and of its outputs. Null: no Tensor, or no gradient arrives. It may return the inputs' to use instead;
   * parameters have theirs already.
   *
   * @example
   * ```ts
   * const relu = new nn.ReLU();
   * relu.registerFullBackwardHook((_, [gradInput]) => [functional.add(gradInput!, gradInput!)]);
   * const x = tensor([1, -1], { requiresGrad: true });
   * functional.sum(relu.forward(x)).backward();
   * x.grad?.toArray(); // => [2, 0]
   * ```
   */
  registerFullBackwardHook(hook: FullBackwardHook): HookHandle {
    return this[ADD_HOOK]('backward', hook);
  }

  /** Calls `hook` with the outputs' gradients before they enter the module; it may return others. */
  registerFullBackwardPreHook(hook: FullBackwardPreHook): HookHandle {
    return this[ADD_HOOK]('backwardPre', hook);
  }

  /** `forward(...inputs)` that gives a promise, with the hooks of forward around it. */
  protected async aroundAsync<Inputs extends unknown[], Result>(
    forward: (...inputs: Inputs) => Promise<Result>,
    ...inputs: Inputs
  ): Promise<Result> {
    const { hooks } = this[INSIDE];
    if (hooks === null) return forward(...inputs);
    const plain = forward as (...inputs: unknown[]) => Promise<unknown>;
    return (await hooks.runAsync(this.who, this, plain, inputs)) as Result;
  }

  /** The first hook puts a wrapper before the class's forward: without hooks forward costs nothing. */
  private [ADD_HOOK](kind: HookKind, hook: unknown): HookHandle {
    if (typeof hook !== 'function') throw check.wrongKind(this.who, 'a hook function', hook);
    const inside = this[INSIDE];
    if (inside.hooks === null) {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- run() binds it
      const plain = this.forward as (...inputs: unknown[]) => unknown;
      Object.defineProperty(this, 'forward', {
        // Of whoever it is called on: a copy of this module has the same wrapper.
        value(this: Module, ...inputs: unknown[]) {
          return this[INSIDE].hooks!.run(this.who, this, plain, inputs);
        },
        configurable: true,
        writable: true,
        enumerable: false,
      });
    }
    inside.hooks ??= new Hooks();
    return inside.hooks.add(kind, hook as (...args: unknown[]) => unknown);
  }

  // ---- Repr ----------------------------------------------------------------------------------------

  /** The part of the repr between the parentheses, for a module without children. */
  extraRepr(): string {
    return '';
  }

  /** PyTorch's repr. */
  toString(): string {
    const children = [...this[CHILDREN]()].map(
      ([name, child]) => `(${name}): ${child.toString().replaceAll('\n', '\n  ')}`,
    );
    const extra = this.extraRepr();
    if (children.length === 0 && !extra.includes('\n')) return `${this.who}(${extra})`;
    const own = extra === '' ? [] : [extra.replaceAll('\n', '\n  ')];
    const lines = [...own, ...children];
    return `${this.who}(\n  ${lines.join('\n  ')}\n)`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

mark(Module, 'Module');

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}
