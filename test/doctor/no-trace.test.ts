// Examining leaves a model as it was, to the bit, whether it ends well or not.
import { data, functional, manualSeed, nn, tensor, type Tensor } from 'evenkeel';
import { diagnose, watch } from 'evenkeel/doctor';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { batches, digitNet, PIXELS, test } from './digits.js';

afterEach(() => vi.restoreAllMocks());

/** Everything that can be seen of a model from outside. */
function stateOf(model: nn.Module): unknown {
  return {
    modes: [...model.namedModules()].map(([name, { training }]) => [name, training]),
    buffers: [...model.namedBuffers()].map(([name, each]) => [name, each, each.toArray()]),
    parameters: [...model.namedParameters()].map(([name, each]) => [
      name,
      each.toArray(),
      each.requiresGrad,
      each.grad,
      each.grad?.toArray(),
    ]),
    layers: [...model.modules()].map((each) =>
      each instanceof nn.BatchNorm
        ? [
            each.nonFinite,
            each.singleValue,
            each.skippedBatches,
            each.normalizeBy,
            Reflect.ownKeys(each),
          ]
        : Reflect.ownKeys(each),
    ),
    repr: model.toString(),
  };
}

function used(): nn.Sequential {
  manualSeed(3);
  const model = digitNet({ before: 0.3, batchNorm: { nonFinite: 'skip' } });
  const [x, labels] = [...batches(test, 64)][0]!;
  functional.crossEntropy(model.forward(x), labels).backward();
  model.at(2)!.eval();
  (model.at(5) as nn.BatchNorm1d).normalizeBy = 'running';
  return model;
}

/** The next random numbers. */
const drawn = (): unknown => new nn.Linear(2, 2).weight.toArray();

describe('diagnose', () => {
  it('leaves modes, buffers, gradients, hooks, and the random stream as they were', () => {
    const model = used();
    let calls = 0;
    model.registerForwardHook(() => {
      calls++;
      return undefined;
    });
    const before = stateOf(model);
    manualSeed(7);
    const expected = drawn();
    manualSeed(7);
    diagnose(model, batches(test, 64), { reference: batches(test, 64) });
    expect(drawn()).toEqual(expected);
    expect(stateOf(model)).toEqual(before);
    expect(calls).toBeGreaterThan(0);
  });

  it('keeps the very tensors, and their count of changes', () => {
    const model = used().eval();
    const layer = model.at(1) as nn.BatchNorm1d;
    const { runningMean } = layer;
    const x = tensor(new Float32Array(4 * PIXELS), [4, PIXELS], { requiresGrad: true });
    const y = functional.sum(model.forward(x));
    diagnose(model, batches(test, 64));
    expect(layer.runningMean).toBe(runningMean);
    y.backward(); // would throw if a statistic that it saved had changed
    expect(x.grad).not.toBeNull();
  });

  it.each([1, 2, 5, 9])('is undone when the model throws at its forward %i', (fatal) => {
    const model = used();
    const before = stateOf(model);
    let calls = 0;
    const handle = model.at(8)!.registerForwardPreHook(() => {
      if (++calls === fatal) throw new Error('in the middle');
      return undefined;
    });
    const withHook = stateOf(model);
    expect(() => diagnose(model, batches(first(128), 32))).toThrow('in the middle');
    expect(stateOf(model)).toEqual(withHook);
    handle.remove();
    expect(stateOf(model)).toEqual(before);
  });

  it('is undone when the loader throws', () => {
    const model = used();
    const before = stateOf(model);
    function* broken(): Generator<Tensor[]> {
      yield* batches(first(32));
      throw new Error('no more data');
    }
    expect(() => diagnose(model, broken())).toThrow('no more data');
    expect(stateOf(model)).toEqual(before);
  });

  it('puts back what a module of one’s own keeps', () => {
    class Counting extends nn.Module {
      declare calls: Tensor;
      constructor() {
        super();
        this.registerBuffer('calls', tensor([0]));
      }
      forward(x: Tensor): Tensor {
        this.calls.data[0] = Number(this.calls.data[0]) + 1;
        return x;
      }
    }
    const model = new nn.Sequential(new Counting(), new nn.BatchNorm1d(PIXELS));
    diagnose(model, batches(first(64)));
    expect((model.at(0) as Counting).calls.toArray()).toEqual([0]);
  });

  it('is not seen by a watch', () => {
    const model = used();
    const watching = watch(model, { onFinding: () => undefined });
    diagnose(model, batches(first(64)));
    expect(watching.report().layers.map(({ forwards }) => forwards)).toEqual([0, 0]);
  });

  it('takes batches that arrive asynchronously', async () => {
    const model = used().eval();
    async function* later(): AsyncGenerator<Tensor[]> {
      for (const batch of new data.DataLoader(first(96), { batchSize: 32 })) {
        yield await Promise.resolve([...batch]);
      }
    }
    const now = diagnose(model, new data.DataLoader(first(96), { batchSize: 32 }));
    const report = await diagnose(model, later());
    expect(report.data).toEqual({ samples: 96, batches: 3 });
    expect(report.accuracy).toEqual(now.accuracy);
  });

  it('refuses what it cannot use, and changes nothing', () => {
    const model = used();
    const before = stateOf(model);
    expect(() => diagnose(3 as never)).toThrow(/^diagnose: expected a Module, got/);
    expect(() => diagnose(model, [])).toThrow('diagnose: expected a loader of at least one batch');
    expect(() => diagnose(model, 3 as never)).toThrow(/^diagnose: expected .*loader.*got 3/);
    const wrong: [object, RegExp][] = [
      [{ samples: 0 }, /samples/],
      [{ purpose: 'fun' }, /purpose/],
      [{ labels: 3 }, /labels to be a function/],
      [{ optimizer: {} }, /an optimizer/],
      [{ lables: () => null }, /lables/],
    ];
    for (const [options, message] of wrong) {
      expect(() => diagnose(model, batches(first(32)), options)).toThrow(message);
    }
    expect(stateOf(model)).toEqual(before);
  });
});

function first(rows: number): ReturnType<typeof firstOf> {
  return firstOf(rows);
}

function firstOf(rows: number): typeof test {
  const [x, labels] = test.rows(Array.from({ length: rows }, (_, i) => (i * 7) % test.length));
  return new data.TensorDataset(x, labels);
}
