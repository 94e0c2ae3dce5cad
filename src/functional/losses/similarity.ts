import * as check from '../../check/index.js';
import { floats, record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { pairOf, outerOf, reduced, reductionOf, type Reduction } from './reduction.js';

export interface CosineSimilarityOptions {
  /** Along which dimension, from the end where negative. Default 1. */
  dim?: number | undefined;
  /** The least length of a vector. Default 1e-8. */
  eps?: number | undefined;
}

export interface CosineEmbeddingLossOptions {
  /** The cosine that pairs of target -1 may have, -1 to 1. Default 0. */
  margin?: number | undefined;
  /** 'mean' over the pairs (default), 'sum', or 'none': one loss for each. */
  reduction?: Reduction | undefined;
}

/** Vectors along a dimension: element k of vector (o, i) is at o · size · inner + k · inner + i. */
interface Vectors {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

/** The sums of one pair, in double. */
interface Sums {
  readonly ab: number;
  readonly aa: number;
  readonly bb: number;
}

function eachPair(
  { outer, size, inner }: Vectors,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  visit: (pair: number, start: number, sums: Sums) => void,
): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * size * inner + i;
      let [ab, aa, bb] = [0, 0, 0];
      for (let k = 0, at = start; k < size; k++, at += inner) {
        ab += a[at]! * b[at]!;
        aa += a[at]! * a[at]!;
        bb += b[at]! * b[at]!;
      }
      visit(o * inner + i, start, { ab, aa, bb });
    }
  }
}

/**
 * a · b / (max(|a|, eps) max(|b|, eps)) of the vectors along a dimension. Summed in double.
 *
 * @param a - Any shape, float32 or float64.
 * @param b - The same shape and dtype: nothing is broadcast.
 * @returns The shape without that dimension.
 * @throws {RangeError} for another shape, or a dimension that is none.
 * @example
 * ```ts
 * functional.cosineSimilarity(tensor([[3, 4], [1, 0]]), tensor([[3, 4], [0, 2]])).toArray(); // => [1, 0]
 * ```
 */
export function cosineSimilarity(
  a: TensorLike,
  b: TensorLike,
  options: CosineSimilarityOptions = {},
): Tensor {
  const who = 'cosineSimilarity';
  check.options(who, options, ['dim', 'eps']);
  const { dim = 1, eps = 1e-8 } = options;
  check.numberBetween(who, 'eps', eps, 0, Infinity);
  const [x, y] = pairOf(who, ['the first operand', 'the second operand'], a, b);
  const { shape, dtype } = x;
  const rank = shape.length;
  if (!Number.isInteger(dim) || dim < -rank || dim >= rank) {
    const what = `dim from ${-rank} to ${rank - 1} for shape ${check.shapeText(shape)}`;
    throw check.wrongValue(who, what, check.describe(dim));
  }
  const axis = dim < 0 ? dim + rank : dim;
  const vectors = {
    outer: check.numelOf(shape, 0, axis),
    size: shape[axis]!,
    inner: check.numelOf(shape, axis + 1),
  };
  const out = Tensor.uninitialized(
    shape.filter((_, i) => i !== axis),
    dtype,
  );
  const cosines = floats(out);
  eachPair(vectors, floats(x), floats(y), (pair, _, { ab, aa, bb }) => {
    cosines[pair] = ab / (Math.max(Math.sqrt(aa), eps) * Math.max(Math.sqrt(bb), eps));
  });
  return record(who, out, [x, y], [x, y], (dy, needs) => {
    const outer = floats(dy);
    const [p, q] = [floats(x), floats(y)];
    const gradients = needs.map((each) => (each ? Tensor.uninitialized(shape, dtype) : null));
    const [dp, dq] = gradients.map((each) => (each === null ? null : floats(each)));
    eachPair(vectors, p, q, (pair, start, { ab, aa, bb }) => {
      const [lengthA, lengthB] = [Math.sqrt(aa), Math.sqrt(bb)];
      const [u, v] = [Math.max(lengthA, eps), Math.max(lengthB, eps)];
      const factor = outer[pair]! / (u * v);
      // As in PyTorch, where a length is held at eps its own change counts still.
      const alongA = lengthA === 0 ? 0 : ab / (u * lengthA);
      const alongB = lengthB === 0 ? 0 : ab / (v * lengthB);
      for (let k = 0, at = start; k < vectors.size; k++, at += vectors.inner) {
        const [a_, b_] = [p[at]!, q[at]!];
        if (dp) dp[at] = factor * (b_ - alongA * a_);
        if (dq) dq[at] = factor * (a_ - alongB * b_);
      }
    });
    return gradients;
  });
}

