// Convolutions, pooling, embeddings and norms by sample: their layers, their errors, calls beside the event loop, and
// sums that parts of a batch share.
import { functional, manualSeed, nn, optim, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

function numbers(shape: readonly number[], seed = 1, integers = false): Tensor {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return integers ? (state >>> 28) - 8 : (state >>> 8) / 2 ** 24 - 0.5;
  };
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: count }, next), shape);
}

test("reprs are PyTorch's", () => {
  const modules = [
    new nn.Conv1d(3, 4, 5),
    new nn.Conv1d(4, 4, 5, {
      ...{ stride: 2, padding: 1, dilation: 3, groups: 2, bias: false, paddingMode: 'reflect' },
    }),
    new nn.Conv1d(3, 4, 5, { padding: 'same' }),
    new nn.ConvTranspose1d(4, 6, 3, {
      ...{ stride: 2, padding: 1, outputPadding: 1, groups: 2, dilation: 2 },
    }),
    new nn.MaxPool1d(2),
    new nn.MaxPool1d(3, { stride: 1, padding: 1, dilation: 2, ceilMode: true }),
    new nn.AvgPool1d(3, { stride: 2, padding: 1 }),
    new nn.AdaptiveAvgPool1d(2),
    new nn.AdaptiveMaxPool1d(3),
    new nn.Embedding(5, 3),
    new nn.Embedding(5, 3, { paddingIdx: -1 }),
    new nn.EmbeddingBag(5, 3),
    new nn.EmbeddingBag(5, 3, { mode: 'sum', paddingIdx: 0 }),
    new nn.StatisticsPooling(),
    new nn.LazyConv1d(8, 3),
    new nn.LayerNorm(4),
    new nn.LayerNorm([3, 4], { eps: 0.1, elementwiseAffine: false }),
    new nn.GroupNorm(2, 4),
    new nn.InstanceNorm1d(3, { affine: true }),
    new nn.Upsample({ scaleFactor: 2 }),
    new nn.Upsample({ size: 5, mode: 'linear' }),
    new nn.Dropout1d(0.3),
    new nn.Identity(),
    new nn.Flatten(),
    new nn.Unflatten(1, [2, 3]),
  ];
  expect(modules.map(String)).toEqual([
    'Conv1d(3, 4, kernel_size=(5,), stride=(1,))',
    'Conv1d(4, 4, kernel_size=(5,), stride=(2,), padding=(1,), dilation=(3,), groups=2, bias=False, padding_mode=reflect)',
    'Conv1d(3, 4, kernel_size=(5,), stride=(1,), padding=same)',
    'ConvTranspose1d(4, 6, kernel_size=(3,), stride=(2,), padding=(1,), dilation=(2,), output_padding=(1,), groups=2)',
    'MaxPool1d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)',
    'MaxPool1d(kernel_size=3, stride=1, padding=1, dilation=2, ceil_mode=True)',
    'AvgPool1d(kernel_size=(3,), stride=(2,), padding=(1,))',
    'AdaptiveAvgPool1d(output_size=2)',
    'AdaptiveMaxPool1d(output_size=3)',
    'Embedding(5, 3)',
    'Embedding(5, 3, padding_idx=4)',
    "EmbeddingBag(5, 3, mode='mean')",
    "EmbeddingBag(5, 3, mode='sum', padding_idx=0)",
    'StatisticsPooling(correction=1)',
    'LazyConv1d(0, 8, kernel_size=(3,), stride=(1,))',
    'LayerNorm((4,), eps=1e-05, elementwise_affine=True)',
    'LayerNorm((3, 4), eps=0.1, elementwise_affine=False)',
    'GroupNorm(2, 4, eps=1e-05, affine=True)',
    'InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=False)',
    "Upsample(scale_factor=2.0, mode='nearest')",
    "Upsample(size=5, mode='linear')",
    'Dropout1d(p=0.3, inplace=False)',
    'Identity()',
    'Flatten(start_dim=1, end_dim=-1)',
    'Unflatten(dim=1, unflattened_size=(2, 3))',
  ]);
});

test('weights have the shapes, the names and the range of PyTorch', () => {
  const conv = new nn.Conv1d(6, 9, 5, { groups: 3 });
  const back = new nn.ConvTranspose1d(6, 9, 5, { groups: 3 });
  expect([...conv.stateDict().keys()]).toEqual(['weight', 'bias']);
  expect([conv.weight.shape, conv.bias!.shape]).toEqual([[9, 2, 5], [9]]);
  expect([back.weight.shape, back.bias!.shape]).toEqual([[6, 3, 5], [9]]);
  const largest = (x: Tensor): number => Math.max(...Array.from(x.data as Float32Array, Math.abs));
  for (const [layer, fanIn] of [[conv, 10] as const, [back, 15] as const]) {
    expect(largest(layer.weight)).toBeLessThanOrEqual(Math.fround(1 / Math.sqrt(fanIn)));
    expect(largest(layer.weight)).toBeGreaterThan(0.9 / Math.sqrt(fanIn));
  }
  const words = new nn.Embedding(4, 3, { paddingIdx: 2 });
  expect(words.forward([2]).toArray()).toEqual([[0, 0, 0]]);
});

