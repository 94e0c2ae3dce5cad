// functional.custom: an operation of the user's own behaves like one of ours, and its bodies are checked.
import { describe, expect, test } from 'vitest';

import {
  functional,
  native,
  nn,
  noGrad,
  scope,
  tensor,
  type DType,
  type Tensor,
} from '../../src/index.js';
import { gradcheck } from '../helpers/gradcheck.js';

const { add, custom, mul, sum } = functional;
const leaf = (values: number[], dtype: DType = 'float32'): Tensor =>
  tensor(values, { dtype, requiresGrad: true });

/** a · b, as a user writes it. */
const product = custom({
  name: 'product',
  forward(context, a: Tensor, b: Tensor) {
    context.saveForBackward(a, b);
    return mul(a, b);
  },
  backward(context, gradient) {
    const [a, b] = context.savedTensors as [Tensor, Tensor];
    return [mul(gradient, b), mul(gradient, a)];
  },
});

const returning = (gradients: unknown): ((x: Tensor) => Tensor) =>
  custom({
    name: 'mine',
    forward: (_, x: Tensor) => mul(x, x),
    backward: () => gradients as Tensor,
  });

describe('the gradient', () => {
  test('agrees with differences', () => {
    gradcheck(product, [leaf([1, -2, 3], 'float64'), leaf([0.5, 4, -1], 'float64')]);
  });

  test('goes on through other operations, twice through the same input', () => {
    const x = leaf([3]);
    sum(add(product(x, x), mul(x, x))).backward();
    expect(x.grad?.toArray()).toEqual([12]);
  });

  test('is the same beside the event loop', async () => {
    const bn = new nn.BatchNorm1d(2);
    const x = tensor(
      [
        [1, 2],
        [3, 5],
      ],
      { requiresGrad: true },
    );
    const y = product(bn.forward(x), x);
    await sum(y).backwardAsync();
    const again = tensor(
      [
        [1, 2],
        [3, 5],
      ],
      { requiresGrad: true },
    );
    sum(product(new nn.BatchNorm1d(2).forward(again), again)).backward();
    expect(x.grad?.toArray()).toEqual(again.grad?.toArray());
  });

  test('of an input that needs none is ignored, and asked about', () => {
    const asked: unknown[] = [];
    const f = custom({
      name: 'asking',
      forward(context, ...args: [Tensor, Tensor, number]) {
        asked.push(context.needsInputGrad);
        return mul(args[0], args[1]);
      },
      backward: (context, gradient) => {
        asked.push(context.needsInputGrad);
        return [gradient, gradient, null];
      },
    });
    const [a, b] = [leaf([2]), tensor([5])];
    sum(f(a, b, 7)).backward();
    expect(asked).toEqual([
      [true, false, false],
      [true, false, false],
    ]);
    expect(a.grad?.toArray()).toEqual([1]);
    expect(b.grad).toBeNull();
  });

  test('that is a tensor of the user stays the user’s', () => {
    const mine = tensor([10, 20]);
    const x = leaf([1, 2]);
    const f = returning(mine);
    sum(add(f(x), f(x))).backward();
    expect(x.grad?.toArray()).toEqual([20, 40]);
    x.grad!.fill_(0);
    expect(mine.toArray()).toEqual([10, 20]);
    expect(mine.disposed).toBe(false);
  });

  test('may be one tensor for two inputs', () => {
    const f = custom({
      name: 'pair',
      forward: (_, a: Tensor, b: Tensor) => add(a, b),
      backward: (_, gradient) => {
        const twice = add(gradient, gradient);
        return [twice, twice];
      },
    });
    const [a, b] = [leaf([1]), leaf([2])];
    sum(f(a, b)).backward();
    a.grad!.fill_(5);
    expect(b.grad?.toArray()).toEqual([2]);
  });
});

