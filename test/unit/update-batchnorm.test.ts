// updateBatchNorm: the moments of all values a layer has seen, and nothing touched when it cannot have them.
import { describe, expect, test } from 'vitest';

import { data, functional, nn, noGrad, tensor, type Tensor } from '../../src/index.js';
import { UPDATES } from '../../src/nn/module/internals.js';
import { normals32 } from '../helpers/random.js';
import { moments, ulp32 } from '../helpers/oracle.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const SIZES = [64, 64, 64, 64, 7];

const state = (bn: nn.BatchNorm): unknown => [
  bn.runningMean?.toArray(),
  bn.runningVar?.toArray(),
  bn.numBatchesTracked,
];

const column = (...values: number[]): Tensor => tensor(values.map((value) => [value]));

/** Momentum, counter and statistics that a pass must not be led by. */
function used(channels: number, options: nn.BatchNormOptions = {}): nn.BatchNorm1d {
  const bn = new nn.BatchNorm1d(channels, options);
  bn.runningMean!.data.set(normals32(1, channels) as never);
  bn.runningVar!.data.set(normals32(2, channels).map(Math.abs) as never);
  bn.numBatchesTracked = 41;
  return bn;
}

/** Samples of 3 channels around `offset`, further up with every batch by `drift`; and all of them at once. */
function batches(offset: number, drift: number, steps: number, dtype: 'float32' | 'float64') {
  const array = dtype === 'float32' ? Float32Array : Float64Array;
  const all: number[] = [];
  const tensors = SIZES.map((size, k) => {
    const values = new array(
      Array.from(normals32(10 + k, size * 3 * steps), (value) => value + offset + drift * k),
    );
    for (let i = 0; i < size; i++) {
      for (let t = 0; t < steps; t++) {
        for (let c = 0; c < 3; c++) all.push(values[(i * 3 + c) * steps + t]!);
      }
    }
    return tensor(values, steps === 1 ? [size, 3] : [size, 3, steps]);
  });
  const channel = (c: number) => {
    const indices = all.map((_, i) => i).filter((i) => i % 3 === c);
    const { mean, variance } = moments(all, indices);
    return { mean: mean.high, variance: variance * (indices.length / (indices.length - 1)) };
  };
  return { tensors, truth: [0, 1, 2].map(channel) };
}

