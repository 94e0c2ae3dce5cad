// Habits of making and configuring a layer: what PyTorch takes, and what became of it.
import { nn, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { thrownBy } from '../helpers/snapshot.js';

/** The options a layer knows, as its error lists them. */
const OPTIONS = thrownBy(() => new nn.BatchNorm1d(1, { none: 1 } as never)).replace(
  /^.*among (.*), got 'none'\.$/,
  '$1',
);

test('defaults: eps 1e-5, momentum 0.1, affine, bias, tracked, training', () => {
  const bn = new nn.BatchNorm1d(7);
  expect([
    bn.numFeatures,
    bn.eps,
    bn.momentum,
    bn.affine,
    bn.trackRunningStats,
    bn.training,
  ]).toEqual([7, 1e-5, 0.1, true, true, true]);
  expect([bn.weight!.requiresGrad, bn.bias!.requiresGrad]).toEqual([true, true]);
});

test('positional arguments: options are an object', () => {
  expect(thrownBy(() => new nn.BatchNorm1d(3, 1e-3 as never))).toBe(
    'TypeError: BatchNorm1d: expected an options object { ' + `${OPTIONS} }, got 0.001.`,
  );
});

test.each([NaN, Infinity])(
  'eps %s is refused, where PyTorch makes every output NaN or 0',
  (eps) => {
    expect(thrownBy(() => new nn.BatchNorm1d(3, { eps }))).toBe(
      `RangeError: BatchNorm1d: expected eps to be a finite number of at least 0, got ${eps}.`,
    );
  },
);

test('isinstance of _BatchNorm: every BatchNorm is one, and nothing else', () => {
  const all = [new nn.BatchNorm1d(1), new nn.BatchNorm2d(1), new nn.BatchNorm3d(1)];
  expect(all.every((each) => each instanceof nn.BatchNorm && each instanceof nn.Module)).toBe(true);
  expect(new nn.Linear(1, 1) instanceof nn.BatchNorm).toBe(false);
});

describe('what there is none of', () => {
  test.each(['float16', 'bfloat16', 'half', 'complex64', 'int32'])('dtype %s', (dtype) => {
    expect(thrownBy(() => new nn.BatchNorm1d(3, { dtype: dtype as never }))).toBe(
      `RangeError: BatchNorm1d: expected dtype to be 'float32' or 'float64', got '${dtype}'.`,
    );
  });

  test('device: an option nobody knows', () => {
    expect(thrownBy(() => new nn.BatchNorm1d(3, { device: 'cuda' } as never))).toBe(
      `TypeError: BatchNorm1d: expected options among ${OPTIONS}, got 'device'.`,
    );
  });

  test.each([
    ...['to', 'cuda', 'cpu', 'half', 'bfloat16', 'float', 'double', 'toEmpty'],
    ...['compile', 'setExtraState', 'registerStateDictPreHook', 'registerLoadStateDictPostHook'],
  ])('Module.%s', (name) => {
    expect(name in new nn.BatchNorm1d(1)).toBe(false);
  });

  test.each([...['Conv2d', 'DataParallel']])('nn.%s', (name) => {
    expect(name in nn).toBe(false);
  });
});

test('attributes are checked when they are set, num_features is read-only to the compiler', () => {
  const bn = new nn.BatchNorm1d(2);
  bn.eps = 0.5;
  bn.momentum = null;
  expect(thrownBy(() => (bn.eps = -1))).toBe(
    'RangeError: BatchNorm1d: expected eps to be a finite number of at least 0, got -1.',
  );
  expect(thrownBy(() => (bn.momentum = 1.5))).toBe(
    'RangeError: BatchNorm1d: expected momentum (or null) to be a number from 0 to 1, got 1.5.',
  );
  expect(bn.toString()).toBe(
    'BatchNorm1d(2, eps=0.5, momentum=None, affine=True, bias=True, track_running_stats=True)',
  );
  // @ts-expect-error -- read-only
  expect((): unknown => (bn.numFeatures = 2)).toBeTypeOf('function');
});

test('a plain tensor is no weight: the compiler refuses it', () => {
  const bn = new nn.BatchNorm1d(1);
  // @ts-expect-error -- a Parameter or null
  const assign = (): unknown => (bn.weight = tensor([2]));
  expect(assign).toBeTypeOf('function');
  bn.weight = new nn.Parameter(tensor([2]));
  expect([...bn.stateDict().get('weight')!.data]).toEqual([2]);
  bn.weight = null;
  expect([...bn.stateDict().keys()][0]).toBe('bias');
});

test('running_mean is no property to assign: registerBuffer replaces it', () => {
  const bn = new nn.BatchNorm1d(1);
  expect(() => Object.assign(bn, { runningMean: [1] })).toThrow(TypeError);
  bn.registerBuffer('running_mean', tensor([4]));
  expect(bn.runningMean!.toArray()).toEqual([4]);
});