describe('like an operation of the package', () => {
  test('a second backward is an error, but with retainGraph', () => {
    const x = leaf([2]);
    const y = sum(product(x, x));
    y.backward(undefined, { retainGraph: true });
    y.backward();
    expect(x.grad?.toArray()).toEqual([8]);
    expect(() => {
      y.backward();
    }).toThrow(/backward through the graph a second time/);
  });

  test('a saved tensor that has changed is an error', () => {
    const x = leaf([2]);
    const y = sum(product(x, x));
    noGrad(() => x.fill_(3));
    expect(() => {
      y.backward();
    }).toThrow('product: one of the variables needed for gradient computation has been modified');
  });

  test('a tensor in a property of the context is saved too', () => {
    const f = custom({
      name: 'own',
      forward(context, x: Tensor) {
        context.square = mul(x, x);
        return mul(context.square as Tensor, x);
      },
      backward: (context, gradient) => mul(gradient, context.square as Tensor),
    });
    const x = leaf([3]);
    sum(f(x)).backward();
    expect(x.grad?.toArray()).toEqual([9]);
  });

  test('under noGrad it is not recorded', () => {
    const x = leaf([2]);
    expect(noGrad(() => product(x, x)).requiresGrad).toBe(false);
    expect(product(tensor([1]), tensor([1])).requiresGrad).toBe(false);
    expect(String(product(x, x))).toBe('tensor([4.], gradFn=<product>)');
  });

  test('what the bodies make is disposed of, and a scope has the result', () => {
    const inside: Tensor[] = [];
    const f = custom({
      name: 'inside',
      forward(context, x: Tensor) {
        const [square, saved] = [mul(x, x), add(x, x)];
        context.saveForBackward(saved);
        inside.push(square, saved);
        return mul(square, x);
      },
      backward(context, gradient) {
        const part = mul(gradient, context.savedTensors[0]!);
        inside.push(part);
        return mul(part, part);
      },
    });
    const x = leaf([2]);
    let y!: Tensor;
    scope(() => {
      y = f(x);
      expect(inside.map((each) => each.disposed)).toEqual([true, false]);
      sum(y).backward();
    });
    expect(y.disposed).toBe(true);
    expect(inside.map((each) => each.disposed)).toEqual([true, true, true]);
    expect(x.grad?.toArray()).toEqual([16]);
  });

  test('a loop of training steps in scopes takes no new memory', () => {
    const x = leaf(Array.from({ length: 5000 }, (_, i) => i / 5000));
    const step = (): void => {
      scope(() => {
        sum(product(x, x)).backward();
      });
      x.grad = null;
    };
    for (let i = 0; i < 3; i++) step();
    const { pooled } = native.memory;
    for (let i = 0; i < 3; i++) step();
    expect(native.memory.pooled).toBe(pooled);
  });

  test('a result that is an argument is a tensor of its own', () => {
    const same = custom({ name: 'same', forward: (_, x: Tensor) => x, backward: (_, dy) => dy });
    const x = leaf([1, 2]);
    const y = same(x);
    expect(y).not.toBe(x);
    expect(x.operation).toBeNull();
    y.dispose();
    expect(x.toArray()).toEqual([1, 2]);
    const constant = tensor([3, 4]);
    const z = custom({ name: 'held', forward: (_, _x: Tensor) => constant, backward: () => null })(
      x,
    );
    expect(constant.requiresGrad).toBe(false);
    expect(z.requiresGrad).toBe(true);
  });

  test('a body that throws leaves nothing behind', () => {
    const inside: Tensor[] = [];
    const failing = custom({
      name: 'failing',
      forward(_, x: Tensor) {
        inside.push(mul(x, x));
        throw new Error('mine');
      },
      backward: () => null,
    });
    const x = leaf([1]);
    expect(() => failing(x)).toThrow('mine');
    expect(inside[0]!.disposed).toBe(true);
    expect(mul(x, x).requiresGrad).toBe(true);
  });
});

describe('what is refused', () => {
  const twoWords: readonly [string, unknown, RegExp][] = [
    ['no object', 5, /^custom: expected an options object \{ name, forward, backward \}, got 5/],
    ['no name', { forward: () => 0, backward: () => 0 }, /^custom: expected name to be a string/],
    ['an empty name', { name: '', forward: () => 0, backward: () => 0 }, /^custom: expected name/],
    ['no forward', { name: 'a', backward: () => 0 }, /^custom: expected forward to be a function/],
    ['no backward', { name: 'a', forward: () => 0 }, /^custom: expected backward to be a function/],
    ['another option', { name: 'a', forword: 1 }, /did you mean 'forward'/],
  ];
  test.each(twoWords)('%s', (_, operation, message) => {
    expect(() => custom(operation as never)).toThrow(message);
  });

  test('a forward that returns no Tensor, or later', () => {
    const f = (result: unknown): Tensor =>
      custom({ name: 'mine', forward: () => result as Tensor, backward: () => null })();
    expect(() => f(5)).toThrow('mine: expected forward to return a Tensor, got 5.');
    expect(() => f(Promise.resolve(tensor([1])))).toThrow('mine: expected a synchronous function');
    expect(() => f(tensor([1], { dtype: 'int32' }))).toThrow(
      'mine: expected the result to be float',
    );
  });

  const wrong: readonly [string, () => unknown, string][] = [
    ['too many', () => [null, null], 'mine: expected backward to return 1 gradients'],
    ['none', () => [], 'mine: expected backward to return 1 gradients'],
    ['another shape', () => tensor([1]), 'gradient 0 of backward to have shape [2] like its input'],
    [
      'another dtype',
      () => tensor([1, 2], { dtype: 'float64' }),
      'gradient 0 of backward to be float32',
    ],
    ['another kind', () => [5], 'gradient 0 of backward to be a Tensor or null, got 5'],
    ['a promise', () => Promise.resolve(null), 'mine: expected a synchronous function'],
  ];
  test.each(wrong)('a backward that returns %s; no grad has changed', (_, make, message) => {
    const [x, other] = [leaf([1, 2]), leaf([1, 1])];
    const y = sum(add(mul(other, other), returning(make())(x)));
    expect(() => {
      y.backward();
    }).toThrow(message);
    expect([x.grad, other.grad]).toEqual([null, null]);
  });

  test('a gradient for an argument that is no tensor', () => {
    const f = custom({
      name: 'mine',
      forward: (_, x: Tensor, _power: number) => mul(x, x),
      backward: (_, gradient) => [gradient, gradient],
    });
    const y = sum(f(leaf([1]), 2));
    expect(() => {
      y.backward();
    }).toThrow('gradient 1 of backward to be null, as argument 1 is no tensor');
  });

  test('saving what is no Tensor', () => {
    const f = custom({
      name: 'mine',
      forward(context, x: Tensor) {
        context.saveForBackward(5 as never);
        return x;
      },
      backward: () => null,
    });
    expect(() => f(leaf([1]))).toThrow('mine: expected saveForBackward to get Tensors, got 5.');
  });
});
