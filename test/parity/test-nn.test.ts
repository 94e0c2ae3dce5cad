// BatchNorm in PyTorch's test/test_nn.py, class TestNN, told anew. A title begins with PyTorch's name
// and says where ours is meant to differ.
import { functional, nn, Tensor, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { sizesOf } from '../helpers/batchnorm-roundings.js';
import { expectAllClose, expectSameBits, ROUNDING } from '../helpers/expect-close.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';
import { normal, pass, statistics } from './inputs.js';

const filled = (count: number, value: number): Tensor =>
  tensor(new Float32Array(count).fill(value));

describe('what is refused', () => {
  test('test_batchnorm_raises_error_if_less_than_one_value_per_channel: one value is not enough', () => {
    const bn = new nn.BatchNorm1d(10);
    const unchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(normal([1, 10, 1], 1)))).toBe(
      'RangeError: BatchNorm1d: expected more than 1 value per channel when training, got input of shape [1, 10, 1] (a last batch of one: dropLast: true of the DataLoader leaves it out).',
    );
    unchanged();
    expect(bn.eval().forward(normal([1, 10, 1], 1)).shape).toEqual([1, 10, 1]);
  });

  const ops = ['running_mean', 'running_var', 'weight', 'bias'] as const;
  test.each([
    ['test_batchnorm_raises_error_if_running_mean_is_not_same_size_as_input', ops[0]],
    ['test_batchnorm_raises_error_if_running_var_is_not_same_size_as_input', ops[1]],
    ['test_batchnorm_raises_error_if_weight_is_not_same_size_as_input', ops[2]],
    ['test_batchnorm_raises_error_if_bias_is_not_same_size_as_input', ops[3]],
  ])('%s: in training and in evaluation', (_, wrong) => {
    for (const size of [9, 11]) {
      for (const training of [true, false]) {
        const of = (name: string): Tensor => filled(name === wrong ? size : 10, 0.5);
        const [mean, variance, weight, bias] = [of(ops[0]), of(ops[1]), of(ops[2]), of(ops[3])];
        const unchanged = snapshot(mean, variance);
        expect(
          thrownBy(() =>
            functional.batchNorm(normal([2, 10], 1), mean, variance, { weight, bias, training }),
          ),
        ).toBe(
          `RangeError: batchNorm: expected ${wrong} of shape [10] (${wrong} should contain 10 elements not ` +
            `${size}), got shape [${size}].`,
        );
        unchanged();
      }
    }
  });

  test('test_batch_norm_update_stats: no such function; an empty batch is none, and leaves the statistics', () => {
    const [mean, variance] = [filled(1, 0.25), filled(1, 4)];
    expect('batchNormUpdateStats' in functional).toBe(false);
    const y = functional.batchNorm(tensor(new Float32Array(0), [0, 1]), mean, variance, {
      training: true,
    });
    expect([y.shape, mean.item(), variance.item()]).toEqual([[0, 1], 0.25, 4]);
  });
});

test('test_batchnorm_buffer_update_when_stats_are_not_tracked: a training forward leaves all three', () => {
  const bn = new nn.BatchNorm1d(4);
  bn.trackRunningStats = false;
  const unchanged = snapshot(bn);
  bn.forward(normal([32, 4], 1));
  unchanged();
});

