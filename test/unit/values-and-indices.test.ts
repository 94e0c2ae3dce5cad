// What max, min, sort, topk and pools give: by name, by number, and taken apart as PyTorch's.
import { describe, expect, test } from 'vitest';

import { functional, scope, tensor, type Tensor } from '../../src/index.js';

const x = (): Tensor => tensor([[3, 1, 2], [4, 6, 5]], { requiresGrad: true }); // prettier-ignore

describe('taken apart', () => {
  const uses = {
    max: () => x().max(1),
    min: () => functional.min(x(), { dim: 0 }),
    sort: () => x().sort(1, true),
    topk: () => x().topk(2),
    maxPool1d: () => functional.maxPool1d(x(), 2, { returnIndices: true }),
  };
  test.each(Object.entries(uses))('%s', (_, use) => {
    const { values, indices } = use();
    const [first, second] = use();
    const both: Tensor[] = [first, second];
    const numbered = [use()[0], use()[1]];
    const wanted = [values.toArray(), indices.toArray()];
    expect(both.map((each) => each.toArray())).toEqual(wanted);
    expect(numbered.map((each) => each.toArray())).toEqual(wanted);
    expect([...use()].map(({ dtype }) => dtype)).toEqual(['float32', 'int64']);
    expect(Object.keys(use())).toEqual(['values', 'indices']);
  });
});

test('the gradient is that of the values', () => {
  const input = x();
  const [values] = input.max(1);
  values.sum().backward();
  expect(input.grad!.toArray()).toEqual([[1, 0, 0], [0, 1, 0]]); // prettier-ignore
});

test('a scope lets both out that it returns, whole or taken apart', () => {
  const whole = scope(() => x().max(1));
  const [values] = scope(() => {
    const [best, places] = x().sort(1);
    return [best, places] as const;
  });
  let inner: Tensor | null = null;
  const nested = scope(() => {
    const result = scope(() => x().topk(1));
    inner = result.values.mul(2);
    return { result };
  });
  const all = [whole.values, whole.indices, values, nested.result.values, nested.result.indices];
  expect(all.map(({ disposed }) => disposed)).toEqual(Array(5).fill(false));
  expect(inner!.disposed).toBe(true);
  expect(whole.indices.toArray()).toEqual([0, 1]);
});

test('structuredClone, JSON and text have the names', () => {
  const result = tensor([1, 2]).max(0);
  expect(Object.keys(structuredClone(result))).toEqual(['values', 'indices']);
  expect(JSON.parse(JSON.stringify(result))).toMatchObject({ values: { data: 2 } });
});
