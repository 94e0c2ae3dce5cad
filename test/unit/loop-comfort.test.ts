// What stands around a training loop: best states, averages, whole runs in a file, parts of data sets, samplers, padding,
// initial values.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

import {
  checkpoint,
  data,
  functional,
  manualSeed,
  nn,
  noGrad,
  optim,
  scope,
  tensor,
  type StateDict,
  type Tensor,
} from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

beforeEach(() => manualSeed(11));

const bitsOf = (module: nn.Module): string =>
  [...module.stateDict()].map(([key, { data }]) => `${key} ${data.join()}`).join(';');

const batch = (step: number): Tensor =>
  tensor(
    Float32Array.from({ length: 24 }, (_, i) => Math.sin(3.7 * i + step)),
    [8, 3],
  );

describe('EarlyStopping', () => {
  test('gives back the best state, running statistics and counter too', () => {
    const model = new nn.Sequential(new nn.Linear(3, 2), new nn.BatchNorm1d(2));
    const stopping = new optim.EarlyStopping({ patience: 1 });
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.5 });
    let best = '';
    const losses = [3, 2, 2.5, 2.5];
    const stops = losses.map((loss, step) =>
      scope(() => {
        functional.sum(model.forward(batch(step))).backward();
        optimizer.step();
        if (step === 1) best = bitsOf(model);
        return stopping.step(loss, model);
      }),
    );
    expect(stops).toEqual([false, false, false, true]);
    expect(bitsOf(model)).toBe(best);
    expect([stopping.best, stopping.bestEpoch, stopping.stopped]).toEqual([2, 1, true]);
  });

  test('max, minDelta, NaN, and no restoring', () => {
    const model = new nn.Linear(1, 1);
    const stopping = new optim.EarlyStopping({
      patience: 2,
      mode: 'max',
      minDelta: 0.5,
      restoreBest: false,
    });
    const before = bitsOf(model);
    expect([1, 1.5, NaN, tensor([1.75]), 1].map((each) => stopping.step(each, model))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect([stopping.best, stopping.bestEpoch]).toEqual([1.75, 3]);
    expect(() => stopping.restore(model)).toThrow(/expected a best state, got none/);
    expect(bitsOf(model)).toBe(before);
  });

  test.each<[string, () => unknown, string]>([
    ['patience', () => new optim.EarlyStopping({ patience: -1 }), 'RangeError: EarlyStopping: expected patience to be a whole number of at least 0, got -1.'],
    ['mode', () => new optim.EarlyStopping({ mode: 'best' as never }), "RangeError: EarlyStopping: expected mode to be 'min' or 'max', got 'best'."],
    ['metric', () => new optim.EarlyStopping().step('1' as never, new nn.ReLU()), "TypeError: EarlyStopping.step: expected a metric: a number, got '1'."],
    ['model', () => new optim.EarlyStopping().step(1, {} as never), 'TypeError: EarlyStopping.step: expected a Module, got an object.'],
  ])('refuses %s', (_, make, words) => expect(thrownBy(make)).toBe(words)); // prettier-ignore
});

