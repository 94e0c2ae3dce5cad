// Tensor: data + shape + dtype + grad, always contiguous. Its only arithmetic is what the tape needs to
// add gradients up; the rest is in functional/.
// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- an import would not reach the .d.ts
/// <reference path="../globals.d.ts" preserve="true" />
import {
  addHook,
  needsGrad,
  Operation,
  walkBack,
  walkBackAsync,
  type Arithmetic,
  type Later,
  type Variable,
} from '../autograd/index.js';
import * as check from '../check/index.js';
import { mark, refuseForeign } from '../check/copies.js';
import { fromArrayLike, type ArrayLikeTensor, type NestedArray } from './interop.js';
import { broadcasts, converted, holds, repeat, sumOfRepeats } from '../memory/elements.js';
import { GONE, Memory } from '../memory/buffer.js';
import { addon } from '../addon/control.js';
import { inspected, jsonOf, printed, type InspectOptions, type TensorJSON } from './printing.js';
import { isShared, moveToShared } from '../memory/shared.js';
import {
  lengthOf,
  type DType,
  type FloatData,
  type IntegerArray,
  type TensorData,
} from '../memory/dtype.js';

export type { TensorJSON };
export type { DType, FloatData, IntegerArray, TensorData };

export type TensorLike = Tensor | ArrayLikeTensor;

export interface BackwardOptions {
  /** Keep what the graph saved, so that backward can run again. Default false. */
  retainGraph?: boolean | undefined;
}

export interface BackwardAsyncOptions extends BackwardOptions {
  /** Stops the walk where it is; nothing has been added to any `grad` then. */
  signal?: AbortSignal | undefined;
}

/** Where new tensors are listed, for the innermost scope (scope.ts) to dispose of; null outside of any. */
let made: Tensor[] | null = null;

/** @internal Lists new tensors in `list` from here on; returns the list before. */
export function collect(list: Tensor[] | null): Tensor[] | null {
  const before = made;
  made = list;
  return before;
}

/** @internal What `body` makes belongs to no scope: it outlives the call that may be in one. */
export function outsideScopes<Result>(body: () => Result): Result {
  const list = collect(null);
  try {
    return body();
  } finally {
    collect(list);
  }
}

/**
 * Lists a tensor. At 4,096, 8,192, … tensors those that need nothing any more are struck off: a long loop
 * of `using` inside one scope stays as small as what lives.
 */
function enlist(tensor: Tensor, list: Tensor[]): void {
  const length = list.push(tensor);
  if (length < 4096 || (length & (length - 1)) !== 0) return;
  let open = 0;
  for (const each of list) if (!each.disposed && !each.kept) list[open++] = each;
  list.length = open;
}

/** The shape that was frozen last, as most results have the one of their input; and the same sizes, not frozen. */
let lastFrozen: readonly number[] = Object.freeze([]);
let lastSizes: readonly number[] = [];

/** Freezes a shape, because tensors share it; returns the same sizes for `sizesOf`. */
function freeze(shape: readonly number[]): readonly number[] {
  if (shape !== lastFrozen) {
    lastSizes = shape.slice();
    lastFrozen = Object.freeze(shape);
  }
  return lastSizes;
}

const SIZES = Symbol('sizes');

/**
 * @internal The shape for calls where nanoseconds count: V8 compiles no reading of a frozen array's elements, and each
 * takes some 8 ns. Never hand it out.
 */
export function sizesOf(tensor: Tensor): readonly number[] {
  return tensor[SIZES];
}

/**
 * A contiguous array of numbers with a shape, which remembers how it was computed.
 *
 * @example
 * ```ts
 * const x = tensor([[1, 2], [3, 4]], { requiresGrad: true });
 * functional.sum(functional.mul(x, x)).backward();
 * x.grad?.toArray(); // => [[2, 4], [6, 8]]
 * ```
 */
