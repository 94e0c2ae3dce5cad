// State at its edges: a counter that is detached or negative, options that are null, indices outside,
// memory shared where it must not be.
import { data, functional, nn, noGrad, optim, tensor, type Tensor } from 'evenkeel';
import { describe, expect, it } from 'vitest';

import { snapshot, thrownBy } from '../helpers/snapshot.js';

const batch = tensor([
  [1, 2],
  [3, 6],
]);

describe('num_batches_tracked', () => {
  it('whose memory is detached stops the forward before anything moves', () => {
    const bn = new nn.BatchNorm1d(2);
    const counter = bn.getBuffer('num_batches_tracked')!;
    structuredClone(counter.data, { transfer: [counter.data.buffer as ArrayBuffer] });
    const before = [...bn.runningMean!.data, ...bn.runningVar!.data];
    expect(thrownBy(() => bn.forward(batch))).toBe(
      'TypeError: BatchNorm1d: expected num_batches_tracked to hold the 1 elements of shape [], got 0 ' +
        '(its buffer was detached, shrunk or disposed of).',
    );
    expect([...bn.runningMean!.data, ...bn.runningVar!.data]).toEqual(before);
  });

  it('below zero is an error for the cumulative average, not an infinite weight', () => {
    const bn = new nn.BatchNorm1d(2, { momentum: null });
    bn.registerBuffer('num_batches_tracked', tensor(new BigInt64Array([-1n]), []));
    const expectUnchanged = snapshot(bn);
    expect(thrownBy(() => bn.forward(batch))).toBe(
      'RangeError: BatchNorm1d: expected num_batches_tracked to be a whole number of at least 0, got -1.',
    );
    expectUnchanged();
  });
});

describe('a state that no training leaves behind', () => {
  it.each([
    ['running_var', tensor([1, -2]), 'expected variances of at least 0, got -2 in channel 1'],
    ['running_var', tensor([NaN, 1]), 'expected variances of at least 0, got NaN in channel 0'],
    ['num_batches_tracked', tensor(-1), 'expected a count of at least 0, got -1'],
  ])('%s is not loaded: %#', (name, value, problem) => {
    const model = new nn.Sequential(new nn.BatchNorm1d(2));
    const state = new Map(model.stateDict()).set(`0.${name}`, value);
    state.set('0.running_mean', tensor([5, 5]));
    const expectUnchanged = snapshot(model);
    expect(thrownBy(() => model.loadStateDict(state))).toBe(
      'RangeError: Error(s) in loading state_dict for Sequential:\n\tWhile copying the parameter named ' +
        `"0.${name}", ${problem}.`,
    );
    expectUnchanged();
  });

  it('but an infinite variance is: it makes y the bias', () => {
    const bn = new nn.BatchNorm1d(2);
    bn.loadStateDict(new Map([['running_var', tensor([Infinity, 0])]]), { strict: false });
    expect(bn.runningVar!.toArray()).toEqual([Infinity, 0]);
  });
});

describe('the dtype a layer was made for', () => {
  it('holds where there is no operand to compare with', () => {
    const bn = new nn.BatchNorm1d(2, { affine: false, trackRunningStats: false });
    expect(
      thrownBy(() =>
        bn.forward(
          tensor(
            [
              [1, 2],
              [3, 6],
            ],
            { dtype: 'float64' },
          ),
        ),
      ),
    ).toBe(
      "TypeError: BatchNorm1d: expected the input to be float32, got float64 (all inputs must share same datatype; x.to('float32') converts).",
    );
  });
});

describe('null is no default', () => {
  it.each(['affine', 'bias', 'trackRunningStats'])('for %s', (name) => {
    expect(thrownBy(() => new nn.BatchNorm1d(2, { [name]: null }))).toBe(
      `TypeError: BatchNorm1d: expected ${name} to be a boolean, got null.`,
    );
  });
});

