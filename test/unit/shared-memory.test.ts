// Weights that Workers share: moving them into shared memory in place, and taking memory over instead of
// copying it. Both change no bit, whole or not at all.
import { functional, native, nn, optim, scope, tensor, Tensor } from 'evenkeel';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { snapshot, thrownBy } from '../helpers/snapshot.js';

const batch = tensor([
  [1, 2],
  [5, 3],
  [2, 9],
]);

function build(): nn.Sequential {
  const linear = new nn.Linear(2, 3);
  linear.weight.data.forEach((_, i, weight) => (weight[i] = Math.sin(i + 1)));
  linear.bias!.data.fill(0.25);
  return new nn.Sequential(linear, new nn.BatchNorm1d(3));
}

/** Everything a module has, the buffers that its state dict leaves out too. */
const tensorsOf = (module: nn.Module): Tensor[] => [...module.parameters(), ...module.buffers()];
const shared = (module: nn.Module): boolean[] => tensorsOf(module).map((each) => each.isShared());
const values = (module: nn.Module): unknown[] => tensorsOf(module).map(({ data }) => [...data]);

/** A state dict as it comes out of postMessage. */
function sent(module: nn.Module): Map<string, Tensor> {
  const entries = [...module.stateDict()].map(([key, { data, shape }]) => ({ key, data, shape }));
  return new Map(structuredClone(entries).map(({ key, ...each }) => [key, Tensor.from(each)]));
}