describe('the moments of all values', () => {
  const cases = [0, 1e4, 1e6].flatMap((offset) =>
    [0, 3].flatMap((drift) => [1, 5].map((steps) => [offset, drift, steps] as const)),
  );

  test.each(cases)('offset %d, drift %d, %d steps: rounded once to float32', (...which) => {
    const { tensors, truth } = batches(...which, 'float32');
    const bn = used(3);
    expect(nn.updateBatchNorm(bn, tensors)).toEqual({ batches: 5, layers: 1 });
    truth.forEach(({ mean, variance }, c) => {
      const [gotMean, gotVar] = [bn.runningMean!.data[c], bn.runningVar!.data[c]].map(Number);
      expect(Math.abs(gotMean! - mean) / ulp32(mean)).toBeLessThan(0.5001);
      expect(Math.abs(gotVar! - variance) / ulp32(variance)).toBeLessThan(0.5001);
    });
    expect(bn.numBatchesTracked).toBe(5);
  });

  test.each(cases)('offset %d, drift %d, %d steps: 40 bits more in float64', (...which) => {
    const { tensors, truth } = batches(...which, 'float64');
    const bn = used(3, { dtype: 'float64' });
    nn.updateBatchNorm(bn, tensors);
    truth.forEach(({ mean, variance }, c) => {
      const [gotMean, gotVar] = [bn.runningMean!.data[c], bn.runningVar!.data[c]].map(Number);
      const scale = Math.max(Math.abs(mean), Math.sqrt(variance));
      expect(Math.abs(gotMean! - mean)).toBeLessThan(2 ** -52 * scale);
      expect(Math.abs(gotVar! - variance)).toBeLessThan(2 ** -48 * variance);
    });
  });

  // PyTorch 2.13's update_bn says mean 6.3333, variance 4.2222: averages of what each batch says.
  test('by size, with the variance between batches', () => {
    const bn = used(1, { dtype: 'float64' });
    const loader = [
      [0, 2],
      [10, 12, 14, 16],
      [3, 5, 7],
    ].map((values) => tensor(Float64Array.from(values), [values.length, 1]));
    nn.updateBatchNorm(bn, loader);
    expect(bn.runningMean!.item()).toBeCloseTo(69 / 9, 15);
    expect(bn.runningVar!.item()).toBeCloseTo(31.75, 13);
  });

  test('one batch has the bits of one training step with momentum 1 from fresh statistics', () => {
    const x = tensor(normals32(3, 60), [4, 3, 5]);
    const [bn, plain] = [used(3, { momentum: 0.3 }), new nn.BatchNorm1d(3, { momentum: 1 })];
    plain.forward(x);
    nn.updateBatchNorm(bn, [x]);
    expect(state(bn)).toEqual(state(plain));
  });

  test('nothing of the old values is left, NaN and a broken counter neither', () => {
    for (const momentum of [0, 0.1, null]) {
      const bn = new nn.BatchNorm1d(1, { momentum });
      bn.runningMean!.data.set([NaN] as never);
      bn.runningVar!.data.set([Infinity] as never);
      (bn.getBuffer('num_batches_tracked')!.data as BigInt64Array)[0] = -1n;
      nn.updateBatchNorm(bn, [column(1, 3), column(5, 7)]);
      expect(state(bn)).toEqual([[4], [Math.fround(20 / 3)], 2]);
      expect(bn.momentum).toBe(momentum);
    }
  });

  test('every layer of a tree, each by what reached it in training mode', () => {
    const build = (): nn.Sequential =>
      new nn.Sequential(used(2), new nn.ReLU(), new nn.Sequential(used(2, { layout: 'NLC' })));
    const [model, other] = [build().eval(), build()];
    const loader = [tensor(normals32(1, 12), [6, 2]), tensor(normals32(2, 8), [4, 2])];
    expect(nn.updateBatchNorm(model, loader)).toEqual({ batches: 2, layers: 2 });
    // The second layer's input, made by hand.
    const seen = loader.map((x) =>
      noGrad(() => functional.relu((other.at(0) as nn.BatchNorm1d).forward(x))),
    );
    const second = (model.at(2) as nn.Sequential).at(0) as nn.BatchNorm1d;
    const direct = used(2);
    nn.updateBatchNorm(direct, seen);
    expect(state(second)).toEqual(state(direct));
  });

  test('a layer used twice has seen both', () => {
    class Twice extends nn.Module {
      readonly bn = used(1);
      forward(x: Tensor): Tensor {
        this.bn.forward(x);
        return this.bn.forward(functional.add(x, column(10, 10)));
      }
    }
    const model = new Twice();
    expect(nn.updateBatchNorm(model, [column(1, 3)])).toEqual({ batches: 1, layers: 1 });
    expect(state(model.bn)).toEqual([[7], [Math.fround(104 / 3)], 2]);
  });

  test('an empty batch says nothing and is not counted', () => {
    const bn = used(1);
    const empty = tensor(new Float32Array(0), [0, 1]);
    expect(nn.updateBatchNorm(bn, [empty, column(1, 3), empty])).toEqual({ batches: 3, layers: 1 });
    expect(state(bn)).toEqual([[2], [2], 1]);
  });
});

