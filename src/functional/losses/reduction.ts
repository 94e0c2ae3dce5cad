// What all losses share: how the losses of elements or rows become one.
import * as check from '../../check/index.js';
import { tensor, type TensorSource } from '../../tensor/create.js';
import { broadcasts } from '../../memory/elements.js';
import { floats, Tensor, type DType, type TensorLike } from '../../tensor/tensor.js';
import { gathered, repeatedStrides } from '../shapes/strided.js';

/** 'mean' over all (default), 'sum', or 'none': one loss for each. */
export type Reduction = 'mean' | 'sum' | 'none';

/** Weights: a tensor, or numbers. */
export type Weights = TensorLike | TensorSource;

/** The reduction, checked. */
export function reductionOf(who: string, reduction: Reduction | undefined): Reduction {
  return check.oneOf(who, 'reduction', reduction ?? 'mean', ['mean', 'sum', 'none']);
}

/** Rows of the whole batch, where a loss is of a part of it. */
export function wholeBatchOf(
  who: string,
  of: number | undefined,
  reduction: Reduction,
): number | undefined {
  if (of === undefined) return undefined;
  check.numberBetween(who, 'of', of, Number.MIN_VALUE, Infinity);
  if (reduction !== 'mean')
    throw check.wrongValue(who, "of with reduction 'mean'", `'${reduction}'`);
  return of;
}

/** Weights as a tensor of that dtype. They get no gradient, so none may ask for one. */
export function weightsOf(who: string, name: string, weights: Weights, dtype: DType): Tensor {
  const isSource =
    typeof weights === 'number' || check.isList(weights) || check.arrayKind(weights) !== undefined;
  const isTensor = weights instanceof Tensor || !isSource;
  const given = isTensor
    ? Tensor.operand(who, name, weights as TensorLike)
    : tensor(weights as TensorSource, { dtype });
  check.floating(who, name, given);
  given.attached(who, name);
  if (given.requiresGrad) {
    throw check.wrongValue(who, `${name} that requires no gradient`, 'one that does');
  }
  return given.dtype === dtype ? given : tensor(floats(given), given.shape, { dtype });
}

/** The same, repeated to a shape: a tensor of its own, or null. */
export function repeatedWeights(
  who: string,
  name: string,
  weights: Weights | null | undefined,
  { shape, dtype }: Tensor,
): Tensor | null {
  if (weights === undefined || weights === null) return null;
  const given = weightsOf(who, name, weights, dtype);
  if (!broadcasts(given.shape, shape)) {
    const what = `${name} that broadcasts to shape ${check.shapeText(shape)}`;
    throw check.wrongValue(who, what, `shape ${check.shapeText(given.shape)}`);
  }
  return gathered(given, shape, 0, repeatedStrides(given.shape, shape));
}

/** Two operands of one shape and dtype, floating, their memory there. */
export function pairOf(
  who: string,
  names: readonly [string, string],
  x: TensorLike,
  target: TensorLike,
): readonly [Tensor, Tensor] {
  const input = Tensor.operand(who, names[0], x);
  const wanted = Tensor.operand(who, names[1], target);
  check.floating(who, names[0], input);
  check.sameDtype(who, names[1], wanted, input.dtype);
  check.sameShape(who, names[1], wanted, input.shape);
  input.present(who, names[0]);
  wanted.present(who, names[1]);
  return [input, wanted];
}

/** The result of a loss of rows: one value each, of that shape, or a scalar. */
export function resultOf(reduction: Reduction, shape: readonly number[], dtype: DType): Tensor {
  return Tensor.uninitialized(reduction === 'none' ? shape : [], dtype);
}

/** What each row's gradient is multiplied by: its own, and a factor. */
export function rowScale(
  dy: Tensor,
  reduction: Reduction,
  divisor: number,
): { readonly each: Tensor | null; readonly factor: number } {
  if (reduction === 'none') return { each: dy, factor: 1 };
  return { each: null, factor: dy.item() / (reduction === 'mean' ? divisor : 1) };
}
