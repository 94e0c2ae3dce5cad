// What the functions and small layers refuse, by the whole sentence; and what they take as it is.
import { describe, expect, test } from 'vitest';

import { functional, manualSeed, nn, tensor, type Tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const { add, crossEntropy, dropout, linear, mean, mseLoss, mul, relu, reshape } = functional;
const ints = (): Tensor => tensor([1, 2], { dtype: 'int32' });
const doubles = (): Tensor => tensor([1, 2], { dtype: 'float64' });
const same = (dtype: string): string =>
  `(all inputs must share same datatype; x.to('${dtype}') converts)`;
const floating = (who: string, name: string): string =>
  `TypeError: ${who}: expected ${name} to be float32 or float64, got int32 (x.to('float32') converts).`;
const targets =
  'TypeError: crossEntropy: expected class targets as an integer array or tensor, number[] or bigint[], got';
const logits = (): Tensor =>
  tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);

test.each<[string, () => unknown, string]>([
  [
    'add: integers and floats',
    () => add(ints(), tensor([1])),
    floating('add', 'the first operand'),
  ],
  [
    'add: two dtypes',
    () => add(tensor([1, 2]), doubles()),
    `TypeError: add: expected the second operand to be float32 like the input, got float64 ${same('float32')}.`,
  ],
  [
    'mul: shapes that do not broadcast',
    () => mul(tensor([1, 2]), tensor([1, 2, 3])),
    'RangeError: mul: expected shapes that broadcast (the size of tensor a must match the size of tensor b at ' +
      'non-singleton dimension 0), got [2] and [3].',
  ],
  [
    'mean: integers',
    () => mean(ints()),
    floating('mean', 'the input').replace(
      'converts)',
      'converts; x.sum().item() / x.numel is the mean of a comparison)',
    ),
  ],
  ['relu: integers', () => relu(ints()), floating('relu', 'the input')],
  [
    'reshape: -1 beside 0',
    () => reshape(tensor([1, 2]), [-1, 0]),
    'RangeError: reshape: expected no -1 beside a size of 0 (the unspecified dimension size -1 can be any value and ' +
      'is ambiguous), got [-1, 0].',
  ],
  [
    'conv1d: a stride past what is counted',
    () => functional.conv1d(tensor([[[1, 2]]]), tensor([[[1]]]), null, { stride: 2 ** 50 }),
    'RangeError: conv1d: expected stride to be a whole number from 1 to 2147483647, got 1125899906842624.',
  ],
  [
    'reshape: another size',
    () => reshape(tensor([1, 2]), [3]),
    'RangeError: reshape: expected a shape of 2 elements, got shape [3].',
  ],
  [
    'reshape: a negative size',
    () => reshape(tensor([1, 2]), [-2]),
    'RangeError: reshape: expected every size of a shape to be a whole number of at least 0, got -2.',
  ],
  [
    'dropout: p out of range',
    () => dropout(tensor([1]), { p: 1.5 }),
    'RangeError: dropout: expected p to be a number from 0 to 1, got 1.5.',
  ],
  ['dropout: integers', () => dropout(ints()), floating('dropout', 'the input')],
  [
    'Dropout: p',
    () => new nn.Dropout(-1),
    'RangeError: Dropout: expected p to be a number from 0 to 1, got -1.',
  ],
  [
    'linear: a weight of rank 1',
    () => linear(tensor([[1, 2]]), tensor([1, 2])),
    'RangeError: linear: expected a weight of shape [outFeatures, inFeatures], got shape [2].',
  ],
  [
    'linear: other features',
    () => new nn.Linear(3, 2).forward(tensor([[1, 2]])),
    'RangeError: linear: expected input with 3 features in its last dimension, got shape [1, 2].',
  ],
  [
    'linear: two dtypes',
    () => new nn.Linear(2, 2).forward(doubles()),
    `TypeError: linear: expected weight to be float64 like the input, got float32 ${same('float64')}.`,
  ],
  [
    'linear: a bias of other size',
    () => linear(tensor([[1, 2]]), tensor([[1, 2]]), tensor([1, 2])),
    'RangeError: linear: expected bias of shape [1], got shape [2].',
  ],
  [
    'Linear: features',
    () => new nn.Linear(0, 2),
    'RangeError: Linear: expected inFeatures to be a positive integer, got 0.',
  ],
  [
    'Linear: an unknown option',
    () => new nn.Linear(1, 1, { bais: false } as never),
    "TypeError: Linear: expected options among bias, dtype, got 'bais' (did you mean 'bias'?).",
  ],
  [
    'crossEntropy: rank',
    () => crossEntropy(tensor(1), [0]),
    'RangeError: crossEntropy: expected logits of shape [N, classes], [classes] or [N, classes, …], got shape [].',
  ],
  [
    'crossEntropy: too few targets',
    () => crossEntropy(logits(), [0]),
    'RangeError: crossEntropy: expected 2 class targets, got 1.',
  ],
  [
    'crossEntropy: a class too far',
    () => crossEntropy(logits(), [0, 3]),
    'RangeError: crossEntropy: expected class targets from 0 to 2, got 3 at index 1.',
  ],
  [
    'crossEntropy: a negative class',
    () => crossEntropy(logits(), new Int32Array([-1, 0])),
    'RangeError: crossEntropy: expected class targets from 0 to 2, got -1 at index 0.',
  ],
  [
    'crossEntropy: half a class',
    () => crossEntropy(logits(), [0.5, 0]),
    'RangeError: crossEntropy: expected class targets from 0 to 2, got 0.5 at index 0.',
  ],
  [
    'crossEntropy: float targets',
    () => crossEntropy(logits(), tensor([0, 1])),
    `${targets} a tensor of float32 (tensor(labels, { dtype: 'int64' }) has whole numbers).`,
  ],
  ['crossEntropy: words', () => crossEntropy(logits(), 'ab' as never), `${targets} 'ab'.`],
  [
    'crossEntropy: another reduction',
    () => crossEntropy(logits(), [0, 1], { reduction: 'average' as never }),
    "RangeError: crossEntropy: expected reduction to be 'mean' or 'sum' or 'none', got 'average'.",
  ],
  [
    'crossEntropy: an option in snake case',
    () => crossEntropy(logits(), [0, 1], { ignore_index: 1 } as never),
    "TypeError: crossEntropy: expected options among weight, labelSmoothing, reduction, ignoreIndex, of, got 'ignore_index' (did you " +
      "mean 'ignoreIndex'?).",
  ],
  [
    'CrossEntropyLoss: an unknown option, at once',
    () => new nn.CrossEntropyLoss({ reducton: 'sum' } as never),
    "TypeError: CrossEntropyLoss: expected options among weight, labelSmoothing, reduction, ignoreIndex, got 'reducton' (did you " +
      "mean 'reduction'?).",
  ],
  [
    'mseLoss: another shape',
    () => mseLoss(tensor([1, 2]), tensor([1])),
    'RangeError: mseLoss: expected a target of shape [2], got shape [1].',
  ],
  [
    'mseLoss: two dtypes',
    () => mseLoss(tensor([1, 2]), doubles()),
    `TypeError: mseLoss: expected the target to be float32 like the input, got float64 ${same('float32')}.`,
  ],
])('%s', (_, body, message) => {
  expect(thrownBy(body)).toBe(message);
});

