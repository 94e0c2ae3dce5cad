// What the doctor measures is what can be measured otherwise.
import { data, functional, manualSeed, nn, noGrad, optim, tensor, type Tensor } from 'evenkeel';
import { diagnose, FINDINGS, recalibrate, watch, type Report } from 'evenkeel/doctor';
import { describe, expect, it, vi } from 'vitest';

import {
  accuracy,
  batches,
  digitNet,
  fit,
  layerOf,
  PIXELS,
  test,
  train,
  trained,
} from './digits.js';

describe('a report', () => {
  const model = trained(1);
  const loader = new data.DataLoader(test, { batchSize: 100 });
  const report = diagnose(model, loader);

  it('has the accuracies of the four cases', () => {
    const copy = model.clone();
    expect(report.accuracy?.asFound).toBe(accuracy(copy));
    const cases = report.cases!.map(({ training, trackRunningStats, batchSize, normalizesBy }) =>
      [training, trackRunningStats, batchSize, normalizesBy].join(),
    );
    expect(cases).toEqual(
      [100, 8].flatMap((size) => [
        `true,true,${size},batch`,
        `true,false,${size},batch`,
        `false,true,${size},running`,
        `false,false,${size},batch`,
      ]),
    );
    const byBatch = noGrad(() => {
      copy.train();
      let right = 0;
      for (const [x, labels] of loader) {
        const rows = copy.forward(x).toArray<number[][]>();
        rows.forEach(
          (row, i) => (right += Number(row.indexOf(Math.max(...row)) === labels.data[i])),
        );
      }
      return right / test.length;
    });
    expect(report.cases![0]!.accuracy).toBe(byBatch);
    nn.updateBatchNorm(copy, loader);
    expect(report.accuracy?.recalibrated).toBe(accuracy(copy.eval()));
  });

  it('says why a case has no accuracy, and draws no chart of none', () => {
    const untracked = new nn.Sequential(new nn.BatchNorm1d(2, { trackRunningStats: false }));
    const rows = tensor([[1, 2], [3, 4], [5, 7]]); // prettier-ignore
    const ends = new data.DataLoader(new data.TensorDataset(rows, [0, 1, 0]), { batchSize: 2 });
    const none = diagnose(untracked, ends);
    expect(none.cases!.map(({ accuracy }) => accuracy)).toEqual([null, null, null, null]);
    for (const text of [String(none), none.toHTML()])
      expect(text.replaceAll(/\s+/g, ' ')).toContain('There is no accuracy where a batch has one');
    expect(none.toHTML()).not.toContain('Accuracy in the four cases');
    expect(report.toHTML()).toContain('Accuracy in the four cases');
    for (const text of [String(report), report.toHTML()])
      expect(text).not.toContain('There is no accuracy');
  });

  it('has the statistics of the data in each layer', () => {
    const copy = model.clone();
    nn.updateBatchNorm(copy, loader);
    for (const layer of report.layers) {
      const own = layerOf(copy, Number(layer.name));
      expect(layer.batchMean!.map(Math.fround)).toEqual(own.runningMean!.toArray());
      expect(layer.batchVar!.map(Math.fround)).toEqual(own.runningVar!.toArray());
      expect(layer.forwards).toBe(10);
      expect(layer.memoryInBatches).toBe(10);
      expect(layer.valuesPerChannel).toEqual({ smallest: 100, largest: 100 });
      layer.drift!.meanShift.value.forEach((shift, c) => {
        const { runningMean, runningVar, batchMean, eps } = layer;
        const expected = (batchMean![c]! - runningMean![c]!) / Math.sqrt(runningVar![c]! + eps!);
        expect(shift).toBeCloseTo(expected, 12);
        expect(layer.drift!.meanShift.low[c]).toBeLessThan(shift);
        expect(layer.drift!.meanShift.high[c]).toBeGreaterThan(shift);
      });
    }
  });

  it('speaks JSON, with NaN as text', () => {
    const copy = model.clone();
    layerOf(copy, 1).getBuffer('running_mean')!.data[3] = NaN;
    const text = JSON.stringify(diagnose(copy));
    const parsed = JSON.parse(text) as Report;
    expect(parsed.layers[0]!.runningMean![3]).toBe('NaN');
    expect(parsed.findings[0]).toMatchObject({ id: 'non-finite-statistics', layer: '1' });
    expect(parsed.healthy).toBe(false);
  });
});