describe('what is in a batch', () => {
  const expected = [[4], [Math.fround(20 / 3)], 2];

  test('a DataLoader, tensors, arrays of other libraries, tuples', () => {
    const set = new data.TensorDataset(column(1, 3, 5, 7), tensor(Int32Array.of(0, 1, 1, 0)));
    const foreign = (values: number[]) => ({
      data: Float32Array.from(values),
      shape: [values.length, 1],
    });
    const loaders: Iterable<unknown>[] = [
      new data.DataLoader(set, { batchSize: 2 }),
      [column(1, 3), column(5, 7)],
      [foreign([1, 3]), [foreign([5, 7]), 'label']],
      new Set([column(1, 3), column(5, 7)]),
    ];
    for (const loader of loaders) {
      const bn = used(1);
      expect(nn.updateBatchNorm(bn, loader)).toEqual({ batches: 2, layers: 1 });
      expect(state(bn)).toEqual(expected);
    }
  });

  test('anything, by input', () => {
    const bn = used(1);
    const loader = [
      { x: column(1, 3), label: 0 },
      { x: column(5, 7), label: 1 },
    ];
    nn.updateBatchNorm(bn, loader, { input: (batch) => batch.x });
    expect(state(bn)).toEqual(expected);
  });

  const says =
    'TypeError: updateBatchNorm: expected a batch to be a Tensor or an array that begins with one ' +
    '(options.input says what else goes in), got ';
  test.each([
    ['a dict', { x: column(1, 3) }, 'an object.'],
    ['a number', 5, '5.'],
    ['an empty array', [], 'an array of length 0.'],
    ['nested arrays', [[1], [3]], 'an array of length 2.'],
  ])('%s is refused', (_, batch, got) => {
    const bn = used(1);
    const unchanged = snapshot(bn);
    expect(thrownBy(() => nn.updateBatchNorm(bn, [column(1, 3), batch]))).toBe(says + got);
    unchanged();
  });
});

/** Says what mode each module is in when a batch comes by. */
class Spy extends nn.Module {
  readonly modes: unknown[] = [];
  readonly bn = used(1);
  readonly drop = new nn.Dropout(0.5);
  forward(x: Tensor): Tensor {
    this.modes.push([this.training, this.bn.training, this.drop.training]);
    expect(this.bn.forward(x).requiresGrad).toBe(false);
    return x;
  }
}

describe('modes', () => {
  test("train() and nothing recorded during the pass; every module's own mode afterwards", () => {
    for (const [root, bn, drop] of [
      [false, true, false],
      [true, false, true],
      [true, true, false],
    ] as const) {
      const spy = new Spy();
      [spy.training, spy.bn.training, spy.drop.training] = [root, bn, drop];
      nn.updateBatchNorm(spy, [column(1, 3)]);
      expect(spy.modes).toEqual([[true, true, true]]);
      expect([spy.training, spy.bn.training, spy.drop.training]).toEqual([root, bn, drop]);
    }
  });

  test('layers are free again: the next training forward moves them', () => {
    const bn = new nn.BatchNorm1d(1, { momentum: 0.5 });
    nn.updateBatchNorm(bn, [column(1, 3)]);
    bn.forward(column(5, 7));
    expect(state(bn)).toEqual([[4], [2], 2]);
  });
});

