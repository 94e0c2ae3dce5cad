// Hooks on tensors and around a module's backward: the figures are PyTorch 2.13's.
import { describe, expect, test } from 'vitest';

import { functional, isGradEnabled, nn, tensor, type Tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const { add, mul, sum } = functional;
const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });
const times = (factor: number) => (gradient: Tensor) =>
  mul(gradient, tensor(new Float32Array(gradient.numel).fill(factor)));
const plain = (gradients: readonly (Tensor | null)[]): unknown =>
  gradients.map((each) => each?.toArray() ?? null);

describe('tensor.registerHook', () => {
  test('sees the whole gradient once, in order, before it accumulates; what it returns takes its place', () => {
    const x = leaf(1, 1);
    const seen: Tensor[] = [];
    const first = x.registerHook((gradient) => {
      seen.push(gradient);
      return times(2)(gradient);
    });
    x.registerHook((gradient) => {
      seen.push(gradient);
      return add(gradient, tensor([1, 1]));
    });
    sum(add(mul(x, tensor([3, 3])), mul(x, tensor([5, 5])))).backward();
    expect(seen.map((each) => each.toArray())).toEqual([
      [8, 8],
      [16, 16],
    ]);
    expect(x.grad!.toArray()).toEqual([17, 17]);
    first.remove();
    first.remove();
    x.grad = null;
    sum(mul(x, tensor([3, 3]))).backward();
    expect(x.grad!.toArray()).toEqual([4, 4]);
  });

  test('on a result, also registered after it was used, and in each walk of a kept graph', () => {
    const x = leaf(1, 1);
    const y = mul(x, tensor([2, 2]));
    const z = sum(y);
    y.registerHook(times(10));
    x.registerHook(times(3));
    z.backward(undefined, { retainGraph: true });
    expect(x.grad!.toArray()).toEqual([60, 60]);
    z.backward();
    expect(x.grad!.toArray()).toEqual([120, 120]);
  });

  test('does not record, and a gradient it keeps stays as it was', () => {
    const x = leaf(1, 2);
    const seen: unknown[] = [];
    let kept: Tensor | undefined;
    const y = mul(x, x);
    y.registerHook((gradient) => {
      kept = gradient;
      seen.push(isGradEnabled());
    });
    mul(y, tensor([5, 7])).backward(tensor([1, 1]));
    for (let i = 0; i < 8; i++) mul(leaf(1, 2), tensor([3, 4])).backward(tensor([9, 9]));
    expect(seen).toEqual([false]);
    expect(kept!.toArray()).toEqual([5, 7]);
    expect(isGradEnabled()).toBe(true);
  });

  test.each<[string, () => unknown, string]>([
    [
      'another shape',
      () => tensor([1, 1, 1]),
      'RangeError: Tensor.registerHook: expected a gradient of shape [2] (hook has changed the size of value), got shape [3].',
    ],
    [
      'another dtype',
      () => tensor(new Float64Array(2)),
      "TypeError: Tensor.registerHook: expected the gradient to be float32, got float64 (all inputs must share same datatype; x.to('float32') converts).",
    ],
    [
      'no Tensor',
      () => 5,
      'TypeError: Tensor.registerHook: expected a hook to return a Tensor, got 5.',
    ],
    [
      'an error',
      () => {
        throw new Error('no');
      },
      'Error: no',
    ],
  ])('that gives %s stops a backward that has changed no grad', (_, hook, message) => {
    const [x, w] = [leaf(1, 1), leaf(2, 2)];
    const y = sum(mul(w, x));
    const handle = x.registerHook(hook as never);
    expect(thrownBy(() => y.backward())).toBe(message);
    expect([x.grad, w.grad, isGradEnabled()]).toEqual([null, null, true]);
    handle.remove();
    y.backward();
    expect(w.grad!.toArray()).toEqual([1, 1]);
  });

  test('is refused where no gradient arrives, and for no function', () => {
    expect(thrownBy(() => tensor([1]).registerHook(() => undefined))).toBe(
      "Error: Tensor.registerHook: cannot register a hook on a tensor that doesn't require gradient.",
    );
    expect(thrownBy(() => leaf(1).registerHook(5 as never))).toBe(
      'TypeError: Tensor.registerHook: expected a hook function, got 5.',
    );
  });
});

class Two extends nn.Module {
  forward(a: Tensor, _: number, b: Tensor): [Tensor, string, Tensor] {
    return [mul(a, tensor([2, 2])), 'text', mul(b, tensor([3, 3]))];
  }
}

