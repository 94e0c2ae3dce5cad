// Files for torch.load, and the state of optimisers out of files of torch.save. That PyTorch reads the first, and
// wrote the second, is in test/golden/optimizer-state.test.ts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

import { checkpoint, functional, nn, optim, tensor } from '../../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-torch-'));
afterAll(() => rmSync(folder, { recursive: true }));

const { encodeTorch, loadTorch, loadTorchOptimizer, saveTorch } = checkpoint;

/** A model that has learned for a step, and its optimiser. */
function trained(): { model: nn.Sequential; optimizer: optim.Adam } {
  const model = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3), new nn.Linear(3, 1));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.25 });
  functional.sum(model.forward(tensor([[1, 2], [3, 5], [4, 1]]))).backward(); // prettier-ignore
  optimizer.step();
  return { model, optimizer };
}

describe('saveTorch', () => {
  test('a model, its optimiser and plain data: all come back', async () => {
    const { model, optimizer } = trained();
    const path = join(folder, 'run.pt');
    const kept = { epoch: 3, model: model.stateDict(), optimizer: optimizer.stateDict() };
    await saveTorch(path, kept);
    const state = await loadTorch(path, { key: 'model' });
    expect([...state.keys()]).toEqual([...kept.model.keys()]);
    for (const [key, value] of kept.model) expect(state.get(key)!.data).toEqual(value.data);
    expect([...state.modules]).toEqual([...kept.model.modules].map(([at, { version }]) => [at, { version }])); // prettier-ignore
    const other = trained();
    other.model.loadStateDict(state);
    other.optimizer.loadStateDict(await loadTorchOptimizer(path, { key: 'optimizer' }));
    expect(other.optimizer.stateDict()).toEqual(kept.optimizer);
  });

  test('the same bytes each time, and what encodeTorch gives', async () => {
    const { model } = trained();
    const path = join(folder, 'same.pt');
    await saveTorch(path, model.stateDict());
    expect(readFileSync(path).equals(encodeTorch(model.stateDict()))).toBe(true);
  });

  test('dtypes, empty tensors, scalars, shared memory', async () => {
    const shared = tensor([1, 2]);
    const state = new Map([
      ['double', tensor([0.1], { dtype: 'float64' })],
      ['long', tensor([2n ** 60n], { dtype: 'int64' })],
      ['int', tensor([-5], { dtype: 'int32' })],
      ['none', tensor(new Float32Array(0), [0, 3])],
      ['scalar', tensor(7)],
      ['one', shared],
      ['other', shared.detach()],
    ]);
    const back = await loadTorch(encodeTorch(state));
    for (const [key, value] of state) {
      expect([key, back.get(key)!.dtype, back.get(key)!.shape]).toEqual([key, value.dtype, value.shape]); // prettier-ignore
      expect(back.get(key)!.data).toEqual(value.data);
    }
    back.get('one')!.fill_(9);
    expect(back.get('other')!.toArray()).toEqual([9, 9]);
  });

  const inside: Record<string, unknown> = {};
  inside['self'] = inside;
  test.each<[string, unknown, string]>([
    [
      'a function',
      { f: () => 1 },
      'TypeError: encodeTorch: expected the value.f to be a tensor or plain data, got function f.',
    ],
    [
      'a class',
      new Date(),
      'TypeError: encodeTorch: expected the value to be a tensor or plain data, got an instance of Date.',
    ],
    [
      'undefined',
      { a: undefined },
      'TypeError: encodeTorch: expected the value.a to be a tensor or plain data, got undefined.',
    ],
    [
      'a cycle',
      inside,
      'RangeError: encodeTorch: expected the value.self not to be inside of itself, got a cycle.',
    ],
    [
      'a half of a pair',
      { a: '\ud800' },
      "RangeError: encodeTorch: expected the value.a in well-formed Unicode, got '\\u{d800}'.",
    ],
    [
      'a long BigInt',
      { a: 2n ** 63n },
      'RangeError: encodeTorch: expected whole numbers from -2^63 to 2^63 - 1, got 9223372036854775808.',
    ],
    [
      'a key of another kind',
      new Map([[0.5, 1]]),
      'TypeError: encodeTorch: expected a text or a whole number as a key of the value, got 0.5.',
    ],
  ])('%s is refused', (_, value, said) => {
    expect(() => encodeTorch(value as object)).toThrow(Object.assign(said.startsWith('T') ? new TypeError(said.slice(11)) : new RangeError(said.slice(12)))); // prettier-ignore
  });

  test('a tensor that is disposed, an aborted signal: the old file stays', async () => {
    const path = join(folder, 'old.pt');
    writeFileSync(path, 'old');
    const disposed = tensor([1]);
    disposed.dispose();
    await expect(saveTorch(path, { disposed })).rejects.toThrow(
      /saveTorch: old\.pt: .*the value\.disposed/,
    );
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(saveTorch(path, { a: 1 }, { signal })).rejects.toThrow('enough');
    expect(readFileSync(path, 'latin1')).toBe('old');
  });
});

