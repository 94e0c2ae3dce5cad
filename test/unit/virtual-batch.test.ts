// Gradient accumulation: k micro-batches and one step of the running statistics. And taking steps back.
import { describe, expect, test } from 'vitest';

import { nn, tensor, type Tensor } from '../../src/index.js';
import { normals32 } from '../helpers/random.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const values = (t: Tensor | null): unknown => (t === null ? null : [...t.data]);
const state = (bn: nn.BatchNorm): unknown => [
  values(bn.runningMean),
  values(bn.runningVar),
  bn.numBatchesTracked,
];

/** `rows` samples of 3 channels, from row `from` of a seeded sequence. */
function rows(from: number, count: number, offset = 0): Tensor {
  const all = normals32(5, 3 * (from + count)).map((value) => value + offset);
  return tensor(all.slice(3 * from), [count, 3]);
}

describe('virtualBatch', () => {
  test.each([0, 1e4, 1e6])('k micro-batches leave what one batch leaves, offset %d', (offset) => {
    const [parts, whole] = [new nn.BatchNorm1d(3), new nn.BatchNorm1d(3)];
    for (let step = 0; step < 3; step++) {
      whole.forward(rows(64 * step, 64, offset));
      const batch = nn.virtualBatch(parts);
      for (let k = 0; k < 8; k++) parts.forward(rows(64 * step + 8 * k, 8, offset));
      batch.commit();
    }
    // Merged in double and rounded once a step: the same float32 but for ties.
    const [mean, variance] = [parts.runningMean!.data, parts.runningVar!.data];
    whole.runningMean!.data.forEach((value, c) => {
      expect(Math.abs(Number(mean[c]) - Number(value))).toBeLessThanOrEqual(
        2 ** -23 * Math.abs(Number(value)),
      );
    });
    whole.runningVar!.data.forEach((value, c) => {
      expect(Math.abs(Number(variance[c]) - Number(value))).toBeLessThanOrEqual(
        2 ** -23 * Number(value),
      );
    });
    expect(parts.numBatchesTracked).toBe(3);
  });

  test('weighs by count: micro-batches of 2 and 6, exactly', () => {
    const bn = new nn.BatchNorm1d(1, { momentum: 0.5, dtype: 'float64' });
    const batch = nn.virtualBatch(bn);
    const f64 = (list: number[]): Tensor => tensor(Float64Array.from(list), [list.length, 1]);
    bn.forward(f64([0, 8]));
    bn.forward(f64([4, 4, 4, 4, 4, 4]));
    expect(state(bn)).toEqual([[0], [1], 0]);
    batch.commit();
    expect(state(bn)).toEqual([[2], [0.5 + 0.5 * (32 / 7)], 1]);
  });

  test('one micro-batch has the bits of a plain step, with lengths and other statistics too', () => {
    const run = (virtual: boolean): unknown => {
      const bn = new nn.BatchNorm1d(3, { momentum: null });
      const step = (body: () => void): void => {
        const batch = virtual ? nn.virtualBatch(bn) : null;
        body();
        batch?.commit();
      };
      step(() => bn.forward(rows(0, 7)));
      step(() => bn.forward(tensor(normals32(3, 60), [4, 3, 5]), { lengths: [5, 1, 0, 3] }));
      bn.normalizeBy = 'running';
      step(() => bn.forward(rows(7, 9)));
      return state(bn);
    };
    expect(run(true)).toEqual(run(false));
  });

  test('outputs and gradients are those of each micro-batch by itself', () => {
    const [bn, plain] = [new nn.BatchNorm1d(3), new nn.BatchNorm1d(3)];
    nn.virtualBatch(bn);
    const [a, b] = [rows(0, 5), rows(0, 5)];
    a.requiresGrad = b.requiresGrad = true;
    const [y, z] = [bn.forward(a), plain.forward(b)];
    expect(values(y)).toEqual(values(z));
    y.backward(rows(9, 5));
    z.backward(rows(9, 5));
    expect(values(a.grad)).toEqual(values(b.grad));
    expect(values(bn.weight!.grad)).toEqual(values(plain.weight!.grad));
  });

  test('reaches every layer that moves: not frozen ones, not those in evaluation, not the unused', () => {
    const [moving, frozen, still, unused] = Array.from({ length: 4 }, () => new nn.BatchNorm1d(3)) as [
      nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm1d,
    ]; // prettier-ignore
    const model = new nn.Sequential(moving, frozen, still, unused);
    still.eval();
    const batch = nn.virtualBatch(model);
    for (const layer of [moving, frozen, still]) layer.forward(rows(0, 4));
    frozen.freeze();
    batch.commit();
    expect([moving, frozen, still, unused].map((layer) => layer.numBatchesTracked)).toEqual([
      1, 0, 0, 0,
    ]);
    expect(state(frozen)).toEqual(state(unused));
  });

  test('discard, and the end of a using block, forget', () => {
    const bn = new nn.BatchNorm1d(3);
    const unchanged = snapshot(bn);
    const batch = nn.virtualBatch(bn);
    bn.forward(rows(0, 4));
    batch.discard();
    batch.discard();
    {
      using inner = nn.virtualBatch(bn);
      bn.forward(rows(0, 4));
      expect(inner).toBeInstanceOf(Object);
    }
    unchanged();
    bn.forward(rows(0, 4));
    expect(bn.numBatchesTracked).toBe(1);
  });

  test('commits once', () => {
    const bn = new nn.BatchNorm1d(3);
    const batch = nn.virtualBatch(bn);
    bn.forward(rows(0, 4));
    batch.commit();
    expect(thrownBy(() => batch.commit())).toBe(
      'Error: VirtualBatch.commit: expected an open virtual batch, got a closed one.',
    );
    expect(bn.numBatchesTracked).toBe(1);
  });

  test('a layer is in one at a time', () => {
    const bn = new nn.BatchNorm1d(3);
    const batch = nn.virtualBatch(bn);
    expect(thrownBy(() => nn.virtualBatch(new nn.Sequential(new nn.ReLU(), bn)))).toBe(
      `Error: virtualBatch: expected no open virtual batch of ${bn.toString()}, got one.`,
    );
    batch.discard();
    nn.virtualBatch(bn).discard();
  });

  test('non-finite micro-batches keep to the policy', () => {
    const bn = new nn.BatchNorm1d(1, { nonFinite: 'skip', momentum: 1 });
    const batch = nn.virtualBatch(bn);
    bn.forward(tensor([[1], [3]]));
    bn.forward(tensor([[NaN], [3]]));
    batch.commit();
    expect([values(bn.runningMean), bn.skippedBatches]).toEqual([[2], 1]);
  });

  test('empty micro-batches count as an empty batch does', () => {
    const bn = new nn.BatchNorm1d(3);
    const batch = nn.virtualBatch(bn);
    bn.forward(tensor(new Float32Array(0), [0, 3]));
    batch.commit();
    expect(state(bn)).toEqual([[0, 0, 0], [1, 1, 1], 1]);
  });

  test('nothing moves when the memory of one layer is detached', () => {
    const [a, b] = [new nn.BatchNorm1d(3), new nn.BatchNorm1d(3)];
    const batch = nn.virtualBatch(new nn.Sequential(a, b));
    a.forward(rows(0, 4));
    b.forward(rows(0, 4));
    const unchanged = snapshot(a);
    const { buffer } = b.runningVar!.data as Float32Array<ArrayBuffer>;
    structuredClone(buffer, { transfer: [buffer] });
    expect(thrownBy(() => batch.commit())).toMatch(
      /^TypeError: VirtualBatch.commit: expected a running statistic to hold the 3 elements/,
    );
    unchanged();
  });

  test('something that is no module', () => {
    expect(thrownBy(() => nn.virtualBatch(Object() as nn.Module))).toBe(
      'TypeError: virtualBatch: expected a Module, got an object.',
    );
  });
});

