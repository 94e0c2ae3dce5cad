// The methods of Tensor that are not in its class' body: what each promises is here, and the file of its subject adds it.
// T is Tensor, which this file must not know: the class has this interface.
import type { ArrayLikeTensor, NestedArray } from './interop.js';
import type { TensorJSON } from './printing.js';

export interface BackwardOptions {
  /** Keep what the graph saved, so that backward can run again. Default false. */
  retainGraph?: boolean | undefined;
}

export interface BackwardAsyncOptions extends BackwardOptions {
  /** Stops the walk where it is; nothing has been added to any `grad` then. */
  signal?: AbortSignal | undefined;
}

/** Methods that backward.ts, in-place.ts, reading.ts and sharing.ts add. */
export interface TensorMethods<T> {
  /**
   * Adds d(this)/d(leaf) to the `grad` of every leaf that requires it.
   *
   * @param gradient - d(result)/d(this), of this shape; 1 by default for one element.
   * @throws {Error} when nothing requires grad, or the graph was already walked and freed.
   * @throws {RangeError} when the gradient's shape differs, or is missing for several elements.
   */
  backward(gradient?: T | ArrayLikeTensor, options?: BackwardOptions): void;
  /** The same, from one element. */
  backward(options: BackwardOptions): void;

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
  backwardAsync(gradient?: T | ArrayLikeTensor, options?: BackwardAsyncOptions): Promise<void>;
  /** The same, from one element. */
  backwardAsync(options: BackwardAsyncOptions): Promise<void>;

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
  registerHook(hook: (gradient: T) => T | null | undefined): { remove(): void };

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
  clone(): T;

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
  copy_(source: T | ArrayLikeTensor): this;

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
  fill_(value: number | bigint | T): this;

  /**
   * A matrix with rows and columns exchanged: a copy, as of `transpose(0, 1)`. Fewer dimensions stay as they are.
   *
   * @throws {RangeError} for more than 2 dimensions.
   * @example
   * ```ts
   * tensor([[1, 2], [3, 4]]).T.toArray(); // => [[1, 3], [2, 4]]
   * ```
   */
  readonly T: T;

  /** The one element as a number. */
  item(): number;

  /**
   * Nested arrays of numbers; a number for shape []. TypeScript knows how deep where it is told.
   *
   * @example
   * ```ts
   * const rows: number[][] = tensor([[1, 2], [3, 4]]).toArray();
   * rows.map(([first]) => first); // => [1, 3]
   * ```
   */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows the depth
  toArray<Values = NestedArray>(): Values;

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
  toString(): string;

  /**
   * What `JSON.stringify` writes: `{ shape, dtype, data }` with nested values. NaN and infinities are
   * the strings 'NaN', 'Infinity' and '-Infinity', int64 beyond ±(2^53 - 1) is a string of its digits, and -0 is 0.
   *
   * @throws {TypeError} when the memory is detached.
   * @example
   * ```ts
   * JSON.stringify(tensor([[1], [NaN]])); // => '{"shape":[2,1],"dtype":"float32","data":[[1],["NaN"]]}'
   * ```
   */
  toJSON(): TensorJSON;

  /** Whether the elements are in a SharedArrayBuffer. */
  isShared(): boolean;

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
  shareMemory_(): this;
}

/** @internal Gives a class these methods; like those of a class body they are not enumerable. */
export function addMethods<Instance extends object>(
  constructor: { readonly prototype: Instance },
  methods: Partial<Instance> & ThisType<Instance>,
): void {
  for (const name of Reflect.ownKeys(methods)) {
    const property = Object.getOwnPropertyDescriptor(methods, name)!;
    Object.defineProperty(constructor.prototype, name, { ...property, enumerable: false });
  }
}