describe('a sentence instead of an accident', () => {
  it.each<[string, () => unknown, string]>([
    [
      'an optimiser of a number',
      () => new optim.SGD(5 as never),
      'TypeError: SGD: expected parameters or groups to be iterable, got 5.',
    ],
    [
      'a group without parameters',
      () => new optim.SGD([{ params: 5 as never }]),
      'TypeError: SGD: expected params to be iterable, got 5.',
    ],
    [
      'linear without a weight',
      () => functional.linear(batch, null as never),
      'TypeError: linear: expected a weight Tensor, got null.',
    ],
    [
      'statistics left out',
      () => functional.batchNorm(batch, undefined as never, undefined as never),
      'TypeError: batchNorm: expected running_mean and running_var to be Tensors or null, got undefined.',
    ],
    [
      'noGrad of a number',
      () => noGrad(5 as never),
      'TypeError: noGrad: expected a function, got 5.',
    ],
    [
      'half an integer',
      () => tensor([1.5], { dtype: 'int64' }),
      'RangeError: tensor: expected whole numbers for int64, got 1.5.',
    ],
    [
      'half an integer of 32 bits',
      () => tensor([1.5], { dtype: 'int32' }),
      'RangeError: tensor: expected whole numbers for int32, got 1.5.',
    ],
    [
      'a row that is not there',
      () => new data.TensorDataset(batch).rows([0, 2]),
      'RangeError: TensorDataset.rows: expected indices below 2, got 2.',
    ],
    [
      'half a row',
      () => new data.TensorDataset(batch).rows([0.5]),
      'RangeError: TensorDataset.rows: expected an index to be a whole number of at least 0, got 0.5.',
    ],
  ])('%s', (_, call, message) => {
    expect(thrownBy(call)).toBe(message);
  });
});

