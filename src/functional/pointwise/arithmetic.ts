// Arithmetic with broadcasting, and functions of one number each. Each formula is one row of native/kernels/pointwise.inc.
// Longer than 250 lines because each public function documents its formula, gradient and errors, and is a few lines.
import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import {
  record,
  recordRepeatable,
  Tensor,
  type Backward,
  type TensorLike,
} from '../../tensor/tensor.js';
import { sumTo } from '../reductions/sum-to.js';
import { binary, chosen, comparison, floatingInput, gradient, unary } from './apply.js';
import { broadcastShape } from './broadcast.js';
import type { BinaryName } from './codes.js';
import { areIntegers, integerArithmetic } from './integers.js';

/** A tensor, or a number that is rounded to the dtype of the other operand. */
export type Operand = TensorLike | number;

/** Two tensors of one floating dtype whose shapes broadcast. */
interface Pair {
  readonly left: Tensor;
  readonly right: Tensor;
  readonly shape: readonly number[];
}

function pairOf(who: string, a: TensorLike, b: TensorLike): Pair {
  const left = Tensor.operand(who, 'the first operand', a);
  const right = Tensor.operand(who, 'the second operand', b);
  check.floating(who, 'the first operand', left);
  check.sameDtype(who, 'the second operand', right, left.dtype);
  const shape = broadcastShape(who, left.shape, right.shape);
  // One of one value has no array, and mul needs none.
  if (left.expandedValue === null) left.present(who, 'the first operand');
  if (right.expandedValue === null) right.present(who, 'the second operand');
  return { left, right, shape };
}

/** Whole numbers beside a number are mostly those of `arange`. */
const MAKING = "; arange(n, { dtype: 'float32' }) makes floats";

/** The first tensor and the number, where one operand is a number. */
function withNumber(who: string, a: Operand, b: Operand): [Tensor, number] | null {
  if (typeof b === 'number' && typeof a !== 'number')
    return [floatingInput(who, a, 'the first operand', MAKING), b];
  if (typeof a === 'number' && typeof b !== 'number')
    return [floatingInput(who, b, 'the second operand', MAKING), a];
  if (typeof a === 'number') throw check.wrongKind(who, 'a tensor among the operands', b);
  return null;
}

// Backwards that hold no tensor. Inside of a function they would hold whatever its other closures do.
const itself = (dy: Tensor): Tensor => dy;
const opposite = (dy: Tensor): Tensor => unary('neg', dy);
const same: Backward = (dy) => [dy];
const both: Backward = (dy) => [dy, dy];
const negated: Backward = (dy) => [opposite(dy)];
const by =
  (name: 'times' | 'divided_by', p: number): Backward =>
  (dy) => [unary(name, dy, p)];

/** Records a sum of two: each gets the gradient, the second by way of a function, summed to its shape. */
function recordSum(
  who: string,
  y: Tensor,
  left: Tensor,
  right: Tensor,
  toSecond: (dy: Tensor) => Tensor,
): Tensor {
  return recordRepeatable(who, y, [left, right], summing(left.shape, right.shape, toSecond));
}

const summing =
  (
    first: readonly number[],
    second: readonly number[],
    toSecond: (dy: Tensor) => Tensor,
  ): Backward =>
  (dy, needs) => [
    needs[0] ? sumTo(dy, first) : null,
    needs[1] ? sumTo(toSecond(dy), second) : null,
  ];

/**
 * a + b. Shapes broadcast as in PyTorch: from the last dimension on, sizes are equal or one of them is 1.
 * The gradient of an operand that was repeated is summed over what it was repeated along.
 *
 * @param a - float32 or float64; or int32 or int64, which wrap around and give int64 where one of both is.
 * @param b - The same dtype, or a number. For integers a whole one.
 * @throws {RangeError} for shapes that do not broadcast, with both.
 * @example
 * ```ts
 * functional.add(tensor([0, 3], { dtype: 'int64' }), 10).toArray(); // => [10, 13]
 * functional.add(tensor([[1], [2]]), tensor([10, 20])).toArray(); // => [[11, 21], [12, 22]]
 * functional.add(tensor([1, 2]), 0.5).toArray(); // => [1.5, 2.5]
 * ```
 */
