// An option that is given as undefined is one that is left out, everywhere: `{ lr: config.lr }`. The types say so
// too: this file compiles under exactOptionalPropertyTypes.
import { describe, expect, test } from 'vitest';

import { data, functional, manualSeed, nn, optim, tensor, Tensor } from '../../src/index.js';

const x = (): Tensor =>
  tensor(
    [
      [1, 2],
      [3, 5],
      [4, 4],
    ],
    { requiresGrad: true },
  );
const parameter = (): nn.Parameter => {
  const made = new nn.Parameter(tensor([1, 2]));
  made.grad = tensor([0.5, -1]);
  return made;
};
const stepped = (make: (p: nn.Parameter) => optim.SGD | optim.Adam): unknown => {
  const p = parameter();
  const optimizer = make(p);
  optimizer.step();
  return [p.toArray(), { ...optimizer.paramGroups[0]!, params: [] }];
};
const state = (module: nn.Module): unknown => [
  ...[...module.stateDict()].map(([key, value]) => [key, value.dtype, value.toArray()]),
  String(module),
];
const mean = (): Tensor => tensor([0, 0]);
const variance = (): Tensor => tensor([1, 1]);

/** Each call with its options, or with none; and every option, once undefined. */
const CALLS: [string, (options?: never) => unknown, Record<string, undefined>][] = [
  [
    'tensor',
    (o?: object) => String(tensor([1, 2], o)),
    { dtype: undefined, requiresGrad: undefined },
  ],
  [
    'Tensor.from',
    (o?: object) => Tensor.from({ data: new Float32Array(2), dims: [2], ...o }).shape,
    { shape: undefined, stride: undefined, strides: undefined, offset: undefined },
  ],
  [
    'BatchNorm1d',
    (o?: object) => state(new nn.BatchNorm1d(2, o)),
    {
      ...{ eps: undefined, momentum: undefined, affine: undefined, bias: undefined },
      ...{ trackRunningStats: undefined, dtype: undefined, layout: undefined },
      ...{ nonFinite: undefined, singleValue: undefined },
    },
  ],
  [
    'LazyBatchNorm1d',
    (o?: object) => {
      const bn = new nn.LazyBatchNorm1d(o);
      bn.forward(x());
      return state(bn);
    },
    { eps: undefined, momentum: undefined, affine: undefined, bias: undefined, dtype: undefined },
  ],
  [
    'FrozenBatchNorm1d',
    (o?: object) => state(new nn.FrozenBatchNorm1d(2, o)),
    { eps: undefined, dtype: undefined, layout: undefined },
  ],
  [
    'Linear',
    (o?: object) => {
      manualSeed(1);
      return state(new nn.Linear(2, 2, o));
    },
    { bias: undefined, dtype: undefined },
  ],
  [
    'BatchNorm1d.forward',
    (o?: object) => new nn.BatchNorm1d(2).forward(x(), o).toArray(),
    { out: undefined, relu: undefined, lengths: undefined },
  ],
  [
    'FrozenBatchNorm1d.forward',
    (o?: object) => new nn.FrozenBatchNorm1d(2).forward(x(), o).toArray(),
    { out: undefined, relu: undefined, lengths: undefined },
  ],
  [
    'BatchNorm1d.forwardAsync',
    async (o?: object) => (await new nn.BatchNorm1d(2).forwardAsync(x(), o)).toArray(),
    { signal: undefined, transfer: undefined, relu: undefined, lengths: undefined },
  ],
  [
    'BatchNorm1d.freeze',
    (o?: object) => new nn.BatchNorm1d(2).freeze(o).weight!.requiresGrad,
    { affine: undefined },
  ],
  [
    'batchNorm',
    (o?: object) => functional.batchNorm(x(), mean(), variance(), o).toArray(),
    {
      ...{ weight: undefined, bias: undefined, training: undefined, momentum: undefined },
      ...{ eps: undefined, relu: undefined, out: undefined, lengths: undefined },
    },
  ],
  [
    'crossEntropy',
    (o?: object) => functional.crossEntropy(x(), [0, 1, 1], o).item(),
    { reduction: undefined, ignoreIndex: undefined },
  ],
  [
    'CrossEntropyLoss',
    (o?: object) => new nn.CrossEntropyLoss(o).forward(x(), [0, 1, 1]).item(),
    { reduction: undefined, ignoreIndex: undefined },
  ],
  ['mseLoss', (o?: object) => functional.mseLoss(x(), x(), o).item(), { reduction: undefined }],
  ['MSELoss', (o?: object) => new nn.MSELoss(o).forward(x(), x()).item(), { reduction: undefined }],
  [
    'dropout',
    (o?: object) => {
      manualSeed(2);
      return functional.dropout(x(), o).toArray();
    },
    { p: undefined, training: undefined },
  ],
  [
    'backward',
    (o?: object) => {
      const leaf = x();
      functional.sum(leaf).backward(undefined, o);
      return leaf.grad!.toArray();
    },
    { retainGraph: undefined },
  ],
  [
    'backwardAsync',
    async (o?: object) => {
      const leaf = x();
      await functional.sum(leaf).backwardAsync(undefined, o);
      return leaf.grad!.toArray();
    },
    { retainGraph: undefined, signal: undefined },
  ],
  [
    'registerBuffer',
    (o?: object) => {
      const relu = new nn.ReLU();
      relu.registerBuffer('b', tensor([1]), o);
      return [...relu.stateDict().keys()];
    },
    { persistent: undefined },
  ],
  [
    'Module.zeroGrad',
    (o?: object) => {
      const linear = new nn.Linear(1, 1);
      linear.weight.grad = tensor([[1]]);
      linear.zeroGrad(o);
      return linear.weight.grad;
    },
    { setToNone: undefined },
  ],
  [
    'loadStateDict',
    (o?: object) => {
      const source = new nn.BatchNorm1d(2);
      const target = new nn.BatchNorm1d(2);
      target.loadStateDict(source.stateDict(), o);
      return target.weight!.data === source.weight!.data;
    },
    { strict: undefined, assign: undefined },
  ],
  [
    'updateBatchNorm',
    (o?: object) => nn.updateBatchNorm(new nn.BatchNorm1d(2), [x()], o),
    { input: undefined },
  ],
  [
    'SGD',
    (o?: object) => stepped((p) => new optim.SGD([p], o)),
    {
      ...{ lr: undefined, momentum: undefined, dampening: undefined, weightDecay: undefined },
      ...{ nesterov: undefined, maximize: undefined },
    },
  ],
  [
    'a group of SGD',
    (o?: object) =>
      stepped((p) => new optim.SGD([{ params: [p], ...o }], { lr: 0.5, momentum: 0.5 })),
    { lr: undefined, momentum: undefined, dampening: undefined, nesterov: undefined },
  ],
  ...(['Adam', 'AdamW'] as const).map((kind): (typeof CALLS)[number] => [
    kind,
    (o?: object) => stepped((p) => new optim[kind]([p], o)),
    {
      ...{ lr: undefined, betas: undefined, eps: undefined, weightDecay: undefined },
      ...{ maximize: undefined },
    },
  ]),
  [
    'Optimizer.step',
    (o?: object) => new optim.SGD([parameter()]).step(o),
    { nonFinite: undefined },
  ],
  [
    'Optimizer.zeroGrad',
    (o?: object) => {
      const p = parameter();
      new optim.SGD([p]).zeroGrad(o);
      return p.grad;
    },
    { setToNone: undefined },
  ],
  [
    'DataLoader',
    (o?: object) => {
      const loader = new data.DataLoader(new data.TensorDataset([[1], [2], [3]]), o);
      return [...loader].map(([rows]) => rows.toArray());
    },
    { batchSize: undefined, shuffle: undefined, dropLast: undefined },
  ],
];

describe.each(CALLS)('%s', (_, call, options) => {
  test('each option as undefined, and all of them', async () => {
    const expected = await call();
    for (const name of Object.keys(options)) {
      expect(await call({ [name]: undefined } as never), name).toEqual(expected);
    }
    expect(await call(options as never)).toEqual(expected);
    expect(await call(undefined)).toEqual(expected);
  });
});

test('the types allow undefined', () => {
  const { lr } = {} as { lr: number | undefined };
  const rate: optim.SGDOptions = { lr };
  const bn: nn.BatchNormOptions = { eps: lr, momentum: lr };
  const group: optim.ParameterGroup<{ lr: number }> = { params: [], lr };
  const loader: data.DataLoaderOptions = { batchSize: lr };
  expect([rate.lr, bn.eps, group.lr, loader.batchSize]).toEqual([lr, lr, lr, lr]);
});
