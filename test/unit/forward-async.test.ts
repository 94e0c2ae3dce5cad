// forwardAsync of every layer, of Sequential and of classes of one's own: the bits and the order of the synchronous
// calls, and that whatever is aborted or refused has changed nothing. What is BatchNorm's alone: async.test.ts.
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';

import {
  functional,
  manualSeed,
  native,
  nn,
  noGrad,
  scope,
  tensor,
  type Tensor,
} from '../../src/index.js';
import { normals32 } from '../helpers/random.js';

const threads = native.threads;
beforeEach(() => native.setThreads(3));
afterEach(() => native.setThreads(threads));

const bits = (t: Tensor | null | undefined): string =>
  t === null || t === undefined
    ? 'none'
    : Buffer.from(t.data.buffer as ArrayBuffer, t.data.byteOffset, t.data.byteLength).toString(
        'base64',
      );
const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing was thrown',
    (error: unknown) => String(error),
  );
const input = (shape: number[], seed = 1, requiresGrad = true): Tensor =>
  tensor(
    normals32(
      seed,
      shape.reduce((a, b) => a * b, 1),
    ),
    shape,
    { requiresGrad },
  );
const state = (model: nn.Module): string[] => [...model.stateDict().values()].map(bits);
const gradients = (model: nn.Module): string[] => [...model.parameters()].map((p) => bits(p.grad));

class Residual extends nn.Module {
  bn = new nn.BatchNorm1d(96);
  fc = new nn.Linear(96, 96);
  forward(x: Tensor): Tensor {
    return functional.add(functional.relu(this.bn.forward(this.fc.forward(x))), x);
  }
}

type Make = () => nn.Module;
const CASES: Record<string, readonly [Make, number[], unknown?]> = {
  'a Linear': [() => new nn.Linear(96, 70), [512, 96]],
  'a small Linear': [() => new nn.Linear(9, 7), [5, 9]],
  'a Linear without bias': [() => new nn.Linear(96, 70, { bias: false }), [3, 200, 96]],
  'a ReLU': [() => new nn.ReLU(), [512, 96]],
  'a Dropout': [() => new nn.Dropout(0.3), [512, 96]],
  'a Dropout in evaluation': [() => new nn.Dropout(0.3).eval(), [512, 96]],
  'activations of a Linear': [
    () =>
      new nn.Sequential(
        new nn.Linear(96, 96),
        ...[new nn.GELU(), new nn.PReLU({ numParameters: 96 }), new nn.Softplus(), new nn.Tanh()],
        ...[new nn.GLU(), new nn.LogSoftmax({ dim: 1 }), new nn.Softmax({ dim: 0 })],
      ),
    [512, 96],
  ],
  'a BatchNorm1d': [() => new nn.BatchNorm1d(96), [512, 96]],
  'a FrozenBatchNorm1d': [() => nn.FrozenBatchNorm1d.from(new nn.BatchNorm1d(96)), [512, 96]],
  'a FrozenBatchNorm1d with lengths': [
    () => new nn.FrozenBatchNorm1d(96),
    [30, 96, 20],
    { lengths: Array.from({ length: 30 }, (_, i) => i % 21) },
  ],
  'a BatchNorm1d with a mask': [
    () => new nn.BatchNorm1d(96),
    [30, 96, 20],
    { mask: Array.from({ length: 600 }, (_, i) => i % 3 !== 0) },
  ],
  'a Sequential': [
    () =>
      new nn.Sequential(
        new nn.Linear(96, 80),
        new nn.BatchNorm1d(80),
        new nn.ReLU(),
        new nn.Dropout(0.2),
        new nn.Linear(80, 50),
        new nn.BatchNorm1d(50, { momentum: null }),
      ),
    [512, 96],
  ],
  'a Sequential with lengths': [
    () => new nn.Sequential(new nn.BatchNorm1d(96), new nn.ReLU()),
    [30, 96, 20],
    { lengths: Array.from({ length: 30 }, (_, i) => i % 21) },
  ],
  'an empty Sequential': [() => new nn.Sequential(), [4, 96]],
  "a class of one's own": [() => new Residual(), [512, 96]],
  'classes inside of one another': [
    () => new nn.Sequential(new Residual(), new nn.Sequential(new Residual(), new nn.ReLU())),
    [512, 96],
  ],
};