describe('all or nothing', () => {
  /** A model in mixed modes that fails at the third batch where it is told to. */
  class Failing extends nn.Module {
    readonly first = used(1, { nonFinite: 'skip' });
    readonly second = used(1);
    seen = 0;
    constructor(readonly failing: boolean) {
      super();
      this.eval();
      this.second.training = true;
    }
    forward(x: Tensor): Tensor {
      if (++this.seen === 3 && this.failing) throw new Error('the model has had enough');
      return this.second.forward(this.first.forward(x));
    }
  }
  function* failingLoader(): Generator<Tensor> {
    yield column(1, 3);
    yield column(5, 7);
    throw new Error('the disk is gone');
  }

  test.each([
    ['the loader', false, failingLoader(), 'Error: the disk is gone'],
    ['the model', true, Array(3).fill(column(1, 3)), 'Error: the model has had enough'],
    [
      'a batch of another shape',
      false,
      [column(1, 3), tensor([[1, 2]])],
      'RangeError: BatchNorm1d: expected input with 1 channels, got shape [1, 2] ' +
        "(running_mean should contain 2 elements not 1) (in 'first').",
    ],
    [
      'a batch of one',
      false,
      [column(1, 3), column(5)],
      'RangeError: BatchNorm1d: expected more than 1 value per channel when training, got input of shape [1, 1] ' +
        "(a last batch of one: dropLast: true of the DataLoader leaves it out) (in 'first').",
    ],
    [
      'no batch',
      false,
      [],
      'RangeError: updateBatchNorm: expected a loader of at least one batch, got none.',
    ],
  ])('%s', (_, failing, loader, message) => {
    const model = new Failing(failing);
    const unchanged = snapshot(model);
    expect(thrownBy(() => nn.updateBatchNorm(model, loader as Iterable<Tensor>))).toBe(message);
    unchanged();
    expect(model.first[UPDATES](true)).toBe(true);
    model.train().first.forward(column(1, 3)); // collected no more
    expect(model.first.numBatchesTracked).toBe(42);
  });

  test('skippedBatches goes back as well', () => {
    const model = new Failing(true);
    const loader = [column(NaN, 3), column(1, 3), column(1, 3)];
    expect(() => nn.updateBatchNorm(model, loader)).toThrow('enough');
    expect(model.first.skippedBatches).toBe(0);
  });

  test('a running statistic whose memory is detached: the others stay', () => {
    const model = new nn.Sequential(used(1), used(1));
    const last = model.at(1) as nn.BatchNorm1d;
    const counter = last.getBuffer('num_batches_tracked')!;
    const unchanged = snapshot(model.at(0)!);
    function* loader(): Generator<Tensor> {
      yield column(1, 3);
      structuredClone(counter.data.buffer, { transfer: [counter.data.buffer as ArrayBuffer] });
    }
    expect(() => nn.updateBatchNorm(model, loader())).toThrow(
      /^updateBatchNorm: expected a running statistic to hold the 1 elements of shape \[\], got 0/,
    );
    unchanged();
  });

  test('one value in all of it', () => {
    const bn = used(1, { singleValue: 'running' });
    const unchanged = snapshot(bn);
    expect(thrownBy(() => nn.updateBatchNorm(bn, [column(5)]))).toBe(
      `RangeError: updateBatchNorm: expected more than 1 value per channel when training, got one for ${bn.toString()}.`,
    );
    unchanged();
  });

  test('an open virtual batch', () => {
    const bn = used(1);
    const batch = nn.virtualBatch(bn);
    const says = `got one.`;
    expect(thrownBy(() => nn.updateBatchNorm(bn, [column(1, 3)]))).toBe(
      `Error: updateBatchNorm: expected no open virtual batch of ${bn.toString()}, ${says}`,
    );
    bn.forward(column(5, 7));
    batch.commit();
    expect(bn.numBatchesTracked).toBe(42);
    // And the other way round: one opened, or a second pass begun, in the middle of a pass.
    function* opening(open: () => unknown): Generator<Tensor> {
      yield column(1, 3);
      open();
    }
    const unchanged = snapshot(bn);
    for (const [who, open] of [
      ['virtualBatch', () => nn.virtualBatch(bn)],
      ['updateBatchNorm', () => nn.updateBatchNorm(bn, [column(1, 3)])],
    ] as const) {
      expect(thrownBy(() => nn.updateBatchNorm(bn, opening(open)))).toBe(
        `Error: ${who}: expected no open virtual batch of ${bn.toString()}, ${says}`,
      );
    }
    unchanged();
  });

  test.each([
    ['no module', [5, []], 'TypeError: updateBatchNorm: expected a Module, got 5.'],
    [
      'no loader',
      [new nn.BatchNorm1d(1), 5],
      'TypeError: updateBatchNorm: expected the loader to be iterable, got 5.',
    ],
    [
      'an input that is no function',
      [new nn.BatchNorm1d(1), [], { input: 'x' }],
      "TypeError: updateBatchNorm: expected input to be a function, got 'x'.",
    ],
    [
      'an unknown option',
      [new nn.BatchNorm1d(1), [], { device: 'cpu' }],
      "TypeError: updateBatchNorm: expected options among input, forwardOptions, got 'device'.",
    ],
  ])('%s', (_, given, message) => {
    const call = nn.updateBatchNorm as (...given: unknown[]) => unknown;
    expect(thrownBy(() => call(...given))).toBe(message);
  });

  test('a model that promises its output is refused', () => {
    class Later extends nn.Module {
      readonly bn = used(1);
      async forward(x: Tensor): Promise<Tensor> {
        return Promise.resolve(this.bn.forward(x));
      }
    }
    const model = new Later();
    const unchanged = snapshot(model);
    expect(thrownBy(() => nn.updateBatchNorm(model, [column(1, 3)]))).toBe(
      'TypeError: updateBatchNorm: expected a synchronous function, got one that returns a promise.',
    );
    unchanged();
  });
});

