// Observers of a layer's forwards, and the sink that takes a batch's moments.
import { describe, expect, test } from 'vitest';

import { nn, tensor } from '../../src/index.js';
import { observeForwards } from '../../src/nn/batchnorm/layer.js';

interface Seen {
  training: boolean;
  by: string;
  moved: boolean;
  count: number;
  mean: number[] | null;
  variance: number[] | null;
  nonFinite: string | null;
}

function watched(bn: nn.BatchNorm): Seen[] {
  const all: Seen[] = [];
  observeForwards(bn, ({ layer, training, normalizedBy, moved, count, moments, nonFinite }) => {
    expect(layer).toBe(bn);
    const [mean, variance] = [moments?.mean ?? null, moments?.variance ?? null];
    all.push({
      ...{ training, by: normalizedBy, moved, count, nonFinite },
      mean: mean && [...mean],
      variance: variance && [...variance],
    });
  });
  return all;
}

const x = tensor([[1], [3]]);
const batch = { count: 2, mean: [2], variance: [1], nonFinite: null };
const none = { count: 2, mean: null, variance: null, nonFinite: null };

describe('an observer', () => {
  test('is told which statistics normalised, and whether the running ones moved', () => {
    const bn = new nn.BatchNorm1d(1);
    const seen = watched(bn);
    bn.forward(x);
    bn.trackRunningStats = false;
    bn.forward(x);
    bn.trackRunningStats = true;
    bn.eval().forward(x);
    bn.updateStatistics = true;
    bn.forward(x);
    expect(seen).toEqual([
      { training: true, by: 'batch', moved: true, ...batch },
      { training: true, by: 'batch', moved: false, ...batch },
      { training: false, by: 'running', moved: false, ...none },
      { training: false, by: 'running', moved: true, ...batch },
    ]);
    const plain = new nn.BatchNorm1d(1, { trackRunningStats: false }).eval();
    const other = watched(plain);
    plain.forward(x);
    expect(other).toEqual([{ training: false, by: 'batch', moved: false, ...batch }]);
  });

  test('sees batches that are not learned from', () => {
    const bn = new nn.BatchNorm1d(1, { nonFinite: 'skip' });
    const seen = watched(bn);
    bn.forward(tensor([[1], [Infinity]]));
    const open = nn.virtualBatch(bn);
    bn.forward(x);
    open.commit();
    const [skipped, collected, ...more] = seen;
    expect(more).toEqual([]);
    expect(skipped).toMatchObject({ moved: false, count: 2 });
    expect(skipped?.nonFinite).toMatch(/^a mean of (NaN|Infinity) in channel 0$/);
    expect(collected).toEqual({ training: true, by: 'batch', moved: false, ...batch });
  });

  test('changes no bits, and is told of asynchronous forwards when they settle', async () => {
    const data = Float32Array.from({ length: 300 * 130 }, (_, i) => Math.sin(i) + 1000);
    const [plain, other] = [new nn.BatchNorm1d(130), new nn.BatchNorm1d(130)];
    const seen = watched(other);
    const y = plain.forward(tensor(data, [300, 130]));
    expect(other.forward(tensor(data, [300, 130])).data).toEqual(y.data);
    expect(other.runningVar?.data).toEqual(plain.runningVar?.data);
    const later = other.forwardAsync(tensor(data, [300, 130]));
    expect(seen.length).toBe(1);
    await later;
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[1]?.moved).toBe(true);
    const mean = data.filter((_, i) => i % 130 === 7).reduce((sum, each) => sum + each, 0) / 300;
    expect(seen[1]?.mean?.[7]).toBeCloseTo(mean, 9);
  });

  test('can be removed, and is not of a copy', () => {
    const bn = new nn.BatchNorm1d(1);
    let calls = 0;
    const first = observeForwards(bn, () => calls++);
    const second = observeForwards(bn, () => (calls += 10));
    bn.clone().forward(x);
    expect(calls).toBe(0);
    bn.forward(x);
    expect(calls).toBe(11);
    first.remove();
    first.remove();
    bn.forward(x);
    expect(calls).toBe(21);
    second.remove();
    bn.forward(x);
    expect(calls).toBe(21);
  });
});

test('a copy of a layer in a virtual batch learns by itself', () => {
  const bn = new nn.BatchNorm1d(1, { momentum: 1 });
  const open = nn.virtualBatch(bn);
  const copy = bn.clone();
  copy.forward(x);
  expect(copy.runningMean?.toArray()).toEqual([2]);
  open.commit();
  expect(bn.runningMean?.toArray()).toEqual([0]);
});
