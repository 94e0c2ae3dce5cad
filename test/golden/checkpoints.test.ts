// Files that PyTorch and Python's safetensors wrote, made by scripts/golden/checkpoints.py: every bit of
// every tensor, what the loaded model computes, and the same file again when it is saved.
import { checkpoint, nn, tensor, type StateDict, type Tensor } from 'evenkeel';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { expectAllClose } from '../helpers/expect-close.js';
import { snapshot } from '../helpers/snapshot.js';

const folder = new URL('data/checkpoints/', import.meta.url);
const file = (name: string): string => fileURLToPath(new URL(name, folder));

interface Encoded {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: string;
}

interface Contents {
  readonly tensors: Record<string, Encoded>;
  readonly versions: Record<string, number>;
}

type Kind = 'model' | 'version1' | 'parameters' | 'numbers' | 'views';

const golden = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as {
  readonly torch: string;
  readonly safetensors: string;
  readonly sizes: [number, number, number];
  readonly input: Encoded;
  /** In float64, from the same weights. */
  readonly output: Encoded;
  /** What the output is the sum of, in absolute values. */
  readonly magnitude: Encoded;
} & Readonly<Record<Kind, Contents>>;

const [inputs, hidden, outputs] = golden.sizes;

function build(): nn.Sequential {
  return new nn.Sequential(
    new nn.Linear(inputs, hidden),
    new nn.BatchNorm1d(hidden),
    new nn.ReLU(),
    new nn.Linear(hidden, outputs),
  );
}

const encode = ({ dtype, shape, data }: Tensor): Encoded => ({
  dtype,
  shape,
  bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
});

const numbers = ({ bytes }: Encoded, kind: 4 | 8): Float32Array | Float64Array => {
  const { buffer } = new Uint8Array(Buffer.from(bytes, 'base64'));
  return kind === 4 ? new Float32Array(buffer) : new Float64Array(buffer);
};

const tensorsOf = (state: StateDict): Record<string, Encoded> =>
  Object.fromEntries([...state].map(([name, each]) => [name, encode(each)]));

/** One float32 forward of the model rounds each value so often: two dot products, and BatchNorm's six. */
const ROUNDINGS = inputs + 1 + 6 + hidden + 1;

function expectModel(model: nn.Sequential): void {
  const x = tensor(numbers(golden.input, 4), golden.input.shape);
  const scale = numbers(golden.magnitude, 8);
  const actual = model.eval().forward(x);
  const expected = { data: numbers(golden.output, 8), shape: golden.output.shape };
  expectAllClose(actual, expected, { k: ROUNDINGS, scale }, 'output in evaluation');
}

const load = (name: string, key?: string): Promise<StateDict> =>
  name.endsWith('.safetensors')
    ? checkpoint.loadSafetensors(file(name))
    : checkpoint.loadTorch(file(name), key === undefined ? {} : { key });