describe('averages', () => {
  const make = (): nn.Sequential => new nn.Sequential(new nn.Linear(3, 2), new nn.BatchNorm1d(2));
  const weights = (module: nn.Module): number[] => [...[...module.parameters()][0]!.data];

  test.each([undefined, 0.75])(
    'decay %s: the average of the weights, the buffers of the last',
    (decay) => {
      const model = make();
      const average = new nn.AveragedModel(model, { decay });
      let expected: number[] = [];
      for (let step = 0; step < 4; step++) {
        noGrad(() =>
          [...model.parameters()][0]!.copy_(
            tensor(
              Float32Array.from({ length: 6 }, (_, i) => i + step),
              [2, 3],
            ),
          ),
        );
        model.forward(batch(step));
        average.update(model);
        const now = weights(model);
        const part = step === 0 ? 1 : decay === undefined ? 1 / (step + 1) : 1 - decay;
        expected = now.map((each, i) =>
          step === 0 ? each : expected[i]! + (each - expected[i]!) * part,
        );
      }
      weights(average.module).forEach((each, i) => expect(each).toBeCloseTo(expected[i]!, 5));
      expect(average.averaged).toBe(4);
      const [mine, its] = [average.module.at(1), model.at(1)] as nn.BatchNorm1d[];
      expect(mine!.runningMean!.toArray()).toEqual(its!.runningMean!.toArray());
      expect(mine!.numBatchesTracked).toBe(4);
      expect([...average.stateDict().keys()].slice(0, 2)).toEqual([
        'n_averaged',
        'module.0.weight',
      ]);
      expect((average.eval().forward(batch(0)) as Tensor).shape).toEqual([8, 2]);
    },
  );

  test('recalibrated by updateBatchNorm', () => {
    const average = new nn.AveragedModel(make());
    average.update(make());
    const result = nn.updateBatchNorm(average, [batch(0), batch(1)]);
    expect(result).toBeDefined();
    expect((average.module.at(1) as nn.BatchNorm1d).numBatchesTracked).toBe(2);
  });

  test('a model of other parameters is refused, and nothing has changed', () => {
    const target = make();
    const unchanged = snapshot(target);
    expect(thrownBy(() => nn.softUpdate(target, new nn.Sequential(new nn.Linear(3, 2)), 0.5))).toBe(
      "RangeError: softUpdate: expected a model with '1.weight', got none.",
    );
    expect(
      thrownBy(() =>
        nn.softUpdate(target, new nn.Sequential(new nn.Linear(4, 2), new nn.BatchNorm1d(2)), 0.5),
      ),
    ).toBe("RangeError: softUpdate: expected '0.weight' of shape [2, 3], got shape [2, 4].");
    expect(thrownBy(() => nn.softUpdate(target, make(), 2))).toBe(
      'RangeError: softUpdate: expected tau to be a number from 0 to 1, got 2.',
    );
    unchanged();
  });

  test('keeps one state: the one before is disposed of', () => {
    const model = new nn.Linear(1, 1);
    const kept: StateDict[] = [];
    const watched = {
      stateDict: () => {
        const state = model.stateDict();
        const clone = state.clone.bind(state);
        state.clone = () => {
          kept.push(clone());
          return kept.at(-1)!;
        };
        return state;
      },
      loadStateDict: () => undefined,
    };
    const stopping = new optim.EarlyStopping();
    for (const loss of [3, 2, 1]) stopping.step(loss, watched);
    expect(kept.map((state) => state.get('weight')!.disposed)).toEqual([true, true, false]);
  });
});

