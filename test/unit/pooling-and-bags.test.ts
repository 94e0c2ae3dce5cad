// LazyConv1d, Conv1d with channels last, EmbeddingBag and StatisticsPooling: their layers, and what they refuse.
import { functional, manualSeed, nn, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

const MISSING = /Attempted to use an uninitialized parameter/;

function numbers(...shape: number[]): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: count }, (_, i) => ((i * 37) % 23) / 8 - 1.25),
    shape,
  );
}

const valuesOf = (x: Tensor): number[] => Array.from(x.data as Float32Array);

describe('LazyConv1d', () => {
  test('is the Conv1d of its first input', () => {
    const options = { stride: 2, padding: 1, groups: 2, paddingMode: 'reflect' } as const;
    const x = numbers(2, 6, 9);
    manualSeed(3);
    const eager = new nn.Conv1d(6, 4, 3, options);
    const wanted = eager.forward(x).toArray();
    manualSeed(3);
    const lazy = new nn.LazyConv1d(4, 3, options);
    expect(lazy.inChannels).toBe(0);
    expect(lazy.forward(x).toArray()).toEqual(wanted);
    expect(String(lazy)).toBe(String(eager));
    expect([...lazy.stateDict().keys()]).toEqual(['weight', 'bias']);
    expect([...lazy.parameters()].length).toBe(2);
    expect(lazy.forward(x).toArray()).toEqual(wanted);
    expect(() => lazy.forward(numbers(2, 4, 9))).toThrow('expected input with 6 channels');
    expect(() => lazy.forward(x, x as never)).toThrow(/^Conv1d.forward: expected 1 argument/);
  });

  test('has no parameters before', async () => {
    const lazy = new nn.LazyConv1d(4, 3);
    const model = new nn.Sequential(lazy);
    expect(() => lazy.weight).toThrow(MISSING);
    expect(() => lazy.bias).toThrow(MISSING);
    expect(() => [...model.parameters()]).toThrow(MISSING);
    expect(() => model.stateDict()).toThrow(MISSING);
    expect(() => lazy.clone()).toThrow(MISSING);
    await expect(lazy.forwardAsync(numbers(2, 3, 9))).rejects.toThrow(MISSING);
    expect(new nn.LazyConv1d(4, 3, { bias: false }).bias).toBeNull();
    lazy.resetParameters();
    expect(lazy.inChannels).toBe(0);
  });

  test.each([
    ['an input that is too short', () => numbers(2, 3, 2), /Kernel size can't be greater/],
    ['channels that groups do not divide', () => numbers(2, 5, 9), /divisible by groups/],
    ['one dimension', () => numbers(9), /expected a first input of shape/],
    ['no channels', () => tensor(new Float32Array(0), [2, 0, 9]), /with channels/],
  ])('an input that is refused leaves it as it was: %s', (_, input, message) => {
    const lazy = new nn.LazyConv1d(4, 3, { groups: message.source.includes('groups') ? 2 : 1 });
    manualSeed(5);
    const wanted = new nn.Linear(2, 2).weight.toArray();
    manualSeed(5);
    expect(() => lazy.forward(input())).toThrow(message);
    expect(lazy.inChannels).toBe(0);
    expect(() => lazy.weight).toThrow(MISSING);
    expect(new nn.Linear(2, 2).weight.toArray()).toEqual(wanted); // no random number was taken
  });

  test('takes its size from a state dict', () => {
    const eager = new nn.Conv1d(6, 4, 3, { groups: 2 });
    const lazy = new nn.LazyConv1d(4, 3, { groups: 2 });
    const model = new nn.Sequential(lazy);
    expect(() => model.loadStateDict(new Map())).toThrow(
      'Missing key(s) in state_dict: "0.weight"',
    );
    expect(
      () =>
      model.loadStateDict(new Map([['0.weight', numbers(4, 3, 5)], ['0.bias', numbers(4)]])), // prettier-ignore
    ).toThrow('size mismatch for 0.weight');
    expect(lazy.inChannels).toBe(0);
    model.loadStateDict(new nn.Sequential(eager).stateDict());
    expect(lazy.inChannels).toBe(6);
    const x = numbers(2, 6, 9);
    expect(lazy.forward(x).toArray()).toEqual(eager.forward(x).toArray());
  });

  test.each([
    [() => new nn.LazyConv1d(4, 3, { groups: 0 }), /groups/],
    [() => new nn.LazyConv1d(4, 3, { groups: 3 }), /divisible by groups/],
    [() => new nn.LazyConv1d(4, 3, { groups: 1.5 }), /groups/],
    [() => new nn.LazyConv1d(0, 3), /outChannels/],
    [() => new nn.LazyConv1d(4, 3, 5 as never), /an options object/],
    [() => new nn.LazyConv1d(4, 3, null as never), /an options object/],
    [() => new nn.LazyConv1d(4, 3, [] as never), /an options object/],
    [() => new nn.LazyConv1d(4, 3, { strides: 1 } as never), /did you mean 'stride'/],
  ])('refuses what Conv1d does: %s', (make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(/^LazyConv1d/);
  });
});

describe('Conv1d with channels last', () => {
  const turned = (x: Tensor): Tensor => functional.transpose(x, -1, -2);

  test.each(['zeros', 'reflect', 'replicate', 'circular'] as const)('%s', (paddingMode) => {
    const options = { padding: 2, stride: 2, groups: 2, paddingMode } as const;
    const first = new nn.Conv1d(4, 6, 3, options);
    const last = new nn.Conv1d(4, 6, 3, { ...options, layout: 'NLC' });
    last.loadStateDict(first.stateDict());
    const x = numbers(2, 4, 9);
    expect(last.forward(turned(x)).toArray()).toEqual(turned(first.forward(x)).toArray());
  });

  test('folds with the BatchNorm of its layout', () => {
    const conv = new nn.Conv1d(4, 6, 3, { layout: 'NLC' }).eval();
    const bn = new nn.BatchNorm1d(6, { layout: 'NLC' }).eval();
    const folded = nn.foldBatchNorm(conv, bn);
    const x = numbers(2, 9, 4);
    const wanted = valuesOf(bn.forward(conv.forward(x)));
    const got = valuesOf(folded.forward(x));
    expect(folded.layout).toBe('NLC');
    got.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
  });

  test.each<[object, Tensor, RegExp]>([
    [{ layout: 'NHC' }, numbers(2, 9, 4), /expected layout to be/],
    [{ layout: 'NLC' }, numbers(2, 4, 9), /input with 4 channels, last .*got shape \[2, 4, 9\]/],
    [{ layout: 'NLC' }, numbers(4), /input of shape/],
  ])('refuses %j', (options, x, message) => {
    expect(() => functional.conv1d(x, numbers(6, 4, 1), null, options)).toThrow(message);
  });
});

describe('embedding', () => {
  // 200 values of a row are more than one thread adds up, 5 are fewer than a vector. About as many indices as rows are
  // added row by row, others index by index.
  test.each([
    [5, 400],
    [200, 400],
    [5, 100],
    [200, 100],
    [200, 20],
  ])('rows of %i values, %i times one of 90', (width, count) => {
    const rows = 90;
    const index = Array.from({ length: count }, (_, i) => (i * 37 + (i % 7)) % rows);
    const table = tensor(
      Array.from({ length: rows }, (_row, r) => Array.from({ length: width }, (_, j) => r - 2 * j)),
      { requiresGrad: true },
    );
    const y = functional.embedding(index, table);
    expect(y.toArray()).toEqual(
      index.map((r) => Array.from({ length: width }, (_, j) => r - 2 * j)),
    );
    const dy = index.map((_, i) =>
      Array.from({ length: width }, (_value, j) => Math.fround(-((i % 11) - (j % 5)) / 3)),
    );
    y.backward(tensor(dy));
    const sums = Array.from({ length: rows }, () => Array.from({ length: width }, () => 0));
    index.forEach((r, i) =>
      dy[i]!.forEach((each, j) => (sums[r]![j] = Math.fround(sums[r]![j]! + each))),
    );
    expect(table.grad!.toArray()).toEqual(sums);
  });
});

describe('EmbeddingBag', () => {
  test('an empty bag is 0, and gets no gradient', () => {
    const bag = new nn.EmbeddingBag(4, 2, { mode: 'max' });
    const y = bag.forward([1, 2], { offsets: [0, 0] });
    const rows = y.toArray<number[][]>();
    expect(rows[0]).toEqual([0, 0]);
    functional.sum(y).backward();
    const gradient = bag.weight.grad!.toArray<number[][]>();
    expect([gradient[0], gradient[3]]).toEqual([[0, 0], [0, 0]]); // prettier-ignore
    expect(gradient[1]![0]! + gradient[2]![0]!).toBe(1);
  });

  test.each(['sum', 'mean', 'max'] as const)('no bag, no entry: %s', (mode) => {
    const table = numbers(3, 2);
    expect(functional.embeddingBag([], table, { offsets: [], mode }).shape).toEqual([0, 2]);
    const empty = functional.embeddingBag([], table, { offsets: [0, 0], mode });
    expect(empty.toArray()).toEqual([[0, 0], [0, 0]]); // prettier-ignore
  });

  test('NaN is the largest', () => {
    const table = tensor([[1], [NaN], [3]]);
    const y = functional.embeddingBag([0, 1, 2], table, { offsets: [0], mode: 'max' });
    expect(y.item()).toBeNaN();
  });

  test('one long bag among many short ones takes no room for each to be as long', () => {
    const count = 2 ** 17;
    const offsets = Int32Array.from({ length: count + 1 }, (_, i) => i);
    const index = new Int32Array(2 * count).fill(1, count);
    const weight = tensor([[1], [2]], { requiresGrad: true });
    const y = functional.embeddingBag(index, weight, { offsets, mode: 'max' });
    expect([y.shape, y.data[0], y.data.at(-1)]).toEqual([[count + 1, 1], 1, 2]);
    functional.sum(y).backward();
    expect(weight.grad!.toArray()).toEqual([[count], [1]]);
  });

  test('int64 indices and offsets', () => {
    const index = tensor(BigInt64Array.of(0n, 2n, 1n));
    const offsets = tensor(BigInt64Array.of(0n, 2n));
    const y = functional.embeddingBag(index, tensor([[1], [3], [5]]), { offsets });
    expect(y.toArray()).toEqual([[3], [3]]);
  });

  const table = numbers(3, 2);
  test.each<[unknown, object, RegExp]>([
    [[0, 3], { offsets: [0] }, /indices from 0 to 2, got 3 at index 1|0 to 2.*3/],
    [[0, 1], {}, /offsets has to be a 1D Tensor/],
    [tensor(Int32Array.of(0, 1), [1, 2]), { offsets: [0] }, /no offsets beside a matrix/],
    [tensor(Int32Array.of(0, 1), [1, 2, 1]), {}, /1D or 2D/],
    [[0, 1], { offsets: [1] }, /offsets\[0\] to be 0, got 1/],
    [[0, 1, 2], { offsets: [0, 2, 1] }, /offsets that do not fall, got 1 at index 2/],
    [[0, 1], { offsets: [0, 3] }, /offsets/],
    [[0, 1], { offsets: [], includeLastOffset: true }, /at least one offset/],
    [[0, 1], { offsets: [0], mode: 'min' }, /expected mode to be/],
    [
      [0, 1],
      { offsets: [0], perSampleWeights: numbers(2) },
      /only with mode 'sum', got mode 'mean'/,
    ],
    [[0, 1], { offsets: [0], mode: 'sum', perSampleWeights: numbers(3) }, /perSampleWeights/],
    [[0, 1], { offsets: [0], mode: 'sum', perSampleWeights: [1, 2] }, /a Tensor or null/],
    [[0, 1], { offsets: [0], paddingIdx: 3 }, /paddingIdx/],
    ['01', { offsets: [0] }, /integer array or tensor/],
    [numbers(2), { offsets: [0] }, /a tensor of float32/],
  ])('refuses %j with %j', (index, options, message) => {
    expect(() => functional.embeddingBag(index as never, table, options)).toThrow(message);
  });
});

describe('StatisticsPooling', () => {
  test('goes behind BatchNorm in a Sequential, whose lengths it has', () => {
    const [x, padded] = [numbers(2, 3, 5), numbers(2, 3, 8)];
    for (let row = 0; row < 6; row++) {
      for (let i = 0; i < 8; i++) padded.data[row * 8 + i] = i < 5 ? x.data[row * 5 + i]! : NaN;
    }
    const model = new nn.Sequential(new nn.BatchNorm1d(3), new nn.StatisticsPooling());
    const wanted = valuesOf(model.forward(x));
    const got = valuesOf(model.forward(padded, { lengths: [5, 5] }));
    got.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
  });

  test('a deviation of 0 has the gradient 0, NaN stays', () => {
    const x = tensor([[[2, 2, 2, NaN]], [[1, NaN, 3, 4]]], { requiresGrad: true });
    const y = functional.statisticsPooling(x, { lengths: [3, 4] });
    expect(valuesOf(y)).toEqual([2, 0, NaN, NaN]);
    functional.narrow(y, 0, 0, 1).backward(tensor([[0, 1]]));
    expect(x.grad!.toArray<number[][][]>()[0]).toEqual([[0, 0, 0, 0]]);
  });

  test.each<[Tensor, object, RegExp]>([
    [numbers(2, 3), {}, /expected input of shape \[N, C, L\], got shape \[2, 3\]/],
    [numbers(2, 3, 4), { lengths: [4, 1] }, /more than 1 step of each sample, got 1 of sample 1/],
    [numbers(2, 3, 4), { lengths: [4, 0], correction: 0 }, /more than 0 steps/],
    [numbers(2, 3, 1), {}, /more than 1 step/],
    [numbers(2, 3, 4), { lengths: [4, 5] }, /lengths/],
    [numbers(2, 3, 4), { lengths: [4] }, /2 lengths/],
    [numbers(2, 3, 4), { lengths: numbers(2) }, /int32 or int64, got float32/],
    [numbers(2, 3, 4), { correction: 2 }, /correction/],
  ])('refuses %#', (x, options, message) => {
    expect(() => functional.statisticsPooling(x, options)).toThrow(message);
  });
});
