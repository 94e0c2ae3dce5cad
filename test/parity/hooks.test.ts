// PyTorch's tests of hooks that go through BatchNorm (test_autograd.py, test/nn/test_module_hooks.py),
// told anew, and what copy.deepcopy of a layer keeps.
import { functional, nn, tensor, type Tensor } from 'evenkeel';
import { expect, test } from 'vitest';

import { expectAllClose } from '../helpers/expect-close.js';
import { normal, statistics } from './inputs.js';

test('test_hooks_cpp: a hook on the output doubles the gradient, once', () => {
  const bn = new nn.BatchNorm1d(5, { affine: false, dtype: 'float64' }).eval();
  const ones = new Float64Array(25).fill(1);
  const x = tensor(ones, [5, 5], { requiresGrad: true });
  const z = bn.forward(x);
  let calls = 0;
  z.registerHook((gradient: Tensor) => {
    calls++;
    return functional.add(gradient, gradient);
  });
  functional.sum(z).backward();
  expect(calls).toBe(1);
  // PyTorch's own atol: 1 / sqrt(1 + 1e-5) is not quite 1.
  expectAllClose(
    x.grad,
    { data: ones.map(() => 2), shape: [5, 5] },
    { tolerance: 1.001e-5 },
    'x.grad',
  );
});

test('test_hook_cpp: a full backward hook sees the module, one gradient in and one out', () => {
  const bn = new nn.BatchNorm1d(5);
  let calls = 0;
  bn.registerFullBackwardHook((module, gradInput, gradOutput) => {
    calls++;
    expect(module).toBe(bn);
    expect([gradInput.length, gradOutput.length]).toEqual([1, 1]);
    expect([gradInput[0]!.shape, gradOutput[0]!.shape]).toEqual([
      [6, 5],
      [6, 5],
    ]);
  });
  const x = normal([6, 5], 1);
  x.requiresGrad = true;
  functional.sum(bn.forward(x)).backward();
  expect(calls).toBe(1);
});

test('copy.deepcopy: state, flags and options in memory of its own, without gradients', () => {
  const bn = new nn.BatchNorm1d(2, { eps: 0.5, momentum: null });
  bn.weight!.requiresGrad = false;
  functional.sum(bn.forward(normal([4, 2], 1))).backward();
  bn.eval();
  const copy = bn.clone();
  expect(copy).toBeInstanceOf(nn.BatchNorm1d);
  expect(copy.toString()).toBe(bn.toString());
  expect([copy.training, copy.weight!.requiresGrad, copy.bias!.requiresGrad]).toEqual([
    false,
    false,
    true,
  ]);
  expect(statistics(copy)).toEqual(statistics(bn));
  expect(bn.bias!.grad).not.toBeNull();
  expect([copy.weight!.grad, copy.bias!.grad]).toEqual([null, null]);
  const before = statistics(bn);
  copy.train().forward(normal([4, 2], 2));
  copy.bias!.data.fill(7);
  expect(statistics(bn)).toEqual(before);
  expect(bn.bias!.toArray()).toEqual([0, 0]);
});
