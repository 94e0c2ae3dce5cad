import * as check from '../../check/index.js';
import { perform } from '../../run/deferral.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { optionsOf, type AfterDim } from '../dims.js';
import { floatingInput } from '../pointwise/apply.js';
import { broadcastShape } from '../pointwise/broadcast.js';
import { moved, movedBack } from '../reductions/moved.js';
import { expand } from '../shapes/expand.js';
import { pairOf, reductionOf, resultOf, rowScale, type Reduction } from './reduction.js';

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

/**
 * a · b / (max(|a|, eps) max(|b|, eps)) of the vectors along a dimension. Summed in double.
 *
 * @param a - Any shape, float32 or float64.
 * @param b - The same dtype, and a shape that broadcasts with it.
 * @param options - Or the dimension, of the shape that both broadcast to.
 * @returns That shape without the dimension.
 * @throws {RangeError} for shapes that do not broadcast, or a dimension that is none.
 * @example
 * ```ts
 * functional.cosineSimilarity(tensor([[3, 4], [1, 0]]), tensor([[3, 4], [0, 2]])).toArray(); // => [1, 0]
 * ```
 */
export function cosineSimilarity(
  a: TensorLike,
  b: TensorLike,
  given: CosineSimilarityOptions | number = {},
  ...rest: AfterDim<CosineSimilarityOptions, never>
): Tensor {
  const who = 'cosineSimilarity';
  const options = optionsOf(who, given, rest, null, 3);
  check.options(who, options, ['dim', 'eps']);
  const { dim = 1, eps = 1e-8 } = options;
  check.numberBetween(who, 'eps', eps, 0, Infinity);
  const [x, y] = broadcastPair(who, a, b);
  const { shape, dtype } = x;
  const rank = shape.length;
  if (!Number.isInteger(dim) || dim < -rank || dim >= rank) {
    const what = `dim from ${-rank} to ${rank - 1} for shape ${check.shapeText(shape)}`;
    throw check.wrongValue(who, what, check.describe(dim));
  }
  const axis = dim < 0 ? dim + rank : dim;
  const size = shape[axis]!;
  const outer = shape.filter((_, i) => i !== axis);
  const rows = check.numelOf(outer);
  const out = Tensor.uninitialized(outer, dtype);
  const sums = new Float64Array(3 * rows);
  const [p, q] = [moved(x, axis), moved(y, axis)];
  perform(
    {
      who,
      work: 2 * x.numel,
      reads: { 'the first operand': p, 'the second operand': q },
      writes: [out],
    },
    (native, arrayOf) =>
      native.cosines(arrayOf(p), arrayOf(q), arrayOf(out), sums, rows, size, eps),
  );
  if (p !== x) p.dispose();
  if (q !== y) q.dispose();
  return record(who, out, [x, y], [x, y], (dy, needs) => {
    const pair = [moved(x, axis), moved(y, axis)] as const;
    const gradients = gradientsOf(needs, pair[0]);
    const [dp = null, dq = null] = gradients;
    perform(
      {
        who,
        work: 3 * x.numel,
        reads: { 'the first operand': pair[0], 'the second operand': pair[1], 'the gradient': dy },
        writes: gradients,
      },
      (native, arrayOf) => {
        const [from, other, scale] = [arrayOf(pair[0]), arrayOf(pair[1]), arrayOf(dy)];
        const [to, toOther] = [arrayOf(dp), arrayOf(dq)];
        return native.cosineGradients(from, other, sums, scale, rows, size, eps, to, toOther);
      },
    );
    if (pair[0] !== x) pair[0].dispose();
    if (pair[1] !== y) pair[1].dispose();
    return gradients.map((derivative) => {
      if (derivative === null) return null;
      const back = movedBack(derivative, shape, axis);
      if (back !== derivative) derivative.dispose();
      return back;
    });
  });
}

/** Both repeated to the shape that they broadcast to, where they have another. */
function broadcastPair(who: string, a: TensorLike, b: TensorLike): readonly [Tensor, Tensor] {
  const x = floatingInput(who, a, 'the first operand');
  const y = floatingInput(who, b, 'the second operand');
  check.sameDtype(who, 'the second operand', y, x.dtype);
  const shape = broadcastShape(who, x.shape, y.shape);
  const repeated = (each: Tensor): Tensor =>
    check.equalShapes(each.shape, shape) ? each : expand(each, shape);
  return [repeated(x), repeated(y)];
}

/** Where gradients go that are asked for. */
export function gradientsOf(needs: readonly boolean[], like: Tensor): (Tensor | null)[] {
  return needs.map((need) => (need ? Tensor.like(like) : null));
}

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
  const sums = new Float64Array(3 * rows);
  const out = resultOf(reduction, [rows], x.dtype);
  const values = reduction === 'none' ? out : null;
  perform(
    {
      who,
      work: 2 * x.numel,
      reads: { 'the first operand': x, 'the second operand': y },
      writes: [out],
    },
    (native, arrayOf) => {
      const [p, q, to] = [arrayOf(x), arrayOf(y), arrayOf(values)];
      return native.embeddingLosses(p, q, signs, rows, size, margin, sums, to);
    },
    (arrayOf, result) => {
      if (values !== null) return;
      arrayOf(out)[0] = reduction === 'mean' ? (result as number) / rows : (result as number);
    },
  );
  return record(who, out, [x, y], [x, y], (dy, needs) => {
    const { each, factor } = rowScale(dy, reduction, rows);
    const gradients = gradientsOf(needs, x);
    const [dp = null, dq = null] = gradients;
    perform(
      {
        who,
        work: 3 * x.numel,
        reads: { 'the first operand': x, 'the second operand': y, 'the gradient': each },
        writes: gradients,
      },
      (native, arrayOf) => {
        const how = [signs, rows, size, margin, sums, arrayOf(each), factor] as const;
        return native.embeddingGradients(arrayOf(x), arrayOf(y), ...how, arrayOf(dp), arrayOf(dq));
      },
    );
    return gradients;
  });
}

/** Copied: backward must see what forward saw. */
function signsOf(who: string, targets: unknown, rows: number): Int32Array {
  const list: unknown = targets instanceof Tensor ? targets.attached(who, 'targets') : targets;
  if (!check.isList(list)) throw check.wrongKind(who, 'targets of 1 and -1', targets);
  if (targets instanceof Tensor) check.sameShape(who, 'targets', targets, [rows]);
  if (list.length !== rows) throw check.wrongValue(who, `${rows} targets`, String(list.length));
  return Int32Array.from({ length: rows }, (_, i) => {
    const each = Number(list[i]);
    if (each === 1 || each === -1) return each;
    throw check.wrongValue(who, 'targets of 1 and -1', `${check.describe(list[i])} at index ${i}`);
  });
}
