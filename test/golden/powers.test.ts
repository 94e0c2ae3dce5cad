// x^p of two tensors: the corners as PyTorch has them, broadcasting, numbers, and how exact it is.
import { functional, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { readGolden } from '../helpers/golden.js';
import { thrownBy } from '../helpers/snapshot.js';

type Said = number | 'Infinity' | '-Infinity' | 'NaN' | '-0';
const golden = readGolden('powers') as {
  torch: string;
  bases: Said[];
  exponents: Said[];
  result: Said[];
  ofBases: Said[];
  ofExponents: Said[];
};
const numbers = (said: readonly Said[]): Float64Array => Float64Array.from(said, Number);
const { bases, exponents } = golden;
const row = (): Tensor => tensor(numbers(exponents), [1, exponents.length], { requiresGrad: true });
const column = (): Tensor => tensor(numbers(bases), [bases.length, 1], { requiresGrad: true });

/** Equal, or both within a few units in the last place; signs of zero, infinities and NaN as they are. */
function expectSame(got: Tensor, want: readonly Said[], unit: number): void {
  numbers(want).forEach((each, i) => {
    const value = Number(got.data[i]);
    const where = `${bases[Math.floor(i / exponents.length)]!} ^ ${exponents[i % exponents.length]!}`;
    if (Number.isFinite(each) && each !== 0) {
      expect(Math.abs(value - each), where).toBeLessThanOrEqual(4 * unit * Math.abs(each));
    } else expect(Object.is(value, each), `${where}: ${value}, not ${each}`).toBe(true);
  });
}

describe.each([
  ['float64', 2 ** -52],
  ['float32', 2 ** -23],
] as const)('corners as PyTorch %s', (dtype, unit) => {
  const kind = dtype === 'float32' ? Float32Array : Float64Array;
  const whole = (values: readonly number[]): Tensor =>
    tensor(kind.from(values), [bases.length, exponents.length], { requiresGrad: true });
  const x = whole([...numbers(bases)].flatMap((each) => exponents.map(() => each)));
  const p = whole(bases.flatMap(() => [...numbers(exponents)]));
  const y = functional.pow(x, p);
  y.backward(tensor(new kind(y.numel).fill(1), y.shape));

  test('values', () => expectSame(y, golden.result, unit));
  test('gradients of the bases', () => expectSame(x.grad!, golden.ofBases, unit));
  test('gradients of the exponents', () => expectSame(p.grad!, golden.ofExponents, unit));
});

test('a column to the power of a row; each gradient has its shape', () => {
  const [x, p] = [column(), row()];
  const y = x.pow(p);
  expectSame(y, golden.result, 2 ** -52);
  functional.sum(y).backward();
  expect([x.grad!.shape, p.grad!.shape]).toEqual([x.shape, p.shape]);
});

test('a number to the power of a tensor; a gradient of NaN stays out where the exponent is 0', () => {
  const p = tensor([3, 0, -1], { dtype: 'float64', requiresGrad: true });
  const y = functional.pow(2, p);
  expect(y.toArray()).toEqual([8, 1, 0.5]);
  functional.sum(y).backward();
  const log2 = Math.LN2;
  p.grad!.toArray<number[]>().forEach((each, i) =>
    expect(each).toBeCloseTo([8, 1, 0.5][i]! * log2, 14),
  );
  const x = tensor([2, 2], { requiresGrad: true });
  functional.pow(x, tensor([0, 1])).backward(tensor([NaN, 1]));
  expect(x.grad!.toArray()).toEqual([0, 1]);
});

test('the same bits as with a number', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    const values = Array.from({ length: 1001 }, (_, i) => 1.01 ** (i - 500));
    const x = tensor(values, { dtype });
    for (const exponent of [0.3, -1.7, 3, 40]) {
      const p = tensor(values.map(() => exponent), { dtype }); // prettier-ignore
      // A float32 exponent is rounded; a number is not.
      const number = dtype === 'float32' ? Math.fround(exponent) : exponent;
      expect(functional.pow(x, p).data).toEqual(functional.pow(x, number).data);
    }
  }
});

test('what is refused', () => {
  const x = tensor([1, 2]);
  expect(thrownBy(() => functional.pow(x, tensor([1, 2, 3])))).toMatch(
    /^RangeError: pow: expected shapes that broadcast/,
  );
  expect(thrownBy(() => functional.pow(x, tensor([1, 2], { dtype: 'float64' })))).toMatch(
    /^TypeError: pow: /,
  );
  expect(thrownBy(() => functional.pow(2, 3))).toMatch(
    /^TypeError: pow: expected a tensor among the operands/,
  );
  expect(thrownBy(() => functional.pow(x, Infinity))).toMatch(
    /^RangeError: pow: expected p to be a finite number/,
  );
  expect(thrownBy(() => functional.pow(x, 'a' as never))).toMatch(/^TypeError: /);
});