/** What PyTorch adds to each squared length. */
const EPS = 1e-12;

/**
 * 1 - cos(a, b) for pairs of target 1, max(0, cos(a, b) - margin) for those of -1.
 *
 * @param a - [N, size], float32 or float64.
 * @param b - The same shape and dtype.
 * @param targets - N numbers, 1 or -1.
 * @returns A scalar; [N] with 'none'.
 * @throws {RangeError} for another shape, a target that is neither, or another number of them.
 * @example
 * ```ts
 * const [a, b] = [tensor([[1, 0], [1, 0]]), tensor([[0, 1], [1, 0]])];
 * functional.cosineEmbeddingLoss(a, b, [1, -1], { reduction: 'none' }).toArray(); // => [1, 1]
 * ```
 */
export function cosineEmbeddingLoss(
  a: TensorLike,
  b: TensorLike,
  targets: Tensor | ArrayLike<number>,
  options: CosineEmbeddingLossOptions = {},
): Tensor {
  const who = 'cosineEmbeddingLoss';
  check.options(who, options, ['margin', 'reduction']);
  const { margin = 0 } = options;
  check.numberBetween(who, 'margin', margin, -1, 1);
  const reduction = reductionOf(who, options.reduction);
  const [x, y] = pairOf(who, ['the first operand', 'the second operand'], a, b);
  const [rows, size] = x.shape;
  if (x.shape.length !== 2 || rows === undefined || size === undefined) {
    throw check.wrongValue(who, 'operands of shape [N, size]', `shape ${check.shapeText(x.shape)}`);
  }
  const signs = signsOf(who, targets, rows);
  const vectors = { outer: rows, size, inner: 1 };
  const losses = new Float64Array(rows);
  eachPair(vectors, floats(x), floats(y), (row, _, { ab, aa, bb }) => {
    const cosine = ab / Math.sqrt((aa + EPS) * (bb + EPS));
    losses[row] = signs[row] === 1 ? 1 - cosine : Math.max(0, cosine - margin);
  });
  const out = reduced(losses, reduction, rows, [rows], x.dtype);
  return record(who, out, [x, y], [x, y], (dy, needs) => {
    const scale = outerOf(dy, reduction, rows, rows);
    const [p, q] = [floats(x), floats(y)];
    const gradients = needs.map((each) => (each ? Tensor.uninitialized(x.shape, x.dtype) : null));
    const [dp, dq] = gradients.map((each) => (each === null ? null : floats(each)));
    eachPair(vectors, p, q, (row, start, { ab, aa, bb }) => {
      const [u, v] = [aa + EPS, bb + EPS];
      const root = Math.sqrt(u * v);
      const cosine = ab / root;
      const slope = signs[row] === 1 ? -1 : cosine - margin > 0 ? 1 : 0;
      const factor = (slope * scale[row]!) / root;
      for (let k = 0, at = start; k < size; k++, at++) {
        if (dp) dp[at] = factor * (q[at]! - (ab / u) * p[at]!);
        if (dq) dq[at] = factor * (p[at]! - (ab / v) * q[at]!);
      }
    });
    return gradients;
  });
}

/** Copied: backward must see what forward saw. */
function signsOf(who: string, targets: unknown, rows: number): Int8Array {
  const list: unknown = targets instanceof Tensor ? targets.attached(who, 'targets') : targets;
  if (!check.isList(list)) throw check.wrongKind(who, 'targets of 1 and -1', targets);
  if (targets instanceof Tensor) check.sameShape(who, 'targets', targets, [rows]);
  if (list.length !== rows) throw check.wrongValue(who, `${rows} targets`, String(list.length));
  return Int8Array.from({ length: rows }, (_, i) => {
    const each = Number(list[i]);
    if (each === 1 || each === -1) return each;
    throw check.wrongValue(who, 'targets of 1 and -1', `${check.describe(list[i])} at index ${i}`);
  });
}