/** Of the statistics of normal numbers, against those of other normal numbers. */
function noiseReport(seed: number, channels: number, momentum: number): Report {
  manualSeed(seed);
  const normal = (): Tensor => {
    const uniform = (): Float32Array => Float32Array.from({ length: 64 * channels }, () => draw());
    const [a, b] = [uniform(), uniform()];
    const values = a.map((each, i) => Math.sqrt(-2 * Math.log(each)) * Math.cos(6.2831853 * b[i]!));
    return tensor(values, [64, channels]);
  };
  let state = seed;
  const draw = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  const bn = new nn.BatchNorm1d(channels, { momentum });
  for (let i = 0; i < 200; i++) bn.forward(normal());
  return diagnose(bn.eval(), Array.from({ length: 16 }, normal), { trainingBatchSize: 64 });
}

describe('drift', () => {
  it('is called in at most 1 % of layers where there is only noise', () => {
    let wrong = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const [layer] = noiseReport(seed, 16, 0.1).layers;
      wrong += Number(layer!.drift!.driftedChannels.length > 0);
    }
    // 40 layers at 1 %: more than 3 would happen once in 1200 times.
    expect(wrong).toBeLessThanOrEqual(3);
  });

  it('of a tenth of a deviation in one channel is seen, and that channel named', () => {
    manualSeed(1);
    const bn = new nn.BatchNorm1d(4, { momentum: null });
    let state = 9;
    const draw = (): number => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
    const batch = (shift: number): Tensor =>
      tensor(
        Float32Array.from({ length: 256 * 4 }, (_, i) => draw() + (i % 4 === 2 ? shift : 0)),
        [256, 4],
      );
    for (let i = 0; i < 60; i++) bn.forward(batch(0));
    const report = diagnose(
      bn.eval(),
      Array.from({ length: 40 }, () => batch(0.03)),
      {
        trainingBatchSize: 256,
      },
    );
    expect(report.layers[0]!.drift!.driftedChannels).toEqual([2]);
    expect(report.layers[0]!.drift!.meanShift.value[2]).toBeCloseTo(0.03 * Math.sqrt(12), 1);
  });
});

describe('Dropout before BatchNorm', () => {
  it.each([0.2, 0.5, 0.7])('p = %f: the variance ratio predicted is the one measured', (p) => {
    const direct = new nn.Sequential(
      new nn.Linear(PIXELS, 48),
      new nn.ReLU(),
      new nn.Dropout(p),
      new nn.BatchNorm1d(48),
      new nn.Linear(48, 10),
    );
    fit(direct, { epochs: 1 });
    const shapes = [trained(1, { before: p }), direct];
    for (const model of shapes) {
      const finding = diagnose(model, batches(test, 100)).findings.find(
        ({ id }) => id === 'dropout-before-batchnorm',
      );
      const { ownRatio, predictedRatio } = finding!.measured as Record<string, number>;
      expect(Math.abs(predictedRatio! / ownRatio! - 1)).toBeLessThan(0.1);
      expect(ownRatio).toBeLessThan(1);
    }
  });

  it('is mended by statistics without dropout', () => {
    const model = trained(2, { before: 0.5 });
    const ratio = (): number | undefined => {
      const layer = layerOf(model, 5);
      const [report] = diagnose(model, batches(train, 100)).layers.slice(1);
      return (
        report!.batchVar!.reduce(
          (sum, each, c) => sum + each / (layer.runningVar!.data[c] as number),
          0,
        ) / 32
      );
    };
    const before = ratio()!;
    recalibrate(model, batches(train, 100), { dropout: false });
    expect((model.at(3) as nn.Dropout).p).toBe(0.5);
    expect(ratio()!).toBeGreaterThan(before * 1.2); // the data are measured with dropout
  });
});