function trainOn(model: nn.Sequential, optimizer: optim.SGD): void {
  const loss = functional.sum(functional.mul(model.forward(batch), model.forward(batch)));
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('shareMemory', () => {
  test('moves every parameter and buffer, also what no state dict holds, and changes none', () => {
    const model = build();
    model.registerBuffer('scratch', tensor([7]), { persistent: false });
    const [before, unchanged] = [tensorsOf(model), snapshot(model)];
    expect(model.shareMemory()).toBe(model);
    expect(shared(model)).toEqual(Array.from({ length: 8 }, () => true));
    expect(tensorsOf(model).every((each, i) => each === before[i])).toBe(true);
    unchanged();
  });

  test('an optimiser goes on, to the same bits as without', () => {
    const [model, other] = [build(), build()];
    const optimizers = [model, other].map(
      (each) => new optim.SGD(each.parameters(), { lr: 0.1, momentum: 0.9 }),
    );
    for (let step = 0; step < 3; step++) {
      trainOn(model, optimizers[0]!);
      trainOn(other, optimizers[1]!);
      if (step === 0) model.shareMemory();
    }
    expect(values(model)).toEqual(values(other));
  });

  test('goes along with a graph, a state dict and a call beside the event loop that were there', async () => {
    const bn = new nn.BatchNorm1d(2);
    const x = batch.clone();
    x.requiresGrad = true;
    const y = functional.sum(functional.mul(bn.forward(x), batch));
    const state = bn.stateDict();
    const large = tensor(Float32Array.from({ length: 40_000 }, Math.sin), [20_000, 2]);
    const pending = bn.forwardAsync(large);
    bn.shareMemory();
    y.backward();
    await pending;
    const twin = new nn.BatchNorm1d(2);
    const x2 = batch.clone();
    x2.requiresGrad = true;
    functional.sum(functional.mul(twin.forward(x2), batch)).backward();
    twin.forward(large);
    expect(x.grad!.toArray()).toEqual(x2.grad!.toArray());
    expect(values(bn)).toEqual(values(twin));
    expect(state.get('running_mean')!.data).toBe(bn.runningMean!.data);
  });

  test('what lay over one array still does; what lay in it apart goes apart', () => {
    const array = Float32Array.from({ length: 40 }, (_, i) => i);
    class Tied extends nn.Module {
      a = new nn.Parameter(tensor(array.subarray(3, 9)));
      b = new nn.Parameter(tensor(array.subarray(5, 7)));
      c = new nn.Parameter(tensor(array.subarray(7, 11)));
      far = new nn.Parameter(tensor(array.subarray(38)));
      forward(): void {
        // nothing
      }
    }
    const { a, b, c, far } = new Tied().shareMemory();
    expect([a.data[0], b.data[0], c.data[3], far.data[1]]).toEqual([3, 5, 10, 39]);
    a.data[2] = -1;
    a.data[5] = -2;
    expect([b.data[0], c.data[1], array[5]]).toEqual([-1, -2, 5]);
    expect([a.data.buffer === c.data.buffer, a.data.buffer === far.data.buffer]).toEqual([
      true,
      false,
    ]);
    expect(a.data.buffer.byteLength).toBe(36); // the elements 2 to 10
  });

  test('leaves alone what is shared already, and what has no elements', () => {
    const memory = new Float32Array(new SharedArrayBuffer(16), 4, 2);
    const x = tensor(memory);
    expect(x.isShared()).toBe(true);
    expect(x.shareMemory_().data).toBe(memory);
    expect(tensor([]).shareMemory_().toArray()).toEqual([]);
  });

  test('an array taken before keeps the elements of then', () => {
    const x = tensor([1, 2]);
    const { data } = x;
    x.shareMemory_().data[0] = 5;
    expect([...data]).toEqual([1, 2]);
  });

  test('memory that others may be reading never goes to the pool', () => {
    native.memory.trim();
    const y = functional.relu(tensor(new Float32Array(5000).fill(1))).shareMemory_();
    const { pooled } = native.memory;
    y.dispose();
    expect(native.memory.pooled).toBe(pooled);
  });

  test('a gradient of one value, which has no array yet, gets one', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    functional.sum(x).backward();
    expect(x.grad!.shareMemory_().toArray()).toEqual([1, 1]);
    expect(x.grad!.isShared()).toBe(true);
  });

  test('gradients stay where they are', () => {
    const linear = new nn.Linear(2, 1);
    functional.sum(linear.forward(batch)).backward();
    const { grad } = linear.shareMemory().weight;
    expect([grad!.isShared(), grad!.toArray()]).toEqual([false, [[8, 14]]]);
  });

  test('changes nothing where a buffer is detached', () => {
    const model = build();
    model.registerBuffer('withoutMemory', tensor([1, 2]));
    model.getBuffer('withoutMemory')!.dispose();
    expect(thrownBy(() => model.shareMemory())).toBe(
      'TypeError: Sequential.shareMemory: expected withoutMemory to hold the 2 elements of shape [2], got 0 (its ' +
        'buffer was detached, shrunk or disposed of).',
    );
    expect(shared(model).includes(true)).toBe(false);
  });

  test('changes nothing where there is no memory, for the last of them even', () => {
    const model = build();
    let left = tensorsOf(model).length - 1;
    const Real = SharedArrayBuffer;
    vi.stubGlobal('SharedArrayBuffer', function (bytes: number) {
      if (left-- === 0) throw new RangeError('Array buffer allocation failed');
      return new Real(bytes);
    });
    const unchanged = snapshot(model);
    expect(thrownBy(() => model.shareMemory())).toBe(
      'RangeError: evenkeel: expected 1 MB of memory for an array, got none.',
    );
    expect(left).toBe(-1);
    expect(shared(model).includes(true)).toBe(false);
    unchanged();
  });

  test('of a module that waits for its first forward', () => {
    expect(thrownBy(() => new nn.LazyBatchNorm1d().shareMemory())).toBe(
      'Error: LazyBatchNorm1d.shareMemory: Attempted to use an uninitialized parameter; run a first forward ' +
        'to initialize it.',
    );
  });
});

