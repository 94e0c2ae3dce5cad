// Activations, element by element. What backward reads is the output where that gives the derivative, else the input.
import * as check from '../../check/index.js';
import { record, Tensor, type TensorLike } from '../../tensor/tensor.js';
import { sumTo } from '../reductions/sum-to.js';
import {
  eluOptions,
  geluOptions,
  hardtanhOptions,
  leakyReluOptions,
  softplusOptions,
  type ELUOptions,
  type GELUOptions,
  type HardtanhOptions,
  type LeakyReLUOptions,
  type SoftplusOptions,
} from './activation-options.js';
import { binary, floatingInput, gradient, unary } from './apply.js';
import type { BinaryName, UnaryName } from './codes.js';

/** An activation whose derivative is a function of its input or of its output. */
function activation(
  who: string,
  x: TensorLike,
  forward: UnaryName,
  backward: BinaryName,
  saved: 'input' | 'output',
  p = 0,
  q = 0,
): Tensor {
  const input = floatingInput(who, x);
  const y = unary(forward, input, p, q);
  const kept = saved === 'input' ? input : y;
  return record(who, y, [input], [kept], (dy) => [gradient(backward, kept, dy, p, q)]);
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('sigmoid', 1, rest);
  return activation('sigmoid', x, 'sigmoid', 'sigmoid_gradient', 'output');
}

/** The hyperbolic tangent. */
export function tanh(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('tanh', 1, rest);
  return activation('tanh', x, 'tanh', 'tanh_gradient', 'output');
}

/** x · sigmoid(x), also called swish (Elfwing et al. 2018). */
export function silu(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('silu', 1, rest);
  return activation('silu', x, 'silu', 'silu_gradient', 'input');
}

/** x · Φ(x), Φ the standard normal distribution (Hendrycks and Gimpel 2016). */
export function gelu(x: TensorLike, options: GELUOptions = {}): Tensor {
  const { approximate } = geluOptions('gelu', options);
  return approximate === 'tanh'
    ? activation('gelu', x, 'gelu_tanh', 'gelu_tanh_gradient', 'input')
    : activation('gelu', x, 'gelu', 'gelu_gradient', 'input');
}

/** x where x > 0, else negativeSlope · x. The derivative at 0 is negativeSlope. */
export function leakyRelu(x: TensorLike, options: LeakyReLUOptions = {}): Tensor {
  const { negativeSlope } = leakyReluOptions('leakyRelu', options);
  return activation('leakyRelu', x, 'leaky_relu', 'leaky_relu_gradient', 'input', negativeSlope);
}

/** x where x > 0, else alpha (e^x - 1) (Clevert et al. 2016). */
export function elu(x: TensorLike, options: ELUOptions = {}): Tensor {
  const { alpha } = eluOptions('elu', options);
  return activation('elu', x, 'elu', 'elu_gradient', 'input', alpha);
}

/** log(1 + e^(beta x)) / beta: a smooth ReLU. */
export function softplus(x: TensorLike, options: SoftplusOptions = {}): Tensor {
  const { beta, threshold } = softplusOptions('softplus', options);
  return activation('softplus', x, 'softplus', 'softplus_gradient', 'input', beta, threshold);
}

/** x between minVal and maxVal, else the nearer of them. The derivative is 1 between them, and 0 on them. */
export function hardtanh(x: TensorLike, options: HardtanhOptions = {}): Tensor {
  const { minVal, maxVal } = hardtanhOptions('hardtanh', options);
  return activation('hardtanh', x, 'clamp', 'hardtanh_gradient', 'input', minVal, maxVal);
}

/** min(max(x, 0), 6). The derivative is 1 between 0 and 6, and 0 on them. */
export function relu6(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('relu6', 1, rest);
  return activation('relu6', x, 'clamp', 'hardtanh_gradient', 'input', 0, 6);
}

/** log(1 / (1 + e^-x)), without overflow. */
export function logSigmoid(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('logSigmoid', 1, rest);
  return activation('logSigmoid', x, 'log_sigmoid', 'log_sigmoid_gradient', 'input');
}

/** x · tanh(log(1 + e^x)) (Misra 2019). */
export function mish(x: TensorLike, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('mish', 1, rest);
  return activation('mish', x, 'mish', 'mish_gradient', 'input');
}

/**
 * x where x > 0, else weight · x, with a weight that is learned (He et al. 2015).
 *
 * @param x - [N, C, …], float32 or float64.
 * @param weight - [1], or [C]: one for each channel of dimension 1. Same dtype.
 */
export function prelu(x: TensorLike, weight: Tensor, ...rest: undefined[]): Tensor {
  if (rest.length > 0) check.noMore('prelu', 2, rest);
  const who = 'prelu';
  const input = floatingInput(who, x);
  if (!((weight as unknown) instanceof Tensor))
    throw check.wrongKind(who, 'a weight Tensor', weight);
  check.sameDtype(who, 'weight', weight, input.dtype);
  weight.present(who, 'weight');
  const channels = input.shape.length < 2 ? 1 : input.shape[1]!;
  if (weight.shape.length > 1 || (weight.numel !== 1 && weight.numel !== channels)) {
    throw check.wrongValue(
      who,
      `a weight of 1 or ${channels} values, one a channel`,
      `shape ${check.shapeText(weight.shape)} for an input of shape ${check.shapeText(input.shape)}`,
    );
  }
  // [C] beside [N, C, L]: one size for each dimension behind the channels.
  const behind = weight.numel === 1 ? [] : input.shape.slice(2).map(() => 1);
  const slopes = weight.alias([weight.numel, ...behind]);
  const { shape } = input;
  const y = binary('prelu', input, slopes, shape);
  const saved = [input, weight];
  return record(who, y, [input, weight], saved, (dy, needs) => [
    needs[0] ? binary('mul', dy, binary('prelu_derivative', input, slopes, shape), shape) : null,
    needs[1]
      ? sumTo(binary('prelu_weight', input, dy, shape), slopes.shape).alias(weight.shape)
      : null,
  ]);
}
