import * as check from '../check/index.js';
import { addon } from '../addon/control.js';
import { floats, record, Tensor, type TensorLike } from '../tensor/tensor.js';

/**
 * y = x Wᵀ + b over the last dimension.
 *
 * @param x - [..., inFeatures], float32 or float64.
 * @param weight - [outFeatures, inFeatures], same dtype.
 * @param bias - [outFeatures], or null.
 * @returns [..., outFeatures].
 */
export function linear(x: TensorLike, weight: Tensor, bias: Tensor | null = null): Tensor {
  const who = 'linear';
  const input = Tensor.from(x);
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
  input.attached(who, 'the input');
  weight.attached(who, 'weight');
  bias?.attached(who, 'bias');
  const outer = input.shape.slice(0, -1);
  const rows = check.numelOf(outer);
  const y = Tensor.uninitialized([...outer, out], input.dtype);
  const b = bias === null ? null : floats(bias);
  addon.matmul(floats(input), floats(weight), b, floats(y), rows, out, inner, false, true);
  const kept = [...(weight.requiresGrad ? [input] : []), ...(input.requiresGrad ? [weight] : [])];
  return record(who, y, [input, weight, bias], kept, (dy, needs) => [
    needs[0] ? inputGradient(dy, weight, input.shape, rows) : null,
    needs[1] ? weightGradient(dy, input, weight.shape, rows) : null,
    needs[2] ? biasGradient(dy, [out], rows) : null,
  ]);
}

/** dx = dy W. */
function inputGradient(dy: Tensor, weight: Tensor, shape: readonly number[], rows: number): Tensor {
  const [out = 0, inner = 0] = weight.shape;
  const dx = Tensor.uninitialized(shape, dy.dtype);
  addon.matmul(floats(dy), floats(weight), null, floats(dx), rows, inner, out, false, false);
  return dx;
}

/** dW = dyᵀ x. */
function weightGradient(dy: Tensor, input: Tensor, shape: readonly number[], rows: number): Tensor {
  const [out = 0, inner = 0] = shape;
  const dw = Tensor.uninitialized(shape, dy.dtype);
  addon.matmul(floats(dy), floats(input), null, floats(dw), out, inner, rows, true, false);
  return dw;
}

/** db = the column sums of dy. */
function biasGradient(dy: Tensor, shape: readonly number[], rows: number): Tensor {
  const db = Tensor.uninitialized(shape, dy.dtype);
  addon.columnSums(floats(dy), floats(db), rows, db.numel);
  return db;
}