describe('saveTraining and loadTraining', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-training-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  class Run {
    readonly model = new nn.Sequential(
      new nn.Linear(3, 6),
      new nn.BatchNorm1d(6),
      new nn.ReLU(),
      new nn.Dropout(0.3),
      new nn.Linear(6, 2),
    );
    readonly optimizer = new optim.Adam(optim.groups(this.model, { weightDecay: 0.01 }), {
      lr: 0.1,
    });
    readonly scheduler = new optim.lrScheduler.OneCycleLR(this.optimizer, {
      maxLr: 0.05,
      epochs: 6,
      stepsPerEpoch: 3,
    });
    readonly loader = new data.DataLoader(
      new data.TensorDataset(
        tensor(
          Float32Array.from({ length: 60 }, (_, i) => Math.cos(i * 1.9)),
          [20, 3],
        ),
        Array.from({ length: 20 }, (_, i) => i % 2),
      ),
      { batchSize: 8, shuffle: true },
    );

    epoch(): void {
      for (const [x, labels] of this.loader) {
        this.optimizer.zeroGrad();
        functional.crossEntropy(this.model.forward(x), labels).backward();
        this.optimizer.step();
        this.scheduler.step();
      }
    }

    bits(): string {
      return `${bitsOf(this.model)} ${JSON.stringify([this.optimizer.stateDict(), this.scheduler.stateDict()])}`;
    }
  }

  test('Adam, OneCycle, dropout, shuffling: a run that is stopped has the bits of one that is not', async () => {
    manualSeed(5);
    const whole = new Run();
    for (let epoch = 0; epoch < 6; epoch++) whole.epoch();

    manualSeed(5);
    const half = new Run();
    for (let epoch = 0; epoch < 3; epoch++) half.epoch();
    const path = join(folder, 'run.safetensors');
    await checkpoint.saveTraining(path, {
      ...partsOf(half),
      extra: { epoch: 3, best: [0.1, null], name: 'run' },
    });

    manualSeed(99);
    const resumed = new Run();
    resumed.epoch();
    const extra = await checkpoint.loadTraining(path, partsOf(resumed));
    expect(extra).toEqual({ epoch: 3, best: [0.1, null], name: 'run' });
    for (let epoch = 3; epoch < 6; epoch++) resumed.epoch();
    expect(resumed.bits()).toBe(whole.bits());
  });

  const partsOf = ({ model, optimizer, scheduler }: Run): checkpoint.TrainingParts => ({
    model,
    optimizer,
    scheduler,
  });

  test('what does not fit changes nothing', async () => {
    const run = new Run();
    run.epoch();
    const path = join(folder, 'fits.safetensors');
    await checkpoint.saveTraining(path, partsOf(run));
    const other = new Run();
    other.epoch();
    const before = other.bits();
    await expect(checkpoint.loadTraining(path, { model: other.model })).rejects.toThrow(
      'loadTraining: expected the optimizer that the file has, got none.',
    );
    const sgd = new optim.SGD(other.model.parameters());
    await expect(
      checkpoint.loadTraining(path, {
        model: other.model,
        optimizer: sgd,
        scheduler: other.scheduler,
      }),
    ).rejects.toThrow(/parameter groups/);
    const plateau = new optim.lrScheduler.ReduceLROnPlateau(other.optimizer);
    await expect(
      checkpoint.loadTraining(path, { ...partsOf(other), scheduler: plateau }),
    ).rejects.toThrow(/loadStateDict/);
    await expect(
      checkpoint.loadTraining(path, { ...partsOf(other), model: new nn.Linear(1, 1) }),
    ).rejects.toThrow();
    expect(other.bits()).toBe(before);
    await checkpoint.saveSafetensors(path, other.model.stateDict());
    await expect(checkpoint.loadTraining(path, partsOf(other))).rejects.toThrow(
      'loadTraining: expected a file of saveTraining, got another one.',
    );
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 3));
    await expect(checkpoint.loadTraining(path, partsOf(other))).rejects.toThrow();
    expect(other.bits()).toBe(before);
  });

  test('a file with a tensor of neither changes nothing', async () => {
    const run = new Run();
    const path = join(folder, 'more.safetensors');
    await checkpoint.saveTraining(path, partsOf(run));
    const file = await checkpoint.loadSafetensors(path);
    file.set('averaged.weight', tensor([1]));
    await checkpoint.saveSafetensors(path, file, { metadata: Object.fromEntries(file.metadata) });
    run.epoch();
    const before = run.bits();
    await expect(checkpoint.loadTraining(path, partsOf(run))).rejects.toThrow(
      "loadTraining: expected tensors of a model and an optimizer, got 'averaged.weight'.",
    );
    expect(run.bits()).toBe(before);
  });

  test('a file whose random numbers are at the end of their stream is refused', async () => {
    const run = new Run();
    run.epoch();
    const path = join(folder, 'random.safetensors');
    await checkpoint.saveTraining(path, partsOf(run));
    const file = await checkpoint.loadSafetensors(path);
    const rest = JSON.parse(file.metadata.get('training')!) as { random: { offset: number } };
    rest.random.offset = Number.MAX_SAFE_INTEGER;
    const training = JSON.stringify(rest);
    const bytes = checkpoint.encodeSafetensors(file, { metadata: { training } });
    await expect(checkpoint.loadTraining(bytes, partsOf(run))).rejects.toThrow(
      'loadTraining: expected a file of saveTraining, got another one.',
    );
    expect(new nn.Linear(2, 2).weight.shape).toEqual([2, 2]); // which draws
  });

  test.each(['__proto__', 'constructor'])('a tensor named %s is refused', async (name) => {
    const run = new Run();
    run.epoch();
    const path = join(folder, 'names.safetensors');
    await checkpoint.saveTraining(path, partsOf(run));
    const file = await checkpoint.loadSafetensors(path);
    const metadata = Object.fromEntries(file.metadata);
    const bytes = checkpoint.encodeSafetensors(file.set(`optimizer.0.${name}`, tensor([1])), {
      metadata,
    });
    await expect(checkpoint.loadTraining(bytes, partsOf(run))).rejects.toThrow(`'${name}'`);
  });

  test('an extra of many levels is refused before anything is written', async () => {
    const nest = (levels: number): unknown => (levels === 0 ? 1 : [nest(levels - 1)]);
    const path = join(folder, 'levels.safetensors');
    const { model } = partsOf(new Run());
    for (const [levels, words] of [
      [501, 'saveTraining: expected extra of at most 500 levels, got more.'],
      [5000, 'saveTraining: expected extra of at most 500 levels, got more.'],
    ] as const) {
      const saved = checkpoint.saveTraining(path, { model, extra: nest(levels) as never });
      await expect(saved).rejects.toThrow(words);
    }
    expect(existsSync(path)).toBe(false);
    await checkpoint.saveTraining(path, { model, extra: nest(500) as never });
    expect(await checkpoint.loadTraining(path, { model })).toEqual(nest(500));
  });

  const circular: { a: unknown[] } = { a: [] };
  circular.a.push(circular);
  test.each<[string, unknown, string]>([
    ['NaN', { loss: NaN }, 'saveTraining: expected extra.loss to be a value of JSON, got NaN.'],
    [
      'a Map',
      { a: [new Map()] },
      'saveTraining: expected extra.a.0 to be a value of JSON, got an instance of Map.',
    ],
    ['itself', circular, 'saveTraining: expected extra.a.0 to be a value of JSON, got an object.'],
    ['a function', () => 1, 'saveTraining: expected extra to be a value of JSON, got a function.'],
  ])('an extra that JSON cannot hold: %s', async (_, extra, words) => {
    const { model } = new Run();
    await expect(
      checkpoint.saveTraining(join(folder, 'no'), { model, extra: extra as never }),
    ).rejects.toThrow(words);
  });

  test('a model alone; a model that is none', async () => {
    const { model } = new Run();
    const path = join(folder, 'model.safetensors');
    await checkpoint.saveTraining(path, { model });
    expect(await checkpoint.loadTraining(path, { model })).toBeNull();
    await expect(checkpoint.saveTraining(path, { model: {} as never })).rejects.toThrow(
      'saveTraining: expected model with stateDict and loadStateDict, got an object.',
    );
  });
});

