// foldBatchNorm: which modules it takes, whose memory and flags the result has, and what it refuses.
import { describe, expect, test } from 'vitest';

import { manualSeed, nn, tensor, type Tensor } from '../../src/index.js';
import { expectSameBits } from '../helpers/expect-close.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

/** In evaluation: 2 inputs, 3 outputs; every number small and dyadic. */
function dyadicLinear(options: nn.LinearOptions = {}): nn.Linear {
  const linear = new nn.Linear(2, 3, options);
  linear.weight.data.set([1, 2, -3, 4, 5, -6]);
  linear.bias?.data.set([1, -2, 3]);
  return linear.eval();
}

/** With scales of powers of two, so that layers and fold are exact. */
function dyadicNorm(options: nn.BatchNormOptions = {}, channels = 3): nn.BatchNorm1d {
  const bn = new nn.BatchNorm1d(channels, { eps: 1, ...options });
  bn.weight?.data.set([2, -1, 4].slice(0, channels));
  bn.bias?.data.set([8, -1, 0.5].slice(0, channels));
  (bn.runningMean?.data as Float32Array | undefined)?.set([0.5, 4, -2].slice(0, channels));
  (bn.runningVar?.data as Float32Array | undefined)?.set([3, 0, 15].slice(0, channels));
  return bn.eval();
}

const x = (options: { dtype?: 'float32' | 'float64' } = {}): Tensor =>
  tensor(
    [
      [1, 2],
      [-3, 0.5],
      [0, 7],
    ],
    options,
  );

describe('the fold', () => {
  test('by hand', () => {
    const folded = nn.foldBatchNorm(dyadicLinear(), dyadicNorm());
    expect(folded.weight.toArray()).toEqual([
      [1, 2], // scale 2 / sqrt(3 + 1)
      [3, -4], // -1 / sqrt(0 + 1)
      [5, -6], // 4 / sqrt(15 + 1)
    ]);
    expect(folded.bias!.toArray()).toEqual([(1 - 0.5) * 1 + 8, (-2 - 4) * -1 - 1, 3 + 2 + 0.5]);
  });

  const affines: nn.BatchNormOptions[] = [{}, { bias: false }, { affine: false }];
  const cases = (['float32', 'float64'] as const).flatMap((dtype) =>
    affines.flatMap((affine) =>
      [true, false].flatMap((bias) =>
        [3, 1].map((channels) => ({ dtype, affine, bias, channels })),
      ),
    ),
  );
  test.each(cases)('the bits of the layers where they are exact: %j', (each) => {
    const { dtype, affine, bias, channels } = each;
    const linear = dyadicLinear({ bias, dtype });
    const bn = dyadicNorm({ ...affine, dtype }, channels);
    const untouched = snapshot(linear, bn);
    const folded = nn.foldBatchNorm(linear, bn);
    const data = x({ dtype }).data;
    const input = tensor(data, channels === 1 ? [3, 1, 2] : [3, 2]);
    const expected = bn.forward(linear.forward(input));
    const y = folded.forward(input);
    expect(y.shape).toEqual(expected.shape);
    expectSameBits(y, expected);
    expectSameBits(folded.forward(input), nn.foldBatchNorm(linear, frozenFrom(bn)).forward(input));
    untouched();
  });

  const frozenFrom = (bn: nn.BatchNorm1d): nn.FrozenBatchNorm1d => nn.FrozenBatchNorm1d.from(bn);

  test('over the last dimension of [N, L, C] with channels last', () => {
    const [linear, bn] = [dyadicLinear(), dyadicNorm({ layout: 'NLC' })];
    const input = tensor(x().data, [1, 3, 2]);
    const y = nn.foldBatchNorm(linear, bn).forward(input);
    expect(y.shape).toEqual([1, 3, 3]);
    expectSameBits(y, bn.forward(linear.forward(input)));
  });

  test('is a Linear in evaluation, in memory of its own, that can be trained', () => {
    const [linear, bn] = [dyadicLinear(), dyadicNorm()];
    const folded = nn.foldBatchNorm(linear, bn);
    expect(folded.constructor).toBe(nn.Linear);
    expect(folded.toString()).toBe('Linear(in_features=2, out_features=3, bias=True)');
    expect([folded.training, folded.inFeatures, folded.outFeatures]).toEqual([false, 2, 3]);
    expect([...folded.stateDict().keys()]).toEqual(['weight', 'bias']);
    expect(nn.foldBatchNorm(dyadicLinear({ bias: false }), bn).toString()).toContain('bias=True');
    const untouched = snapshot(linear, bn);
    for (const parameter of folded.parameters()) parameter.data.fill(7);
    untouched();
    const y = folded.forward(x());
    y.backward(tensor(new Float32Array(9).fill(1), [3, 3]));
    expect(folded.bias!.grad!.toArray()).toEqual([3, 3, 3]);
    expect(linear.weight.grad).toBeNull();
  });

  test("requires grad where linear does, and a bias that it hasn't does not", () => {
    const flags = (linear: nn.Linear): boolean[] => {
      const { weight, bias } = nn.foldBatchNorm(linear, dyadicNorm());
      return [weight.requiresGrad, bias!.requiresGrad];
    };
    const linear = dyadicLinear();
    expect(flags(linear)).toEqual([true, true]);
    linear.weight.requiresGrad = false;
    expect(flags(linear)).toEqual([false, true]);
    expect(flags(linear.requiresGrad_(false))).toEqual([false, false]);
    expect(flags(dyadicLinear({ bias: false }))).toEqual([true, false]);
  });

  test('draws no random numbers', () => {
    const [linear, bn] = [dyadicLinear(), dyadicNorm()];
    const drawn = (between: () => unknown): number[] => {
      manualSeed(5);
      between();
      return [...new nn.Linear(2, 2).weight.data];
    };
    expect(drawn(() => nn.foldBatchNorm(linear, bn))).toEqual(drawn(() => undefined));
    expect(drawn(() => new nn.Linear(2, 3))).not.toEqual(drawn(() => undefined));
  });

  test('an infinite running variance leaves the bias, as in the layers', () => {
    const [linear, bn] = [dyadicLinear(), dyadicNorm()];
    bn.runningVar!.data.set([3, Infinity, 15] as never);
    const folded = nn.foldBatchNorm(linear, bn);
    expectSameBits(folded.forward(x()), bn.forward(linear.forward(x())));
    expect(folded.bias!.toArray()).toEqual([8.5, -1, 5.5]);
  });
});

