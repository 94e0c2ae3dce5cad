// Activations, element by element. What backward reads is the output where that gives the derivative, else the input.
import * as check from '../../check/index.js';
import { record, type Tensor, type TensorLike } from '../../tensor/tensor.js';
import { sumTo } from '../reductions/sum-to.js';
import type {
  ELUOptions,
  GELUOptions,
  HardtanhOptions,
  LeakyReLUOptions,
  SoftplusOptions,
} from './activation-options.js';
import {
  checkSlopes,
  FIXED,
  preluBy,
  WITH_OPTIONS,
  type PointwiseActivation,
} from './activation-table.js';
import { binary, floatingInput, gradient, unary } from './apply.js';

/**
 * @internal The activation of x.
 *
 * @param channel - The dimension of the channels, which PReLU may have a slope for each of.
 */
export function activate(x: TensorLike, activation: PointwiseActivation, channel = 1): Tensor {
  const { name, forward, backward, saved, p, q, slopes } = activation;
  const input = floatingInput(name, x);
  if (slopes !== null) return preluAlong(name, input, slopes, channel);
  const y = unary(forward, input, p, q);
  const kept = saved === 'input' ? input : y;
  return record(name, y, [input], [kept], (dy) => [gradient(backward, kept, dy, p, q)]);
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('sigmoid', 1, rest);
  return activate(x, FIXED.sigmoid);
}

/** The hyperbolic tangent. */
export function tanh(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('tanh', 1, rest);
  return activate(x, FIXED.tanh);
}

/** x · sigmoid(x), also called swish (Elfwing et al. 2018). */
export function silu(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('silu', 1, rest);
  return activate(x, FIXED.silu);
}

/** x · Φ(x), Φ the standard normal distribution (Hendrycks and Gimpel 2016). */
export function gelu(x: TensorLike, options: GELUOptions = {}): Tensor {
  return activate(x, WITH_OPTIONS.gelu('gelu', options));
}

/** x where x > 0, else negativeSlope · x. The derivative at 0 is negativeSlope. */
export function leakyRelu(x: TensorLike, options: LeakyReLUOptions = {}): Tensor {
  return activate(x, WITH_OPTIONS.leakyRelu('leakyRelu', options));
}

/** x where x > 0, else alpha (e^x - 1) (Clevert et al. 2016). */
export function elu(x: TensorLike, options: ELUOptions = {}): Tensor {
  return activate(x, WITH_OPTIONS.elu('elu', options));
}

/** log(1 + e^(beta x)) / beta: a smooth ReLU. */
export function softplus(x: TensorLike, options: SoftplusOptions = {}): Tensor {
  return activate(x, WITH_OPTIONS.softplus('softplus', options));
}

/** x between minVal and maxVal, else the nearer of them. The derivative is 1 between them, and 0 on them. */
export function hardtanh(x: TensorLike, options: HardtanhOptions = {}): Tensor {
  return activate(x, WITH_OPTIONS.hardtanh('hardtanh', options));
}

/** min(max(x, 0), 6). The derivative is 1 between 0 and 6, and 0 on them. */
export function relu6(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('relu6', 1, rest);
  return activate(x, FIXED.relu6);
}

/** log(1 / (1 + e^-x)), without overflow. */
export function logSigmoid(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('logSigmoid', 1, rest);
  return activate(x, FIXED.logSigmoid);
}

/** x · tanh(log(1 + e^x)) (Misra 2019). */
export function mish(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('mish', 1, rest);
  return activate(x, FIXED.mish);
}

/**
 * x where x > 0, else weight · x, with a weight that is learned (He et al. 2015).
 *
 * @param x - [N, C, …], float32 or float64.
 * @param weight - [1], or [C]: one for each channel of dimension 1. Same dtype.
 */
export function prelu(x: TensorLike, weight: Tensor, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('prelu', 2, rest);
  return activate(x, preluBy('prelu', weight));
}

function preluAlong(who: string, input: Tensor, weight: Tensor, channel: number): Tensor {
  const { shape } = input;
  checkSlopes(who, weight, input, shape.length < 2 ? 1 : shape[channel]!);
  // [C] beside [N, C, L]: one size for each dimension behind the channels.
  const behind = weight.numel === 1 ? [] : shape.slice(channel + 1).map(() => 1);
  const slopes = weight.alias([weight.numel, ...behind]);
  const y = binary('prelu', input, slopes, shape);
  const saved = [input, weight];
  return record(who, y, [input, weight], saved, (dy, needs) => [
    needs[0] ? binary('mul', dy, binary('prelu_derivative', input, slopes, shape), shape) : null,
    needs[1]
      ? sumTo(binary('prelu_weight', input, dy, shape), slopes.shape).alias(weight.shape)
      : null,
  ]);
}