export function add(a: Operand, b: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('add', 2, rest);
  if (areIntegers('add', a, b)) return integerArithmetic('add', a, b);
  const scalar = withNumber('add', a, b);
  if (scalar !== null) {
    const [x, p] = scalar;
    return recordRepeatable('add', unary('plus', x, p), [x], same);
  }
  const { left, right, shape } = pairOf('add', a as TensorLike, b as TensorLike);
  if (left.shape === shape && check.equalShapes(right.shape, shape)) {
    const y = Tensor.like(left);
    perform(
      {
        who: 'add',
        work: y.numel,
        reads: { 'the first operand': left, 'the second operand': right },
        writes: [y],
      },
      (native, arrayOf) => native.add(arrayOf(left), arrayOf(right), arrayOf(y), y.numel),
    );
    return recordRepeatable('add', y, [left, right], both);
  }
  return recordSum('add', binary('add', left, right, shape), left, right, itself);
}

/**
 * a - b, broadcast like `add`.
 *
 * @example
 * ```ts
 * functional.sub(1, tensor([0.25, 2])).toArray(); // => [0.75, -1]
 * ```
 */
export function sub(a: Operand, b: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('sub', 2, rest);
  if (areIntegers('sub', a, b)) return integerArithmetic('sub', a, b);
  const scalar = withNumber('sub', a, b);
  if (scalar !== null) {
    const [x, p] = scalar;
    return typeof b === 'number'
      ? recordRepeatable('sub', unary('plus', x, -p), [x], same)
      : recordRepeatable('sub', unary('subtract_from', x, p), [x], negated);
  }
  const { left, right, shape } = pairOf('sub', a as TensorLike, b as TensorLike);
  return recordSum('sub', binary('sub', left, right, shape), left, right, opposite);
}

/**
 * a · b, broadcast like `add`.
 *
 * @example
 * ```ts
 * functional.mul(tensor([1, 2]), 0.5).toArray(); // => [0.5, 1]
 * ```
 */
export function mul(a: Operand, b: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('mul', 2, rest);
  if (areIntegers('mul', a, b)) return integerArithmetic('mul', a, b);
  const scalar = withNumber('mul', a, b);
  if (scalar !== null) {
    const [x, p] = scalar;
    return recordRepeatable('mul', unary('times', x, p), [x], by('times', p));
  }
  const { left, right, shape } = pairOf('mul', a as TensorLike, b as TensorLike);
  const kept = [...(left.requiresGrad ? [right] : []), ...(right.requiresGrad ? [left] : [])];
  return record('mul', product(left, right, shape), [left, right], kept, (dy, needs) => [
    needs[0] ? sumTo(product(dy, right, shape), left.shape) : null,
    needs[1] ? sumTo(product(dy, left, shape), right.shape) : null,
  ]);
}

function product(a: Tensor, b: Tensor, shape: readonly number[]): Tensor {
  if (!check.equalShapes(a.shape, b.shape)) return binary('mul', a, b, shape);
  const y = Tensor.like(b);
  const { expandedValue } = a;
  perform(
    {
      who: 'mul',
      work: y.numel,
      reads: { 'an operand': expandedValue === null ? a : null, 'the other operand': b },
      writes: [y],
    },
    (native, arrayOf) =>
      expandedValue !== null
        ? native.scale(arrayOf(b), expandedValue, arrayOf(y), y.numel)
        : native.multiply(arrayOf(a), arrayOf(b), arrayOf(y), y.numel),
  );
  return y;
}

/**
 * a / b, broadcast like `add`. x / 0 is ±∞, 0 / 0 NaN.
 *
 * @example
 * ```ts
 * functional.div(tensor([1, 4]), tensor([2])).toArray(); // => [0.5, 2]
 * ```
 */
export function div(a: Operand, b: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('div', 2, rest);
  const scalar = withNumber('div', a, b);
  if (scalar !== null) {
    const [x, p] = scalar;
    if (typeof b === 'number') {
      return recordRepeatable('div', unary('divided_by', x, p), [x], by('divided_by', p));
    }
    return record('div', unary('divide', x, p), [x], [x], (dy) => [
      gradient('divide_gradient', x, dy, p),
    ]);
  }
  const { left, right, shape } = pairOf('div', a as TensorLike, b as TensorLike);
  const kept = right.requiresGrad ? [left, right] : left.requiresGrad ? [right] : [];
  return record('div', binary('div', left, right, shape), [left, right], kept, (dy, needs) => {
    const part = binary('div', dy, right, shape);
    return [
      needs[0] ? sumTo(part, left.shape) : null,
      needs[1]
        ? sumTo(
            binary('negative_product', part, binary('div', left, right, shape), shape),
            right.shape,
          )
        : null,
    ];
  });
}

