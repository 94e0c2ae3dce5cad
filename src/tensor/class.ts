// Tensor: data + shape + dtype + grad, always contiguous. What every tensor is made of is in this class; methods of one
// subject each are added to it by the files that tensor.ts names, and the arithmetic is in functional/.
// Longer than 250 lines because one class cannot be cut without inheritance.
// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- an import would not reach the .d.ts
/// <reference path="../globals.d.ts" preserve="true" />
import { Operation, type How, type Variable } from '../autograd/index.js';
import * as check from '../check/index.js';
import { foreignKind, mark, refuseForeign } from '../check/copies.js';
import { fromArrayLike, isArrayLike, notATensor, type ArrayLikeTensor } from './interop.js';
import { DISPOSED, Memory } from '../memory/buffer.js';
import { lengthOf, type DType, type FloatData, type TensorData } from '../memory/dtype.js';
import { frozenShape, type Shape } from './frozen-shape.js';
import type { TensorMethods } from './methods.js';
import type { TensorOperations } from './operations.js';
import { enlist } from './scope-list.js';

export type TensorLike = Tensor | ArrayLikeTensor;

type Gradients = readonly (Tensor | null)[];

/**
 * The inputs' gradients from the output's.
 * `needs` are the inputs' flags at the forward: ask them, not the tensors, whose flags may have changed since.
 */
export type Backward = (gradient: Tensor, needs: readonly boolean[]) => Gradients;

const SHAPE = Symbol('shape');

/**
 * @internal The shape for calls where nanoseconds count: V8 compiles no reading of a frozen array's elements, and each
 * takes some 8 ns. Never hand it out.
 */
export function sizesOf(tensor: Tensor): readonly number[] {
  return tensor[SHAPE].sizes;
}

const MEMORY = Symbol('memory');

/** @internal The memory that a tensor holds now. */
export function memoryOf(tensor: Tensor): Memory {
  return tensor[MEMORY];
}

/** The number of elements, where the constructor has not been called with values, as that of `torch.Tensor`. */
function numelOfNew(memory: unknown, shape: readonly number[]): number {
  if (memory instanceof Memory) return check.numelOf(shape);
  throw new TypeError(
    'Tensor: expected tensor(values, shape) to make a tensor, got a call of the class.',
  );
}

/* eslint-disable @typescript-eslint/no-unsafe-declaration-merging --
   tensor.ts loads the files that add what the interface promises */