describe('layouts', () => {
  const shapes = [
    [4, 8, 8, 8],
    [4, 8, 1, 1],
    [4, 1, 8, 8],
    [4, 1, 1, 1],
    [2, 8, 4, 4],
    [8, 3, 5, 7],
  ];

  /** [N, C, H, W] as [N, H, W, C]. */
  function channelsLast(x: Tensor): Tensor {
    const [n = 0, c = 0, h = 0, w = 0] = x.shape;
    return Tensor.from({ data: x.data, shape: [n, h, w, c], strides: [c * h * w, w, 1, h * w] });
  }

  function layers(
    channels: number,
    dtype: 'float32' | 'float64',
  ): [nn.BatchNorm2d, nn.BatchNorm2d] {
    const first = new nn.BatchNorm2d(channels, { dtype });
    first.weight!.data.set(normal([channels], 11, { dtype }).data as Float32Array);
    first.bias!.data.set(normal([channels], 12, { dtype }).data as Float32Array);
    const last = new nn.BatchNorm2d(channels, { dtype, layout: 'NLC' });
    last.loadStateDict(first.stateDict());
    return [first, last];
  }

  for (const dtype of ['float32', 'float64'] as const) {
    test.each(shapes)(
      `test_batchnorm_nhwc_cpu: ${dtype} [%i, %i, %i, %i] with layout 'NLC' is channels first`,
      (...shape) => {
        const [x, dy] = [normal(shape, 1, { dtype, offset: 3 }), normal(shape, 2, { dtype })];
        const channels = shape[1]!;
        const inner = shape[2]! * shape[3]!;
        const channelOf = (i: number): number => Math.floor(i / inner) % channels;
        const [first, last] = layers(channels, dtype);
        const weight = first.weight!.data;
        const bias = first.bias!.data;
        const known = {
          x: x.data as Float32Array,
          dy: dy.data as Float32Array,
          channels,
          channelOf,
          weight,
          bias,
        };
        const sizes = sizesOf({ ...known, eps: 1e-5, running: null });
        const [a, b] = [pass(first, x, dy), pass(last, channelsLast(x), channelsLast(dy))];
        // Each side may be off by the roundings counted in test/golden/batchnorm.test.ts; in float64 also
        // by those of its sums.
        const m = x.numel / channels;
        const unit = ROUNDING[dtype];
        const k = dtype === 'float32' ? { y: 12, dx: 26, dweight: 6, dbias: 2.02 } : null;
        const plain = 2 * (16 + 4 * m) * Math.max(1, ...sizes.offCentre);
        for (const [name, got, want] of [
          ['y', b.y, channelsLast(a.y)],
          ['dx', b.dx, channelsLast(a.dx)],
          ['dweight', last.weight!.grad!, first.weight!.grad!],
          ['dbias', last.bias!.grad!, first.bias!.grad!],
        ] as const) {
          const inOrder = name === 'y' || name === 'dx';
          const scale = inOrder
            ? (channelsLast(tensor(sizes[name], shape)).data as Float64Array)
            : sizes[name].map((size, c) => size + (k === null ? sizes.dbias[c]! : 0));
          expectAllClose(got, want, { k: k === null ? plain : k[name], unit, scale }, name);
        }
        const statistic = { k: k === null ? plain : 1, unit, scale: 10 };
        expectAllClose(last.runningMean, first.runningMean, statistic, 'running_mean');
        expectAllClose(last.runningVar, first.runningVar, statistic, 'running_var');
      },
    );

    test(`test_batchnorm_non_contig_cpu: ${dtype} permuted and sliced inputs give the bits of contiguous ones`, () => {
      const shape = [4, 8, 3, 5];
      const [x, dy] = [normal(shape, 1, { dtype }), normal(shape, 2, { dtype })];
      // The same values with the dimensions in another order in memory, every second place empty.
      const other = ({ data }: Tensor): Tensor => {
        const [n, c, h, w] = [4, 8, 3, 5];
        const memory = dtype === 'float32' ? new Float32Array(960) : new Float64Array(960);
        const strides = [2, 2 * n * w, 2 * n * w * c, 2 * n];
        memory.fill(NaN);
        for (let i = 0; i < data.length; i++) {
          const index = [
            Math.floor(i / (c * h * w)),
            Math.floor(i / (h * w)) % c,
            Math.floor(i / w) % h,
            i % w,
          ];
          memory[index.reduce((at, each, axis) => at + each * strides[axis]!, 0)] = Number(data[i]);
        }
        return Tensor.from({ data: memory, shape, strides });
      };
      const [plain, strided] = [new nn.BatchNorm2d(8, { dtype }), new nn.BatchNorm2d(8, { dtype })];
      const [a, b] = [pass(plain, x, dy), pass(strided, other(x), other(dy))];
      expectSameBits(b.y, a.y, 'y');
      expectSameBits(b.dx, a.dx, 'dx');
      expectSameBits(strided.weight!.grad, plain.weight!.grad, 'dweight');
      expect(statistics(strided)).toEqual(statistics(plain));
    });
  }

  test('test_batchnorm_large_batch: 880,801 rows of one channel, forward and backward', () => {
    const rows = 880_801;
    const x = normal([rows, 1, 1, 1], 5);
    const bn = new nn.BatchNorm2d(1);
    const { y, dx } = pass(bn, x, normal([rows, 1, 1, 1], 6));
    let [sum, squares] = [0, 0];
    for (const value of y.data as Float32Array) {
      sum += value;
      squares += value * value;
    }
    // Each output is off by at most 6 roundings of its size, below 6 here.
    expect(Math.abs(sum / rows)).toBeLessThan(6 * 6 * 2 ** -24);
    expect(Math.abs(squares / rows - 1 / (1 + 1e-5))).toBeLessThan(1e-4);
    expect((dx.data as Float32Array).every(Number.isFinite)).toBe(true);
  });
});

test('test_convert_sync_batchnorm: parameters, statistics, modes and hooks of every BatchNorm', () => {
  const module = new nn.Sequential(new nn.BatchNorm1d(4), new nn.Sequential(new nn.BatchNorm2d(3)));
  module.eval();
  const state = [...module.stateDict()];
  const layers = [...module.modules()];
  const converted = nn.convertSyncBatchNorm(module);
  expect(converted).toBe(module);
  expect([...converted.modules()]).toEqual(layers);
  expect([...converted.modules()].filter((each) => each instanceof nn.SyncBatchNorm).length).toBe(
    2,
  );
  const after = converted.stateDict();
  expect([...after.keys()]).toEqual(state.map(([name]) => name));
  expect(converted.toString()).toContain('SyncBatchNorm(4, eps=1e-05');
  expect([...converted.modules()].some((each) => each.training)).toBe(false);
});
