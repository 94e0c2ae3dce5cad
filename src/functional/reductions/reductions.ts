// Sums, means and the like over some dimensions, or all.
// Longer than 250 lines because each public function documents its formula and options, and they share two plans.
import * as check from '../../check/index.js';
import type { TensorData } from '../../memory/dtype.js';
import { perform } from '../../run/deferral.js';
import {
  record,
  recordRepeatable,
  Tensor,
  ValuesAndIndices,
  type Backward,
  type TensorLike,
} from '../../tensor/tensor.js';
import { around, dimOf, dimsOf, optionsOf, type AfterDim, type DimList } from '../dims.js';
import { binary, floatingInput, gradient, unary } from '../pointwise/apply.js';
import { isInteger } from '../pointwise/integers.js';
import { inputOf } from '../shapes/arguments.js';
import { recordSelected, select } from '../shapes/select.js';
import { integerExtremes, integerPlaces } from './integer-extremes.js';
import { integerSum } from './integer-sum.js';
import { reduce, reducedShape, type ReduceName } from './reduce.js';

export interface DimOptions {
  /** A dimension or several; negative ones count from the end. Default: all. */
  dim?: number | readonly number[] | undefined;
  /** Keep the dimensions with size 1. Default false. */
  keepdim?: boolean | undefined;
}

export interface VarOptions extends DimOptions {
  /** The divisor is the number of values less this: 1 (default) for an unbiased estimate, 0 for a batch's own. */
  correction?: number | undefined;
}

interface Plan {
  readonly input: Tensor;
  readonly dims: readonly number[];
  readonly shape: readonly number[];
  /** The same with the sizes of 1, for what backward broadcasts. */
  readonly kept: readonly number[];
  readonly size: number;
}

function planOf(
  who: string,
  x: TensorLike,
  options: DimOptions,
  names = ['dim', 'keepdim'],
  inputFrom: (who: string, x: TensorLike) => Tensor = floatingInput,
): Plan {
  check.options(who, options, names);
  const input = inputFrom(who, x);
  const dims = dimsOf(who, options.dim, input.shape.length);
  const keepdim = check.booleanOption(who, 'keepdim', options.keepdim);
  return {
    input,
    dims,
    shape: reducedShape(input.shape, dims, keepdim),
    kept: reducedShape(input.shape, dims, true),
    size: dims.reduce((product, dim) => product * input.shape[dim]!, 1),
  };
}

/** dy over a divisor for every value that went into it; holds no tensor. */
const spreading =
  ({ whole, kept }: Spread, divisor: number): Backward =>
  (dy) => {
    if (dy.numel === 1) return [Tensor.expanded(whole, dy.dtype, dy.item() / divisor)];
    const part = divisor === 1 ? dy : unary('divided_by', dy, divisor);
    return [binary('add', part.alias(kept), Tensor.filled([], dy.dtype, 0), whole)];
  };

/** The shape of what was reduced, and of what backward broadcasts to it. */
interface Spread {
  readonly whole: readonly number[];
  readonly kept: readonly number[];
}

/**
 * The sum of all elements, or over some dimensions: added in double (float64: in two doubles), rounded once.
 *
 * @param x - float32 or float64; of int32 and int64, such as a mask, the sum is an int64, exactly.
 * @returns A scalar; with `dim`, the other dimensions.
 * @throws {RangeError} for a dimension that x does not have.
 * @example
 * ```ts
 * const x = tensor([[1, 2], [3, 4]]);
 * functional.sum(x).item(); // => 10
 * functional.sum(x, { dim: 0 }).toArray(); // => [4, 6]
 * functional.sum(x, { dim: -1, keepdim: true }).toArray(); // => [[3], [7]]
 * functional.sum(functional.gt(x, 1)).item(); // => 3
 * ```
 */
