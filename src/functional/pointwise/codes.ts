// The codes of the pointwise kernels: the order of native/kernels/pointwise.inc, which
// test/unit/pointwise-codes.test.ts compares.

const UNARY = [
  ...['neg', 'abs', 'sqrt', 'rsqrt', 'plus', 'times', 'divided_by', 'divide', 'subtract_from'],
  ...['clamp', 'leaky_relu', 'square', 'floor', 'ceil', 'round', 'trunc', 'sign'],
  ...['exp', 'log', 'log1p', 'sigmoid', 'tanh', 'silu', 'gelu', 'gelu_tanh', 'elu'],
  ...['mish', 'cube', 'softplus', 'log_sigmoid', 'pow'],
] as const;

const BINARY = [
  ...['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'negative_product'],
  ...['share_of_maximum', 'share_of_minimum', 'equal', 'prelu', 'prelu_derivative', 'prelu_weight'],
  ...['abs_gradient', 'sqrt_gradient', 'rsqrt_gradient', 'square_gradient', 'log1p_gradient'],
  ...['sigmoid_gradient', 'tanh_gradient', 'leaky_relu_gradient', 'clamp_gradient'],
  ...['hardtanh_gradient', 'divide_gradient'],
  ...['silu_gradient', 'gelu_gradient', 'gelu_tanh_gradient', 'softplus_gradient', 'elu_gradient'],
  ...['log_sigmoid_gradient', 'mish_gradient', 'cube_gradient'],
  ...['power', 'power_derivative', 'power_logarithm', 'pow_gradient'],
] as const;

const COMPARE = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;

export type UnaryName = (typeof UNARY)[number];
export type BinaryName = (typeof BINARY)[number];
export type CompareName = (typeof COMPARE)[number];

function codes<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, i) => [name, i])) as Record<Name, number>;
}

/** @internal */
export const CODES = { unary: codes(UNARY), binary: codes(BINARY), compare: codes(COMPARE) };