describe('parts of data sets', () => {
  const whole = (): data.TensorDataset<[Tensor, number[]]> =>
    new data.TensorDataset(tensor([[0], [1], [2], [3], [4]]), [0, 10, 20, 30, 40]);
  const all = (set: data.Dataset): unknown[] =>
    set.rows(Array.from({ length: set.length }, (_, i) => i)).map((each) => each.toArray());

  test('Subset, of a Subset', () => {
    const part = new data.Subset(new data.Subset(whole(), [4, 2, 0]), [2, 0]);
    expect(all(part)).toEqual([
      [[0], [4]],
      [0, 40],
    ]);
    expect(() => new data.Subset(whole(), [5])).toThrow('Subset: expected indices below 5, got 5.');
    expect(() => part.rows([2])).toThrow('Subset.rows: expected indices below 2, got 2.');
  });

  test('randomSplit: parts that share nothing and are all; fractions as PyTorch', () => {
    const parts = data.randomSplit(whole(), [0.5, 0.3, 0.2]);
    expect(parts.map(({ length }) => length)).toEqual([3, 1, 1]);
    expect(parts.flatMap((each) => [...each.indices]).sort()).toEqual([0, 1, 2, 3, 4]);
    manualSeed(11);
    expect(data.randomSplit(whole(), [3, 1, 1]).map(({ indices }) => [...indices])).toEqual(
      parts.map(({ indices }) => [...indices]),
    );
    expect(() => data.randomSplit(whole(), [3, 3])).toThrow(
      'randomSplit: expected lengths that sum to the 5 samples, or fractions that sum to 1, got 6.',
    );
  });

  test('ConcatDataset in any order; rows that differ are refused', () => {
    const both = new data.ConcatDataset([whole(), new data.Subset(whole(), [1])]);
    expect(both.length).toBe(6);
    expect(both.rows([5, 0, 4]).map((each) => each.toArray())).toEqual([
      [[1], [0], [4]],
      [10, 0, 40],
    ]);
    expect(both.rows([]).map(({ shape }) => shape)).toEqual([[0, 1], [0]]);
    const other = new data.ConcatDataset<Tensor[]>([
      new data.TensorDataset(tensor([[1]])),
      new data.TensorDataset(tensor([[1, 2]])),
    ]);
    expect(() => other.rows([0, 1])).toThrow(
      /rows of each data set of shape \[1, 1\], got shape \[1, 2\]/,
    );
  });
});

