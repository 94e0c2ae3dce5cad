// scope(): what it gives back at its end and what it leaves, nested, thrown out of and returned from;
// and that a training step in one allocates nothing from the second step on.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  functional,
  keep,
  native,
  nn,
  optim,
  scope,
  tensor,
  type Tensor,
} from '../../src/index.js';
import { collect } from '../../src/tensor/tensor.js';
import { thrownBy } from '../helpers/snapshot.js';

const { add, mul, sum } = functional;
const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });
const states = (...tensors: Tensor[]): boolean[] => tensors.map((each) => each.disposed);

describe('what a scope returns lives, all else made inside goes', () => {
  const outside = tensor([1, 2]);
  const returned: Readonly<Record<string, (a: Tensor, b: Tensor) => unknown>> = {
    'a tensor': (a) => a,
    'an array, deep': (a) => [[0, [a]]],
    'an object': (a) => ({ loss: 5, deep: { a } }),
    'an object without prototype': (a) => Object.assign(Object.create(null) as object, { a }),
    'a Map': (a) => new Map([['a', a]]),
    'the key of a Map': (a) => new Map([[a, 'a']]),
    'a Set': (a) => new Set([a]),
    'a circle': (a) => {
      const circle: unknown[] = [a];
      circle.push(circle);
      return circle;
    },
  };

  test.each(Object.entries(returned))('%s', (_, result) => {
    const inside: Tensor[] = [];
    const got = scope(() => {
      const [a, b] = [add(outside, outside), mul(outside, outside)];
      inside.push(a, b);
      return result(a, b);
    });
    expect(states(...inside, outside)).toEqual([false, true, false]);
    expect(inside[0]!.toArray()).toEqual([2, 4]);
    expect(got).toBeDefined();
  });

  test('not what hides in an instance of a class', () => {
    class Box {
      readonly tensor = add(outside, outside);
    }
    expect(scope(() => new Box()).tensor.disposed).toBe(true);
  });

  test('an alias returned keeps its memory', () => {
    const y = scope(() => functional.reshape(add(outside, outside), [2, 1]));
    scope(() => void mul(outside, outside));
    expect(y.toArray()).toEqual([[2], [4]]);
  });

  test('an adopted array stays its owner’s', () => {
    const array = new Float32Array([1]);
    expect(scope(() => tensor(array).data)).toBe(array);
    expect(array.length).toBe(1);
  });
});

describe('what something outside has taken lives', () => {
  test('the gradient of a leaf, seen or not; that of a leaf inside goes with it', () => {
    const [x, y] = [leaf([3]), leaf([4])];
    const inside: Tensor[] = [];
    scope(() => {
      const z = leaf([5]);
      sum(mul(mul(x, y), z)).backward();
      inside.push(z, z.gradient!);
      expect(x.grad!.item()).toBe(20);
    });
    expect([x.grad!.item(), y.grad!.item()]).toEqual([20, 15]);
    expect(states(...inside)).toEqual([true, true]);
  });

  test('a gradient that is assigned', () => {
    const x = leaf([3]);
    scope(() => {
      x.grad = tensor([7]);
    });
    expect(x.grad!.item()).toBe(7);
  });

  test('a model made inside: parameters, buffers; and the state of its optimiser', () => {
    const made: { model: nn.BatchNorm1d; optimizer: optim.Optimizer<never> }[] = [];
    const x = tensor([[1], [3]]);
    const step = (): void =>
      scope(() => {
        const [{ model, optimizer }] = made as [(typeof made)[0]];
        optimizer.zeroGrad();
        sum(mul(model.forward(x), x)).backward();
        optimizer.step();
      });
    for (const Optimizer of [optim.SGD, optim.Adam]) {
      made.length = 0;
      scope(() => {
        const model = new nn.BatchNorm1d(1);
        const options = Optimizer === optim.SGD ? { momentum: 0.9 } : {};
        const optimizer = new Optimizer(model.parameters(), options);
        made.push({ model, optimizer: optimizer as never });
      });
      for (let i = 0; i < 3; i++) step();
      expect(made[0]!.model.numBatchesTracked).toBe(3);
      expect(states(...made[0]!.model.stateDict().values())).toEqual(Array(5).fill(false));
    }
  });

  test('what is given to keep', () => {
    let kept = tensor([0]);
    scope(() => {
      scope(() => {
        kept = keep(add(kept, tensor([1])));
      });
    });
    expect(kept.item()).toBe(1);
    expect(thrownBy(() => keep(5 as never))).toBe('TypeError: keep: expected a Tensor, got 5.');
  });
});