function extreme(
  who: 'maximum' | 'minimum',
  derivative: BinaryName,
  a: TensorLike,
  b: TensorLike,
): Tensor {
  const { left, right, shape } = pairOf(who, a, b);
  return record(who, binary(who, left, right, shape), [left, right], [left, right], (dy, needs) => [
    needs[0] ? sumTo(binary('mul', dy, binary(derivative, left, right, shape)), left.shape) : null,
    needs[1] ? sumTo(binary('mul', dy, binary(derivative, right, left, shape)), right.shape) : null,
  ]);
}

/** The larger of a and b, broadcast like `add`; NaN where one is. Where they are equal each gets half of the gradient. */
export function maximum(a: TensorLike, b: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('maximum', 2, rest);
  return extreme('maximum', 'share_of_maximum', a, b);
}

/** The smaller of a and b, broadcast like `add`; NaN where one is. Where they are equal each gets half of the gradient. */
export function minimum(a: TensorLike, b: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('minimum', 2, rest);
  return extreme('minimum', 'share_of_minimum', a, b);
}

/** -x. */
export function neg(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('neg', 1, rest);
  const input = floatingInput('neg', x);
  return recordRepeatable('neg', unary('neg', input), [input], negated);
}

/** |x|. The derivative at 0 is 0. */
export function abs(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('abs', 1, rest);
  const input = floatingInput('abs', x);
  return record('abs', unary('abs', input), [input], [input], (dy) => [
    gradient('abs_gradient', input, dy),
  ]);
}

/** e^x, with an error below 1 unit in the last place. */
export function exp(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('exp', 1, rest);
  const input = floatingInput('exp', x);
  const y = unary('exp', input);
  return record('exp', y, [input], [y], (dy) => [binary('mul', y, dy)]);
}

/** The natural logarithm: -∞ at 0, NaN below. */
export function log(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('log', 1, rest);
  const input = floatingInput('log', x);
  return record('log', unary('log', input), [input], [input], (dy) => [binary('div', dy, input)]);
}

/** log(1 + x), precise near 0: -∞ at -1, NaN below. */
export function log1p(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('log1p', 1, rest);
  const input = floatingInput('log1p', x);
  return record('log1p', unary('log1p', input), [input], [input], (dy) => [
    gradient('log1p_gradient', input, dy),
  ]);
}

/** √x, correctly rounded: NaN below 0. The derivative at 0 is ∞. */
export function sqrt(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('sqrt', 1, rest);
  const input = floatingInput('sqrt', x);
  const y = unary('sqrt', input);
  return record('sqrt', y, [input], [y], (dy) => [gradient('sqrt_gradient', y, dy)]);
}

/** 1 / √x: ∞ at 0, NaN below. */
export function rsqrt(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('rsqrt', 1, rest);
  const input = floatingInput('rsqrt', x);
  const y = unary('rsqrt', input);
  return record('rsqrt', y, [input], [y], (dy) => [gradient('rsqrt_gradient', y, dy)]);
}

/**
 * x to the power p; one of them may be a number, and two tensors broadcast like `add`. NaN for a negative x, unless p is
 * whole; x^0 is 1, also for NaN, and 1^p too. dx = p x^(p - 1) dy, 0 where p is 0; dp = x^p log(x) dy, 0 where x is 0
 * and p at least 0.
 *
 * @param p - A number is finite.
 * @example
 * ```ts
 * functional.pow(tensor([-2, 3]), 2).toArray(); // => [4, 9]
 * functional.pow(2, tensor([1, 2, 0.5])).toArray().map((each) => each.toFixed(4)); // => ['2.0000', '4.0000', '1.4142']
 * ```
 */
export function pow(x: Operand, p: Operand, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('pow', 2, rest);
  if (typeof p !== 'number') return powerOfTensors(x, p);
  if (typeof x === 'number') throw check.wrongKind('pow', 'a tensor among the operands', p);
  return powerOfNumber(x, p);
}

