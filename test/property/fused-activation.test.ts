// BatchNorm with a pointwise activation in its pass has the bits of doing it in two steps: outputs, gradients, running
// statistics, in every shape and mode.
import { functional, nn, noGrad, tensor, type Tensor } from 'evenkeel';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { steppedValues } from '../helpers/random.js';
import { runs } from '../helpers/runs.js';

const RUNS = { seed: 20261129, numRuns: runs(60) };

interface Kind {
  readonly option: functional.ActivationOption;
  readonly layer: () => nn.Layer;
  readonly apart: (x: Tensor) => Tensor;
}
const fixed = (
  option: functional.ActivationOption & keyof typeof functional,
  layer: () => nn.Layer,
): Kind => ({
  option,
  layer,
  apart: (x) => (functional as unknown as Record<string, (of: Tensor) => Tensor>)[option]!(x),
});
const KINDS: Readonly<Record<string, Kind>> = {
  relu: fixed('relu', () => new nn.ReLU()),
  sigmoid: fixed('sigmoid', () => new nn.Sigmoid()),
  tanh: fixed('tanh', () => new nn.Tanh()),
  silu: fixed('silu', () => new nn.SiLU()),
  mish: fixed('mish', () => new nn.Mish()),
  logSigmoid: fixed('logSigmoid', () => new nn.LogSigmoid()),
  relu6: fixed('relu6', () => new nn.ReLU6()),
  gelu: fixed('gelu', () => new nn.GELU()),
  softplus: fixed('softplus', () => new nn.Softplus()),
  'gelu of tanh': {
    option: { name: 'gelu', approximate: 'tanh' },
    layer: () => new nn.GELU({ approximate: 'tanh' }),
    apart: (x) => functional.gelu(x, { approximate: 'tanh' }),
  },
  'leakyRelu of 0.2': {
    option: { name: 'leakyRelu', negativeSlope: 0.2 },
    layer: () => new nn.LeakyReLU({ negativeSlope: 0.2 }),
    apart: (x) => functional.leakyRelu(x, { negativeSlope: 0.2 }),
  },
  'elu of 0.7': {
    option: { name: 'elu', alpha: 0.7 },
    layer: () => new nn.ELU({ alpha: 0.7 }),
    apart: (x) => functional.elu(x, { alpha: 0.7 }),
  },
  'softplus of 2 and 3': {
    option: { name: 'softplus', beta: 2, threshold: 3 },
    layer: () => new nn.Softplus({ beta: 2, threshold: 3 }),
    apart: (x) => functional.softplus(x, { beta: 2, threshold: 3 }),
  },
  'hardtanh of -0.5 and 2': {
    option: { name: 'hardtanh', minVal: -0.5, maxVal: 2 },
    layer: () => new nn.Hardtanh({ minVal: -0.5, maxVal: 2 }),
    apart: (x) => functional.hardtanh(x, { minVal: -0.5, maxVal: 2 }),
  },
};

const numelOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const size = (min: number, max: number) => fc.integer({ min, max });
const channelsOf = (shape: readonly number[], layout: string): number =>
  layout === 'NLC' ? shape.at(-1)! : shape[1]!;
const cases = fc
  .record({
    kind: fc.constantFrom(...Object.keys(KINDS)),
    shape: fc.oneof(
      fc.tuple(size(2, 40), size(1, 40)),
      fc.tuple(size(300, 700), size(1, 20)),
      fc.tuple(size(2, 9), size(1, 12), size(2, 90)),
      fc.tuple(size(1, 2), size(1, 3), size(2000, 5000)),
    ),
    seed: size(1, 2 ** 31 - 2),
    mode: fc.constantFrom('training', 'evaluation', 'frozen'),
    affine: fc.boolean(),
    dtype: fc.constantFrom('float32' as const, 'float64' as const),
    layout: fc.constantFrom('NCL' as const, 'NLC' as const),
    // Of a channel: what is not finite, and values that the passes' own arithmetic is too narrow for.
    special: fc.constantFrom(0, NaN, 1e36),
  })
  // More than one value a channel.
  .filter(({ shape, layout }) => numelOf(shape) > channelsOf(shape, layout));