describe('the bits of forward and backward', () => {
  test.each(Object.entries(CASES))('%s', async (_, [make, shape, options]) => {
    const outcome = async (asynchronous: boolean): Promise<unknown> => {
      manualSeed(7);
      const model = make();
      const seen: unknown[] = [];
      for (const seed of [1, 2]) {
        const x = input(shape, seed);
        const given = options === undefined ? [x] : [x, options];
        const y = (
          asynchronous ? await model.forwardAsync(...given) : model.forward(...(given as never[]))
        ) as Tensor;
        const dy = tensor(normals32(5, y.numel), y.shape);
        if (asynchronous) await y.backwardAsync(dy);
        else y.backward(dy);
        seen.push(bits(y), bits(x.grad), gradients(model), state(model));
      }
      return seen;
    };
    expect(await outcome(true)).toEqual(await outcome(false));
  });

  test('losses', async () => {
    const targets = Int32Array.from({ length: 6000 }, (_, i) => (i % 11 === 0 ? -100 : i % 10));
    const losses: [nn.Module, unknown][] = [
      [new nn.CrossEntropyLoss(), targets],
      [
        new nn.CrossEntropyLoss({ reduction: 'sum', ignoreIndex: 3 }),
        targets.map((t) => Math.max(t, 0)),
      ],
      [new nn.MSELoss(), input([6000, 10], 3)],
      [new nn.MSELoss({ reduction: 'sum' }), input([6000, 10], 3, false)],
    ];
    for (const [loss, target] of losses) {
      const outcome = async (asynchronous: boolean): Promise<unknown> => {
        const x = input([6000, 10]);
        const y = (
          asynchronous
            ? await loss.forwardAsync(x, target, { signal: new AbortController().signal })
            : loss.forward(...([x, target] as never[]))
        ) as Tensor;
        if (asynchronous) await y.backwardAsync();
        else y.backward();
        return [bits(y), bits(x.grad)];
      };
      expect(await outcome(true)).toEqual(await outcome(false));
    }
  });

  test('a layer that two steps of a forward share', async () => {
    class Twice extends nn.Module {
      bn = new nn.BatchNorm1d(96, { momentum: null });
      forward(x: Tensor): Tensor {
        const y = this.bn.forward(this.bn.forward(x));
        this.bn.normalizeBy = 'running'; // by what the two have moved
        this.bn.updateStatistics = true;
        const z = this.bn.forward(this.bn.forward(y));
        this.bn.updateStatistics = false;
        return this.bn.forward(z);
      }
    }
    const outcome = async (asynchronous: boolean): Promise<unknown> => {
      const model = new Twice();
      const x = input([512, 96]);
      const y = asynchronous ? await model.forwardAsync(x) : model.forward(x);
      return [bits(y), state(model)];
    };
    expect(await outcome(true)).toEqual(await outcome(false));
  });
});

describe('what is decided at the call', () => {
  test('mode, random numbers, recording and scope', async () => {
    const model = new nn.Sequential(
      new nn.Linear(96, 96),
      new nn.Dropout(0.5),
      new nn.BatchNorm1d(96),
    );
    const copy = model.clone();
    const x = input([512, 96], 1, false);
    manualSeed(3);
    const [a, b] = [model.forward(x), model.forward(x)];
    manualSeed(3);
    let early: Promise<Tensor> | null = null;
    scope(() => {
      early = copy.forwardAsync(x);
    });
    const later = noGrad(() => [copy.forwardAsync(x)])[0]!;
    copy.eval();
    manualSeed(99);
    const [c, d] = [await early!, await later];
    expect([bits(c), bits(d)]).toEqual([bits(a), bits(b)]);
    expect([c.requiresGrad, d.requiresGrad]).toEqual([true, false]);
    expect(state(copy)).toEqual(state(model));
  });

  test('an evaluation sees what training calls before it have moved', async () => {
    const [model, copy] = [new Residual(), new Residual()];
    copy.loadStateDict(model.stateDict());
    const x = input([512, 96], 1, false);
    model.forward(x);
    const y = model.eval().forward(x);
    const first = copy.forwardAsync(x);
    const second = copy.eval().forwardAsync(x);
    expect(bits(await second)).toBe(bits(y));
    await first;
    expect(state(copy)).toEqual(state(model));
  });

  test('small weights are those of the call; a change in place of large ones is noticed', async () => {
    const small = new nn.Linear(12, 12);
    const x = input([6000, 12], 1, false);
    const y = bits(small.forward(x));
    const later = small.forwardAsync(x);
    noGrad(() => small.weight.fill_(0));
    expect(bits(await later)).toBe(y);

    const large = new nn.Sequential(new nn.BatchNorm1d(200), new nn.Linear(200, 200));
    const before = state(large.clone());
    const doomed = large.forwardAsync(input([512, 200]));
    const weight = [...large.parameters()].find((each) => each.numel === 40_000)!;
    noGrad(() => weight.fill_(0));
    expect(await rejection(doomed)).toBe(
      'Error: linear: expected weight to stay as it was until the promise settles, got one that has been ' +
        'modified by an inplace operation.',
    );
    expect(state(large).slice(0, 5)).toEqual(before.slice(0, 5));
  });

  test('{ transfer: true } takes the input and nothing else', async () => {
    const model = new Residual();
    const data = normals32(1, 512 * 96);
    const y = bits(new nn.Sequential(model.clone()).forward(tensor(data.slice(), [512, 96])));
    const x = tensor(data, [512, 96]);
    expect(bits(await model.forwardAsync(x, { transfer: true }))).toBe(y);
    expect(data.length).toBe(0);
    expect(x.numel).toBe(x.data.length);
    const both = new Float32Array(96 * 96);
    model.fc.weight = new nn.Parameter(tensor(both, [96, 96]));
    expect(await rejection(model.forwardAsync(tensor(both, [96, 96]), { transfer: true }))).toMatch(
      /expected a buffer to transfer that holds the input alone, got one that/,
    );
    expect(both.length).toBe(96 * 96);
  });
});

