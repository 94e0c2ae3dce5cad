// Lengths of vectors, and distances between them.
import * as check from '../check/index.js';
import { record, type Tensor, type TensorLike } from '../tensor/tensor.js';
import { dimsOf, type DimList } from './dims.js';
import { binary, floatingInput, gradient, unary } from './pointwise/apply.js';
import { abs, pow, sub } from './pointwise/arithmetic.js';
import { reduce, reducedShape } from './reductions/reduce.js';
import { amax, sum } from './reductions/reductions.js';
import { unsqueeze } from './shapes/reshape.js';

export interface NormOptions {
  /** 2 (default): the root of the sum of squares; 1: the sum of sizes; Infinity: the largest size; another above 0. */
  p?: number | undefined;
  /** A dimension or several; negative ones count from the end. Default: all. */
  dim?: number | readonly number[] | undefined;
  /** Keep the dimensions with size 1. Default false. */
  keepdim?: boolean | undefined;
}

/** What may follow p: the dimension and `keepdim`, as in PyTorch, or the other options. */
export type AfterP = [dim?: DimList | Omit<NormOptions, 'p'>, keepdim?: boolean];

/**
 * ‖x‖ = (Σ |x|^p)^(1 / p), of all elements or along dimensions: for p = 2 summed in double, so that float32 does not overflow. The gradient
 * where the norm is 0 is 0; for p = Infinity the largest ones share it.
 *
 * @param options - Or p, as in PyTorch, and behind it the dimension: `x.norm(2, 1)`. A number alone is p.
 * @example
 * ```ts
 * functional.norm(tensor([3, -4])).item(); // => 5
 * tensor([[3, 4], [1, 1]]).norm({ dim: 0, p: 1 }).toArray(); // => [4, 5]
 * tensor([[3, 4], [6, 8]]).norm(2, 1, true).toArray(); // => [[5], [10]]
 * ```
 */
export function norm(x: TensorLike, options: NormOptions | number = {}, ...rest: AfterP): Tensor {
  const who = 'norm';
  const { p = 2, dim, keepdim } = optionsOf(who, options, rest);
  const input = floatingInput(who, x);
  checkP(who, p);
  const keeps = check.booleanOption(who, 'keepdim', keepdim);
  return normOf(who, input, p, dimsOf(who, dim, input.shape.length), keeps);
}

function optionsOf(
  who: string,
  given: NormOptions | number,
  rest: readonly unknown[],
): NormOptions {
  let options = given as NormOptions;
  if (typeof given === 'number') {
    const [dim, keepdim] = rest;
    const isOptions = check.isPlainObject(dim);
    if (rest.length > (isOptions ? 1 : 2)) check.noMore(who, 4, rest.slice(2));
    if (isOptions && 'p' in dim) check.noMore(who, 2, rest);
    options = (isOptions ? { ...dim, p: given } : { p: given, dim, keepdim }) as NormOptions;
  } else if (rest.length > 0) {
    check.noMore(who, 2, rest);
  }
  check.options(who, options, ['p', 'dim', 'keepdim']);
  return options;
}

/** That p is one of a norm. */
export function checkP(who: string, p: unknown): void {
  if (typeof p !== 'number') throw check.wrongKind(who, 'p to be a number', p);
  if (!(p > 0)) throw check.wrongValue(who, 'p above 0', check.describe(p));
}

/** ‖x‖ along dimensions, which are ascending. */
export function normOf(
  who: string,
  x: Tensor,
  p: number,
  dims: readonly number[],
  keepdim: boolean,
): Tensor {
  if (p === Infinity) return amax(abs(x), { dim: dims, keepdim });
  if (p === 1) return sum(abs(x), { dim: dims, keepdim });
  const shape = reducedShape(x.shape, dims, keepdim);
  const kept = reducedShape(x.shape, dims, true);
  const y =
    p === 2
      ? reduce('norm', x, dims, shape)
      : pow(sum(pow(abs(x.detach()), p), { dim: dims, keepdim }), 1 / p);
  return record(who, y, [x], [x, y], (dy) => {
    // d norm = sign(x) (|x| / norm)^(p - 1), and 0 where x is 0, as it is where the norm is.
    const least = x.dtype === 'float32' ? 2 ** -126 : 2 ** -1022;
    const length = unary('clamp', y.alias(kept), least, Infinity);
    const unit = binary('div', x, length, x.shape);
    const spread = dy.alias(kept);
    if (p === 2) return [binary('mul', unit, spread, x.shape)];
    const power = unary('pow', unary('abs', unit), p - 1);
    return [gradient('abs_gradient', x, binary('mul', power, spread, x.shape))];
  });
}

export interface CdistOptions {
  /** The norm: 2 (default), 1, another number above 0, or Infinity. */
  p?: number | undefined;
}

/**
 * The distance of every row of a to every row of b: y[i][j] = ‖a[i] - b[j]‖. From the differences themselves, so that
 * close rows far from 0 have their distance; they take memory for M · N · size values. The gradient where a distance is 0
 * is 0.
 *
 * @param a - [M, size], or with dimensions before that broadcast; float32 or float64.
 * @param b - [N, size], the same dtype.
 * @returns [M, N]
 * @example
 * ```ts
 * functional.cdist(tensor([[0, 0], [3, 4]]), tensor([[0, 0]])).toArray(); // => [[0], [5]]
 * ```
 */
export function cdist(a: TensorLike, b: TensorLike, options: CdistOptions = {}): Tensor {
  const who = 'cdist';
  check.options(who, options, ['p']);
  const { p = 2 } = options;
  checkP(who, p);
  const left = floatingInput(who, a, 'the first operand');
  const right = floatingInput(who, b, 'the second operand');
  check.sameDtype(who, 'the second operand', right, left.dtype);
  const [rankA, rankB] = [left.shape.length, right.shape.length];
  if (rankA < 2 || rankB < 2 || left.shape.at(-1) !== right.shape.at(-1)) {
    const what = 'shapes [M, size] and [N, size] (X1 and X2 must have the same number of columns)';
    const got = `${check.shapeText(left.shape)} and ${check.shapeText(right.shape)}`;
    throw check.wrongValue(who, what, got);
  }
  const differences = sub(unsqueeze(left, -2), unsqueeze(right, -3));
  return normOf(who, differences, p, [differences.shape.length - 1], false);
}