describe('registerFullBackwardHook', () => {
  test.each<[string, (o: [Tensor, string, Tensor]) => Tensor, unknown, unknown]>([
    ['both', ([p, , q]) => sum(add(p, q)), [[2, 2], null, [3, 3]], [[1, 1], null, [1, 1]]],
    ['the first', ([p]) => sum(p), [[2, 2], null, [0, 0]], [[1, 1], null, null]],
    ['the last', ([, , q]) => sum(q), [[0, 0], null, [3, 3]], [null, null, [1, 1]]],
  ])('has an entry for every input and output: %s used', (_, use, inputs, outputs) => {
    const model = new Two();
    const calls: unknown[] = [];
    model.registerFullBackwardHook((module, gradInput, gradOutput) => {
      calls.push([module === model, plain(gradInput), plain(gradOutput)]);
    });
    const y = use(model.forward(leaf(1, 1), 7, leaf(1, 1)));
    y.backward(undefined, { retainGraph: true });
    y.backward();
    expect(calls).toEqual([
      [true, inputs, outputs],
      [true, inputs, outputs],
    ]);
  });

  test('a walk sees nothing of the one before, failed or not', () => {
    const model = new Two();
    const seen: unknown[] = [];
    const a = leaf(1, 1);
    model.registerFullBackwardHook((_, __, gradOutput) => void seen.push(plain(gradOutput)));
    const [p, , q] = model.forward(a, 7, leaf(1, 1));
    const handle = a.registerHook(() => {
      throw new Error('no');
    });
    expect(() => sum(p).backward(undefined, { retainGraph: true })).toThrow('no');
    handle.remove();
    sum(q).backward();
    expect(seen).toEqual([
      [[1, 1], null, null],
      [null, null, [1, 1]],
    ]);
  });

  test('may replace the inputs gradients, one hook after another; parameters have theirs', () => {
    const fc = new nn.Linear(1, 1, { bias: false });
    fc.weight.data.fill(1);
    fc.registerFullBackwardHook((_, [g]) => [add(g!, tensor([[1]]))]);
    fc.registerFullBackwardHook((_, [g]) => [mul(g!, tensor([[10]]))]);
    const x = tensor([[1]], { requiresGrad: true });
    sum(fc.forward(x)).backward();
    expect([x.grad!.item(), fc.weight.grad!.item()]).toEqual([20, 1]);
  });

  test('a pre-hook replaces what enters the module; without input gradients the hook sees null', () => {
    const fc = new nn.Linear(1, 1);
    const calls: unknown[] = [];
    fc.registerFullBackwardPreHook((_, [g]) => [add(g!, g!)]);
    const handle = fc.registerFullBackwardHook((_, i, o) => void calls.push([plain(i), plain(o)]));
    sum(fc.forward(tensor([[3]]))).backward();
    expect(calls).toEqual([[[null], [[[2]]]]]);
    expect([fc.weight.grad!.item(), fc.bias!.grad!.item()]).toEqual([6, 2]);
    handle.remove();
    sum(fc.forward(tensor([[3]]))).backward();
    expect(calls.length).toBe(1);
  });

  test('hooks are those of the forward, and forward hooks stay inside', () => {
    const relu = new nn.ReLU();
    const seen: unknown[] = [];
    relu.registerForwardPreHook((_, [x]) => [mul(x as Tensor, tensor([2]))]);
    relu.registerForwardHook((_, __, y) => mul(y, tensor([7])));
    const handle = relu.registerFullBackwardHook((_, i, o) => void seen.push([plain(i), plain(o)]));
    const x = leaf(1);
    const y = relu.forward(x);
    handle.remove();
    sum(y).backward();
    expect([seen, x.grad!.item()]).toEqual([[[[[7]], [[1]]]], 14]);
  });

  test('the same input twice, and a module called twice', () => {
    class Sum extends nn.Module {
      forward(a: Tensor, b: Tensor): Tensor {
        return add(mul(a, tensor([2])), mul(b, tensor([3])));
      }
    }
    const model = new Sum();
    const seen: unknown[] = [];
    model.registerFullBackwardHook((_, [a, b]) => {
      seen.push(plain([a!, b!]));
      return [mul(a!, tensor([5])), b!];
    });
    const x = leaf(1);
    sum(model.forward(x, x)).backward();
    expect([seen, x.grad!.item()]).toEqual([[[[2], [3]]], 13]);
    const z = leaf(1);
    seen.length = 0;
    const y = model.forward(z, leaf(1));
    sum(model.forward(y, leaf(1))).backward();
    expect([seen, z.grad!.item()]).toEqual([
      [
        [[2], [3]],
        [[20], [30]],
      ],
      100,
    ]);
  });

  const nothing = (hook: (g: Tensor) => unknown): string => {
    const bn = new nn.Linear(1, 1);
    bn.registerFullBackwardHook((_, [g]) => hook(g!) as never);
    const x = tensor([[1]], { requiresGrad: true });
    const message = thrownBy(() => sum(bn.forward(x)).backward());
    expect([x.grad, bn.weight.grad]).toEqual([null, null]);
    return message;
  };

  test('a wrong return is one error, and no gradient is accumulated', () => {
    expect(nothing((g) => [g, g])).toBe(
      'RangeError: Linear: Backward hook returned an invalid number of grad_input, got 2, but expected 1.',
    );
    expect(nothing((g) => g)).toBe(
      'TypeError: Linear: expected a full backward hook to return an array of gradients, got an instance of Tensor.',
    );
    expect(nothing(() => [tensor([1])])).toBe(
      'RangeError: Linear: expected grad_input 0 of shape [1, 1], got shape [1].',
    );
    const fc = new nn.Linear(1, 1);
    fc.registerFullBackwardHook(() => [tensor([[1]])]);
    expect(thrownBy(() => sum(fc.forward(tensor([[1]]))).backward())).toBe(
      'TypeError: Linear: Backward hook for Modules where no input requires gradient should always return ' +
        'null or null for all gradients.',
    );
  });
});
