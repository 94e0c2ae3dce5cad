// PyTorch's tests of loading (test_nn.py, test/nn/test_load_state_dict.py) as far as BatchNorm is in
// them, and the habits around them that test/unit/state-dict.test.ts does not have.
import { nn, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { snapshot, thrownBy } from '../helpers/snapshot.js';
import { normal, statistics } from './inputs.js';

/** A state dict in memory of its own, as a plain Map: one that says no version. */
function copy(module: nn.Module): Map<string, Tensor> {
  return new Map([...module.stateDict()].map(([key, each]) => [key, each.clone()]));
}

const failed = (name: string, ...lines: string[]): string =>
  `RangeError: Error(s) in loading state_dict for ${name}:\n\t${lines.join('\n\t')}`;

describe('test_batchnorm_load_state_dict', () => {
  test('test_batchnorm_load_state_dict: a counter of 10 stays 10 when nothing is loaded', () => {
    const bn = new nn.BatchNorm1d(3);
    expect(bn.stateDict().get('num_batches_tracked')!.item()).toBe(0);
    bn.numBatchesTracked = 10;
    expect(bn.stateDict().get('num_batches_tracked')!.item()).toBe(10);
    bn.loadStateDict(new Map(), { strict: false });
    expect(bn.numBatchesTracked).toBe(10);
  });

  test('test_batchnorm_load_state_dict: assign with nothing to assign, the counter stays 0', () => {
    const bn = new nn.BatchNorm1d(3); // PyTorch's is on the meta device, which there is none of
    bn.loadStateDict(new Map(), { strict: false, assign: true });
    expect(bn.stateDict().get('num_batches_tracked')!.item()).toBe(0);
  });
});

test('test_load_state_dict_BC: a checkpoint from before num_batches_tracked loads, the counter stays int64 0', () => {
  const [bn, source] = [new nn.BatchNorm2d(3), new nn.BatchNorm2d(3)];
  source.forward(normal([4, 3, 2, 2], 1));
  const state = copy(source);
  state.delete('num_batches_tracked');
  bn.loadStateDict(state);
  const counter = bn.stateDict().get('num_batches_tracked')!;
  expect([counter.dtype, counter.shape, counter.item()]).toEqual(['int64', [], 0]);
  expect(statistics(bn).mean).toEqual(statistics(source).mean);
});

test('test_load_state_dict_BC: version 1 says so, version 2 has to have the counter', () => {
  const source = new nn.Sequential(new nn.BatchNorm1d(2));
  for (const version of [1, 2]) {
    const model = new nn.Sequential(new nn.BatchNorm1d(2));
    const state = source.stateDict();
    state.delete('0.num_batches_tracked');
    state.modules.set('0', { version });
    const unchanged = snapshot(model);
    if (version === 1) expect(model.loadStateDict(state).missingKeys).toEqual([]);
    else {
      expect(thrownBy(() => model.loadStateDict(state))).toBe(
        failed('Sequential', 'Missing key(s) in state_dict: "0.num_batches_tracked".'),
      );
    }
    unchanged();
  }
});

test('what a load has found reads as PyTorch prints it', () => {
  const bn = new nn.BatchNorm1d(2);
  expect(String(bn.loadStateDict(bn.stateDict()))).toBe('<All keys matched successfully>');
  const one = new Map([['extra', tensor([1])]]);
  expect(String(bn.loadStateDict(one, { strict: false }))).toBe(
    "_IncompatibleKeys(missing_keys=['weight', 'bias', 'running_mean', 'running_var'], unexpected_keys=['extra'])",
  );
});

describe('test_load_state_dict', () => {
  const build = (): nn.Sequential => new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3));
  const values = (module: nn.Module): unknown =>
    [...module.stateDict()].map(([key, { data }]) => [key, ...data]);

  test('test_load_state_dict: everything at once, and the order of the keys is of no matter', () => {
    const [model, source] = [build(), build()];
    source.forward(normal([5, 4], 1));
    expect(model.loadStateDict(new Map([...source.stateDict()].reverse()))).toMatchObject({
      missingKeys: [],
      unexpectedKeys: [],
    });
    expect(values(model)).toEqual(values(source));
  });

  test('test_load_state_dict: a key too many, one too few: refused when strict, told of when not', () => {
    const model = build();
    const state = copy(build());
    state.set('extra', tensor([1]));
    state.delete('0.weight');
    const unchanged = snapshot(model);
    expect(thrownBy(() => model.loadStateDict(state))).toBe(
      failed(
        'Sequential',
        'Missing key(s) in state_dict: "0.weight".',
        'Unexpected key(s) in state_dict: "extra".',
      ),
    );
    unchanged();
    expect(model.loadStateDict(state, { strict: false })).toMatchObject({
      missingKeys: ['0.weight'],
      unexpectedKeys: ['extra'],
    });
  });

  test('test_load_state_dict: another size is refused either way, and here nothing has been copied then', () => {
    const model = build();
    const state = copy(build());
    state.get('1.weight')!.data.fill(5 as never);
    state.set('1.running_mean', tensor(new Float32Array(4)));
    for (const strict of [true, false]) {
      const unchanged = snapshot(model);
      expect(thrownBy(() => model.loadStateDict(state, { strict }))).toBe(
        failed(
          'Sequential',
          'size mismatch for 1.running_mean: copying a param with shape [4] from checkpoint, the shape in ' +
            'current model is [3].',
        ),
      );
      unchanged();
    }
  });

  test('test_load_state_dict: what a partial state dict does not name stays as it is', () => {
    const model = build();
    const before = new Map([...model.stateDict()].map(([key, each]) => [key, [...each.data]]));
    model.loadStateDict(new Map([['0.bias', tensor([7, 8, 9])]]), { strict: false });
    for (const [key, each] of model.stateDict()) {
      expect([...each.data], key).toEqual(key === '0.bias' ? [7, 8, 9] : before.get(key));
    }
  });
});

describe('a checkpoint of another kind of layer', () => {
  const state = new nn.BatchNorm1d(3).stateDict();
  test.each<[string, nn.BatchNormOptions, string]>([
    ['without weight and bias', { affine: false }, '"weight", "bias"'],
    ['without bias', { bias: false }, '"bias"'],
    [
      'without running statistics',
      { trackRunningStats: false },
      '"running_mean", "running_var", "num_batches_tracked"',
    ],
  ])('is unexpected for one %s', (_, options, keys) => {
    const bn = new nn.BatchNorm1d(3, options);
    expect(thrownBy(() => bn.loadStateDict(state))).toBe(
      failed('BatchNorm1d', `Unexpected key(s) in state_dict: ${keys}.`),
    );
  });
});

test('integers load into floats, and the fraction of a counter goes', () => {
  const bn = new nn.BatchNorm1d(2);
  bn.loadStateDict(
    new Map([
      ['weight', tensor(Int32Array.of(2, 3))],
      ['num_batches_tracked', tensor(Float32Array.of(5.7), [])],
    ]),
    { strict: false },
  );
  expect([bn.weight!.toArray(), bn.weight!.dtype, bn.numBatchesTracked]).toEqual([
    [2, 3],
    'float32',
    5,
  ]);
});

test('_metadata is stateDict().modules: version 2 for BatchNorm, 1 for the others', () => {
  const state = new nn.Sequential(new nn.Linear(1, 1), new nn.BatchNorm1d(1)).stateDict();
  expect([...state.modules]).toEqual([
    ['', { version: 1 }],
    ['0', { version: 1 }],
    ['1', { version: 2 }],
  ]);
});
