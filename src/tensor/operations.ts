// The operations of `functional` that are methods too, as in PyTorch: `x.add(y).mul(0.5).mean(1)`. Each is the
// function of its name with this tensor first; functional/methods.ts adds them. T is Tensor, which this file must not know.
import type { DType } from '../memory/dtype.js';
import type { ArrayLikeTensor } from './interop.js';

type Operand<T> = T | ArrayLikeTensor | number;
type Like<T> = T | ArrayLikeTensor;
type Indices<T> = T | Int32Array | BigInt64Array | readonly number[] | readonly bigint[];

interface Dims {
  dim?: number | readonly number[] | undefined;
  keepdim?: boolean | undefined;
}
interface Variance extends Dims {
  correction?: number | undefined;
}
interface Norm extends Dims {
  p?: number | undefined;
}
/** A dimension or several, in the place of options. */
type DimList = number | readonly number[];
interface Closeness {
  rtol?: number | undefined;
  atol?: number | undefined;
  equalNan?: boolean | undefined;
}
interface OneDim {
  dim: number;
  keepdim?: boolean | undefined;
}
interface Along {
  dim?: number | undefined;
}
interface Place extends Along {
  keepdim?: boolean | undefined;
}
interface Order extends Along {
  descending?: boolean | undefined;
}
interface Largest extends Along {
  largest?: boolean | undefined;
}
interface ValuesAndIndices<T> {
  readonly values: T;
  readonly indices: T;
  readonly 0: T;
  readonly 1: T;
  [Symbol.iterator](): IterableIterator<T>;
}

/** What may follow a dimension: the other options, or the flag that PyTorch has there. */
type After<Options, Flag = boolean> = Omit<Options, 'dim'> | Flag;

/** One list, or numbers in its place: `x.reshape([2, -1])`, `x.reshape(2, -1)`. */
type Numbers = readonly [readonly number[]] | readonly number[];

/** `functional` says what each computes. */
export interface TensorOperations<T> {
  add(other: Operand<T>): T;
  sub(other: Operand<T>): T;
  mul(other: Operand<T>): T;
  div(other: Operand<T>): T;
  maximum(other: Like<T>): T;
  minimum(other: Like<T>): T;
  neg(): T;
  abs(): T;
  exp(): T;
  log(): T;
  log1p(): T;
  sqrt(): T;
  rsqrt(): T;
  pow(p: Operand<T>): T;
  floor(): T;
  ceil(): T;
  round(): T;
  trunc(): T;
  sign(): T;
  clamp(options: { min?: number | undefined; max?: number | undefined }): T;
  clip(options: { min?: number | undefined; max?: number | undefined }): T;

  eq(other: Operand<T>): T;
  ne(other: Operand<T>): T;
  lt(other: Operand<T>): T;
  le(other: Operand<T>): T;
  gt(other: Operand<T>): T;
  ge(other: Operand<T>): T;
  maskedFill(mask: Like<T>, value: Operand<T>): T;
  isnan(): T;
  isinf(): T;
  isfinite(): T;
  any(options?: Dims | DimList, after?: After<Dims>): T;
  all(options?: Dims | DimList, after?: After<Dims>): T;
  equal(other: Like<T>): boolean;
  allclose(other: Like<T>, options?: Closeness): boolean;

  sum(options?: Dims | DimList, after?: After<Dims>): T;
  mean(options?: Dims | DimList, after?: After<Dims>): T;
  cumsum(dim: number): T;
  amax(options?: Dims | DimList, after?: After<Dims>): T;
  amin(options?: Dims | DimList, after?: After<Dims>): T;
  logsumexp(options?: Dims | DimList, after?: After<Dims>): T;
  var(options?: Variance | DimList, after?: After<Variance, never>): T;
  norm(options?: Norm): T;
  norm(p: number, dim?: DimList | Dims, keepdim?: boolean): T;
  std(options?: Variance | DimList, after?: After<Variance, never>): T;
  max(): T;
  max(options: OneDim | number, after?: After<OneDim>): ValuesAndIndices<T>;
  min(): T;
  min(options: OneDim | number, after?: After<OneDim>): ValuesAndIndices<T>;
  argmax(options?: Place | number, after?: After<Place>): T;
  argmin(options?: Place | number, after?: After<Place>): T;
  sort(options?: Order | number, after?: After<Order>): ValuesAndIndices<T>;
  argsort(options?: Order | number, after?: After<Order>): T;
  topk(k: number, options?: Largest | number, after?: After<Largest>): ValuesAndIndices<T>;

  relu(): T;
  sigmoid(): T;
  tanh(): T;
  softmax(options: { dim: number } | number): T;
  logSoftmax(options: { dim: number } | number): T;

  /** The shape, which is a property too. */
  size(): readonly number[];
  /** One size of the shape; negative dimensions count from the end. */
  size(dim: number): number;
  /** The number of dimensions, which is a property too: `ndim`. */
  dim(): number;

  /**
   * The same values in another dtype: rounded to nearest, or for an integer type cut off towards 0. In the same dtype it
   * shares memory. Between floating dtypes the gradient goes back; integers have none.
   *
   * @throws {RangeError} for NaN, an infinity or a float that an integer type cannot hold.
   * @example
   * ```ts
   * tensor([1.5, -1.5]).to('int64').toArray(); // => [1, -1]
   * const x = tensor([1, -2], { requiresGrad: true });
   * x.double().mul(x.gt(0).double()).sum().backward();
   * x.grad?.toArray(); // => [1, 0]
   * ```
   */
  to(dtype: DType): T;
  /** `to('float32')`: of a mask 1 and 0. */
  float(): T;
  /** `to('float64')`. */
  double(): T;
  /** `to('int32')`. */
  int(): T;
  /** `to('int64')`. */
  long(): T;

  flatten(options?: { startDim?: number | undefined; endDim?: number | undefined }): T;
  flatten(startDim: number, endDim?: number): T;
  reshape(...shape: Numbers): T;
  /** `reshape`, by its other name: every tensor is contiguous, so that both share memory, always. */
  view(...shape: Numbers): T;
  permute(...dims: Numbers): T;
  transpose(a: number, b: number): T;
  t(): T;
  squeeze(dim?: number): T;
  unsqueeze(dim: number): T;
  expand(...shape: Numbers): T;
  repeat(...sizes: Numbers): T;
  tile(...sizes: Numbers): T;
  flip(...dims: Numbers): T;
  narrow(dim: number, start: number, length: number): T;
  select(dim: number, index: number): T;
  unbind(options?: Along | number): T[];
  split(size: number | readonly number[], options?: Along | number): T[];
  chunk(chunks: number, options?: Along | number): T[];

  matmul(other: Like<T>): T;
  bmm(other: Like<T>): T;
  mm(other: Like<T>): T;
  dot(other: Like<T>): T;
  outer(other: Like<T>): T;
  maskedSelect(mask: Like<T>): T;
  nonzero(): T;
  indexSelect(dim: number, index: Indices<T>): T;
  indexAdd(dim: number, index: Indices<T>, source: Like<T>): T;
  gather(dim: number, index: T): T;
}