export function sum(
  x: TensorLike,
  options: DimOptions | DimList = {},
  ...rest: AfterDim<DimOptions>
): Tensor {
  const plan = planOf('sum', x, optionsOf('sum', options, rest, 'keepdim'), undefined, inputOf);
  const { input, dims, shape, size } = plan;
  if (isInteger(input)) return integerSum(input, dims, size, shape);
  const to = { whole: input.shape, kept: plan.kept };
  const y =
    dims.length === input.shape.length
      ? total(input, shape, 'sum')
      : reduce('sum', input, dims, shape);
  return recordRepeatable('sum', y, [input], spreading(to, 1));
}

/** The mean of all elements, or over some dimensions, rounded once: that of equal values is their value. NaN of none. */
export function mean(
  x: TensorLike,
  options: DimOptions | DimList = {},
  ...rest: AfterDim<DimOptions>
): Tensor {
  const plan = planOf('mean', x, optionsOf('mean', options, rest, 'keepdim'), undefined, meanInput);
  const { input, dims, shape, size } = plan;
  const to = { whole: input.shape, kept: plan.kept };
  const y =
    dims.length === input.shape.length
      ? total(input, shape, 'mean')
      : reduce('mean', input, dims, shape);
  return recordRepeatable('mean', y, [input], spreading(to, size));
}

/** Of whole numbers, which are mostly a comparison's: how many hold, over how many there are. */
function meanInput(who: string, x: TensorLike): Tensor {
  const more = '; x.sum().item() / x.numel is the mean of a comparison';
  return floatingInput(who, x, undefined, more);
}

function total(input: Tensor, shape: readonly number[], name: 'sum' | 'mean'): Tensor {
  const y = Tensor.uninitialized(shape, input.dtype);
  perform(
    { who: name, work: input.numel, reads: { 'the input': input }, writes: [y] },
    (native, arrayOf) => native[name](arrayOf(input), input.numel),
    (arrayOf, result) => {
      arrayOf(y)[0] = result as number;
    },
  );
  return y;
}

function variance(who: 'var' | 'std', x: TensorLike, options: VarOptions): Tensor {
  const plan = planOf(who, x, options, ['dim', 'keepdim', 'correction']);
  const { correction = 1 } = options;
  check.numberBetween(who, 'correction', correction, 0, Infinity);
  const { input, dims, shape, kept, size } = plan;
  const y = reduce(who, input, dims, shape, correction);
  const saved = who === 'std' ? [input, y] : [input];
  return record(who, y, [input], saved, (dy) => {
    // d var = 2 (x - mean) / (size - correction); d std = d var / (2 std), and 0 where std is.
    const centre = reduce('mean', input, dims, kept);
    const deviation = binary('sub', input, centre, input.shape);
    const divisor = size - correction;
    const part =
      who === 'var'
        ? unary('times', dy, 2 / divisor)
        : unary('divided_by', quotient(dy, y), divisor);
    return [binary('mul', deviation, part.alias(kept), input.shape)];
  });
}

/** dy / y for y of at least 0, and 0 where y is 0. Of calls that can run beside the event loop. */
function quotient(dy: Tensor, y: Tensor): Tensor {
  const least = y.dtype === 'float32' ? 2 ** -149 : Number.MIN_VALUE;
  return binary('div', gradient('abs_gradient', y, dy), unary('clamp', y, least, Infinity));
}

/** The variance: Σ (x - mean)² / (size - correction), in double, about the mean. */
function varOf(
  x: TensorLike,
  options: VarOptions | DimList = {},
  ...rest: AfterDim<VarOptions, never>
): Tensor {
  return variance('var', x, optionsOf('var', options, rest));
}
export { varOf as var };

/** The square root of the variance. The derivative where it is 0 is 0, as in PyTorch. */
export function std(
  x: TensorLike,
  options: VarOptions | DimList = {},
  ...rest: AfterDim<VarOptions, never>
): Tensor {
  return variance('std', x, optionsOf('std', options, rest));
}

