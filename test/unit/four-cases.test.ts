// Training or evaluation, running statistics or none: which statistics normalise, and which move.
// Exact data: in each channel x = mean ± d in pairs, and d² + eps is a square, so that mean, variance,
// 1 / sqrt(var + eps) and every output are exact and compared with ===.
import { describe, expect, test } from 'vitest';

import { functional, nn, noGrad, optim, tensor, type Tensor } from '../../src/index.js';
import { expectSameBits } from '../helpers/expect-close.js';
import { snapshot } from '../helpers/snapshot.js';

const EPS = 15;
const MEANS = [5, -2, 100];
const DEVIATIONS = [1, 7, 1]; // d² + 15 = 16, 64, 16
const SIGNS = [1, -1, -1, 1]; // by sample
const BY_BATCH = SIGNS.flatMap((sign) => [sign / 4, (sign * 7) / 8, sign / 4]);

/** [4, 3]; means moved by `shift`. */
function batch(shift = 0): Tensor {
  const values = SIGNS.map((sign) => MEANS.map((mean, c) => mean + shift + sign * DEVIATIONS[c]!));
  return tensor(values);
}

const RUNNING_MEAN = [1, 2, 3];
const RUNNING_VAR = [49, 1, 49];
const BY_RUNNING = SIGNS.flatMap((sign) =>
  MEANS.map(
    (mean, c) =>
      (mean + sign * DEVIATIONS[c]! - RUNNING_MEAN[c]!) / Math.sqrt(RUNNING_VAR[c]! + EPS),
  ),
);

/** What one batch of mean MEANS + shift and 4 samples makes of running statistics. */
const movedMean = (old: number[], momentum: number, shift = 0): number[] =>
  old.map((value, c) => Math.fround((1 - momentum) * value + momentum * (MEANS[c]! + shift)));
const movedVar = (old: number[], momentum: number): number[] =>
  old.map((value, c) =>
    Math.fround((1 - momentum) * value + momentum * (DEVIATIONS[c]! ** 2 * (4 / 3))),
  );

function build(options: nn.BatchNormOptions = {}): nn.BatchNorm1d {
  const bn = new nn.BatchNorm1d(3, { eps: EPS, ...options });
  bn.runningMean?.data.set(RUNNING_MEAN as never);
  bn.runningVar?.data.set(RUNNING_VAR as never);
  return bn;
}

const values = (t: Tensor | null): unknown => (t === null ? null : [...t.data]);
const state = (bn: nn.BatchNorm1d): unknown => [
  values(bn.runningMean),
  values(bn.runningVar),
  bn.numBatchesTracked,
];

describe('training, tracked', () => {
  test('normalises by the batch and moves the statistics, the variance unbiased', () => {
    const bn = build();
    expect(values(bn.forward(batch()))).toEqual(BY_BATCH);
    expect(state(bn)).toEqual([movedMean(RUNNING_MEAN, 0.1), movedVar(RUNNING_VAR, 0.1), 1]);
  });

  test.each([0, 0.25, 1])('momentum %d is the weight of the new batch', (momentum) => {
    const bn = build({ momentum });
    bn.forward(batch());
    expect(state(bn)).toEqual([
      movedMean(RUNNING_MEAN, momentum),
      movedVar(RUNNING_VAR, momentum),
      1,
    ]);
  });

  test('momentum null averages all batches, whatever the statistics were', () => {
    const bn = build({ momentum: null });
    const average = [0, 4, -1].map((shift, i, shifts) => {
      bn.forward(batch(shift));
      expect(bn.numBatchesTracked).toBe(i + 1);
      expect(values(bn.runningVar)).toEqual(movedVar([0, 0, 0], 1));
      return shifts.slice(0, i + 1).reduce((a, b) => a + b) / (i + 1);
    });
    expect(average).toEqual([0, 2, 1]);
    expect(values(bn.runningMean)).toEqual(MEANS.map((mean) => mean + 1));
  });

  test('momentum may change between batches', () => {
    const bn = build();
    bn.momentum = null;
    bn.forward(batch()); // the first: weight 1
    bn.momentum = 0.5;
    bn.forward(batch(4));
    expect(values(bn.runningMean)).toEqual(MEANS.map((mean) => mean + 2));
  });
});

