// The tape: accumulation, aliasing, freeing, changes in place, and graphs deeper than a stack.
import { describe, expect, test } from 'vitest';

import { functional, nn, optim, tensor, type Tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const { add, mul, reshape, sum } = functional;
const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });

/** Writes 99 into one tensor's memory and sees whether the others stay as they were. */
function expectSeparate(...tensors: (Tensor | null)[]): void {
  for (const each of tensors) {
    const others = tensors.filter((other) => other !== each).map((other) => [...other!.data]);
    const before = each!.data.slice();
    (each!.data as Float32Array).fill(99);
    expect(tensors.filter((other) => other !== each).map((other) => [...other!.data])).toEqual(
      others,
    );
    each!.data.set(before as never);
  }
}

describe('accumulation', () => {
  test('a second backward adds to grad, in the same memory', () => {
    const x = leaf([1, 2]);
    sum(mul(x, x)).backward();
    const first = x.grad;
    sum(x).backward();
    expect(x.grad).toBe(first);
    expect(x.grad!.toArray()).toEqual([3, 5]);
    x.grad = null;
    sum(x).backward();
    expect(x.grad).not.toBe(first);
    expect(first!.toArray()).toEqual([3, 5]);
  });

  test('a tensor used several times gets the sum', () => {
    const x = leaf([3, -1]);
    const y = add(add(x, x), mul(x, mul(x, x)));
    y.backward(tensor([1, 2]));
    expect(x.grad!.toArray()).toEqual([2 + 27, 2 * (2 + 3)]);
  });

  test('both sides of a diamond arrive before their source goes on', () => {
    const x = leaf([2]);
    const y = mul(x, x);
    const z = add(mul(y, y), y); // x⁴ + x²
    z.backward();
    expect(x.grad!.item()).toBe(4 * 8 + 2 * 2);
  });

  test('a leaf is its own result', () => {
    const x = leaf([1, 2]);
    x.backward(tensor([5, 6]));
    expect(x.grad!.toArray()).toEqual([5, 6]);
  });

  test('only leaves keep a gradient', () => {
    const x = leaf([1]);
    const y = mul(x, x);
    sum(y).backward();
    expect([y.grad, x.grad!.item()]).toEqual([null, 2]);
  });
});

describe('gradients never share memory', () => {
  const given = (): Tensor => tensor([1, 1]);

  test('of two leaves of one sum', () => {
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    const g = given();
    add(a, b).backward(g);
    expectSeparate(a.grad, b.grad, g);
  });

  test('through reshape', () => {
    const [a, b, c] = [leaf([1, 2]), leaf([3, 4]), leaf([5, 6])];
    mul(add(reshape(a, [2]), b), c).backward(given());
    expectSeparate(a.grad, b.grad, c.grad);
  });

  test('with the gradient that was given, through reshape', () => {
    const x = leaf([1, 2]);
    const g = given();
    reshape(x, [2]).backward(g);
    expectSeparate(x.grad, g);
  });

  test('with the gradient that was given, for a leaf itself', () => {
    const x = leaf([1, 2]);
    const g = given();
    x.backward(g);
    expectSeparate(x.grad, g);
  });
});

describe('the graph is freed', () => {
  test('a second backward is an error, and changes nothing', () => {
    const x = leaf([1, 2]);
    const y = sum(mul(x, x));
    y.backward();
    const unchanged = snapshot(x);
    expect(thrownBy(() => y.backward())).toBe(
      'Error: mul: Trying to backward through the graph a second time, but what it saved was freed by ' +
        'the first. Pass { retainGraph: true } to the first backward to keep it.',
    );
    unchanged();
  });

  test('operations that saved nothing go back again, as in PyTorch', () => {
    const [x, y] = [leaf([1, 2]), leaf([3, 4])];
    const z = sum(add(reshape(functional.sub(functional.mul(x, 2), y), [2, 1]), x));
    z.backward();
    z.backward();
    expect([x.grad!.toArray(), y.grad!.toArray()]).toEqual([
      [12, 12],
      [-4, -4],
    ]);
    const w = add(z, sum(mul(x, y)));
    w.backward();
    expect(x.grad!.toArray()).toEqual([21, 22]);
    const unchanged = snapshot(x, y);
    expect(thrownBy(() => w.backward())).toMatch(/^Error: mul: Trying to backward/);
    unchanged();
  });

  test('a shared part is freed for both', () => {
    const x = leaf([1, 2]);
    const shared = mul(x, x);
    const [a, b] = [sum(shared), sum(shared)];
    a.backward();
    const unchanged = snapshot(x);
    expect(thrownBy(() => b.backward())).toMatch(/^Error: mul: Trying to backward/);
    unchanged();
  });

  test('options may stand where the gradient does', async () => {
    const x = leaf([3]);
    const y = mul(x, x);
    y.backward({ retainGraph: true });
    await y.backwardAsync({ retainGraph: true });
    y.backward({});
    expect(x.grad!.toArray()).toEqual([18]);
    const z = mul(x, x);
    const wrong = { retain_graph: true } as never;
    const words = (who: string, known: string): string =>
      `Tensor.${who}: expected options among ${known}, got 'retain_graph' (did you mean 'retainGraph'?).`;
    expect(() => z.backward(wrong)).toThrow(words('backward', 'retainGraph'));
    await expect(z.backwardAsync(wrong)).rejects.toThrow(
      words('backwardAsync', 'retainGraph, signal'),
    );
    expect(() => z.backward({} as never, { retainGraph: true })).toThrow(/expected .* got/);
    z.backward();
  });

  test('retainGraph keeps it', () => {
    const x = leaf([1, 2]);
    const y = sum(mul(x, x));
    y.backward(undefined, { retainGraph: true });
    y.backward();
    expect(x.grad!.toArray()).toEqual([4, 8]);
    expect(() => y.backward()).toThrow('a second time');
  });

  test('a failed backward frees nothing', () => {
    const x = leaf([1, 2]);
    const y = add(x, x);
    expect(() => y.backward(tensor([1, 2, 3]))).toThrow(RangeError);
    y.backward(tensor([1, 2]));
    expect(x.grad!.toArray()).toEqual([2, 4]);
  });
});

