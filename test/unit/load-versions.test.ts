// Loading by module: versions, adapted entries, values that do not fit, results as PyTorch prints them.
import { describe, expect, test } from 'vitest';

import { nn, StateDict, tensor, type Tensor } from '../../src/index.js';
import { CHECK_STATE, PLAN_LOAD } from '../../src/nn/module/internals.js';
import type { LoadPlan } from '../../src/nn/module/load-state-dict.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const build = (): nn.Sequential => new nn.Sequential(new nn.Linear(1, 1), new nn.BatchNorm1d(1));
const failed = (name: string): string => `RangeError: Error(s) in loading state_dict for ${name}:`;

test('a missing counter is missing where the state says version 2, and only there', () => {
  const model = build();
  const bn = model.at(1) as nn.BatchNorm1d;
  bn.numBatchesTracked = 7;
  const state = build().stateDict();
  state.delete('1.num_batches_tracked');
  const unchanged = snapshot(model);
  expect(thrownBy(() => model.loadStateDict(state))).toBe(
    `${failed('Sequential')}\n\tMissing key(s) in state_dict: "1.num_batches_tracked".`,
  );
  unchanged();
  expect(model.loadStateDict(state, { strict: false }).missingKeys).toEqual([
    '1.num_batches_tracked',
  ]);
  state.modules.set('1', { version: 1 });
  expect(model.loadStateDict(state).missingKeys).toEqual([]);
  state.modules.clear();
  expect(String(model.loadStateDict(state))).toBe('<All keys matched successfully>');
  expect(String(model.loadStateDict(new Map(state)))).toBe('<All keys matched successfully>');
  expect(bn.numBatchesTracked).toBe(7);
});

test('every path has its version, a shared module under each of its names', () => {
  class Twice extends nn.Module {
    a = new nn.BatchNorm1d(1);
    b = this.a;
    forward(x: Tensor): Tensor {
      return this.a.forward(x);
    }
  }
  expect(
    [...new Twice().stateDict().modules].map(([path, { version }]) => [path, version]),
  ).toEqual([
    ['', 1],
    ['a', 2],
    ['b', 2],
  ]);
});

test("problems come in PyTorch's order: missing, unexpected by module, then key by key", () => {
  const model = build();
  const state = new StateDict(model.stateDict());
  state.delete('1.bias');
  for (const key of ['1.foo.bar', 'zz', '0.weight.x']) state.set(key, tensor([1]));
  state.set('1.weight', tensor([1, 2]));
  state.set('0.bias', 5 as never);
  expect(thrownBy(() => model.loadStateDict(state))).toBe(
    `${failed('Sequential')}\n\tMissing key(s) in state_dict: "1.bias".\n\tUnexpected key(s) in state_dict: ` +
      '"zz", "0.weight.x", "1.foo.bar".\n\tWhile copying the parameter named "0.bias", expected a Tensor ' +
      'from checkpoint but received 5.\n\tsize mismatch for 1.weight: copying a param with shape [2] from ' +
      'checkpoint, the shape in current model is [1].',
  );
});

describe('a counter from floats', () => {
  const load = (value: number): number => {
    const bn = new nn.BatchNorm1d(1);
    bn.loadStateDict(new Map([['num_batches_tracked', tensor(new Float64Array([value]))]]), {
      strict: false,
    });
    return bn.numBatchesTracked;
  };
  test('is truncated, as PyTorch does', () => {
    expect([load(5.7), load(2 ** 53 - 1)]).toEqual([5, 2 ** 53 - 1]);
  });
  test.each([NaN, Infinity, -Infinity, 2 ** 53, 1e30])(
    'that does not fit is a problem: %d',
    (value) => {
      expect(thrownBy(() => load(value))).toBe(
        `${failed('BatchNorm1d')}\n\tWhile copying the parameter named "num_batches_tracked", expected whole ` +
          `numbers of at most 2^53 - 1, got ${value}.`,
      );
    },
  );
});

test("the result prints as PyTorch's", () => {
  const result = new nn.BatchNorm1d(1).loadStateDict(
    new Map([
      ["it's", tensor([1])],
      ['a"b', tensor([1])],
    ]),
    { strict: false },
  );
  expect(String(result)).toBe(
    "_IncompatibleKeys(missing_keys=['weight', 'bias', 'running_mean', 'running_var'], " +
      `unexpected_keys=["it's", 'a"b'])`,
  );
});

