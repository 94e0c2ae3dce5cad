// Batches of single samples: what the default makes of them, from which sets, and what it refuses.
import { describe, expect, test } from 'vitest';

import { data, functional, manualSeed, nn, tensor, Tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

/** Tensors as [dtype, shape, values]; all else as it is. */
function seen(batch: unknown): unknown {
  if (batch instanceof Tensor)
    return [batch.dtype, batch.shape, [...batch.data].map(String).join()];
  if (Array.isArray(batch)) return batch.map(seen);
  if (typeof batch !== 'object' || batch === null || batch instanceof Date) return batch;
  return Object.fromEntries(Object.entries(batch).map(([name, value]) => [name, seen(value)]));
}

/** Sample i is the row [i, i + 0.5] with the label i. */
class Numbered {
  readonly length = 5;

  get(i: number): [x: Tensor, label: number] {
    return [tensor([i, i + 0.5]), i];
  }
}

const pairs = (): [Tensor, number][] =>
  Array.from({ length: 5 }, (_, i) => [tensor([i, i + 0.5]), i]);
const day = new Date(0);

describe('defaultCollate', () => {
  test.each<[string, unknown[], unknown]>([
    ['tensors', [tensor([1, 2]), tensor([3, 4])], ['float32', [2, 2], '1,2,3,4']],
    ['scalars', [tensor(1), tensor(2)], ['float32', [2], '1,2']],
    ['int64 tensors', [tensor([5n]), tensor([6n])], ['int64', [2, 1], '5,6']],
    ['float64 tensors', [tensor(Float64Array.of(0.1))], ['float64', [1, 1], '0.1']],
    ['whole numbers', [1, 2, -3], ['int32', [3], '1,2,-3']],
    ['larger ones', [1, 2 ** 40], ['int64', [2], '1,1099511627776']],
    ['numbers', [1.5, 2], ['float32', [2], '1.5,2']],
    ['NaN and infinity', [NaN, Infinity, 1], ['float32', [3], 'NaN,Infinity,1']],
    ['BigInts', [1n, -(2n ** 63n)], ['int64', [2], '1,-9223372036854775808']],
    ['typed arrays', [Float64Array.of(1, 2), Float64Array.of(3, 4)], ['float64', [2, 2], '1,2,3,4']],
    ['bytes', [Uint8Array.of(1, 255)], ['int32', [1, 2], '1,255']],
    ['Uint32Arrays', [Uint32Array.of(2 ** 32 - 1)], ['int64', [1, 1], '4294967295']],
    ['tuples', [[1, 'a'], [2, 'b']], [['int32', [2], '1,2'], ['a', 'b']]],
    ['objects', [{ x: 1.5, of: { n: 1n } }, { of: { n: 2n }, x: 2 }], { x: ['float32', [2], '1.5,2'], of: { n: ['int64', [2], '1,2'] } }],
    ['booleans, null, a class', [[true, null, day], [false, undefined, day]], [[true, false], [null, undefined], [day, day]]],
    ['strings', ['a', 'b'], ['a', 'b']],
    ['empty tuples', [[], []], []],
  ])('%s', (_, items, expected) => {
    expect(seen(data.defaultCollate(items))).toEqual(expected);
  }); // prettier-ignore

  test('gradients reach the samples; memory is not shared with them', () => {
    const [a, b] = [tensor([1, 2], { requiresGrad: true }), tensor([3, 4])];
    const batch = data.defaultCollate([a, b]);
    functional.sum(functional.mul(batch, batch)).backward();
    expect(a.grad!.toArray()).toEqual([2, 4]);
    const array = Float32Array.of(1, 2);
    const copied = data.defaultCollate([array]);
    array[0] = 9;
    expect(copied.toArray()).toEqual([[1, 2]]);
  });

  test('a field named __proto__ is a field', () => {
    const item = JSON.parse('{ "__proto__": 1 }') as object;
    expect(Object.keys(data.defaultCollate([item, item]))).toEqual(['__proto__']);
  });

  const hint = ' (each sample of a batch is of equal size: data.padSequence in your own collate)';
  const disposed = tensor([1]);
  disposed.dispose();
  const endless: unknown[] = [];
  endless.push(endless);
  test.each<[string, unknown, string]>([
    ['no array', 5, 'TypeError: defaultCollate: expected an array of samples, got 5.'],
    ['nothing', [], 'RangeError: defaultCollate: expected at least one sample in a batch (or your own collate), got none.'],
    ['a sample that is not there', [1, undefined], 'TypeError: defaultCollate: expected sample 1 to be there, got undefined.'],
    ['other shapes', [[tensor([1, 2])], [tensor([1])]], `RangeError: defaultCollate: expected field [0] of sample 1 to be of shape [2] like that of sample 0${hint}, got shape [1].`],
    ['other dtypes', [tensor([1]), tensor([1n])], `RangeError: defaultCollate: expected sample 1 to be a Tensor of float32 like that of sample 0${hint}, got a Tensor of int64.`],
    ['other arrays', [{ x: Uint8Array.of(1) }, { x: Int8Array.of(1) }], `RangeError: defaultCollate: expected field x of sample 1 to be Uint8Array(1) like that of sample 0${hint}, got Int8Array(1).`],
    ['other lengths', [[[1, 2]], [[1]]], `RangeError: defaultCollate: expected field [0] of sample 1 to be an array of 2 like that of sample 0${hint}, got an array of 1.`],
    ['other kinds', [[1], [tensor(1)]], 'TypeError: defaultCollate: expected field [0] of sample 1 to be a number like that of sample 0, got an instance of Tensor.'],
    ['number and BigInt', [1n, 1], 'TypeError: defaultCollate: expected sample 1 to be a BigInt like that of sample 0, got 1.'],
    ['a name missing', [{ x: 1 }, { y: 1 }], "RangeError: defaultCollate: expected sample 1 to have the fields of sample 0, got none named 'x'."],
    ['a name more', [{ x: 1 }, { x: 1, y: 1 }], "RangeError: defaultCollate: expected sample 1 to have the fields of sample 0, got 'y' too."],
    ['fields without end', [endless], 'RangeError: defaultCollate: expected at most 64 fields in one another, got more.'],
  ])('refuses %s', (_, items, message) => {
    expect(thrownBy(() => data.defaultCollate(items as unknown[]))).toBe(message);
  }); // prettier-ignore

  test('refuses disposed tensors and detached arrays', () => {
    expect(() => data.defaultCollate([disposed])).toThrow(/disposed of/);
    const array = Float32Array.of(1, 2);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    expect(() => data.defaultCollate([array])).toThrow(/detached/);
  });
});

describe('a loader without collate', () => {
  const model = new nn.Linear(2, 5);

  test('of a set with get, of an array: what the losses take', () => {
    for (const set of [new Numbered(), pairs()]) {
      const shapes: unknown[] = [];
      for (const [x, label] of new data.DataLoader(set, { batchSize: 2 })) {
        expect(Number.isFinite(functional.crossEntropy(model.forward(x), label).item())).toBe(true);
        shapes.push([x.shape, [...label.data]]);
      }
      expect(shapes).toEqual([[[2, 2], [0, 1]], [[2, 2], [2, 3]], [[1, 2], [4]]]); // prettier-ignore
    }
  });

  test('targets of a regression: float32 once there was a fraction, and always as an array', () => {
    const loader = new data.DataLoader([0.5, 1, 2, 3, 4], { batchSize: 2 });
    expect([...loader].map(({ dtype }) => dtype)).toEqual(['float32', 'float32', 'float32']);
    const arrays = new data.DataLoader([[Float32Array.of(1)], [Float32Array.of(2)]]);
    for (const [y] of arrays) expect(functional.mseLoss(tensor([[1]]), y).item()).toBeLessThan(2);
  });

  test('samples by name, later, and alone', async () => {
    const later = {
      length: 3,
      get: async (i: number) => Promise.resolve({ x: tensor([i]), name: `${i}` }),
    };
    const names: string[][] = [];
    for await (const { x, name } of new data.DataLoader(later, { batchSize: 2 })) {
      expect(x.shape).toEqual([name.length, 1]);
      names.push(name);
    }
    expect(names).toEqual([['0', '1'], ['2']]);
    expect(() => [...new data.DataLoader(later)]).toThrow(/use `for await`/);
    const [alone] = new data.DataLoader([tensor([1]), tensor([2])], { batchSize: 2 });
    expect(alone!.shape).toEqual([2, 1]);
  });

  test('shuffled, by a sampler, by batches; the message has the number in the set', () => {
    manualSeed(3);
    const shuffled = new data.DataLoader(pairs(), { batchSize: 5, shuffle: true });
    const [[x, label]] = [...shuffled] as [[Tensor, Tensor]];
    expect([...label.data].sort()).toEqual([0, 1, 2, 3, 4]);
    expect([...x.data].filter((_, i) => i % 2 === 0)).toEqual([...label.data]);
    const picked = new data.DataLoader(pairs(), { batchSampler: [[4, 0]] });
    expect([...picked].map(([, each]) => each.toArray())).toEqual([[4, 0]]);
    const ragged = [tensor([1]), tensor([1]), tensor([1]), tensor([1, 2])];
    expect(() => [...new data.DataLoader(ragged, { batchSize: 2 })]).toThrow(
      /^DataLoader: expected sample 3 to be of shape \[1\] like that of sample 2/,
    );
    const holes = new data.DataLoader({ length: 2, get: () => undefined });
    expect(() => [...holes]).toThrow('DataLoader: expected sample 0 to be there, got undefined.');
    const empty = new data.DataLoader(pairs(), { batchSampler: [[]] });
    expect(() => [...empty]).toThrow(/at least one sample in a batch/);
    expect([...new data.DataLoader([])]).toEqual([]);
  });

  test('a TensorDataset by its samples, for a collate', () => {
    const set = new data.TensorDataset([[1, 2], [3, 4]], [7, 8]); // prettier-ignore
    expect(set.get(1).map((each) => [each.shape, each.toArray()])).toEqual([[[2], [3, 4]], [[], 8]]); // prettier-ignore
    expect(() => set.get(2)).toThrow('TensorDataset.get: expected indices below 2, got 2.');
    const loader = new data.DataLoader(set, {
      batchSize: 2,
      collate: (items) => items.map(([x, y]) => [x.numel, y.item()]),
    });
    expect([...loader]).toEqual([[[2, 7], [2, 8]]]); // prettier-ignore
  });

  test('sets that are none, and a set of rows with a collate', () => {
    const what =
      'a data set (an array of samples, or an object with length and get(index) or rows(indices))';
    for (const [set, got] of [
      [{ length: 2, getItem: () => 1 }, 'an object'],
      [tensor([1]), 'an instance of Tensor'],
      [Float32Array.of(1), 'Float32Array of length 1'],
      [{ length: 1, rows: 5, get: 5 }, 'an object'],
      [null, 'null'],
    ] as const) {
      expect(() => new data.DataLoader(set as never)).toThrow(`DataLoader: expected ${what}, got ${got}`); // prettier-ignore
      expect(() => new data.Subset(set as never, [])).toThrow(`Subset: expected ${what}, got ${got}`); // prettier-ignore
    }
    const rows = { length: 1, rows: () => [tensor([1])] };
    expect(() => new data.DataLoader(rows as never, { collate: () => 1 })).toThrow(
      'DataLoader: expected a data set with get(index), for collate, got an object.',
    );
    const noLength = { get: () => 1 } as unknown as data.ItemDataset<number>;
    expect(() => [...new data.DataLoader(noLength)]).toThrow(/the data ?set's length/);
  });
});

describe('parts of sets with get', () => {
  test('randomSplit, Subset, ConcatDataset', () => {
    for (const set of [new Numbered(), pairs()]) {
      const [large, small] = data.randomSplit(set, [3, 2]) as [data.ItemSubset<[Tensor, number]>, data.ItemSubset<[Tensor, number]>]; // prettier-ignore
      expect([large.length, small.length]).toEqual([3, 2]);
      const both = new data.ConcatDataset([large, small]);
      const labels: number[] = [];
      for (const [x, label] of new data.DataLoader(both, { batchSize: 2 })) {
        expect(x.shape).toEqual([label.numel, 2]);
        labels.push(...[...label.data].map(Number));
      }
      expect(labels).toEqual([...large.indices, ...small.indices]);
      expect([...labels].sort()).toEqual([0, 1, 2, 3, 4]);
      expect([(large as { rows?: unknown }).rows, (both as { rows?: unknown }).rows]).toEqual([undefined, undefined]); // prettier-ignore
    }
    expect(new data.Subset(new data.Subset(['a', 'b', 'c'], [2, 0]), [0]).get(0)).toBe('c');
    expect(() => new data.Subset(['a'], [1])).toThrow('Subset: expected indices below 1, got 1.');
    expect(() => new data.Subset(['a'], [0]).get(1)).toThrow('Subset.get: expected indices below 1, got 1.'); // prettier-ignore
    expect(() => new data.ConcatDataset([['a']]).get(1)).toThrow('ConcatDataset.get: expected indices below 1, got 1.'); // prettier-ignore
  });

  test('both ways where a set has both; neither in common is refused', async () => {
    const whole = new data.TensorDataset([[1], [2], [3]]);
    const part = new data.Subset(whole, [2, 0]);
    const both = new data.ConcatDataset([part, whole]);
    expect(part.rows([0])[0].toArray()).toEqual([[3]]);
    expect((await both.get(1))[0].toArray()).toEqual([1]);
    expect(both.rows([0, 4])[0].toArray()).toEqual([[3], [3]]);
    const rows = { length: 1, rows: () => [tensor([1])] };
    expect(() => new data.ConcatDataset([rows, ['a']] as never)).toThrow(
      'ConcatDataset: expected data sets that all have rows(indices), or all get(index), got some of each.',
    );
  });
});

describe('padSequence of integers', () => {
  test.each([
    ['int64', tensor([1n, 2n, 3n]), tensor([4n]), -1, '1,2,3,4,-1,-1'],
    ['int64', tensor([1n, 2n]), tensor([4n]), 2n ** 62n, '1,2,4,4611686018427387904'],
    ['int32', tensor(Int32Array.of(1, 2)), tensor(Int32Array.of(3)), 0, '1,2,3,0'],
    ['int32', tensor(Int32Array.of(1, 2)), tensor(Int32Array.of(3)), 7n, '1,2,3,7'],
  ])('%s', (dtype, a, b, value, expected) => {
    const { padded, lengths } = data.padSequence([a, b], { value });
    expect([padded.dtype, [...padded.data].join()]).toEqual([dtype, expected]);
    expect(lengths.toArray()).toEqual([a.numel, b.numel]);
  });

  const long = tensor([1n]);
  const whole = 'value to be a whole number that';
  test.each<[Tensor, unknown, string]>([
    [long, { value: 0.5 }, `RangeError: padSequence: expected ${whole} int64 holds, as the sequences are, got 0.5.`],
    [long, { value: NaN }, `RangeError: padSequence: expected ${whole} int64 holds, as the sequences are, got NaN.`],
    [long, { value: 2 ** 63 }, `RangeError: padSequence: expected ${whole} int64 holds, as the sequences are, got 9223372036854776000.`],
    [tensor(Int32Array.of(1)), { value: 2 ** 31 }, `RangeError: padSequence: expected ${whole} int32 holds, as the sequences are, got 2147483648.`],
    [long, { value: '1' }, `TypeError: padSequence: expected ${whole} int64 holds, as the sequences are, got '1'.`],
    [tensor([1]), { value: 1n }, 'TypeError: padSequence: expected value to be a number from'],
    [long, { batchFirst: true }, "TypeError: padSequence: expected options among dim, value, got 'batchFirst' (the batch always comes first here; sequences of shape [L, C] take dim: 0)."],
    [long, { padding_value: 0 }, "TypeError: padSequence: expected options among dim, value, got 'padding_value' (it is 'value' here)."],
    [long, { paddingValue: 0 }, "TypeError: padSequence: expected options among dim, value, got 'paddingValue' (it is 'value' here)."],
    [long, { valu: 0 }, "TypeError: padSequence: expected options among dim, value, got 'valu' (did you mean 'value'?)."],
    [long, 5, 'TypeError: padSequence: expected an options object { dim, value }, got 5.'],
  ])('refuses case %#', (sequence, options, message) => {
    expect(thrownBy(() => data.padSequence([sequence, sequence], options as never))).toContain(message);
  }); // prettier-ignore
});
