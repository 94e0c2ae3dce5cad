// A dimension in the place of options, as programs for PyTorch have it: `x.mean(1)` is `x.mean({ dim: 1 })`.
import { describe, expect, test } from 'vitest';

import { functional, tensor, Tensor } from '../../src/index.js';

const x = tensor([
  [
    [3, 1, 2, 7],
    [9, 4, 6, 5],
  ],
  [
    [0, 8, -1, 2],
    [5, 5, 3, -4],
  ],
]);

type Result = Tensor | readonly Tensor[] | { values: Tensor; indices: Tensor };
const plain = (result: Result): unknown => {
  if (result instanceof Tensor) return { shape: result.shape, values: result.toArray() };
  return Array.isArray(result) ? result.map(plain) : Object.values(result).map(plain);
};

const OF_SEVERAL = ['sum', 'mean', 'var', 'std', 'logsumexp', 'amax', 'amin'] as const;
const OF_ONE = [
  ...(['max', 'min', 'argmax', 'argmin'] as const),
  ...(['sort', 'argsort', 'softmax', 'logSoftmax'] as const),
] as const;
const names = [...OF_SEVERAL, ...OF_ONE];

describe('a dimension where options go', () => {
  test.each(names)('%s, as a function and as a method', (name) => {
    const byFunction = functional[name] as (x: Tensor, dim: unknown, more?: unknown) => Result;
    const method = (dim: unknown): Result => (x[name] as (dim: unknown) => Result).call(x, dim);
    for (const dim of [0, 1, -1]) {
      const wanted = plain(byFunction(x, { dim }));
      expect(plain(byFunction(x, dim))).toEqual(wanted);
      expect(plain(method(dim))).toEqual(wanted);
    }
    expect(() => byFunction(x, 3)).toThrow(/dim from -3 to 2 \(Dimension out of range\), got 3/);
    expect(() => byFunction(x, 1.5)).toThrow(/got 1.5/);
    expect(() => byFunction(x, '1')).toThrow(/expected an options object .*, got '1'/);
    // Neither taken for something else, nor left out without a word.
    for (const more of ['keepdim', 1, [0], { dim: 0 }]) {
      expect(() => byFunction(x, 1, more)).toThrow(/expected 2 arguments, got 3/);
    }
    expect(() => byFunction(x, { dim: 1 }, true)).toThrow(/expected 2 arguments, got 3 \(true\)/);
    expect(() => byFunction(x, 1, { keepDims: true })).toThrow(/among .*, got 'keepDims'|got 3/);
  });

  const flags = { sort: 'descending', argsort: 'descending' } as Partial<Record<string, string>>;
  test.each(names)('%s, with its further option behind the dimension', (name) => {
    const call = functional[name] as (x: Tensor, dim: unknown, more?: unknown) => Result;
    const method = x[name] as (dim: unknown, more?: unknown) => Result;
    const noFlag = ['var', 'std', 'softmax', 'logSoftmax'].includes(name);
    if (noFlag) expect(() => call(x, 1, true)).toThrow(/expected 2 arguments, got 3 \(true\)/);
    if (name === 'softmax' || name === 'logSoftmax') return;
    const flag = flags[name] ?? 'keepdim';
    for (const value of [true, false]) {
      const wanted = plain(call(x, { dim: 1, [flag]: value }));
      expect(plain(call(x, 1, { [flag]: value }))).toEqual(wanted);
      expect(plain(method.call(x, 1, { [flag]: value }))).toEqual(wanted);
      if (noFlag) continue;
      expect(plain(call(x, 1, value))).toEqual(wanted);
      expect(plain(method.call(x, 1, value))).toEqual(wanted);
    }
  });

  test.each(OF_SEVERAL)('%s over several', (name) => {
    const wanted = plain(functional[name](x, { dim: [0, 2] }));
    expect(plain(functional[name](x, [0, 2]))).toEqual(wanted);
    expect(plain(x[name]([0, 2]))).toEqual(wanted);
    expect(() => x[name]([0, 0])).toThrow(/dim appears multiple times/);
  });

  test.each(OF_ONE)('%s refuses several', (name) => {
    const call = functional[name] as (x: Tensor, dim: unknown) => Result;
    expect(() => call(x, [0, 1])).toThrow(/expected dim to be a whole number, got an array/);
  });

  test('topk, glu, split, chunk, cat and stack', () => {
    expect(plain(x.topk(1, 0))).toEqual(plain(x.topk(1, { dim: 0 })));
    expect(plain(x.topk(1, 0, false))).toEqual(plain(x.topk(1, { dim: 0, largest: false })));
    expect(() => functional.topk(x, 1, 0, 1 as never)).toThrow(/expected 3 arguments, got 4/);
    expect(plain(functional.glu(x, 1))).toEqual(plain(functional.glu(x, { dim: 1 })));
    expect(plain(x.split(2, 2))).toEqual(plain(x.split(2, { dim: 2 })));
    expect(plain(x.chunk(2, 1))).toEqual(plain(x.chunk(2, { dim: 1 })));
    expect(plain(functional.cat([x, x], 1))).toEqual(plain(functional.cat([x, x], { dim: 1 })));
    expect(plain(functional.stack([x, x], -1))).toEqual(
      plain(functional.stack([x, x], { dim: -1 })),
    );
  });

  test('a chain as in PyTorch, with its gradient', () => {
    const y = tensor([[1, 2], [3, 4]], { requiresGrad: true }); // prettier-ignore
    const z = y.add(1).mul(0.5).mean([1]);
    expect(z.toArray()).toEqual([1.25, 2.25]);
    z.sum(0).backward();
    expect(y.grad?.toArray()).toEqual([
      [0.25, 0.25],
      [0.25, 0.25],
    ]);
  });
});