type Case = typeof cases extends fc.Arbitrary<infer Value> ? Value : never;

function values({ shape, seed, dtype, special }: Case, salt: number): Tensor {
  const numbers = { dtype, seed: seed + salt, steps: 512 };
  return tensor(steppedValues(numelOf(shape), numbers, salt === 0 ? special : 0), shape);
}

function layerOf({ shape, seed, mode, affine, dtype, layout }: Case): nn.BatchNorm1d {
  const layer = new nn.BatchNorm1d(channelsOf(shape, layout), { affine, dtype, layout });
  layer.weight?.data.forEach((_, i, all) => (all[i] = (seed % 7) - 3 + i / 2));
  layer.bias?.data.forEach((_, i, all) => (all[i] = (i % 3) - 1));
  layer.train(mode === 'training');
  if (mode === 'frozen') layer.freeze();
  return layer;
}

type Run = (layer: nn.BatchNorm1d, x: Tensor) => Tensor | Promise<Tensor>;

/** Everything a step writes. */
async function step(of: Case, run: Run, gradient: 'array' | 'one value' = 'array') {
  const layer = layerOf(of);
  const x = values(of, 0);
  x.requiresGrad = true;
  const y = await run(layer, x);
  if (gradient === 'array') y.backward(values(of, 77));
  else functional.sum(y).backward();
  const { weight, bias, runningMean, runningVar } = layer;
  return [y, x.grad, weight?.grad, bias?.grad, runningMean, runningVar].map((each) => each?.data);
}

const ways: Record<string, (kind: Kind) => Run> = {
  'the option':
    ({ option }) =>
    (layer, x) =>
      layer.forward(x, { activation: option }),
  Sequential:
    ({ layer: activation }) =>
    (layer, x) =>
      new nn.Sequential(layer, activation()).forward(x),
  'into out':
    ({ option }) =>
    (layer, x) =>
      layer.forward(x, { activation: option, out: tensor(x.data.slice(), x.shape) }),
  forwardAsync:
    ({ option }) =>
    (layer, x) =>
      layer.forwardAsync(x, { activation: option }),
};

describe('an activation in the pass of BatchNorm has the bits of one behind it', () => {
  test.each(Object.keys(ways))('%s', async (name) => {
    await fc.assert(
      fc.asyncProperty(
        cases,
        fc.constantFrom('array' as const, 'one value' as const),
        async (of, dy) => {
          const kind = KINDS[of.kind]!;
          const fused = await step(of, ways[name]!(kind), dy);
          expect(fused).toStrictEqual(
            await step(of, (layer, x) => kind.apart(layer.forward(x)), dy),
          );
        },
      ),
      RUNS,
    );
  });

  test.each(Object.keys(KINDS))('behind padding: %s', async (name) => {
    const kind = KINDS[name]!;
    const of: Case = {
      ...{ kind: name, shape: [3, 4, 40], seed: 5, mode: 'training', affine: true },
      ...{ dtype: 'float32', layout: 'NCL', special: 0 },
    };
    const lengths = [40, 7, 0];
    const apart = await step(of, (layer, x) => kind.apart(layer.forward(x, { lengths })));
    const { option } = kind;
    expect(
      await step(of, (layer, x) => layer.forward(x, { lengths, activation: option })),
    ).toStrictEqual(apart);
    expect(
      await step(of, (layer, x) => new nn.Sequential(layer, kind.layer()).forward(x, { lengths })),
    ).toStrictEqual(apart);
  });

  test.each(Object.keys(KINDS))(
    'of FrozenBatchNorm1d, of the stateless form, and into out: %s',
    (name) => {
      const { option, layer, apart } = KINDS[name]!;
      const x = tensor([
        [1, -2],
        [3, 0.5],
      ]);
      const frozen = new nn.FrozenBatchNorm1d(2);
      const expected = apart(frozen.forward(x)).data;
      expect(new nn.Sequential(frozen, layer()).forward(x).data).toStrictEqual(expected);
      const out = tensor(new Float32Array(4), [2, 2]);
      frozen.forward(x, { activation: option, out });
      expect(out.data).toStrictEqual(expected);
      const batch = { training: true };
      expect(
        functional.batchNorm(x, null, null, { ...batch, activation: option }).data,
      ).toStrictEqual(apart(functional.batchNorm(x, null, null, batch)).data);
    },
  );
});

