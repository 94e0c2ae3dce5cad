// softmax, max and argmax along a dimension that is not the last go through columns side by side: they give what the same
// rows give, one behind the other.
import { functional as f, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

const SHAPES: readonly (readonly [number, number, number])[] = [
  [3, 5, 4],
  [1, 2, 2],
  [5, 1, 3],
  [2, 7, 130],
  [1, 300, 17],
  [40, 3, 2],
  [1, 2100, 33],
  [2, 16, 1000],
];

/** Values with ties; in some columns NaN, infinite ones, or -Infinity alone. */
function valuesOf([outer, size, inner]: readonly [number, number, number]): Float64Array {
  const every = (i: number): number => {
    const [column, row] = [i % inner, Math.floor(i / inner) % size];
    if (column % 11 === 3 && row === size - 1) return NaN;
    if (column % 11 === 5 && row === 0) return Infinity;
    if (column % 11 === 7) return -Infinity;
    return ((i * 7919) % 23) - 11;
  };
  return Float64Array.from({ length: outer * size * inner }, (_, i) => every(i));
}

const behind = (x: Tensor): Tensor => f.permute(x, [0, 2, 1]);
/** `of` along the middle dimension, and along the last one of the same, moved back. */
function bothWays(
  shape: readonly [number, number, number],
  dtype: 'float32' | 'float64',
  of: (x: Tensor, dim: number) => Tensor,
): readonly [middle: unknown[], last: unknown[]] {
  const results = [1, 2].map((dim) => {
    const x = tensor(valuesOf(shape), shape, { dtype });
    x.requiresGrad = true;
    const y = dim === 1 ? of(x, 1) : behind(of(behind(x), 2));
    y.backward(tensor(valuesOf(shape).map((_, i) => Math.cos(i)), shape, { dtype })); // prettier-ignore
    return [...Array.from(y.data as Float64Array), ...Array.from(x.grad!.data as Float64Array)];
  });
  return [results[0]!, results[1]!];
}

describe.each([
  ['float32', 2 ** -22],
  ['float64', 2 ** -50],
] as const)('%s', (dtype, near) => {
  test.each(SHAPES)('softmax of [%i, %i, %i], and its gradient', (...shape) => {
    for (const of of [f.softmax, f.logSoftmax]) {
      const [middle, last] = bothWays(shape, dtype, (x, dim) => of(x, { dim }));
      // prettier-ignore
      const far = middle.filter((value, i) => {
        const [got, want] = [value as number, last[i] as number];
        return !Object.is(got, want) && !(Math.abs(got - want) <= near * Math.max(1, Math.abs(want)));
      });
      expect(far).toEqual([]);
    }
  });

  test.each(SHAPES)(
    'max, min, argmax and argmin of [%i, %i, %i]: the first of equal ones',
    (...shape) => {
      const x = tensor(valuesOf(shape), shape, { dtype });
      for (const of of [f.argmax, f.argmin]) {
        expect(of(x, { dim: 1 }).toArray()).toEqual(of(behind(x), { dim: 2 }).toArray());
      }
      for (const of of [f.max, f.min]) {
        const [middle, last] = [of(x, { dim: 1 }), of(behind(x), { dim: 2 })];
        expect(middle.values.toArray()).toEqual(last.values.toArray());
        expect(middle.indices.toArray()).toEqual(last.indices.toArray());
      }
    },
  );
});
