// BatchNorm with a ReLU in its pass, and with a gradient of one value, has the bits of doing it in two
// steps with arrays: every shape, both modes, NaN and zeros included.
import { functional, nn, tensor, type Tensor } from 'evenkeel';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { steppedValues } from '../helpers/random.js';
import { runs } from '../helpers/runs.js';

const RUNS = { seed: 20261123, numRuns: runs(150) };

const shapes = fc.oneof(
  fc.tuple(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1, max: 40 })),
  fc.tuple(fc.integer({ min: 1700, max: 1800 }), fc.integer({ min: 1, max: 9 })),
  fc.tuple(
    fc.integer({ min: 2, max: 9 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 70 }),
  ),
);
const cases = fc.record({
  shape: shapes,
  seed: fc.integer({ min: 1, max: 2 ** 31 - 2 }),
  training: fc.boolean(),
  affine: fc.boolean(),
  dtype: fc.constantFrom('float32' as const, 'float64' as const),
  special: fc.boolean(),
});
type Case = typeof cases extends fc.Arbitrary<infer Value> ? Value : never;

/** Values in [-1, 1) in steps of 1/64, so that y = 0 is met; a NaN where `special`. */
function values({ shape, seed, dtype, special }: Case, salt: number): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const numbers = { dtype, seed: seed + salt, steps: 128 };
  return tensor(steppedValues(count, numbers, special && salt === 0 ? NaN : 0), shape);
}

function layerOf({ shape, seed, training, affine, dtype }: Case): nn.BatchNorm1d {
  const layer = new nn.BatchNorm1d(shape[1], { affine, dtype });
  if (layer.weight !== null)
    layer.weight.data.forEach((_, i, all) => (all[i] = (seed % 7) - 3 + i));
  if (layer.bias !== null) layer.bias.data.forEach((_, i, all) => (all[i] = (i % 3) - 1));
  return layer.train(training);
}

/** Everything a step writes. `last` is what backward starts from. */
function step(of: Case, run: (layer: nn.BatchNorm1d, x: Tensor) => Tensor, dy: Tensor | null) {
  const layer = layerOf(of);
  const x = values(of, 0);
  x.requiresGrad = true;
  const y = run(layer, x);
  if (dy === null) functional.sum(y).backward();
  else y.backward(dy);
  const { weight, bias, runningMean, runningVar } = layer;
  return [y, x.grad, weight?.grad, bias?.grad, runningMean, runningVar].map((each) => each?.data);
}

function enough({ shape }: Case): boolean {
  return shape.reduce((a, b) => a * b, 1) / shape[1] > 1;
}

describe('a ReLU in the pass of BatchNorm has the bits of one behind it', () => {
  const apart = (layer: nn.BatchNorm1d, x: Tensor) => functional.relu(layer.forward(x));
  const ways: Record<string, (layer: nn.BatchNorm1d, x: Tensor) => Tensor> = {
    'the flag': (layer, x) => layer.forward(x, { relu: true }),
    Sequential: (layer, x) => new nn.Sequential(layer, new nn.ReLU()).forward(x),
  };
  test.each(Object.keys(ways))('%s', (name) => {
    fc.assert(
      fc.property(cases.filter(enough), (of) => {
        const dy = values(of, 77);
        expect(step(of, ways[name]!, dy)).toStrictEqual(step(of, apart, dy));
      }),
      RUNS,
    );
  });
});

test.each([false, true])(
  'the gradient of a sum has the bits of an array of ones, relu %s',
  (relu) => {
    fc.assert(
      fc.property(cases.filter(enough), (of) => {
        const forward = (layer: nn.BatchNorm1d, x: Tensor) => layer.forward(x, { relu });
        const ones = values(of, 77);
        ones.data.fill(1 as never);
        expect(step(of, forward, null)).toStrictEqual(step(of, forward, ones));
      }),
      RUNS,
    );
  },
);

describe('Sequential', () => {
  class Doubled extends nn.BatchNorm1d {
    override forward(...args: Parameters<nn.BatchNorm1d['forward']>): Tensor {
      const y = super.forward(...args);
      return functional.add(y, y);
    }
  }
  class Shifted extends nn.ReLU {
    override forward(x: Tensor): Tensor {
      return super.forward(functional.add(x, x));
    }
  }
  const x = (): Tensor =>
    tensor([
      [1, -2],
      [3, 5],
      [-4, 0.5],
    ]);

  test('calls a BatchNorm or a ReLU with a forward of its own as it is', () => {
    const [doubled, shifted] = [new Doubled(2), new Shifted()];
    expect(new nn.Sequential(doubled, new nn.ReLU()).forward(x()).data).toStrictEqual(
      functional.relu(doubled.forward(x())).data,
    );
    const plain = new nn.BatchNorm1d(2);
    expect(new nn.Sequential(plain, shifted).forward(x()).data).toStrictEqual(
      shifted.forward(plain.forward(x())).data,
    );
  });

  test('leaves a BatchNorm without a ReLU, and a ReLU without a BatchNorm, alone', () => {
    const bn = new nn.BatchNorm1d(2);
    expect(new nn.Sequential(new nn.ReLU(), bn).forward(x()).data).toStrictEqual(
      bn.forward(functional.relu(x())).data,
    );
  });
});

test('a bias that changed between forward and backward is an error behind a ReLU', () => {
  const bn = new nn.BatchNorm1d(2);
  const y = bn.forward(
    tensor([
      [1, -2],
      [3, 5],
    ]),
    { relu: true },
  );
  bn.resetParameters();
  expect(() => {
    functional.sum(y).backward();
  }).toThrow('modified by an inplace operation');
});

test('relu has to be a boolean, and nothing has changed then', () => {
  const bn = new nn.BatchNorm1d(2);
  const x = tensor([
    [1, -2],
    [3, 5],
  ]);
  // @ts-expect-error: a string
  expect(() => bn.forward(x, { relu: 'yes' })).toThrow(TypeError);
  expect(bn.numBatchesTracked).toBe(0);
});
