// nn.transaction and rollback() reach everything that a forward has moved: running statistics, counters, what
// an open virtual batch has collected, and what is still under way.
import { nn, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

const values = (t: Tensor | null): number[] => Array.from(t!.data, Number);
const of = (...list: number[]): Tensor => tensor(Float64Array.from(list), [list.length, 1]);
const layer = (options = {}): nn.BatchNorm1d =>
  new nn.BatchNorm1d(1, { momentum: 1, dtype: 'float64', ...options });
const state = (bn: nn.BatchNorm): unknown => [
  ...[bn.runningMean, bn.runningVar].map(values),
  bn.numBatchesTracked,
  bn.skippedBatches,
];
const failing = new Error('the third layer');
const failAfter = (body: () => unknown) => () => {
  body();
  throw failing;
};
const closed = 'VirtualBatch.commit: expected an open virtual batch, got a closed one.';

describe('inside an open virtual batch', () => {
  test('a transaction takes back what was collected', () => {
    const bn = layer();
    const batch = nn.virtualBatch(bn);
    bn.forward(of(1, 3));
    const step = failAfter(() => bn.forward(of(1000, 3000)));
    expect(() => nn.transaction(bn, step)).toThrow(failing);
    batch.commit();
    expect(state(bn)).toEqual([[2], [2], 1, 0]);
  });

  test('rollback too, as often as it is called', () => {
    const bn = layer({ nonFinite: 'skip' });
    const batch = nn.virtualBatch(bn);
    bn.forward(of(1, 3));
    const taken = nn.snapshotStatistics(bn);
    for (let i = 0; i < 2; i++) {
      bn.forward(of(1000, 3000));
      bn.forward(of(NaN, 1));
      taken.rollback();
    }
    bn.forward(of(5, 7));
    batch.commit();
    expect(state(bn)).toEqual([[4], [5 * (4 / 3)], 1, 0]);
  });

  test('where nothing had been collected, the commit moves nothing', () => {
    const bn = layer();
    const batch = nn.virtualBatch(bn);
    expect(() => nn.transaction(bn, failAfter(() => bn.forward(of(1, 3))))).toThrow(failing); // prettier-ignore
    batch.commit();
    expect(state(bn)).toEqual([[0], [1], 0, 0]);
  });

  test('transactions within one another', () => {
    const bn = layer();
    const batch = nn.virtualBatch(bn);
    const outer = failAfter(() => {
      bn.forward(of(10, 20));
      expect(() => nn.transaction(bn, failAfter(() => bn.forward(of(30, 40))))).toThrow(failing); // prettier-ignore
      nn.transaction(bn, () => bn.forward(of(50, 60)));
    });
    bn.forward(of(1, 3));
    expect(() => nn.transaction(bn, outer)).toThrow(failing);
    nn.transaction(bn, () => bn.forward(of(5, 7)));
    batch.commit();
    expect(state(bn)).toEqual([[4], [5 * (4 / 3)], 1, 0]);
  });

  test('a commit inside is taken back: the batch is open again with what it had', () => {
    const bn = layer();
    const batch = nn.virtualBatch(bn);
    bn.forward(of(1, 3));
    for (const end of [() => batch.commit(), () => batch.discard()]) {
      const step = failAfter(() => {
        bn.forward(of(1000, 3000));
        end();
        bn.forward(of(7, 8)); // moves by itself
      });
      expect(() => nn.transaction(bn, step)).toThrow(failing);
      expect(state(bn)).toEqual([[0], [1], 0, 0]);
    }
    batch.commit();
    expect(state(bn)).toEqual([[2], [2], 1, 0]);
    expect(() => batch.commit()).toThrow(closed);
  });

  test('a layer that was frozen inside', () => {
    const [a, b] = [layer(), layer()];
    const model = new nn.Sequential(a, b);
    const batch = nn.virtualBatch(model);
    model.forward(of(1, 3));
    const step = failAfter(() => {
      b.freeze();
      model.forward(of(1000, 3000));
    });
    expect(() => nn.transaction(model, step)).toThrow(failing);
    batch.commit();
    expect(state(a)).toEqual([[2], [2], 1, 0]);
    expect(state(b)).toEqual([[0], [1], 0, 0]);
  });

  test('of a model of which the transaction holds a part', () => {
    const [a, b] = [layer(), layer()];
    const batch = nn.virtualBatch(new nn.Sequential(a, b));
    const step = failAfter(() => {
      a.forward(of(1000, 3000));
      b.forward(of(5, 7));
      batch.commit();
    });
    a.forward(of(1, 3));
    expect(() => nn.transaction(a, step)).toThrow(failing);
    batch.commit(); // b is no more in it
    expect([state(a), state(b)]).toEqual([[[2], [2], 1, 0], [[6], [2], 1, 0]]); // prettier-ignore
  });
});

describe('a virtual batch that a throw has left open', () => {
  test('is closed by the transaction around it', () => {
    const bn = layer();
    let batch: nn.VirtualBatch | undefined;
    const step = failAfter(() => {
      batch = nn.virtualBatch(bn);
      bn.forward(of(1, 3));
    });
    expect(() => nn.transaction(bn, step)).toThrow(failing);
    expect(() => batch!.commit()).toThrow(closed);
    nn.virtualBatch(bn).discard();
    bn.forward(of(5, 7));
    expect(state(bn)).toEqual([[6], [2], 1, 0]);
  });

  test('in all its layers, also those outside of it', () => {
    const [a, b] = [layer(), layer()];
    const step = failAfter(() => nn.virtualBatch(new nn.Sequential(a, b)));
    expect(() => nn.transaction(a, step)).toThrow(failing);
    b.forward(of(5, 7));
    expect(state(b)).toEqual([[6], [2], 1, 0]);
  });

  test('a new one in the place of the old one: the old one is open again', () => {
    const bn = layer();
    const old = nn.virtualBatch(bn);
    bn.forward(of(1, 3));
    const step = failAfter(() => {
      old.discard();
      nn.virtualBatch(bn);
      bn.forward(of(1000, 3000));
    });
    expect(() => nn.transaction(bn, step)).toThrow(failing);
    old.commit();
    expect(state(bn)).toEqual([[2], [2], 1, 0]);
  });
});

describe('asynchronous bodies', () => {
  test('a forward that is still under way moves nothing', async () => {
    const bn = layer();
    let late: Promise<Tensor> | undefined;
    const earlier = bn.forwardAsync(of(1, 3));
    const body = async (): Promise<void> => {
      late = bn.forwardAsync(of(1000, 3000));
      await Promise.resolve();
      throw failing;
    };
    await expect(nn.transaction(bn, body)).rejects.toThrow(failing);
    expect((await late!).shape).toEqual([2, 1]);
    await earlier; // begun before: it counts
    expect(state(bn)).toEqual([[2], [2], 1, 0]);
  });

  test('inside a virtual batch', async () => {
    const bn = layer();
    const batch = nn.virtualBatch(bn);
    await bn.forwardAsync(of(1, 3));
    const body = async (): Promise<void> => {
      await bn.forwardAsync(of(1000, 3000));
      void bn.forwardAsync(of(1e6, 3e6));
      throw failing;
    };
    await expect(nn.transaction(bn, body)).rejects.toThrow(failing);
    await bn.forwardAsync(of(5, 7));
    batch.commit();
    expect(state(bn)).toEqual([[4], [5 * (4 / 3)], 1, 0]);
  });
});

describe('updateBatchNorm', () => {
  const loader = [of(1, 3), of(5, 7)];

  test('inside a transaction that fails', () => {
    const bn = layer();
    bn.forward(of(10, 20));
    const before = state(bn);
    const step = failAfter(() => nn.updateBatchNorm(bn, loader));
    expect(() => nn.transaction(bn, step)).toThrow(failing);
    expect(state(bn)).toEqual(before);
    nn.updateBatchNorm(bn, loader);
    expect(state(bn)).toEqual([[4], [5 * (4 / 3)], 2, 0]);
  });

  test('a transaction inside it, about a batch that fails', () => {
    const bn = layer();
    class Careful extends nn.Module {
      readonly bn = bn;
      override forward(x: Tensor): Tensor {
        const fails = Number(x.data[0]) > 100;
        try {
          return nn.transaction(bn, () => {
            const y = bn.forward(x);
            if (fails) throw failing;
            return y;
          });
        } catch {
          return x;
        }
      }
    }
    nn.updateBatchNorm(new Careful(), [of(1, 3), of(1000, 3000), of(5, 7)]);
    expect(state(bn)).toEqual([[4], [5 * (4 / 3)], 2, 0]);
  });

  test('a rollback of what was before it starts the pass anew, and does not end it', () => {
    const bn = layer();
    const taken = nn.snapshotStatistics(bn);
    function* batches(): Generator<Tensor> {
      yield of(1000, 3000);
      taken.rollback();
      yield* loader;
    }
    nn.updateBatchNorm(bn, batches());
    expect(state(bn)).toEqual([[4], [5 * (4 / 3)], 2, 0]);
  });
});

describe('a buffer that was replaced', () => {
  type Buffers = Record<'running_mean' | 'running_var' | 'num_batches_tracked', Tensor | null>;
  test.each<[string, (bn: nn.BatchNorm1d) => unknown]>([
    ['by assigning', (bn) => ((bn as unknown as Buffers).running_mean = of(9).detach())],
    [
      'by registering',
      (bn) => bn.registerBuffer('running_var', tensor(new Float64Array([9]), [1])),
    ],
    [
      'by null',
      (bn) =>
        Object.assign(bn, { running_mean: null, running_var: null, num_batches_tracked: null }),
    ],
  ])('%s is there again', (_, replace) => {
    const bn = layer();
    bn.forward(of(1, 3));
    const [before, mean] = [state(bn), bn.runningMean];
    expect(() =>
      nn.transaction(
        bn,
        failAfter(() => replace(bn)),
      ),
    ).toThrow(failing);
    expect(state(bn)).toEqual(before);
    expect(bn.runningMean).toBe(mean);
    bn.forward(of(5, 7));
    expect(state(bn)).toEqual([[6], [2], 2, 0]);
  });

  test('where there was none, there is none again', () => {
    const bn = layer({ trackRunningStats: false });
    const before = nn.snapshotStatistics(bn);
    bn.registerBuffer('running_mean', tensor(new Float64Array([9]), [1]));
    before.rollback();
    expect(bn.runningMean).toBeNull();
  });
});
