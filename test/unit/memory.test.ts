// Who holds memory: what goes back to the pool, what never does, and what a graph says when something it
// saved is detached.
import { markAsUntransferable } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  functional,
  native,
  nn,
  noGrad,
  optim,
  scope,
  tensor,
  type Tensor,
} from '../../src/index.js';
import { floats } from '../../src/tensor/tensor.js';
import { thrownBy } from '../helpers/snapshot.js';

const { add, mul, relu, reshape, sum } = functional;
const N = 2048;
const ones = (): Float32Array => new Float32Array(N).fill(1);
const output = (): Tensor => relu(tensor(ones()));
const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });

const { limit } = native.memory;
beforeEach(() => native.memory.trim());
afterEach(() => (native.memory.limit = limit));

describe('dispose', () => {
  test('gives memory that nobody saw to the next output of that size', () => {
    const y = output();
    const memory = floats(y);
    y.dispose();
    expect([y.disposed, native.memory.pooled]).toEqual([true, 4 * N + 256]);
    expect(floats(output())).toBe(memory);
    expect(native.memory.pooled).toBe(0);
  });

  test('twice is once: two outputs never share memory', () => {
    const y = output();
    y.dispose();
    y.dispose();
    expect(floats(output())).not.toBe(floats(output()));
  });

  test('takes away every view a user has, and still keeps the memory', () => {
    const y = output();
    const views = [y.data, (y.data as Float32Array).subarray(3), new Uint8Array(y.data.buffer)];
    y.dispose();
    expect(views.map(({ length }) => length)).toEqual([0, 0, 0]);
    expect(native.memory.pooled).toBe(4 * N + 256);
    const next = output();
    expect(next.toArray()).toEqual([...ones()]);
    expect(views[0] === next.data).toBe(false);
  });

  test('a max pool has its places from the pool, and none without a gradient', () => {
    const x = tensor(new Float32Array(2 * N), [1, 1, 2 * N], { requiresGrad: true });
    noGrad(() => functional.maxPool1d(x, 2)).dispose();
    expect(native.memory.pooled).toBe(4 * N + 256);
    for (let i = 0; i < 2; i++) scope(() => void functional.maxPool1d(x, 2));
    expect(native.memory.pooled).toBe(2 * (4 * N + 256));
  });

  test.each([
    ['an adopted array', () => ones()],
    ['shared memory', () => new Float32Array(new SharedArrayBuffer(4 * N)).fill(1)],
  ])('leaves %s to its owner', (_, make) => {
    const array = make();
    const x = tensor(array);
    expect(x.data).toBe(array);
    x.dispose();
    expect([array.length, array[7], native.memory.pooled]).toEqual([N, 1, 0]);
  });

  test('memory that the user has given away or nailed down is not reused', () => {
    const [given, nailed] = [output(), output()];
    structuredClone(given.data.buffer, { transfer: [given.data.buffer as ArrayBuffer] });
    given.dispose();
    const view = nailed.data as Float32Array;
    markAsUntransferable(view.buffer);
    nailed.dispose();
    const next = output();
    view.fill(9);
    expect(next.toArray()).toEqual([...ones()]);
  });

  test('every other size and dtype has memory of its own', () => {
    for (const y of [output(), relu(tensor(new Float64Array(N / 2)))]) y.dispose();
    expect(relu(tensor(new Float32Array(N / 2))).data).toHaveLength(N / 2);
    expect(relu(tensor(new Float64Array(N))).data).toHaveLength(N);
    expect(native.memory.pooled).toBe(2 * (4 * N + 256));
  });

  test('outputs without elements are nothing to keep', () => {
    relu(tensor(new Float32Array(0))).dispose();
    expect(native.memory.pooled).toBe(0);
  });
});

