// State dicts: PyTorch's keys and order, sharing memory; loading whole or not at all.
import { describe, expect, test } from 'vitest';

import { checkpoint, nn, StateDict, tensor, type Tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

function build(): nn.Sequential {
  return new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3));
}

const KEYS = [
  '0.weight',
  '0.bias',
  '1.weight',
  '1.bias',
  '1.running_mean',
  '1.running_var',
  '1.num_batches_tracked',
];

const bits = (state: Map<string, Tensor>): unknown =>
  [...state].map(([key, each]) => [key, each.dtype, each.shape, [...each.data]]);

/** A state dict in memory of its own. */
const copy = (module: nn.Module): Map<string, Tensor> =>
  new Map([...module.stateDict()].map(([key, each]) => [key, each.clone()]));

describe('stateDict', () => {
  test("has PyTorch's keys in PyTorch's order: own parameters, own buffers, children", () => {
    expect([...build().stateDict().keys()]).toEqual(KEYS);

    class Mixed extends nn.Module {
      w = new nn.Parameter(tensor([0, 0]));
      inner = new nn.BatchNorm1d(2);
      v = new nn.Parameter(tensor([0]));
      constructor() {
        super();
        this.registerBuffer('b', tensor([0]));
      }
      forward(): void {
        // nothing
      }
    }
    expect([...new Mixed().stateDict().keys()]).toEqual([
      'w',
      'v',
      'b',
      'inner.weight',
      'inner.bias',
      'inner.running_mean',
      'inner.running_var',
      'inner.num_batches_tracked',
    ]);
  });

  test('holds a fresh BatchNorm: ones, zeros, zeros, ones, an int64 scalar 0', () => {
    expect(bits(new nn.BatchNorm1d(2).stateDict())).toEqual([
      ['weight', 'float32', [2], [1, 1]],
      ['bias', 'float32', [2], [0, 0]],
      ['running_mean', 'float32', [2], [0, 0]],
      ['running_var', 'float32', [2], [1, 1]],
      ['num_batches_tracked', 'int64', [], [0n]],
    ]);
    const double = new nn.BatchNorm1d(1, { dtype: 'float64' }).stateDict();
    expect([...double.values()].map(({ dtype }) => dtype)).toEqual([
      ...Array.from({ length: 4 }, () => 'float64'),
      'int64',
    ]);
  });

  test('leaves out what is absent', () => {
    const bn = new nn.BatchNorm1d(2, { bias: false, trackRunningStats: false });
    expect([...bn.stateDict().keys()]).toEqual(['weight']);
    expect(
      new nn.BatchNorm1d(2, { affine: false, trackRunningStats: false }).stateDict().size,
    ).toBe(0);
  });

  test("shares the module's memory, off the graph", () => {
    const bn = new nn.BatchNorm1d(1);
    const state = bn.stateDict();
    bn.forward(tensor([[1], [3]]));
    expect(state.get('running_mean')!.item()).toBe(Math.fround(0.2));
    expect(state.get('num_batches_tracked')!.item()).toBe(1);
    expect([...state.values()].some(({ requiresGrad }) => requiresGrad)).toBe(false);
  });
});

