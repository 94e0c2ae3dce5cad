// What becomes of files: those that cannot be read, and the one that was there when saving fails.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  promises as fs,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import {
  checkpoint,
  functional,
  nn,
  scope,
  StateDict,
  tensor,
  type Tensor,
} from '../../src/index.js';
import { safetensors } from '../helpers/checkpoint-files.js';

let folder = '';
const path = (name = 'w.safetensors'): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-files-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** What a promise is rejected with. */
const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'fulfilled', String);

const state = (value = 1): Map<string, Tensor> => new Map([['w', tensor([value, 2])]]);

/** The files there are, and what is in them. */
const everything = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => lstatSync(path(name)).isFile())
      .map((name) => [name, readFileSync(path(name), 'hex')]),
  );

/** A FileHandle's class: it has no name of its own. */
async function handleClass(): Promise<fs.FileHandle> {
  const handle = await fs.open(path('.'), 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as fs.FileHandle;
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up`), { code, syscall: 'write' });
}

describe.each([
  ['loadSafetensors', checkpoint.loadSafetensors],
  ['loadTorch', checkpoint.loadTorch],
])('%s', (name, load) => {
  test('names what is no path', async () => {
    const expected = `${name}: expected a path (a string or a file: URL) or bytes (a Uint8Array or an ArrayBuffer)`;
    expect(await rejection(load(3 as never))).toBe(`TypeError: ${expected}, got 3.`);
    expect(await rejection(load(''))).toBe(`RangeError: ${expected}, got ''.`);
    for (const url of ['http://localhost/m', 'file://elsewhere/m']) {
      expect(await rejection(load(new URL(url)))).toBe(`RangeError: ${expected}, got '${url}'.`);
    }
  });

  test('a file that is not there; the cause is the system error', async () => {
    const error = await load(path()).then(
      () => null,
      (reason: unknown) => reason as Error,
    );
    expect(String(error)).toBe(
      `Error: ${name}: w.safetensors: expected a file that can be read, got ENOENT: no such file or ` +
        `directory, open '${path()}'.`,
    );
    expect(error?.cause).toMatchObject({ code: 'ENOENT' });
  });

  test('what is no regular file: nothing is read of it, and nothing waits', async () => {
    mkdirSync(path('folder'));
    execFileSync('sh', ['-c', 'mkfifo "$0"', path('pipe')]);
    const got = (what: string): string => `expected a regular file, got ${what}.`;
    expect(await rejection(load(path('folder')))).toBe(
      `RangeError: ${name}: folder: ${got('a directory')}`,
    );
    expect(await rejection(load(path('pipe')))).toBe(`RangeError: ${name}: pipe: ${got('a FIFO')}`);
    expect(await rejection(load('/dev/zero'))).toBe(
      `RangeError: ${name}: zero: ${got('a device')}`,
    );
  });

  test('a file that shrinks, or changes, while it is read', async () => {
    const handle = await handleClass();

    const read = handle.read as (...args: unknown[]) => Promise<unknown>;
    const meanwhile = (change: () => void): void => {
      writeFileSync(path(), safetensors('{}', new Uint8Array(64)));
      vi.spyOn(handle, 'read').mockImplementation(function (this: unknown, ...args: unknown[]) {
        change();
        return read.apply(this, args) as never;
      });
    };
    meanwhile(() => truncateSync(path(), 0));
    expect(await rejection(load(path()))).toBe(
      `RangeError: ${name}: w.safetensors: expected 74 bytes, got 0: it shrank while it was read.`,
    );
    meanwhile(() => writeFileSync(path(), new Uint8Array(75)));
    expect(await rejection(load(path()))).toBe(
      `RangeError: ${name}: w.safetensors: expected a file at rest, got one that changed while it was read.`,
    );
  });
});

describe('a file that is larger than memory can be', () => {
  const SIZE = 2 ** 42;
  const header = `{"w":{"dtype":"F32","shape":[${SIZE / 4}],"data_offsets":[0,${SIZE}]}}`;

  test('a tensor that does not fit: an error that names it, and nothing is read of it', async () => {
    const bytes = safetensors(header);
    writeFileSync(path(), bytes);
    truncateSync(path(), bytes.length + SIZE); // no block of it is written
    const error = await checkpoint.loadSafetensors(path()).then(
      () => null,
      (reason: unknown) => reason as Error,
    );
    expect(String(error)).toBe(
      `Error: loadSafetensors: w.safetensors: expected memory for the ${SIZE} bytes of 'w', got none.`,
    );
    expect(error?.cause).toBeInstanceOf(RangeError);
  });

  test('of nothing that is known', async () => {
    writeFileSync(path('w.pt'), '');
    truncateSync(path('w.pt'), SIZE);
    expect(await rejection(checkpoint.loadTorch(path('w.pt')))).toBe(
      `RangeError: loadTorch: w.pt: expected a file of torch.save, got ${SIZE} bytes of something else.`,
    );
  });
});

describe('in pieces', () => {
  const MB = 2 ** 20;
  /** 5 MB and many small ones, in memory that a user has a view of and in such that nobody has. */
  const mixed = (): StateDict => {
    const state = new StateDict();
    state.set('seen', tensor(Float32Array.from({ length: MB }, (_, i) => i)));
    state.set('own', functional.relu(tensor(new Float32Array(MB / 4).fill(3))));
    for (let i = 0; i < 2000; i++) state.set(`small.${i}`, tensor([i, -i]));
    return state;
  };
  const contents = (state: StateDict): unknown =>
    [...state]
      .sort()
      .map(([key, { data }]) => [
        key,
        Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
      ]);

  test('nothing larger than 1 MB is written or read at a time, and small tensors together', async () => {
    const handle = await handleClass();
    const writev = vi.spyOn(handle, 'writev');
    const read = vi.spyOn(handle, 'read');
    const state = mixed();
    await checkpoint.saveSafetensors(path(), state);
    const written = writev.mock.calls.map(([buffers]) =>
      buffers.reduce((sum, each) => sum + each.byteLength, 0),
    );
    expect(written.reduce((sum, each) => sum + each)).toBe(statSync(path()).size);
    expect(Math.max(...written)).toBeLessThanOrEqual(MB);
    expect(written.length).toBeLessThan(20);
    expect(Math.max(...writev.mock.calls.map(([buffers]) => buffers.length))).toBeLessThan(20);

    const loaded = await checkpoint.loadSafetensors(path());
    const lengths = (read.mock.calls as unknown as [Uint8Array, number, number][]).map(
      ([, , length]) => length,
    );
    expect(Math.max(...lengths)).toBeLessThanOrEqual(MB);
    expect(lengths.length).toBeLessThan(30);
    expect(contents(loaded)).toEqual(contents(state));
  });

  test('the system may take or give fewer bytes than it is asked for', async () => {
    const handle = await handleClass();
    const { writev, read } = handle as unknown as Record<string, (...args: unknown[]) => never>;
    vi.spyOn(handle, 'writev').mockImplementation(function (this: fs.FileHandle, buffers) {
      const [first, ...more] = buffers as Uint8Array[];
      const some = first!.subarray(0, Math.ceil(first!.length / 2));
      return writev!.call(this, some.length === first!.length ? [first, ...more] : [some]);
    });
    const state = mixed();
    await checkpoint.saveSafetensors(path(), state);
    vi.spyOn(handle, 'read').mockImplementation(function (this: fs.FileHandle, ...args: unknown[]) {
      const [into, at, length, position] = args as [Uint8Array, number, number, number];
      return read!.call(this, into, at, Math.ceil(length / 3), position);
    });
    expect(contents(await checkpoint.loadSafetensors(path()))).toEqual(contents(state));
  });
});

describe('bytes', () => {
  const file = (value = 1): Uint8Array => checkpoint.encodeSafetensors(state(value));
  const shared = (bytes: Uint8Array): Uint8Array => {
    const memory = new Uint8Array(new SharedArrayBuffer(bytes.length + 3), 3);
    memory.set(bytes);
    return memory;
  };

  test('are those of the file, and are read as the file is', async () => {
    await checkpoint.saveSafetensors(path(), state(7), { metadata: { a: 'b' } });
    const bytes = checkpoint.encodeSafetensors(state(7), { metadata: { a: 'b' } });
    expect(Buffer.compare(bytes, readFileSync(path()))).toBe(0);
    const forms = [bytes, Buffer.from(bytes), Uint8Array.from(bytes).buffer, shared(bytes)];
    for (const form of forms) {
      const loaded = await checkpoint.loadSafetensors(form);
      expect(loaded.get('w')!.toArray()).toEqual([7, 2]);
      expect(loaded.metadata.get('a')).toBe('b');
    }
  });

  test('the tensors do not share their memory', async () => {
    const bytes = file();
    const loaded = await checkpoint.loadSafetensors(bytes);
    bytes.fill(0);
    expect(loaded.get('w')!.toArray()).toEqual([1, 2]);
  });

  test('errors begin with the function', async () => {
    expect(await rejection(checkpoint.loadSafetensors(new Uint8Array(7)))).toBe(
      'RangeError: loadSafetensors: expected at least the 8 bytes of a header length, got 7 bytes.',
    );
    expect(await rejection(checkpoint.loadTorch(new ArrayBuffer(9)))).toBe(
      'RangeError: loadTorch: expected a file of torch.save, got 9 bytes of something else.',
    );
    expect(await rejection(checkpoint.loadSafetensors(new Float32Array(9) as never))).toMatch(
      /^TypeError: loadSafetensors: expected a path .* got Float32Array of length 9\.$/,
    );
    expect(() => checkpoint.encodeSafetensors({} as never)).toThrow(
      'encodeSafetensors: expected a state dict (a Map of tensors), got an object.',
    );
    expect(() => checkpoint.encodeSafetensors(state(), { meta: {} } as never)).toThrow(
      "encodeSafetensors: expected options among metadata, got 'meta'",
    );
  });

  test('that are taken away while they are read', async () => {
    const bytes = checkpoint.encodeSafetensors(
      new Map([['w', tensor(new Float32Array(2 ** 23))]]), // 32 MB: more than a turn
    );
    const size = bytes.length;
    const loading = rejection(checkpoint.loadSafetensors(bytes));
    structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
    expect(await loading).toBe(
      `RangeError: loadSafetensors: expected ${size} bytes until the promise settles, got 0 (their ` +
        'buffer was detached or shrunk).',
    );
  });

  test('a scope around the call disposes of nothing', async () => {
    const bytes = file(4);
    const [loading] = scope(() => [checkpoint.loadSafetensors(bytes)]);
    expect((await loading).get('w')!.toArray()).toEqual([4, 2]);
  });
});

describe('an AbortSignal', () => {
  const big = (): Map<string, Tensor> => new Map([['w', tensor(new Float32Array(2 ** 22))]]);

  test('stops loading and saving; what was there is there still', async () => {
    await checkpoint.saveSafetensors(path(), state(1));
    const before = everything();
    const reason = new Error('enough');
    const writev = vi.spyOn(await handleClass(), 'writev');
    const stop = new AbortController();
    const saving = checkpoint.saveSafetensors(path(), big(), { signal: stop.signal });
    while (writev.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(reason);
    await expect(saving).rejects.toBe(reason);
    expect(everything()).toEqual(before);

    await checkpoint.saveSafetensors(path(), big());
    for (const from of [path(), readFileSync(path())]) {
      const loading = checkpoint.loadSafetensors(from, { signal: AbortSignal.timeout(0) });
      await expect(loading).rejects.toThrow('aborted due to timeout');
    }
    const signal = AbortSignal.abort(reason);
    await expect(checkpoint.loadTorch(path(), { signal })).rejects.toBe(reason);
    await expect(checkpoint.saveSafetensors(path(), big(), { signal })).rejects.toBe(reason);
  });

  test('is one', async () => {
    const wrong = { signal: 3 } as never;
    const expected = 'expected signal to be an AbortSignal, got 3.';
    expect(await rejection(checkpoint.loadSafetensors(path(), wrong))).toContain(expected);
    expect(await rejection(checkpoint.loadTorch(path(), wrong))).toContain(expected);
    expect(await rejection(checkpoint.saveSafetensors(path(), state(), wrong))).toContain(expected);
  });
});

describe('tensors that change while they are written', () => {
  /** 16 MB that nobody has a view of, and as much that somebody has. */
  const own = (): Tensor => functional.relu(tensor(new Float32Array(2 ** 22).fill(6)));
  const seen = (): Tensor => tensor(new Float32Array(2 ** 22).fill(6));
  const allSix = async (): Promise<boolean> => {
    const data = (await checkpoint.loadSafetensors(path())).get('w')!.data as Float32Array;
    return data.length === 2 ** 22 && data.every((value) => value === 6);
  };
  /** Saves, and does something once the first piece is written. */
  const during = async (w: Tensor, act: () => void): Promise<string> => {
    const writev = vi.spyOn(await handleClass(), 'writev');
    const saving = rejection(checkpoint.saveSafetensors(path(), new Map([['w', w]])));
    while (writev.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    act();
    return saving;
  };
  const CHANGED =
    "Error: saveSafetensors: w.safetensors: expected 'w' to stay as it was until the promise settles, got one " +
    'that has been modified by an inplace operation.';

  test.each([
    ['own', own],
    ['seen', seen],
  ])('by an operation (%s): the old file is there still, and nothing else', async (_, make) => {
    await checkpoint.saveSafetensors(path(), state(1));
    const before = everything();
    const w = make();
    expect(await during(w, () => w.markChanged())).toBe(CHANGED);
    expect(everything()).toEqual(before);
    vi.restoreAllMocks();
    await checkpoint.saveSafetensors(path(), new Map([['w', w]])); // the tensor is as good as before
    expect(await allSix()).toBe(true);
  });

  test('a training step meanwhile; a copy of the state is not disturbed', async () => {
    const bn = new nn.BatchNorm1d(4);
    const x = tensor([
      [1, 2, 3, 4],
      [5, 6, 7, 9],
    ]);
    const saving = rejection(checkpoint.saveSafetensors(path(), bn.stateDict()));
    bn.forward(x);
    expect(await saving).toBe(CHANGED.replace("'w'", "'num_batches_tracked'"));
    expect(everything()).toEqual({});
    const copied = checkpoint.saveSafetensors(path(), bn.stateDict().clone());
    bn.forward(x);
    await copied;
    const loaded = await checkpoint.loadSafetensors(path());
    expect(loaded.get('num_batches_tracked')!.item()).toBe(1);
  });

  test.each([
    ['own', own],
    ['seen', seen],
  ])(
    'disposed of (%s): written with the values they had, and memory goes back after',
    async (_, make) => {
      const w = make();
      const said = await during(w, () => {
        w.dispose();
        // a new tensor of the size takes what the pool has
        for (let i = 0; i < 4; i++) functional.relu(tensor(new Float32Array(2 ** 22).fill(9)));
      });
      expect(said).toBe('fulfilled');
      expect(await allSix()).toBe(true);
    },
  );

  test('written by the user through data that is asked for now: the file has what was there', async () => {
    const w = own();
    expect(await during(w, () => void w.data.fill(0 as never))).toBe('fulfilled');
    expect(await allSix()).toBe(true);
    expect(w.data[5]).toBe(0);
  });

  test('whose array is transferred away: an error, and no file', async () => {
    const w = seen();
    const { data } = w;
    const said = await during(w, () => {
      structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
    });
    expect(said).toBe(
      `TypeError: saveSafetensors: w.safetensors: expected 'w' to keep its ${2 ** 24} bytes until the promise ` +
        'settles, got 0 (its buffer was detached or shrunk).',
    );
    expect(everything()).toEqual({});
  });

  test('moved to shared memory, or there already', async () => {
    for (const make of [own, seen]) {
      const w = make();
      expect(await during(w, () => void w.shareMemory_())).toBe('fulfilled');
      expect(await allSix()).toBe(true);
      expect(await during(w, () => undefined)).toBe('fulfilled');
      expect(await allSix()).toBe(true);
    }
  });
});

describe('saveSafetensors', () => {
  test('makes a file, replaces it, and leaves nothing beside it', async () => {
    await checkpoint.saveSafetensors(path(), state(1));
    await checkpoint.saveSafetensors(pathToFileURL(path()), state(3));
    expect(Object.keys(everything())).toEqual(['w.safetensors']);
    const loaded = await checkpoint.loadSafetensors(pathToFileURL(path()));
    expect(loaded.get('w')!.toArray()).toEqual([3, 2]);
  });

  test('many at once to one path: the file is one of them', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => checkpoint.saveSafetensors(path(), state(i))),
    );
    expect(Object.keys(everything())).toEqual(['w.safetensors']);
    expect((await checkpoint.loadSafetensors(path())).get('w')!.shape).toEqual([2]);
  });

  test('follows links and keeps the mode of the file', async () => {
    writeFileSync(path('real'), 'old');
    chmodSync(path('real'), 0o600);
    symlinkSync('real', path('link'));
    await checkpoint.saveSafetensors(path('link'), state());
    expect(lstatSync(path('link')).isSymbolicLink()).toBe(true);
    expect(statSync(path('real')).mode & 0o777).toBe(0o600);
    expect((await checkpoint.loadSafetensors(path('real'))).size).toBe(1);
  });

  test('another name of the old file keeps the old file', async () => {
    writeFileSync(path('one'), 'old');
    linkSync(path('one'), path('other'));
    await checkpoint.saveSafetensors(path('one'), state());
    expect(readFileSync(path('other'), 'utf8')).toBe('old');
  });

  test('a name as long as names can be', async () => {
    const name = 'n'.repeat(255);
    await checkpoint.saveSafetensors(path(name), state());
    expect(Object.keys(everything())).toEqual([name]);
  });

  test('what is no regular file is not replaced', async () => {
    mkdirSync(path('folder'));
    expect(await rejection(checkpoint.saveSafetensors(path('folder'), state()))).toBe(
      'RangeError: saveSafetensors: folder: expected a regular file to replace, got a directory.',
    );
    expect(await rejection(checkpoint.saveSafetensors('/dev/null', state()))).toBe(
      'RangeError: saveSafetensors: null: expected a regular file to replace, got a device.',
    );
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('a folder that is not there', async () => {
    expect(await rejection(checkpoint.saveSafetensors(path('no/w'), state()))).toMatch(
      /^Error: saveSafetensors: w: expected a file that can be written, got ENOENT: no such file or directory, open '.*\.evenkeel-[0-9a-f]{16}\.tmp'\.$/,
    );
    expect(existsSync(path('no'))).toBe(false);
  });

  test.skipIf(process.getuid?.() === 0)('a folder that may not be written', async () => {
    chmodSync(folder, 0o500);
    const said = await rejection(checkpoint.saveSafetensors(path(), state()));
    chmodSync(folder, 0o700);
    expect(said).toMatch(
      /^Error: saveSafetensors: w\.safetensors: expected a file that can be written, got EACCES: /,
    );
  });

  test.each(['chmod', 'writev', 'sync', 'close', 'rename'] as const)(
    'when %s fails, the old file is there still and nothing else',
    async (step) => {
      await checkpoint.saveSafetensors(path(), state(1));
      const before = everything();
      const failure = systemError('ENOSPC');
      if (step === 'rename') {
        vi.spyOn(fs, 'rename').mockRejectedValue(failure);
      } else if (step === 'close') {
        const open = fs.open.bind(fs);
        vi.spyOn(fs, 'open').mockImplementation(async (...args) => {
          const handle = await open(...args);
          const close = handle.close.bind(handle);
          handle.close = () => close().then(() => Promise.reject(failure));
          return handle;
        });
      } else {
        vi.spyOn(await handleClass(), step).mockRejectedValue(failure);
      }
      const error = await checkpoint.saveSafetensors(path(), state(2)).then(
        () => null,
        (reason: unknown) => reason as Error,
      );
      vi.restoreAllMocks();
      expect(String(error)).toBe(
        'Error: saveSafetensors: w.safetensors: expected a file that can be written, got ENOSPC: made up.',
      );
      expect(error?.cause).toBe(failure);
      expect(everything()).toEqual(before);
    },
  );

  test('half a file is written, then the disk is full', async () => {
    await checkpoint.saveSafetensors(path(), state(1));
    const before = everything();
    const handle = await handleClass();
    vi.spyOn(handle, 'writev').mockImplementation(async function (
      this: fs.FileHandle,
      buffers,
    ): Promise<never> {
      await this.write((buffers as Uint8Array[])[0]!.subarray(0, 20));
      throw systemError('ENOSPC');
    });
    const said = await rejection(checkpoint.saveSafetensors(path(), state(2)));
    vi.restoreAllMocks();
    expect(said).toContain('got ENOSPC: made up.');
    expect(everything()).toEqual(before);
  });

  test('a folder that cannot be synced is no failure; one that breaks is', async () => {
    const handle = await handleClass();

    const sync = handle.sync;
    const folderFails = (code: string): void => {
      vi.spyOn(handle, 'sync').mockImplementation(async function (this: fs.FileHandle) {
        if ((await this.stat()).isDirectory()) throw systemError(code);
        await sync.call(this);
      });
    };
    folderFails('EINVAL');
    await checkpoint.saveSafetensors(path(), state());
    folderFails('EIO');
    expect(await rejection(checkpoint.saveSafetensors(path(), state()))).toBe(
      'Error: saveSafetensors: w.safetensors: expected a file that can be written, got EIO: made up.',
    );
  });
});

test('a link to a file that is not there yet stays a link', async () => {
  mkdirSync(path('models'));
  symlinkSync(join('models', 'new'), path('link'));
  symlinkSync('link', path('link to it'));
  await checkpoint.saveSafetensors(path('link to it'), state(7));
  expect(lstatSync(path('link')).isSymbolicLink()).toBe(true);
  expect(lstatSync(path('link to it')).isSymbolicLink()).toBe(true);
  const saved = await checkpoint.loadSafetensors(join(folder, 'models', 'new'));
  expect(saved.get('w')!.toArray()).toEqual([7, 2]);
});

test('bytes of a subclass are the bytes that they are', async () => {
  class Odd extends Uint8Array {
    static get [Symbol.species](): Uint8ArrayConstructor {
      return Array as unknown as Uint8ArrayConstructor;
    }
    override get byteLength(): number {
      return 2 ** 40;
    }
  }
  const bytes = new Odd(checkpoint.encodeSafetensors(state(7)));
  expect((await checkpoint.loadSafetensors(bytes)).get('w')!.toArray()).toEqual([7, 2]);
});
