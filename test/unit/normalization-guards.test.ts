// What a normalisation promises at its edges, each found by breaking the line that keeps it.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, type Tensor } from '../../src/index.js';
import { normals32 } from '../helpers/random.js';

const batch = (): Tensor => tensor([[1, 2], [3, 5], [8, -4]]); // prettier-ignore
const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing was thrown',
    (error: unknown) => String(error),
  );

describe.each(['runningMean', 'runningVar'] as const)('%s', (name) => {
  test('that a graph has saved: a forward in between is noticed', () => {
    const bn = new nn.BatchNorm1d(2);
    const weight = tensor([1, 2], { requiresGrad: true });
    const loss = functional.sum(functional.mul(bn[name]!, weight));
    bn.forward(batch());
    expect(() => loss.backward()).toThrow(/modified by an inplace operation/);
  });
});

describe('statistics that an operand overlaps', () => {
  /** A layer whose weight and running statistics lie in one array, so many elements apart. */
  function layer(apart: number): nn.BatchNorm1d {
    const memory = Float32Array.from({ length: 16 }, () => 1);
    const at = (i: number): Tensor => tensor(memory.subarray(i, i + 2));
    const bn = new nn.BatchNorm1d(2);
    bn.registerBuffer('running_mean', at(apart));
    bn.registerBuffer('running_var', at(2 * apart));
    bn.registerParameter('weight', new nn.Parameter(at(0)));
    bn.normalizeBy = 'running';
    bn.updateStatistics = true;
    return bn;
  }

  test('side by side are apart', async () => {
    const bn = layer(2);
    const y = bn.forward(batch());
    const again = layer(2);
    expect((await again.forwardAsync(batch())).toArray()).toEqual(y.toArray());
    expect(again.runningVar!.toArray()).toEqual(bn.runningVar!.toArray());
  });

  test('by one element are refused, and nothing has moved', async () => {
    for (const name of ['running_mean', 'running_var']) {
      const bn = layer(4);
      const memory = bn.weight!.data;
      bn.registerBuffer(name, tensor(new Float32Array(memory.buffer, 4, 2)));
      const refused = `RangeError: BatchNorm1d: expected ${name} to have memory of its own`;
      expect(await rejection(bn.forwardAsync(batch()))).toContain(refused);
      expect(() => bn.forward(batch())).toThrow(refused.slice(12));
      expect([...bn.weight!.data, bn.numBatchesTracked]).toEqual([1, 1, 0]);
    }
  });
});

test('batches of one value are collected, though running statistics do not learn from them', () => {
  const single = new nn.BatchNorm1d(2, { singleValue: 'running', momentum: 1 });
  single.forward(tensor([[4, 6]]));
  expect(single.runningMean!.toArray()).toEqual([0, 0]);
  nn.updateBatchNorm(single, [tensor([[4, 6]]), tensor([[8, 2]])]);
  expect(single.runningMean!.toArray()).toEqual([6, 4]);
});

test('statistics detached while a call is under way: no other layer of it has moved', async () => {
  const [first, second] = [0, 1].map(() => new nn.BatchNorm1d(96, { nonFinite: 'throw' }));
  const model = new nn.Sequential(first!, second!);
  const later = model.forwardAsync(tensor(normals32(1, 512 * 96), [512, 96]));
  const seen = second!.runningVar!.data;
  structuredClone(seen.buffer, { transfer: [seen.buffer as ArrayBuffer] });
  expect(await rejection(later)).toContain('a running statistic to hold');
  expect([first!.numBatchesTracked, ...first!.runningMean!.data]).toEqual(new Array(97).fill(0)); // prettier-ignore
});

test('a BatchNorm with a forward of its own keeps the ReLU behind it', () => {
  class Negative extends nn.BatchNorm1d {
    override forward(x: Tensor): Tensor {
      return functional.neg(super.forward(x));
    }
  }
  const y = new nn.Sequential(new Negative(2), new nn.ReLU()).forward(batch());
  expect(y.toArray()).toEqual(functional.relu(new Negative(2).forward(batch())).toArray());
});
