// An argument that nobody reads is a mistake: `add(a, b, { alpha: 2 })` of PyTorch would be a sum without it.
import * as evenkeel from 'evenkeel';
import { data, functional, nn, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { operationsOf } from '../helpers/operations/table.js';

type Function = (...args: unknown[]) => unknown;
const functions = functional as unknown as Readonly<Record<string, Function>>;
/** Rows whose call is the function itself. */
const rows = operationsOf(evenkeel).filter(({ name, call }) => {
  const [, own] = /^functional\.(\w+)$/.exec(name) ?? [];
  return own !== undefined && functions[own] === call;
});

describe('one more argument than there are', () => {
  test.each(rows.map((each) => [each.name, each] as const))('%s', (name, { call, inputs }) => {
    const who = name.replace('functional.', '');
    const extra = { notAnArgument: 1 };
    // Options, where there are some, are refused by their names.
    expect(() => call(...inputs(), extra)).toThrow(TypeError);
    expect(() => call(...inputs(), extra)).toThrow(new RegExp(`^${who}: expected .*notAnArgument`));
    expect(() => call(...inputs(), undefined)).not.toThrow();
  });

  test('most functions are asked', () => expect(rows.length).toBeGreaterThan(70));

  test('methods', () => {
    const x = tensor([[1, 2], [3, 4]]) as unknown as Readonly<Record<string, Function>>; // prettier-ignore
    expect(() => x['add']!(x, { alpha: 2 })).toThrow(
      new TypeError('add: expected 2 arguments, got 3 (an object with alpha).'),
    );
    expect(() => x['squeeze']!(0, 1)).toThrow(
      new TypeError('squeeze: expected 2 arguments, got 3 (1).'),
    );
  });

  const init = nn.init as unknown as Readonly<Record<string, Function>>;
  const weight = (): evenkeel.Tensor => tensor([[1, 2], [3, 4]]); // prettier-ignore
  test.each<[string, unknown[]]>([
    ...(['zeros_', 'ones_'] as const).map((name): [string, unknown[]] => [name, []]),
    ...(['constant_', 'xavierUniform_', 'xavierNormal_', 'orthogonal_'] as const).map(
      (name): [string, unknown[]] => [name, [1]],
    ),
    ...(['uniform_', 'normal_'] as const).map((name): [string, unknown[]] => [name, [0, 1]]),
    ['truncNormal_', [0, 1, -2, 2]],
    ...(['kaimingUniform_', 'kaimingNormal_'] as const).map((name): [string, unknown[]] => [
      name,
      [],
    ]),
  ])('init.%s, and nothing is drawn', (name, args) => {
    const values = weight();
    expect(() => init[name]!(values, ...args, { notAnArgument: 1 })).toThrow(
      new RegExp(`^init\\.${name}: expected .*notAnArgument`),
    );
    expect(values.toArray()).toEqual(weight().toArray());
  });

  test('randomSplit', () => {
    const { randomSplit } = data as unknown as Readonly<Record<string, Function>>;
    const set = new data.TensorDataset([[1], [2]]);
    expect(() => randomSplit!(set, [1, 1], { generator: 42 })).toThrow('randomSplit: expected 2 arguments, got 3 (an object with generator).'); // prettier-ignore
    expect(() => randomSplit!(set, [1, 1], 42)).toThrow('randomSplit: expected 2 arguments, got 3 (42).'); // prettier-ignore
  });

  test('softUpdate, clipGradValue_', () => {
    const { softUpdate, clipGradValue_ } = nn as unknown as Readonly<Record<string, Function>>;
    const model = new nn.Linear(1, 1);
    expect(() => softUpdate!(model, model, 0.5, true)).toThrow('softUpdate: expected 3 arguments, got 4 (true).'); // prettier-ignore
    expect(() => clipGradValue_!(model.parameters(), 1, 2)).toThrow('clipGradValue_: expected 2 arguments, got 3 (2).'); // prettier-ignore
  });
});