describe('samplers', () => {
  test('an order of all; with replacement; fewer', () => {
    expect([...new data.SequentialSampler([7, 8, 9])]).toEqual([0, 1, 2]);
    const random = new data.RandomSampler({ length: 100 });
    const [first, second] = [[...random], [...random]];
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(first).not.toEqual(second);
    const some = [
      ...new data.RandomSampler({ length: 5 }, { replacement: true, numSamples: 1000 }),
    ];
    expect([some.length, Math.min(...some), Math.max(...some)]).toEqual([1000, 0, 4]);
    expect([...new data.RandomSampler({ length: 5 }, { numSamples: 2 })].length).toBe(2);
    expect(() => new data.RandomSampler([1], { numSamples: 2 })).toThrow(
      /numSamples to be a whole number from 0 to 1/,
    );
  });

  test('weights: in proportion, never one of 0, each once without replacement', () => {
    const weights = [1, 0, 2, 5, 0];
    const counts = [0, 0, 0, 0, 0];
    for (const i of new data.WeightedRandomSampler(weights, 8000)) counts[i]!++;
    expect([counts[1], counts[4]]).toEqual([0, 0]);
    // 8000 draws: five deviations of a binomial are below 5 sqrt(8000 / 4).
    [1000, 0, 2000, 5000, 0].forEach((expected, i) =>
      expect(Math.abs(counts[i]! - expected)).toBeLessThan(224),
    );
    const once = [...new data.WeightedRandomSampler(weights, 3, { replacement: false })];
    expect(once.sort()).toEqual([0, 2, 3]);
    expect(() => new data.WeightedRandomSampler(weights, 4, { replacement: false })).toThrow(
      /from 0 to 3/,
    );
    expect(() => new data.WeightedRandomSampler([0, 0], 1)).toThrow(
      'WeightedRandomSampler: expected a weight above 0, got none.',
    );
    expect(() => new data.WeightedRandomSampler([NaN], 1)).toThrow(
      /weights\[0\] to be a finite number/,
    );
  });

  test('a loader with a sampler, with whole batches, and what it refuses', () => {
    const set = new data.TensorDataset(tensor([0, 1, 2, 3, 4]));
    const values = (loader: Iterable<readonly Tensor[]>): unknown[] =>
      [...loader].map(([each]) => each!.toArray());
    const sampler = { length: 3, *[Symbol.iterator]() { yield* [4, 4, 1]; } }; // prettier-ignore
    expect(values(new data.DataLoader(set, { sampler, batchSize: 2 }))).toEqual([[4, 4], [1]]);
    expect(new data.DataLoader(set, { sampler, batchSize: 2 }).length).toBe(2);
    const batchSampler = new data.BatchSampler(new data.SequentialSampler(set), 2, {
      dropLast: true,
    });
    const loader = new data.DataLoader(set, { batchSampler });
    expect([values(loader), loader.length]).toEqual([
      [
        [0, 1],
        [2, 3],
      ],
      2,
    ]);
    expect(() => new data.DataLoader(set, { sampler, shuffle: true })).toThrow(
      /mutually exclusive/,
    );
    expect(() => new data.DataLoader(set, { batchSampler, batchSize: 2 })).toThrow(
      'DataLoader: expected batchSampler without batchSize, shuffle, dropLast, sampler, got batchSize too.',
    );
    for (const index of [0.5, NaN, -1, 5, '1']) {
      const what =
        /^DataLoader: expected an index of a sampler to be a whole number from 0 to 4, got/;
      const wrong = [0, index] as number[];
      expect(() => values(new data.DataLoader(set, { sampler: wrong }))).toThrow(what);
      expect(() => values(new data.DataLoader(set, { batchSampler: [wrong] }))).toThrow(what);
    }
    expect(() => new data.DataLoader(set, { sampler: 3 as never })).toThrow(
      'DataLoader: expected a sampler to be iterable, got 3.',
    );
  });
});