export class Tensor implements Variable {
  private readonly sizes: readonly number[];
  /** @internal The same, not frozen. */
  readonly [SIZES]: readonly number[];
  private readonly type: DType;
  private readonly count: number;
  /** @internal `grad` as we read it; `shownGrad` tells whether a user has, and may have kept it. */
  gradient: Tensor | null = null;
  private shownGrad = false;
  /** @internal Something outside of the scope it was made in has taken it. */
  kept = false;
  private memory: Memory;
  private maker: Operation | null = null;
  private wantsGrad = false;

  /** @internal Use `tensor()`: this trusts its arguments, and freezes the shape: never give it a caller's. */
  constructor(
    memory: Memory,
    shape: readonly number[],
    dtype: DType,
    numel = check.numelOf(shape),
    sizes = freeze(shape),
  ) {
    this.memory = memory;
    this.sizes = shape;
    this[SIZES] = sizes;
    this.type = dtype;
    this.count = numel;
    if (made !== null) enlist(this, made);
  }

  /** Frozen: tensors of the same shape share the array. */
  get shape(): readonly number[] {
    return this.sizes;
  }

  get dtype(): DType {
    return this.type;
  }

  /** Number of elements: the product of the shape. */
  get numel(): number {
    return this.count;
  }

  /**
   * The elements in row-major order: the memory itself, not a copy.
   *
   * Nothing notices what is written into this array: a backward that reads the old values again computes a wrong
   * gradient without an error. `copy_` and `fill_` count as changes, and make such a backward an error.
   *
   * @throws {TypeError} when the tensor was disposed of; views that were taken before have length 0 then.
   */
  get data(): TensorData {
    if (this.disposed) throw this.disposedOf();
    return this.memory.expose(this.numel);
  }

  /** The gradient accumulated by `backward()`, or null. Leaves only. */
  get grad(): Tensor | null {
    if (this.gradient !== null) this.shownGrad = true;
    return this.gradient;
  }

  /**
   * @throws {TypeError} for what is no Tensor and not null, or a tensor of another dtype.
   * @throws {RangeError} for one of another shape.
   */
  set grad(value: Tensor | null) {
    const before = this.gradient;
    if (before === value) return;
    if (value !== null) this.checkGradient(value);
    if (before !== null && !this.shownGrad) before.dispose();
    this.gradient = value;
    this.shownGrad = value !== null;
    value?.keep();
  }

  private checkGradient(value: Tensor): void {
    const who = 'Tensor.grad';
    if (!((value as unknown) instanceof Tensor)) {
      throw check.wrongKind(who, 'a Tensor or null', value);
    }
    if (value === this) {
      throw check.wrongValue(
        who,
        "another tensor (can't assign Variable as its own grad)",
        'itself',
      );
    }
    const what = '(assigned grad has data of a different size)';
    if (!check.equalShapes(value.shape, this.shape)) {
      const shape = check.shapeText(this.shape);
      throw check.wrongValue(
        who,
        `shape ${shape} ${what}`,
        `shape ${check.shapeText(value.shape)}`,
      );
    }
    check.dtype(who, 'a gradient', value, this.dtype, ' like its tensor');
    if (value.expandedValue === null) value.attached(who, 'a gradient');
  }

  /** Whether `dispose()` was called. */
  get disposed(): boolean {
    return this.memory === GONE[this.dtype];
  }

  /** @internal How often this memory has changed in place; tensors that share it share the count. */
  get version(): number {
    return this.memory.version;
  }

  /** @internal To be called after each change in place: a graph that saved the old values is void. */
  markChanged(): void {
    this.memory.version++;
  }

  /** @internal The operation that made this tensor, or null: a leaf. */
  get operation(): Operation | null {
    return this.maker;
  }

  /** Whether `backward()` reaches this tensor. Settable on floating leaves. */
  get requiresGrad(): boolean {
    return this.wantsGrad;
  }

  set requiresGrad(value: boolean) {
    check.boolean('Tensor', 'requiresGrad', value);
    if (value) check.floating('Tensor.requiresGrad', 'a tensor that requires grad', this);
    if (this.maker !== null && !value) {
      throw new Error(
        'Tensor.requiresGrad: you can only change requires_grad flags of leaf variables; use detach().',
      );
    }
    this.wantsGrad = value;
  }

