// LazyBatchNorm1d: a BatchNorm1d from its first input on, and until then nothing that could be mistaken for one.
import { describe, expect, test } from 'vitest';

import { functional, nn, optim, scope, tensor, type Tensor } from '../../src/index.js';
import { expectSameBits } from '../helpers/expect-close.js';
import { normals32 } from '../helpers/random.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const bits = (state: ReadonlyMap<string, Tensor>): unknown =>
  [...state].map(([key, { dtype, shape, data }]) => [key, dtype, shape, [...data]]);

const BEFORE =
  'LazyBatchNorm1d(0, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)';

const missing = (who: string): string =>
  `Error: ${who}: Attempted to use an uninitialized parameter; run a first forward to initialize it.`;

/** That it still waits, with no size and no state. */
function expectWaiting(lazy: nn.LazyBatchNorm1d): void {
  expect([lazy.numFeatures, lazy.toString()]).toEqual([0, BEFORE]);
  expect(() => lazy.stateDict()).toThrow('uninitialized parameter');
  expect(() => lazy.weight).toThrow('uninitialized parameter');
  expect(lazy.getBuffer('running_mean')).toBe(null);
}

/** A trained layer's state. */
function trained(channels: number, options: nn.BatchNormOptions = {}): nn.BatchNorm1d {
  const bn = new nn.BatchNorm1d(channels, options);
  bn.weight?.data.set(normals32(1, channels));
  bn.bias?.data.set(normals32(2, channels));
  bn.forward(tensor(normals32(3, 8 * channels), [8, channels]));
  return bn;
}