class Sized extends nn.Module {
  seen: number | null = null;
  constructor(size: number) {
    super();
    this.registerBuffer('b', tensor(new Float32Array(size)));
    this.registerBuffer('small', tensor([0]));
  }
  override [PLAN_LOAD](entries: ReadonlyMap<string, Tensor>, version: number | null): LoadPlan {
    const ours = new Map([...entries].filter(([name]) => name !== 'old'));
    const made = tensor(new Float32Array(entries.get('b')?.numel ?? 0));
    return {
      entries: ours,
      targets: new Map([
        ['b', made],
        ['small', this.getBuffer('small')!],
      ]),
      commit: () => {
        this.registerBuffer('b', made);
        this.seen = version;
      },
    };
  }
  override [CHECK_STATE](name: string, value: Tensor): string | null {
    return name === 'small' && value.item() < 0
      ? `expected small of at least 0, got ${value.item()}`
      : null;
  }
  forward(): void {
    // nothing
  }
}

test('a module may drop entries, take its size from them, and refuse values; whole or not at all', () => {
  const model = new Sized(1);
  const state = new StateDict([
    ['b', tensor([1, 2, 3])],
    ['old', tensor([1])],
    ['small', tensor([-1])],
  ]);
  state.modules.set('', { version: 4 });
  expect(thrownBy(() => model.loadStateDict(state))).toBe(
    `${failed('Sized')}\n\tWhile copying the parameter named "small", expected small of at least 0, got -1.`,
  );
  expect([model.getBuffer('b')!.shape, model.seen]).toEqual([[1], null]);
  state.set('small', tensor([2]));
  model.loadStateDict(state);
  expect([model.getBuffer('b')!.toArray(), model.getBuffer('small')!.item(), model.seen]).toEqual([
    [1, 2, 3],
    2,
    4,
  ]);
});

test('memory that goes while it is checked, and a Map that throws, change nothing', () => {
  const model = build();
  const bn = model.at(1) as nn.BatchNorm1d;
  const weight = [...(model.at(0) as nn.Linear).weight.data];
  class Evil extends Map<string, Tensor> {
    override *[Symbol.iterator](): MapIterator<[string, Tensor]> {
      yield* super[Symbol.iterator]();
      throw new Error('half way');
    }
  }
  expect(thrownBy(() => model.loadStateDict(new Evil(build().stateDict())))).toMatch(/half way/);
  const state = build().stateDict();
  bn.runningVar!.dispose();
  expect(thrownBy(() => model.loadStateDict(state))).toBe(
    'TypeError: Sequential.loadStateDict: expected 1.running_var to hold the 1 elements of shape [1], got 0 (its ' +
      'buffer was detached, shrunk or disposed of).',
  );
  expect([...(model.at(0) as nn.Linear).weight.data]).toEqual(weight);
});

test('keys that are no strings', () => {
  expect(thrownBy(() => build().loadStateDict(new Map([[5, tensor([1])]]) as never))).toBe(
    'TypeError: Sequential.loadStateDict: expected state_dict with strings as keys, got 5.',
  );
});

test('its own state dict, and one that shares memory the other way round', () => {
  const model = new nn.Linear(2, 2);
  const before = [...model.weight.data];
  model.loadStateDict(model.stateDict());
  expect([...model.weight.data]).toEqual(before);
  const bn = new nn.BatchNorm1d(2);
  bn.bias!.data.set([5, 6]);
  bn.loadStateDict(
    new Map([
      ['weight', bn.bias!],
      ['bias', bn.weight!],
    ]),
    { strict: false },
  );
  expect([[...bn.weight!.data], [...bn.bias!.data]]).toEqual([
    [5, 6],
    [1, 1],
  ]);
});

test('registering again: parameters and modules take their own place, others are refused', () => {
  const fc = new nn.Linear(1, 1, { bias: false });
  const bias = new nn.Parameter(tensor([1]));
  fc.registerParameter('bias', bias);
  expect([fc.bias, [...fc.stateDict().keys()]]).toEqual([bias, ['weight', 'bias']]);
  expect(thrownBy(() => fc.registerParameter('weight', tensor([1]) as never))).toBe(
    'TypeError: Linear.registerParameter: expected a Parameter or null, got an instance of Tensor.',
  );
  expect(thrownBy(() => fc.registerModule('m', 5 as never))).toBe(
    'TypeError: Linear.registerModule: expected a Module, got 5.',
  );
  expect(thrownBy(() => fc.registerModule('weight', new nn.ReLU()))).toBe(
    "RangeError: Linear.registerModule: expected a new name, got 'weight' (attribute 'weight' already exists).",
  );
  fc.registerModule('c', new nn.ReLU());
  fc.registerModule('c', new nn.Dropout(0));
  class Lines extends nn.Module {
    override extraRepr(): string {
      return 'a=1,\nb=2';
    }
    forward(): void {
      // nothing
    }
  }
  fc.registerModule('l', new Lines());
  expect(fc.toString()).toBe(
    'Linear(\n  in_features=1, out_features=1, bias=True\n  (c): Dropout(p=0.0, inplace=False)\n  (l): Lines(\n' +
      '    a=1,\n    b=2\n  )\n)',
  );
});