describe('the other order: the normalisation first', () => {
  /** 3 inputs, 2 outputs. */
  const behind = (options: nn.LinearOptions = {}): nn.Linear => {
    const linear = new nn.Linear(3, 2, options);
    linear.weight.data.set([1, 2, -3, 4, 5, -6]);
    linear.bias?.data.set([1, -2]);
    return linear.eval();
  };
  const values = [1, 2, 4, -3, 0.5, 8, 0, 7, -1];

  test('by hand', () => {
    const folded = nn.foldBatchNorm(dyadicNorm(), behind()); // scales 1, -1, 1
    expect(folded.weight.toArray()).toEqual([
      [1, -2, -3],
      [4, -5, -6],
    ]);
    const shifts = [8 - 0.5, -1 + 4, 0.5 + 2];
    expect(folded.bias!.toArray()).toEqual([
      1 + shifts[0]! + 2 * shifts[1]! - 3 * shifts[2]!,
      -2 + 4 * shifts[0]! + 5 * shifts[1]! - 6 * shifts[2]!,
    ]);
  });

  const affines: nn.BatchNormOptions[] = [{}, { bias: false }, { affine: false }];
  const cases = (['float32', 'float64'] as const).flatMap((dtype) =>
    affines.flatMap((affine) =>
      [true, false].flatMap((bias) =>
        (
          [
            [3, 'NCL', [3, 3]],
            [3, 'NLC', [1, 3, 3]],
            [1, 'NCL', [3, 1, 3]],
          ] as const
        ).map(([channels, layout, shape]) => ({ dtype, affine, bias, channels, layout, shape })),
      ),
    ),
  );
  test.each(cases)('the bits of the layers where they are exact: %j', (each) => {
    const { dtype, affine, bias, channels, layout, shape } = each;
    const linear = behind({ bias, dtype });
    const bn = dyadicNorm({ ...affine, dtype, layout }, channels);
    const untouched = snapshot(linear, bn);
    const input = tensor(
      dtype === 'float32' ? new Float32Array(values) : new Float64Array(values),
      [...shape],
    );
    const expected = linear.forward(bn.forward(input));
    for (const norm of [bn, nn.FrozenBatchNorm1d.from(bn)]) {
      const folded = nn.foldBatchNorm(norm, linear);
      expect(folded.toString()).toBe('Linear(in_features=3, out_features=2, bias=True)');
      expect(folded.training).toBe(false);
      expectSameBits(folded.forward(input), expected);
    }
    untouched();
  });

  test('requires grad where linear does, and draws no random numbers', () => {
    const linear = behind();
    linear.weight.requiresGrad = false;
    manualSeed(5);
    const { weight, bias } = nn.foldBatchNorm(dyadicNorm(), linear);
    const drawn = [...new nn.Linear(2, 2).weight.data];
    manualSeed(5);
    expect(drawn).toEqual([...new nn.Linear(2, 2).weight.data]);
    expect([weight.requiresGrad, bias!.requiresGrad]).toEqual([false, true]);
    expect(nn.foldBatchNorm(dyadicNorm(), behind({ bias: false })).bias!.requiresGrad).toBe(false);
  });

  const channelsOf = (count: number, layout: string): string =>
    'RangeError: foldBatchNorm: expected a channel for each input, or one for all (linear.in_features == ' +
    `bn.num_features or bn.num_features == 1), got linear.in_features=3 and bn.num_features=${count} in ` +
    `layout '${layout}'.`;
  test.each<[string, () => [unknown, unknown], string]>([
    ['outputs that fit', () => [dyadicNorm({}, 2), behind()], channelsOf(2, 'NCL')],
    ['one channel, channels last', () => [dyadicNorm({ layout: 'NLC' }, 1), behind()], channelsOf(1, 'NLC')],
    ['two normalisations', () => [dyadicNorm(), dyadicNorm()], 'TypeError: foldBatchNorm: expected linear to be a Linear, got an instance of BatchNorm1d.'],
    ['training mode', () => [dyadicNorm().train(), behind()], 'RangeError: foldBatchNorm: expected linear and bn in evaluation mode (Fusion only for eval!), got bn in training mode.'],
    ['no statistics', () => [dyadicNorm({ trackRunningStats: false }), behind()], 'RangeError: foldBatchNorm: expected running statistics (bn.running_mean and bn.running_var must not be None), got none.'],
    ['two dtypes', () => [dyadicNorm({ dtype: 'float64' }), behind()], "TypeError: foldBatchNorm: expected linear's weight to be float64 like bn, got float32 (all inputs must share same datatype; x.to('float64') converts)."],
    ['a variance that is NaN', () => { const bn = dyadicNorm(); bn.runningVar!.data[1] = NaN; return [bn, behind()]; }, 'RangeError: foldBatchNorm: expected parameters and running statistics whose fold is finite in float32, got NaN or an infinity in row 0.'],
  ])('refuses %s', (_, make, message) => {
    const [bn, linear] = make() as [nn.BatchNorm1d, nn.Linear];
    const untouched = snapshot(bn, linear);
    expect(thrownBy(() => nn.foldBatchNorm(bn, linear))).toBe(message);
    untouched();
  }); // prettier-ignore
});

