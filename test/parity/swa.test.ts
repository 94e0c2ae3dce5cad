// PyTorch's test/optim/test_swa_utils.py as far as it is about BatchNorm, told anew: there the variance
// may be off by 0.1, here both statistics are those of all rows.
import { data, functional, nn, tensor, type Tensor } from 'evenkeel';
import { expect, test } from 'vitest';

import { expectAllClose } from '../helpers/expect-close.js';
import { normal } from './inputs.js';

const ROWS = 100;

class Dnn extends nn.Module {
  fc = new nn.Linear(5, 10);
  bn = new nn.BatchNorm1d(10, { momentum: 0.3 });
  forward(x: Tensor): Tensor {
    return this.bn.forward(this.fc.forward(x));
  }
}

/** There is no convolution: the same Linear at each of 5 x 5 places. */
class Cnn extends nn.Module {
  fc = new nn.Linear(3, 10);
  bn = new nn.BatchNorm2d(10, { momentum: 0.3, layout: 'NLC' });
  before(x: Tensor): Tensor {
    return this.fc.forward(functional.reshape(x, [x.shape[0]!, 5, 5, 3]));
  }
  forward(x: Tensor): Tensor {
    return this.bn.forward(this.before(x));
  }
}

function loaders(width: number): { x: Tensor; inputs: data.DataLoader; pairs: data.DataLoader } {
  const x = normal([ROWS, width], 1, { offset: 2 });
  const labels = tensor(Int32Array.from({ length: ROWS }, (_, i) => i % 2));
  const options = { batchSize: 7, shuffle: true };
  return {
    x,
    inputs: new data.DataLoader(new data.TensorDataset(x), options),
    pairs: new data.DataLoader(new data.TensorDataset(x, labels), options),
  };
}

/** The statistics of all rows at once. */
function pooled(bn: nn.BatchNorm, before: Tensor): { mean: number[]; var: number[] } {
  const whole = new (bn.constructor as typeof nn.BatchNorm1d)(10, {
    momentum: 1,
    layout: bn.layout,
  });
  whole.forward(before);
  return {
    mean: [...whole.runningMean!.data].map(Number),
    var: [...whole.runningVar!.data].map(Number),
  };
}

function check(
  model: nn.Module & { bn: nn.BatchNorm },
  before: Tensor,
  loader: data.DataLoader,
): void {
  model.bn.resetRunningStats();
  nn.updateBatchNorm(model, loader);
  const all = pooled(model.bn, before);
  // The same rows, in other batches and another order: sums in double, one rounding of each result.
  expectAllClose(model.bn.runningMean, all.mean, { k: 3, scale: 8 }, 'running_mean');
  expectAllClose(
    model.bn.runningVar,
    all.var,
    { k: 3, scale: all.var.map((each) => each + 1) },
    'running_var',
  );
}

test('test_update_bn_dnn: the statistics of all rows, with labels beside them and without', () => {
  const { x, inputs, pairs } = loaders(5);
  const dnn = new Dnn();
  for (const loader of [inputs, pairs]) check(dnn, dnn.fc.forward(x), loader);
  expect(dnn.training).toBe(true);
});

test('test_update_bn_cnn: BatchNorm2d too', () => {
  const { x, inputs, pairs } = loaders(75);
  const cnn = new Cnn();
  for (const loader of [inputs, pairs]) check(cnn, cnn.before(x), loader);
  expect(cnn.training).toBe(true);
});

test('test_bn_update_eval_momentum: mode and momentum are as before', () => {
  const { inputs } = loaders(5);
  const dnn = new Dnn().eval();
  nn.updateBatchNorm(dnn, inputs);
  expect([dnn.training, dnn.bn.training, dnn.bn.momentum]).toEqual([false, false, 0.3]);
});

test('mode, momentum and statistics are as before when the loader throws, where PyTorch leaves them', () => {
  const dnn = new Dnn().eval();
  const before = [...dnn.stateDict().values()].map((each) => [...each.data]);
  function* broken(): Generator<Tensor> {
    yield normal([4, 5], 1);
    throw new Error('no more');
  }
  expect(() => nn.updateBatchNorm(dnn, broken())).toThrow('no more');
  expect([dnn.training, dnn.bn.momentum]).toEqual([false, 0.3]);
  expect([...dnn.stateDict().values()].map((each) => [...each.data])).toEqual(before);
});
