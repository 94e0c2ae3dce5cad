// Module: a tree of layers with parameters, buffers and a training flag. PyTorch's semantics and
// state-dict keys. Where children, parameters and buffers are kept, and the walks: tree.ts.
// Longer than 250 lines because all that a module promises its user is documented here; each method hands the work to
// the file of its subject.
import { mark } from '../../check/copies.js';
import * as check from '../../check/index.js';
import type { ModuleRecord, StateDict } from '../../tensor/state-dict.js';
import { parametersMade, shareAll, type Parameter, type Tensor } from '../../tensor/tensor.js';
import { cloneModule } from './clone.js';
import { forwardLater } from './forward-later.js';
import { addHook, type Gradients, type HookHandle, type HookKind } from './hooks.js';
import * as internals from './internals.js';
import { CHECK_STATE, HOLDS, PLAN_LOAD, MODULE_RECORD, SLOTS, UNINITIALIZED } from './internals.js';
import {
  loadInto,
  type LoadPlan,
  type LoadResult,
  type LoadStateDictOptions,
} from './load-state-dict.js';
import { tellPlaces } from './place.js';
import {
  registerBuffer,
  registerModule,
  registerParameter,
  type RegisterBufferOptions,
} from './register.js';
import { reprOf } from './repr.js';
import { loadSitesOf, stateDictOf } from './state-dict.js';
import {
  childrenOf,
  everyBuffer,
  everyModule,
  everyParameter,
  Inside,
  requireInitialized,
  type Part,
} from './tree.js';
import { warnOfUnregistered } from './unregistered.js';

// Constants of this file for what each forward reads: the CommonJS build looks an import up at each use.
const INSIDE: typeof internals.INSIDE = internals.INSIDE;
const WHO: typeof internals.WHO = internals.WHO;

export type { Gradients, HookHandle };

export interface ZeroGradOptions {
  /** Set `grad` to null (default) rather than to zeros. */
  setToNone?: boolean | undefined;
}

/** What the forward of a module takes. Of a module whose class is not known that may be anything. */
type InputsOf<M extends Module> =
  never[] extends Parameters<M['forward']>
    ? readonly unknown[]
    : Readonly<Parameters<M['forward']>>;

type OutputOf<M extends Module> = M extends { forward(...inputs: never[]): infer Output }
  ? Output
  : unknown;

/** Runs before forward; may return the arguments to use instead. */
export type ForwardPreHook<M extends Module = Module> = (
  module: M,
  inputs: InputsOf<M>,
) => readonly unknown[] | undefined;

/** Runs after forward; may return the output to use instead. */
export type ForwardHook<M extends Module = Module> = (
  module: M,
  inputs: InputsOf<M>,
  output: OutputOf<M>,
) => unknown;

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

/**
 * A module whose forward takes one tensor and gives one: what `Sequential` chains. As the type of an argument it takes any
 * such layer or model, where `nn.Module` says nothing of its forward.
 */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