describe('refuses', () => {
  class Doubled extends nn.Linear {
    override forward(given: Tensor): Tensor {
      return super.forward(super.forward(given));
    }
  }
  class Shifted extends nn.FrozenBatchNorm1d {
    override forward(given: Tensor): Tensor {
      return super.forward(given.detach());
    }
  }
  class Renamed extends nn.Linear {}

  const kind = 'foldBatchNorm: expected bn to be a BatchNorm1d or a FrozenBatchNorm1d';
  const mode =
    'RangeError: foldBatchNorm: expected linear and bn in evaluation mode (Fusion only for eval!)';
  const stay =
    'RangeError: foldBatchNorm: expected bn to normalise by running statistics that stay';
  const fit =
    'RangeError: foldBatchNorm: expected a channel for each output, or one for all (To fuse, ' +
    'linear.out_features == bn.num_features or bn.num_features == 1), got linear.out_features=3 and ' +
    'bn.num_features=';
  const finite = (dtype: string, row: number): string =>
    'RangeError: foldBatchNorm: expected parameters and running statistics whose fold is finite in ' +
    `${dtype}, got NaN or an infinity in row ${row}.`;
  const withVariance = (value: number, options: nn.BatchNormOptions = {}): nn.BatchNorm1d => {
    const bn = dyadicNorm(options);
    bn.runningVar!.data[2] = value;
    return bn;
  };

  test.each<[string, () => [unknown, unknown], string]>([
    [
      'what is no Linear',
      () => [new nn.ReLU(), dyadicNorm()],
      'TypeError: foldBatchNorm: expected linear to be a Linear or a Conv1d, got an instance of ReLU.',
    ],
    [
      'a Linear with a forward of its own',
      () => [new Doubled(2, 3).eval(), dyadicNorm()],
      'TypeError: foldBatchNorm: expected linear to be a Linear or a Conv1d, got an instance of Doubled.',
    ],
    [
      'a FrozenBatchNorm1d with a forward of its own',
      () => [dyadicLinear(), new Shifted(3).eval()],
      `TypeError: ${kind}, got an instance of Shifted.`,
    ],
    ['nothing', () => [dyadicLinear(), undefined], `TypeError: ${kind}, got undefined.`],
    [
      'another rank',
      () => [dyadicLinear(), new nn.BatchNorm2d(3).eval()],
      `TypeError: ${kind}, got an instance of BatchNorm2d.`,
    ],
    [
      'training mode',
      () => [dyadicLinear().train(), dyadicNorm()],
      `${mode}, got linear in training mode.`,
    ],
    [
      'training mode',
      () => [dyadicLinear(), dyadicNorm().train()],
      `${mode}, got bn in training mode.`,
    ],
    [
      'training mode, whatever else is wrong',
      () => [dyadicLinear().train(), dyadicNorm({}, 2).train()],
      `${mode}, got linear and bn in training mode.`,
    ],
    [
      "the batch's statistics",
      () => {
        const bn = dyadicNorm();
        bn.normalizeBy = 'batch';
        return [dyadicLinear(), bn];
      },
      `${stay}, got normalizeBy 'batch'.`,
    ],
    [
      'statistics that move',
      () => {
        const bn = dyadicNorm();
        bn.updateStatistics = true;
        return [dyadicLinear(), bn];
      },
      `${stay}, got updateStatistics true.`,
    ],
    [
      'other channels, whatever else is wrong',
      () => [dyadicLinear(), dyadicNorm({ trackRunningStats: false }, 2)],
      `${fit}2 in layout 'NCL'.`,
    ],
    [
      'one channel in a last dimension of three',
      () => [dyadicLinear(), dyadicNorm({ layout: 'NLC' }, 1)],
      `${fit}1 in layout 'NLC'.`,
    ],
    [
      'no running statistics',
      () => [dyadicLinear(), dyadicNorm({ trackRunningStats: false })],
      'RangeError: foldBatchNorm: expected running statistics (bn.running_mean and bn.running_var must not ' +
        'be None), got none.',
    ],
    [
      'two dtypes',
      () => [dyadicLinear(), dyadicNorm({ dtype: 'float64' })],
      "TypeError: foldBatchNorm: expected linear's weight to be float64 like bn, got float32 (all inputs must share same datatype; x.to('float64') converts).",
    ],
    [
      'a weight of another shape',
      () => {
        const linear = dyadicLinear();
        linear.weight = new nn.Parameter(tensor([[1, 2]]));
        return [linear, dyadicNorm()];
      },
      "RangeError: foldBatchNorm: expected linear's weight of shape [3, 2], got shape [1, 2].",
    ],
    [
      'statistics of another shape',
      () => {
        const bn = dyadicNorm();
        bn.registerBuffer('running_mean', tensor([1]));
        return [dyadicLinear(), bn];
      },
      'RangeError: foldBatchNorm: expected running_mean of shape [3], got shape [1].',
    ],
    [
      'a bias of another dtype',
      () => {
        const bn = dyadicNorm();
        bn.bias = new nn.Parameter(tensor([1, 2, 3], { dtype: 'float64' }));
        return [dyadicLinear(), bn];
      },
      "TypeError: foldBatchNorm: expected bn's bias to be float32 like linear's weight, got float64 (all inputs must share same datatype; x.to('float32') converts).",
    ],
    [
      'memory that is detached',
      () => {
        const linear = dyadicLinear();
        linear.bias!.dispose();
        return [linear, dyadicNorm()];
      },
      "TypeError: foldBatchNorm: expected linear's bias to hold the 3 elements of shape [3], got 0 (its buffer " +
        'was detached, shrunk or disposed of).',
    ],
    ['a variance that is NaN', () => [dyadicLinear(), withVariance(NaN)], finite('float32', 2)],
    ['a negative variance', () => [dyadicLinear(), withVariance(-2)], finite('float32', 2)],
    [
      'no variance at all',
      () => [dyadicLinear(), withVariance(0, { eps: 0 })],
      finite('float32', 1),
    ],
    [
      'a mean that is infinite',
      () => {
        const bn = dyadicNorm({ dtype: 'float64' });
        bn.runningMean!.data[1] = -Infinity;
        return [dyadicLinear({ dtype: 'float64' }), bn];
      },
      finite('float64', 1),
    ],
    [
      'a product beyond float32',
      () => {
        const linear = dyadicLinear();
        linear.weight.data[1] = 3e38;
        const bn = dyadicNorm();
        bn.weight!.data[0] = 4;
        return [linear, bn];
      },
      finite('float32', 0),
    ],
  ])('%s', (_, make, message) => {
    const [linear, bn] = make() as [nn.Linear, nn.BatchNorm1d];
    const modules = [linear, bn].filter((each: unknown) => each instanceof nn.Module);
    const unchanged = snapshot(...modules);
    manualSeed(1);
    expect(thrownBy(() => nn.foldBatchNorm(linear, bn))).toBe(message);
    unchanged();
  });

  test('but takes a freeze, which says that they stay', () => {
    const [linear, bn] = [dyadicLinear(), dyadicNorm()];
    bn.normalizeBy = 'batch';
    bn.updateStatistics = true;
    const y = nn.foldBatchNorm(linear, bn.freeze()).forward(x());
    expectSameBits(y, bn.forward(linear.forward(x())));
  });

  test('but takes a subclass with the forward it inherits', () => {
    const linear = new Renamed(2, 3).eval();
    expect(nn.foldBatchNorm(linear, dyadicNorm()).constructor).toBe(nn.Linear);
  });
});
