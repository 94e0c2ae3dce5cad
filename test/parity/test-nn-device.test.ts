// BatchNorm in PyTorch's test/test_nn.py, class TestNNDeviceType, told anew.
import { nn, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { expectAllClose, expectSameBits } from '../helpers/expect-close.js';
import { gradcheck } from '../helpers/gradcheck.js';
import { asLeaf, normal, pass, statistics } from './inputs.js';

test('test_BatchNorm_empty: no rows make empty outputs, gradients of 0, and no statistics', () => {
  for (const bn of [new nn.BatchNorm2d(3), new nn.BatchNorm2d(3).eval()]) {
    const x = asLeaf(tensor(new Float32Array(0), [0, 3, 2, 2]));
    const y = bn.forward(x);
    y.backward(tensor(new Float32Array(0), [0, 3, 2, 2]));
    expect(y.shape).toEqual([0, 3, 2, 2]);
    expect(x.grad!.shape).toEqual([0, 3, 2, 2]);
    expect(bn.weight!.grad!.toArray()).toEqual([0, 0, 0]);
    expect(bn.bias!.grad!.toArray()).toEqual([0, 0, 0]);
    expect(statistics(bn)).toEqual({
      mean: [0, 0, 0],
      var: [1, 1, 1],
      batches: bn.training ? 1 : 0,
    });
  }
});

describe('test_batchnorm_grad', () => {
  test.each([true, false])(
    'test_batchnorm_grad: by central differences, training %s',
    (training) => {
      const range = (count: number, step = 1): Float64Array =>
        Float64Array.from({ length: count }, (_, i) => step * i);
      const bn = new nn.BatchNorm1d(5, { eps: 1e-4, dtype: 'float64' }).train(training);
      bn.loadStateDict(
        new Map<string, Tensor>([
          ['weight', tensor(range(5).map((value) => value + 1))],
          ['bias', tensor(range(5))],
          ['running_mean', tensor(range(5))],
          ['running_var', tensor(range(5, 2))],
        ]),
      );
      const x = tensor(range(120), [4, 5, 6], { requiresGrad: true });
      // The outputs are up to 6e4 in evaluation, where running_var is 0 and 1/deviation 100.
      gradcheck((each) => bn.forward(each), [x, bn.weight!, bn.bias!], { atol: 1e-4, rtol: 1e-5 });
    },
  );
});

describe.each([
  ['2 dimensions', [32, 5]],
  ['3 dimensions', [32, 5, 7]],
])('%s', (_, shape) => {
  const [x, dy] = [normal(shape, 1, { offset: 2 }), normal(shape, 2)];

  test('test_batchnorm_eval: twice the same output and gradient, bit by bit', () => {
    const bn = new nn.BatchNorm1d(5).eval();
    bn.runningMean!.data.set([1, 2, 3, 4, 5] as never);
    bn.runningVar!.data.set([1, 2, 3, 4, 5] as never);
    const [first, second] = [pass(bn, x, dy), pass(bn, x, dy)];
    expectSameBits(second.y, first.y, 'y');
    expectSameBits(second.dx, first.dx, 'dx');
    expect(statistics(bn)).toEqual({ mean: [1, 2, 3, 4, 5], var: [1, 2, 3, 4, 5], batches: 0 });
  });

  test('test_batchnorm_eval: without running statistics training and evaluation are the same', () => {
    const bn = new nn.BatchNorm1d(5, { trackRunningStats: false });
    const trained = pass(bn, x, dy);
    const evaluated = pass(bn.eval(), x, dy);
    expectSameBits(evaluated.y, trained.y, 'y');
    expectSameBits(evaluated.dx, trained.dx, 'dx');
  });

  test('test_batchnorm_affine: weight 1 and bias 0 are no weight and no bias', () => {
    for (const training of [true, false]) {
      const affine = pass(new nn.BatchNorm1d(5).train(training), x, dy);
      const plain = pass(new nn.BatchNorm1d(5, { affine: false }).train(training), x, dy);
      expectSameBits(plain.y, affine.y, 'y');
      expectSameBits(plain.dx, affine.dx, 'dx');
    }
  });

  test('test_batchnorm_simple_average: with momentum null two batches count the same, until reset', () => {
    const bn = new nn.BatchNorm1d(5, { momentum: null });
    const other = normal(shape, 3, { offset: -1, scale: 2 });
    const fresh = { mean: [0, 0, 0, 0, 0], var: [1, 1, 1, 1, 1], batches: 0 };
    expect(statistics(bn)).toEqual(fresh);

    const alone = [x, other].map((batch) => {
      const y = bn.forward(batch);
      const seen = statistics(bn);
      expect(seen.batches).toBe(1);
      expect(seen.mean).not.toEqual(fresh.mean);
      expect(seen.var).not.toEqual(fresh.var);
      bn.resetRunningStats();
      expect(statistics(bn)).toEqual(fresh);
      return { y, seen };
    });

    for (const [i, batch] of [x, other].entries())
      expectSameBits(bn.forward(batch), alone[i]!.y, 'y');
    const both = statistics(bn);
    expect(both.batches).toBe(2);
    for (const name of ['mean', 'var'] as const) {
      const [a, b] = [alone[0]!.seen[name], alone[1]!.seen[name]];
      const expected = a.map((value, c) => (value + b[c]!) / 2);
      // Half a unit for each batch stored alone, one for both, one for the average.
      expectAllClose(both[name], expected, { k: 3, scale: 8 }, name);
    }
  });

  test('test_batchnorm_update_stats: training moves them by one batch, evaluation not at all', () => {
    const bn = new nn.BatchNorm1d(5);
    const before = statistics(bn);
    bn.forward(x);
    const after = statistics(bn);
    expect(after.batches).toBe(1);
    for (let c = 0; c < 5; c++) {
      expect(after.mean[c]).not.toBe(before.mean[c]);
      expect(after.var[c]).not.toBe(before.var[c]);
    }
    bn.eval().forward(x);
    expect(statistics(bn)).toEqual(after);
  });
});