describe('scopes', () => {
  test('nest: what the inner one returns belongs to the outer one', () => {
    const inside: Tensor[] = [];
    scope(() => {
      const [y] = scope(() => {
        inside.push(tensor([1]), tensor([2]));
        return inside;
      });
      inside.push(tensor([3]));
      expect(y!.item()).toBe(1);
      expect(states(...inside)).toEqual([false, false, false]);
    });
    expect(states(...inside)).toEqual([true, true, true]);
  });

  test('end when the body throws, and pass the error on', () => {
    const inside: Tensor[] = [];
    const failing = (): never =>
      scope(() => {
        inside.push(tensor([1]));
        throw new Error('on purpose');
      });
    expect(thrownBy(failing)).toBe('Error: on purpose');
    const after = tensor([1]);
    expect(states(...inside, after)).toEqual([true, false]);
  });

  test('are for functions that return at once', () => {
    expect(thrownBy(() => scope(async () => Promise.resolve(1)))).toBe(
      'TypeError: scope: expected a synchronous function, got one that returns a promise.',
    );
    expect(thrownBy(() => scope(5 as never))).toBe('TypeError: scope: expected a function, got 5.');
  });

  test('do not keep a graph alive: a backward outside says so', () => {
    const w = leaf([1, 2]);
    const loss = scope(() => sum(mul(add(w, w), w)));
    expect(thrownBy(() => loss.backward())).toBe(
      'Error: mul: one of the variables needed for gradient computation has been disposed of.',
    );
    expect([loss.item(), w.grad]).toEqual([10, null]);
  });

  test('cross-entropy needs its probabilities', () => {
    const w = tensor([[1, 2]], { requiresGrad: true });
    const loss = scope(() => functional.crossEntropy(w, [1]));
    expect(thrownBy(() => loss.backward())).toContain('crossEntropy: one of the variables needed');
  });
});

test('a loop of `using` inside a scope lists no more than what lives', () => {
  const list: Tensor[] = [];
  const before = collect(list);
  const living = Array.from({ length: 5000 }, () => tensor([1]));
  let longest = 0;
  for (let i = 0; i < 20_000; i++) {
    tensor([2]).dispose();
    longest = Math.max(longest, list.length);
  }
  collect(before);
  expect([longest, living.every((each) => list.includes(each))]).toEqual([8191, true]);
});

describe('a training step in a scope', () => {
  const { allocUnsafeSlow } = Buffer;
  let sizes: number[] = [];
  beforeEach(() => {
    native.memory.trim();
    Buffer.allocUnsafeSlow = (size) => {
      sizes.push(size);
      return allocUnsafeSlow(size);
    };
  });
  afterEach(() => (Buffer.allocUnsafeSlow = allocUnsafeSlow));

  /** Trains; returns how often each step allocated a page or more, and the losses. */
  function train(wrap: <R>(body: () => R) => R): [number[], number[]] {
    const model = new nn.Sequential(
      new nn.Linear(64, 64),
      new nn.BatchNorm1d(64),
      new nn.ReLU(),
      new nn.Linear(64, 32),
    );
    for (const [i, { data }] of [...model.parameters()].entries()) {
      data.set(Float32Array.from(data, (_, j) => Math.sin(i + j) / 8));
    }
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const x = tensor(
      Float32Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i)),
      [64, 64],
    );
    const labels = Int32Array.from({ length: 64 }, (_, i) => i % 32);
    const losses: number[] = [];
    const counts = [1, 2, 3, 4, 5].map(() => {
      sizes = [];
      const step = (): number => {
        const loss = functional.crossEntropy(model.forward(x), labels);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss.item();
      };
      losses.push(wrap(step));
      return sizes.length;
    });
    return [counts, losses];
  }

  test('allocates nothing from the third step on, and computes the same', () => {
    const [plainCounts, plain] = train((body) => body());
    native.memory.trim();
    const [counts, losses] = train(scope);
    expect(losses).toEqual(plain);
    expect(counts.slice(2)).toEqual([0, 0, 0]);
    // Without a scope the walk, zeroGrad and the Sequential give back; what the loop itself gets is new.
    expect(plainCounts.slice(2)).toEqual([2, 2, 2]);
  });
});