describe('memory goes back with its last holder', () => {
  const holders: Readonly<Record<string, (y: Tensor) => Tensor>> = {
    detach: (y) => y.detach(),
    reshape: (y) => reshape(y, [N, 1]),
    'a Parameter': (y) => new nn.Parameter(y),
    'the result over out': (y) =>
      noGrad(() => {
        const bn = new nn.BatchNorm1d(2);
        return bn.forward(tensor(new Float32Array(N), [N / 2, 2]), { out: reshape(y, [N / 2, 2]) });
      }),
  };

  test.each(Object.entries(holders))('%s', (name, make) => {
    for (const first of [0, 1]) {
      native.memory.trim();
      const y = output();
      const other = make(y);
      const memory = floats(y);
      [y, other][first]!.dispose();
      expect(native.memory.pooled).toBe(0);
      const left = [other, y][first]!;
      const before = left.toArray();
      for (let i = 0; i < 3; i++) floats(output()).fill(9);
      expect(left.toArray()).toEqual(before);
      expect(floats(left)).toBe(memory);
      left.dispose();
      // The reshape that made the out is a holder too, and was never disposed of.
      expect(native.memory.pooled).toBe(name.includes('out') ? 0 : 4 * N + 256);
    }
  });

  test('an alias of a disposed tensor is disposed of as well', () => {
    const y = output();
    y.dispose();
    expect(y.detach().disposed).toBe(true);
    expect(thrownBy(() => reshape(y, [N, 1]))).toContain('disposed of');
    expect(thrownBy(() => new nn.Parameter(y).item())).toContain('expected one element');
    expect(native.memory.pooled).toBe(4 * N + 256);
  });

  test('a clone is memory of its own', () => {
    const y = output();
    const copy = y.clone();
    y.dispose();
    floats(output()).fill(9);
    expect(copy.toArray()).toEqual([...ones()]);
  });
});

describe('native.memory', () => {
  const dispose = (size: number): void => relu(tensor(new Float32Array(size))).dispose();
  const cost = (size: number): number => 4 * size + 256;

  test('the size used longest ago goes first', () => {
    const made = [100, 200, 100].map((size) => relu(tensor(new Float32Array(size))));
    for (const each of made) each.dispose();
    native.memory.limit = native.memory.inUse + cost(100) * 2;
    expect(native.memory.pooled).toBe(cost(100) * 2);
    dispose(50);
    expect(native.memory.pooled).toBe(cost(100) + cost(50));
    dispose(100);
    expect(native.memory.pooled).toBe(cost(100) + cost(50));
  });

  test('an array larger than all of it is not kept, and takes no place', () => {
    native.memory.limit = cost(100);
    dispose(100);
    dispose(101);
    expect(native.memory.pooled).toBe(cost(100));
  });

  test('a lower limit holds at once; 0 keeps nothing, and views still go', () => {
    for (const size of [100, 200, 300]) dispose(size);
    native.memory.limit = cost(300);
    expect(native.memory.pooled).toBe(cost(300));
    native.memory.limit = 0;
    const y = output();
    const view = y.data;
    y.dispose();
    expect([native.memory.pooled, view.length]).toEqual([0, 0]);
  });

  test('a program whose sizes never repeat keeps 256 of them', () => {
    for (let size = 1; size <= 1000; size++) dispose(size);
    let expected = 0;
    for (let size = 745; size <= 1000; size++) expected += cost(size);
    expect(native.memory.pooled).toBe(expected);
  });

  test.each([
    [-1, '-1'],
    [NaN, 'NaN'],
    ['5', "'5'"],
  ])('a limit of %j is an error', (bytes, got) => {
    expect(thrownBy(() => (native.memory.limit = bytes as number))).toBe(
      `RangeError: native.memory.limit: expected a number of bytes of at least 0, got ${got}.`,
    );
    expect(native.memory.limit).toBe(limit);
  });
});

