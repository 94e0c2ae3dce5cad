// What BatchNorm's constructor, its setters and the stateless form refuse, by the whole sentence.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, type Tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

describe('construction', () => {
  const features = (got: string, kind = 'RangeError'): string =>
    `${kind}: BatchNorm1d: expected numFeatures to be a positive integer, got ${got}.`;
  test.each<[unknown, string]>([
    [0, features('0')],
    [-1, features('-1')],
    [2.5, features('2.5')],
    [NaN, features('NaN')],
    [Infinity, features('Infinity')],
    [2 ** 53, features('9007199254740992')],
    ['3', features("'3'", 'TypeError')],
    [null, features('null', 'TypeError')],
    [undefined, features('undefined', 'TypeError')],
    [true, features('true', 'TypeError')],
    [3n, features('3n', 'TypeError')],
    [[3], features('an array of length 1', 'TypeError')],
  ])('numFeatures %s', (value, message) => {
    expect(thrownBy(() => new nn.BatchNorm1d(value as number))).toBe(message);
  });

  const names =
    'eps, momentum, affine, bias, trackRunningStats, dtype, layout, nonFinite, singleValue';
  const eps = (got: string): string =>
    `BatchNorm1d: expected eps to be a finite number of at least 0, got ${got}.`;
  const momentum = (got: string): string =>
    `BatchNorm1d: expected momentum (or null) to be a number from 0 to 1, got ${got}.`;
  const unknown = (name: string, near?: string): string =>
    `TypeError: BatchNorm1d: expected options among ${names}, got '${name}'` +
    `${near === undefined ? '' : ` (did you mean '${near}'?)`}.`;

  test.each<[unknown, string]>([
    [{ eps: -1e-5 }, `RangeError: ${eps('-0.00001')}`],
    [{ eps: NaN }, `RangeError: ${eps('NaN')}`],
    [{ eps: Infinity }, `RangeError: ${eps('Infinity')}`],
    [{ eps: '1e-5' }, `TypeError: ${eps("'1e-5'")}`],
    [{ eps: null }, `TypeError: ${eps('null')}`],
    [{ momentum: -0.1 }, `RangeError: ${momentum('-0.1')}`],
    [{ momentum: 1.5 }, `RangeError: ${momentum('1.5')}`],
    [{ momentum: NaN }, `RangeError: ${momentum('NaN')}`],
    [{ momentum: -Infinity }, `RangeError: ${momentum('-Infinity')}`],
    [{ momentum: '0.1' }, `TypeError: ${momentum("'0.1'")}`],
    [{ affine: 1 }, 'TypeError: BatchNorm1d: expected affine to be a boolean, got 1.'],
    [{ bias: null }, 'TypeError: BatchNorm1d: expected bias to be a boolean, got null.'],
    [
      { trackRunningStats: 'yes' },
      "TypeError: BatchNorm1d: expected trackRunningStats to be a boolean, got 'yes'.",
    ],
    [
      { dtype: 'int32' },
      "RangeError: BatchNorm1d: expected dtype to be 'float32' or 'float64', got 'int32'.",
    ],
    [
      { layout: 'nlc' },
      "RangeError: BatchNorm1d: expected layout to be 'NCL' or 'NLC', got 'nlc'.",
    ],
    [{ layout: 3 }, "TypeError: BatchNorm1d: expected layout to be 'NCL' or 'NLC', got 3."],
    [{ momentun: 0.1 }, unknown('momentun', 'momentum')],
    [{ track_running_stats: false }, unknown('track_running_stats', 'trackRunningStats')],
    [{ trackRunningStatistics: false }, unknown('trackRunningStatistics', 'trackRunningStats')],
    [{ Affine: false }, unknown('Affine', 'affine')],
    [{ epsilon: 1e-3 }, unknown('epsilon')],
    [{ axis: 1 }, unknown('axis')],
    [null, `TypeError: BatchNorm1d: expected an options object { ${names} }, got null.`],
    [1e-3, `TypeError: BatchNorm1d: expected an options object { ${names} }, got 0.001.`],
    [
      [1e-3],
      `TypeError: BatchNorm1d: expected an options object { ${names} }, got an array of length 1.`,
    ],
  ])('options %j', (options, message) => {
    expect(thrownBy(() => new nn.BatchNorm1d(3, options as nn.BatchNormOptions))).toBe(message);
  });

  test('the subclass that was constructed speaks', () => {
    expect(thrownBy(() => new nn.BatchNorm3d(0))).toBe(
      'RangeError: BatchNorm3d: expected numFeatures to be a positive integer, got 0.',
    );
  });

  test('a later assignment is checked the same way, and refused whole', () => {
    const bn = new nn.BatchNorm1d(3, { eps: 0.5, momentum: null });
    expect(thrownBy(() => (bn.eps = -1))).toBe(`RangeError: ${eps('-1')}`);
    expect(thrownBy(() => (bn.momentum = 2))).toBe(`RangeError: ${momentum('2')}`);
    expect(thrownBy(() => (bn.numBatchesTracked = -1))).toBe(
      'RangeError: BatchNorm1d: expected numBatchesTracked to be a whole number of at least 0, got -1.',
    );
    expect([bn.eps, bn.momentum, bn.numBatchesTracked]).toEqual([0.5, null, 0]);
    const untracked = new nn.BatchNorm1d(3, { trackRunningStats: false });
    expect(thrownBy(() => (untracked.numBatchesTracked = 1))).toBe(
      'RangeError: BatchNorm1d: expected running statistics to count batches for, got none.',
    );
  });
});