describe(`files of PyTorch ${golden.torch} and safetensors ${golden.safetensors}`, () => {
  test.each<[string, Kind, string?]>([
    ['model.safetensors', 'model'],
    ['model.pt', 'model'],
    ['model.pth', 'model'],
    ['protocol4.pt', 'model'],
    ['protocol5.pth', 'model'],
    ['python2.pth', 'model'],
    ['checkpoint.pt', 'model', 'model'],
    ['checkpoint.pt', 'model', 'ema.model'],
    ['parameters.pt', 'parameters'],
    ['version1.pth', 'version1'],
    ['numbers.safetensors', 'numbers'],
    ['numbers.pt', 'numbers'],
    ['views.pt', 'views'],
    ['views.pth', 'views'],
  ])('%s holds the tensors of %s (key: %s)', async (name, kind, key) => {
    const state = await load(name, key);
    const { tensors, versions } = golden[kind];
    expect(tensorsOf(state)).toEqual(tensors);
    const isTorch = !name.endsWith('.safetensors');
    // safetensors orders by type and name and knows no modules; PyTorch keeps the model's order
    if (isTorch) expect([...state.keys()]).toEqual(Object.keys(tensors));
    const told = Object.fromEntries(
      [...state.modules].map(([path, { version }]) => [path, version]),
    );
    expect(told).toEqual(isTorch ? versions : {});
    expect(Object.fromEntries(state.metadata)).toEqual(
      name === 'model.safetensors' ? { format: 'pt' } : {},
    );
    expect([...state.values()].some(({ requiresGrad }) => requiresGrad)).toBe(false);
  });

  test.each<[string, string?]>([
    ['model.safetensors'],
    ['model.pt'],
    ['model.pth'],
    ['protocol4.pt'],
    ['protocol5.pth'],
    ['python2.pth'],
    ['checkpoint.pt', 'model'],
  ])('the model of %s computes what PyTorch does', async (name, key) => {
    const model = build();
    expect(model.loadStateDict(await load(name, key))).toEqual({
      missingKeys: [],
      unexpectedKeys: [],
    });
    expect((model.at(1) as nn.BatchNorm1d).numBatchesTracked).toBe(12);
    expectModel(model);
  });

  test('version 1, without num_batches_tracked: the counter stays, all else is loaded', async () => {
    const model = build();
    (model.at(1) as nn.BatchNorm1d).numBatchesTracked = 5;
    model.loadStateDict(await load('version1.pth'));
    expect((model.at(1) as nn.BatchNorm1d).numBatchesTracked).toBe(5);
    expectModel(model);
  });

  test('a checkpoint that nests its state dict says which keys there are', async () => {
    const refused = (key?: string): Promise<unknown> =>
      load('checkpoint.pt', key).then(
        () => 'loaded',
        (error: unknown) => String(error),
      );
    const keys = "a dict with the keys 'epoch', 'model', 'optimizer', 'best', 'ema'";
    expect(await refused()).toBe(
      `RangeError: loadTorch: checkpoint.pt: expected a state dict (a dict of tensors), got ${keys}; choose one: { key: 'model' }.`,
    );
    expect(await refused('modle')).toBe(
      `RangeError: loadTorch: checkpoint.pt: expected key 'modle' in the file, got ${keys}.`,
    );
    expect(await refused('epoch')).toBe(
      "RangeError: loadTorch: checkpoint.pt: expected a state dict at key 'epoch', got an int.",
    );
    expect(await refused('best')).toBe(
      "RangeError: loadTorch: checkpoint.pt: expected a state dict at key 'best', got a float.",
    );
    expect(await refused('optimizer')).toBe(
      "RangeError: loadTorch: checkpoint.pt: expected a state dict at key 'optimizer', got a dict with the keys 'state', 'param_groups' (the state of an optimizer, not of a model: loadTorchOptimizer reads it).",
    );
    expect(await refused('ema')).toBe(
      "RangeError: loadTorch: checkpoint.pt: expected a state dict at key 'ema', got a dict with the keys 'model'; choose one: { key: 'ema.model' }.",
    );
  });

  test.each(['views.pt', 'views.pth'])(
    'tensors of %s that shared memory still do',
    async (name) => {
      const state = await load(name);
      const data = (key: string): Float32Array => state.get(key)!.data as Float32Array;
      data('base')[6] = 1000;
      data('flat')[7] = 1001;
      expect([data('again')[6], data('row')[0], data('rows')[0], data('again')[7]]).toEqual([
        1000, 1000, 1000, 1001,
      ]);
      // those with gaps are copies
      expect([data('turned')[1], data('every other')[0], data('column')[1]]).toEqual([6, 1, 8]);
      const again = state.get('again')!;
      state.get('base')!.dispose();
      expect(again.data[6]).toBe(1000);
    },
  );
});

describe('saved again', () => {
  let temporary = '';
  beforeAll(() => {
    temporary = mkdtempSync(join(tmpdir(), 'evenkeel-checkpoints-'));
  });
  afterAll(() => rmSync(temporary, { recursive: true, force: true }));

  test.each(['from safetensors', 'from a model that loaded it'])(
    "model.safetensors comes out as Python's safetensors wrote it: %s",
    async (from) => {
      const path = join(temporary, 'model.safetensors');
      const state = await load('model.safetensors');
      const model = build();
      model.loadStateDict(state);
      const unchanged = snapshot(model);
      if (from === 'from safetensors') await checkpoint.saveSafetensors(path, state);
      else
        await checkpoint.saveSafetensors(path, model.stateDict(), { metadata: { format: 'pt' } });
      expect(readFileSync(path).equals(readFileSync(file('model.safetensors')))).toBe(true);
      unchanged();
    },
  );

  const python = process.env['EVENKEEL_PYTHON'];
  test.skipIf(python === undefined)('PyTorch computes the same with what we saved', async () => {
    const path = join(temporary, 'for-python.safetensors');
    await checkpoint.saveSafetensors(path, await load('model.pt'));
    const script = fileURLToPath(new URL('../../scripts/golden/checkpoints.py', import.meta.url));
    const said = execFileSync(python!, [script, '--verify', path], { encoding: 'utf8' });
    expect(said).toMatch(/^ok: 9 tensors, output equal to the last bit/);
  });
});
