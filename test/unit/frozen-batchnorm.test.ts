// FrozenBatchNorm1d: BatchNorm1d's evaluation bit for bit, in any mode, with nothing that is learned or moves.
import { describe, expect, test } from 'vitest';

import { nn, optim, tensor, type Tensor } from '../../src/index.js';
import { expectSameBits } from '../helpers/expect-close.js';
import { normals32 } from '../helpers/random.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

type DType = 'float32' | 'float64';

const floats = (dtype: DType, seed: number, count: number): Float32Array | Float64Array =>
  dtype === 'float32' ? normals32(seed, count) : Float64Array.from(normals32(seed, count));

/** In evaluation, with statistics and parameters that say nothing. */
function trained(channels: number, options: nn.BatchNormOptions = {}): nn.BatchNorm1d {
  const bn = new nn.BatchNorm1d(channels, options);
  const { dtype } = bn;
  bn.weight?.data.set(floats(dtype, 1, channels));
  bn.bias?.data.set(floats(dtype, 2, channels));
  bn.runningMean!.data.set(floats(dtype, 3, channels) as never);
  bn.runningVar!.data.set(floats(dtype, 4, channels).map(Math.abs) as never);
  bn.numBatchesTracked = 3;
  return bn.eval();
}

const floatsOf = (t: Tensor): Float32Array => t.data as Float32Array;

const bits = (state: ReadonlyMap<string, Tensor>): unknown =>
  [...state].map(([key, { dtype, shape, data }]) => [key, dtype, shape, [...data]]);

describe('state', () => {
  test("torchvision's: four buffers, and nothing to learn", () => {
    const frozen = new nn.FrozenBatchNorm1d(2);
    expect(bits(frozen.stateDict())).toEqual([
      ['weight', 'float32', [2], [1, 1]],
      ['bias', 'float32', [2], [0, 0]],
      ['running_mean', 'float32', [2], [0, 0]],
      ['running_var', 'float32', [2], [1, 1]],
    ]);
    expect([...frozen.namedBuffers()].map(([name]) => name)).toEqual([
      'weight',
      'bias',
      'running_mean',
      'running_var',
    ]);
    expect([...frozen.namedParameters()]).toEqual([]);
    frozen.requiresGrad_();
    expect([...frozen.buffers()].map(({ requiresGrad }) => requiresGrad)).toEqual([
      ...[false, false, false, false],
    ]);
    const double = new nn.FrozenBatchNorm1d(1, { dtype: 'float64' });
    expect([...double.buffers()].map(({ dtype }) => dtype)).toEqual([
      ...['float64', 'float64', 'float64', 'float64'],
    ]);
  });

  test("the repr is torchvision's", () => {
    expect(new nn.FrozenBatchNorm1d(3).toString()).toBe('FrozenBatchNorm1d(3, eps=1e-05)');
    expect(new nn.FrozenBatchNorm1d(64, { eps: 0 }).toString()).toBe(
      'FrozenBatchNorm1d(64, eps=0.0)',
    );
  });

  test('a state dict of BatchNorm1d loads: its counter is ignored, and left in the map', () => {
    const state = trained(3).stateDict();
    const frozen = new nn.FrozenBatchNorm1d(3);
    for (const strict of [true, false]) {
      expect(frozen.loadStateDict(state, { strict })).toEqual({
        missingKeys: [],
        unexpectedKeys: [],
      });
    }
    expect(state.has('num_batches_tracked')).toBe(true);
    state.delete('num_batches_tracked');
    expect(bits(frozen.stateDict())).toEqual(bits(state));
    expect(frozen.loadStateDict(state)).toEqual({ missingKeys: [], unexpectedKeys: [] });
  });

  test('and inside a model, strictly: the counters of its layers are ignored, no other', () => {
    const build = (bn: nn.Layer): nn.Sequential =>
      new nn.Sequential(bn, new nn.Sequential(new nn.ReLU(), new nn.BatchNorm1d(3)));
    const state = build(trained(3)).stateDict();
    const model = build(new nn.FrozenBatchNorm1d(3));
    expect(model.loadStateDict(state)).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect([...state.keys()]).toContain('0.num_batches_tracked');
    state.delete('0.num_batches_tracked');
    expect(bits(model.stateDict())).toEqual(bits(state));
    // Its own, not one that a module below it might have had.
    const unchanged = snapshot(model);
    state.set('0.0.num_batches_tracked', tensor([1]));
    expect(thrownBy(() => model.loadStateDict(state))).toBe(
      'RangeError: Error(s) in loading state_dict for Sequential:\n\tUnexpected key(s) in state_dict: ' +
        '"0.0.num_batches_tracked".',
    );
    unchanged();
  });

  test('a clone has buffers of its own, and reads those', () => {
    const frozen = nn.FrozenBatchNorm1d.from(trained(3));
    const copy = frozen.clone();
    expect(bits(copy.stateDict())).toEqual(bits(frozen.stateDict()));
    const [x, before] = [tensor(normals32(9, 12), [4, 3]), bits(frozen.stateDict())];
    expectSameBits(copy.forward(x), frozen.forward(x));
    for (const buffer of copy.buffers()) floatsOf(buffer).fill(2);
    expect([[...copy.weight.data], [...copy.bias.data]]).toEqual([
      [2, 2, 2],
      [2, 2, 2],
    ]);
    expect(bits(frozen.stateDict())).toEqual(before);
  });

  test('any other key is refused, and nothing has changed', () => {
    const frozen = new nn.FrozenBatchNorm1d(3);
    const unchanged = snapshot(frozen);
    const state = trained(3).stateDict();
    state.set('momentum', tensor([1]));
    expect(thrownBy(() => frozen.loadStateDict(state))).toBe(
      'RangeError: Error(s) in loading state_dict for FrozenBatchNorm1d:\n\tUnexpected key(s) in state_dict: ' +
        '"momentum".',
    );
    expect(thrownBy(() => frozen.loadStateDict(trained(3, { affine: false }).stateDict()))).toBe(
      'RangeError: Error(s) in loading state_dict for FrozenBatchNorm1d:\n\tMissing key(s) in state_dict: ' +
        '"weight", "bias".',
    );
    expect(thrownBy(() => frozen.loadStateDict({} as never))).toBe(
      'TypeError: FrozenBatchNorm1d.loadStateDict: expected state_dict to be dict-like (a Map), got an object (new Map(Object.entries(x))).',
    );
    unchanged();
  });

  test('a buffer that is registered again is the one that is used', () => {
    const frozen = new nn.FrozenBatchNorm1d(1, { eps: 0 });
    const weight = tensor([3]);
    frozen.registerBuffer('weight', weight);
    expect(frozen.weight).toBe(weight);
    expect(frozen.forward(tensor([[2]])).item()).toBe(6);
    frozen.registerBuffer('running_var', null);
    expect(thrownBy(() => frozen.forward(tensor([[2]])))).toBe(
      'RangeError: FrozenBatchNorm1d: expected a buffer running_var, got null.',
    );
    expect(() => ((frozen as { weight: unknown }).weight = 5)).toThrow(TypeError);
    expect(frozen.weight).toBe(weight);
  });
});

