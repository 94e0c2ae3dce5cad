// Losses of the difference of prediction and target.
import * as check from '../../check/index.js';
import type { Tensor, TensorLike } from '../../tensor/tensor.js';
import { pointwiseLoss } from './pointwise.js';
import { pairOf, reductionOf, type Reduction } from './reduction.js';

export interface L1LossOptions {
  /** 'mean' over all elements (default), 'sum', or 'none': one loss for each. */
  reduction?: Reduction | undefined;
}

export interface SmoothL1LossOptions extends L1LossOptions {
  /** Where the parabola becomes a line, at least 0; 0 is l1Loss. Default 1. */
  beta?: number | undefined;
}

export interface HuberLossOptions extends L1LossOptions {
  /** Where the parabola becomes a line, above 0. Default 1. */
  delta?: number | undefined;
}

const NAMES = ['the prediction', 'a target'] as const;

/**
 * |prediction - target|; the gradient is the sign, 0 where they are equal.
 *
 * @param prediction - Any shape, float32 or float64.
 * @param target - The same shape and dtype: nothing is broadcast.
 * @returns A scalar, or that shape with 'none'.
 * @throws {RangeError} for a target of another shape.
 * @example
 * ```ts
 * functional.l1Loss(tensor([1, 5]), tensor([2, 2])).item(); // => 2
 * ```
 */
export function l1Loss(
  prediction: TensorLike,
  target: TensorLike,
  options: L1LossOptions = {},
): Tensor {
  const who = 'l1Loss';
  check.options(who, options, ['reduction']);
  const reduction = reductionOf(who, options.reduction);
  const [x, t] = pairOf(who, NAMES, prediction, target);
  return pointwiseLoss(who, x, t, { kind: 'absolute', reduction });
}

/**
 * d² / 2 beta where d = |prediction - target| < beta, else d - beta / 2 (Girshick 2015).
 *
 * @param prediction - Any shape, float32 or float64.
 * @param target - The same shape and dtype: nothing is broadcast.
 * @returns A scalar, or that shape with 'none'.
 * @throws {RangeError} for a target of another shape, or a negative beta.
 * @example
 * ```ts
 * functional.smoothL1Loss(tensor([1, 5]), tensor([2, 2]), { reduction: 'none' }).toArray(); // => [0.5, 2.5]
 * ```
 */
export function smoothL1Loss(
  prediction: TensorLike,
  target: TensorLike,
  options: SmoothL1LossOptions = {},
): Tensor {
  const who = 'smoothL1Loss';
  check.options(who, options, ['beta', 'reduction']);
  const { beta = 1 } = options;
  check.numberBetween(who, 'beta', beta, 0, Infinity);
  const reduction = reductionOf(who, options.reduction);
  const [x, t] = pairOf(who, NAMES, prediction, target);
  return pointwiseLoss(who, x, t, { kind: beta === 0 ? 'absolute' : 'smooth', reduction, p: beta });
}

/**
 * d² / 2 where d = |prediction - target| <= delta, else delta (d - delta / 2) (Huber 1964): delta · smoothL1Loss.
 *
 * @param prediction - Any shape, float32 or float64.
 * @param target - The same shape and dtype: nothing is broadcast.
 * @returns A scalar, or that shape with 'none'.
 * @throws {RangeError} for a target of another shape, or a delta that is not above 0.
 * @example
 * ```ts
 * functional.huberLoss(tensor([1, 5]), tensor([2, 2]), { delta: 2, reduction: 'sum' }).item(); // => 4.5
 * ```
 */
export function huberLoss(
  prediction: TensorLike,
  target: TensorLike,
  options: HuberLossOptions = {},
): Tensor {
  const who = 'huberLoss';
  check.options(who, options, ['delta', 'reduction']);
  const { delta = 1 } = options;
  check.numberBetween(who, 'delta', delta, Number.MIN_VALUE, Infinity);
  const reduction = reductionOf(who, options.reduction);
  const [x, t] = pairOf(who, NAMES, prediction, target);
  return pointwiseLoss(who, x, t, { kind: 'huber', reduction, p: delta });
}