describe('a graph that saved what has been disposed of says so', () => {
  const M = [2, 2];
  const weights = (): Tensor =>
    tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    );
  const label = tensor([
    [0, 1],
    [1, 0],
  ]);
  type Case = (w: Tensor) => readonly [result: Tensor, saved: Tensor];
  const cases: Readonly<Record<string, Case>> = {
    relu: (w) => {
      const y = relu(w);
      return [sum(y), y];
    },
    mul: (w) => {
      const x = label.clone();
      return [sum(mul(w, x)), x];
    },
    linear: (w) => {
      const x = label.clone();
      return [sum(functional.linear(x, w)), x];
    },
    mseLoss: (w) => {
      const x = label.clone();
      return [functional.mseLoss(w, x), x];
    },
    batchNorm: (w) => {
      const x = mul(w, label);
      return [sum(functional.batchNorm(x, null, null, { training: true })), x];
    },
  };

  test.each(Object.entries(cases))('%s', (name, make) => {
    const w = weights();
    const [result, saved] = make(w);
    const alias = saved.detach(); // The memory itself is still there.
    saved.dispose();
    expect(thrownBy(() => result.backward())).toBe(
      `Error: ${name}: one of the variables needed for gradient computation has been disposed of.`,
    );
    expect([w.grad, alias.disposed]).toEqual([null, false]);
  });

  test('a leaf that is detached', () => {
    const [w, v] = [weights(), weights()];
    const y = sum(add(w, v));
    w.dispose();
    expect(thrownBy(() => y.backward())).toContain('Tensor.backward: expected tensor to hold');
    expect(v.grad).toBeNull();
  });

  test('and what nobody saved may go: the gradient finds its way through it', () => {
    const w = weights();
    const [a, b] = [add(w, w), reshape(w, [4])];
    const c = reshape(b, M);
    const y = sum(add(a, c));
    for (const each of [a, b, c]) each.dispose();
    y.backward();
    expect(w.grad!.toArray()).toEqual([
      [3, 3],
      [3, 3],
    ]);
  });
});

test('a result that is kept after its backward keeps no tensor of the graph', () => {
  const x = leaf([1, 2]);
  const product = mul(x, x);
  const y = sum(product);
  const before = product.operation;
  y.backward();
  // The sum can go back again, so it keeps the way to the product, which keeps nothing.
  expect(y.operation?.inputs).toEqual([{ shape: [2], dtype: 'float32' }]);
  expect(y.operation?.inputs[0]).not.toBe(product);
  expect(y.operation?.sources).toEqual([before]);
  expect([before?.inputs, before?.sources]).toEqual([[], []]);
});

describe('gradients', () => {
  const reusing = (x: Tensor, act: () => void): boolean => {
    const memory = floats(x.gradient!);
    act();
    return [0, 1, 2].some(() => floats(relu(tensor(new Float32Array(x.numel)))) === memory);
  };

  test('that nobody saw are reused once they are forgotten', () => {
    const p = new nn.Parameter(tensor(ones()));
    const optimizer = new optim.SGD([p], { lr: 1 });
    sum(mul(p, p)).backward();
    expect(reusing(p, () => optimizer.zeroGrad())).toBe(true);
    sum(mul(p, p)).backward();
    expect(reusing(p, () => (p.grad = null))).toBe(true);
    sum(mul(p, p)).backward();
    expect(reusing(p, () => p.dispose())).toBe(true);
  });

  test('that somebody saw, or gave, stay with that owner', () => {
    const p = new nn.Parameter(tensor(ones()));
    sum(mul(p, p)).backward();
    const seen = p.grad!;
    expect(reusing(p, () => p.zeroGrad(true))).toBe(false);
    const given = output();
    p.grad = given;
    expect(reusing(p, () => (p.grad = null))).toBe(false);
    expect([seen.disposed, given.disposed]).toEqual([false, false]);
    expect([floats(seen)[5], floats(given)[5]]).toEqual([2, 1]);
  });

  test('zeroGrad to zeros keeps the memory', () => {
    const p = new nn.Parameter(tensor([1, 2]));
    sum(mul(p, p)).backward();
    const memory = floats(p.gradient!);
    p.zeroGrad(false);
    expect([p.grad!.data, p.grad!.toArray()]).toEqual([memory, [0, 0]]);
  });

  test('an error on the way leaves everything as it was', () => {
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    const x = tensor(new Float32Array([5, 6]));
    const y = sum(add(mul(a, x), mul(b, b)));
    const kept = x.data.slice() as Float32Array;
    structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });
    expect(thrownBy(() => y.backward())).toContain('its buffer was detached');
    expect([a.grad, b.grad, kept.length]).toEqual([null, null, 2]);
  });
});