  /**
   * Adds d(this)/d(leaf) to the `grad` of every leaf that requires it.
   *
   * @param gradient - d(result)/d(this), of this shape; 1 by default for one element.
   * @throws {Error} when nothing requires grad, or the graph was already walked and freed.
   * @throws {RangeError} when the gradient's shape differs, or is missing for several elements.
   */
  backward(gradient?: TensorLike, options: BackwardOptions = {}): void {
    check.options('Tensor.backward', options, ['retainGraph']);
    const retainGraph = check.booleanOption('Tensor.backward', 'retainGraph', options.retainGraph);
    const start = this.startOf('Tensor.backward', gradient);
    walkBack<Tensor>(this, start, arithmetic, retainGraph);
  }

  /**
   * `backward` that does not block the event loop while batch normalisation differentiates: that runs on
   * threads of its own; other operations run here, one after another. The same bits. Leaves get their
   * gradients at the end, all or none: an aborted or failed walk has added nothing.
   *
   * What the graph saved must stay as it is until the promise settles.
   *
   * @returns A promise that every failure rejects, those of the arguments too; aborted, with the
   * signal's reason.
   * @example
   * ```ts
   * const bn = new nn.BatchNorm1d(2);
   * const x = tensor([[1, 2], [3, 5]], { requiresGrad: true });
   * const y = await bn.forwardAsync(x);
   * await y.backwardAsync(tensor([[1, 0], [1, 0]]));
   * bn.bias?.grad?.toArray(); // => [2, 0]
   * ```
   */
  async backwardAsync(gradient?: TensorLike, options: BackwardAsyncOptions = {}): Promise<void> {
    const who = 'Tensor.backwardAsync';
    check.options(who, options, ['retainGraph', 'signal']);
    const retainGraph = check.booleanOption(who, 'retainGraph', options.retainGraph);
    const signal = check.signal(who, options.signal);
    check.notAborted(signal);
    return outsideScopes(() => {
      const start = this.startOf(who, gradient);
      return walkBackAsync<Tensor>(this, start, arithmetic, retainGraph, { signal });
    });
  }

  /** The gradient that a walk back from here starts with, everything checked. */
  private startOf(who: string, gradient: TensorLike | undefined): Tensor {
    this.attached(who);
    if (!this.wantsGrad) {
      throw new Error(
        `${who}: element 0 of tensors does not require grad and does not have a grad_fn.`,
      );
    }
    if (gradient === undefined && this.numel !== 1) {
      throw check.wrongValue(
        who,
        'a gradient (grad can be implicitly created only for scalar outputs)',
        `none for shape ${check.shapeText(this.shape)}`,
      );
    }
    const start =
      gradient === undefined
        ? Tensor.filled(this.shape, this.dtype, 1)
        : Tensor.from(gradient).detach();
    arithmetic.check(who, this, start);
    return start;
  }

  /**
   * Calls `hook` with the whole gradient of this tensor once in each backward, before it goes on or, for a
   * leaf, into `grad`. What it returns, of the same shape and dtype, takes its place; nothing leaves it.
   * Hooks run in the order they came, without recording; one that throws stops a backward that has changed
   * no `grad`.
   *
   * @throws {Error} where no gradient arrives.
   * @example
   * ```ts
   * const x = tensor([1, 2], { requiresGrad: true });
   * x.registerHook((gradient) => functional.mul(gradient, tensor([10, 10])));
   * functional.sum(x).backward();
   * x.grad?.toArray(); // => [10, 10]
   * ```
   */
  registerHook(hook: (gradient: Tensor) => Tensor | null | undefined): { remove(): void } {
    const who = 'Tensor.registerHook';
    if (typeof hook !== 'function') throw check.wrongKind(who, 'a hook function', hook);
    if (!this.wantsGrad) {
      throw new Error(`${who}: cannot register a hook on a tensor that doesn't require gradient.`);
    }
    return addHook(this, hook);
  }