/** log Σ e^x, without overflow. */
export function logsumexp(
  x: TensorLike,
  options: DimOptions | DimList = {},
  ...rest: AfterDim<DimOptions>
): Tensor {
  const plan = planOf('logsumexp', x, optionsOf('logsumexp', options, rest, 'keepdim'));
  const { input, dims, shape, kept } = plan;
  const y = reduce('logsumexp', input, dims, shape);
  return record('logsumexp', y, [input], [input, y], (dy) => {
    const softmax = unary('exp', binary('sub', input, y.alias(kept), input.shape));
    return [binary('mul', softmax, dy.alias(kept), input.shape)];
  });
}

function extremes(who: 'amax' | 'amin', x: TensorLike, options: DimOptions): Tensor {
  const plan = planOf(who, x, options, undefined, inputOf);
  const { input, dims, shape, kept, size } = plan;
  someOf(who, input, size);
  if (isInteger(input)) return integerExtremes(who, who === 'amax', input, dims, size, shape);
  const y = reduce(who, input, dims, shape);
  return record(who, y, [input], [input, y], (dy) => {
    // Those that are equal to it share the gradient; NaN is equal to nothing, and the gradient NaN.
    const equal = binary('equal', input, y.alias(kept), input.shape);
    const many = reduce('sum', equal, dims, kept);
    return [binary('mul', equal, binary('div', dy.alias(kept), many, kept), input.shape)];
  });
}

function someOf(who: string, input: Tensor, size: number): void {
  if (size > 0) return;
  throw check.wrongValue(
    who,
    'a dimension of size at least 1 to reduce (the operation does not have an identity)',
    `shape ${check.shapeText(input.shape)}`,
  );
}

/** The largest values, also of int32 and int64; NaN where there is one. Those that are equal share the gradient evenly. */
export function amax(
  x: TensorLike,
  options: DimOptions | DimList = {},
  ...rest: AfterDim<DimOptions>
): Tensor {
  return extremes('amax', x, optionsOf('amax', options, rest, 'keepdim'));
}

/** The smallest values, also of int32 and int64; NaN where there is one. Those that are equal share the gradient evenly. */
export function amin(
  x: TensorLike,
  options: DimOptions | DimList = {},
  ...rest: AfterDim<DimOptions>
): Tensor {
  return extremes('amin', x, optionsOf('amin', options, rest, 'keepdim'));
}

export interface OneDimOptions {
  /** The dimension; negative ones count from the end. */
  dim: number;
  /** Keep the dimension with size 1. Default false. */
  keepdim?: boolean | undefined;
}

/** What two tensors were meant for. */
const OF_TWO: Readonly<Record<string, string>> = {
  max: 'maximum(a, b) takes the larger of each',
  min: 'minimum(a, b) takes the smaller of each',
};

interface OnePlan {
  readonly input: Tensor;
  readonly dim: number;
  readonly keepdim: boolean;
}

function onePlanOf(who: string, x: TensorLike, options: OneDimOptions): OnePlan {
  check.options(who, options, ['dim', 'keepdim'], { ofTensor: OF_TWO[who] });
  const input = inputOf(who, x);
  const dim = dimOf(who, 'dim', (options as OneDimOptions | undefined)?.dim, input.shape.length);
  const keepdim = check.booleanOption(who, 'keepdim', options.keepdim);
  someOf(who, input, input.shape[dim] ?? 1);
  return { input, dim, keepdim };
}

function bestIndices(who: string, largest: boolean, { input, dim, keepdim }: OnePlan): Tensor {
  const indices = Tensor.uninitialized(reducedShape(input.shape, [dim], keepdim), 'int64');
  const [outer, size, inner] = around(input, dim);
  if (indices.numel === 0) return indices;
  if (isInteger(input)) {
    integerPlaces(who, largest, input, dim, indices);
    return indices;
  }
  perform(
    { who, work: input.numel, reads: { 'the input': input }, writes: [indices] },
    (native, arrayOf) => {
      const places = arrayOf(indices) as TensorData as BigInt64Array;
      return native.extremeIndices(arrayOf(input), places, largest, outer, size, inner);
    },
  );
  return indices;
}