describe('samples one by one', () => {
  const later = {
    length: 5,
    get: async (i: number) =>
      Promise.resolve([tensor([[i + 1, ...Array.from({ length: i }, () => 7)]]), i] as const),
  };
  const collate = (items: (readonly [Tensor, number])[]): [Tensor, Tensor, Tensor] => {
    const { padded, lengths } = data.padSequence(items.map(([x]) => x));
    return [padded, lengths, tensor(Int32Array.from(items, ([, label]) => label))];
  };

  test('for await, padded, with lengths that feed a BatchNorm', async () => {
    const loader = new data.DataLoader(later, { batchSize: 2, collate });
    const seen: unknown[] = [];
    const bn = new nn.BatchNorm1d(1);
    for await (const [x, lengths, labels] of loader) {
      seen.push([x.toArray(), lengths.toArray(), labels.toArray()]);
      expect(bn.forward(x, { lengths }).shape).toEqual(x.shape);
    }
    expect(seen[0]).toEqual([
      [[[1, 0]], [[2, 7]]],
      [1, 2],
      [0, 1],
    ]);
    expect(seen.length).toBe(3);
    expect(() => [...loader]).toThrow(
      'DataLoader: expected samples that are there, got promises: use `for await`.',
    );
  });

  test('at once where they are there; rows for `for await` too', async () => {
    const now = { length: 3, get: (i: number) => i };
    const loader = new data.DataLoader(now, {
      batchSize: 2,
      collate: (items: number[]) => [tensor(items)] as const,
    });
    expect([...loader].map(([x]) => x.toArray())).toEqual([[0, 1], [2]]);
    const rows: unknown[] = [];
    for await (const [x] of new data.DataLoader(new data.TensorDataset(tensor([1, 2, 3])), {
      batchSize: 2,
    }))
      rows.push(x.toArray());
    expect(rows).toEqual([[1, 2], [3]]);
  });

  test('promises that were refused and fail later do not end the process', async () => {
    const failures: unknown[] = [];
    const note = (reason: unknown): number => failures.push(reason);
    process.on('unhandledRejection', note);
    const later = (): Promise<never> => Promise.reject(new Error('the disk'));
    const collate = (items: never[]): never[] => items;
    const loader = new data.DataLoader({ length: 4, get: later }, { batchSize: 4, collate });
    expect(() => [...loader]).toThrow(/use `for await`/);
    const rows = { length: 4, rows: later } as unknown as data.Dataset<Tensor[]>;
    expect(() => [...new data.DataLoader(rows)]).toThrow(/use `for await`/);
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', note);
    expect(failures).toEqual([]);
  });

  test('padSequence along any dimension; what it refuses', () => {
    const { padded } = data.padSequence([tensor([[1], [2]]), tensor([[3]])], { dim: 0, value: -1 });
    expect(padded.toArray()).toEqual([
      [[1], [2]],
      [[3], [-1]],
    ]);
    expect(() => data.padSequence([])).toThrow(
      'padSequence: expected at least one sequence, got none.',
    );
    expect(() => data.padSequence([tensor([[1]]), tensor([[1], [2]])])).toThrow(
      /expected sequences of shape \[1, 1\], got shape \[2, 1\]/,
    );
    expect(() => data.padSequence([tensor([1]), tensor(Float64Array.of(1))])).toThrow(
      /to be float32 like the first/,
    );
  });
});