describe('loadStateDict', () => {
  test('copies values, not memory, in any order of keys', () => {
    const [from, to] = [build(), build()];
    from.forward(
      tensor([
        [1, 2],
        [5, 3],
      ]),
    );
    const state = new Map([...from.stateDict()].reverse());
    const before = [...to.stateDict().values()].map(({ data }) => data);
    expect(to.loadStateDict(state)).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(bits(to.stateDict())).toEqual(bits(from.stateDict()));
    expect([...to.stateDict().values()].map(({ data }) => data)).toEqual(before);
    from.forward(
      tensor([
        [9, 9],
        [5, 3],
      ]),
    );
    expect(bits(to.stateDict())).not.toEqual(bits(from.stateDict()));
  });

  test("converts between float dtypes, and to the counter's int64", () => {
    const bn = new nn.BatchNorm1d(1);
    const double = (value: number): Tensor => tensor(new Float64Array([value]));
    bn.loadStateDict(
      new Map([
        ['weight', double(0.1)],
        ['bias', double(1 / 3)],
        ['running_mean', double(1e-50)],
        ['running_var', double(2)],
        ['num_batches_tracked', tensor(new Int32Array([7]))], // shape [1], as PyTorch 0.3 wrote it
      ]),
    );
    expect(bits(bn.stateDict())).toEqual([
      ['weight', 'float32', [1], [Math.fround(0.1)]],
      ['bias', 'float32', [1], [Math.fround(1 / 3)]],
      ['running_mean', 'float32', [1], [0]],
      ['running_var', 'float32', [1], [2]],
      ['num_batches_tracked', 'int64', [], [7n]],
    ]);
  });

  test('a missing num_batches_tracked keeps its value, strict or not', () => {
    const bn = new nn.BatchNorm1d(1);
    bn.numBatchesTracked = 7;
    const state = copy(new nn.BatchNorm1d(1));
    state.delete('num_batches_tracked');
    expect(bn.loadStateDict(state)).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(bn.numBatchesTracked).toBe(7);
    bn.loadStateDict(state, { strict: false });
    expect(bn.numBatchesTracked).toBe(7);
  });

  test('not strict: reports keys and loads the rest', () => {
    const [model, other] = [build(), build()];
    const state = copy(other);
    state.delete('0.bias');
    state.set('extra', tensor([1]));
    const bias = [...(model.at(0) as nn.Linear).bias!.data];
    expect(model.loadStateDict(state, { strict: false })).toEqual({
      missingKeys: ['0.bias'],
      unexpectedKeys: ['extra'],
    });
    expect([...(model.at(0) as nn.Linear).bias!.data]).toEqual(bias);
    expect([...(model.at(0) as nn.Linear).weight.data]).toEqual([...state.get('0.weight')!.data]);
  });

  const failed = 'RangeError: Error(s) in loading state_dict for Sequential:';
  test.each<[string, boolean, (state: Map<string, Tensor>) => void, string]>([
    [
      'keys missing and unexpected',
      true,
      (state) => {
        for (const key of KEYS.slice(1)) state.delete(key);
        state.set('x', tensor([1]));
      },
      `${failed}\n\tMissing key(s) in state_dict: "0.bias", "1.weight", "1.bias", "1.running_mean", ` +
        '"1.running_var".\n\tUnexpected key(s) in state_dict: "x".',
    ],
    [
      'another size, after all the rest fits',
      true,
      (state) => state.set('1.running_var', tensor([1, 2, 3, 4])),
      `${failed}\n\tsize mismatch for 1.running_var: copying a param with shape [4] from checkpoint, the ` +
        'shape in current model is [3].',
    ],
    [
      'another size, though not strict',
      false,
      (state) =>
        state.set(
          '0.weight',
          tensor([
            [1, 2, 3],
            [4, 5, 6],
          ]),
        ),
      `${failed}\n\tsize mismatch for 0.weight: copying a param with shape [2, 3] from checkpoint, the ` +
        'shape in current model is [3, 2].',
    ],
    [
      'everything at once',
      true,
      (state) => {
        state.delete('1.bias');
        state.set('0.bias', tensor(1));
        state.set('1.weight', [1, 2, 3] as never);
      },
      `${failed}\n\tMissing key(s) in state_dict: "1.bias".\n\tsize mismatch for 0.bias: copying a param ` +
        'with shape [] from checkpoint, the shape in current model is [3].\n\tWhile copying the parameter ' +
        'named "1.weight", expected a Tensor from checkpoint but received an array of length 3.',
    ],
    [
      'the prefix of a model that DataParallel or torch.compile has wrapped, with what to do',
      true,
      (state) => {
        for (const [key, value] of [...state]) {
          state.delete(key);
          state.set(`module.${key}`, value);
        }
      },
      `${failed}\n\tMissing key(s) in state_dict: ${KEYS.slice(0, -1)
        .map((key) => `"${key}"`)
        .join(', ')}.\n\t` +
        `Unexpected key(s) in state_dict: ${KEYS.map((key) => `"module.${key}"`).join(', ')}.\n\t` +
        "These keys begin with 'module.', which the module does not have: load " +
        'new Map([...state].map(([key, value]) => [key.slice(7), value])).',
    ],
    [
      'memory that is detached',
      true,
      (state) => state.get('1.num_batches_tracked')!.dispose(),
      'TypeError: Sequential.loadStateDict: expected 1.num_batches_tracked to hold the 1 elements of shape [], got 0 (its ' +
        'buffer was detached, shrunk or disposed of).',
    ],
  ])('refused whole: %s', (_, strict, spoil, message) => {
    const model = build();
    const source = build();
    source.forward(
      tensor([
        [1, 2],
        [5, 3],
      ]),
    );
    const state = copy(source);
    spoil(state);
    const unchanged = snapshot(model);
    expect(thrownBy(() => model.loadStateDict(state, { strict }))).toBe(message);
    unchanged();
  });

  test('a checkpoint of another BatchNorm', () => {
    const keys = '"running_mean", "running_var", "num_batches_tracked"';
    const untracked = new nn.BatchNorm1d(1, { trackRunningStats: false });
    expect(thrownBy(() => untracked.loadStateDict(new nn.BatchNorm1d(1).stateDict()))).toBe(
      `RangeError: Error(s) in loading state_dict for BatchNorm1d:\n\tUnexpected key(s) in state_dict: ${keys}.`,
    );
    expect(thrownBy(() => new nn.BatchNorm1d(1).loadStateDict(new Map()))).toBe(
      'RangeError: Error(s) in loading state_dict for BatchNorm1d:\n\tMissing key(s) in state_dict: ' +
        '"weight", "bias", "running_mean", "running_var".',
    );
  });

  test('what is no state dict', () => {
    expect(thrownBy(() => build().loadStateDict({} as never))).toBe(
      'TypeError: Sequential.loadStateDict: expected state_dict to be dict-like (a Map), got an object (new Map(Object.entries(x))).',
    );
    expect(thrownBy(() => build().loadStateDict(new Map(), { strikt: false } as never))).toBe(
      "TypeError: Sequential.loadStateDict: expected options among strict, assign, got 'strikt' (did you mean 'strict'?).",
    );
  });
});