test('backwardAsync has the bits of backward', async () => {
  const run = async (isAsync: boolean) => {
    const bn = new nn.BatchNorm1d(3);
    const x = tensor(
      Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i)),
      [1000, 3],
    );
    x.requiresGrad = true;
    const loss = functional.sum(bn.forward(x, { activation: 'gelu' }).mul(x));
    if (isAsync) await loss.backwardAsync();
    else loss.backward();
    return [x.grad, bn.weight!.grad, bn.bias!.grad].map((each) => each!.data);
  };
  expect(await run(true)).toStrictEqual(await run(false));
});

test.each<[string, keyof typeof KINDS, (bn: nn.BatchNorm1d, x: Tensor, y: Tensor) => Tensor]>([
  ['the bias, of one whose derivative is one of its input', 'silu', (bn) => bn.bias!],
  ['the weight', 'silu', (bn) => bn.weight!],
  ['the input', 'silu', (_bn, x) => x],
  ['the output, of one whose derivative is one of that', 'sigmoid', (_bn, _x, y) => y],
])('a change in place of what backward reads again is an error: %s', (_name, kind, changed) => {
  const bn = new nn.BatchNorm1d(2);
  const x = tensor([
    [1, -2],
    [3, 5],
  ]);
  const y = bn.forward(x, { activation: KINDS[kind]!.option });
  noGrad(() => changed(bn, x, y).detach().fill_(0.5));
  expect(() => y.backward(x)).toThrow('modified by an inplace operation');
});

test('behind padding there is no out, which nothing has been written into then', () => {
  const bn = new nn.BatchNorm1d(2);
  const x = tensor(
    Float32Array.from({ length: 12 }, (_, i) => i % 5),
    [2, 2, 3],
  );
  const out = tensor(new Float32Array(12).fill(7), [2, 2, 3]);
  const options = { lengths: [3, 1], out, activation: 'silu' } as const;
  expect(() => bn.forward(x, options)).toThrow('expected no out for an activation behind padding');
  expect(out.data).toStrictEqual(new Float32Array(12).fill(7));
  expect(bn.numBatchesTracked).toBe(0);
});

test('Sequential leaves an activation with a forward of its own alone', () => {
  class Doubled extends nn.SiLU {
    override forward(x: Tensor): Tensor {
      return super.forward(functional.add(x, x));
    }
  }
  const [bn, doubled] = [new nn.BatchNorm1d(2), new Doubled()];
  const x = tensor([
    [1, -2],
    [3, 5],
  ]);
  expect(new nn.Sequential(bn, doubled).forward(x).data).toStrictEqual(
    doubled.forward(bn.forward(x)).data,
  );
});

test.each<[unknown, string]>([
  ['swish', 'expected activation to be'],
  [7, 'expected activation to be'],
  [{ name: 'silu', beta: 2 }, "got 'beta'"],
  [{ name: 'elu', alpha: NaN }, 'expected alpha to be a finite number'],
])('activation %j is refused, and nothing has changed then', (activation, message) => {
  const bn = new nn.BatchNorm1d(2);
  const x = tensor([
    [1, -2],
    [3, 5],
  ]);
  expect(() => bn.forward(x, { activation: activation as functional.ActivationOption })).toThrow(
    message,
  );
  expect(() => bn.forward(x, { activation: 'silu', relu: true })).toThrow('relu or activation');
  expect(bn.numBatchesTracked).toBe(0);
});