describe('training, without running statistics', () => {
  test('normalises by the batch; there is nothing to move', () => {
    const bn = build({ trackRunningStats: false });
    expect(values(bn.forward(batch()))).toEqual(BY_BATCH);
    expect(state(bn)).toEqual([null, null, 0]);
  });

  test('the flag switched off later: by the batch, and the statistics stay', () => {
    const bn = build();
    bn.trackRunningStats = false;
    expect(values(bn.forward(batch()))).toEqual(BY_BATCH);
    expect(state(bn)).toEqual([RUNNING_MEAN, RUNNING_VAR, 0]);
    bn.trackRunningStats = true;
    bn.forward(batch());
    expect(state(bn)).toEqual([movedMean(RUNNING_MEAN, 0.1), movedVar(RUNNING_VAR, 0.1), 1]);
  });

  test('the flag switched on later makes no statistics', () => {
    const bn = build({ trackRunningStats: false });
    bn.trackRunningStats = true;
    expect(values(bn.forward(batch()))).toEqual(BY_BATCH);
    expect(values(bn.eval().forward(batch()))).toEqual(BY_BATCH);
    bn.resetRunningStats();
    expect(state(bn)).toEqual([null, null, 0]);
  });
});

describe('evaluation, with running statistics', () => {
  test.each([true, false])('normalises by them and moves nothing (flag %s)', (flag) => {
    const bn = build();
    bn.trackRunningStats = flag;
    bn.eval();
    const unchanged = snapshot(bn);
    expect(values(bn.forward(batch()))).toEqual(BY_RUNNING);
    expect(values(noGrad(() => bn.forward(batch())))).toEqual(BY_RUNNING);
    unchanged();
    expect(state(bn)).toEqual([RUNNING_MEAN, RUNNING_VAR, 0]);
  });

  test('one sample is enough, and its output is the same as in company', () => {
    const bn = build().eval();
    const one = tensor(batch().data.slice(3, 6), [1, 3]);
    expect(values(bn.forward(one))).toEqual(BY_RUNNING.slice(3, 6));
  });
});

test('evaluation without running statistics normalises by the batch', () => {
  const bn = build({ trackRunningStats: false }).eval();
  expect(values(bn.forward(batch()))).toEqual(BY_BATCH);
  expect(state(bn)).toEqual([null, null, 0]);
});

describe('what moves the statistics, and what does not', () => {
  test('noGrad: a training forward moves them all the same', () => {
    const bn = build();
    expect(noGrad(() => bn.forward(batch())).requiresGrad).toBe(false);
    expect(state(bn)).toEqual([movedMean(RUNNING_MEAN, 0.1), movedVar(RUNNING_VAR, 0.1), 1]);
  });

  test('frozen parameters: they move all the same', () => {
    const bn = build().requiresGrad_(false);
    expect(bn.forward(batch()).requiresGrad).toBe(false);
    expect(state(bn)).toEqual([movedMean(RUNNING_MEAN, 0.1), movedVar(RUNNING_VAR, 0.1), 1]);
  });

  test('backward and optimizer.step() leave them alone', () => {
    const bn = build();
    const y = bn.forward(batch());
    const after = state(bn);
    const optimizer = new optim.SGD(bn.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 0.1 });
    y.backward(batch(7));
    optimizer.step();
    optimizer.zeroGrad();
    expect(state(bn)).toEqual(after);
    expect(values(bn.weight)).not.toEqual([1, 1, 1]);
    expect(values(bn.bias)).not.toEqual([0, 0, 0]);
  });

  test('every training forward counts, one backward or none', () => {
    const bn = build();
    for (let i = 0; i < 3; i++) bn.forward(batch());
    expect(bn.numBatchesTracked).toBe(3);
  });

  test('reset: 0, 1 and no batches; parameters only with resetParameters', () => {
    const bn = build();
    bn.forward(batch());
    bn.weight!.data.fill(3);
    bn.bias!.data.fill(4);
    bn.resetRunningStats();
    expect(state(bn)).toEqual([[0, 0, 0], [1, 1, 1], 0]);
    expect([values(bn.weight), values(bn.bias)]).toEqual([
      [3, 3, 3],
      [4, 4, 4],
    ]);
    bn.forward(batch());
    bn.resetParameters();
    expect(state(bn)).toEqual([[0, 0, 0], [1, 1, 1], 0]);
    expect([values(bn.weight), values(bn.bias)]).toEqual([
      [1, 1, 1],
      [0, 0, 0],
    ]);
  });

  test.each([[[0, 3]], [[0, 3, 5]], [[2, 3, 0]]])(
    'an empty batch %j moves the counter only',
    (shape) => {
      const bn = build();
      const x = tensor(new Float32Array(0), shape, { requiresGrad: true });
      const y = bn.forward(x);
      expect(y.shape).toEqual(shape);
      expect(state(bn)).toEqual([RUNNING_MEAN, RUNNING_VAR, 1]);
      y.backward(tensor(new Float32Array(0), shape));
      expect(x.grad?.shape).toEqual(shape);
      expect([values(bn.weight!.grad), values(bn.bias!.grad)]).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ]);
      expect(bn.eval().forward(x).shape).toEqual(shape);
      expect(bn.numBatchesTracked).toBe(1);
    },
  );
});