function powerOfTensors(x: Operand, p: TensorLike): Tensor {
  const exponent = floatingInput('pow', p, 'the exponent');
  const base = typeof x === 'number' ? Tensor.filled([], exponent.dtype, x) : x;
  const { left, right, shape } = pairOf('pow', base, exponent);
  const y = binary('power', left, right, shape);
  return record('pow', y, [left, right], [left, right], (dy, needs) => {
    const chained = (name: 'power_derivative' | 'power_logarithm'): Tensor =>
      binary('mul', dy, binary(name, left, right, shape), shape);
    return [
      needs[0] ? sumTo(unlessZero(chained('power_derivative'), right), left.shape) : null,
      needs[1] ? sumTo(chained('power_logarithm'), right.shape) : null,
    ];
  });
}

/** `values`, but 0 where p is 0, whatever they are there. */
function unlessZero(values: Tensor, p: Tensor): Tensor {
  const zero = Tensor.filled([], p.dtype, 0);
  return chosen(comparison('eq', p, zero, p.shape), zero, values, values.shape);
}

function powerOfNumber(x: TensorLike, p: number): Tensor {
  const input = floatingInput('pow', x);
  if (!Number.isFinite(p))
    throw check.wrongValue('pow', 'p to be a finite number', check.describe(p));
  if (p === 2) {
    return record('pow', unary('square', input), [input], [input], (dy) => [
      gradient('square_gradient', input, dy),
    ]);
  }
  if (p === 0.5) {
    const y = unary('sqrt', input);
    return record('pow', y, [input], [y], (dy) => [gradient('sqrt_gradient', y, dy)]);
  }
  // In float32 these are rounded once too; in float64 the general function is as good.
  const isRounded = input.dtype === 'float32';
  if (p === 3 && isRounded) {
    return record('pow', unary('cube', input), [input], [input], (dy) => [
      gradient('cube_gradient', input, dy),
    ]);
  }
  const y = p === -1 && isRounded ? unary('divide', input, 1) : unary('pow', input, p);
  return record('pow', y, [input], [input], (dy) => [
    p === 0 ? Tensor.expanded(input.shape, input.dtype, 0) : gradient('pow_gradient', input, dy, p),
  ]);
}

export interface ClampOptions {
  /** What lies below becomes this. Default: no bound. */
  min?: number | undefined;
  /** What lies above becomes this, also where `min` is larger. Default: no bound. */
  max?: number | undefined;
}

/**
 * min(max(x, options.min), options.max); NaN stays NaN. The derivative is 1 between the bounds and on them, else 0.
 *
 * @throws {TypeError} when neither bound is given.
 * @example
 * ```ts
 * functional.clamp(tensor([-2, 0.5, 9]), { min: 0, max: 6 }).toArray(); // => [0, 0.5, 6]
 * ```
 */
export function clamp(x: TensorLike, options: ClampOptions, ...rest: undefined[]): Tensor {
  return clamped('clamp', x, options, rest);
}

/** `clamp`, by its other name. */
export function clip(x: TensorLike, options: ClampOptions, ...rest: undefined[]): Tensor {
  return clamped('clip', x, options, rest);
}

function clamped(
  who: string,
  x: TensorLike,
  options: ClampOptions,
  rest: readonly undefined[],
): Tensor {
  check.options(who, options, ['min', 'max']); // before the rest: clamp(x, 0, 1) is PyTorch's
  if (rest.length > 0) check.noMore(who, 2, rest);
  const input = floatingInput(who, x);
  const { min, max } = (options as ClampOptions | undefined) ?? {};
  if (min === undefined && max === undefined) {
    throw new TypeError(
      `${who}: expected min or max (At least one of min or max must not be None), got neither.`,
    );
  }
  const least = min === undefined ? -Infinity : bound(who, 'min', min);
  const most = max === undefined ? Infinity : bound(who, 'max', max);
  return record(who, unary('clamp', input, least, most), [input], [input], (dy) => [
    gradient('clamp_gradient', input, dy, least, most),
  ]);
}

function bound(who: string, name: string, value: unknown): number {
  if (typeof value !== 'number') throw check.wrongKind(who, `${name} to be a number`, value);
  if (Number.isNaN(value)) throw check.wrongValue(who, `${name} to be a number`, 'NaN');
  return value;
}
