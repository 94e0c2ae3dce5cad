import * as check from '../check/index.js';
import { perform } from '../run/deferral.js';
import { record, Tensor, type TensorLike } from '../tensor/tensor.js';
import { isSummedInLeaves, totalsOf } from './batch-totals.js';

/**
 * y = x Wᵀ + b over the last dimension.
 *
 * @param x - [..., inFeatures], float32 or float64.
 * @param weight - [outFeatures, inFeatures], same dtype.
 * @param bias - [outFeatures], or null.
 * @returns [..., outFeatures].
 */
export function linear(
  x: TensorLike,
  weight: Tensor,
  bias: Tensor | null = null,
  ...rest: undefined[]
): Tensor {
  if (rest.length > 0) check.noMore('linear', 3, rest);
  const who = 'linear';
  const input = Tensor.operand(who, 'the input', x);
  check.floating(who, 'the input', input);
  if (!((weight as unknown) instanceof Tensor))
    throw check.wrongKind(who, 'a weight Tensor', weight);
  const [out, inner] = weight.shape;
  if (out === undefined || inner === undefined || weight.shape.length !== 2) {
    throw check.wrongValue(
      who,
      'a weight of shape [outFeatures, inFeatures]',
      `shape ${check.shapeText(weight.shape)}`,
    );
  }
  if (input.shape.at(-1) !== inner) {
    throw check.wrongValue(
      who,
      `input with ${inner} features in its last dimension`,
      `shape ${check.shapeText(input.shape)}`,
    );
  }
  check.sameDtype(who, 'weight', weight, input.dtype);
  if (bias !== null) {
    if (!((bias as unknown) instanceof Tensor))
      throw check.wrongKind(who, 'a bias Tensor or null', bias);
    check.sameDtype(who, 'bias', bias, input.dtype);
    check.sameShape(who, 'bias', bias, [out]);
  }
  input.present(who, 'the input');
  weight.present(who, 'weight');
  bias?.present(who, 'bias');
  const outer = input.shape.slice(0, -1);
  const rows = check.numelOf(outer);
  const y = Tensor.uninitialized([...outer, out], input.dtype);
  perform(
    {
      who,
      work: workOf(rows, out, inner),
      reads: { 'the input': input, weight, bias },
      writes: [y],
    },
    (native, arrayOf) => {
      const [x, w, b, to] = [arrayOf(input), arrayOf(weight), arrayOf(bias), arrayOf(y)];
      return native.matmul(x, w, b, to, rows, out, inner, false, true);
    },
  );
  const kept: Tensor[] = [];
  if (weight.requiresGrad) kept.push(input);
  if (input.requiresGrad) kept.push(weight);
  return record(who, y, [input, weight, bias], kept, (dy, needs) => [
    needs[0] ? inputGradient(dy, weight, input.shape, rows) : null,
    needs[1] ? weightGradient(dy, input, weight, rows) : null,
    needs[2] ? biasGradient(dy, bias!, rows) : null,
  ]);
}

/** Elements through memory that take as long as the product of such matrices. */
export function workOf(rows: number, columns: number, inner: number): number {
  return Math.max(rows * columns, rows * inner, (rows * columns * inner) / 16);
}

/** dx = dy W. */
function inputGradient(dy: Tensor, weight: Tensor, shape: readonly number[], rows: number): Tensor {
  const [out = 0, inner = 0] = weight.shape;
  const dx = Tensor.uninitialized(shape, dy.dtype);
  perform(
    {
      who: 'linear',
      work: workOf(rows, inner, out),
      reads: { 'the gradient': dy, weight },
      writes: [dx],
    },
    (native, arrayOf) => {
      const [g, w, to] = [arrayOf(dy), arrayOf(weight), arrayOf(dx)];
      return native.matmul(g, w, null, to, rows, inner, out, false, false);
    },
  );
  return dx;
}

/** dW = dyᵀ x. */
function weightGradient(dy: Tensor, input: Tensor, weight: Tensor, rows: number): Tensor {
  const [out = 0, inner = 0] = weight.shape;
  const dw = Tensor.like(weight);
  const inLeaves = isSummedInLeaves(weight);
  perform(
    {
      who: 'linear',
      work: workOf(out, inner, rows),
      reads: { 'the gradient': dy, 'the input': input },
      writes: [dw],
    },
    (native, arrayOf) => {
      const [g, x, to] = [arrayOf(dy), arrayOf(input), arrayOf(dw)];
      return inLeaves
        ? native.leafProducts(g, x, to, out, inner, rows)
        : native.matmul(g, x, null, to, out, inner, rows, true, false);
    },
  );
  return dw;
}

/** db = the column sums of dy. */
function biasGradient(dy: Tensor, bias: Tensor, rows: number): Tensor {
  const db = Tensor.like(bias);
  const totals = totalsOf(bias);
  perform(
    {
      who: 'linear',
      work: dy.numel,
      reads: { 'the gradient': dy },
      writes: [db],
    },
    (native, arrayOf) =>
      totals === null
        ? native.columnSums(arrayOf(dy), arrayOf(db), rows, db.numel)
        : native.columnTotals(arrayOf(dy), totals, rows, db.numel),
    totals === null
      ? undefined
      : (arrayOf) => {
          arrayOf(db).set(totals); // rounds, as columnSums does
        },
  );
  return db;
}
