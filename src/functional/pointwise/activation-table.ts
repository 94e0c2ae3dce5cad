// What the pointwise activations are: their kernels and numbers, for the functions, for the layers, and for what computes
// one in a pass of its own (batchNorm).
import * as check from '../../check/index.js';
import { Tensor } from '../../tensor/tensor.js';
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
import type { BinaryName, UnaryName } from './codes.js';

/** @internal An activation whose derivative is a function of its input or of its output. */
export class PointwiseActivation {
  constructor(
    readonly name: string,
    readonly forward: UnaryName,
    readonly backward: BinaryName,
    /** What backward reads beside the gradient. */
    readonly saved: 'input' | 'output',
    readonly p = 0,
    readonly q = 0,
    /** Of PReLU, which is leakyRelu with them in the place of p: its weight. */
    readonly slopes: Tensor | null = null,
  ) {}
}

/** @internal Those without options. */
export const FIXED = {
  sigmoid: new PointwiseActivation('sigmoid', 'sigmoid', 'sigmoid_gradient', 'output'),
  tanh: new PointwiseActivation('tanh', 'tanh', 'tanh_gradient', 'output'),
  silu: new PointwiseActivation('silu', 'silu', 'silu_gradient', 'input'),
  mish: new PointwiseActivation('mish', 'mish', 'mish_gradient', 'input'),
  logSigmoid: new PointwiseActivation('logSigmoid', 'log_sigmoid', 'log_sigmoid_gradient', 'input'),
  relu6: new PointwiseActivation('relu6', 'clamp', 'hardtanh_gradient', 'input', 0, 6),
} as const;

const GELUS = {
  none: new PointwiseActivation('gelu', 'gelu', 'gelu_gradient', 'input'),
  tanh: new PointwiseActivation('gelu', 'gelu_tanh', 'gelu_tanh_gradient', 'input'),
} as const;

/** @internal Those with options, from options that are checked here. */
export const WITH_OPTIONS = {
  gelu(who: string, options: GELUOptions): PointwiseActivation {
    return GELUS[geluOptions(who, options).approximate];
  },
  leakyRelu(who: string, options: LeakyReLUOptions): PointwiseActivation {
    const { negativeSlope } = leakyReluOptions(who, options);
    const [forward, backward] = ['leaky_relu', 'leaky_relu_gradient'] as const;
    return new PointwiseActivation('leakyRelu', forward, backward, 'input', negativeSlope);
  },
  elu(who: string, options: ELUOptions): PointwiseActivation {
    return new PointwiseActivation(
      ...(['elu', 'elu', 'elu_gradient', 'input', eluOptions(who, options).alpha] as const),
    );
  },
  softplus(who: string, options: SoftplusOptions): PointwiseActivation {
    const { beta, threshold } = softplusOptions(who, options);
    return new PointwiseActivation(
      ...(['softplus', 'softplus', 'softplus_gradient', 'input', beta, threshold] as const),
    );
  },
  hardtanh(who: string, options: HardtanhOptions): PointwiseActivation {
    const { minVal, maxVal } = hardtanhOptions(who, options);
    return new PointwiseActivation(
      ...(['hardtanh', 'clamp', 'hardtanh_gradient', 'input', minVal, maxVal] as const),
    );
  },
} as const;

/** @internal PReLU by a weight whose size and dtype the input has still to decide about. */
export function preluBy(who: string, weight: Tensor): PointwiseActivation {
  if (!((weight as unknown) instanceof Tensor))
    throw check.wrongKind(who, 'a weight Tensor', weight);
  const [forward, backward] = ['leaky_relu', 'leaky_relu_gradient'] as const;
  return new PointwiseActivation('prelu', forward, backward, 'input', 0, 0, weight);
}

/** @internal Whether a weight of PReLU's is one slope, or one for each of so many channels. */
export function slopesFit({ shape, numel }: Tensor, channels: number | undefined): boolean {
  return shape.length <= 1 && (numel === 1 || numel === channels);
}

/**
 * @internal That the weight of a PReLU fits an input of so many channels.
 *
 * @throws {TypeError | RangeError} where it does not.
 */
export function checkSlopes(who: string, weight: Tensor, input: Tensor, channels: number): void {
  check.sameDtype(who, 'weight', weight, input.dtype);
  weight.present(who, 'weight');
  if (!slopesFit(weight, channels)) {
    throw check.wrongValue(
      who,
      `a weight of 1 or ${channels} values, one a channel`,
      `shape ${check.shapeText(weight.shape)} for an input of shape ${check.shapeText(input.shape)}`,
    );
  }
}

type FixedName = keyof typeof FIXED;
type NameWithOptions = keyof typeof WITH_OPTIONS;

/**
 * An activation by the name of its function, with its defaults; with options of its own as
 * `{ name: 'leakyRelu', negativeSlope: 0.2 }`. PReLU is `{ name: 'prelu', weight }`: a tensor of one slope, or of one for
 * each channel, which gets its gradient too.
 */
export type ActivationOption =
  | 'relu'
  | FixedName
  | NameWithOptions
  | { readonly name: 'relu' | FixedName }
  | ({ readonly name: 'gelu' } & GELUOptions)
  | ({ readonly name: 'leakyRelu' } & LeakyReLUOptions)
  | ({ readonly name: 'elu' } & ELUOptions)
  | ({ readonly name: 'softplus' } & SoftplusOptions)
  | ({ readonly name: 'hardtanh' } & HardtanhOptions)
  | { readonly name: 'prelu'; readonly weight: Tensor };

const NAMES = ['relu', ...Object.keys(FIXED), ...Object.keys(WITH_OPTIONS), 'prelu'];

/**
 * @internal What an option asks for. ReLU is no pointwise kernel but a flag of the passes.
 *
 * @throws {TypeError | RangeError} for another name, or options that the activation does not take.
 */
export function activationOf(
  who: string,
  option: ActivationOption | PointwiseActivation,
): PointwiseActivation | 'relu' {
  if (option instanceof PointwiseActivation) return option;
  const given: unknown = option;
  const { name, ...options } =
    typeof given === 'object' && given !== null
      ? (given as { readonly name?: unknown })
      : { name: given };
  check.oneOf(who, 'activation', name, NAMES);
  if ((name as string) in WITH_OPTIONS) return WITH_OPTIONS[name as NameWithOptions](who, options);
  if (name === 'prelu') {
    check.options(who, options, ['weight']);
    return preluBy(who, (options as { readonly weight?: unknown }).weight as Tensor);
  }
  check.options(who, options, []);
  return name === 'relu' ? name : FIXED[name as FixedName];
}