describe('lazy is eager', () => {
  const options: [string, nn.BatchNormOptions][] = [];
  for (const affine of [true, false]) {
    for (const bias of affine ? [true, false] : [true]) {
      for (const trackRunningStats of [true, false]) {
        for (const layout of ['NCL', 'NLC'] as const) {
          const each = { affine, bias, trackRunningStats, layout };
          options.push([JSON.stringify(each), each]);
        }
      }
    }
  }
  const more: nn.BatchNormOptions = {
    ...{ eps: 1e-3, momentum: null, dtype: 'float64', nonFinite: 'skip', singleValue: 'running' },
  };

  /** Outputs, gradients, state and repr of two training steps and an evaluation. */
  function life(bn: nn.BatchNorm1d, sizes: readonly number[], dtype: 'float32' | 'float64') {
    const count = sizes.reduce((product, size) => product * size, 1);
    const make = (seed: number): Tensor => {
      const values = normals32(seed, count);
      return tensor(dtype === 'float32' ? values : Float64Array.from(values), sizes, {
        requiresGrad: true,
      });
    };
    const results: unknown[] = [];
    for (const step of [1, 2, 3]) {
      if (step === 3) bn.eval();
      const x = make(step);
      const y = bn.forward(x);
      y.backward(make(step + 10));
      results.push([...y.data], [...x.grad!.data]);
      for (const [name, { grad }] of bn.namedParameters()) results.push(name, [...grad!.data]);
      results.push(bits(bn.stateDict()), bn.stateDict().modules);
    }
    return [...results, bn.toString(), bn.numFeatures, bn.numBatchesTracked];
  }

  test.each(options)('%s', (_, given) => {
    for (const each of [given, { ...more, ...given }]) {
      const channelsLast = given.layout === 'NLC';
      for (const sizes of [[16, 6], channelsLast ? [16, 3, 6] : [16, 6, 3]]) {
        const lazy = new nn.LazyBatchNorm1d(each);
        const dtype = each.dtype ?? 'float32';
        expect(life(lazy, sizes, dtype)).toEqual(life(new nn.BatchNorm1d(6, each), sizes, dtype));
      }
    }
  });

  test('a BatchNorm1d in kind, before and after', () => {
    const lazy = new nn.LazyBatchNorm1d();
    expect([lazy instanceof nn.BatchNorm1d, lazy instanceof nn.BatchNorm]).toEqual([true, true]);
    expect(lazy.toString()).toBe(BEFORE);
    lazy.forward(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    expect(lazy instanceof nn.BatchNorm1d).toBe(true);
    expect(lazy.toString()).toBe(BEFORE.replace('LazyBatchNorm1d(0', 'BatchNorm1d(2'));
    expect(new nn.LazyBatchNorm1d({ bias: false }).toString()).toContain('affine=True, bias=False');
  });

  test('from then on errors are those of a BatchNorm1d, and its size stays', () => {
    const lazy = new nn.LazyBatchNorm1d();
    lazy.forward(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    const unchanged = snapshot(lazy);
    expect(thrownBy(() => lazy.forward(tensor([[1], [2]])))).toBe(
      'RangeError: BatchNorm1d: expected input with 2 channels, got shape [2, 1] (running_mean should contain ' +
        '1 elements not 2).',
    );
    unchanged();
  });

  test('in evaluation, and made inside a scope, it is there to stay', () => {
    const lazy = new nn.LazyBatchNorm1d().eval();
    scope(() => void lazy.forward(tensor([[1, 2]])));
    expect(lazy.training).toBe(false);
    expect(bits(lazy.stateDict())).toEqual(bits(new nn.BatchNorm1d(2).stateDict()));
  });

  test('with hooks, which see one forward', () => {
    const lazy = new nn.LazyBatchNorm1d();
    let calls = 0;
    lazy.registerForwardHook(() => {
      calls++;
    });
    lazy.forward(tensor([[1], [3]]));
    lazy.forward(tensor([[1], [3]]));
    expect([calls, lazy.numBatchesTracked]).toEqual([2, 2]);
  });

  test('a ReLU behind it is fused, a Linear before it folded', () => {
    const x = tensor(normals32(5, 8), [4, 2], { requiresGrad: true });
    const lazy = new nn.LazyBatchNorm1d();
    const model = new nn.Sequential(lazy, new nn.ReLU());
    for (const run of [1, 2]) {
      expect([run, model.forward(x).operation?.name]).toEqual([run, 'BatchNorm1d']);
    }
    const linear = new nn.Linear(3, 2).eval();
    const eager = new nn.BatchNorm1d(2);
    eager.loadStateDict(lazy.stateDict());
    const input = tensor(normals32(6, 12), [4, 3]);
    expectSameBits(
      nn.foldBatchNorm(linear, lazy.eval()).forward(input),
      nn.foldBatchNorm(linear, eager.eval()).forward(input),
    );
    expectSameBits(
      nn.FrozenBatchNorm1d.from(lazy).forward(x),
      nn.FrozenBatchNorm1d.from(eager).forward(x),
    );
  });

  test('a clone is one too', () => {
    const lazy = new nn.LazyBatchNorm1d();
    lazy.forward(tensor([[1], [3]]));
    const copy = lazy.clone();
    copy.forward(tensor([[5], [7]]));
    expect([lazy.numBatchesTracked, copy.numBatchesTracked]).toEqual([1, 2]);
    expect(copy.weight).not.toBe(lazy.weight);
  });
});

describe('before the first forward', () => {
  test.each<[string, (model: nn.Module) => unknown]>([
    ['namedParameters', (model) => [...model.parameters()]],
    ['namedParameters', (model) => new optim.SGD(model.parameters(), { lr: 0.1 })],
    ['namedBuffers', (model) => [...model.buffers()]],
    ['stateDict', (model) => model.stateDict()],
    ['clone', (model) => model.clone()],
  ])('%s of it and of a model with it is an error', (method, call) => {
    const lazy = new nn.LazyBatchNorm1d();
    const model = new nn.Sequential(new nn.ReLU(), lazy);
    expect(thrownBy(() => call(model))).toBe(
      `Error: Sequential.${method}: Attempted to use an uninitialized parameter of '1' (LazyBatchNorm1d); ` +
        'run a first forward to initialize it.',
    );
    expect(thrownBy(() => call(lazy))).toBe(missing(`LazyBatchNorm1d.${method}`));
    expectWaiting(lazy);
  });

  test.each<[string, (lazy: nn.LazyBatchNorm1d) => unknown]>([
    ['weight', (lazy) => lazy.weight],
    ['bias', (lazy) => lazy.bias],
    ['runningMean', (lazy) => lazy.runningMean],
    ['runningVar', (lazy) => lazy.runningVar],
    ['weight', (lazy) => lazy.freeze()],
    ['runningMean', (lazy) => (lazy.normalizeBy = 'running')],
    ['runningMean', (lazy) => (lazy.updateStatistics = true)],
    ['weight', (lazy) => nn.FrozenBatchNorm1d.from(lazy)],
  ])('%s is not null but to come', (name, read) => {
    const lazy = new nn.LazyBatchNorm1d();
    const says = thrownBy(() => read(lazy));
    expect([missing(`LazyBatchNorm1d.${name}`), missing('LazyBatchNorm1d.runningMean')]).toContain(
      says,
    );
    expectWaiting(lazy);
  });

  test.each<[string, (model: nn.Module) => unknown]>([
    ['virtualBatch', (model) => nn.virtualBatch(model)],
    ['snapshotStatistics', (model) => nn.snapshotStatistics(model)],
    ['transaction', (model) => nn.transaction(model, () => expect.fail('run'))],
    ['updateBatchNorm', (model) => nn.updateBatchNorm(model, [tensor([[1], [3]])])],
  ])('%s has no statistics to look after', (who, call) => {
    const lazy = new nn.LazyBatchNorm1d();
    expect(thrownBy(() => call(new nn.Sequential(lazy)))).toBe(
      `Error: ${who}: Attempted to use an uninitialized parameter of ${BEFORE}; run a first forward to initialize it.`,
    );
    expectWaiting(lazy);
  });

  test('what it never will have is null, and needs no forward', () => {
    const plain = new nn.LazyBatchNorm1d({ affine: false, trackRunningStats: false });
    expect([plain.weight, plain.bias, plain.runningMean, plain.runningVar]).toEqual(
      Array(4).fill(null),
    );
    expect([[...plain.parameters()], [...plain.stateDict()]]).toEqual([[], []]);
    expect(plain.loadStateDict(new Map())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(new nn.LazyBatchNorm1d({ bias: false }).bias).toBe(null);
    expect(new nn.LazyBatchNorm1d({ trackRunningStats: false }).runningMean).toBe(null);
  });

  test('modes, apply and a reset are no trouble', () => {
    const lazy = new nn.LazyBatchNorm1d();
    lazy.eval().train();
    lazy.apply((module) => {
      if (module instanceof nn.BatchNorm) module.resetParameters();
    });
    lazy.resetRunningStats();
    expectWaiting(lazy);
    lazy.forward(tensor([[1], [3]]));
    lazy.resetParameters();
    expect(bits(lazy.stateDict())).toEqual(bits(new nn.BatchNorm1d(1).stateDict()));
  });

  test("options are BatchNorm1d's, and are the only argument", () => {
    expect(thrownBy(() => new nn.LazyBatchNorm1d({ eps: -1 }))).toBe(
      'RangeError: LazyBatchNorm1d: expected eps to be a finite number of at least 0, got -1.',
    );
    expect(thrownBy(() => new nn.LazyBatchNorm1d(64 as never))).toBe(
      'TypeError: LazyBatchNorm1d: expected an options object { eps, momentum, affine, bias, trackRunningStats, ' +
        'dtype, layout, nonFinite, singleValue }, got 64.',
    );
  });
});

describe('a first input that is refused leaves it without a size', () => {
  const zeros = (...shape: number[]): Tensor =>
    tensor(new Float32Array(shape.reduce((a, b) => a * b)), shape);

  test.each<[string, Tensor, object | undefined, string]>([
    [
      'rank 1',
      zeros(3),
      undefined,
      'RangeError: LazyBatchNorm1d: expected 2D or 3D input (got 1D input), got shape [3].',
    ],
    [
      'rank 4',
      zeros(2, 3, 4, 5),
      undefined,
      'RangeError: LazyBatchNorm1d: expected 2D or 3D input (got 4D input), got shape [2, 3, 4, 5].',
    ],
    [
      'no channels',
      zeros(2, 0),
      undefined,
      'RangeError: BatchNorm1d: expected numFeatures to be a positive integer, got 0.',
    ],
    [
      'another dtype',
      tensor([[1], [2]], { dtype: 'float64' }),
      undefined,
      "TypeError: BatchNorm1d: expected the input to be float32, got float64 (all inputs must share same datatype; x.to('float32') converts).",
    ],
    [
      'one value',
      zeros(1, 3),
      undefined,
      'RangeError: BatchNorm1d: expected more than 1 value per channel when training, got input of shape [1, 3] (a last batch of one: dropLast: true of the DataLoader leaves it out).',
    ],
    [
      'an unknown option',
      zeros(2, 3),
      { inplace: true },
      "TypeError: BatchNorm1d.forward: expected options among out, relu, activation, lengths, mask, got 'inplace'.",
    ],
    [
      'an out of another shape',
      zeros(2, 3),
      { out: zeros(3, 2) },
      'RangeError: BatchNorm1d: expected an out of shape [2, 3], got shape [3, 2].',
    ],
  ])('%s', (_, x, options, message) => {
    const lazy = new nn.LazyBatchNorm1d();
    expect(thrownBy(() => lazy.forward(x, options))).toBe(message);
    expectWaiting(lazy);
    // It takes the next one, of any size.
    lazy.forward(tensor(normals32(1, 10), [2, 5]));
    expect([lazy.numFeatures, lazy.numBatchesTracked]).toEqual([5, 1]);
  });

  test("a batch refused by nonFinite 'throw'", () => {
    const lazy = new nn.LazyBatchNorm1d({ nonFinite: 'throw' });
    expect(() => lazy.forward(tensor([[NaN], [1]]))).toThrow('a batch of finite statistics');
    expect(lazy.numFeatures).toBe(0);
  });
});

describe('loading', () => {
  const lazies = (): [nn.LazyBatchNorm1d, nn.Sequential] => {
    const lazy = new nn.LazyBatchNorm1d();
    return [lazy, new nn.Sequential(new nn.Linear(2, 5), lazy)];
  };

  test('a normal state dict gives it its size; the repr says so, and forward keeps to it', () => {
    const lazy = new nn.LazyBatchNorm1d();
    const bn = trained(5);
    expect(lazy.loadStateDict(bn.stateDict())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(lazy.toString()).toBe(bn.toString());
    expect(bits(lazy.stateDict())).toEqual(bits(bn.stateDict()));
    const x = tensor(normals32(4, 15), [3, 5]);
    expectSameBits(lazy.forward(x), bn.forward(x));
    expect(() => lazy.forward(tensor([[1], [2]]))).toThrow('expected input with 5 channels');
    // Copies: the other one's memory is its own.
    lazy.weight!.data.fill(0);
    expect(bn.weight!.data[0]).not.toBe(0);
  });

  test.each<[string, nn.BatchNormOptions]>([
    ['without a bias', { bias: false }],
    ['without affine', { affine: false }],
    ['without statistics', { trackRunningStats: false }],
    ['in float64', { dtype: 'float64' }],
  ])('%s', (_, options) => {
    const lazy = new nn.LazyBatchNorm1d(options);
    const bn = new nn.BatchNorm1d(4, options);
    bn.weight?.data.fill(7);
    lazy.loadStateDict(bn.stateDict());
    expect([lazy.numFeatures, bits(lazy.stateDict())]).toEqual([4, bits(bn.stateDict())]);
  });

  test('inside a model', () => {
    const [lazy, model] = lazies();
    const other = new nn.Sequential(new nn.Linear(2, 5), trained(5));
    model.loadStateDict(other.stateDict());
    expect(lazy.numFeatures).toBe(5);
    expect(bits(model.stateDict())).toEqual(bits(other.stateDict()));
  });

  test('atomically: what another module refuses leaves it waiting', () => {
    const [lazy, model] = lazies();
    const state = new nn.Sequential(new nn.Linear(2, 4), trained(5)).stateDict();
    const unchanged = snapshot(model.at(0)!);
    expect(thrownBy(() => model.loadStateDict(state))).toBe(
      'RangeError: Error(s) in loading state_dict for Sequential:\n\tsize mismatch for 0.weight: copying a param ' +
        'with shape [4, 2] from checkpoint, the shape in current model is [5, 2].\n\tsize mismatch for 0.bias: ' +
        'copying a param with shape [4] from checkpoint, the shape in current model is [5].',
    );
    expectWaiting(lazy);
    unchanged();
  });

  test('sizes that contradict each other', () => {
    const lazy = new nn.LazyBatchNorm1d();
    const state = trained(5).stateDict();
    state.set('running_var', tensor([1, 1, 1]));
    expect(thrownBy(() => lazy.loadStateDict(state))).toBe(
      'RangeError: Error(s) in loading state_dict for LazyBatchNorm1d:\n\tsize mismatch for running_var: copying a ' +
        'param with shape [3] from checkpoint, the shape in current model is [5].',
    );
    expectWaiting(lazy);
  });

  test('what is missing and what is too much are both said', () => {
    const lazy = new nn.LazyBatchNorm1d();
    const wrong = new Map([['gamma', tensor([1])]]);
    expect(thrownBy(() => lazy.loadStateDict(wrong))).toBe(
      'RangeError: Error(s) in loading state_dict for LazyBatchNorm1d:\n\tMissing key(s) in state_dict: "weight", ' +
        '"bias", "running_mean", "running_var".\n\tUnexpected key(s) in state_dict: "gamma".',
    );
    expectWaiting(lazy);
    expect(lazy.loadStateDict(wrong, { strict: false })).toEqual({
      missingKeys: ['weight', 'bias', 'running_mean', 'running_var'],
      unexpectedKeys: ['gamma'],
    });
    expectWaiting(lazy);
  });

  test('a part of the state, not strictly: the rest is as it is at first', () => {
    const lazy = new nn.LazyBatchNorm1d();
    lazy.loadStateDict(new Map([['running_mean', tensor([1, 2])]]), { strict: false });
    expect(bits(lazy.stateDict())).toEqual(
      bits(
        new Map([
          ...new nn.BatchNorm1d(2).stateDict(),
          ['running_mean', tensor([1, 2])] as [string, Tensor],
        ]),
      ),
    );
  });
});

test('an optimiser made after the first forward learns what that of an eager layer does', () => {
  const run = (bn: nn.BatchNorm1d): unknown => {
    const first = tensor(normals32(1, 12), [4, 3]);
    bn.forward(first);
    const optimizer = new optim.SGD(bn.parameters(), { lr: 0.1, momentum: 0.9 });
    for (let step = 0; step < 3; step++) {
      const x = tensor(normals32(20 + step, 12), [4, 3]);
      optimizer.zeroGrad();
      const y = bn.forward(x);
      functional.sum(functional.mul(y, functional.mul(y, y))).backward();
      optimizer.step();
    }
    return bits(bn.stateDict());
  };
  const eager = new nn.BatchNorm1d(3);
  expect(run(new nn.LazyBatchNorm1d())).toEqual(run(eager));
  expect([...eager.weight!.data]).not.toEqual([1, 1, 1]);
});
