// Tensors of a shape alone: all of one value, drawn from the stream of random numbers, in a row, or an identity.
import * as check from '../check/index.js';
import { elementOf } from '../memory/convert.js';
import { DTYPES, type DType } from '../memory/dtype.js';
import type { TensorOptions } from './create.js';
import type { Sizes } from './interop.js';
import { fillNormal, fillUniform, permutation } from './random.js';
import { floats, Tensor, type TensorLike } from './tensor.js';

const OPTION_NAMES = ['dtype', 'requiresGrad'];
const FLOATING = ['float32', 'float64'] as const;
/** The distance between two such numbers is finite. */
const LARGEST = 2 ** 1023 - 2 ** 970;

/** A tensor of that shape whose elements are still to be written, and its options. */
function made(who: string, shape: Sizes, options: TensorOptions, dtypes: readonly DType[]): Tensor {
  const sizes = check.shape(who, shape);
  check.options(who, options, OPTION_NAMES);
  const { dtype = 'float32', requiresGrad = false } = options;
  check.oneOf(who, 'dtype', dtype, dtypes);
  check.boolean(who, 'requiresGrad', requiresGrad);
  if (requiresGrad) check.floating(who, 'a tensor that requires grad', { shape: sizes, dtype });
  const tensor = Tensor.uninitialized(sizes, dtype);
  tensor.requiresGrad = requiresGrad;
  return tensor;
}

/**
 * A tensor whose elements are all `value`.
 *
 * @param shape - Its sizes, as a list; `[]` is a scalar.
 * @param options - `dtype`, 'float32' by default, and `requiresGrad`.
 * @throws {RangeError} for a value that an integer dtype does not have.
 * @example
 * ```ts
 * full([2, 2], 7).toArray(); // => [[7, 7], [7, 7]]
 * ```
 */
export function full(
  shape: Sizes,
  value: number | bigint,
  options: TensorOptions = {},
  ...rest: undefined[]
): Tensor {
  if (rest.length > 0) check.noMore('full', 3, rest);
  return constant('full', shape, value, options);
}

function constant(
  who: string,
  shape: Sizes,
  value: number | bigint,
  options: TensorOptions,
): Tensor {
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw check.wrongKind(who, 'value to be a number or a bigint', value);
  }
  const tensor = made(who, shape, options, DTYPES);
  const element = elementOf(who, value, tensor.dtype, '');
  (tensor.attached(who) as Float64Array).fill(element as number);
  return tensor;
}

/**
 * A tensor of zeros.
 *
 * @example
 * ```ts
 * zeros([2, 3]).shape; // => [2, 3]
 * zeros([2], { dtype: 'int64' }).toArray(); // => [0, 0]
 * ```
 */
export function zeros(shape: Sizes, options: TensorOptions = {}, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('zeros', 2, rest);
  return constant('zeros', shape, 0, options);
}

/** A tensor of ones, like `zeros`. */
export function ones(shape: Sizes, options: TensorOptions = {}, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('ones', 2, rest);
  return constant('ones', shape, 1, options);
}

/**
 * A tensor of uniform numbers in [0, 1), from the stream of `manualSeed`: the same bits on every machine.
 *
 * @param options - `dtype`, 'float32' (default) or 'float64', and `requiresGrad`.
 * @example
 * ```ts
 * manualSeed(1);
 * const x = rand([100]);
 * x.amin().item() >= 0 && x.amax().item() < 1; // => true
 * ```
 */
export function rand(shape: Sizes, options: TensorOptions = {}, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('rand', 2, rest);
  const tensor = made('rand', shape, options, FLOATING);
  fillUniform(floats(tensor), 0, 1);
  return tensor;
}

/** A tensor of normal numbers of mean 0 and deviation 1, like `rand`. */
export function randn(shape: Sizes, options: TensorOptions = {}, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('randn', 2, rest);
  const tensor = made('randn', shape, options, FLOATING);
  fillNormal(floats(tensor), 0, 1);
  return tensor;
}

/** The shape of `like`, and options with its dtype where they have none. */
function likeOf(who: string, like: unknown, options: TensorOptions): [Sizes, TensorOptions] {
  check.options(who, options, OPTION_NAMES);
  const { shape, dtype } = Tensor.operand(who, 'the first argument', like as Tensor);
  return [shape, { ...options, dtype: options.dtype ?? dtype }];
}

/**
 * Zeros in the shape and dtype of another tensor, which `options` may change. Requires no grad unless it is asked for.
 *
 * @example
 * ```ts
 * zerosLike(tensor([[1, 2]])).toArray(); // => [[0, 0]]
 * ```
 */
