// Habits around nn.Module that test/unit/module.test.ts does not have.
import { functional, nn, noGrad, tensor, type Tensor } from 'evenkeel';
import { expect, test, vi } from 'vitest';

import { normal, statistics } from './inputs.js';

class Net extends nn.Module {
  fc = new nn.Linear(2, 3);
  bn = new nn.BatchNorm1d(3);
  forward(x: Tensor): Tensor {
    return this.bn.forward(this.fc.forward(x));
  }
}

test('model.train() reaches a child that was set to evaluation', () => {
  const net = new Net();
  net.bn.eval();
  net.forward(normal([4, 2], 1));
  expect(net.bn.numBatchesTracked).toBe(0);
  net.train();
  expect(net.bn.training).toBe(true);
  net.forward(normal([4, 2], 1));
  expect(net.bn.numBatchesTracked).toBe(1);
});

test('a module is no function: forward is called by name, and hooks run there', () => {
  const bn = new nn.BatchNorm1d(2);
  const seen: number[][] = [];
  bn.registerForwardHook((_, inputs, output) => {
    seen.push([...(inputs[0] as Tensor).shape], [...output.shape]);
  });
  expect(typeof bn).toBe('object');
  bn.forward(normal([3, 2], 1));
  expect(seen).toEqual([
    [3, 2],
    [3, 2],
  ]);
});

test('a buffer that is not there is null, where PyTorch raises', () => {
  expect(new nn.BatchNorm1d(1).getBuffer('nope')).toBeNull();
});

test('modules in a plain array are not found, as in PyTorch, which does not say so', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
  class Listed extends nn.Module {
    layers = [new nn.BatchNorm1d(1)];
    forward(x: Tensor): Tensor {
      return this.layers[0]!.forward(x);
    }
  }
  expect(new Listed().stateDict().size).toBe(0);
  expect(warn.mock.calls[0]?.[0]).toContain("Listed: the field 'layers' holds a module");
  warn.mockRestore();
});

test('the output never is the input, also where evaluation changes nothing', () => {
  const bn = new nn.BatchNorm1d(2, { eps: 0, affine: false }).eval();
  const x = normal([3, 2], 1);
  const y = bn.forward(x);
  expect(y.toArray()).toEqual(x.toArray());
  const before = [...x.data];
  y.data.fill(9 as never);
  expect([...x.data]).toEqual(before);
});

test('frozen parameters and an input without grad: no graph, and the statistics move', () => {
  const bn = new nn.BatchNorm1d(2).requiresGrad_(false);
  const y = bn.forward(normal([3, 2], 1));
  expect([y.requiresGrad, bn.numBatchesTracked]).toEqual([false, 1]);
  expect(() => y.backward(y)).toThrow('does not require grad and does not have a grad_fn');
});

test('only the weight frozen: the bias gets its gradient', () => {
  const bn = new nn.BatchNorm1d(2);
  bn.weight!.requiresGrad = false;
  functional.sum(bn.forward(normal([3, 2], 1))).backward();
  expect(bn.weight!.grad).toBeNull();
  expect(bn.bias!.grad!.toArray()).toEqual([3, 3]);
});

test('reset where nothing is tracked does nothing, also when the flag is set later', () => {
  const bn = new nn.BatchNorm1d(2, { trackRunningStats: false });
  bn.trackRunningStats = true;
  bn.resetRunningStats();
  bn.resetParameters();
  bn.forward(normal([3, 2], 1));
  expect(statistics(bn)).toEqual({ mean: [], var: [], batches: 0 });
});

test('reset works in place: a state dict taken before sees it', () => {
  const bn = new nn.BatchNorm1d(1);
  const state = bn.stateDict();
  bn.forward(tensor([[1], [3]]));
  expect(state.get('running_mean')!.item()).not.toBe(0);
  bn.resetRunningStats();
  expect([...state.values()].map((each) => each.item())).toEqual([1, 0, 0, 1, 0]);
});

test('inference_mode and no_grad are noGrad: training still moves the statistics', () => {
  const bn = new nn.BatchNorm1d(2);
  const y = noGrad(() => bn.forward(normal([3, 2], 1)));
  expect([y.requiresGrad, bn.numBatchesTracked]).toEqual([false, 1]);
});