describe('class targets', () => {
  test.each<[string, functional.ClassTargets]>([
    ['number[]', [2, 0]],
    ['Int32Array', new Int32Array([2, 0])],
    ['Uint8Array', new Uint8Array([2, 0])],
    ['an int32 tensor', tensor([2, 0], { dtype: 'int32' })],
  ])('%s', (_, given) => {
    expect(crossEntropy(logits(), given).item()).toBe(crossEntropy(logits(), [2, 0]).item());
  });

  test('are read once: a later change does not reach backward', () => {
    const gradient = (change: boolean): unknown => {
      const x = tensor([[1, 2, 3]], { requiresGrad: true });
      const labels = new Int32Array([0]);
      const loss = crossEntropy(x, labels);
      if (change) labels[0] = 2;
      loss.backward();
      return x.grad!.toArray();
    };
    expect(gradient(true)).toEqual(gradient(false));
  });

  test('all ignored: the mean of nothing is NaN, the sum 0', () => {
    const none = { ignoreIndex: 1 };
    expect(crossEntropy(logits(), [1, 1], none).item()).toBeNaN();
    expect(crossEntropy(logits(), [1, 1], { ...none, reduction: 'sum' }).item()).toBe(0);
  });
});

describe('dropout', () => {
  test('keeps or scales, by the seed; in evaluation gives the values of the input, as a tensor of its own', () => {
    const x = tensor(new Float32Array(1000).fill(3));
    const draw = (seed: number): unknown[] => {
      manualSeed(seed);
      return [...dropout(x, { p: 0.25 }).data];
    };
    expect(new Set(draw(1))).toEqual(new Set([0, 4]));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const dropped = draw(1).filter((value) => value === 0).length;
    expect(Math.abs(dropped - 250)).toBeLessThan(70); // deviation 13.7; 5 of them
    const y = new nn.Dropout(0.25).eval().forward(x);
    expect(y).not.toBe(x);
    expect(y.data).toBe(x.data);
    expect([...dropout(x, { p: 1 }).data].every((value) => value === 0)).toBe(true);
  });
});

test('manualSeed makes layers start the same', () => {
  const weights = (seed: number): unknown => {
    manualSeed(seed);
    return new nn.Linear(4, 3).weight.toArray();
  };
  expect(weights(1)).toEqual(weights(1));
  expect(weights(1)).not.toEqual(weights(2));
  const bound = 1 / Math.sqrt(4);
  expect((weights(1) as number[][]).flat().every((w) => Math.abs(w) <= bound)).toBe(true);
});