export function zerosLike(
  like: TensorLike,
  options: TensorOptions = {},
  ...rest: undefined[]
): Tensor {
  if (rest.length > 0) check.noMore('zerosLike', 2, rest);
  const [shape, own] = likeOf('zerosLike', like, options);
  return constant('zerosLike', shape, 0, own);
}

/** Ones in the shape and dtype of another tensor, like `zerosLike`. */
export function onesLike(
  like: TensorLike,
  options: TensorOptions = {},
  ...rest: undefined[]
): Tensor {
  if (rest.length > 0) check.noMore('onesLike', 2, rest);
  const [shape, own] = likeOf('onesLike', like, options);
  return constant('onesLike', shape, 1, own);
}

/** Normal numbers of mean 0 and deviation 1 in the shape and dtype of another tensor, like `randn`. */
export function randnLike(
  like: TensorLike,
  options: TensorOptions = {},
  ...rest: undefined[]
): Tensor {
  if (rest.length > 0) check.noMore('randnLike', 2, rest);
  const [shape, own] = likeOf('randnLike', like, options);
  const tensor = made('randnLike', shape, own, FLOATING);
  fillNormal(floats(tensor), 0, 1);
  return tensor;
}

/**
 * Ones on the diagonal of a square of zeros.
 *
 * @param n - Rows and columns, at least 0.
 * @example
 * ```ts
 * eye(2).toArray(); // => [[1, 0], [0, 1]]
 * ```
 */
export function eye(n: number, options: TensorOptions = {}, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('eye', 2, rest);
  check.wholeNumber('eye', 'n', n, 0);
  const tensor = constant('eye', [n, n], 0, options);
  const data = tensor.attached('eye');
  const one = elementOf('eye', 1, tensor.dtype, '') as never;
  for (let i = 0; i < n; i++) data[i * (n + 1)] = one;
  return tensor;
}

/**
 * The numbers from 0 to `end`, which is left out. For others: `arange(5).add(2)`.
 *
 * @param end - At least 0; of a fraction the numbers below it.
 * @param options - `dtype`, 'int64' by default as in PyTorch, and `requiresGrad`.
 * @example
 * ```ts
 * arange(3).toArray(); // => [0, 1, 2]
 * arange(3, { dtype: 'float32' }).mul(0.5).toArray(); // => [0, 0.5, 1]
 * ```
 */
export function arange(end: number, options: TensorOptions = {}, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('arange', 2, rest);
  check.numberBetween('arange', 'end', end, 0, Number.MAX_SAFE_INTEGER);
  check.options('arange', options, OPTION_NAMES);
  const { dtype = 'int64' } = options;
  const tensor = made('arange', [Math.ceil(end)], { ...options, dtype }, DTYPES);
  const data = tensor.attached('arange');
  for (let i = 0; i < tensor.numel; i++) data[i] = elementOf('arange', i, dtype, '');
  return tensor;
}

/**
 * So many numbers at equal distances, from `start` to `end`, which is the last. Computed in double and rounded once.
 *
 * @param steps - How many. Of 1, `start`.
 * @param options - `dtype`, 'float32' (default) or 'float64', and `requiresGrad`.
 * @example
 * ```ts
 * linspace(0, 1, 5).toArray(); // => [0, 0.25, 0.5, 0.75, 1]
 * ```
 */
export function linspace(
  start: number,
  end: number,
  steps: number,
  options: TensorOptions = {},
  ...rest: undefined[]
): Tensor {
  const who = 'linspace';
  if (rest.length > 0) check.noMore(who, 4, rest);
  check.numberBetween(who, 'start', start, -LARGEST, LARGEST);
  check.numberBetween(who, 'end', end, -LARGEST, LARGEST);
  check.wholeNumber(who, 'steps', steps, 0);
  const tensor = made(who, [steps], options, FLOATING);
  const data = floats(tensor);
  const step = steps === 1 ? 0 : (end - start) / (steps - 1);
  // From the nearer end, as PyTorch does: both ends are exact.
  for (let i = 0; i < steps; i++) {
    data[i] = i < steps / 2 ? start + step * i : end - step * (steps - 1 - i);
  }
  return tensor;
}

/**
 * The numbers from 0 to n - 1 in an order from the stream of `manualSeed`, as int64: `x.indexSelect(0, randperm(n))`.
 *
 * @example
 * ```ts
 * manualSeed(1);
 * randperm(4).toArray().length; // => 4
 * ```
 */
export function randperm(n: number, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('randperm', 1, rest);
  check.wholeNumber('randperm', 'n', n, 0, 2 ** 32 - 1);
  const tensor = made('randperm', [n], { dtype: 'int64' }, DTYPES);
  const data = tensor.attached('randperm') as BigInt64Array;
  permutation(n).forEach((each, i) => (data[i] = BigInt(each)));
  return tensor;
}
