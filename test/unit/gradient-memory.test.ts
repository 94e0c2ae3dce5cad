// The walk back gives gradients up as soon as it has used them. Each case here is a way in which one
// gradient is two: a walk that forgets it computes with memory that is already somebody else's.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { functional, native, tensor, type Tensor } from '../../src/index.js';
import { floats, Tensor as Internal } from '../../src/tensor/tensor.js';

const { add, mean, mul, relu, reshape, sum } = functional;
const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });

/** A pool full of NaN: what is used before it is written, or after it was given up, shows. */
beforeEach(() => {
  native.memory.trim();
  const filled = [1, 2, 3, 4].flatMap((n) =>
    Array.from({ length: 8 }, () => Internal.filled([n], 'float32', NaN)),
  );
  for (const each of filled) each.dispose();
});

/** No memory is in the pool twice, and none of it is a gradient's. */
function expectApart(...tensors: Tensor[]): void {
  const held = tensors.map((each) => floats(each));
  const drawn = [1, 2, 3, 4].flatMap((n) =>
    Array.from({ length: 40 }, () => floats(Internal.uninitialized([n], 'float32'))),
  );
  expect(new Set([...held, ...drawn]).size).toBe(held.length + drawn.length);
}

const cases: Readonly<Record<string, readonly [(x: Tensor) => Tensor, number[]]>> = {
  'x + x': [(x) => add(x, x), [2, 2]],
  'x + x + x': [(x) => add(add(x, x), x), [3, 3]],
  'x three times, over two ways': [(x) => add(mul(x, x), add(x, relu(x))), [8, 12]],
  '(x + x) + (x + x), the same twice': [
    (x) => {
      const y = add(x, x);
      return add(y, y);
    },
    [4, 4],
  ],
  'x through reshapes': [(x) => reshape(reshape(reshape(x, [2, 1]), [1, 2]), [2]), [1, 1]],
  'x beside its reshape': [(x) => add(x, reshape(reshape(x, [2, 1]), [2])), [2, 2]],
  'two reshapes of a sum': [
    (x) => {
      const y = add(x, x);
      return add(reshape(y, [2, 1]), reshape(y, [2, 1]));
    },
    [4, 4],
  ],
  'a sum read by a product and a sum': [
    (x) => {
      const y = add(x, x); // 2x: d(2x · 2x + 2x) = 8x + 2
      return add(mul(y, y), y);
    },
    [26, 42],
  ],
  'x itself': [(x) => x, [1, 1]],
};

describe.each(Object.entries(cases))('%s', (_, [make, expected]) => {
  test('from a gradient that was given, which stays as it was', () => {
    const [x, still] = [leaf([3, 5]), leaf([7, 7])];
    const y = make(x);
    const given = Internal.filled(y.shape, 'float32', 1);
    add(y, reshape(still, y.shape)).backward(given);
    expect(x.grad!.toArray()).toEqual(expected);
    expect([still.grad!.toArray(), [...floats(given)]]).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expectApart(x.grad!, still.grad!, given);
  });

  test('directly, twice over a graph that is kept, and from a number', () => {
    const x = leaf([3, 5]);
    const y = make(x);
    const given = tensor(new Float32Array([1, 1]), [...y.shape]);
    y.backward(given, { retainGraph: true });
    expect(x.grad!.toArray()).toEqual(expected);
    const first = floats(x.grad!);
    sum(y).backward(undefined, { retainGraph: true });
    y.backward(given);
    expect(x.grad!.toArray()).toEqual(expected.map((each) => 3 * each));
    expect([...floats(given)]).toEqual([1, 1]);
    expect(floats(x.grad!)).toBe(first);
    expectApart(x.grad!, given);
  });
});

test('leaves that get the very same gradient get one each', () => {
  const leaves = [leaf([1, 2]), leaf([3, 4]), leaf([5, 6]), leaf([7, 8])];
  const [a, b, c, d] = leaves as [Tensor, Tensor, Tensor, Tensor];
  sum(add(add(a, b), add(c, reshape(d, [2])))).backward();
  expectApart(...leaves.map((each) => each.grad!));
  floats(a.grad!).fill(9);
  expect([b, c, d].map((each) => each.grad!.toArray())).toEqual([
    [1, 1],
    [1, 1],
    [1, 1],
  ]);
});

test('the leaf of one scalar adopts no gradient that was given', () => {
  const [x, given] = [leaf([3]), Internal.filled([1], 'float32', 2)];
  x.backward(given);
  x.backward(given);
  expect([x.grad!.item(), given.item()]).toEqual([4, 2]);
  expectApart(x.grad!, given);
});

test('a gradient is not written while a user looks at its memory', () => {
  const x = leaf([3, 5]);
  const given = Internal.filled([2], 'float32', 1);
  const view = given.data;
  add(x, x).backward(given);
  given.dispose();
  expect([view.length, x.grad!.toArray()]).toEqual([0, [2, 2]]);
});

describe('the gradient of a sum is a number until it has to be an array', () => {
  const { allocUnsafeSlow } = Buffer;
  let allocated = 0;
  beforeEach(() => {
    allocated = 0;
    Buffer.allocUnsafeSlow = (size) => {
      allocated++;
      return allocUnsafeSlow(size);
    };
  });
  afterEach(() => (Buffer.allocUnsafeSlow = allocUnsafeSlow));

  const N = 5000;
  const long = (): Tensor => tensor(new Float32Array(N).fill(2), { requiresGrad: true });

  test('for the leaf too: the array is made when it is read', () => {
    const x = long();
    mean(x).backward();
    expect([x.grad!.expandedValue, allocated]).toEqual([Math.fround(1 / N), 0]);
    const { data } = x.grad!;
    expect([data.length, data[N - 1], x.grad!.expandedValue, allocated]).toEqual([
      N,
      Math.fround(1 / N),
      null,
      1,
    ]);
    expect(x.grad!.data).toBe(data);
  });

  test('through reshape and a product, which makes one array: its result', () => {
    const [x, w] = [long(), tensor(new Float32Array(N).fill(3))];
    const y = mul(reshape(x, [N, 1]), reshape(w, [N, 1]));
    allocated = 0;
    sum(reshape(y, [N])).backward();
    expect(allocated).toBe(1);
    expect(x.grad!.toArray()).toEqual(Array<number>(N).fill(3));
  });

  test('for an operation that wants an array, as before', () => {
    const x = long();
    sum(relu(x)).backward();
    sum(x).backward();
    expect(x.grad!.toArray()).toEqual(Array<number>(N).fill(2));
  });

  test('rounded as the array would be, in both dtypes, and without elements', () => {
    for (const [dtype, third] of [
      ['float32', Math.fround(1 / 3)],
      ['float64', 1 / 3],
    ] as const) {
      const x = tensor([1, 2, 3], { dtype, requiresGrad: true });
      mean(x).backward();
      expect(x.grad!.toArray()).toEqual([third, third, third]);
    }
    const none = tensor([], { requiresGrad: true });
    sum(none).backward();
    expect(none.grad!.toArray()).toEqual([]);
  });

  test('and disposed of without ever having been one', () => {
    const x = long();
    sum(x).backward();
    const grad = x.gradient!;
    x.grad = null;
    expect([grad.disposed, grad.expandedValue, allocated]).toEqual([true, null, 0]);
    expect(() => grad.toArray()).toThrow('disposed of');
  });
});
