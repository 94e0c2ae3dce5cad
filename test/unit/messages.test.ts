// What a newcomer's mistake is told: the operation that was called, and a way out.
import { expect, test } from 'vitest';

import { arange, functional as f, nn, optim, tensor, type Tensor, zeros } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const x = (): Tensor => tensor([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
const whole = (list: number[], shape: number[]): Tensor => tensor(Int32Array.from(list), shape);
const CONVERTS = "x.to('float32') converts";
const SAME = `(all inputs must share same datatype; ${CONVERTS}).`;
const FLOATS = `to be float32 or float64, got int32 (${CONVERTS}).`;
const MAKES = "arange(n, { dtype: 'float32' }) makes floats).";
const MULTI = '(0D or 1D target tensor expected, multi-target not supported).';
const HAS_WHOLE = "(tensor(labels, { dtype: 'int64' }) has whole numbers).";
const CLASSES =
  'expected class targets as an integer array or tensor, number[] or bigint[], got a tensor of float32 ';
const linear = (): nn.Linear => new nn.Linear(3, 2);

// prettier-ignore
test.each<[string, () => unknown, string]>([
  // Another dtype.
  ['mul of a mask', () => x().mul(f.gt(x(), 2)), `TypeError: mul: expected the second operand to be float32 like the input, got int32 ${SAME}`],
  ['div of a mask', () => x().div(f.gt(x(), 2)), `TypeError: div: expected the second operand to be float32 like the input, got int32 ${SAME}`],
  ['where of two dtypes', () => f.where(f.gt(x(), 2), x(), tensor([1], { dtype: 'float64' })), `TypeError: where: expected the second operand to be float32 like the input, got float64 ${SAME}`],
  ['std of integers', () => whole([1, 2], [2]).std(), `TypeError: std: expected the input ${FLOATS}`],
  ['mean of a comparison', () => f.gt(x(), 2).mean(), `TypeError: mean: expected the input to be float32 or float64, got int32 (${CONVERTS}; x.sum().item() / x.numel is the mean of a comparison).`],
  ['a loss of integers', () => f.l1Loss(whole([1], [1]), x()), `TypeError: l1Loss: expected the prediction ${FLOATS}`],
  ['linear of integers', () => f.linear(whole([1, 2, 3], [3]), linear().weight), `TypeError: linear: expected the input ${FLOATS}`],
  ['a fraction times integers', () => arange(4).mul(0.5), `RangeError: mul: expected whole numbers for int64, got 0.5 (${CONVERTS}; ${MAKES}`],
  ['a quotient of integers', () => arange(4).div(2), `TypeError: div: expected the first operand to be float32 or float64, got int64 (${CONVERTS}; ${MAKES}`],
  // What is no options object.
  ['max of two', () => f.max(x(), x() as never), 'TypeError: max: expected options among dim, keepdim, got a Tensor (maximum(a, b) takes the larger of each).'],
  ['min of two', () => f.min(x(), x() as never), 'TypeError: min: expected options among dim, keepdim, got a Tensor (minimum(a, b) takes the smaller of each).'],
  ['a loss made of tensors', () => new nn.MSELoss(x() as never), 'TypeError: MSELoss: expected options among reduction, got a Tensor (its forward takes the tensors).'],
  ['a step of a tensor', () => new optim.SGD(linear().parameters(), { lr: 1 }).step(x() as never), 'TypeError: SGD.step: expected options among nonFinite, got a Tensor.'],
  ['a model for options', () => new optim.EarlyStopping(new nn.Sequential(linear()) as never), /^TypeError: EarlyStopping: expected options among .*, got a Module \(Sequential\)\.$/ as never],
  ['a Map for options', () => x().std(new Map() as never), 'TypeError: std: expected options among dim, keepdim, correction, got an instance of Map.'],
  ['a typed array for options', () => x().sum(new Float32Array() as never), 'TypeError: sum: expected options among dim, keepdim, got Float32Array of length 0.'],
  // What is no tensor.
  ['matmul of nothing', () => f.matmul(x(), undefined as never), 'TypeError: matmul: expected the second operand to be a Tensor, got undefined.'],
  ['sub of a list', () => x().sub([1, 2] as never), 'TypeError: sub: expected the second operand to be a Tensor (tensor(values) makes a Tensor), got an array of length 2.'],
  ['add of a list to integers', () => arange(2).add([1, 2] as never), 'TypeError: add: expected the second operand to be a Tensor (tensor(values) makes a Tensor), got an array of length 2.'],
  ['eq of a list', () => x().eq([0, 1] as never), 'TypeError: eq: expected the second operand to be a Tensor (tensor(values) makes a Tensor), got an array of length 2.'],
  ['a target of 0', () => f.mseLoss(x(), 0 as never), 'TypeError: mseLoss: expected the target to be a Tensor, got 0.'],
  ['a promise', () => f.relu(Promise.resolve(x()) as never), 'TypeError: relu: expected the input to be a Tensor (await the promise), got an instance of Promise.'],
  ['a layer of null', () => new nn.BatchNorm1d(3).forward(null as never), 'TypeError: BatchNorm1d: expected the input to be a Tensor, got null.'],
  // Class targets.
  ['crossEntropy of floats', () => f.crossEntropy(x(), tensor([0, 2])), `TypeError: crossEntropy: ${CLASSES}${HAS_WHOLE}`],
  ['nllLoss of floats', () => f.nllLoss(x(), tensor([0, 2])), `TypeError: nllLoss: ${CLASSES}${HAS_WHOLE}`],
  ['a column of targets', () => f.crossEntropy(x(), whole([0, 2], [2, 1])), `RangeError: crossEntropy: expected class targets of shape [2], got shape [2, 1] for an input of shape [2, 3] ${MULTI}`],
  ['a row of targets', () => f.nllLoss(x(), whole([0, 2], [1, 2])), `RangeError: nllLoss: expected class targets of shape [2], got shape [1, 2] for an input of shape [2, 3] ${MULTI}`],
  ['a scalar of a batch of one', () => f.nllLoss(tensor([[1, 2]]), whole([0], [])), 'RangeError: nllLoss: expected class targets of shape [1], got shape [] for an input of shape [1, 2].'],
  // The rest.
  ['a batch of one', () => new nn.BatchNorm1d(2).forward(zeros([1, 2])), 'RangeError: BatchNorm1d: expected more than 1 value per channel when training, got input of shape [1, 2] (a last batch of one: dropLast: true of the DataLoader leaves it out).'],
  ['an object for a state', () => linear().loadStateDict(Object.fromEntries(linear().stateDict()) as never), 'TypeError: Linear.loadStateDict: expected state_dict to be dict-like (a Map), got an object (new Map(Object.entries(x))).'],
  ['a list for a state', () => linear().loadStateDict([...linear().stateDict()] as never), 'TypeError: Linear.loadStateDict: expected state_dict to be dict-like (a Map), got an array of length 2 (new Map(x), of [key, tensor] pairs).'],
  ['a promise for a state', () => linear().loadStateDict(Promise.resolve() as never), 'TypeError: Linear.loadStateDict: expected state_dict to be dict-like (a Map), got an instance of Promise (await it).'],
  ["a promise for an optimiser's state", () => new optim.SGD(linear().parameters(), { lr: 1 }).loadStateDict(Promise.resolve() as never), 'TypeError: SGD.loadStateDict: expected a state dict { state, param_groups }, got an instance of Promise (await it).'],
])('%s', (_, act, message: unknown) => {
  if (message instanceof RegExp) expect(thrownBy(act)).toMatch(message);
  else expect(thrownBy(act)).toBe(message);
});

test('the ways out that the messages name', () => {
  const mask = f.gt(x(), 2);
  expect(
    x()
      .mul(tensor(mask, { dtype: 'float32' }))
      .toArray(),
  ).toEqual([
    [0, 0, 3],
    [4, 5, 6],
  ]);
  expect(mask.sum().item() / mask.numel).toBe(4 / 6);
  expect(arange(4, { dtype: 'float32' }).mul(0.5).toArray()).toEqual([0, 0.5, 1, 1.5]);
  const labels = tensor(tensor([0, 2]), { dtype: 'int64' });
  expect(f.crossEntropy(x(), labels).item()).toBe(f.crossEntropy(x(), [0, 2]).item());
  const saved = Object.fromEntries(linear().stateDict());
  expect(String(linear().loadStateDict(new Map(Object.entries(saved))))).toContain('All keys');
});

test('booleans are a mask, as a comparison makes one', () => {
  const mask = tensor([[true, false], [false, true]]); // prettier-ignore
  expect(mask.dtype).toBe('int32');
  expect(mask.toArray()).toEqual([[1, 0], [0, 1]]); // prettier-ignore
  expect(tensor(true).toArray()).toBe(1);
  expect(f.where(mask, zeros([2, 2]), 7).toArray()).toEqual([[0, 7], [7, 0]]); // prettier-ignore
  expect(tensor([true, false], { dtype: 'float64' }).dtype).toBe('float64');
});

test('options of no prototype, of a class and of a subclass are read as before', () => {
  class Options {
    keepdim = true;
  }
  for (const options of [
    Object.assign(Object.create(null) as object, { keepdim: true }),
    new Options(),
  ])
    expect(x().sum(options).shape).toEqual([1, 1]);
});