describe('init', () => {
  const numbers = (dtype: 'float32' | 'float64' = 'float64'): Tensor =>
    tensor(dtype === 'float64' ? new Float64Array(60_000) : new Float32Array(60_000), [200, 300]);
  const moments = (x: Tensor): [mean: number, deviation: number, kurtosis: number] => {
    const values = x.data as Float64Array;
    const mean = values.reduce((a, b) => a + b) / values.length;
    const power = (p: number): number =>
      values.reduce((sum, each) => sum + (each - mean) ** p, 0) / values.length;
    return [mean, Math.sqrt(power(2)), power(4) / power(2) ** 2];
  };
  // Five deviations of 60,000 draws: of a mean 5 / sqrt(n), of a deviation 5 / sqrt(2 n), of a kurtosis 5 sqrt(24 / n).
  const close = (
    [mean, deviation, kurtosis]: [number, number, number],
    want: [number, number, number],
  ): void => {
    expect(Math.abs(mean - want[0]) / want[1]).toBeLessThan(0.021);
    expect(Math.abs(deviation / want[1] - 1)).toBeLessThan(0.0145);
    expect(Math.abs(kurtosis - want[2])).toBeLessThan(0.1);
  };
  const { init } = nn;

  test.each<[string, (x: Tensor) => Tensor, number, number, number]>([
    ['normal_', (x) => init.normal_(x, 3, 0.5), 3, 0.5, 3],
    ['uniform_', (x) => init.uniform_(x, -1, 3), 1, 4 / Math.sqrt(12), 1.8],
    [
      'kaimingNormal_',
      (x) => init.kaimingNormal_(x, { nonlinearity: 'relu' }),
      0,
      Math.sqrt(2 / 300),
      3,
    ],
    [
      'kaimingNormal_, fan_out',
      (x) => init.kaimingNormal_(x, { mode: 'fan_out', a: 1 }),
      0,
      Math.sqrt(1 / 200),
      3,
    ],
    [
      'kaimingUniform_',
      (x) => init.kaimingUniform_(x, { a: Math.sqrt(5) }),
      0,
      Math.sqrt(1 / 3 / 300),
      1.8,
    ],
    ['xavierNormal_', (x) => init.xavierNormal_(x, 2), 0, 2 * Math.sqrt(2 / 500), 3],
    ['xavierUniform_', (x) => init.xavierUniform_(x), 0, Math.sqrt(2 / 500), 1.8],
  ])('%s', (_, fill, mean, deviation, kurtosis) => {
    const x = numbers();
    expect(fill(x)).toBe(x);
    close(moments(x), [mean, deviation, kurtosis]);
  });

  test('truncNormal_ stays within its bounds, in float32 too', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const values = init.truncNormal_(numbers(dtype), 0.1, 0.7, -0.3, 0.5).data as Float64Array;
      expect(values.every((each) => each >= -0.3 && each <= 0.5)).toBe(true);
      expect(new Set(values).size).toBeGreaterThan(50_000);
    }
    expect(() => init.truncNormal_(numbers(), 0, 1, 5, 6)).toThrow(
      /bounds that some values are in/,
    );
  });

  test('orthogonal_ to 1e-6, wide and tall, with a gain', () => {
    for (const shape of [
      [7, 20],
      [20, 7],
      [6, 2, 4],
      [5, 5],
    ]) {
      // prettier-ignore
      const x = init.orthogonal_(tensor(new Float64Array(shape.reduce((a, b) => a * b)), shape), 3).data;
      const [rows, columns] = [shape[0]!, shape.slice(1).reduce((a, b) => a * b)];
      const at = (i: number, k: number): number =>
        Number(rows <= columns ? x[i * columns + k] : x[k * columns + i]);
      const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < count; j++) {
          let dot = 0;
          for (let k = 0; k < length; k++) dot += at(i, k) * at(j, k);
          expect(Math.abs(dot - (i === j ? 9 : 0))).toBeLessThan(9e-6);
        }
      }
    }
  });

  test('the same bits after the same seed, wherever it runs', () => {
    manualSeed(1);
    const x = init.normal_(tensor(new Float64Array(5)));
    expect(x.toArray()).toEqual(BITS);
    manualSeed(1);
    expect(init.normal_(tensor(new Float64Array(5))).toArray()).toEqual(BITS);
  });

  test('constants; changes are noticed', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const y = functional.sum(functional.mul(w, w));
    init.constant_(w, 4);
    expect(() => y.backward()).toThrow(/modified by an inplace operation/);
    expect([init.zeros_(w).toArray(), init.ones_(w).toArray()]).toEqual([
      [0, 0],
      [1, 1],
    ]);
    const gains = (['linear', 'sigmoid', 'tanh', 'relu', 'selu'] as const).map((each) =>
      init.calculateGain(each),
    );
    expect(gains).toEqual([1, 1, 5 / 3, Math.sqrt(2), 0.75]);
    expect(init.calculateGain('leaky_relu', 0.2)).toBeCloseTo(Math.sqrt(2 / 1.04), 15);
  });

  test.each<[string, () => unknown, string]>([
    ['no tensor', () => init.zeros_([1] as never), 'TypeError: init.zeros_: expected a Tensor, got an array of length 1.'],
    ['int32', () => init.normal_(tensor(Int32Array.of(1))), 'TypeError: init.normal_: expected the tensor to be float32 or float64, got int32 (x.to(\'float32\') converts).'],
    ['one dimension', () => init.xavierUniform_(tensor([1])), 'RangeError: init.xavierUniform_: expected a tensor of at least 2 dimensions (fan in and fan out can not be computed for fewer), got shape [1].'],
    ['a mode', () => init.kaimingNormal_(tensor([[1]]), { mode: 'fan' as never }), "RangeError: init.kaimingNormal_: expected mode to be 'fan_in' or 'fan_out', got 'fan'."],
    ['a negative std', () => init.normal_(tensor([1]), 0, -1), 'RangeError: init.normal_: expected std to be a finite number of at least 0, got -1.'],
  ])('refuses %s', (_, make, words) => expect(thrownBy(make)).toBe(words)); // prettier-ignore
});

/** Of the stream after manualSeed(1), by sums, products, quotients and roots alone. */
const BITS = [
  0.45314240851990556, -0.2933002271980319, -1.5896201775945895, -0.3441627820105072,
  0.7230800663156042,
];
