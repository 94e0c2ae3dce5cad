// PyTorch's test_stateless.py for BatchNorm, and what else the stateless form has to share with it.
import { functional, nn, tensor } from 'evenkeel';
import { expect, test } from 'vitest';

import { snapshot, thrownBy } from '../helpers/snapshot.js';
import { normal, statistics } from './inputs.js';

test("test_functional_batch_norm: statistics that are handed over move, the module's own do not", () => {
  const bn = new nn.BatchNorm1d(10);
  const x = tensor(new Float32Array(200).fill(128), [20, 10]);
  const [mean, variance] = [tensor(new Float32Array(10)), tensor(new Float32Array(10).fill(1))];
  const unchanged = snapshot(bn);
  functional.batchNorm(x, mean, variance, { weight: bn.weight, bias: bn.bias, training: true });
  unchanged();
  expect(mean.toArray()).toEqual(Array.from({ length: 10 }, () => Math.fround(12.8)));

  bn.forward(x);
  expect(statistics(bn).mean).toEqual(mean.toArray());
});

test('any rank from 2: the rest of the dimensions is length', () => {
  const x = normal([2, 3, 1, 2, 1, 2], 1);
  const flat = tensor(x.data, [2, 3, 4]);
  const [six, three] = [x, flat].map((each) =>
    functional.batchNorm(each, null, null, { training: true }),
  );
  expect(six!.shape).toEqual([2, 3, 1, 2, 1, 2]);
  expect([...six!.data]).toEqual([...three!.data]);
});

test('evaluation without statistics normalises by the batch, where PyTorch refuses', () => {
  const x = tensor([[1], [3]]);
  expect(functional.batchNorm(x, null, null, { eps: 0.25 }).toArray()).toEqual(
    functional.batchNorm(x, null, null, { eps: 0.25, training: true }).toArray(),
  );
});

test('operands are [C]: [1, C] is refused', () => {
  const [x, row, flat] = [normal([2, 3], 1), tensor([[1, 1, 1]]), tensor([1, 1, 1])];
  const wrong = (name: string): string =>
    `RangeError: batchNorm: expected ${name} of shape [3] (${name} should contain 3 elements not 3), got shape [1, 3].`;
  expect(thrownBy(() => functional.batchNorm(x, row, flat))).toBe(wrong('running_mean'));
  expect(thrownBy(() => functional.batchNorm(x, flat, row))).toBe(wrong('running_var'));
  expect(thrownBy(() => functional.batchNorm(x, flat, flat, { weight: row }))).toBe(
    wrong('weight'),
  );
});