describe('StateDict.clone', () => {
  test('has memory of its own, and what is known of modules and files', () => {
    const model = build();
    const state = model.stateDict();
    state.metadata.set('epoch', '3');
    const copied = state.clone();
    const before = bits(copied);
    expect(copied).toBeInstanceOf(StateDict);
    expect(before).toEqual(bits(state));
    expect([...copied.modules]).toEqual([...state.modules]);
    expect([...copied.metadata]).toEqual([['epoch', '3']]);
    model.forward(
      tensor([
        [1, 2],
        [3, 5],
      ]),
    );
    (model.stateDict().get('0.weight')!.data as Float32Array).fill(9);
    expect(bits(copied)).toEqual(before);
    expect(bits(model.stateDict())).not.toEqual(before);
    model.loadStateDict(copied);
    expect(bits(model.stateDict())).toEqual(before);
    state.metadata.set('epoch', '4');
    state.modules.clear();
    expect([copied.metadata.get('epoch'), copied.modules.size]).toEqual(['3', 3]);
  });

  test('tensors that share memory share it in the copy, once', () => {
    const w = tensor([1, 2]);
    const copied = new StateDict([
      ['a', w],
      ['b', w.detach()],
      ['c', tensor([1, 2])],
    ]).clone();
    const [a, b, c] = [...copied.values()].map(({ data }) => data);
    expect(b!.buffer).toBe(a!.buffer);
    expect(c!.buffer).not.toBe(a!.buffer);
    expect(a!.buffer).not.toBe(w.data.buffer);
  });

  test('of parameters is cut off from them; a tensor that is detached is an error', () => {
    const parameter = new nn.Parameter(tensor([1, 2]));
    const state = new StateDict([['w', parameter]]);
    expect(state.clone().get('w')!.requiresGrad).toBe(false);
    const withoutMemory = tensor([1]);
    withoutMemory.dispose();
    state.set('withoutMemory', withoutMemory);
    expect(thrownBy(() => state.clone())).toMatch(/^TypeError: StateDict\.clone: expected '\w+'/);
    state.set('count', 3 as unknown as Tensor);
    state.delete('weight');
    expect(thrownBy(() => state.clone())).toMatch(/^TypeError: StateDict\.clone: expected '\w+'/);
  });
});

describe('what structuredClone makes of a state dict', () => {
  test('loads, copied or shared, with the same bits', () => {
    const model = build();
    model.forward(
      tensor([
        [1, 2],
        [3, 5],
      ]),
    );
    const expected = bits(model.stateDict());
    const sent = structuredClone(model.stateDict());
    expect(sent).not.toBeInstanceOf(StateDict);
    for (const options of [{}, { assign: true }]) {
      const other = build();
      expect(String(other.loadStateDict(sent, options))).toBe('<All keys matched successfully>');
      expect(bits(other.stateDict())).toEqual(expected);
    }
  });

  test('shared memory stays shared', () => {
    const model = new nn.Linear(2, 1).shareMemory();
    const replica = new nn.Linear(2, 1);
    replica.loadStateDict(structuredClone(model.stateDict()), { assign: true });
    model.weight.data[0] = 5;
    expect(replica.weight.data[0]).toBe(5);
  });

  test('so do plain objects with data and shape', () => {
    const model = new nn.Linear(2, 1);
    const state = new Map<string, unknown>([
      ['weight', { data: Float32Array.of(3, 4), shape: [1, 2] }],
      ['bias', { data: Float32Array.of(5), dims: [1] }],
    ]);
    model.loadStateDict(state as never);
    expect([model.weight.toArray(), model.bias!.toArray()]).toEqual([[[3, 4]], [5]]);
  });

  test('is written to a file with the same bytes, but for metadata', () => {
    const state = build().stateDict();
    expect(
      Buffer.compare(
        checkpoint.encodeSafetensors(structuredClone(state)),
        checkpoint.encodeSafetensors(state),
      ),
    ).toBe(0);
  });

  test.each<[string, unknown]>([
    ['no data', { shape: [1, 2] }],
    ['data of bytes', { data: new Uint8Array(2), shape: [1, 2] }],
    [
      'too few elements',
      { memory: { data: new Float32Array(1) }, shape: [1, 2], dtype: 'float32' },
    ],
    ['no shape', { memory: { data: new Float32Array(2) } }],
    ['a memory of null', { memory: null, shape: [1, 2] }],
  ])('an object that is none is refused with its key, and nothing changes: %s', (_, value) => {
    const model = new nn.Linear(2, 1);
    const unchanged = snapshot(model);
    const state = new Map<string, unknown>([...model.stateDict(), ['weight', value]]);
    expect(thrownBy(() => model.loadStateDict(state as never))).toBe(
      'RangeError: Error(s) in loading state_dict for Linear:\n\t' +
        'While copying the parameter named "weight", expected a Tensor from checkpoint but received an object.',
    );
    unchanged();
  });
});