describe('loadTorchOptimizer', () => {
  const refusal = async (
    value: object,
    options: checkpoint.LoadTorchOptions = {},
  ): Promise<string> => {
    const error: unknown = await loadTorchOptimizer(encodeTorch(value), options).catch(
      (each: unknown) => each,
    );
    return String(error);
  };

  test('what is none says what it is, and which key was meant', async () => {
    const { model, optimizer } = trained();
    const what =
      "RangeError: loadTorchOptimizer: expected an optimizer's state dict (with state and param_groups), got";
    expect(await refusal(model.stateDict())).toMatch(
      `${what} an OrderedDict with the keys '0.weight'`,
    );
    expect(await refusal([1])).toBe(`${what} a list.`);
    const whole = { epoch: 1, opt: optimizer.stateDict() };
    expect(await refusal(whole)).toBe(
      `${what} a dict with the keys 'epoch', 'opt'; choose one: { key: 'opt' }.`,
    );
    expect(await refusal({ run: whole }, { key: 'run' })).toMatch(
      /choose one: \{ key: 'run\.opt' \}\.$/,
    );
    expect(await refusal(whole, { key: 'other' })).toMatch(/expected key 'other' in the file/);
    expect(await refusal({ state: { a: {} }, param_groups: [] })).toMatch(
      /indices of parameters as the keys of 'state', got a str/,
    );
    expect(await refusal({ state: { 0: { step: { a: 1 } } }, param_groups: [] })).toMatch(
      /state\[0\]\.step to be a number, a text, a tensor or a list of these, got a dict/,
    );
    expect(await refusal({ state: {}, param_groups: [{ lr: [[[1]]] }] })).toMatch(
      /param_groups\[0\]\.lr\[0\]\[0\] to be a number/,
    );
    expect(await refusal({ state: {}, param_groups: [5] })).toMatch(
      /param_groups\[0\] to be a dict, got an int/,
    );
  });

  test('a name of a prototype is a name', async () => {
    const group = Object.fromEntries([['__proto__', 5]]);
    const state = await loadTorchOptimizer(encodeTorch({ state: {}, param_groups: [group] }));
    expect(Object.keys(state.param_groups[0]!)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(state.param_groups[0])).toBe(Object.prototype);
  });

  test('loadTorch of an optimiser names it', async () => {
    const { optimizer } = trained();
    await expect(loadTorch(encodeTorch(optimizer.stateDict()))).rejects.toThrow(
      'loadTorchOptimizer reads it',
    );
  });

  test('cut off anywhere: refused, never a wrong state', async () => {
    const bytes = encodeTorch(trained().optimizer.stateDict());
    for (let length = 0; length < bytes.length; length += 37) {
      await expect(loadTorchOptimizer(bytes.slice(0, length))).rejects.toThrow(
        /^loadTorchOptimizer: /,
      );
    }
  });
});