const SURVEY = Symbol('survey');
const TRAINING = Symbol('training');
const ADD_HOOK = Symbol('addHook');

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
  /**
   * The options that the forward of this class takes in a second argument, `forward(x, options)`, and that a
   * Sequential hands on to it. A class of one's own says which: `static forwardOptions = ['lengths']`.
   */
  static readonly forwardOptions: readonly string[] = [];

  private [TRAINING] = true;
  /** @internal */
  readonly [INSIDE] = insideOf(this);

  abstract forward(...inputs: never[]): unknown;

  /**
   * `forward` that does not block the event loop: what its layers and the functions of `functional` compute runs on
   * threads of its own. The same bits and the same semantics, as if forward had run there and then. See docs/async.md.
   *
   * @param inputs - Those of `forward`; behind them, or among the options of `forward`, `{ signal, transfer }`.
   * @returns A promise of what `forward` returns, which every failure rejects: nothing that layers keep has changed then.
   * @example
   * ```ts
   * class Net extends nn.Module {
   *   fc = new nn.Linear(2, 3);
   *   forward(x: Tensor) {
   *     return functional.relu(this.fc.forward(x));
   *   }
   * }
   * const y: Tensor = await new Net().forwardAsync(tensor([[1, 2]]), { signal: AbortSignal.timeout(1000) });
   * y.shape; // => [1, 3]
   * ```
   */
  forwardAsync<Inputs extends unknown[], Output>(
    this: { forward(...inputs: Inputs): Output },
    ...inputs: Inputs
  ): Promise<Awaited<Output>>;
  // With `{ signal, transfer }` behind the inputs or among the options of forward: what follows the first input is checked
  // when it is called. Two signatures, because TypeScript then compares an override with both of them without their type
  // parameters: a class of one's own may declare `forwardAsync(x: Tensor): Promise<Tensor>`.
  forwardAsync<First, Output>(
    this: { forward(first: First, ...others: never[]): Output },
    first: First,
    ...others: unknown[]
  ): Promise<Awaited<Output>>;
  async forwardAsync(...inputs: unknown[]): Promise<unknown> {
    return forwardLater(this, inputs);
  }

  /** Batch statistics and dropout (true), or running statistics and no dropout (false). */
  get training(): boolean {
    return this[TRAINING];
  }

  set training(mode: boolean) {
    this[TRAINING] = check.boolean(this[WHO], 'training', mode);
  }

  /** Sets `training` here and in every descendant. */
  train(mode = true): this {
    if (typeof mode !== 'boolean') {
      throw check.wrongKind(this[WHO], 'a boolean (training mode is expected to be boolean)', mode);
    }
    // All of them first: the walk may refuse one, and then no mode has changed.
    for (const [, module] of this[SURVEY](null)) module.training = mode;
    return this;
  }

  /** `train(false)`. */
  eval(...rest: never[]): this {
    if (rest.length > 0) check.noMore(`${this[WHO]}.eval`, 0, rest);
    return this.train(false);
  }

  /** @internal */
  get [WHO](): string {
    return this[INSIDE].name;
  }

  /** @internal */
  get [UNINITIALIZED](): boolean {
    return false;
  }

  /** @internal */
  [SLOTS](): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }

  /** @internal */
  [HOLDS](_name: string): Part | undefined {
    return undefined;
  }

  // ---- What is in it ---------------------------------------------------------------------------

  /** This module and all below it, each once; with a method's name: all of them know their size. */
  private [SURVEY](method: string | null, prefix = '', seen?: Set<Module>): [string, Module][] {
    const found = everyModule<Module>(this, prefix, seen);
    warnOfUnregistered(found);
    if (method !== null) requireInitialized(this, method, found);
    return found;
  }

  /**
   * Children and their names: the modules among the own properties, in their order, which is that of
   * assignment, but that names such as '0' and '1' come first.
   */
  *namedChildren(): IterableIterator<[string, Module]> {
    const seen = new Set<Module>();
    for (const [name, module] of childrenOf<Module>(this)) {
      if (!seen.has(module)) yield [name, module];
      seen.add(module);
    }
  }

  *children(): IterableIterator<Module> {
    for (const [, module] of this.namedChildren()) yield module;
  }

  /**
   * This module and all below it with dotted names; one that occurs twice comes once.
   *
   * @throws {Error} for a module that is below itself, as does every method that walks the tree.
   */
  *namedModules(prefix = '', seen = new Set<Module>()): IterableIterator<[string, Module]> {
    yield* this[SURVEY](null, prefix, seen);
  }

  *modules(): IterableIterator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** Every parameter here and below with dotted names; a shared one comes once. */
  *namedParameters(prefix = ''): IterableIterator<[string, Parameter]> {
    yield* everyParameter(this[SURVEY]('namedParameters', prefix));
  }

  *parameters(): IterableIterator<Parameter> {
    for (const [, parameter] of this.namedParameters()) yield parameter;
  }

  /** Every buffer here and below with dotted names, the non-persistent ones too. */
  *namedBuffers(prefix = ''): IterableIterator<[string, Tensor]> {
    yield* everyBuffer(this[SURVEY]('namedBuffers', prefix));
  }

  *buffers(): IterableIterator<Tensor> {
    for (const [, tensor] of this.namedBuffers()) yield tensor;
  }

  // ---- Registering -------------------------------------------------------------------------------

  /**
   * Makes `tensor` part of this module's state without being learned. Registering a buffer again
   * replaces it, as assigning to the property of its name does, which takes a Tensor or null.
   *
   * @throws {Error} when the name is empty, dotted, or taken by something else.
   * @example
   * ```ts
   * class Scale extends nn.Module {
   *   declare factor: Tensor;
   *   constructor() {
   *     super();
   *     this.registerBuffer('factor', tensor([2]));
   *   }
   *   forward(x: Tensor) {
   *     return functional.mul(x, this.factor);
   *   }
   * }
   * new Scale().forward(tensor([3])).toArray(); // => [6]
   * ```
   */
  registerBuffer(name: string, tensor: Tensor | null, options: RegisterBufferOptions = {}): void {
    registerBuffer(this, name, tensor, options);
  }

  /** The buffer of that name; null when there is none or it was registered as null. */
  getBuffer(name: string): Tensor | null {
    return this[INSIDE].buffers.get(name)?.tensor ?? null;
  }

  /** The same as assigning a Parameter to a property, which may hold one already, or null. */
  registerParameter(name: string, parameter: Parameter | null): void {
    registerParameter(this, name, parameter);
  }

  /**
   * The same as assigning a module to a property, which may hold one already, or null: the module is a child
   * under that name, in the place of the one that had it.
   *
   * @throws {Error} when the name is empty, dotted, or taken by something else, or `module` has this in it.
   */
  registerModule(name: string, module: Module): void {
    registerModule(this, name, module);
  }

  // ---- Doing something to all of it ----------------------------------------------------------------

  /** Calls `fn` on every descendant, children first, then on this. */
  apply(fn: (module: Module) => void): this {
    if (typeof fn !== 'function') throw check.wrongKind(`${this[WHO]}.apply`, 'a function', fn);
    this[SURVEY](null); // the walk may refuse a tree, and then nothing has been called
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Sets requiresGrad of every parameter. Running statistics move all the same. */
  requiresGrad_(flag = true): this {
    check.boolean(`${this[WHO]}.requiresGrad_`, 'requiresGrad', flag);
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
    this[SURVEY]('shareMemory');
    const state = [...this.namedParameters(), ...this.namedBuffers()];
    shareAll(`${this[WHO]}.shareMemory`, state);
    return this;
  }

  zeroGrad(options: ZeroGradOptions = {}): void {
    check.options(`${this[WHO]}.zeroGrad`, options, ['setToNone']);
    const { setToNone = true } = options;
    check.boolean(`${this[WHO]}.zeroGrad`, 'setToNone', setToNone);
    for (const parameter of this.parameters()) parameter.zeroGrad(setToNone);
  }

  // ---- State ---------------------------------------------------------------------------------------

  /**
   * Parameters and persistent buffers by dotted PyTorch keys, in PyTorch's order. The tensors share
   * the module's memory, detached from the graph.
   */
  stateDict(): StateDict {
    this[SURVEY]('stateDict');
    return stateDictOf(this);
  }

  /** @internal */
  [MODULE_RECORD](): ModuleRecord {
    return { version: 1 };
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
    this[SURVEY](null); // refuses a cycle, which has no end of paths
    return loadInto(this[WHO], loadSitesOf(this), state, options);
  }

  /**
   * @internal How to load this module from its entries, by local name: some may be dropped or adapted, and a module
   * without sizes may bring the tensors to fill. Must change nothing but in `commit`.
   *
   * @param _version - What the state dict says of this module's layout, or null.
   */
  [PLAN_LOAD](entries: ReadonlyMap<string, Tensor>, _version: number | null): LoadPlan {
    return { entries };
  }

  /** @internal What is wrong with a value to be loaded, as `expected …, got …`, or null. In the module's dtype. */
  [CHECK_STATE](_name: string, _value: Tensor): string | null {
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
    this[SURVEY]('clone');
    // eslint-disable-next-line @typescript-eslint/unbound-method -- compared, not called
    return cloneModule(this, Module.prototype.clone);
  }

  // ---- Hooks ---------------------------------------------------------------------------------------

  /** Calls `hook` before each forward with its arguments; it may return others, as a list. */
  registerForwardPreHook<M extends Module>(this: M, hook: ForwardPreHook<M>): HookHandle {
    return this[ADD_HOOK]('pre', hook);
  }

  /**
   * Calls `hook` after each forward with its arguments and its output; what it returns takes the output's place.
   *
   * @example
   * ```ts
   * const relu = new nn.ReLU();
   * const handle = relu.registerForwardHook((_, [x], y) => functional.sub(y, x));
   * relu.forward(tensor([1, -2])).toArray(); // => [0, 2]
   * handle.remove();
   * ```
   */
  registerForwardHook<M extends Module>(this: M, hook: ForwardHook<M>): HookHandle {
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

  private [ADD_HOOK](kind: HookKind, hook: unknown): HookHandle {
    if (typeof hook !== 'function') throw check.wrongKind(this[WHO], 'a hook function', hook);
    return addHook(this, kind, hook as (...args: unknown[]) => unknown);
  }

  // ---- Repr ----------------------------------------------------------------------------------------

  /** The part of the repr between the parentheses, for a module without children. */
  extraRepr(): string {
    return '';
  }

  /** PyTorch's repr. */
  toString(): string {
    this[SURVEY](null); // refuses a cycle, which has no end of lines
    return reprOf(this[WHO], this.extraRepr(), [...childrenOf<Module>(this)]);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

function insideOf(module: Module): Inside {
  tellPlaces(Object.getPrototypeOf(module) as object);
  return new Inside(module.constructor.name, parametersMade());
}

mark(Module, 'Module');
