// What changes a tensor in place counts as a change: copy_, fill_, zeroGrad({ setToNone: false }). And clone(),
// which is differentiable. The semantics are PyTorch 2.6's, each asked of it.
import { describe, expect, test } from 'vitest';

import type { Tensor } from '../../src/index.js';
import { functional, nn, noGrad, optim, tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const { add, linear, mul, relu, reshape, sum } = functional;
const leaf = (values: number[], dtype: 'float32' | 'float64' = 'float32'): Tensor =>
  tensor(values, { requiresGrad: true, dtype });
const LEAF = 'a leaf Variable that requires grad is being used in an in-place operation';
const CHANGED =
  /modified by an inplace operation: it is at version \d+; expected version \d+ instead\.$/;

describe('zeroGrad({ setToNone: false })', () => {
  const graph = (): { p: nn.Parameter; q: Tensor; z: Tensor } => {
    const [p, q] = [new nn.Parameter(tensor([1, 1])), leaf([1, 1])];
    sum(mul(p, p)).backward();
    return { p, q, z: sum(mul(p.grad!, q)) };
  };

  test('voids a graph that saved the gradient', () => {
    for (const clear of [
      (p: nn.Parameter) => p.zeroGrad(false),
      (p: nn.Parameter) => new optim.SGD([p]).zeroGrad({ setToNone: false }),
    ]) {
      const { p, q, z } = graph();
      clear(p);
      expect(thrownBy(() => z.backward())).toMatch(CHANGED);
      expect(q.grad).toBe(null);
    }
  });

  test('voids it too where the gradient is one value without an array', () => {
    const [p, q] = [new nn.Parameter(tensor([1, 1])), leaf([1, 1])];
    sum(p).backward();
    const z = sum(mul(p.gradient!, q));
    p.zeroGrad(false);
    expect(thrownBy(() => z.backward())).toMatch(CHANGED);
  });
});

describe('clone()', () => {
  test('passes the gradient on, in memory of its own', () => {
    const x = leaf([1, 2]);
    const y = x.clone();
    expect(y.requiresGrad).toBe(true);
    sum(mul(y, y)).backward();
    expect(x.grad!.toArray()).toEqual([2, 4]);
    noGrad(() => y.fill_(9));
    expect(x.toArray()).toEqual([1, 2]);
  });

  test('is a leaf where nothing is recorded: under noGrad, of what requires no grad, of integers', () => {
    const x = leaf([1, 2]);
    const free = noGrad(() => x.clone());
    expect([free.requiresGrad, tensor([1]).clone().requiresGrad]).toEqual([false, false]);
    free.requiresGrad = true;
    free.requiresGrad = false; // a leaf may
    expect(tensor(BigInt64Array.of(5n)).clone().toArray()).toEqual([5]);
  });

  test('a cloned module and a snapshot of statistics are cut off all the same', () => {
    const bn = new nn.BatchNorm1d(1);
    const copy = bn.clone();
    expect([...copy.parameters()].map((each) => each.operation)).toEqual([null, null]);
    bn.runningMean!.requiresGrad = true;
    const before = nn.snapshotStatistics(bn);
    noGrad(() => bn.runningMean!.fill_(7));
    before.rollback();
    expect(bn.runningMean!.item()).toBe(0);
  });
});

describe.each<['copy_' | 'fill_', (x: Tensor) => Tensor]>([
  ['copy_', (x) => x.copy_(tensor(new Float32Array(x.numel).fill(3), x.shape))],
  ['fill_', (x) => x.fill_(3)],
])('%s', (name, write) => {
  test('writes, returns the tensor, and is seen by what shares the memory', () => {
    const x = tensor([1, 2]);
    const other = x.detach();
    expect(write(x)).toBe(x);
    expect(other.toArray()).toEqual([3, 3]);
  });

  test('refuses a leaf that requires grad, but under noGrad', () => {
    const x = leaf([1, 2]);
    const unchanged = snapshot(x);
    expect(thrownBy(() => write(x))).toBe(`Error: Tensor.${name}: ${LEAF}; write under noGrad.`);
    unchanged();
    noGrad(() => write(x));
    expect([x.toArray(), x.requiresGrad, x.operation]).toEqual([[3, 3], true, null]);
  });

  test('voids every graph that saved the old values', () => {
    const [x, fc] = [leaf([1, 2]), new nn.Linear(2, 2)];
    const input = tensor([[1, 2]], { requiresGrad: true });
    for (const [y, changed] of [
      [sum(mul(x, x)), x],
      [sum(mul(x, x)), x.detach()],
      [sum(fc.forward(input)), fc.weight],
    ] as const) {
      noGrad(() => write(changed));
      expect(thrownBy(() => y.backward())).toMatch(CHANGED);
    }
    expect([x.grad, fc.weight.grad, input.grad]).toEqual([null, null, null]);
  });

  test('leaves a graph alone that does not read the old values', () => {
    const [x, w] = [tensor([[1, 2]]), new nn.Parameter(tensor([[3, 4]]))];
    const product = mul(x, w); // reads x only
    const scaled = linear(leaf([5, 6]), tensor([[1, 2]])); // reads the weight only
    noGrad(() => write(w));
    add(sum(product), sum(scaled)).backward();
    expect(w.grad!.toArray()).toEqual([[1, 2]]);
  });

  test('cuts a result off from what made it: zeros go back, as in PyTorch', () => {
    const a = leaf([1, 2]);
    const b = mul(a, tensor([2, 2]));
    write(b);
    sum(mul(b, b)).backward();
    expect(a.grad!.toArray()).toEqual([0, 0]);
  });

  test('keeps the graph of a result under noGrad', () => {
    const a = leaf([1, 2]);
    const b = mul(a, tensor([2, 2]));
    noGrad(() => write(b));
    sum(b).backward();
    expect(a.grad!.toArray()).toEqual([2, 2]);
  });

  test('refuses memory that a reshaped tensor shares while something is recorded', () => {
    const a = leaf([1, 2]);
    const base = mul(a, tensor([2, 2]));
    const view = reshape(base, [2, 1]);
    const leafView = reshape(a, [2, 1]);
    const words =
      `Error: Tensor.${name}: expected memory that no reshaped tensor shares while operations are recorded, ` +
      'got memory of a view; write into a clone(), or under noGrad.';
    for (const each of [base, view, leafView]) expect(thrownBy(() => write(each))).toBe(words);
    expect([base.toArray(), a.toArray()]).toEqual([
      [2, 4],
      [1, 2],
    ]);
    const free = tensor([1, 2]);
    const both = [free, reshape(free, [2, 1])];
    write(both[1]!);
    expect(free.toArray()).toEqual([3, 3]);
  });

  test('refuses memory that is detached', () => {
    const x = tensor([1, 2]);
    x.dispose();
    expect(thrownBy(() => write(x))).toMatch(/got 0 \(its buffer was detached/);
  });
});

describe('copy_', () => {
  test('passes the gradient to its source', () => {
    const [a, s] = [leaf([1, 2]), leaf([5, 6])];
    const b = mul(a, tensor([2, 2]));
    b.copy_(s);
    sum(mul(b, b)).backward();
    expect([a.grad!.toArray(), s.grad!.toArray()]).toEqual([
      [0, 0],
      [10, 12],
    ]);
  });

  test('makes a leaf that required no grad a result', () => {
    const [x, s] = [tensor([0, 0]), leaf([5, 6])];
    expect(x.copy_(s).requiresGrad).toBe(true);
    mul(x, x).backward(tensor([1, 2]));
    expect(s.grad!.toArray()).toEqual([10, 24]);
    const same = mul(s, tensor([2, 2]));
    s.grad = null;
    same.copy_(same);
    sum(same).backward();
    expect(s.grad!.toArray()).toEqual([2, 2]);
  });

  test('repeats its source, and sums the gradient back in double', () => {
    const x = tensor(new Float32Array(12), [2, 3, 2]);
    const s = tensor([[1], [2], [3]], { requiresGrad: true, dtype: 'float64' });
    x.copy_(s);
    expect(x.toArray()).toEqual(Array(2).fill([[1, 1], [2, 2], [3, 3]])); // prettier-ignore
    x.backward(
      tensor(
        Float32Array.from({ length: 12 }, (_, i) => i),
        [2, 3, 2],
      ),
    );
    expect([s.grad!.dtype, s.grad!.toArray()]).toEqual(['float64', [[14], [22], [30]]]);
    const scalar = leaf([7]);
    const y = tensor([[1, 2]]).copy_(scalar);
    sum(y).backward();
    expect([y.toArray(), scalar.grad!.toArray()]).toEqual([[[7, 7]], [2]]);
    expect(
      tensor(new Float32Array(0), [0, 2])
        .copy_(tensor([1, 2]))
        .toArray(),
    ).toEqual([]);
  });

  test('converts as PyTorch does', () => {
    const into = (dtype: 'float32' | 'float64' | 'int32' | 'int64', source: Tensor): unknown =>
      tensor(new Array(source.numel).fill(0), { dtype }).copy_(source).data;
    expect(into('int32', tensor([1.7, -1.7]))).toEqual(Int32Array.of(1, -1));
    expect(into('int64', tensor([1e10, -2.5], { dtype: 'float64' }))).toEqual(
      BigInt64Array.of(10000000000n, -2n),
    );
    expect(into('int32', tensor(BigInt64Array.of(2n ** 33n + 5n)))).toEqual(Int32Array.of(5));
    expect(into('float32', tensor([0.1], { dtype: 'float64' }))).toEqual(Float32Array.of(0.1));
    expect(into('float64', tensor(Int32Array.of(-3)))).toEqual(Float64Array.of(-3));
    // Just above halfway between two floats: by way of a double it would be rounded twice, down.
    const big = tensor(BigInt64Array.of(2n ** 60n + 2n ** 36n + 1n));
    expect(into('float32', big)).toEqual(Float32Array.of(2 ** 60 + 2 ** 37));
    const source = leaf([1.5]);
    const whole = tensor(BigInt64Array.of(0n)).copy_(source);
    expect([whole.requiresGrad, whole.toArray()]).toEqual([false, [1]]);
  });

  test('between overlapping arrays', () => {
    const all = Float32Array.of(1, 2, 3, 4);
    tensor(all.subarray(1)).copy_(tensor(all.subarray(0, 3)));
    expect([...all]).toEqual([1, 1, 2, 3]);
  });

  const x = tensor([1, 2]);
  test.each<[unknown, string]>([
    [tensor([1, 2, 3]), 'RangeError: Tensor.copy_: expected a source that broadcasts to shape [2], got shape [3].'],
    [tensor([[1, 2]]), 'RangeError: Tensor.copy_: expected a source that broadcasts to shape [2], got shape [1, 2].'],
    [[1, 2], "TypeError: copy_: expected the source to be a Tensor (tensor(values) makes a Tensor), got "],
    [null, "TypeError: copy_: expected the source to be a Tensor, got null"],
  ])('refuses %o', (source, words) => {
    const unchanged = snapshot(x);
    expect(thrownBy(() => x.copy_(source as Tensor)).startsWith(words)).toBe(true);
    unchanged();
  }); // prettier-ignore

  test('refuses what an integer type cannot hold', () => {
    const y = tensor(Int32Array.of(7, 8));
    for (const [value, got] of [
      [NaN, 'NaN'],
      [3e9, '3000000000'],
      [-Infinity, '-Infinity'],
    ] as const) {
      // prettier-ignore
      expect(thrownBy(() => y.copy_(tensor([1, value], { dtype: 'float64' })))).toBe(
        `RangeError: Tensor.copy_: expected values that int32 can hold, got ${got} at index 1.`,
      );
    }
    expect(y.toArray()).toEqual([7, 8]);
  });
});

describe('fill_', () => {
  test('takes a scalar tensor, with its gradient', () => {
    const [s, x] = [leaf([3]), tensor([1, 2])];
    const scalar = reshape(s, []);
    x.fill_(scalar);
    x.backward(tensor([4, 5]));
    expect([x.toArray(), s.grad!.toArray()]).toEqual([[3, 3], [9]]);
  });

  test('of integers', () => {
    expect(tensor(Int32Array.of(1)).fill_(-1.7).item()).toBe(-1);
    expect(tensor(BigInt64Array.of(1n)).fill_(2n ** 60n).data).toEqual(BigInt64Array.of(2n ** 60n));
    expect(tensor(BigInt64Array.of(1n)).fill_(1e15).data).toEqual(BigInt64Array.of(10n ** 15n));
    expect([...tensor([1, 2]).fill_(Infinity).data]).toEqual([Infinity, Infinity]);
  });

  const overflow = (dtype: string, got: string): string =>
    `RangeError: Tensor.fill_: expected a value that ${dtype} can hold (value cannot be converted to type ` +
    `${dtype} without overflow), got ${got}.`;
  test.each<[Tensor, unknown, string]>([
    [tensor([1]), 1e300, overflow('float32', '1e+300')],
    [tensor(Int32Array.of(1)), NaN, overflow('int32', 'NaN')],
    [tensor(Int32Array.of(1)), 2 ** 31, overflow('int32', '2147483648')],
    [tensor(BigInt64Array.of(1n)), 2n ** 63n, overflow('int64', '9223372036854775808n')],
    [tensor([1]), '3', "TypeError: Tensor.fill_: expected a number, got '3'."],
    [tensor([1]), 3n, 'TypeError: Tensor.fill_: expected a number, got 3n.'],
    [tensor([1]), null, 'TypeError: Tensor.fill_: expected a number, got null.'],
    [
      tensor([1]),
      tensor([3]),
      'RangeError: Tensor.fill_: expected a scalar (fill_ only supports 0-dimension value tensor), got shape [1].',
    ],
  ])('%s of %o', (x, value, words) => {
    const unchanged = snapshot(x);
    expect(thrownBy(() => x.fill_(value as number))).toBe(words);
    unchanged();
  });
});

test('a batch that is written between forwardAsync and its end is noticed', async () => {
  const x = tensor(new Float32Array(new SharedArrayBuffer(4 * 2 ** 20)), [2 ** 14, 64]);
  const bn = new nn.BatchNorm1d(64);
  const y = bn.forwardAsync(x);
  x.fill_(1);
  await expect(y).rejects.toThrow('modified by an inplace operation');
  expect(bn.numBatchesTracked).toBe(0);
});

test('a result made in place is used like any other', () => {
  const x = leaf([1, -2]);
  const y = relu(x);
  const z = tensor([0, 0]).copy_(y);
  x.grad = null;
  sum(z).backward();
  expect(x.grad).not.toBe(null);
  expect((x.grad as unknown as Tensor).toArray()).toEqual([1, 0]);
});
