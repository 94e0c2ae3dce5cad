// Nothing of ours is handed out by reference that a caller could change under us, and nothing of a
// caller's is kept or frozen.
import * as evenkeel from 'evenkeel';
import { data, functional, native, nn, optim, tensor, Tensor } from 'evenkeel';
import { describe, expect, it, test } from 'vitest';

import { operationsOf } from '../helpers/operations/table.js';

/** Ways to a tensor besides the operations of the table. */
const WAYS: readonly (readonly [string, () => Tensor])[] = [
  ['tensor of a typed array alone', () => tensor(new Float32Array(6))],
  ['tensor of numbers', () => tensor([[1, 2]])],
  ['a scalar', () => tensor(1)],
  [
    'Tensor.from, strided',
    () => Tensor.from({ data: new Float32Array(4), shape: [2], strides: [2] }),
  ],
  ['a parameter', () => new nn.Linear(2, 3).weight],
  ['a buffer', () => new nn.BatchNorm1d(2).runningMean!],
  ['a state dict', () => new nn.BatchNorm1d(2).stateDict().get('running_var')!],
  ['a batch', () => [...new data.DataLoader(new data.TensorDataset(tensor([[1, 2]])))][0]![0]],
  [
    'a gradient',
    () => {
      const x = tensor([1, 2], { requiresGrad: true });
      functional.sum(x).backward();
      return x.grad!;
    },
  ],
];
const RESULTS = operationsOf(evenkeel).map(
  ({ name, inputs, call }) => [name, () => call(...inputs()) as Tensor | Promise<Tensor>] as const,
);

describe('shapes', () => {
  test.each([...WAYS, ...RESULTS])('of %s are frozen', async (_, make) => {
    const x = await make();
    const before = [...x.shape];
    expect(Object.isFrozen(x.shape)).toBe(true);
    expect(() => (x.shape as number[]).push(7)).toThrow(TypeError);
    expect(x.shape).toEqual(before);
  });

  it('a result and its input stay as they are, and so does the parameter', () => {
    const x = tensor([[1, 2, 3]]);
    const y = functional.relu(x);
    expect(() => (y.shape as number[]).reverse()).toThrow(TypeError);
    expect([x.shape, y.shape]).toEqual([
      [1, 3],
      [1, 3],
    ]);
  });

  test.each<[string, (shape: number[]) => Tensor]>([
    ['tensor', (shape) => tensor(new Float32Array(2), shape)],
    ['Tensor.from, shape', (shape) => Tensor.from({ data: new Float32Array(2), shape })],
    ['Tensor.from, dims', (shape) => Tensor.from({ data: new Float32Array(2), dims: shape })],
    [
      'Tensor.from, shape()',
      (shape) => Tensor.from({ data: new Float32Array(2), shape: () => shape }),
    ],
    ['reshape', (shape) => functional.reshape(tensor([1, 2]), shape)],
  ])('a list that is given to %s is copied, and stays its owner’s', (_, make) => {
    const shape = [2, 1];
    const x = make(shape);
    expect(Object.isFrozen(shape)).toBe(false);
    shape[0] = 99;
    expect(x.shape).toEqual([2, 1]);
  });
});

describe('optimisers', () => {
  const parameters = (): Tensor[] => [...new nn.Linear(2, 1).parameters()];

  it('the defaults are not shared by all that are made with them', () => {
    const first = new optim.Adam(parameters() as never);
    (first.paramGroups[0]!.betas as unknown as number[])[0] = 0.5;
    expect(new optim.Adam(parameters() as never).paramGroups[0]!.betas).toEqual([0.9, 0.999]);
  });

  it('betas that were given are copied; a group is the user’s to change', () => {
    const betas: [number, number] = [0.8, 0.9];
    const adam = new optim.Adam(parameters() as never, { betas });
    betas[0] = 0.1;
    expect(Object.isFrozen(betas)).toBe(false);
    expect(adam.paramGroups[0]!.betas).toEqual([0.8, 0.9]);
    adam.paramGroups[0]!.lr = 7;
    expect(adam.paramGroups[0]!.lr).toBe(7);
  });

  it('a list of parameters that was given may change', () => {
    const list = parameters();
    const sgd = new optim.SGD(list as never, { lr: 1 });
    list.length = 0;
    expect(sgd.paramGroups[0]!.params.length).toBe(2);
  });
});

describe('the rest', () => {
  it('a data set’s tensors', () => {
    const set = new data.TensorDataset(tensor([[1], [2]]));
    expect(() => (set.tensors as Tensor[]).push(tensor([1]))).toThrow(TypeError);
  });

  it('native, and what is in it; its limit can be set', () => {
    expect(() => Object.assign(native, { setThreads: () => undefined })).toThrow(TypeError);
    expect(() => Object.assign(native.memory, { trim: () => undefined })).toThrow(TypeError);
    expect(Object.keys(native)).not.toContain('limits');
    const { limit } = native.memory;
    native.memory.limit = 5;
    expect(native.memory.limit).toBe(5);
    native.memory.limit = limit;
    (native.availableIsas as string[]).push('mine');
    expect(native.availableIsas).not.toContain('mine');
  });

  it('a state dict and its records are a copy', () => {
    const bn = new nn.BatchNorm1d(2);
    const state = bn.stateDict();
    Object.assign(state.modules.get('')!, { version: 99 });
    state.clear();
    expect(bn.stateDict().modules.get('')?.version).toBe(2);
    expect(bn.stateDict().size).toBe(5);
  });

  it('options of a loss', () => {
    const options = { reduction: 'sum' as 'sum' | 'mean' };
    const loss = new nn.MSELoss(options);
    options.reduction = 'mean';
    expect(loss.forward(tensor([1, 2]), tensor([0, 0])).item()).toBe(5);
  });

  it('a hook cannot change the arguments but by returning others', () => {
    const relu = new nn.ReLU();
    relu.registerForwardPreHook((_, inputs) => {
      (inputs as unknown as unknown[])[0] = tensor([9]);
      return undefined;
    });
    expect(() => relu.forward(tensor([1]))).toThrow(TypeError);
  });

  it('a hook cannot change the gradients but by returning others, and its own list stays its own', () => {
    const relu = new nn.ReLU();
    const returned: (Tensor | null)[] = [tensor([5])];
    let seen: unknown;
    relu.registerFullBackwardHook((_, gradInput, gradOutput) => {
      seen = [Object.isFrozen(gradInput), Object.isFrozen(gradOutput)];
      return returned;
    });
    const x = tensor([1], { requiresGrad: true });
    relu.forward(x).backward(tensor([1]));
    expect(x.grad?.toArray()).toEqual([5]);
    expect(seen).toEqual([true, true]);
    expect(Object.isFrozen(returned)).toBe(false);
  });

  it('lengths', () => {
    const lengths = [1, 2];
    const bn = new nn.BatchNorm1d(1);
    const x = tensor([[[1, 2]], [[3, 4]]], { requiresGrad: true });
    const y = bn.forward(x, { lengths });
    lengths[0] = 2;
    y.backward(y.detach());
    expect(x.grad!.toArray<number[][][]>()[0]![0]![1]).toBe(0);
  });
});
