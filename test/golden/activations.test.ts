// Activations as layers, and gradients at corners, are PyTorch's (scripts/golden/activations.py).
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, type Tensor } from 'evenkeel';
import cases from './data/activations.json' with { type: 'json' };

type Made = new (options?: object) => nn.Module & { forward(x: Tensor): Tensor };

const camelCase = (name: string): string => name.replace(/_./g, (each) => each[1]!.toUpperCase());

/** PyTorch's arguments as our options. */
function make(name: string, options: object, dtype?: 'float64'): InstanceType<Made> {
  const named = Object.entries(options).map(([key, value]) => [camelCase(key), value as unknown]);
  const more = name === 'PReLU' && dtype !== undefined ? { dtype } : {};
  const Layer = Reflect.get(nn, name) as Made;
  return new Layer({ ...(Object.fromEntries(named) as object), ...more });
}

function expectNear(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, each] of expected.entries()) {
    const error = Math.abs(actual[i]! - each);
    expect(error, `element ${i}: ${actual[i]} against ${each}`).toBeLessThanOrEqual(
      1e-14 * Math.max(Math.abs(each), 1),
    );
  }
}

const flat = (x: Tensor | null): number[] => Array.from(x!.data as Float64Array);

describe('layers', () => {
  test('there is a case of each', () => {
    const names = new Set(cases.layers.map(({ name }) => name));
    expect([...names].sort().join(' ')).toBe(
      'ELU GELU GLU Hardtanh LeakyReLU LogSigmoid LogSoftmax Mish PReLU ReLU6 SiLU Sigmoid Softmax Softplus Tanh',
    );
  });

  describe.each(cases.layers.map((each) => [each.repr, each] as const))('%s', (repr, each) => {
    const { name, options, output, state } = each;

    test('the repr', () => {
      expect(String(make(name, options))).toBe(repr);
      expect(String(make(name, options).clone())).toBe(repr);
    });

    test('forward, backward and state', () => {
      const layer = make(name, options, 'float64');
      const entries = [...layer.stateDict()].map(([key, value]) => [key, flat(value)]);
      expect(Object.fromEntries(entries)).toEqual(state);
      const x = tensor(cases.input, { dtype: 'float64', requiresGrad: true });
      const y = layer.forward(x);
      expectNear(flat(y), output);
      functional.sum(y).backward();
      expectNear(flat(x.grad), each.gradient);
      if (each.weightGradient === null) return;
      expectNear(flat([...layer.parameters()][0]!.grad), each.weightGradient);
    });
  });
});

describe('PReLU behind BatchNorm', () => {
  const rows = cases.behindNorm.map((each) => {
    const mode = each.training ? 'training' : 'evaluation';
    return [`[${each.shape.join(', ')}], slopes: ${each.count}, ${mode}`, each] as const;
  });
  test.each(rows)('%s', (_, { shape, count, training, ...expected }) => {
    const channels = shape[1]!;
    const size = shape.reduce((a, b) => a * b, 1);
    const values = (of: (i: number) => number): Tensor =>
      tensor(
        Float64Array.from({ length: size }, (_, i) => of(i)),
        shape,
      );
    const x = values((i) => Math.sin(i * 0.37 + 1));
    x.requiresGrad = true;
    const norm = new nn.BatchNorm1d(channels, { dtype: 'float64' });
    norm.weight!.data.forEach((_, i, all) => (all[i] = i * 0.5 - 0.75));
    norm.bias!.data.forEach((_, i, all) => (all[i] = i * 0.25 - 0.25));
    norm.runningMean!.data.fill(0.125 as never);
    norm.runningVar!.data.fill(0.75 as never);
    const prelu = new nn.PReLU({ numParameters: count, dtype: 'float64' });
    prelu.weight.data.set([0.25, -0.5, 0, 1.5].slice(0, count));
    const y = new nn.Sequential(norm, prelu).train(training).forward(x);
    y.backward(values((i) => Math.cos(i * 0.11)));
    expectNear(flat(y), expected.output);
    expectNear(flat(x.grad), expected.gradient);
    expectNear(flat(norm.weight!.grad), expected.weight);
    expectNear(flat(norm.bias!.grad), expected.bias);
    expectNear(flat(prelu.weight.grad), expected.slopes);
    expectNear(flat(norm.runningMean), expected.mean);
    expectNear(flat(norm.runningVar), expected.variance);
  });
});

describe('gradients at corners', () => {
  type Call = (x: Tensor, ...rest: readonly unknown[]) => Tensor;
  const rows = cases.corners.map(
    (each) => [each.name, JSON.stringify(each.arguments), each] as const,
  );

  describe.each(rows)('%s %s', (name, _, { x: values, arguments: rest, gradient }) => {
    test.each(['float32', 'float64'] as const)('%s', (dtype) => {
      const x = tensor(values, { dtype, requiresGrad: true });
      const call = functional[name as 'sqrt'] as Call;
      functional.sum(call(x, ...rest)).backward();
      // √ of a subnormal: as exact as the float32 is.
      for (const [i, each] of gradient.entries()) {
        const expected = Number(String(each).replace('inf', 'Infinity'));
        const actual = (x.grad!.data as Float64Array)[i]!;
        if (Math.abs(expected) > 1e9 && Number.isFinite(expected)) {
          expect(actual / expected).toBeCloseTo(1, 4);
        } else expect(actual).toBe(expected);
      }
    });
  });
});