function withIndices(who: 'max' | 'min', x: TensorLike, options: OneDimOptions): ValuesAndIndices {
  const plan = onePlanOf(who, x, options);
  const { input, dim } = plan;
  const indices = bestIndices(who, who === 'max', plan);
  const [outer, size, inner] = around(input, dim);
  const selection = { who, index: indices, outer, size, count: 1, inner };
  const values = select('gather', input, indices.shape, selection);
  return new ValuesAndIndices(recordSelected(values, input, selection), indices);
}

/**
 * The largest value, of all or along a dimension, and where it was. NaN is the largest. With `dim` the gradient goes to
 * the first of equal ones; without, they share it.
 *
 * @example
 * ```ts
 * const { values, indices } = functional.max(tensor([[1, 5, 5], [7, 2, 3]]), { dim: 1 });
 * values.toArray(); // => [5, 7]
 * indices.toArray(); // => [1, 0]
 * functional.max(tensor([3, 1])).item(); // => 3
 * ```
 */
export function max(x: TensorLike): Tensor;
export function max(
  x: TensorLike,
  options: OneDimOptions | number,
  ...rest: AfterDim<OneDimOptions>
): ValuesAndIndices;
export function max(
  x: TensorLike,
  options?: OneDimOptions | number,
  ...rest: AfterDim<OneDimOptions>
): Tensor | ValuesAndIndices {
  if (options === undefined) return whole('max', 'amax', x);
  return withIndices('max', x, optionsOf('max', options, rest, 'keepdim'));
}

/** The smallest value, like `max`. NaN is the smallest. */
export function min(x: TensorLike): Tensor;
export function min(
  x: TensorLike,
  options: OneDimOptions | number,
  ...rest: AfterDim<OneDimOptions>
): ValuesAndIndices;
export function min(
  x: TensorLike,
  options?: OneDimOptions | number,
  ...rest: AfterDim<OneDimOptions>
): Tensor | ValuesAndIndices {
  if (options === undefined) return whole('min', 'amin', x);
  return withIndices('min', x, optionsOf('min', options, rest, 'keepdim'));
}

function whole(who: string, name: ReduceName & ('amax' | 'amin'), x: TensorLike): Tensor {
  const input = inputOf(who, x);
  someOf(who, input, input.numel);
  return extremes(name, input, {});
}

export interface ArgOptions {
  /** The dimension; negative ones count from the end. Default: over all elements in their order. */
  dim?: number | undefined;
  /** Keep the dimension with size 1. Default false. */
  keepdim?: boolean | undefined;
}

function places(who: string, largest: boolean, x: TensorLike, options: ArgOptions): Tensor {
  check.options(who, options, ['dim', 'keepdim']);
  if (options.dim !== undefined)
    return bestIndices(who, largest, onePlanOf(who, x, options as OneDimOptions));
  const input = inputOf(who, x);
  someOf(who, input, input.numel);
  check.booleanOption(who, 'keepdim', options.keepdim);
  return bestIndices(who, largest, { input: input.alias([input.numel]), dim: 0, keepdim: false });
}

/** Where the largest value is: the first of equal ones, or the first NaN. int64. */
export function argmax(
  x: TensorLike,
  options: ArgOptions | number = {},
  ...rest: AfterDim<ArgOptions>
): Tensor {
  return places('argmax', true, x, optionsOf('argmax', options, rest, 'keepdim'));
}

/** Where the smallest value is: the first of equal ones, or the first NaN. int64. */
export function argmin(
  x: TensorLike,
  options: ArgOptions | number = {},
  ...rest: AfterDim<ArgOptions>
): Tensor {
  return places('argmin', false, x, optionsOf('argmin', options, rest, 'keepdim'));
}