describe('loadStateDict with assign', () => {
  test('has the memory of the state from then on: both see what either writes', () => {
    const model = build().shareMemory();
    const replica = build();
    const before = tensorsOf(replica);
    const found = replica.loadStateDict(sent(model), { assign: true });
    expect(String(found)).toBe('<All keys matched successfully>');
    expect(shared(replica).includes(false)).toBe(false);
    expect(tensorsOf(replica).every((each, i) => each === before[i])).toBe(true);
    model.forward(batch);
    [...model.parameters()][0]!.data[3] = 17;
    expect(values(replica)).toEqual(values(model));
    const [y, z] = [replica.eval().forward(batch), model.eval().forward(batch)];
    expect(y.toArray()).toEqual(z.toArray());
  });

  test("keeps requiresGrad, and the optimiser that knows the parameters moves the state's memory", () => {
    const linear = new nn.Linear(1, 1, { bias: false }).requiresGrad_(false);
    linear.loadStateDict(new Map([['weight', tensor([[3]], { requiresGrad: true })]]), {
      assign: true,
    });
    expect(linear.weight.requiresGrad).toBe(false);
    linear.requiresGrad_();
    const optimizer = new optim.SGD(linear.parameters(), { lr: 1 });
    const weight = new Float32Array([5]);
    linear.loadStateDict(new Map([['weight', tensor(weight, [1, 1])]]), { assign: true });
    functional.sum(linear.forward(tensor([[2]]))).backward();
    optimizer.step();
    expect([...weight]).toEqual([3]);
  });

  test('a graph that saved the weights of before is void', () => {
    const linear = new nn.Linear(1, 1);
    const y = functional.sum(linear.forward(tensor([[2]], { requiresGrad: true })));
    linear.loadStateDict(new nn.Linear(1, 1).stateDict(), { assign: true });
    expect(thrownBy(() => y.backward())).toBe(
      'Error: linear: one of the variables needed for gradient computation has been modified by an inplace ' +
        'operation: it is at version 2; expected version 1 instead.',
    );
  });

  test('whoever had the memory of before keeps it', () => {
    const bn = new nn.BatchNorm1d(1);
    const [state, { data }] = [bn.stateDict(), bn.weight!];
    bn.loadStateDict(new Map([['weight', tensor([4])]]), { strict: false, assign: true });
    bn.forward(tensor([[1], [3]]));
    expect([state.get('weight')!.item(), data[0], bn.weight!.item()]).toEqual([1, 1, 4]);
  });

  test('the state may be disposed of, by a scope too', () => {
    const bn = new nn.BatchNorm1d(1);
    scope(() => {
      const weight = functional.relu(tensor([4]));
      bn.loadStateDict(new Map([['weight', weight]]), { strict: false, assign: true });
    });
    functional.relu(tensor([7])); // would be given the memory, had nobody held it
    expect(bn.weight!.item()).toBe(4);
  });

  test('a layer without a size takes it, and the memory', () => {
    const source = new nn.BatchNorm1d(2).shareMemory();
    const lazy = new nn.LazyBatchNorm1d();
    lazy.loadStateDict(sent(source), { assign: true });
    source.weight!.data[1] = 9;
    expect([lazy.numFeatures, lazy.weight!.data[1], lazy.runningVar!.isShared()]).toEqual([
      2,
      9,
      true,
    ]);
  });

  test('a counter of shape [1] stays a scalar', () => {
    const bn = new nn.BatchNorm1d(1);
    const counter = tensor(new BigInt64Array([6n]));
    bn.loadStateDict(new Map([['num_batches_tracked', counter]]), { strict: false, assign: true });
    bn.forward(tensor([[1], [3]]));
    expect([counter.item(), bn.stateDict().get('num_batches_tracked')!.shape]).toEqual([7, []]);
  });

  test('is refused whole: another dtype, a variance below 0', () => {
    const model = build();
    const state = sent(build());
    state.set('0.weight', tensor(new Float64Array(6), [3, 2]));
    state.set('1.running_var', tensor([1, -1, 1]));
    const unchanged = snapshot(model);
    expect(thrownBy(() => model.loadStateDict(state, { assign: true }))).toBe(
      'RangeError: Error(s) in loading state_dict for Sequential:\n\tWhile copying the parameter named ' +
        '"0.weight", expected float32 (assign shares the memory as it is), got float64.\n\tWhile copying the ' +
        'parameter named "1.running_var", expected variances of at least 0, got -1 in channel 1.',
    );
    unchanged();
    expect(
      tensorsOf(model).some((each) => [...state.values()].some((s) => s.data === each.data)),
    ).toBe(false);
  });

  test('is refused whole: memory that is detached', () => {
    const [model, state] = [build(), sent(build())];
    state.get('1.bias')!.dispose();
    const unchanged = snapshot(model);
    expect(thrownBy(() => model.loadStateDict(state, { assign: true }))).toBe(
      'TypeError: Sequential.loadStateDict: expected 1.bias to hold the 3 elements of shape [3], got 0 (its ' +
        'buffer was detached, shrunk or disposed of).',
    );
    unchanged();
  });
});
