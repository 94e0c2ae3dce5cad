// What all losses share: how the losses of elements or rows become one.
import * as check from '../../check/index.js';
import { tensor, type TensorSource } from '../../tensor/create.js';
import { repeat, broadcasts } from '../../memory/elements.js';
import {
  floats,
  Tensor,
  type DType,
  type FloatData,
  type TensorLike,
} from '../../tensor/tensor.js';

/** 'mean' over all (default), 'sum', or 'none': one loss for each. */
export type Reduction = 'mean' | 'sum' | 'none';

/** Weights: a tensor, or numbers. */
export type Weights = TensorLike | TensorSource;

/** The reduction, checked. */
export function reductionOf(who: string, reduction: Reduction | undefined): Reduction {
  return check.oneOf(who, 'reduction', reduction ?? 'mean', ['mean', 'sum', 'none']);
}

/** Weights as a tensor of that dtype. They get no gradient, so none may ask for one. */
export function weightsOf(who: string, name: string, weights: Weights, dtype: DType): Tensor {
  const isSource =
    typeof weights === 'number' || check.isList(weights) || check.arrayKind(weights) !== undefined;
  const isTensor = weights instanceof Tensor || !isSource;
  const given = isTensor
    ? Tensor.from(weights as TensorLike)
    : tensor(weights as TensorSource, { dtype });
  check.floating(who, name, given);
  given.attached(who, name);
  if (given.requiresGrad) {
    throw check.wrongValue(who, `${name} that requires no gradient`, 'one that does');
  }
  return given.dtype === dtype ? given : tensor(floats(given), given.shape, { dtype });
}

/** The same, repeated to a shape: an array of its own, or null. */
export function repeatedWeights(
  who: string,
  name: string,
  weights: Weights | null | undefined,
  { shape, dtype }: Tensor,
): FloatData | null {
  if (weights === undefined || weights === null) return null;
  const given = weightsOf(who, name, weights, dtype);
  if (!broadcasts(given.shape, shape)) {
    const what = `${name} that broadcasts to shape ${check.shapeText(shape)}`;
    throw check.wrongValue(who, what, `shape ${check.shapeText(given.shape)}`);
  }
  const whole = Tensor.uninitialized(shape, dtype);
  repeat(floats(whole), shape, floats(given), given.shape);
  return floats(whole);
}

/** Two operands of one shape and dtype, floating, their memory there. */
export function pairOf(
  who: string,
  names: readonly [string, string],
  x: TensorLike,
  target: TensorLike,
): readonly [Tensor, Tensor] {
  const input = Tensor.from(x);
  const wanted = Tensor.from(target);
  check.floating(who, names[0], input);
  check.sameDtype(who, names[1], wanted, input.dtype);
  check.sameShape(who, names[1], wanted, input.shape);
  input.present(who, names[0]);
  wanted.present(who, names[1]);
  return [input, wanted];
}

/** The losses of rows, reduced: a result of that shape for 'none', else a scalar over `divisor`. */
export function reduced(
  losses: Float64Array,
  reduction: Reduction,
  divisor: number,
  shape: readonly number[],
  dtype: DType,
): Tensor {
  const y = Tensor.uninitialized(reduction === 'none' ? shape : [], dtype);
  if (reduction === 'none') {
    floats(y).set(losses);
    return y;
  }
  let sum = 0;
  for (const loss of losses) sum += loss;
  floats(y)[0] = reduction === 'mean' ? sum / divisor : sum;
  return y;
}

/** What each row's gradient is multiplied by. */
export function outerOf(
  dy: Tensor,
  reduction: Reduction,
  divisor: number,
  rows: number,
): Float64Array {
  if (reduction === 'none') return Float64Array.from(floats(dy));
  return new Float64Array(rows).fill(dy.item() / (reduction === 'mean' ? divisor : 1));
}