describe('memory that is written is shared with no other operand', () => {
  const overlaps = (name: string): string =>
    `RangeError: batchNorm: expected ${name} to have memory of its own, got some that overlaps another operand.`;
  const view = (memory: Float32Array, from: number, count: number): Tensor =>
    tensor(memory.subarray(from, from + count), [count]);

  it.each<[string, (memory: Float32Array, input: Tensor) => unknown, string]>([
    [
      'one tensor for both running statistics',
      (memory, input) => {
        const both = view(memory, 0, 2);
        return functional.batchNorm(input, both, both, { training: true });
      },
      overlaps('running_mean'),
    ],
    [
      'the weight inside the running variance',
      (memory, input) =>
        functional.batchNorm(input, view(memory, 0, 2), view(memory, 2, 2), {
          training: true,
          weight: view(memory, 3, 2),
        }),
      overlaps('running_var'),
    ],
    [
      'out over the bias',
      (memory, input) =>
        functional.batchNorm(input, null, null, {
          bias: view(memory, 3, 2),
          out: tensor(memory.subarray(0, 4), [2, 2]),
        }),
      overlaps('out'),
    ],
  ])('%s', (_, call, message) => {
    const memory = Float32Array.from({ length: 8 }, (_unused, i) => i);
    expect(thrownBy(() => call(memory, batch))).toBe(message);
    expect([...memory]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('out over running statistics that a layer neither reads nor moves', () => {
    const memory = new Float32Array(8).fill(1);
    const bn = new nn.BatchNorm1d(2);
    bn.registerBuffer('running_mean', view(memory, 3, 2));
    bn.trackRunningStats = false;
    const out = tensor(memory.subarray(0, 4), [2, 2]);
    expect(thrownBy(() => noGrad(() => bn.forward(batch, { out })))).toBe(
      overlaps('out').replace('batchNorm', 'BatchNorm1d'),
    );
    expect([...memory]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('under another name too: two SharedArrayBuffers of one memory', () => {
    const shared = new SharedArrayBuffer(24);
    const alias = structuredClone(shared);
    const input = tensor(new Float32Array(shared, 0, 4), [2, 2]);
    input.data.set([1, 2, 3, 4] as never);
    const out = tensor(new Float32Array(alias, 8, 4), [2, 2]);
    expect(alias).not.toBe(shared);
    expect(thrownBy(() => functional.batchNorm(input, null, null, { out }))).toBe(overlaps('out'));
    expect(input.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('wherever the operands lie: 500 places in five numbers', () => {
    const input = tensor([[1], [3]]);
    let calls = 0;
    for (let place = 0; place < 500; place++) {
      const memory = Float32Array.from([5, 6, 7, 8, 9]);
      const digit = (unit: number): number => Math.floor(place / unit) % 5;
      const [mean, variance, weight] = [digit(1), digit(5), digit(25)];
      const from = digit(125);
      const inOut = (at: number): boolean => at === from || at === from + 1;
      const apart = new Set([mean, variance, weight]).size === 3;
      const allowed = apart && ![mean, variance, weight].some(inOut);
      const call = (): unknown =>
        functional.batchNorm(input, view(memory, mean, 1), view(memory, variance, 1), {
          training: true,
          weight: view(memory, weight, 1),
          out: tensor(memory.subarray(from, from + 2), [2, 1]),
        });
      if (allowed) {
        calls++;
        call();
      } else {
        expect(thrownBy(call), `place ${place}`).toMatch(/^RangeError: .* memory of its own/);
      }
      expect(memory.every((value, i) => value === 5 + i)).toBe(!allowed);
    }
    expect(calls).toBe(24);
  });

  it('but one array may hold all of them side by side', () => {
    const memory = new Float32Array(8).fill(1);
    functional.batchNorm(batch, view(memory, 0, 2), view(memory, 2, 2), {
      training: true,
      momentum: 1,
      weight: view(memory, 4, 2),
    });
    expect([...memory]).toEqual([2, 4, 2, 8, 1, 1, 1, 1]);
  });
});

describe('a constant channel with a vanishing eps', () => {
  it('is exactly the bias: the scale is held finite', () => {
    const bias = tensor([0.25, -3]);
    const x = tensor([
      [5, 0.1],
      [5, 0.1],
    ]);
    const y = functional.batchNorm(x, null, null, { bias, training: true, eps: 1e-90 });
    expect(y.toArray()).toEqual([
      [0.25, -3],
      [0.25, -3],
    ]);
  });
});

describe('buffers taken away', () => {
  it('no counter: the cumulative average stays, as in PyTorch; a momentum moves it', () => {
    const bn = new nn.BatchNorm1d(2, { momentum: null });
    bn.registerBuffer('num_batches_tracked', null);
    bn.forward(batch);
    expect(bn.runningMean!.toArray()).toEqual([0, 0]);
    bn.momentum = 1;
    bn.forward(batch);
    expect(bn.runningMean!.toArray()).not.toEqual([0, 0]);
    bn.resetRunningStats();
    expect([bn.runningMean!.toArray(), bn.runningVar!.toArray()]).toEqual([[0, 0], [1, 1]]); // prettier-ignore
  });

  it.each([true, false])('one of two running statistics is an error; training: %s', (training) => {
    for (const [removed, left] of [
      ['running_mean', 'running_var'],
      ['running_var', 'running_mean'],
    ] as const) {
      const bn = new nn.BatchNorm1d(2).train(training);
      bn.registerBuffer(removed, null);
      const expectUnchanged = snapshot(bn);
      expect(thrownBy(() => bn.forward(batch))).toBe(
        'TypeError: BatchNorm1d: expected running_mean and running_var to either both be None or neither be ' +
          `None, got only ${left}.`,
      );
      expectUnchanged();
    }
  });

  it('a reset that cannot be whole is none', () => {
    const bn = new nn.BatchNorm1d(2);
    bn.forward(batch);
    const { buffer } = bn.runningVar!.data as Float32Array<ArrayBuffer>;
    structuredClone(buffer, { transfer: [buffer] });
    const expectUnchanged = snapshot(bn);
    expect(thrownBy(() => bn.resetRunningStats())).toBe(
      'TypeError: BatchNorm1d.resetRunningStats: expected a running statistic to hold the 2 elements of shape ' +
        '[2], got 0 (its buffer was detached, shrunk or disposed of).',
    );
    expectUnchanged();
  });
});

describe('null is no default of the stateless form', () => {
  it.each([
    ['training', 'training to be a boolean'],
    ['momentum', 'momentum to be a number from 0 to 1'],
    ['eps', 'eps to be a finite number of at least 0'],
    ['relu', 'relu to be a boolean'],
  ])('%s', (name, what) => {
    const options = { [name]: null } as functional.BatchNormFunctionOptions;
    expect(thrownBy(() => functional.batchNorm(batch, null, null, options))).toBe(
      `TypeError: batchNorm: expected ${what}, got null.`,
    );
  });
});

describe('a plain tensor where a Parameter belongs', () => {
  const got =
    "to be a Parameter or null (cannot assign another kind as parameter 'weight'), got an instance of Tensor.";

  it('is refused by the next forward: it would be missing in the state', () => {
    const bn = new nn.BatchNorm1d(2);
    const { weight } = bn;
    const expectUnchanged = snapshot(bn);
    Object.assign(bn, { weight: tensor([1, 1]) });
    expect(thrownBy(() => bn.forward(batch))).toBe(
      `TypeError: BatchNorm1d: expected weight ${got}`,
    );
    bn.weight = weight;
    expectUnchanged();
    const linear = new nn.Linear(2, 1);
    Object.assign(linear, { weight: tensor([[1, 1]]) });
    expect(thrownBy(() => linear.forward(batch))).toBe(`TypeError: Linear: expected weight ${got}`);
  });
});