describe('layers that keep theirs', () => {
  test.each<[string, (bn: nn.BatchNorm1d) => unknown]>([
    ['frozen', (bn) => bn.freeze()],
    ['updateStatistics false', (bn) => (bn.updateStatistics = false)],
    ['trackRunningStats false', (bn) => (bn.trackRunningStats = false)],
  ])('%s', (_, keep) => {
    const model = new nn.Sequential(used(1), used(1));
    const kept = model.at(0) as nn.BatchNorm1d;
    keep(kept);
    const unchanged = snapshot(kept);
    expect(nn.updateBatchNorm(model, [column(1, 3)])).toEqual({ batches: 1, layers: 1 });
    unchanged();
    expect((model.at(1) as nn.BatchNorm1d).numBatchesTracked).toBe(1);
  });

  test('without running statistics there are none to keep', () => {
    const bn = new nn.BatchNorm1d(1, { trackRunningStats: false });
    const model = new nn.Sequential(bn, used(1));
    expect(nn.updateBatchNorm(model, [column(1, 3)]).layers).toBe(1);
    expect(bn.runningMean).toBe(null);
  });

  test('one that no batch reached', () => {
    class Half extends nn.Module {
      readonly reached = used(1);
      readonly missed = used(1);
      forward(x: Tensor): Tensor {
        return this.reached.forward(x);
      }
    }
    const model = new Half();
    const unchanged = snapshot(model.missed);
    expect(nn.updateBatchNorm(model, [column(1, 3)])).toEqual({ batches: 1, layers: 1 });
    unchanged();
    expect(model.reached.numBatchesTracked).toBe(1);
  });

  test('where there is no layer to recompute the loader is not read', () => {
    function* never(): Generator<Tensor> {
      yield expect.fail('read');
    }
    for (const model of [new nn.ReLU(), new nn.BatchNorm1d(1).freeze()]) {
      expect(nn.updateBatchNorm(model, never())).toEqual({ batches: 0, layers: 0 });
    }
  });
});

