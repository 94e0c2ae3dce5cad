// Files as PyTorch users have them, made by scripts/golden/checkpoints.py --people: a state dict among other
// things, objects of any class beside it or inside of it, and entries that are no tensors.
import { checkpoint, nn, type StateDict, type Tensor } from 'evenkeel';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const folder = new URL('data/checkpoints/people/', import.meta.url);

interface Encoded {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: string;
}

const golden = JSON.parse(readFileSync(new URL('people.json', folder), 'utf8')) as {
  readonly torch: string;
  readonly numpy: string;
  /** By file: the name that stands for the stranger in the pickle. */
  readonly strangers: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, Encoded>>;
};

const load = (name: string, key?: string): Promise<StateDict> =>
  checkpoint.loadTorch(fileURLToPath(new URL(name, folder)), key === undefined ? {} : { key });
const refusal = async (name: string, key?: string): Promise<string> =>
  load(name, key).then(
    () => 'read',
    (error: unknown) => String(error).replace(/^RangeError: loadTorch: [\w.-]+: expected /, ''),
  );
const encoded = (state: ReadonlyMap<string, Tensor>): Record<string, Encoded> =>
  Object.fromEntries(
    [...state].map(([name, { dtype, shape, data }]) => {
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
      return [name, { dtype, shape, bytes }];
    }),
  );

const ADVICE =
  '(nothing of a file is executed; save it again with torch.save(model.state_dict(), path))';
const files = [
  ...Object.entries(golden.strangers).map(([name, called]) => [`${name}.pt`, called] as const),
  ...['numpy-scalar', 'namespace'].map((name) => [`${name}.pth`, golden.strangers[name]!] as const),
];

describe(`strangers of PyTorch ${golden.torch} and NumPy ${golden.numpy}`, () => {
  test.each(files)('%s beside the state dict does not disturb', async (name) => {
    expect((await load(name, 'model')).get('w')!.toArray()).toEqual([1, 2, 3]);
  });

  test.each(files)('%s inside of the state dict is refused by name', async (name, called) => {
    const kind = name === 'function.pt' || name === 'class.pt' ? 'the name' : 'an object of';
    const advice = called.includes('.multiarray.')
      ? '(of NumPy: save torch.as_tensor(…) of it)'
      : name === 'sparse-tensor.pt'
        ? '(a sparse tensor: save its to_dense())'
        : ADVICE;
    expect(await refusal(name, 'inside')).toBe(
      `'x' to be a tensor, got ${kind} '${called}' ${advice}.`,
    );
  });

  test.each(files)('%s without a key: the keys, and one to choose', async (name) => {
    expect(await refusal(name)).toBe(
      "a state dict (a dict of tensors), got a dict with the keys 'model', 'beside', 'inside'; choose one: { key: 'model' }.",
    );
  });

  test('a whole module is refused by the name of its class', async () => {
    expect(await refusal('whole-module.pt')).toBe(
      `a state dict (a dict of tensors), got an object of 'torch.nn.modules.container.Sequential' ${ADVICE}.`,
    );
  });
});

describe('which part of the file is the state dict', () => {
  test('epoch, state_dict, best_acc1 and optimizer: the keys, and state_dict', async () => {
    expect(await refusal('imagenet.pt')).toBe(
      "a state dict (a dict of tensors), got a dict with the keys 'epoch', 'arch', 'state_dict', 'best_acc1', 'optimizer', " +
        "'scheduler'; choose one: { key: 'state_dict' }.",
    );
    expect(encoded(await load('imagenet.pt', 'state_dict'))).toEqual(golden.state);
  });

  test('dicts in dicts: a path', async () => {
    const keys = "a state dict (a dict of tensors), got a dict with the keys 'model', 'ema'";
    expect(await refusal('nested.pt')).toBe(`${keys}; choose one: { key: 'model.module' }.`);
    expect(await refusal('nested.pt', 'ema')).toBe(
      "a state dict at key 'ema', got a dict with the keys 'module', 'decay'; choose one: { key: 'ema.module' }.",
    );
    for (const key of ['model.module', 'ema.module']) {
      expect(encoded(await load('nested.pt', key))).toEqual(golden.state);
    }
  });
});

describe('what is no tensor in a state dict', () => {
  test('is read past and listed; a counter that is an int becomes a tensor', async () => {
    const state = await load('others.pt');
    const { tagged, ...rest } = encoded(state);
    expect(rest).toEqual(golden.state);
    expect(tagged!.shape).toEqual([2]);
    expect(state.get('1.num_batches_tracked')!.item()).toBe(12);
    expect(Object.fromEntries(state.others)).toEqual({
      none: { kind: 'None', value: null },
      epoch: { kind: 'an int', value: 3 },
      large: { kind: 'an int', value: 2n ** 80n },
      rate: { kind: 'a float', value: 0.1 },
      flag: { kind: 'a bool', value: true },
      text: { kind: 'a str', value: 'resnet' },
      bytes: { kind: 'bytes' },
      dtype: { kind: 'a torch.dtype' },
      size: { kind: 'a tuple' },
      list: { kind: 'a list' },
      dict: { kind: 'a dict' },
      '1._extra_state': { kind: 'a dict' },
    });
  });

  test('and the rest is loaded into a model', async () => {
    const model = new nn.Sequential(new nn.ReLU(), new nn.BatchNorm1d(8));
    const state = await load('others.pt');
    state.delete('tagged');
    expect(model.loadStateDict(state)).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect((model.at(1) as nn.BatchNorm1d).numBatchesTracked).toBe(12);
  });
});