describe('from', () => {
  const cases: nn.BatchNormOptions[] = [
    {},
    { dtype: 'float64', eps: 0.5, layout: 'NLC' },
    { bias: false },
    { affine: false },
  ];
  test.each(cases)('copies %j', (options) => {
    const bn = trained(3, options);
    const untouched = snapshot(bn);
    const frozen = nn.FrozenBatchNorm1d.from(bn);
    expect([frozen.eps, frozen.dtype, frozen.layout, frozen.training]).toEqual([
      ...[bn.eps, bn.dtype, bn.layout, false],
    ]);
    expectSameBits(frozen.weight, bn.weight ?? [1, 1, 1]);
    expectSameBits(frozen.bias, bn.bias ?? [0, 0, 0]);
    expectSameBits(frozen.runningMean, bn.runningMean);
    expectSameBits(frozen.runningVar, bn.runningVar);
    for (const buffer of frozen.buffers()) buffer.data.fill(7 as never);
    untouched();
    expect(nn.FrozenBatchNorm1d.from(bn.train()).training).toBe(true);
  });

  test.each<[string, unknown, string]>([
    [
      'without running statistics',
      new nn.BatchNorm1d(2, { trackRunningStats: false }),
      'RangeError: FrozenBatchNorm1d.from: expected a BatchNorm1d with running statistics (bn.running_mean and ' +
        'bn.running_var must not be None), got none.',
    ],
    [
      'of another rank',
      new nn.BatchNorm2d(2),
      'TypeError: FrozenBatchNorm1d.from: expected a BatchNorm1d, got an instance of BatchNorm2d.',
    ],
    ['that is a number', 2, 'TypeError: FrozenBatchNorm1d.from: expected a BatchNorm1d, got 2.'],
  ])('a BatchNorm %s', (_, bn, message) => {
    expect(thrownBy(() => nn.FrozenBatchNorm1d.from(bn as nn.BatchNorm1d))).toBe(message);
  });
});

