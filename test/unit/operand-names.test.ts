// An operand whose memory is detached is named by the operation that wanted it, not by the package's inside.
import { expect, test } from 'vitest';

import { functional, nn, tensor, type Tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const detached = (...shape: number[]): Tensor => {
  const numel = shape.reduce((a, b) => a * b, 1);
  const x = tensor(new Float32Array(numel), shape);
  structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });
  return x;
};
const there = (...shape: number[]): Tensor =>
  tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

test.each<[string, () => unknown, string]>([
  ['relu', () => functional.relu(detached(2)), 'relu: expected the input'],
  ['sum', () => functional.sum(detached(2)), 'sum: expected the input'],
  ['mean', () => functional.mean(detached(2)), 'mean: expected the input'],
  ['add, first', () => functional.add(detached(2), there(2)), 'add: expected the first operand'],
  ['add, second', () => functional.add(there(2), detached(2)), 'add: expected the second operand'],
  ['mul, second', () => functional.mul(there(2), detached(2)), 'mul: expected the second operand'],
  ['linear', () => functional.linear(detached(1, 2), there(3, 2)), 'linear: expected the input'],
  [
    'linear, weight',
    () => functional.linear(there(1, 2), detached(3, 2)),
    'linear: expected weight',
  ],
  [
    'linear, bias',
    () => functional.linear(there(1, 2), there(3, 2), detached(3)),
    'linear: expected bias',
  ],
  ['mseLoss', () => functional.mseLoss(detached(2), there(2)), 'mseLoss: expected the prediction'],
  [
    'mseLoss, target',
    () => functional.mseLoss(there(2), detached(2)),
    'mseLoss: expected the target',
  ],
  [
    'crossEntropy',
    () => functional.crossEntropy(detached(1, 2), [0]),
    'crossEntropy: expected logits',
  ],
  ['dropout', () => functional.dropout(detached(2)), 'dropout: expected the input'],
  ['reshape', () => functional.reshape(detached(2), [2]), 'reshape: expected the input'],
  [
    'batchNorm',
    () => functional.batchNorm(detached(2, 2), null, null, { training: true }),
    'batchNorm: expected the input',
  ],
  [
    'BatchNorm1d',
    () => new nn.BatchNorm1d(2).forward(detached(2, 2)),
    'BatchNorm1d: expected the input',
  ],
])('%s', (_, call, start) => {
  const got = thrownBy(call);
  expect(got.startsWith(`TypeError: ${start} to hold the `), got).toBe(true);
});

test('sizes whose product is infinite beside a 0 make no elements, and no sentence with NaN', () => {
  const shape = [...Array.from({ length: 30 }, () => 2 ** 52), 0];
  expect(tensor([], shape).numel).toBe(0);
  expect(thrownBy(() => tensor([], shape.slice(0, 30)))).toMatch(
    /expected at most 2\^53 - 1 elements/,
  );
});
