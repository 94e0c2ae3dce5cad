// Products of matrices, on the multiply that linear() has.
import * as check from '../check/index.js';
import { perform } from '../run/deferral.js';
import { record, Tensor, type TensorLike } from '../tensor/tensor.js';
import { workOf } from './linear.js';
import { floatingInput } from './pointwise/apply.js';
import { mul } from './pointwise/arithmetic.js';
import { reduce } from './reductions/reduce.js';
import { reshape } from './shapes/reshape.js';

function pairOf(who: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const left = floatingInput(who, a, 'the first operand');
  const right = floatingInput(who, b, 'the second operand');
  check.sameDtype(who, 'the second operand', right, left.dtype);
  return [left, right];
}

function mismatch(who: string, what: string, a: Tensor, b: Tensor): RangeError {
  return check.wrongValue(who, what, `${check.shapeText(a.shape)} and ${check.shapeText(b.shape)}`);
}

/** Products a[i] b[i]; of an operand that is repeated there is one matrix. */
interface Batch {
  readonly count: number;
  readonly repeatA: boolean;
  readonly repeatB: boolean;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** c[i] = a[i] b[i], one after another; a transposed operand is stored [columns, rows]. */
function multiply(
  who: string,
  a: Tensor,
  b: Tensor,
  shape: readonly number[],
  { count, repeatA, repeatB, m, n, k }: Batch,
  transposeA: boolean,
  transposeB: boolean,
): Tensor {
  const c = Tensor.uninitialized(shape, a.dtype);
  perform(
    {
      who,
      work: count * workOf(m, n, k),
      reads: { 'the first operand': a, 'the second operand': b },
      writes: [c],
    },
    (native, arrayOf) => {
      const [left, right, to] = [arrayOf(a), arrayOf(b), arrayOf(c)];
      const batch = [count, repeatA, repeatB] as const;
      return native.matmulBatch(left, right, to, ...batch, m, n, k, transposeA, transposeB);
    },
  );
  return c;
}

/** The products under a shape, recorded. */
function product(
  who: string,
  a: Tensor,
  b: Tensor,
  shape: readonly number[],
  batch: Batch,
): Tensor {
  const { count, repeatA, repeatB, m, n, k } = batch;
  const y = multiply(who, a, b, shape, batch, false, false);
  const kept = [...(b.requiresGrad ? [a] : []), ...(a.requiresGrad ? [b] : [])];
  /** The gradients of an operand, of which one that was repeated gets the sum. */
  const whole = (
    of: Tensor,
    repeated: boolean,
    size: number,
    make: (shape: readonly number[]) => Tensor,
  ): Tensor =>
    repeated && count !== 1 ? reduce('sum', make([count, size]), [0], of.shape) : make(of.shape);
  return record(who, y, [a, b], kept, (dy, needs) => [
    // da = dy bᵀ, db = aᵀ dy
    needs[0]
      ? whole(a, repeatA, m * k, (to) =>
          multiply(who, dy, b, to, { count, repeatA: false, repeatB, m, n: k, k: n }, false, true),
        )
      : null,
    needs[1]
      ? whole(b, repeatB, k * n, (to) =>
          multiply(who, a, dy, to, { count, repeatA, repeatB: false, m: k, n, k: m }, true, false),
        )
      : null,
  ]);
}

/**
 * The product of two matrices, of a matrix and a vector, of two vectors (their dot product), or of batches of matrices
 * [batch, m, k] and [batch, k, n]: a batch of 1, or a matrix, is used for all.
 *
 * @param a - 1 to 3 dimensions, float32 or float64.
 * @param b - The same dtype.
 * @throws {RangeError} with both shapes, where they do not fit.
 * @example
 * ```ts
 * functional.matmul(tensor([[1, 2], [3, 4]]), tensor([1, 1])).toArray(); // => [3, 7]
 * ```
 */
export function matmul(a: TensorLike, b: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('matmul', 2, rest);
  const who = 'matmul';
  const [left, right] = pairOf(who, a, b);
  const [rankA, rankB] = [left.shape.length, right.shape.length];
  if (rankA < 1 || rankB < 1 || rankA > 3 || rankB > 3) {
    throw mismatch(who, 'operands of 1 to 3 dimensions', left, right);
  }
  const k = left.shape.at(-1)!;
  const inner = right.shape.at(rankB === 1 ? 0 : -2)!;
  if (k !== inner) {
    throw mismatch(
      who,
      'shapes [m, k] and [k, n] (mat1 and mat2 shapes cannot be multiplied)',
      left,
      right,
    );
  }
  // A vector is a row on the left, a column on the right.
  const m = rankA === 1 ? 1 : left.shape.at(-2)!;
  const n = rankB === 1 ? 1 : right.shape.at(-1)!;
  const [batchA, batchB] = [rankA === 3 ? left.shape[0]! : 1, rankB === 3 ? right.shape[0]! : 1];
  if (batchA !== batchB && batchA !== 1 && batchB !== 1) {
    throw mismatch(who, 'batches of one size, or of 1', left, right);
  }
  const batch = rankA === 3 || rankB === 3 ? [batchA === 1 ? batchB : batchA] : [];
  const shape = [...batch, ...(rankA === 1 ? [] : [m]), ...(rankB === 1 ? [] : [n])];
  // Rows of many matrices that meet one are those of one matrix.
  const flat = rankA === 3 && batchB === 1;
  return product(who, left, right, shape, {
    count: flat ? 1 : batchA === 1 ? batchB : batchA,
    repeatA: flat || batchA === 1,
    repeatB: batchB === 1,
    m: flat ? batchA * m : m,
    n,
    k,
  });
}

/**
 * The products of matrices one by one.
 *
 * @param a - [batch, m, k], float32 or float64.
 * @param b - [batch, k, n], the same dtype.
 */
export function bmm(a: TensorLike, b: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('bmm', 2, rest);
  const [left, right] = pairOf('bmm', a, b);
  if (left.shape.length !== 3 || right.shape.length !== 3 || left.shape[0] !== right.shape[0]) {
    throw mismatch(
      'bmm',
      'shapes [batch, m, k] and [batch, k, n] (batch1 must be a 3D tensor)',
      left,
      right,
    );
  }
  const [count, m, k] = left.shape as readonly [number, number, number];
  const [, inner, n] = right.shape as readonly [number, number, number];
  if (k !== inner) {
    throw mismatch(
      'bmm',
      'shapes [batch, m, k] and [batch, k, n] (mat1 and mat2 shapes cannot be multiplied)',
      left,
      right,
    );
  }
  const batch = { count, repeatA: false, repeatB: false, m, n, k };
  return product('bmm', left, right, [count, m, n], batch);
}

/**
 * The product of two matrices, and of nothing else: `matmul` takes vectors and batches too.
 *
 * @param a - [m, k], float32 or float64.
 * @param b - [k, n], the same dtype.
 * @example
 * ```ts
 * functional.mm(tensor([[1, 2]]), tensor([[3], [4]])).toArray(); // => [[11]]
 * ```
 */
export function mm(a: TensorLike, b: TensorLike, ...rest: undefined[]): Tensor {
  const who = 'mm';
  if (rest.length > 0) check.noMore(who, 2, rest);
  const [left, right] = pairOf(who, a, b);
  if (left.shape.length !== 2 || right.shape.length !== 2) {
    const what = 'two matrices (self must be a matrix; matmul takes vectors and batches)';
    throw mismatch(who, what, left, right);
  }
  const [m, k] = left.shape as readonly [number, number];
  const [inner, n] = right.shape as readonly [number, number];
  if (k !== inner) {
    const what = 'shapes [m, k] and [k, n] (mat1 and mat2 shapes cannot be multiplied)';
    throw mismatch(who, what, left, right);
  }
  return product(who, left, right, [m, n], { count: 1, repeatA: false, repeatB: false, m, n, k });
}

/** Two vectors of one dtype. */
function vectorsOf(who: string, a: TensorLike, b: TensorLike, what: string): [Tensor, Tensor] {
  const pair = pairOf(who, a, b);
  if (pair.some(({ shape }) => shape.length !== 1)) throw mismatch(who, what, ...pair);
  return pair;
}

/**
 * Σ a[i] b[i] of two vectors.
 *
 * @example
 * ```ts
 * functional.dot(tensor([1, 2]), tensor([3, 4])).item(); // => 11
 * ```
 */
export function dot(a: TensorLike, b: TensorLike, ...rest: undefined[]): Tensor {
  const who = 'dot';
  if (rest.length > 0) check.noMore(who, 2, rest);
  const [left, right] = vectorsOf(who, a, b, 'two vectors (1D tensors expected)');
  const k = left.shape[0]!;
  if (k !== right.shape[0]) {
    throw mismatch(who, 'vectors of one length (inconsistent tensor size)', left, right);
  }
  const batch = { count: 1, repeatA: false, repeatB: false, m: 1, n: 1, k };
  return product(who, left, right, [], batch);
}

/**
 * Every product of an element of one vector and one of another: y[i][j] = a[i] b[j].
 *
 * @example
 * ```ts
 * functional.outer(tensor([1, 2]), tensor([3, 4])).toArray(); // => [[3, 4], [6, 8]]
 * ```
 */
export function outer(a: TensorLike, b: TensorLike, ...rest: undefined[]): Tensor {
  const who = 'outer';
  if (rest.length > 0) check.noMore(who, 2, rest);
  const [left, right] = vectorsOf(who, a, b, 'two vectors (Expected 1-D argument)');
  return mul(reshape(left, [left.numel, 1]), right);
}