describe('forward and backward', () => {
  interface Given {
    readonly shape: number[];
    readonly options: nn.BatchNormOptions;
  }
  const shapes = [
    [1, 5],
    [33, 5],
    [0, 5],
    [4, 5, 3],
    [2, 5, 70],
    [1, 5, 1],
  ];
  const given: Given[] = (['float32', 'float64'] as const).flatMap((dtype) => [
    ...shapes.map((shape) => ({ shape, options: { dtype } })),
    { shape: [3, 4, 5], options: { dtype, layout: 'NLC' as const } },
    { shape: [33, 5], options: { dtype, bias: false } },
    { shape: [4, 5, 3], options: { dtype, affine: false, eps: 0.25 } },
  ]);

  test.each(given)("the bits of BatchNorm1d's evaluation: $shape $options", (each) => {
    const { shape, options } = each;
    const bn = trained(5, options);
    const frozen = nn.FrozenBatchNorm1d.from(bn).train();
    const unchanged = snapshot(frozen);
    const count = shape.reduce((a, b) => a * b, 1);
    const run = (layer: nn.BatchNorm1d | nn.FrozenBatchNorm1d, relu: boolean): Tensor[] => {
      const x = tensor(floats(bn.dtype, 5, count), shape, { requiresGrad: true });
      const y = layer.forward(x, { relu });
      y.backward(tensor(floats(bn.dtype, 6, count), shape));
      return [y, x.grad!];
    };
    for (const relu of [false, true]) {
      const [ours, theirs] = [run(frozen, relu), run(bn, relu)];
      expect(ours[0]!.shape).toEqual(shape);
      expectSameBits(ours[0], theirs[0], 'y');
      expectSameBits(ours[1], theirs[1], 'dx');
    }
    unchanged();
    expect([...frozen.buffers()].map(({ grad }) => grad)).toEqual([null, null, null, null]);
  });

  test.each(['NCL', 'NLC'] as const)('leaves padding out: %s', (layout) => {
    const bn = trained(3, { layout });
    const run = (layer: nn.BatchNorm1d | nn.FrozenBatchNorm1d): Tensor[] => {
      const x = tensor(normals32(5, 36), layout === 'NCL' ? [3, 3, 4] : [3, 4, 3]);
      x.requiresGrad = true;
      const y = layer.forward(x, { lengths: [4, 0, 1] });
      y.backward(tensor(normals32(6, 36), x.shape));
      return [y, x.grad!];
    };
    const [ours, theirs] = [run(nn.FrozenBatchNorm1d.from(bn)), run(bn)];
    expectSameBits(ours[0], theirs[0], 'y');
    expectSameBits(ours[1], theirs[1], 'dx');
    expect([...ours[0]!.data].slice(12, 24)).toEqual(new Array(12).fill(0));
  });

  test('writes into out', () => {
    const frozen = nn.FrozenBatchNorm1d.from(trained(2));
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const out = tensor(new Float32Array(4), [2, 2]);
    const y = frozen.forward(x, { out });
    expect(y.data).toBe(out.data);
    expectSameBits(out, frozen.forward(x));
    expect(y.requiresGrad).toBe(false);
  });

  test('a model trains around it, and it stays', () => {
    const frozen = nn.FrozenBatchNorm1d.from(trained(3));
    const model = new nn.Sequential(new nn.Linear(2, 3), frozen, new nn.Linear(3, 1)).train();
    const unchanged = snapshot(frozen);
    const first = model.at(0) as nn.Linear;
    const before = [...first.weight.data];
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const x = tensor(normals32(8, 8), [4, 2]);
    new nn.MSELoss().forward(model.forward(x), tensor(normals32(9, 4), [4, 1])).backward();
    optimizer.step();
    expect([...first.weight.data]).not.toEqual(before);
    unchanged();
  });

  test('a load between forward and backward is noticed', () => {
    const frozen = new nn.FrozenBatchNorm1d(2);
    const y = frozen.forward(tensor([[1, 2]], { requiresGrad: true }));
    frozen.loadStateDict(trained(2).stateDict());
    expect(() => y.backward(tensor([[1, 1]]))).toThrow(/modified by an inplace operation/);
  });
});