  /** The same memory, cut off from the graph. */
  detach(): Tensor {
    return new Tensor(this.share(), this.shape, this.dtype, this.numel, this[SIZES]);
  }

  /** @internal The same memory under another shape, cut off from the graph. */
  alias(shape: readonly number[]): Tensor {
    return new Tensor(this.share(), shape, this.dtype);
  }

  /** @internal The memory, for one more holder. */
  share(): Memory {
    this.memory.holders++;
    return this.memory;
  }

  /** @internal What tensors over the same elements have in common. */
  get identity(): object {
    return this.memory;
  }

  /** @internal Nobody else sees what is written into this tensor. */
  get sole(): boolean {
    return this.memory.sole;
  }

  /** @internal What every element is, where that is known without an array: a sum's gradient. */
  get expandedValue(): number | null {
    return this.memory.pending;
  }

  /** @internal Every element becomes 0, without an array where there is none yet. Floating. */
  clear(): void {
    if (this.memory.pending !== null) this.memory.pending = 0;
    else floats(this).fill(0);
    this.markChanged();
  }

  /** @internal No scope disposes of it from here on. */
  keep(): this {
    this.kept = true;
    return this;
  }

  /** Whether the elements are in a SharedArrayBuffer. */
  isShared(): boolean {
    return isShared(this.memory);
  }

  /**
   * Moves the elements into a SharedArrayBuffer, which Workers get without a copy, unless they are in one.
   * Tensors over the same memory go along; an array taken of `data` before keeps the elements of then.
   * What another thread writes there no graph and no check notices (docs/workers.md).
   *
   * @throws {RangeError} when there is no memory; nothing has changed then.
   * @example
   * ```ts
   * const x = tensor([1, 2]).shareMemory_();
   * const { data, shape } = structuredClone({ data: x.data, shape: x.shape }); // as postMessage does
   * data[0] = 5;
   * x.toArray(); // => [5, 2]
   * ```
   */
  shareMemory_(): this {
    Tensor.shareAll('Tensor.shareMemory_', [['tensor', this]]);
    return this;
  }

  /** @internal `shareMemory_` of all of them, or none. */
  static shareAll(who: string, named: Iterable<readonly [string, Tensor]>): void {
    const memories = new Set<Memory>();
    for (const [name, tensor] of named) {
      tensor.attached(who, name);
      memories.add(tensor.memory);
    }
    moveToShared(memories);
  }

  /**
   * @internal Shares the memory of `other`, of the same type and size, from here on. A graph that saved the
   * elements before must not take these for them: the count of changes moves past both.
   */
  adoptMemoryOf(other: Tensor): void {
    if (other.memory === this.memory) return;
    const memory = other.share();
    memory.version = Math.max(memory.version, this.memory.version) + 1;
    this.memory = memory;
  }

  /**
   * A copy in memory of its own. Differentiable, as PyTorch's: dx = dy. `x.detach().clone()` is cut off from the
   * graph.
   *
   * @example
   * ```ts
   * const x = tensor([1, 2], { requiresGrad: true });
   * functional.sum(x.clone().fill_(3)).requiresGrad; // => true
   * x.toArray(); // => [1, 2]
   * ```
   */
  clone(): Tensor {
    return record('clone', this.copied(), [this], [], (dy) => [dy]);
  }

  /** @internal The same, cut off from the graph. */
  copied(): Tensor {
    const copy = Tensor.uninitialized(this.shape, this.dtype);
    (copy.memory.data as FloatData).set(this.attached('Tensor.clone') as FloatData);
    return copy;
  }