describe('policies', () => {
  test('normalizeBy running: by the old statistics, and its own are recomputed', () => {
    const bn = used(1);
    bn.normalizeBy = 'running';
    const seen: unknown[] = [];
    bn.registerForwardHook((_, __, y) => void seen.push(y.toArray()));
    const before = noGrad(() => bn.eval().forward(column(1, 3)).toArray());
    nn.updateBatchNorm(bn, [column(1, 3), column(5, 7)]);
    expect(seen[1]).toEqual(before);
    expect(state(bn)).toEqual([[4], [Math.fround(20 / 3)], 2]);
  });

  test("nonFinite: 'propagate', 'skip' and 'throw'", () => {
    const loader = [column(1, 3), column(Infinity, 3), column(5, 7)];
    const propagate = used(1);
    nn.updateBatchNorm(propagate, loader);
    expect(state(propagate)).toEqual([[NaN], [NaN], 3]);
    const skip = used(1, { nonFinite: 'skip' });
    nn.updateBatchNorm(skip, loader);
    expect([state(skip), skip.skippedBatches]).toEqual([[[4], [Math.fround(20 / 3)], 2], 1]);
    const refuse = used(1, { nonFinite: 'throw' });
    const unchanged = snapshot(refuse);
    expect(thrownBy(() => nn.updateBatchNorm(refuse, loader))).toBe(
      'RangeError: BatchNorm1d: expected a batch of finite statistics, got a mean of Infinity in channel 0.',
    );
    unchanged();
  });

  test.each(['propagate', 'skip', 'throw'] as const)(
    "singleValue 'running', nonFinite %s: a lone value is one of many",
    (nonFinite) => {
      const bn = used(1, { singleValue: 'running', nonFinite });
      const seen: unknown[] = [];
      bn.registerForwardHook((_, __, y) => void seen.push(y.toArray()));
      const before = noGrad(() => bn.eval().forward(column(7)).toArray());
      bn.train();
      nn.updateBatchNorm(bn, [column(1, 3), column(5), column(7)]);
      expect(seen.at(-1)).toEqual(before);
      expect(state(bn)).toEqual([[4], [Math.fround(20 / 3)], 3]);
      expect(bn.skippedBatches).toBe(0);
    },
  );

  test("a lone value that is not finite is 'skip'ped or refused as a batch is", () => {
    const loader = [column(1, 3), column(NaN), column(5, 7)];
    const skip = used(1, { singleValue: 'running', nonFinite: 'skip' });
    nn.updateBatchNorm(skip, loader);
    expect([state(skip), skip.skippedBatches]).toEqual([[[4], [Math.fround(20 / 3)], 2], 1]);
    const refuse = used(1, { singleValue: 'running', nonFinite: 'throw' });
    const unchanged = snapshot(refuse);
    expect(thrownBy(() => nn.updateBatchNorm(refuse, loader))).toBe(
      'RangeError: BatchNorm1d: expected a batch of finite statistics, got a mean of NaN in channel 0.',
    );
    unchanged();
  });
});

test('a long pass does not pile up memory', () => {
  const model = new nn.Sequential(
    new nn.Linear(64, 256),
    new nn.BatchNorm1d(256),
    new nn.ReLU(),
    new nn.BatchNorm1d(256),
  );
  const x = tensor(normals32(1, 512 * 64), [512, 64]);
  const rss: number[] = [];
  function* loader(): Generator<Tensor> {
    for (let i = 0; i < 600; i++) {
      if (i % 50 === 0) rss.push(process.memoryUsage.rss() / 2 ** 20);
      yield x;
    }
  }
  nn.updateBatchNorm(model, loader());
  // 600 batches make 900 MB of outputs. When the collector runs is Node's choice (20 grows by less than 200 MB
  // here, 26 by 216), so the limit is half of what would pile up.
  expect(Math.max(...rss) - rss[0]!).toBeLessThan(450);
});