test('InstanceNorm1d keeps no running statistics', () => {
  const norm = new nn.InstanceNorm1d(3, { affine: true });
  expect([...norm.stateDict().keys()]).toEqual(['weight', 'bias']);
  const x = numbers([2, 3, 8]);
  const trained = norm.forward(x).toArray();
  expect(norm.eval().forward(x).toArray()).toEqual(trained);
  expect(() => new nn.InstanceNorm1d(3, { trackRunningStats: true } as object)).toThrow(
    /trackRunningStats/,
  );
});

describe('sums over a batch', () => {
  const [n, c, out, taps, l] = [192, 3, 4, 3, 10];
  const gradients = (x: Tensor, dy: Tensor, stride: number): Tensor[] => {
    const weight = numbers([out, c, taps], 7);
    const bias = numbers([out], 8);
    weight.requiresGrad = true;
    bias.requiresGrad = true;
    functional.conv1d(x, weight, bias, { stride, padding: 1 }).backward(dy);
    return [weight.grad!, bias.grad!];
  };
  const rows = (x: Tensor, from: number, to: number): Tensor =>
    functional.narrow(x, 0, from, to - from);

  test.each([1, 2])('parts of whole subtrees add up to the bits of all, stride %i', (stride) => {
    const x = numbers([n, c, l], 3);
    const dy = numbers([n, out, Math.floor((l - 1) / stride) + 1], 4);
    const whole = gradients(x, dy, stride);
    // Leaves of 64 samples: T(3 leaves) = T(2) + T(1).
    const first = gradients(rows(x, 0, 128), rows(dy, 0, 128), stride);
    const last = gradients(rows(x, 128, n), rows(dy, 128, n), stride);
    const sum = functional.add(first[0]!, last[0]!);
    expect(whole[0]!.toArray()).toEqual(sum.toArray());
  });

  test('are exact where the arithmetic is', () => {
    const x = numbers([n, c, l], 3, true);
    const dy = numbers([n, out, l], 4, true);
    const [dweight, dbias] = gradients(x, dy, 1);
    const wanted = new Float64Array(out * c * taps);
    const bias = new Float64Array(out);
    for (let s = 0; s < n; s++)
      for (let o = 0; o < out; o++)
        for (let t = 0; t < l; t++) {
          const g = Number(dy.data[(s * out + o) * l + t]);
          bias[o]! += g;
          for (let i = 0; i < c; i++)
            for (let j = 0; j < taps; j++) {
              const at = t + j - 1;
              if (at < 0 || at >= l) continue;
              wanted[(o * c + i) * taps + j]! += g * Number(x.data[(s * c + i) * l + at]);
            }
        }
    expect([...dweight!.data].map(Number)).toEqual([...wanted]);
    expect([...dbias!.data].map(Number)).toEqual([...bias]);
  });
});

test('a network of them beside the event loop has the bits of now', async () => {
  const build = (): nn.Sequential => {
    manualSeed(5);
    return new nn.Sequential(
      new nn.Embedding(20, 8),
      new (class extends nn.Module {
        forward(x: Tensor): Tensor {
          return functional.transpose(x, 1, 2);
        }
      })(),
      new nn.Conv1d(8, 32, 5, { padding: 'same' }),
      new nn.BatchNorm1d(32),
      new nn.ReLU(),
      new nn.MaxPool1d(2),
      new nn.Conv1d(32, 32, 3, { groups: 32, padding: 1 }),
      new nn.GroupNorm(4, 32),
      new nn.ConvTranspose1d(32, 16, 4, { stride: 2, padding: 1 }),
      new nn.AvgPool1d(3, { stride: 2 }),
      new nn.LayerNorm(19),
      new nn.AdaptiveAvgPool1d(1),
      new nn.Flatten(),
    );
  };
  const index = tensor(
    Int32Array.from({ length: 64 * 40 }, (_, i) => (i * 7) % 20),
    [64, 40],
  );
  const [now, later] = [build(), build()];
  const optimizers = [now, later].map((model) => new optim.SGD(model.parameters(), { lr: 0.1 }));
  for (let step = 0; step < 3; step++) {
    const y = functional.mean(functional.mul(now.forward(index), now.forward(index)));
    optimizers[0]!.zeroGrad();
    y.backward();
    optimizers[0]!.step();
    const [a, b] = [await later.forwardAsync(index), await later.forwardAsync(index)];
    const z = functional.mean(functional.mul(a, b));
    optimizers[1]!.zeroGrad();
    await z.backwardAsync();
    await optimizers[1]!.stepAsync();
    expect(z.item()).toBe(y.item());
  }
  const states = [now, later].map((model) =>
    [...model.stateDict().values()].map((each) => each.toArray()),
  );
  expect(states[1]).toEqual(states[0]);
});

