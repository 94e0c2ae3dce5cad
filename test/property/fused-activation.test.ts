// BatchNorm with a pointwise activation in its pass has the bits of doing it in two steps: outputs, gradients, running
// statistics, in every shape and mode.
import { functional, native, nn, noGrad, tensor, type Tensor } from 'evenkeel';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { gradcheck } from '../helpers/gradcheck.js';
import { steppedValues } from '../helpers/random.js';
import { runs } from '../helpers/runs.js';

const RUNS = { seed: 20261129, numRuns: runs(60) };

interface Kind {
  readonly option: functional.ActivationOption;
  readonly layer: () => nn.Layer;
  readonly apart: (x: Tensor) => Tensor;
  /** What it learns. */
  readonly slopes?: nn.Parameter;
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

/** PReLU of one slope, or of one for each of so many channels, which come last where `isLast`. */
function prelu(
  channels: number,
  isLast: boolean,
  dtype: 'float32' | 'float64',
  seed: number,
): Kind {
  const layer = new nn.PReLU({ numParameters: channels, dtype });
  layer.weight.data.forEach((_, i, all) => (all[i] = [0.25, 0, -0.5, 1.5, -0][(seed + i) % 5]!));
  const { weight } = layer;
  return {
    option: { name: 'prelu', weight },
    layer: () => layer,
    apart: (x) => {
      if (channels === 1 || !isLast) return functional.prelu(x, weight);
      const rows = functional.prelu(functional.reshape(x, [-1, channels]), weight);
      return functional.reshape(rows, x.shape);
    },
    slopes: weight,
  };
}
const PRELUS = ['prelu', 'prelu of channels'];
const NAMES = [...Object.keys(KINDS), ...PRELUS];

/** Anew at each call, so that nobody has gradients. */
function kindOf({ kind, shape, layout, dtype, seed }: Case): Kind {
  if (!PRELUS.includes(kind)) return KINDS[kind]!;
  const channels = kind === 'prelu' ? 1 : channelsOf(shape, layout);
  return prelu(channels, layout === 'NLC', dtype, seed);
}

const numelOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const size = (min: number, max: number) => fc.integer({ min, max });
const channelsOf = (shape: readonly number[], layout: string): number =>
  layout === 'NLC' ? shape.at(-1)! : shape[1]!;
const cases = fc
  .record({
    kind: fc.constantFrom(...NAMES, ...PRELUS),
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

type Run = (kind: Kind, layer: nn.BatchNorm1d, x: Tensor) => Tensor | Promise<Tensor>;

/** Everything a step writes. */
async function step(of: Case, run: Run, gradient: 'array' | 'one value' = 'array') {
  const [kind, layer] = [kindOf(of), layerOf(of)];
  const x = values(of, 0);
  x.requiresGrad = true;
  const y = await run(kind, layer, x);
  if (gradient === 'array') y.backward(values(of, 77));
  else functional.sum(y).backward();
  const { weight, bias, runningMean, runningVar } = layer;
  const gradients = [x, weight, bias, kind.slopes].map((each) => each?.grad);
  return [y, ...gradients, runningMean, runningVar].map((each) => each?.data);
}
const apart: Run = (kind, layer, x) => kind.apart(layer.forward(x));

const ways: Record<string, Run> = {
  'the option': ({ option }, layer, x) => layer.forward(x, { activation: option }),
  Sequential: ({ layer: activation }, layer, x) =>
    new nn.Sequential(layer, activation()).forward(x),
  'into out': ({ option }, layer, x) =>
    layer.forward(x, { activation: option, out: tensor(x.data.slice(), x.shape) }),
  forwardAsync: ({ option }, layer, x) => layer.forwardAsync(x, { activation: option }),
};

describe('an activation in the pass of BatchNorm has the bits of one behind it', () => {
  test.each(Object.keys(ways))('%s', async (name) => {
    await fc.assert(
      fc.asyncProperty(
        cases,
        fc.constantFrom('array' as const, 'one value' as const),
        async (of, dy) => {
          // nn.PReLU has its channels in dimension 1, whatever the layer in front of it says.
          const others = of.layout === 'NLC' && of.shape.length > 2;
          fc.pre(name !== 'Sequential' || of.kind !== 'prelu of channels' || !others);
          expect(await step(of, ways[name]!, dy)).toStrictEqual(await step(of, apart, dy));
        },
      ),
      RUNS,
    );
  });

  test.each(NAMES)('behind padding: %s', async (name) => {
    const of: Case = {
      ...{ kind: name, shape: [3, 4, 40], seed: 5, mode: 'training', affine: true },
      ...{ dtype: 'float32', layout: 'NCL', special: 0 },
    };
    const lengths = [40, 7, 0];
    const expected = await step(of, (kind, layer, x) => kind.apart(layer.forward(x, { lengths })));
    const behind: Run = ({ option }, layer, x) => layer.forward(x, { lengths, activation: option });
    const sequence: Run = (kind, layer, x) =>
      new nn.Sequential(layer, kind.layer()).forward(x, { lengths });
    expect(await step(of, behind)).toStrictEqual(expected);
    expect(await step(of, sequence)).toStrictEqual(expected);
  });

  test.each(NAMES)('of FrozenBatchNorm1d, of the stateless form, and into out: %s', (name) => {
    const { option, layer, apart } = kindOf({
      ...{ kind: name, shape: [2, 2], seed: 2, mode: 'training', affine: true },
      ...{ dtype: 'float32', layout: 'NCL', special: 0 },
    });
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
  });
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

describe('PReLU in the pass of BatchNorm', () => {
  const data = (length: number, step: number, dtype: 'float32' | 'float64' = 'float32'): Tensor => {
    const values = Array.from({ length }, (_, i) => Math.sin(i * step + 1));
    return tensor(dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values));
  };
  const slopesOf = (...values: number[]): nn.Parameter =>
    new nn.Parameter(tensor(Float32Array.from(values)));

  test('a change in place of the slopes before backward is an error', () => {
    const [bn, weight] = [new nn.BatchNorm1d(2), slopesOf(0.5, -1)];
    const y = bn.forward(data(6, 1).reshape(3, 2), { activation: { name: 'prelu', weight } });
    noGrad(() => weight.detach().fill_(0.5));
    expect(() => functional.sum(y).backward()).toThrow('modified by an inplace operation');
  });

  test('of layout NLC nn.PReLU has its slopes along dimension 1, and the option along the last', () => {
    const make = (): readonly [nn.BatchNorm1d, Tensor] => [
      new nn.BatchNorm1d(3, { layout: 'NLC' }),
      data(24, 0.7).reshape(2, 4, 3),
    ];
    const [bn, x] = make();
    const four = new nn.PReLU({ numParameters: 4 });
    four.weight.data.set([0.1, -0.2, 0.3, 2]);
    expect(new nn.Sequential(bn, four).forward(x).data).toStrictEqual(
      four.forward(make()[0].forward(x)).data,
    );
    const three = slopesOf(0.1, -0.2, 3);
    const y = bn.forward(x, { activation: { name: 'prelu', weight: three } });
    const expected = functional.prelu(bn.forward(x).reshape(8, 3), three);
    expect(y.data).toStrictEqual(expected.data);
    const mask = [
      [true, true, false, true],
      [true, true, true, true],
    ];
    const some = bn.forward(x, { mask, activation: { name: 'prelu', weight: three } });
    const apart = functional.prelu(bn.forward(x, { mask }).reshape(8, 3), three);
    expect(some.data).toStrictEqual(apart.data);
  });

  test.each([
    ['one slope', 1],
    ['slopes of channels', 4],
  ])('%s alone learn, behind a layer that does not', (_, count) => {
    const step = (fused: boolean): unknown => {
      const bn = new nn.BatchNorm1d(4).freeze();
      const weight = slopesOf(...[0.25, -0.5, 0, 2].slice(0, count));
      const x = data(3 * 4 * 50, 0.37).reshape(3, 4, 50);
      const y = fused
        ? bn.forward(x, { activation: { name: 'prelu', weight } })
        : functional.prelu(bn.forward(x), weight);
      y.backward(data(600, 0.11).reshape(3, 4, 50));
      return weight.grad!.data;
    };
    expect(step(true)).toStrictEqual(step(false));
  });

  test.each([
    ['a virtual batch', {}],
    ['what is not finite kept out', { nonFinite: 'skip' }],
  ] as const)('%s: the bits of two steps', (name, options) => {
    const step = (fused: boolean): unknown => {
      const bn = new nn.BatchNorm1d(3, options);
      const prelu = new nn.PReLU({ numParameters: 3, init: -0.3 });
      const layers = new nn.Sequential(bn, prelu);
      const forward = (x: Tensor): Tensor =>
        fused ? layers.forward(x) : prelu.forward(bn.forward(x));
      const batch = nn.virtualBatch(bn);
      for (const step of [0.3, 0.7])
        functional.sum(forward(data(30, step).reshape(10, 3))).backward();
      batch.commit();
      const bad = data(30, 0.9).reshape(10, 3);
      if (name !== 'a virtual batch') bad.data[4] = NaN;
      functional.sum(forward(bad)).backward();
      return [bn.runningMean, bn.runningVar, bn.weight!.grad, prelu.weight.grad].map(
        (each) => each!.data,
      );
    };
    expect(step(true)).toStrictEqual(step(false));
  });

  test.each([
    ['[N, C]', [6, 3], 3],
    ['[N, C], one slope', [6, 3], 1],
    ['[N, C, L] of short rows', [2, 3, 4], 3],
    ['[N, C, L] of long rows', [1, 2, 33], 2],
  ])('its gradients are those of differences: %s', (_, shape, count) => {
    const of = (length: number, step: number): Tensor => {
      const made = data(length, step, 'float64');
      made.requiresGrad = true;
      return made;
    };
    const x = data(numelOf(shape), 0.37, 'float64')
      .reshape(...shape)
      .detach();
    x.requiresGrad = true;
    gradcheck(
      (input, weight, bias, slopes) =>
        functional.batchNorm(input, null, null, {
          ...{ training: true, weight: weight, bias: bias },
          activation: { name: 'prelu', weight: slopes },
        }),
      [x, of(shape[1]!, 0.9), of(shape[1]!, 0.4), of(count, 0.6)],
    );
  });

  test('keeps no tensor between the two', () => {
    const x = data(1024 * 256, 0.3)
      .reshape(1024, 256)
      .detach();
    x.requiresGrad = true;
    const kept = (fused: boolean): number => {
      const [bn, prelu] = [new nn.BatchNorm1d(256), new nn.PReLU({ numParameters: 256 })];
      const layers = new nn.Sequential(bn, prelu);
      const before = native.memory.inUse;
      const y = fused ? layers.forward(x) : prelu.forward(bn.forward(x));
      const after = native.memory.inUse;
      functional.sum(y).backward();
      return after - before;
    };
    expect(kept(false) - kept(true)).toBeGreaterThan(0.9 * 1024 * 256 * 4);
  });

  test.each<[string, unknown, string]>([
    ['no weight', undefined, 'expected a weight Tensor, got undefined'],
    ['a number', 0.25, 'expected a weight Tensor, got 0.25'],
    ['another size', slopesOf(1, 2, 3), 'prelu: expected a weight of 1 or 2 values, one a channel'],
    ['another shape', tensor([[1, 2]]), 'prelu: expected a weight of 1 or 2 values, one a channel'],
    ['another dtype', data(2, 1, 'float64'), 'prelu: expected weight to be float32 like the input'],
  ])('%s is refused, and nothing has changed then', (_, weight, message) => {
    const bn = new nn.BatchNorm1d(2);
    const x = data(8, 1);
    const activation = { name: 'prelu', weight } as functional.ActivationOption;
    expect(() => bn.forward(x.reshape(4, 2), { activation })).toThrow(message);
    const padded = { activation, lengths: [2, 1] };
    expect(() => bn.forward(x.reshape(2, 2, 2), padded)).toThrow(message);
    expect(bn.numBatchesTracked).toBe(0);
    expect(bn.runningMean!.toArray()).toEqual([0, 0]);
  });

  test('an out, or running statistics, in the memory of the slopes are refused', () => {
    const memory = new Float32Array(10);
    const x = data(8, 1).reshape(4, 2);
    const weight = tensor(memory.subarray(0, 2));
    const activation = { name: 'prelu', weight } as const;
    const out = tensor(memory.subarray(1, 9), [4, 2]);
    const own = 'memory of its own';
    const batch = { training: true, activation };
    expect(() => functional.batchNorm(x, null, null, { ...batch, out })).toThrow(
      `out to have ${own}`,
    );
    const [mean, other] = [tensor(memory.subarray(1, 3)), tensor([1, 1])];
    const refused = (what: string): string => `${what} to have ${own}`;
    expect(() => functional.batchNorm(x, mean, other, batch)).toThrow(refused('running_mean'));
    expect(() => functional.batchNorm(x, other, mean, batch)).toThrow(refused('running_var'));
    expect(memory).toStrictEqual(new Float32Array(10));
  });

  test('Sequential leaves one with a forward of its own alone', () => {
    class Doubled extends nn.PReLU {
      override forward(x: Tensor): Tensor {
        return super.forward(functional.add(x, x));
      }
    }
    const [bn, doubled] = [new nn.BatchNorm1d(2), new Doubled()];
    const x = data(8, 1).reshape(4, 2);
    expect(new nn.Sequential(bn, doubled).forward(x).data).toStrictEqual(
      doubled.forward(bn.forward(x)).data,
    );
  });
});

test.each<[unknown, string]>([
  ['swish', 'expected activation to be'],
  [7, 'expected activation to be'],
  [{ name: 'silu', beta: 2 }, "got 'beta'"],
  ['prelu', 'expected a weight Tensor'],
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