export interface Tensor extends TensorMethods<Tensor>, TensorOperations<Tensor> {}

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
  /** A property of its own, though `[SHAPE]` has it: structuredClone copies no symbols, and a clone is loaded by it. */
  private readonly sizes: readonly number[];
  /** @internal The same, with sizes that are not frozen. */
  readonly [SHAPE]: Shape;
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
    numel = numelOfNew(memory, shape),
    known = frozenShape(shape),
  ) {
    this.memory = memory;
    this.sizes = known.frozen;
    this[SHAPE] = known;
    this.type = dtype;
    this.count = numel;
    enlist(this);
  }

  /** Frozen: tensors of the same shape share the array. */
  get shape(): readonly number[] {
    return this.sizes;
  }

  get dtype(): DType {
    return this.type;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.sizes.length;
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
    return this.memory === DISPOSED[this.dtype];
  }

  /** @internal How often this memory has changed in place; tensors that share it share the count. */
  get version(): number {
    return this.memory.version;
  }

  /** @internal To be called after each change in place: a graph that saved the old values is void. */
  markChanged(): void {
    this.memory.version++;
  }

  /** @internal Takes back `markChanged`, where what was to change has failed. */
  markUnchanged(): void {
    this.memory.version--;
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
  /** The same memory, cut off from the graph. */
  detach(): Tensor {
    return new Tensor(this.share(), this.shape, this.dtype, this.numel, this[SHAPE]);
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

  /** @internal For `memoryOf`. */
  get [MEMORY](): Memory {
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
    else (this.attached('Tensor') as FloatData).fill(0);
    this.markChanged();
  }

  /** @internal No scope disposes of it from here on. */
  keep(): this {
    this.kept = true;
    return this;
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

  /** @internal A copy in memory of its own, cut off from the graph. */
  copied(): Tensor {
    const copy = Tensor.uninitialized(this.shape, this.dtype);
    (copy.memory.data as FloatData).set(this.attached('Tensor.clone') as FloatData);
    return copy;
  }

  /** @internal Notes that this result has the memory of an input, where it has. */
  noteView(inputs: readonly (Tensor | null)[]): void {
    for (const input of inputs) {
      if (input !== null && input !== this && input.memory === this.memory) {
        this.memory.viewed = true;
      }
    }
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
    this.memory = DISPOSED[this.dtype];
    this.maker = null;
    this.grad = null;
    memory.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private disposedOf(): TypeError {
    return new TypeError(
      `Tensor.data: expected a tensor that holds its elements, got one of shape ` +
        `${check.shapeText(this.shape)} that was disposed of.`,
    );
  }

  /** @internal The data, or an error when its buffer is detached. */
  attached(who: string, name = 'tensor'): TensorData {
    const { data } = this.memory;
    return lengthOf(data) === this.numel ? data : this.materialized(who, name);
  }

  /** @internal The data of a floating tensor, which has been checked to be there. */
  get elements(): FloatData {
    return this.memory.data as FloatData;
  }

  /** @internal Whether the data is still to be computed, beside the event loop. */
  get awaited(): boolean {
    return this.memory.awaited !== null;
  }

  /** @internal That the data is there, or will be when the call that computes it is made. */
  present(who: string, name = 'tensor'): void {
    if (lengthOf(this.memory.data) === this.numel) return;
    if (this.memory.awaited?.open !== true) this.materialized(who, name);
  }

  private materialized(who: string, name: string): TensorData {
    this.memory.materialize(this.numel);
    check.attached(who, name, lengthOf(this.memory.data), this.shape, this.numel);
    return this.memory.data;
  }

  /** @internal Makes this tensor the recorded result of an operation. */
  recordAs(
    name: string,
    inputs: readonly (Tensor | null)[],
    saved: readonly Tensor[],
    backward: Backward,
    how?: How,
  ): this {
    this.maker = new Operation(name, inputs, saved, backward, how);
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

  /** @internal An operand: what `from` takes. The error for anything else names the operation. */
  static operand(who: string, name: string, value: TensorLike): Tensor {
    if (value instanceof Tensor) return value;
    if (!isArrayLike(value) || foreignKind(value) !== null) throw notATensor(who, name, value);
    return Tensor.from(value);
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
  static filled(shape: readonly number[], dtype: DType, value: number | bigint): Tensor {
    const filled = Tensor.uninitialized(shape, dtype);
    const { data } = filled.memory;
    if (dtype === 'int64') (data as BigInt64Array).fill(BigInt(value));
    else (data as FloatData).fill(Number(value));
    return filled;
  }

  /** @internal Every element is `value`; the array is made when somebody asks for it. Floating. */
  static expanded(shape: readonly number[], dtype: DType, value: number): Tensor {
    const rounded = dtype === 'float32' ? Math.fround(value) : value;
    return new Tensor(new Memory(dtype, DISPOSED[dtype].data, true, rounded), shape, dtype);
  }

  /** @internal Uninitialised memory of the same shape and dtype: the caller writes every element. */
  static like({ shape, dtype, numel, [SHAPE]: known }: Tensor): Tensor {
    return new Tensor(Memory.uninitialized(dtype, numel), shape, dtype, numel, known);
  }

  /** @internal Uninitialised memory: the caller writes every element. */
  static uninitialized(shape: readonly number[], dtype: DType): Tensor {
    const numel = check.numelOf(shape);
    return new Tensor(Memory.uninitialized(dtype, numel), shape, dtype, numel);
  }
}

mark(Tensor, 'Tensor');

/** @internal What to do instead of assigning to `data`. */
export const INSTEAD_OF_DATA = 'write into it: x.data.set(values), or x.copy_(tensor)';
check.refuseAssignment(Tensor, {
  data: INSTEAD_OF_DATA,
  shape: 'functional.reshape(x, shape) makes another tensor',
  dtype: 'tensor(x, { dtype }) makes another tensor',
  ndim: 'it is the number of sizes in the shape',
  numel: 'it is the product of the shape',
});