describe('changes in place', () => {
  const changed = (name: string): RegExp =>
    new RegExp(
      `^Error: ${name}: one of the variables needed for gradient computation has been modified by an ` +
        'inplace operation: it is at version \\d+; expected version \\d+ instead\\.$',
    );

  function model(): { bn: nn.BatchNorm1d; fc: nn.Linear; x: Tensor; optimizer: optim.SGD } {
    const [bn, fc] = [new nn.BatchNorm1d(2), new nn.Linear(2, 2)];
    const x = tensor(
      [
        [1, 2],
        [3, 5],
        [0, 1],
      ],
      { requiresGrad: true },
    );
    const optimizer = new optim.SGD([...bn.parameters(), ...fc.parameters()], { lr: 0.1 });
    return { bn, fc, x, optimizer };
  }

  test('opt.step() between forward and backward', () => {
    for (const which of ['bn', 'fc'] as const) {
      const { [which]: layer, x, optimizer } = model();
      sum(layer.forward(x)).backward();
      const late = sum(layer.forward(x));
      optimizer.step();
      const unchanged = snapshot(layer, x);
      expect(thrownBy(() => late.backward())).toMatch(
        changed(which === 'bn' ? 'BatchNorm1d' : 'linear'),
      );
      unchanged();
    }
  });

  test('loadStateDict and resetParameters between forward and backward', () => {
    const { fc, x } = model();
    const y = sum(fc.forward(x));
    fc.loadStateDict(new nn.Linear(2, 2).stateDict());
    expect(thrownBy(() => y.backward())).toMatch(changed('linear'));
    const z = sum(fc.forward(x));
    fc.resetParameters();
    expect(thrownBy(() => z.backward())).toMatch(changed('linear'));
  });

  test('several training forwards before a backward are fine: the statistics were saved', () => {
    const { bn, x } = model();
    const weights = tensor([
      [1, 2],
      [3, 4],
      [5, 7],
    ]);
    const backward = (between: () => void): number[] => {
      x.grad = null;
      const y = bn.forward(x);
      between();
      y.backward(weights);
      return [...(x.grad as unknown as Tensor).data].map(Number);
    };
    const alone = backward(() => undefined);
    expect(
      backward(
        () =>
          void bn.forward(
            tensor([
              [7, 8],
              [-9, 10],
            ]),
          ),
      ),
    ).toEqual(alone);
    bn.eval();
    const inEvaluation = backward(() => undefined);
    const moved = backward(
      () =>
        void bn.train().forward(
          tensor([
            [7, 8],
            [-9, 10],
          ]),
        ),
    );
    expect(moved).toEqual(inEvaluation);
  });
});

test('a graph of 20,000 operations does not overflow the stack', () => {
  const x = leaf([1]);
  const one = tensor([1]);
  let y = x;
  for (let i = 0; i < 20_000; i++) y = add(y, one);
  y.backward();
  expect([y.item(), x.grad!.item()]).toEqual([20_001, 1]);
});

test('a graph whose paths double at each of 60 steps is walked once an operation', () => {
  const x = leaf([1]);
  let y = x;
  for (let i = 0; i < 60; i++) y = add(y, y);
  y.backward();
  expect(x.grad!.item()).toBe(2 ** 60);
});