  /**
   * Writes the elements of `source`, converted to this dtype and repeated to fill this shape (from the last
   * dimension on, sizes are equal or 1). The change counts: a backward that needs the old values is an error.
   *
   * Recorded like any operation: afterwards this tensor is a result of `source`. d(source) is the gradient, summed
   * over what was repeated; d(the values before) is 0.
   *
   * @returns This tensor.
   * @throws {RangeError} for a source of another shape, or a float that an integer type cannot hold.
   * @throws {Error} for a leaf that requires grad, but under `noGrad`; while something is recorded, for memory
   * that a reshaped tensor shares. Nothing has changed then.
   * @example
   * ```ts
   * const weight = new nn.Parameter(tensor([[1, 2], [3, 4]]));
   * noGrad(() => weight.copy_(tensor([5, 6])));
   * weight.toArray(); // => [[5, 6], [5, 6]]
   * ```
   */
  copy_(source: TensorLike): this {
    return this.copyFrom('copy_', Tensor.from(source));
  }

  private copyFrom(name: 'copy_' | 'fill_', from: Tensor): this {
    const who = `Tensor.${name}`;
    const target = this.attached(who);
    const given = from.attached(who, 'the source');
    if (!broadcasts(from.shape, this.shape)) {
      throw check.wrongValue(
        who,
        `a source that broadcasts to shape ${check.shapeText(this.shape)}`,
        `shape ${check.shapeText(from.shape)}`,
      );
    }
    this.checkWritable(who, from);
    const elements = converted(who, given, from.dtype, this.dtype);
    this.recordWrite(name, from);
    repeat(target, this.shape, elements, from.shape);
    return this;
  }

  /**
   * Makes every element `value`, as `copy_` of a scalar would: it counts as a change, and is recorded.
   *
   * @param value - A number; for int32 and int64 cut off towards 0, or a bigint; or a tensor of shape [].
   * @returns This tensor.
   * @throws {RangeError} for a value that the dtype cannot hold, or a tensor of another shape.
   * @throws {Error} as for `copy_`.
   * @example
   * ```ts
   * tensor([1, 2]).fill_(7).toArray(); // => [7, 7]
   * ```
   */
  fill_(value: number | bigint | Tensor): this {
    const who = 'Tensor.fill_';
    if (value instanceof Tensor) {
      if (value.shape.length === 0) return this.copyFrom('fill_', value);
      const what = 'a scalar (fill_ only supports 0-dimension value tensor)';
      throw check.wrongValue(who, what, `shape ${check.shapeText(value.shape)}`);
    }
    const target = this.attached(who);
    const element = elementOf(who, value, this.dtype);
    this.checkWritable(who, null);
    this.recordWrite('fill_', null);
    (target as Float64Array).fill(element as number);
    return this;
  }

  /** That writing here leaves no gradient wrong. */
  private checkWritable(who: string, source: Tensor | null): void {
    if (!this.isFloating || !needsGrad(this, source)) return;
    if (this.maker === null && this.wantsGrad) {
      throw new Error(
        `${who}: a leaf Variable that requires grad is being used in an in-place operation; write under noGrad.`,
      );
    }
    if (this.memory.viewed) {
      throw new Error(
        `${who}: expected memory that no reshaped tensor shares while operations are recorded, got memory ` +
          'of a view; write into a clone(), or under noGrad.',
      );
    }
  }

  /** Counts the change that comes, and records it where something needs a gradient. */
  private recordWrite(name: string, source: Tensor | null): void {
    const { shape, dtype } = this;
    if (this.isFloating) {
      const differentiable = source?.isFloating === true ? source : null;
      record(name, this, [this, differentiable], [], (dy, needs) => [
        needs[0] ? Tensor.expanded(shape, dtype, 0) : null,
        needs[1] && differentiable !== null ? repeatGradient(dy, differentiable) : null,
      ]);
    }
    this.markChanged();
  }

  /** Whether it may require grad. */
  private get isFloating(): boolean {
    return this.dtype === 'float32' || this.dtype === 'float64';
  }

  /** @internal Notes that this result has the memory of an input, where it has. */
  noteView(inputs: readonly (Tensor | null)[]): void {
    for (const input of inputs) {
      if (input !== null && input !== this && input.memory === this.memory) {
        this.memory.viewed = true;
      }
    }
  }