describe('snapshotStatistics', () => {
  test('takes back what forwards have moved, as often as wanted', () => {
    const bn = new nn.BatchNorm1d(3, { nonFinite: 'skip' });
    const model = new nn.Sequential(new nn.Linear(3, 3), bn);
    model.forward(rows(0, 4));
    const before = state(bn);
    const taken = nn.snapshotStatistics(model);
    for (let i = 0; i < 2; i++) {
      model.forward(rows(4, 4));
      bn.forward(tensor([[NaN, 1, 1], [2, 2, 2]])); // prettier-ignore
      expect([bn.numBatchesTracked, bn.skippedBatches]).toEqual([2, 1]);
      taken.rollback();
      expect(state(bn)).toEqual(before);
      expect(bn.skippedBatches).toBe(0);
    }
  });

  test('a graph of the evaluation in between is void no more than after any other change', () => {
    const bn = new nn.BatchNorm1d(3).eval();
    const taken = nn.snapshotStatistics(bn);
    const x = rows(0, 4);
    x.requiresGrad = true;
    const y = bn.forward(x);
    taken.rollback();
    y.backward(rows(4, 4));
    expect(x.grad).not.toBeNull();
  });

  test('nothing goes back when the memory of one buffer is detached', () => {
    const [a, b] = [new nn.BatchNorm1d(3), new nn.BatchNorm1d(3)];
    const taken = nn.snapshotStatistics(new nn.Sequential(a, b));
    a.forward(rows(0, 4));
    const unchanged = snapshot(a);
    const { buffer } = b.runningMean!.data as Float32Array<ArrayBuffer>;
    structuredClone(buffer, { transfer: [buffer] });
    expect(thrownBy(() => taken.rollback())).toMatch(
      /^TypeError: StatisticsSnapshot.rollback: expected a running statistic to hold the 3 elements/,
    );
    unchanged();
  });
});

describe('transaction', () => {
  const failing = new Error('the third layer');

  test('a body that throws leaves the statistics as they were', () => {
    const bn = new nn.BatchNorm1d(3);
    const unchanged = snapshot(bn);
    const step = (): void => {
      bn.forward(rows(0, 4));
      throw failing;
    };
    expect(() => nn.transaction(bn, step)).toThrow(failing);
    unchanged();
  });

  test('a rejected promise too; a fulfilled one keeps them', async () => {
    const bn = new nn.BatchNorm1d(3);
    const unchanged = snapshot(bn);
    const step = async (fails: boolean): Promise<string> => {
      bn.forward(rows(0, 4));
      await Promise.resolve();
      if (fails) throw failing;
      return 'done';
    };
    await expect(nn.transaction(bn, () => step(true))).rejects.toThrow(failing);
    unchanged();
    expect(await nn.transaction(bn, () => step(false))).toBe('done');
    expect(bn.numBatchesTracked).toBe(1);
  });

  test('returns what the body returns', () => {
    const bn = new nn.BatchNorm1d(3);
    expect(nn.transaction(bn, () => bn.forward(rows(0, 4)).shape)).toEqual([4, 3]);
    expect(bn.numBatchesTracked).toBe(1);
  });

  test.each([
    [{}, () => 1, 'TypeError: transaction: expected a Module, got an object.'],
    [new nn.ReLU(), 5, 'TypeError: transaction: expected a function, got 5.'],
  ])('wrong arguments %#', (model, body, message) => {
    expect(thrownBy(() => nn.transaction(model as nn.Module, body as () => void))).toBe(message);
  });
});
