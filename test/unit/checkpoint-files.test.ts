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

import { checkpoint, tensor, type Tensor } from '../../src/index.js';
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
    const expected = `${name}: expected a path (a string or a file: URL)`;
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

  test('a file larger than memory can be: refused by its size', async () => {
    writeFileSync(path(), '');
    truncateSync(path(), 2 ** 42); // no block of it is written
    vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation(() => {
      throw new RangeError('Array buffer allocation failed');
    });
    expect(await rejection(load(path()))).toMatch(
      /^(RangeError: \w+: w\.safetensors: expected at most \d+ bytes, got 4398046511104\.|Error: \w+: w\.safetensors: expected memory for 4398046511104 bytes, got none\.)$/,
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

describe('saveSafetensors', () => {
  test('makes a file, replaces it, and leaves nothing beside it', async () => {
    await checkpoint.saveSafetensors(path(), state(1));
    await checkpoint.saveSafetensors(pathToFileURL(path()), state(3));
    expect(Object.keys(everything())).toEqual(['w.safetensors']);
    const loaded = await checkpoint.loadSafetensors(pathToFileURL(path()));
    expect(loaded.get('w')!.toArray()).toEqual([3, 2]);
  });

  test('holds the values of the moment of the call', async () => {
    const values = Float32Array.of(1, 2);
    const saved = checkpoint.saveSafetensors(path(), new Map([['w', tensor(values)]]));
    values.fill(9);
    await saved;
    expect((await checkpoint.loadSafetensors(path())).get('w')!.toArray()).toEqual([1, 2]);
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

  test.each(['chmod', 'writeFile', 'sync', 'close', 'rename'] as const)(
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
    vi.spyOn(handle, 'writeFile').mockImplementation(async function (
      this: fs.FileHandle,
      data: unknown,
    ): Promise<void> {
      await this.write((data as Uint8Array).subarray(0, 20));
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
