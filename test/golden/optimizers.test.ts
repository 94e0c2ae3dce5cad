// SGD, Adam and AdamW against PyTorch's float64: five steps on gradients that are given.
import { nn, optim, tensor } from 'evenkeel';
import { describe, test } from 'vitest';

import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { decode, readGolden, type DTypeName, type Encoded } from '../helpers/golden.js';

interface Options {
  lr?: number;
  momentum?: number;
  betas?: [number, number];
  eps?: number;
  weightDecay?: number;
  nesterov?: boolean;
  dampening?: number;
  maximize?: boolean;
}

interface Case {
  name: 'SGD' | 'Adam' | 'AdamW';
  dtype: DTypeName;
  options: Options;
  start: Encoded;
  gradients: Encoded[];
  after: Encoded[];
}

const golden = readGolden('optimizers') as { torch: string; cases: Case[] };

/**
 * How long one element's step is where nothing cancels: the optimiser's recurrences on magnitudes. It
 * is what the step's roundings are relative to.
 */
function stepSize({ name, options }: Case): (gradient: number, parameter: number) => number {
  const { lr = 1e-3, momentum = 0, weightDecay = 0, betas = [0.9, 0.999], eps = 1e-8 } = options;
  const decay = name === 'AdamW' ? 0 : weightDecay;
  let [m, v, t] = [0, 0, 0];
  return (gradient, parameter) => {
    const g = Math.abs(gradient) + decay * Math.abs(parameter);
    if (name === 'SGD') {
      m = momentum * m + g;
      return lr * (g + momentum * m);
    }
    t++;
    const exact = gradient * (options.maximize === true ? -1 : 1) + decay * parameter;
    m = betas[0] * m + (1 - betas[0]) * g;
    v = betas[1] * v + (1 - betas[1]) * exact ** 2;
    return (lr * (m / (1 - betas[0] ** t))) / (Math.sqrt(v / (1 - betas[1] ** t)) + eps);
  };
}

describe(`optimisers as PyTorch ${golden.torch} computes them`, () => {
  for (const each of golden.cases) {
    const { name, dtype, options } = each;
    test(`${name} ${dtype} ${JSON.stringify(options)}`, () => {
      const start = decode(each.start);
      const parameter = new nn.Parameter(tensor(start.slice()));
      const optimizer = new optim[name]([parameter], options);
      const sizes = Array.from(start, () => stepSize(each));
      // Each step rounds the parameter twice (decay, difference) and its own length some 8 times:
      // constants, moments, root, quotient, products. PyTorch's float64 rounds as often as ours.
      const sides = dtype === 'float64' ? 2 : 1;
      const scale = new Float64Array(start.length);
      let before: ArrayLike<number> = start;
      each.gradients.forEach((encoded, step) => {
        const gradient = decode(encoded);
        parameter.grad = tensor(gradient);
        optimizer.step();
        const expected = decode(each.after[step]!);
        expected.forEach((value, i) => {
          const size = Math.max(Math.abs(before[i]!), Math.abs(value));
          scale[i]! += sides * (2 * size + 8 * sizes[i]!(gradient[i]!, before[i]!));
        });
        const allowed = { k: 1, unit: ROUNDING[dtype], scale };
        expectAllClose(parameter, expected, allowed, `after step ${step + 1}`);
        before = expected;
      });
    });
  }
});