describe('the stateless form', () => {
  const x = (): Tensor =>
    tensor([
      [1, 2],
      [4, 8],
    ]);
  const stats = (): [Tensor, Tensor] => [tensor([0, 0]), tensor([1, 1])];
  type Arguments = Parameters<typeof functional.batchNorm>;

  test.each<[string, (mean: Tensor, variance: Tensor) => unknown[], string]>([
    [
      'one statistic without the other',
      (mean) => [x(), mean, null],
      'TypeError: batchNorm: expected running_mean and running_var to either both be None or neither be ' +
        'None, got only running_mean.',
    ],
    [
      'rank 1',
      (...both) => [tensor([1, 2]), ...both],
      'RangeError: batchNorm: expected input of shape [N, C, ...], got shape [2].',
    ],
    [
      'other channels',
      (...both) => [
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
        ...both,
        { training: true },
      ],
      'RangeError: batchNorm: expected running_mean of shape [3] (running_mean should contain 3 elements ' +
        'not 2), got shape [2].',
    ],
    [
      'one value per channel in training',
      (...both) => [tensor([[1, 2]]), ...both, { training: true }],
      'RangeError: batchNorm: expected more than 1 value per channel when training, got input of shape [1, 2] (a last batch of one: dropLast: true of the DataLoader leaves it out).',
    ],
    [
      'a weight of rank 2',
      (...both) => [x(), ...both, { training: true, weight: tensor([[1, 1]]) }],
      'RangeError: batchNorm: expected weight of shape [2] (weight should contain 2 elements not 2), got ' +
        'shape [1, 2].',
    ],
    [
      'momentum out of range',
      (...both) => [x(), ...both, { training: true, momentum: 1.1 }],
      'RangeError: batchNorm: expected momentum to be a number from 0 to 1, got 1.1.',
    ],
    [
      'eps 0 in training',
      (...both) => [x(), ...both, { training: true, eps: 0 }],
      'RangeError: batchNorm: expected eps to be positive (batch_norm eps must be positive during ' +
        'training), got 0.',
    ],
    [
      'training that is no boolean',
      (...both) => [x(), ...both, { training: 1 }],
      'TypeError: batchNorm: expected training to be a boolean, got 1.',
    ],
    [
      'an unknown option',
      (...both) => [x(), ...both, { epps: 1e-5 }],
      "TypeError: batchNorm: expected options among weight, bias, training, momentum, eps, relu, activation, out, lengths, mask, got 'epps' " +
        "(did you mean 'eps'?).",
    ],
  ])('%s', (_, make, message) => {
    const [mean, variance] = stats();
    const unchanged = snapshot(mean, variance);
    expect(thrownBy(() => functional.batchNorm(...(make(mean, variance) as Arguments)))).toBe(
      message,
    );
    unchanged();
  });

  test('statistics that require grad', () => {
    const [mean, variance] = stats();
    mean.requiresGrad = true;
    expect(thrownBy(() => functional.batchNorm(x(), mean, variance))).toBe(
      'Error: batchNorm: batch_norm is not differentiable wrt running_mean and running_var.',
    );
  });
});