describe('errors name what was wrong', () => {
  const x = numbers([2, 3, 8]);
  const weight = numbers([4, 3, 3]);
  test.each([
    [() => functional.conv1d(numbers([2, 4, 8]), weight), /conv1d: expected input with 3 channels/],
    [() => functional.conv1d(numbers([2, 3, 2]), weight), /greater than actual input size/],
    [() => functional.conv1d(x, weight, numbers([3])), /bias/],
    [() => functional.conv1d(x, weight, null, { padding: 'same', stride: 2 }), /strided/],
    [() => functional.conv1d(x, weight, null, { padding: 'full' as 'same' }), /padding/],
    [() => functional.conv1d(x, weight, null, { groups: 3 }), /outChannels that 3 groups divide/],
    [() => functional.conv1d(numbers([8]), weight), /\[N, C, L\]/],
    [() => new nn.Conv1d(3, 4, 3, { groups: 2 }), /inChannels must be divisible by groups/],
    [() => functional.maxPool1d(x, 3, { padding: 2 }), /half of effective kernel size/],
    [() => functional.maxPool1d(x, 9), /Output size is too small/],
    [() => functional.adaptiveAvgPool1d(x, 0), /outputSize/],
    [() => functional.embedding([0, 4], numbers([4, 2])), /indices.*4.*at index 1/],
    [() => functional.embedding([0], numbers([4, 2]), { paddingIdx: 4 }), /paddingIdx/],
    [() => functional.layerNorm(x, [3]), /ends with shape \[3\]/],
    [() => functional.groupNorm(x, 2), /channels that 2 groups divide/],
    [() => functional.instanceNorm(numbers([2, 3, 1])), /more than 1 spatial element/],
    [() => functional.interpolate(x, {}), /either size or scaleFactor/],
    [() => functional.interpolate(x, { size: 2 ** 31 }), /interpolate: expected size/],
    [() => functional.interpolate(x, { scaleFactor: 1e18 }), /1 to 2\^31 - 1 values a channel/],
    [() => new nn.Unflatten(1, [2, 2]).forward(x), /product is 3/],
    [() => new nn.Flatten({ startDim: 2, endDim: 1 }).forward(x), /start_dim cannot come after/],
  ])('%s', (call, message) => {
    expect(call).toThrow(message);
  });
});

test('Dropout1d drops channels, also of one sample', () => {
  manualSeed(3);
  for (const shape of [
    [40, 5, 4],
    [200, 4],
  ]) {
    const y = functional.dropout1d(tensor(new Float32Array(800).fill(1), shape));
    const data = Array.from(y.data as Float32Array);
    let dropped = 0;
    for (let i = 0; i < 800; i += 4) {
      const channel = data.slice(i, i + 4);
      expect(new Set(channel).size).toBe(1);
      expect([0, 2]).toContain(channel[0]);
      if (channel[0] === 0) dropped++;
    }
    expect(dropped).toBeGreaterThan(50);
    expect(dropped).toBeLessThan(150);
  }
});

describe('foldBatchNorm of a Conv1d', () => {
  const normOf = (channels: number): nn.BatchNorm1d => {
    const bn = new nn.BatchNorm1d(channels);
    bn.forward(numbers([8, channels, 6], 9));
    bn.weight!.data.set(numbers([channels], 10).data as Float32Array);
    bn.bias!.data.set(numbers([channels], 11).data as Float32Array);
    return bn.eval();
  };

  test.each([true, false])('computes what both do, bias %s', (bias) => {
    const conv = new nn.Conv1d(4, 6, 3, { groups: 2, padding: 1, stride: 2, bias }).eval();
    const bn = normOf(6);
    const folded = nn.foldBatchNorm(conv, bn);
    const x = numbers([3, 4, 11], 12);
    const wanted = bn.forward(conv.forward(x)).data as Float32Array;
    const got = folded.forward(x).data as Float32Array;
    expect(String(folded)).toBe(String(conv).replace(', bias=False', ''));
    expect(folded.training).toBe(false);
    for (let i = 0; i < wanted.length; i++)
      expect(Math.abs(got[i]! - wanted[i]!)).toBeLessThanOrEqual(2 ** -20);
  });

  test('refuses channels that do not fit, and a convolution behind', () => {
    const conv = new nn.Conv1d(4, 6, 3).eval();
    expect(() => nn.foldBatchNorm(conv, normOf(1))).toThrow(/conv.out_channels == bn.num_features/);
    expect(() => nn.foldBatchNorm(normOf(4), conv as unknown as nn.Linear)).toThrow(
      'expected linear to be a Linear, got an instance of Conv1d',
    );
  });
});
