// Arithmetic, comparisons, reductions, shapes, indexing and activations against PyTorch in float64.
import { functional, tensor, type Tensor } from 'evenkeel';
import { expect, test } from 'vitest';

import { describeGoldenCases } from '../helpers/golden-cases.js';
import { readGolden } from '../helpers/golden.js';

type Nested = number[] | Nested[];

const integers = (values: unknown, dtype: 'int32' | 'int64'): Tensor =>
  tensor(values as Nested, { dtype });

describeGoldenCases('operations', {
  adapters: {
    where: (a, b, mask) => functional.where(integers(mask, 'int32'), a as Tensor, b as Tensor),
    maskedFill: (x, value, mask) =>
      functional.maskedFill(x as Tensor, integers(mask, 'int32'), value as number),
    gather: (x, dim, index) =>
      functional.gather(x as Tensor, dim as number, integers(index, 'int64')),
    indexAdd: (x, source, dim, index) =>
      functional.indexAdd(x as Tensor, dim as number, index as number[], source as Tensor),
  },
  bent: new Set([
    ...['clamp', 'hardtanh', 'relu6', 'abs', 'leakyRelu', 'elu'],
    ...['max', 'min', 'amax', 'amin'],
  ]),
});

test('every function has a case, here or in another file', () => {
  const names = ['operations', 'tensors', 'convolution', 'losses'].flatMap((file) => {
    const { cases } = readGolden(file) as { readonly cases: readonly { readonly name: string }[] };
    return cases.map(({ name }) => name);
  });
  // Files of their own: batchnorm, layers. Those that draw have no values to compare.
  const others = ['batchNorm', 'linear', 'relu', 'custom', 'dropout', 'dropout1d'];
  const known = new Set([...names, ...others]);
  expect(Object.keys(functional).filter((name) => !known.has(name))).toEqual([]);
});
