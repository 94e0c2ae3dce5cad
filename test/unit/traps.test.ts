// What people trip over in a training loop: each line of this file has cost somebody a day in another library. Losses and
// schedules are compared with PyTorch in test/golden; here is what must be refused, and the values at the corners.
import { data, functional, nn, optim, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { thrownBy } from '../helpers/snapshot.js';

const f = functional;
const leaf = (values: number[] | number[][]): Tensor =>
  tensor(values, { dtype: 'float64', requiresGrad: true });
/** dx of the sum of a result. */
const derivative = (x: Tensor, of: (x: Tensor) => Tensor): unknown => {
  f.sum(of(x)).backward();
  return x.grad!.toArray();
};

describe('shapes that would broadcast', () => {
  const column = (): Tensor => leaf([[1], [2], [3]]);
  const row = (): Tensor => tensor([1, 0, 1], { dtype: 'float64' });

  test('[N] - [N, 1] is [N, N] in arithmetic', () => {
    expect(f.sub(row(), column()).shape).toEqual([3, 3]);
  });

  test.each([
    'mseLoss',
    'l1Loss',
    'smoothL1Loss',
    'huberLoss',
    'binaryCrossEntropyWithLogits',
    'klDiv',
  ] as const)('%s refuses [N, 1] against [N], with both shapes', (name) => {
    expect(thrownBy(() => f[name](column(), row()))).toMatch(
      /^RangeError: \w+: expected .*\[3, 1\].*, got .*\[3\]/,
    );
  });

  test('weights do broadcast: posWeight over the last dimension', () => {
    const x = leaf([[0, 0], [0, 0]]); // prettier-ignore
    const target = tensor([[1, 1], [0, 0]], { dtype: 'float64' }); // prettier-ignore
    f.binaryCrossEntropyWithLogits(x, target, { posWeight: [1, 3], reduction: 'sum' }).backward();
    expect(x.grad!.toArray()).toEqual([[-0.5, -1.5], [0.5, 0.5]]); // prettier-ignore
  });
});

describe('binary cross-entropy', () => {
  test('of any logit: no overflow, and small losses stay', () => {
    const x = tensor([1000, -1000, 40], { dtype: 'float64' });
    const t = tensor([1, 0, 1], { dtype: 'float64' });
    const [high, low, small] = f.binaryCrossEntropyWithLogits(x, t, { reduction: 'none' }).toArray<number[]>(); // prettier-ignore
    expect([high, low]).toEqual([0, 0]);
    expect(small).toBeCloseTo(Math.exp(-40), 30);
  });

  test('of probabilities: logarithms from -100 on, 0 to 1 or refused', () => {
    const certain = leaf([1, 0]);
    const loss = f.binaryCrossEntropy(certain, tensor([0, 1], { dtype: 'float64' }), { reduction: 'none' }); // prettier-ignore
    expect(loss.toArray()).toEqual([100, 100]);
    expect(thrownBy(() => f.binaryCrossEntropy(tensor([1.5]), tensor([1])))).toMatch(
      /^RangeError: .*0 to 1.*got 1\.5/,
    );
  });
});

describe('cross-entropy', () => {
  const logits = (): Tensor => tensor([[0, 0], [0, 0], [0, 0]], { dtype: 'float64' }); // prettier-ignore
  const each = Math.log(2);

  test('the mean is over the weights of the targets, and what is ignored drops out of both', () => {
    // Rows of the same loss have their loss for a mean, whatever the weights.
    expect(f.crossEntropy(logits(), [0, 1, 1], { weight: [5, 1] }).item()).toBeCloseTo(each, 14);
    expect(f.crossEntropy(logits(), [0, -100, -100]).item()).toBeCloseTo(each, 14);
    expect(f.crossEntropy(logits(), [-100, -100, -100]).item()).toBeNaN();
  });

  test('probabilities: the mean is over the rows, weights or not', () => {
    const half = tensor([[1, 0], [0, 1], [0, 1]], { dtype: 'float64' }); // prettier-ignore
    expect(f.crossEntropy(logits(), half, { weight: [5, 1] }).item()).toBeCloseTo(
      (7 * each) / 3,
      14,
    );
  });
});

describe('derivatives at the corners', () => {
  test('sqrt at 0 is infinite, abs at 0 is 0', () => {
    expect(derivative(leaf([0]), f.sqrt)).toEqual([Infinity]);
    expect(derivative(leaf([0]), f.abs)).toEqual([0]);
  });

  test('clamp is 1 on its bounds, hardtanh 0', () => {
    expect(derivative(leaf([-1, 1, 2]), (x) => f.clamp(x, { min: -1, max: 1 }))).toEqual([1, 1, 0]);
    expect(derivative(leaf([-1, 1, 0]), (x) => f.hardtanh(x))).toEqual([0, 0, 1]);
  });

  test('of NaN: 0 behind a clamp of any kind, NaN behind elu and for all that amax and amin look at', () => {
    const gradientAt = (of: (x: Tensor) => Tensor, values = [NaN, 0.5]) =>
      derivative(leaf(values), of);
    for (const kind of [{ min: -1, max: 1 }, { max: 1 }, { min: -1 }]) {
      expect(gradientAt((x) => f.clamp(x, kind))).toEqual([0, 1]);
    }
    expect(gradientAt((x) => f.hardtanh(x))).toEqual([0, 1]);
    expect(gradientAt(f.relu6)).toEqual([0, 1]);
    expect(gradientAt((x) => f.elu(x))).toEqual([NaN, 1]);
    for (const extreme of [f.amax, f.amin]) {
      expect(derivative(leaf([[NaN, 1], [2, 3]]), (x) => f.mul(extreme(x, { dim: 1 }), 1))).toEqual( // prettier-ignore
        [[NaN, NaN], extreme === f.amax ? [0, 1] : [1, 0]],
      ); // prettier-ignore
    }
  });

  test('maximum halves a tie; max(dim) gives it to the first, amax to all', () => {
    const [a, b] = [leaf([2]), leaf([2])];
    f.maximum(a, b).backward();
    expect([a.grad!.item(), b.grad!.item()]).toEqual([0.5, 0.5]);
    expect(derivative(leaf([[3, 3, 1]]), (x) => f.max(x, { dim: 1 }).values)).toEqual([[1, 0, 0]]);
    expect(derivative(leaf([[3, 3, 1]]), (x) => f.amax(x, { dim: 1 }))).toEqual([[0.5, 0.5, 0]]);
  });

  test('std where it is 0, and the mean of nothing', () => {
    expect(derivative(leaf([2, 2]), (x) => f.std(x))).toEqual([0, 0]);
    expect(f.mean(tensor(new Float64Array(0), [0])).item()).toBeNaN();
  });

  test('relu and leakyRelu at 0 take the derivative below', () => {
    expect(derivative(leaf([0]), f.relu)).toEqual([0]);
    expect(derivative(leaf([0]), (x) => f.leakyRelu(x, { negativeSlope: 0.2 }))).toEqual([0.2]);
  });

  test('normalize: eps is a floor of the length, nothing that is added', () => {
    expect(f.normalize(tensor([[3, 4]], { dtype: 'float64' })).toArray()).toEqual([[0.6, 0.8]]);
    expect(f.normalize(tensor([[0, 0]])).toArray()).toEqual([[0, 0]]);
  });

  test('softmax of a row of -Infinity is NaN, of one beside a number 0', () => {
    const x = tensor([[-Infinity, -Infinity], [-Infinity, 1]]); // prettier-ignore
    expect(f.softmax(x, { dim: 1 }).toArray()).toEqual([[NaN, NaN], [0, 1]]); // prettier-ignore
  });

  test('softplus is the line above its threshold', () => {
    expect(f.softplus(tensor([30])).item()).toBe(30);
    expect(derivative(leaf([30]), (x) => f.softplus(x))).toEqual([1]);
  });
});

describe('shapes and places', () => {
  test('cat of one tensor twice: both parts go into its gradient; a part of no elements is none', () => {
    const x = leaf([1, 2]);
    const nothing = tensor(new Float64Array(0), [0]);
    const y = f.cat([x, nothing, x]);
    expect(y.toArray()).toEqual([1, 2, 1, 2]);
    y.backward(tensor([1, 10, 100, 1000], { dtype: 'float64' }));
    expect(x.grad!.toArray()).toEqual([101, 1010]);
  });

  test('topk and sort: of equal values the first', () => {
    const x = tensor([1, 3, 3, 3]);
    expect(f.topk(x, 2).indices.toArray()).toEqual([1, 2]);
    expect(f.sort(x, { descending: true }).indices.toArray()).toEqual([1, 2, 3, 0]);
  });

  test('one size of a shape may be -1: what is left; two, or one that nothing fills, are refused', () => {
    const x = leaf([1, 2, 3, 4, 5, 6]);
    expect(f.reshape(x, [-1, 2]).shape).toEqual([3, 2]);
    expect(x.reshape([3, 1, -1]).shape).toEqual([3, 1, 2]);
    expect(f.reshape(tensor(new Float64Array(0), [0, 3]), [-1, 3]).shape).toEqual([0, 3]);
    for (const shape of [[-1, -1], [-1, 4], [-2, 3], [-1, 0]]) {
      expect(thrownBy(() => f.reshape(x, shape)), String(shape)).toMatch(/^RangeError: reshape: /);
    } // prettier-ignore
    expect(derivative(x, (each) => f.mul(f.reshape(each, [-1, 3]), 2))).toEqual([2, 2, 2, 2, 2, 2]);
  });

  test('an index twice: both gradients are added', () => {
    expect(derivative(leaf([1, 2, 3]), (x) => f.indexSelect(x, 0, [2, 0, 2]))).toEqual([1, 0, 2]);
  });

  test('GLU of an odd size is refused', () => {
    expect(thrownBy(() => f.glu(tensor([[1, 2, 3]])))).toMatch(/^RangeError: glu: expected .*even/);
  });
});

describe('the loop', () => {
  const model = (): nn.Sequential =>
    new nn.Sequential(
      new nn.Linear(2, 3),
      new nn.BatchNorm1d(3),
      new nn.PReLU(),
      new nn.Linear(3, 1),
    );

  test('the best state is no alias of the model: weights, statistics and counter', () => {
    const net = model();
    const stopping = new optim.EarlyStopping({ patience: 0 });
    const before = net.stateDict().clone();
    stopping.step(1, net);
    net.forward(tensor([[1, 2], [3, 5]])); // prettier-ignore
    nn.init.zeros_((net.at(0) as nn.Linear).weight);
    expect(stopping.step(2, net)).toBe(true);
    for (const [key, value] of net.stateDict()) {
      expect([key, value.toArray()]).toEqual([key, before.get(key)!.toArray()]);
    }
  });

  test('an average has the statistics of its model, not those of its first day', () => {
    const net = model();
    const average = new nn.AveragedModel(net, { decay: 0.9 });
    net.forward(tensor([[1, 2], [3, 5]])); // prettier-ignore
    average.update(net);
    const [own, theirs] = [average.module, net].map((each) => each.at(1) as nn.BatchNorm1d); // prettier-ignore
    expect(own!.runningMean!.toArray()).toEqual(theirs!.runningMean!.toArray());
    expect(own!.numBatchesTracked).toBe(1);
  });

  test('biases, norms and PReLU do not decay', () => {
    const net = model();
    const [decaying] = optim.groups(net, { weightDecay: 0.1 });
    const names = [...net.namedParameters()].filter(([, each]) => decaying!.params.includes(each));
    expect(names.map(([name]) => name)).toEqual(['0.weight', '3.weight']);
  });

  test('clipping returns the norm before it', () => {
    const p = new nn.Parameter(tensor([0, 0]));
    p.grad = tensor([30, 40]);
    expect(nn.clipGradNorm_([p], 1)).toBe(50);
    expect(nn.clipGradNorm_([p], 1)).toBeCloseTo(1, 5);
  });

  test('after loading, the learning rate of the file is in force', () => {
    const p = new nn.Parameter(tensor([1]));
    const optimizer = new optim.Adam([p], { lr: 0.5 });
    optimizer.loadStateDict(new optim.Adam([p], { lr: 0.25 }).stateDict());
    expect(optimizer.paramGroups[0]!.lr).toBe(0.25);
  });

  test('a batch of one is refused in training, and dropLast leaves it out', () => {
    const net = new nn.BatchNorm1d(2);
    const set = new data.TensorDataset(tensor([[1, 2], [3, 4], [5, 6]])); // prettier-ignore
    const shapes = (options: data.DataLoaderOptions): number[] =>
      [...new data.DataLoader(set, options)].map(([x]) => net.forward(x).shape[0]!);
    expect(thrownBy(() => shapes({ batchSize: 2 }))).toMatch(
      /expected more than 1 value per channel when training/,
    );
    expect(shapes({ batchSize: 2, dropLast: true })).toEqual([2]);
  });

  test('weights of a sampler need not sum to 1', () => {
    expect([...new data.WeightedRandomSampler([0, 50, 0], 3)]).toEqual([1, 1, 1]);
  });

  test('the fan of a convolution is channels / groups × kernel', () => {
    const { weight } = new nn.Conv1d(4, 6, 5, { groups: 2 });
    nn.init.kaimingUniform_(weight, { nonlinearity: 'relu' });
    const most = Math.max(...[...(weight.data as Float32Array)].map(Math.abs));
    const bound = Math.sqrt(6 / (2 * 5));
    expect(most).toBeLessThanOrEqual(bound);
    expect(most).toBeGreaterThan(0.8 * bound);
  });
});