describe('refuses', () => {
  test.each<[unknown[], string]>([
    [[0], 'RangeError: FrozenBatchNorm1d: expected numFeatures to be a positive integer, got 0.'],
    [
      [2, { momentum: 0.1 }],
      "TypeError: FrozenBatchNorm1d: expected options among eps, dtype, layout, got 'momentum'.",
    ],
    [
      [2, { eps: -1 }],
      'RangeError: FrozenBatchNorm1d: expected eps to be a finite number of at least 0, got -1.',
    ],
    [
      [2, { dtype: 'int32' }],
      "RangeError: FrozenBatchNorm1d: expected dtype to be 'float32' or 'float64', got 'int32'.",
    ],
    [
      [2, { layout: 'CNL' }],
      "RangeError: FrozenBatchNorm1d: expected layout to be 'NCL' or 'NLC', got 'CNL'.",
    ],
  ])('new FrozenBatchNorm1d(%j)', (given, message) => {
    const args = given as ConstructorParameters<typeof nn.FrozenBatchNorm1d>;
    expect(thrownBy(() => new nn.FrozenBatchNorm1d(...args))).toBe(message);
  });

  test.each<[string, () => Tensor, object, string]>([
    [
      'rank 4',
      () => tensor(new Float32Array(2), [1, 2, 1, 1]),
      {},
      'RangeError: FrozenBatchNorm1d: expected 2D or 3D input (got 4D input), got shape [1, 2, 1, 1].',
    ],
    [
      'other channels',
      () => tensor([[1, 2, 3]]),
      {},
      'RangeError: FrozenBatchNorm1d: expected input with 2 channels, got shape [1, 3] (running_mean should ' +
        'contain 3 elements not 2).',
    ],
    [
      'another dtype',
      () => tensor([[1, 2]], { dtype: 'float64' }),
      {},
      "TypeError: FrozenBatchNorm1d: expected the input to be float32, got float64 (all inputs must share same datatype; x.to('float32') converts).",
    ],
    [
      'an unknown option',
      () => tensor([[1, 2]]),
      { Out: null },
      "TypeError: FrozenBatchNorm1d.forward: expected options among out, relu, activation, lengths, mask, got 'Out' (did you mean 'out'?).",
    ],
    [
      'a relu that is a number',
      () => tensor([[1, 2]]),
      { relu: 1 },
      'TypeError: FrozenBatchNorm1d: expected relu to be a boolean, got 1.',
    ],
  ])('an input of %s', (_, x, options, message) => {
    const frozen = new nn.FrozenBatchNorm1d(2);
    const unchanged = snapshot(frozen);
    expect(thrownBy(() => frozen.forward(x(), options))).toBe(message);
    unchanged();
  });
});

describe('before a ReLU in a Sequential', () => {
  const input = (): Tensor => {
    const x = tensor(normals32(7, 60), [4, 3, 5]);
    x.requiresGrad = true;
    return x;
  };

  test('one operation, with the bits of two', () => {
    const frozen = nn.FrozenBatchNorm1d.from(trained(3));
    const [x, other] = [input(), input()];
    const y = new nn.Sequential(frozen, new nn.ReLU()).forward(x);
    const z = new nn.ReLU().forward(frozen.forward(other));
    expect([y.operation?.name, z.operation?.name]).toEqual(['FrozenBatchNorm1d', 'relu']);
    expect(y.operation?.inputs[0]).toBe(x);
    expectSameBits(y, z);
    const dy = tensor(normals32(8, 60), [4, 3, 5]);
    y.backward(dy);
    z.backward(dy);
    expectSameBits(x.grad, other.grad);
  });

  test('but with a forward of its own, or a hook, it is called as it is', () => {
    class Own extends nn.FrozenBatchNorm1d {
      override forward(x: Tensor, ...rest: never[]): Tensor {
        expect(rest).toEqual([]);
        return super.forward(x);
      }
    }
    const hooked = new nn.FrozenBatchNorm1d(3);
    hooked.registerForwardHook(() => undefined);
    for (const layer of [new Own(3), hooked]) {
      const y = new nn.Sequential(layer, new nn.ReLU()).forward(input());
      expect(y.operation?.name).toBe('relu');
    }
  });
});