describe('a forward of one’s own', () => {
  test('that reads values computes them at once, with the same bits', async () => {
    class Clipped extends nn.Module {
      fc = new nn.Linear(96, 96);
      bn = new nn.BatchNorm1d(96);
      seen: unknown[] = [];
      forward(x: Tensor): Tensor {
        const y = this.fc.forward(x);
        this.seen.push(functional.mean(y).item(), String(y).length, bits(y));
        y.data[0] = 5;
        const z = this.bn.forward(y);
        this.seen.push(bits(z));
        return functional.mul(z, this.bn.forward(z));
      }
    }
    const outcome = async (asynchronous: boolean): Promise<unknown> => {
      manualSeed(7);
      const model = new Clipped();
      const x = input([512, 96], 1);
      const y = asynchronous ? await model.forwardAsync(x) : model.forward(x);
      return [bits(y), model.seen, state(model)];
    };
    expect(await outcome(true)).toEqual(await outcome(false));
  });

  test('may dispose of what it needs no more', async () => {
    class Tidy extends nn.Module {
      fc = new nn.Linear(96, 96);
      forward(x: Tensor): Tensor {
        const y = scope(() => functional.relu(this.fc.forward(x)));
        const z = functional.add(y, y);
        y.dispose();
        return z;
      }
    }
    const model = new Tidy();
    const x = input([512, 96], 1, false);
    const y = bits(noGrad(() => model.forward(x)));
    const later = noGrad(() => [model.forwardAsync(x)])[0]!;
    expect(bits(await later)).toBe(y);
  });

  test('may return tensors in an object', async () => {
    class Pair extends nn.Module {
      fc = new nn.Linear(96, 96);
      forward(x: Tensor): { h: Tensor; y: Tensor } {
        const h = this.fc.forward(x);
        return { h, y: functional.relu(h) };
      }
    }
    const model = new Pair();
    const x = input([512, 96]);
    const { h, y } = await model.forwardAsync(x);
    expect([bits(h), bits(y)]).toEqual(Object.values(model.forward(x)).map(bits));
  });

  test('whose results are read before they are there', async () => {
    const kept: Tensor[] = [];
    class Leaky extends nn.Module {
      fc = new nn.Linear(96, 96);
      forward(x: Tensor): Tensor {
        kept.push(this.fc.forward(x));
        return functional.relu(kept[0]!);
      }
    }
    const model = new Leaky();
    const x = input([512, 96]);
    const later = model.forwardAsync(x);
    const sentence =
      /expected a tensor that has been computed, got one of a call beside the event loop/;
    expect(() => kept[0]!.data).toThrow(sentence);
    expect(() => functional.relu(kept[0]!)).toThrow(sentence);
    expect(String(kept[0])).toMatch(/^Tensor\(\[512, 96\]/);
    expect(await rejection(new nn.ReLU().forwardAsync(kept[0]!))).toMatch(sentence);
    await later;
    expect(bits(kept[0])).toBe(bits(model.fc.forward(x)));
  });

  test('that is asynchronous is refused', async () => {
    class Waits extends nn.Module {
      bn = new nn.BatchNorm1d(96);
      async forward(x: Tensor): Promise<Tensor> {
        const y = this.bn.forward(x);
        await Promise.resolve();
        return y;
      }
    }
    const model = new Waits();
    const before = state(model);
    expect(await rejection(model.forwardAsync(input([512, 96])))).toBe(
      'TypeError: Waits.forwardAsync: expected a forward that is synchronous, got one that returns a promise: ' +
        'call it, or give the class a forwardAsync of its own.',
    );
    expect(state(model)).toEqual(before);
  });

  test('hooks of the module see inputs at the call, and the result when it is there', async () => {
    const model = new Residual();
    const seen: string[] = [];
    model.registerForwardPreHook((_, [x]) => {
      seen.push('before');
      return [functional.mul(x, x)];
    });
    model.registerForwardHook((_, __, y) => {
      seen.push(`after, ${bits(y).length}`);
      return functional.relu(y);
    });
    const x = input([512, 96]);
    const later = model.forwardAsync(x);
    expect(seen).toEqual(['before']);
    const y = bits(await later);
    expect(seen.length).toBe(2);
    expect(bits(model.forward(x))).toBe(y);
  });
});

describe('a call that fails', () => {
  const model = new nn.Sequential(new Residual(), new nn.Dropout(0.1), new Residual());
  const before = state(model);

  test('by a signal changes nothing, whenever that is', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const controller = new AbortController();
      const later = model.forwardAsync(input([2048, 96]), { signal: controller.signal });
      const reason = new Error(`turn ${turns}`);
      for (let i = 0; i < turns; i++) await (i % 2 === 0 ? null : new Promise(setImmediate));
      controller.abort(reason);
      const said = await rejection(later);
      if (said === 'nothing was thrown') {
        model.loadStateDict(new Map([...model.clone().stateDict()])); // it was faster than the signal
        break;
      }
      expect(said).toBe(String(reason));
      expect(state(model)).toEqual(before);
    }
    const signal = AbortSignal.abort(new Error('early'));
    expect(await rejection(model.forwardAsync(input([8, 96]), { signal }))).toBe('Error: early');
  });

  test('in its last layer moves no statistics of the first', async () => {
    const last = new nn.BatchNorm1d(96, { nonFinite: 'throw' });
    const both = new nn.Sequential(new nn.BatchNorm1d(96), new nn.Linear(96, 96), last);
    noGrad(() => [...both.parameters()][2]!.fill_(NaN));
    const kept = state(both);
    expect(await rejection(both.forwardAsync(input([512, 96])))).toMatch(
      /a batch of finite statistics/,
    );
    expect(state(both)).toEqual(kept);
    const wrong = new nn.Sequential(new nn.BatchNorm1d(96), new nn.Linear(95, 3));
    const old = state(wrong);
    expect(await rejection(wrong.forwardAsync(input([512, 96])))).toMatch(/input with 95 features/);
    expect(state(wrong)).toEqual(old);
  });

  test('for its options', async () => {
    const x = input([8, 96]);
    const fc = new nn.Linear(96, 2);
    expect(await rejection(fc.forwardAsync(x, { signal: 1 }))).toMatch(
      /signal to be an AbortSignal/,
    );
    expect(await rejection(fc.forwardAsync(x, { signl: 1 }))).toMatch(/expected 1 argument/);
    // @ts-expect-error -- TypeScript asks for the input; JavaScript does not
    expect(await rejection(fc.forwardAsync())).not.toBe('nothing was thrown');
    expect(await rejection(new nn.ModuleList().forwardAsync(x))).not.toBe('nothing was thrown');
  });

  test('by its type: a promise of what forward returns', async () => {
    class Parts extends nn.Module {
      forward(x: Tensor, scale: number): { y: Tensor; scale: number } {
        return { y: functional.mul(x, scale), scale };
      }
    }
    const x = input([2, 3]);
    const parts = new Parts().forwardAsync(x, 2);
    expectTypeOf(parts).toEqualTypeOf<Promise<{ y: Tensor; scale: number }>>();
    expectTypeOf(new nn.BatchNorm1d(3).forwardAsync(x)).toEqualTypeOf<Promise<Tensor>>();
    expect((await parts).scale).toBe(2);
    expectTypeOf((each: Parts) =>
      // @ts-expect-error -- not what its forward takes
      each.forwardAsync('x', 2),
    ).returns.toBeObject();
  });
});
