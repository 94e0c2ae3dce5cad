// Datasets and loaders: every sample once, in an order that a seed decides.
import { describe, expect, test } from 'vitest';

import { data, manualSeed, tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

/** Sample i is the row [i, i + 0.5] with the label 10 i. */
function numbered(n: number): data.TensorDataset {
  const x = tensor(
    Float32Array.from({ length: 2 * n }, (_, i) => i / 2),
    [n, 2],
  );
  const labels = tensor(Int32Array.from({ length: n }, (_, i) => 10 * i));
  return new data.TensorDataset(x, labels);
}

function batches(loader: data.DataLoader): number[][] {
  return [...loader].map(([x, labels]) => {
    const rows = [...x!.data].map(Number);
    const order = rows.filter((_, i) => i % 2 === 0);
    expect(x!.shape).toEqual([order.length, 2]);
    expect(labels!.shape).toEqual([order.length]);
    expect(labels!.dtype).toBe('int32');
    // The parts of a sample stay together.
    expect(rows.filter((_, i) => i % 2 === 1)).toEqual(order.map((i) => i + 0.5));
    expect([...labels!.data].map(Number)).toEqual(order.map((i) => 10 * i));
    return order;
  });
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sorted = (numbers: number[]): number[] => [...numbers].sort((a, b) => a - b);

describe('DataLoader', () => {
  test('in order, the last batch as full as it gets', () => {
    const loader = new data.DataLoader(numbered(7), { batchSize: 3 });
    expect(loader.length).toBe(3);
    expect(batches(loader)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(batches(loader)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });

  test('dropLast leaves out what is not full', () => {
    const loader = new data.DataLoader(numbered(7), { batchSize: 3, dropLast: true });
    expect(loader.length).toBe(2);
    expect(batches(loader)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(batches(new data.DataLoader(numbered(6), { batchSize: 3, dropLast: true })).length).toBe(
      2,
    );
    expect(batches(new data.DataLoader(numbered(2), { batchSize: 3, dropLast: true }))).toEqual([]);
  });

  test('one sample a batch by default; no samples, no batches', () => {
    expect(batches(new data.DataLoader(numbered(2)))).toEqual([[0], [1]]);
    expect(batches(new data.DataLoader(numbered(0), { batchSize: 4 }))).toEqual([]);
  });

  test('shuffled: every sample once, in another order each time', () => {
    manualSeed(1);
    const loader = new data.DataLoader(numbered(50), { batchSize: 8, shuffle: true });
    const [first, second] = [batches(loader).flat(), batches(loader).flat()];
    expect(sorted(first)).toEqual(upTo(50));
    expect(sorted(second)).toEqual(upTo(50));
    expect(first).not.toEqual(upTo(50));
    expect(second).not.toEqual(first);
  });

  test('the same seed, the same orders; another seed, others', () => {
    const orders = (seed: number): number[][] => {
      manualSeed(seed);
      const loader = new data.DataLoader(numbered(20), { batchSize: 20, shuffle: true });
      return [...batches(loader), ...batches(loader)];
    };
    expect(orders(3)).toEqual(orders(3));
    expect(orders(3)).not.toEqual(orders(4));
  });

  test('any position may hold any sample, about equally often', () => {
    manualSeed(5);
    const counts = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    const loader = new data.DataLoader(numbered(4), { batchSize: 4, shuffle: true });
    for (let i = 0; i < 800; i++)
      batches(loader)[0]!.forEach((sample, at) => counts[at]![sample]!++);
    // 800 draws of probability 1/4: 200, deviation 12; 5 deviations.
    for (const count of counts.flat()) expect(Math.abs(count - 200)).toBeLessThan(61);
  });

  test('batches are copies', () => {
    const dataset = numbered(2);
    const [batch] = [...new data.DataLoader(dataset, { batchSize: 2 })];
    (batch![0]!.data as Float32Array).fill(9);
    expect(dataset.tensors[0]!.toArray()).toEqual([
      [0, 0.5],
      [1, 1.5],
    ]);
  });

  test.each<[unknown, unknown, string]>([
    [
      5,
      {},
      'TypeError: DataLoader: expected a data set (an array of samples, or an object with length and get(index) or ' +
        'rows(indices)), got 5.',
    ],
    [
      null,
      { batchSize: 0 },
      'RangeError: DataLoader: expected batchSize to be a positive integer, got 0.',
    ],
    [
      null,
      { batchSize: 2.5 },
      'RangeError: DataLoader: expected batchSize to be a positive integer, got 2.5.',
    ],
    [null, { shuffle: 1 }, 'TypeError: DataLoader: expected shuffle to be a boolean, got 1.'],
    [
      null,
      { batch_size: 2 },
      "TypeError: DataLoader: expected options among batchSize, shuffle, dropLast, sampler, batchSampler, collate, got 'batch_size' (did " +
        "you mean 'batchSize'?).",
    ],
  ])('refuses %j %j', (dataset, options, message) => {
    const make = (): unknown =>
      new data.DataLoader((dataset ?? numbered(2)) as never, options as never);
    expect(thrownBy(make)).toBe(message);
  });
});

describe('TensorDataset', () => {
  test('keeps any rank and dtype', () => {
    const images = tensor(new Float64Array(24), [2, 3, 4]);
    const dataset = new data.TensorDataset(images, tensor(new BigInt64Array([5n, 6n])));
    expect(dataset.length).toBe(2);
    const [x, y] = dataset.rows([1, 1, 0]);
    expect([x.shape, x.dtype]).toEqual([[3, 3, 4], 'float64']);
    expect([...y.data]).toEqual([6n, 6n, 5n]);
  });

  const first =
    'RangeError: TensorDataset: expected tensors with the same first dimension (size mismatch between tensors), got shapes';
  test.each<[string, () => unknown, string]>([
    [
      'no tensor',
      () => new data.TensorDataset(),
      'RangeError: TensorDataset: expected at least one tensor, got none.',
    ],
    [
      'other lengths',
      () => new data.TensorDataset(tensor([1, 2]), tensor([[1]])),
      `${first} [2] and [1, 1].`,
    ],
    ['a scalar', () => new data.TensorDataset(tensor(1)), `${first} [].`],
  ])('refuses %s', (_, make, message) => {
    expect(thrownBy(make)).toBe(message);
  });
});

test.each([
  [-1, '-1'],
  [1.5, '1.5'],
  [2 ** 53, '9007199254740992'],
])('manualSeed(%d) is refused', (seed, got) => {
  expect(thrownBy(() => manualSeed(seed))).toBe(
    `RangeError: manualSeed: expected seed to be a whole number of at least 0, got ${got}.`,
  );
});
