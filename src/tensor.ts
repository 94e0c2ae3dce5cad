// Tensor: data + shape + dtype + grad, always contiguous. Its only arithmetic is what the tape needs to
// add gradients up; the rest is in functional/.
import { needsGrad, Operation, walkBack, type Arithmetic, type Variable } from './autograd.js';
import * as check from './check.js';
import { fromArrayLike, type ArrayLikeTensor, type NestedArray } from './containers.js';
import { addon } from './native.js';
import { uninitialized, zeros, type DType, type FloatData, type TensorData } from './storage.js';

export type { DType, FloatData, TensorData };

export type TensorLike = Tensor | ArrayLikeTensor;

export interface BackwardOptions {
  /** Keep what the graph saved, so that backward can run again. Default false. */
  retainGraph?: boolean;
}

/** From here on an array is sure to hold a whole large page of 2 MB. */
const HUGE_BYTES = 4 * 2 ** 20;

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
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Number of elements: the product of the shape. */
  readonly numel: number;
  /** The gradient accumulated by `backward()`, or null. Leaves only. */
  grad: Tensor | null = null;
  private memory: TensorData;
  private readonly changes: { count: number };
  private maker: Operation | null = null;
  private wantsGrad = false;

  /** @internal Use `tensor()`: this trusts its arguments. */
  constructor(data: TensorData, shape: readonly number[], dtype: DType, sharedWith?: Tensor) {
    this.memory = data;
    this.shape = shape;
    this.dtype = dtype;
    this.numel = check.numelOf(shape);
    this.changes = sharedWith?.changes ?? { count: 0 };
  }

  /** The elements in row-major order: the memory itself, not a copy. */
  get data(): TensorData {
    return this.memory;
  }

  /** @internal How often this memory has changed in place; tensors that share it share the count. */
  get version(): number {
    return this.changes.count;
  }

  /** @internal To be called after each change in place: a graph that saved the old values is void. */
  markChanged(): void {
    this.changes.count++;
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
    this.attached('Tensor.backward');
    if (!this.wantsGrad) {
      throw new Error(
        'Tensor.backward: element 0 of tensors does not require grad and does not have a grad_fn.',
      );
    }
    if (gradient === undefined && this.numel !== 1) {
      throw check.wrongValue(
        'Tensor.backward',
        'a gradient (grad can be implicitly created only for scalar outputs)',
        `none for shape ${check.shapeText(this.shape)}`,
      );
    }
    const start =
      gradient === undefined
        ? Tensor.filled(this.shape, this.dtype, 1)
        : Tensor.from(gradient).detach();
    arithmetic.check('Tensor.backward', this, start);
    walkBack<Tensor>(this, start, arithmetic, options.retainGraph ?? false);
  }

  /** The same memory, cut off from the graph. */
  detach(): Tensor {
    return new Tensor(this.memory, this.shape, this.dtype, this);
  }

  /** A copy in memory of its own, cut off from the graph. */
  clone(): Tensor {
    return new Tensor(this.attached('Tensor.clone').slice(), this.shape, this.dtype);
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

  /** Lets go of the memory; any later use is an error. `using y = …` calls it at the block's end. */
  dispose(): void {
    this.memory = zeros(this.dtype, 0);
    this.maker = null;
    this.grad = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    const flag = this.wantsGrad ? ', requiresGrad' : '';
    return `Tensor(${check.shapeText(this.shape)}, ${this.dtype}${flag})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** @internal The data, or an error when its buffer has gone. */
  attached(who: string, name = 'tensor'): TensorData {
    check.attached(who, name, this, this.numel);
    return this.memory;
  }

  /** @internal Makes this tensor the recorded result of an operation. */
  recordAs(
    name: string,
    inputs: readonly Tensor[],
    saved: readonly Tensor[],
    backward: (gradient: Tensor) => readonly (Tensor | null)[],
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
    const { data, shape, dtype } = fromArrayLike(other);
    return new Tensor(data, shape, dtype);
  }

  /** @internal Every element is `value`. */
  static filled(shape: readonly number[], dtype: DType, value: number): Tensor {
    const made = Tensor.uninitialized(shape, dtype);
    if (made.memory instanceof BigInt64Array) made.memory.fill(BigInt(value));
    else made.memory.fill(value);
    return made;
  }

  /** @internal Uninitialised memory: the caller writes every element. */
  static uninitialized(shape: readonly number[], dtype: DType): Tensor {
    const numel = check.numelOf(shape);
    const data = uninitialized(dtype, numel);
    if (
      data.byteLength >= HUGE_BYTES &&
      !(data instanceof Int32Array || data instanceof BigInt64Array)
    ) {
      addon.preferHugePages(data, numel);
    }
    return new Tensor(data, shape, dtype);
  }
}

/** A tensor that a module learns: requires grad, and the module finds it. */
export class Parameter extends Tensor {
  constructor(data: Tensor, requiresGrad = true) {
    check.floating('Parameter', 'a parameter', data);
    super(data.data, data.shape, data.dtype);
    this.requiresGrad = requiresGrad;
  }

  override get data(): FloatData {
    return super.data as FloatData;
  }

  /** Forgets the gradient: null, or zeros in the memory it has. */
  zeroGrad(setToNone: boolean): void {
    if (setToNone) this.grad = null;
    else (this.grad?.data as FloatData | undefined)?.fill(0);
  }
}

const arithmetic: Arithmetic<Tensor> = {
  add(a, b) {
    const sum = Tensor.uninitialized(a.shape, a.dtype);
    addon.add(floats(a), floats(b), floats(sum), sum.numel);
    return sum;
  },
  accumulate(leaf, gradient, shared) {
    if (leaf.grad === null) {
      leaf.grad = shared ? gradient.clone() : gradient.detach();
    } else {
      addon.add(floats(leaf.grad), floats(gradient), floats(leaf.grad), leaf.grad.numel);
      leaf.grad.markChanged();
    }
  },
  memoryOf: (value) => value.data,
  checkLeaf(leaf) {
    leaf.attached('Tensor.backward');
    if (leaf.grad !== null) arithmetic.check('Tensor.backward', leaf, leaf.grad);
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
    gradient.attached(operation);
  },
};

/** @internal The data of a floating tensor, still attached. */
export function floats(tensor: Tensor): FloatData {
  return tensor.attached('evenkeel') as FloatData;
}

/** @internal Records `output` if any input requires grad and recording is on. */
export function record(
  name: string,
  output: Tensor,
  inputs: readonly (Tensor | null)[],
  saved: readonly Tensor[],
  backward: (gradient: Tensor) => readonly (Tensor | null)[],
): Tensor {
  if (!needsGrad(...inputs)) return output;
  if (allPresent(inputs)) return output.recordAs(name, inputs, saved, backward);
  const present = inputs.filter((input): input is Tensor => input !== null);
  return output.recordAs(name, present, saved, (gradient) => {
    const gradients = backward(gradient);
    return gradients.filter((_, i) => inputs[i] !== null);
  });
}

/** Most operations have all their inputs, and then nothing needs to be filtered. */
function allPresent(inputs: readonly (Tensor | null)[]): inputs is readonly Tensor[] {
  return !inputs.includes(null);
}