  /** The one element as a number. */
  item(): number {
    if (this.numel !== 1) {
      throw check.wrongValue('Tensor.item', 'one element', `shape ${check.shapeText(this.shape)}`);
    }
    return Number(this.attached('Tensor.item')[0]);
  }

  /** Nested arrays of numbers; a number for shape []. */
  toArray(): NestedArray {
    const data = this.attached('Tensor.toArray');
    const build = (axis: number, start: number, size: number): NestedArray => {
      if (axis === this.shape.length) return Number(data[start]);
      const count = this.shape[axis] ?? 0;
      const step = count === 0 ? 0 : size / count;
      return Array.from({ length: count }, (_, i) => build(axis + 1, start + i * step, step));
    };
    return build(0, 0, this.numel);
  }

  /**
   * Lets go of the memory; any later use is an error, also by a graph that saved this tensor.
   * `using y = …` calls it at the block's end. When the last tensor over memory made here lets go, the
   * next output of that size gets it, and every view taken of `data` has length 0. An array that was
   * adopted stays its owner's. A second call does nothing.
   *
   * @example
   * ```ts
   * const y = functional.relu(tensor([1, -1]));
   * const view = y.data;
   * y.dispose();
   * view.length; // => 0
   * ```
   */
  dispose(): void {
    const { memory } = this;
    this.memory = GONE[this.dtype];
    this.maker = null;
    this.grad = null;
    memory.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * The values as PyTorch prints them: past 1000 elements the edges, 4 digits; with the shape where it cannot
   * be seen, a dtype that is not float32, and what the gradient knows. A disposed tensor says so.
   *
   * @example
   * ```ts
   * String(tensor([1, 2.5, NaN])); // => 'tensor([1.0000, 2.5000,    nan])'
   * String(tensor([1, 2], { dtype: 'int64' })); // => 'tensor([1, 2], dtype=int64)'
   * String(functional.sum(tensor([1, 2], { requiresGrad: true }))); // => 'tensor(3., gradFn=<sum>)'
   * ```
   */
  toString(): string {
    return printed(this.printable());
  }

  /** `console.log(tensor)`: `toString()`; inside other values one line, short where the values need more. */
  [Symbol.for('nodejs.util.inspect.custom')](
    depth?: number | null,
    options?: InspectOptions,
  ): string {
    return inspected(this.printable(), depth, options);
  }

  /**
   * What `JSON.stringify` writes: `{ shape, dtype, data }` with nested values. NaN and infinities are
   * the strings 'NaN', 'Infinity' and '-Infinity', int64 beyond ±(2^53 - 1) is a string of its digits, and -0 is 0.
   *
   * @throws {TypeError} when the memory has gone.
   * @example
   * ```ts
   * JSON.stringify(tensor([[1], [NaN]])); // => '{"shape":[2,1],"dtype":"float32","data":[[1],["NaN"]]}'
   * ```
   */
  toJSON(): TensorJSON {
    return jsonOf(this.attached('Tensor.toJSON'), this.shape, this.dtype);
  }

  private printable(): Parameters<typeof printed>[0] {
    const { shape, dtype, numel, disposed, maker, memory } = this;
    const there = !disposed && (memory.pending !== null || memory.length === numel);
    return {
      ...{ shape, dtype, numel, disposed },
      elements: there ? this.attached('Tensor.toString') : null,
      requiresGrad: this.wantsGrad,
      madeBy: maker?.name ?? null,
      parameter: this instanceof Parameter,
    };
  }

  private disposedOf(): TypeError {
    return new TypeError(
      `Tensor.data: expected a tensor that holds its elements, got one of shape ` +
        `${check.shapeText(this.shape)} that was disposed of.`,
    );
  }

  /** @internal The data, or an error when its buffer has gone. */
  attached(who: string, name = 'tensor'): TensorData {
    const { data } = this.memory;
    return lengthOf(data) === this.numel ? data : this.filled(who, name);
  }

  private filled(who: string, name: string): TensorData {
    this.memory.fill(this.numel);
    check.attached(who, name, lengthOf(this.memory.data), this.shape, this.numel);
    return this.memory.data;
  }

  /** @internal Makes this tensor the recorded result of an operation. */
  recordAs(
    name: string,
    inputs: readonly (Tensor | null)[],
    saved: readonly Tensor[],
    backward: Backward,
  ): this {
    this.maker = new Operation(name, inputs, saved, backward);
    this.wantsGrad = true;
    return this;
  }

  /**
   * A Tensor of another library's array: `{ data, shape, strides?, offset? }` (ndarray,
   * `@stdlib/ndarray`) or `{ data, dims }` (onnxruntime). Contiguous data is adopted, strided data
   * copied. A Tensor comes back as it is.
   */
  static from(other: TensorLike): Tensor {
    if (other instanceof Tensor) return other;
    refuseForeign('Tensor.from', 'a Tensor, { data, shape } or { data, dims }', other);
    const { data, shape, dtype } = fromArrayLike(other);
    return Tensor.adopting(data, shape, dtype);
  }

  /** @internal Over an array that is somebody else's. */
  static adopting(data: TensorData, shape: readonly number[], dtype: DType): Tensor {
    return new Tensor(new Memory(dtype, data, false), shape, dtype);
  }

  /** @internal Over an array that the caller keeps, which a second call may be given too. */
  static adoptingCounted(data: TensorData, shape: readonly number[], dtype: DType): Tensor {
    const memory = new Memory(dtype, data, false);
    memory.countAdoption();
    return new Tensor(memory, shape, dtype);
  }

  /** @internal Every element is `value`, in memory that is written. */
  static filled(shape: readonly number[], dtype: DType, value: number): Tensor {
    const filled = Tensor.uninitialized(shape, dtype);
    const { data } = filled.memory;
    if (dtype === 'int64') (data as BigInt64Array).fill(BigInt(value));
    else (data as FloatData).fill(value);
    return filled;
  }

  /** @internal Every element is `value`; the array is made when somebody asks for it. Floating. */
  static expanded(shape: readonly number[], dtype: DType, value: number): Tensor {
    const rounded = dtype === 'float32' ? Math.fround(value) : value;
    return new Tensor(new Memory(dtype, GONE[dtype].data, true, rounded), shape, dtype);
  }

  /** @internal Uninitialised memory of the same shape and dtype: the caller writes every element. */
  static like({ shape, dtype, numel, [SIZES]: sizes }: Tensor): Tensor {
    return new Tensor(Memory.uninitialized(dtype, numel), shape, dtype, numel, sizes);
  }

  /** @internal Uninitialised memory: the caller writes every element. */
  static uninitialized(shape: readonly number[], dtype: DType): Tensor {
    const numel = check.numelOf(shape);
    return new Tensor(Memory.uninitialized(dtype, numel), shape, dtype, numel);
  }
}

mark(Tensor, 'Tensor');

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

const INSTEAD = 'write into it: x.data.set(values), or x.copy_(tensor)';
check.refuseAssignment(Tensor, {
  data: INSTEAD,
  shape: 'functional.reshape(x, shape) makes another tensor',
  dtype: 'tensor(x, { dtype }) makes another tensor',
  numel: 'it is the product of the shape',
});
check.refuseAssignment(Parameter, { data: INSTEAD });

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

const arithmetic: Arithmetic<Tensor> = {
  add(a, b) {
    const sum = a.sole ? a : b.sole ? b : Tensor.uninitialized(a.shape, a.dtype);
    addon.add(floats(a), floats(b), floats(sum), sum.numel);
    if (a !== sum) a.dispose();
    if (b !== sum) b.dispose();
    return sum;
  },
  accumulate(leaf, gradient) {
    const { gradient: before } = leaf;
    if (before === null) {
      leaf.gradient = gradient.keep();
      return;
    }
    addon.add(floats(before), floats(gradient), floats(before), before.numel);
    before.markChanged();
    gradient.dispose();
  },
  share: (value) => value.detach(),
  release(value) {
    value.dispose();
  },
  replacement(returned, before) {
    const who = 'Tensor.registerHook';
    if (!(returned instanceof Tensor))
      throw check.wrongKind(who, 'a hook to return a Tensor', returned);
    if (!check.equalShapes(returned.shape, before.shape)) {
      throw check.wrongValue(
        who,
        `a gradient of shape ${check.shapeText(before.shape)} (hook has changed the size of value)`,
        `shape ${check.shapeText(returned.shape)}`,
      );
    }
    check.dtype(who, 'the gradient', returned, before.dtype);
    if (returned.expandedValue === null) returned.attached(who, 'the gradient');
    return returned.detach();
  },
  ready(leaf, gradient) {
    const who = 'Tensor.backward';
    leaf.attached(who);
    if (leaf.gradient !== null) {
      arithmetic.check(who, leaf, leaf.gradient);
      // One of one value has no array yet, and there may be no memory for it.
      leaf.gradient.attached(who);
      gradient.attached(who);
      return gradient;
    }
    if (gradient.sole) return gradient;
    const own = gradient.copied();
    gradient.dispose();
    return own;
  },
  check(operation, value, gradient) {
    if (!check.equalShapes(value.shape, gradient.shape)) {
      throw new RangeError(
        `${operation}: Mismatch in shape: grad_output[0] has a shape of ` +
          `${check.shapeText(gradient.shape)} and output[0] has a shape of ` +
          `${check.shapeText(value.shape)}.`,
      );
    }
    check.sameDtype(operation, 'the gradient', gradient, value.dtype);
    if (gradient.expandedValue === null) gradient.attached(operation);
  },
};

/** What `fill_` writes for a value. */
function elementOf(who: string, value: unknown, dtype: DType): number | bigint {
  const whole = dtype === 'int32' || dtype === 'int64';
  if (typeof value !== 'number' && !(whole && typeof value === 'bigint')) {
    throw check.wrongKind(who, whole ? 'a number or a bigint' : 'a number', value);
  }
  const element = typeof value === 'number' && whole ? Math.trunc(value) : value;
  const fits = whole
    ? holds(dtype, element)
    : dtype === 'float64' || !Number.isFinite(value) || Number.isFinite(Math.fround(Number(value)));
  if (!fits) {
    const words = `value cannot be converted to type ${dtype} without overflow`;
    throw check.wrongValue(who, `a value that ${dtype} can hold (${words})`, check.describe(value));
  }
  if (!whole) return element;
  return dtype === 'int64' ? BigInt(element) : Number(element);
}

/** The gradient of a source that was converted and repeated: its shape, its dtype. */
function repeatGradient(dy: Tensor, source: Tensor): Tensor {
  const { shape, dtype } = source;
  if (dtype === dy.dtype && check.equalShapes(shape, dy.shape)) return dy;
  const dx = Tensor.uninitialized(shape, dtype);
  floats(dx).set(sumOfRepeats(floats(dy), dy.shape, shape));
  return dx;
}

/** @internal The data of a floating tensor, still attached. */
export function floats(tensor: Tensor): FloatData {
  return tensor.attached('evenkeel') as FloatData;
}

type Gradients = readonly (Tensor | null)[];

/**
 * The inputs' gradients from the output's; beside the event loop where `later` is given and it can.
 * `needs` are the inputs' flags at the forward: ask them, not the tensors, whose flags may have changed since.
 */
type Backward = (
  gradient: Tensor,
  needs: readonly boolean[],
  later?: Later,
) => Gradients | Promise<Gradients>;

/** @internal Records `output` if any input requires grad and recording is on. */
export function record(
  name: string,
  output: Tensor,
  inputs: readonly (Tensor | null)[],
  saved: readonly Tensor[],
  backward: Backward,
): Tensor {
  output.noteView(inputs);
  return needsGrad(...inputs) ? output.recordAs(name, inputs, saved, backward) : output;
}