describe('the stateless form', () => {
  const running = (): [Tensor, Tensor] => [tensor(RUNNING_MEAN), tensor(RUNNING_VAR)];

  test('training normalises by the batch and moves the statistics it is given', () => {
    const [mean, variance] = running();
    const y = functional.batchNorm(batch(), mean, variance, { training: true, eps: EPS });
    expect(values(y)).toEqual(BY_BATCH);
    expect(values(mean)).toEqual(movedMean(RUNNING_MEAN, 0.1));
    expect(values(variance)).toEqual(movedVar(RUNNING_VAR, 0.1));
  });

  test('evaluation, the default, normalises by them', () => {
    const [mean, variance] = running();
    const unchanged = snapshot(mean, variance);
    expect(values(functional.batchNorm(batch(), mean, variance, { eps: EPS }))).toEqual(BY_RUNNING);
    unchanged();
  });

  test.each([true, false])('without statistics the batch normalises (training %s)', (training) => {
    const y = functional.batchNorm(batch(), null, null, { training, eps: EPS });
    expect(values(y)).toEqual(BY_BATCH);
  });
});

describe('weight and bias', () => {
  test('scale, then shift', () => {
    const bn = build();
    bn.weight!.data.set([2, -1, 0] as never);
    bn.bias!.data.set([0.5, 8, -3] as never);
    const expected = BY_BATCH.map((xhat, i) => xhat * [2, -1, 0][i % 3]! + [0.5, 8, -3][i % 3]!);
    expect(values(bn.forward(batch()))).toEqual(expected);
  });

  test('a constant channel gives exactly its bias', () => {
    const bn = new nn.BatchNorm1d(1);
    bn.bias!.data.fill(0.3);
    const y = bn.forward(tensor(new Float32Array(9).fill(0.1), [9, 1]));
    expect(new Set<unknown>(y.data)).toEqual(new Set([Math.fround(0.3)]));
  });
});

describe('one memory, several shapes: the same bits', () => {
  const random = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) * 43.758 + 100);

  function results(shape: number[], layout: 'NCL' | 'NLC', training: boolean): Tensor[] {
    const bn = new nn.BatchNorm1d(19, { layout });
    bn.weight!.data.set(random(19));
    bn.bias!.data.set(random(19).reverse());
    bn.forward(tensor(random(6 * 19).reverse(), [6, 19]));
    bn.train(training);
    const x = tensor(random(6 * 19), shape, { requiresGrad: true });
    const y = bn.forward(x);
    y.backward(tensor(random(6 * 19).map(Math.cos), shape));
    return [y, x.grad!, bn.weight!.grad!, bn.bias!.grad!, bn.runningMean!, bn.runningVar!];
  }

  for (const training of [true, false]) {
    test(`(N, C, 1) and channels last equal (N, C); training ${training}`, () => {
      const flat = results([6, 19], 'NCL', training);
      for (const other of [
        results([6, 19, 1], 'NCL', training),
        results([6, 1, 19], 'NLC', training),
        results([2, 3, 19], 'NLC', training),
      ]) {
        flat.forEach((expected, i) => expectSameBits(other[i], expected, `result ${i}`));
      }
    });
  }
});