describe('the trap', () => {
  it('is mended to within 0.2 points of the right setting', () => {
    const right = trained(4);
    const wrong = right.clone();
    for (const index of [1, 5]) layerOf(wrong, index).resetRunningStats();
    nn.updateBatchNorm(right, batches(train, 100));
    const expected = accuracy(right.eval());
    expect(accuracy(wrong.eval())).toBeLessThan(expected - 0.1);
    const [finding] = diagnose(wrong, batches(test, 100)).findings;
    expect(finding!.mend).toBe('recalibrate(model, trainLoader);');
    recalibrate(wrong, batches(train, 100));
    expect(Math.abs(accuracy(wrong) - expected)).toBeLessThanOrEqual(0.002);
  });

  it('of trailing statistics: recalibrated within a point of batch statistics', () => {
    const model = trained(5, { batchNorm: { momentum: 0.003 } }, { epochs: 1 });
    const { accuracy: found, findings } = diagnose(model, batches(test, 100), {
      reference: batches(train, 100),
    });
    expect(findings[0]!.id).toBe('stale-statistics');
    expect(found!.recalibrated! - found!.asFound!).toBeGreaterThan(0.02);
    recalibrate(model, batches(train, 100));
    expect(Math.abs(accuracy(model) - found!.recalibrated!)).toBeLessThanOrEqual(0.01);
  });
});

describe('watch', () => {
  it('warns once of each kind, at the step where it happens', () => {
    manualSeed(1);
    const model = digitNet();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const watching = watch(model);
    let steps = 0;
    for (const [x, labels] of batches(train)) {
      if (steps === 20) noGrad(() => model.forward(x));
      functional.crossEntropy(model.forward(x), labels).backward();
      optimizer.step();
      steps++;
    }
    const told = warn.mock.calls.map(([text]) => String(text).split(' ')[0]);
    expect(told).toEqual(['evaluated-in-training-mode', 'moved-in-evaluation', 'double-update']);
    warn.mockRestore();
    const report = watching.report();
    expect(report.steps).toBe(steps - 1);
    expect(report.findings.map(({ step }) => step)).toContain(20);
    expect(report.layers[0]!.history!.length).toBeGreaterThan(30);
    watching.stop();
    model.forward([...batches(train)][0]![0]);
    expect(watching.report().layers[0]!.forwards).toBe(report.layers[0]!.forwards);
  });

  it('changes no bit of training', () => {
    const run = (observe: boolean): unknown => {
      manualSeed(2);
      const model = digitNet({ before: 0.2 });
      const watching = observe ? watch(model, { onFinding: () => undefined }) : null;
      fit(model, { epochs: 1 });
      watching?.stop();
      return [...model.stateDict()].map(([key, each]) => [key, each.toArray()]);
    };
    expect(run(true)).toEqual(run(false));
  });

  it('hands an error of onFinding on, and not into forward', async () => {
    const errors: unknown[] = [];
    const catchIt = (error: unknown): void => void errors.push(error);
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', catchIt);
    const bn = new nn.BatchNorm1d(1);
    watch(bn, {
      onFinding: () => {
        throw new Error('mine');
      },
    });
    bn.forward(tensor([[NaN], [1]]));
    bn.forward(tensor([[2], [1]]));
    expect(bn.numBatchesTracked).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off('uncaughtException', catchIt);
    for (const each of before) process.on('uncaughtException', each);
    expect(errors.map(String)).toEqual(['Error: mine']);
  });
});

it('FINDINGS has words for every finding', () => {
  for (const { id, what, why, how } of FINDINGS) {
    for (const text of [what, why, how]) expect(text, id).toMatch(/^.{20,}[.:]$/s);
  }
  expect(new Set(FINDINGS.map(({ id }) => id)).size).toBe(21);
});
