// Wherever a mean is formed, that of equal values is their value: float64 has no wider sum to hide in.
import { functional, nn, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

const COUNTS = [1, 2, 3, 5, 7, 9, 10, 49, 100, 1000, 16_384, 100_003];
const VALUES = [0.1, 1 / 3, -0.7, Math.PI, 1e300, 1e-310, 1.9999999999999998];
const equal = (value: number, n: number): Tensor => tensor(new Float64Array(n).fill(value), [n]);

describe.each(VALUES)('float64 values that all are %d', (value) => {
  test.each(COUNTS)('mean of %i', (n) => {
    expect(functional.mean(equal(value, n)).item()).toBe(value);
  });

  test.each(COUNTS)('mseLoss of %i', (n) => {
    if (value ** 2 === Infinity) return;
    expect(functional.mseLoss(equal(value, n), equal(0, n)).item()).toBe(value ** 2);
  });

  test.each(COUNTS)('running mean of %i', (n) => {
    if (n === 1) return;
    const bn = new nn.BatchNorm1d(1, { dtype: 'float64', momentum: 1 });
    const x = equal(value, n);
    bn.forward(functional.reshape(x, [n, 1]));
    expect(bn.runningMean!.item()).toBe(value);
  });
});

test.each(COUNTS)('crossEntropy of %i equal rows', (n) => {
  const row = [0.3, -1.7, 0.123456789];
  const rows = (count: number): Tensor =>
    tensor(
      Float64Array.from({ length: count * 3 }, (_, i) => row[i % 3]!),
      [count, 3],
    );
  const targets = (count: number): Int32Array => new Int32Array(count).fill(1);
  const one = functional.crossEntropy(rows(1), targets(1)).item();
  expect(functional.crossEntropy(rows(n), targets(n)).item()).toBe(one);
  // rows that do not count do not divide
  const some = Int32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 1 : -100));
  expect(functional.crossEntropy(rows(2 * n), some).item()).toBe(one);
});

test('gradient of a mean: dy / n, rounded once', () => {
  const x = tensor(new Float64Array(49), [49], { requiresGrad: true });
  functional.mean(x).backward(tensor(Float64Array.of(7), []));
  expect(x.grad!.data[0]).toBe(7 / 49);
});

test('a sum of float64 keeps what its additions round away', () => {
  const x = tensor(Float64Array.of(1e16, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1e16), [11]);
  expect(functional.sum(x).item()).toBe(9);
  expect(functional.sum(equal(Infinity, 3)).item()).toBe(Infinity);
  expect(functional.mean(equal(-Infinity, 3)).item()).toBe(-Infinity);
  expect(functional.mean(equal(NaN, 3)).item()).toBeNaN();
  expect(functional.mean(tensor(new Float64Array(0), [0])).item()).toBeNaN();
  expect(functional.mean(equal(Number.MAX_VALUE, 100)).item()).toBe(Number.MAX_VALUE);
});
