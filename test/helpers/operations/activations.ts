// The rows of the activations as layers; those of the functions are in table.ts.
import { row, type Operation, type Package } from './row.js';

export function activationsOf({ nn, tensor, Tensor }: Package): Operation[] {
  type Tensor = InstanceType<typeof Tensor>;
  const one = (): [Tensor] => [tensor(Float32Array.of(1, -2, 3, 4, 5, -6), [3, 2])];
  const plain = ['Sigmoid', 'Tanh', 'SiLU', 'Mish', 'LogSigmoid', 'ReLU6'] as const;
  return [
    ...plain.map((name) => row(`nn.${name}`, one, (x) => new nn[name]().forward(x))),
    row('nn.GELU', one, (x, options) => new nn.GELU(options).forward(x), {
      options: () => ({ approximate: 'tanh' }),
    }),
    row('nn.LeakyReLU', one, (x, options) => new nn.LeakyReLU(options).forward(x), {
      options: () => ({ negativeSlope: 0.2 }),
    }),
    row('nn.ELU', one, (x, options) => new nn.ELU(options).forward(x), {
      options: () => ({ alpha: 0.5 }),
    }),
    row('nn.Softplus', one, (x, options) => new nn.Softplus(options).forward(x), {
      options: () => ({ beta: 2, threshold: 5 }),
    }),
    row('nn.Hardtanh', one, (x, options) => new nn.Hardtanh(options).forward(x), {
      options: () => ({ minVal: -2, maxVal: 2 }),
    }),
    row('nn.GLU', one, (x, options) => new nn.GLU(options).forward(x), {
      options: () => ({ dim: 1 }),
    }),
    row(
      'nn.Softmax',
      () => [...one(), { dim: 1 }],
      (x, options) => new nn.Softmax(options).forward(x),
    ),
    row(
      'nn.LogSoftmax',
      () => [...one(), { dim: 0 }],
      (x, options) => new nn.LogSoftmax(options).forward(x),
    ),
    row('nn.PReLU', one, (x, options) => new nn.PReLU(options).forward(x), {
      options: () => ({ numParameters: 2, init: 0.5, dtype: 'float32' }),
    }),
  ];
}
