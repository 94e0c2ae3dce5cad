// LazyBatchNorm1d in PyTorch's test/nn/test_lazy_modules.py, told anew.
import { nn, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { expectSameBits } from '../helpers/expect-close.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';
import { normal, statistics } from './inputs.js';

const OPTIONS = [true, false].flatMap((affine) =>
  [true, false].map((trackRunningStats) => ({ affine, trackRunningStats })),
);
const SHAPES = [
  [16, 3, 6],
  [16, 6],
];

describe('test_lazy_batchnorm1d', () => {
  for (const shape of SHAPES) {
    test.each(OPTIONS)(
      `test_lazy_batchnorm1d: of [${shape.join()}], the bits of an eager one, %j`,
      (options) => {
        const lazy = new nn.LazyBatchNorm1d(options);
        const eager = new nn.BatchNorm1d(shape[1]!, options);
        expect(lazy.numFeatures).toBe(0);
        const x = normal(shape, 1);
        expectSameBits(lazy.forward(x), eager.forward(x), 'y');
        expect(lazy.numFeatures).toBe(shape[1]);
        expect(statistics(lazy)).toEqual(statistics(eager));
        expect([...lazy.stateDict().keys()]).toEqual([...eager.stateDict().keys()]);
        expectSameBits(lazy.eval().forward(x), eager.eval().forward(x), 'y in evaluation');
      },
    );
  }
});

const UNINITIALIZED = 'Attempted to use an uninitialized parameter';

test('test_lazy_batchnorm1d_pickle: nothing to save before the first input, then its state dict', () => {
  const [lazy, other] = [new nn.LazyBatchNorm1d(), new nn.LazyBatchNorm1d()];
  expect(() => lazy.stateDict()).toThrow(UNINITIALIZED);
  expect(() => lazy.clone()).toThrow(UNINITIALIZED);
  lazy.forward(normal([16, 3, 6], 1));
  other.loadStateDict(lazy.stateDict());
  expect(statistics(other)).toEqual(statistics(lazy));
  expect(statistics(lazy.clone())).toEqual(statistics(lazy));
});

describe('test_lazy_batchnorm1d_state', () => {
  test('test_lazy_batchnorm1d_state: a state dict of an eager one tells the channels', () => {
    const eager = new nn.BatchNorm1d(10);
    eager.forward(normal([4, 10], 1));
    const lazy = new nn.LazyBatchNorm1d();
    lazy.loadStateDict(eager.stateDict());
    expect(lazy.numFeatures).toBe(10);
    expect(statistics(lazy)).toEqual(statistics(eager));
    expect(lazy.toString()).toContain('(10, eps=1e-05');
  });

  test('test_lazy_batchnorm1d_state: one that has seen nothing has no state to load from', () => {
    const eager = new nn.BatchNorm1d(10);
    const unchanged = snapshot(eager);
    expect(() => eager.loadStateDict(new nn.LazyBatchNorm1d().stateDict())).toThrow(UNINITIALIZED);
    unchanged();
  });
});

test('test_lazy_batchnorm_with_dict_input: there are no keyword arguments; an object is a tensor or an error', () => {
  const lazy = new nn.LazyBatchNorm1d();
  expect(thrownBy(() => lazy.forward({ input: normal([4, 2], 1) } as never))).toBe(
    'TypeError: LazyBatchNorm1d: expected the input to be a Tensor, got an object.',
  );
  expect(lazy.numFeatures).toBe(0);
  lazy.forward({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] });
  expect(lazy.numFeatures).toBe(2);
});

test('an input that is refused leaves it as it was, where PyTorch materialises it', () => {
  const lazy = new nn.LazyBatchNorm1d();
  expect(thrownBy(() => lazy.forward(normal([2, 3, 4, 5], 1)))).toContain(
    'expected 2D or 3D input (got 4D input)',
  );
  expect(lazy.numFeatures).toBe(0);
  expect(() => lazy.forward(normal([1, 3], 1))).toThrow('more than 1 value per channel');
  expect(lazy.numFeatures).toBe(0);
  lazy.forward(tensor([[1], [2]]));
  expect(lazy.numFeatures).toBe(1);
});

test('its parameters cannot be asked for before they are there, so that no optimiser misses them', () => {
  const lazy = new nn.LazyBatchNorm1d();
  expect(() => [...lazy.parameters()]).toThrow(UNINITIALIZED);
  expect(() => lazy.weight).toThrow(UNINITIALIZED);
  expect(() => lazy.runningMean).toThrow(UNINITIALIZED);
  lazy.forward(normal([4, 2], 1));
  expect([...lazy.parameters()].map(({ shape }) => shape)).toEqual([[2], [2]]);
});

test('the repr counts 0 channels, then reads as a BatchNorm1d', () => {
  const lazy = new nn.LazyBatchNorm1d({ momentum: null });
  const rest = 'eps=1e-05, momentum=None, affine=True, bias=True, track_running_stats=True)';
  expect(String(lazy)).toBe(`LazyBatchNorm1d(0, ${rest}`);
  lazy.forward(normal([4, 2], 1));
  expect(String(lazy)).toBe(`BatchNorm1d(2, ${rest}`);
  expect(lazy).toBeInstanceOf(nn.BatchNorm1d);
});