describe('batches that arrive asynchronously', () => {
  async function* later<Batch>(each: Iterable<Batch>, between?: () => void): AsyncGenerator<Batch> {
    for (const batch of each) {
      await new Promise((resolve) => setImmediate(resolve));
      between?.();
      yield batch;
    }
  }

  test('the statistics of the same batches at once, to the bit', async () => {
    const { tensors } = batches(1e4, 3, 5, 'float32');
    const [now, then] = [used(3), used(3)];
    const done = nn.updateBatchNorm(then, later(tensors));
    expect(done).toBeInstanceOf(Promise);
    expect(await done).toEqual(nn.updateBatchNorm(now, tensors));
    expect(state(then)).toEqual(state(now));
  });

  test('between the batches the model has its modes, and moves and records as ever', async () => {
    const spy = new Spy().eval();
    spy.drop.training = true;
    const seen: unknown[] = [];
    const before = state(spy.bn);
    const loader = later([column(1, 3), column(5, 7)], () => {
      seen.push([spy.training, spy.bn.training, spy.drop.training]);
      expect(state(spy.bn)).toEqual(before);
      expect(spy.bn.forward(column(1)).requiresGrad).toBe(true);
    });
    await nn.updateBatchNorm(spy, loader);
    expect(seen).toEqual(Array(2).fill([false, false, true]));
    expect(spy.modes).toEqual(Array(2).fill([true, true, true]));
    expect(state(spy.bn)).toEqual([[4], [Math.fround(20 / 3)], 2]);
  }); // prettier-ignore

  test.each<[string, (bn: nn.BatchNorm1d) => AsyncIterable<unknown>, string]>([
    ['a loader that fails', () => later((function* () { yield column(1, 3); throw new Error('no more'); })()), 'no more'],
    ['a batch that is none', () => later([column(1, 3), 'x']), 'updateBatchNorm: expected a batch to be a Tensor'],
    ['no batch', () => later([]), 'a loader of at least one batch'],
    ['one value', () => later([column(1)]), 'more than 1 value per channel when training'],
    ['a virtual batch that is opened in between', (bn) => later([column(1, 3)], () => nn.virtualBatch(bn)), 'expected no open virtual batch'],
  ])('%s rejects, and leaves everything', async (_, make, words) => {
    const bn = used(1, { nonFinite: 'skip' }).eval();
    const unchanged = snapshot(bn);
    await expect(nn.updateBatchNorm(bn, make(bn) as AsyncIterable<Tensor>)).rejects.toThrow(words);
    unchanged();
    expect(bn.skippedBatches).toBe(0);
  }); // prettier-ignore

  test('arguments reject too', async () => {
    const loader = later([column(1, 3)]);
    await expect(nn.updateBatchNorm(null as never, loader)).rejects.toThrow('expected a Module');
    await expect(nn.updateBatchNorm(used(1), loader, { input: 3 } as never)).rejects.toThrow(
      'updateBatchNorm: expected input to be a function, got 3.',
    );
  });

  test('skipped batches are counted, and not where the pass fails', async () => {
    const bn = used(1, { nonFinite: 'skip' });
    await nn.updateBatchNorm(bn, later([column(1, 3), column(NaN, 1)]));
    expect([bn.skippedBatches, state(bn)]).toEqual([1, [[2], [2], 1]]);
    await expect(nn.updateBatchNorm(bn, later([column(NaN, 1), 'x'] as Tensor[]))).rejects.toThrow();
    expect(bn.skippedBatches).toBe(1);
  }); // prettier-ignore
});

test('forwardOptions: lengths and masks of a batch', async () => {
  const x = tensor([[[1, 3, 99, 99]], [[5, 7, 9, 99]]]); // prettier-ignore
  const items = [{ x, mask: [[1, 1, 0, 0], [1, 1, 1, 0]] }]; // prettier-ignore
  const options: nn.UpdateBatchNormOptions<(typeof items)[0]> = {
    input: (item) => item.x,
    forwardOptions: ({ mask }) => ({ mask }),
  };
  const bn = used(1);
  nn.updateBatchNorm(bn, items, options);
  expect(state(bn)).toEqual([[5], [10], 1]);
  const other = used(1);
  nn.updateBatchNorm(other, items, { ...options, forwardOptions: () => ({ lengths: [2, 3] }) });
  expect(state(other)).toEqual(state(bn));
  expect(thrownBy(() => nn.updateBatchNorm(bn, items, { ...options, forwardOptions: 3 as never }))).toBe(
    'TypeError: updateBatchNorm: expected forwardOptions to be a function, got 3.',
  ); // prettier-ignore
});

test('a promise that is refused is not left to end the process when it is rejected', async () => {
  class Net extends nn.Module {
    bn = new nn.BatchNorm1d(1);
    async forward(x: Tensor): Promise<Tensor> {
      return this.bn.forwardAsync(x);
    }
  }
  const rejected: unknown[] = [];
  const note = (reason: unknown): void => void rejected.push(reason);
  process.on('unhandledRejection', note);
  try {
    const message = 'expected a synchronous function, got one that returns a promise.';
    expect(() => nn.updateBatchNorm(new Net(), [column(1, 3)])).toThrow(message);
    expect(() => noGrad(() => Promise.reject(new Error('later')))).toThrow(message);
    await new Promise((resolve) => setTimeout(resolve, 50));
  } finally {
    process.off('unhandledRejection', note);
  }
  expect(rejected).toEqual([]);
});
