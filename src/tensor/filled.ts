// Tensors of a shape alone: all of one value, or drawn from the stream of random numbers.
import * as check from '../check/index.js';
import { elementOf } from '../memory/convert.js';
import { DTYPES, type DType } from '../memory/dtype.js';
import type { TensorOptions } from './create.js';
import type { Sizes } from './interop.js';
import { fillNormal, fillUniform } from './random.js';
import { floats, Tensor } from './tensor.js';

const OPTION_NAMES = ['dtype', 'requiresGrad'];
const FLOATING = ['float32', 'float64'] as const;

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
