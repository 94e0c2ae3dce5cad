// Products of matrices, on the multiply that linear() has.
import * as check from '../check/index.js';
import { perform } from '../run/deferral.js';
import { record, Tensor, type TensorLike } from '../tensor/tensor.js';
import { workOf } from './linear.js';
import { floatingInput } from './pointwise/apply.js';
import { sumTo } from './reductions/sum-to.js';

function pairOf(who: string, a: TensorLike, b: TensorLike): [Tensor, Tensor] {
  const left = floatingInput(who, a, 'the first operand');
  const right = floatingInput(who, b, 'the second operand');
  check.sameDtype(who, 'the second operand', right, left.dtype);
  return [left, right];
}

function mismatch(who: string, what: string, a: Tensor, b: Tensor): RangeError {
  return check.wrongValue(who, what, `${check.shapeText(a.shape)} and ${check.shapeText(b.shape)}`);
}

/** How many products; of an operand that is repeated there is one matrix. */
interface Batch {
  readonly count: number;
  readonly repeatA: boolean;
  readonly repeatB: boolean;
}

/** c[i] = a[i] b[i], one after another; a transposed operand is stored [columns, rows]. */
function multiply(
  who: string,
  a: Tensor,
  b: Tensor,
  { count, repeatA, repeatB }: Batch,
  [m, n, k]: readonly [number, number, number],
  transposeA: boolean,
  transposeB: boolean,
): Tensor {
  const c = Tensor.uninitialized([count, m, n], a.dtype);
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

/** a [batch, m, k] times b [batch, k, n], recorded; a batch of 1 is repeated. */
function batched(who: string, a: Tensor, b: Tensor): Tensor {
  const [batchA, m, k] = a.shape as readonly [number, number, number];
  const [batchB, inner, n] = b.shape as readonly [number, number, number];
  const fits = k === inner && (batchA === batchB || batchA === 1 || batchB === 1);
  if (!fits) {
    throw mismatch(
      who,
      'shapes [batch, m, k] and [batch, k, n] (mat1 and mat2 shapes cannot be multiplied)',
      a,
      b,
    );
  }
  const count = batchA === 1 ? batchB : batchA;
  const [repeatA, repeatB] = [batchA === 1, batchB === 1];
  const y = multiply(who, a, b, { count, repeatA, repeatB }, [m, n, k], false, false);
  const kept = [...(b.requiresGrad ? [a] : []), ...(a.requiresGrad ? [b] : [])];
  return record(who, y, [a, b], kept, (dy, needs) => [
    // da = dy bᵀ, db = aᵀ dy; of an operand that was repeated the sum over the products.
    needs[0]
      ? summed(
          multiply(who, dy, b, { count, repeatA: false, repeatB }, [m, k, n], false, true),
          a.shape,
        )
      : null,
    needs[1]
      ? summed(
          multiply(who, a, dy, { count, repeatA, repeatB: false }, [k, n, m], true, false),
          b.shape,
        )
      : null,
  ]);
}

function summed(part: Tensor, shape: readonly number[]): Tensor {
  const whole = sumTo(part, shape);
  if (whole !== part) part.dispose();
  return whole;
}

/** The same elements under another shape, recorded. */
function under(x: Tensor, shape: readonly number[]): Tensor {
  if (check.equalShapes(x.shape, shape)) return x;
  return record('matmul', x.alias(shape), [x], [], (dy) => [dy.alias(x.shape)]);
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
export function matmul(a: TensorLike, b: TensorLike): Tensor {
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
  // Rows of many matrices that meet one are those of one matrix.
  const flat = rankA === 3 && batchB === 1;
  const rows = flat ? batchA * m : m;
  const first = under(left, [flat ? 1 : batchA, rows, k]);
  const y = batched(who, first, under(right, [batchB, inner, n]));
  const batch = rankA === 3 || rankB === 3 ? [batchA === 1 ? batchB : batchA] : [];
  return under(y, [...batch, ...(rankA === 1 ? [] : [m]), ...(rankB === 1 ? [] : [n])]);
}

/**
 * The products of matrices one by one.
 *
 * @param a - [batch, m, k], float32 or float64.
 * @param b - [batch, k, n], the same dtype.
 */
export function bmm(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = pairOf('bmm', a, b);
  if (left.shape.length !== 3 || right.shape.length !== 3 || left.shape[0] !== right.shape[0]) {
    throw mismatch(
      'bmm',
      'shapes [batch, m, k] and [batch, k, n] (batch1 must be a 3D tensor)',
      left,
      right,
    );
  }
  return batched('bmm', left, right);
}
