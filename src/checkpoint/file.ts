// Files as a whole: opened to be read, or replaced so that there is always an old or a new one. What is
// in them is the business of safetensors.ts and torch.ts.
// Longer than 250 lines because reading and replacing a file share the checks of paths, links and changes in between.
import { randomBytes } from 'node:crypto';
import { constants, promises as fs, type Stats } from 'node:fs';
import { endianness } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAnyArrayBuffer, isUint8Array } from 'node:util/types';

import * as check from '../check/index.js';
import { BytesSource, inTurns, type Source, type Steps } from './source.js';

/** Reads of fewer bytes find them in one read of so many: small tensors and headers lie side by side. */
const WINDOW_BYTES = 2 ** 16;

/** A file, and how messages about it begin. */
export interface Place {
  readonly path: string;
  /** `loadTorch: model.pt` */
  readonly who: string;
}

/** A checkpoint to be read: a file, or its bytes. */
type Input = Place | { readonly bytes: Uint8Array; readonly who: string };

/** What a caller wants to be read: a path, a file: URL, or bytes. */
export function inputOf(name: string, input: unknown): Input {
  if (isUint8Array(input)) {
    // A plain view: what `subarray` of a subclass makes may be anything.
    const bytes = new Uint8Array(...check.placeOfArray(input));
    return { who: inOurOrder(name), bytes };
  }
  if (isAnyArrayBuffer(input)) return { who: inOurOrder(name), bytes: new Uint8Array(input) };
  return placeOf(name, input, ' or bytes (a Uint8Array or an ArrayBuffer)');
}

/** What a caller named: a path, or a file: URL. `orElse` is what would do instead. */
export function placeOf(name: string, path: unknown, orElse = ''): Place {
  const what = `a path (a string or a file: URL)${orElse}`;
  if (isUrl(path)) {
    try {
      return placeOf(name, fileURLToPath(path.href));
    } catch {
      // another protocol, or another host
      throw check.wrongValue(name, what, `'${path.href}'`);
    }
  }
  if (typeof path !== 'string') throw check.wrongKind(name, what, path);
  if (path === '') throw check.wrongValue(name, what, "''");
  return { path, who: `${inOurOrder(name)}: ${basename(path)}` };
}

/** Elements lie in files as they lie in memory here. */
function inOurOrder(name: string): string {
  if (endianness() === 'LE') return name;
  throw new Error(`${name}: expected a little-endian machine, got a big-endian one.`);
}

/** Whether a value is a URL, of any realm. */
function isUrl(value: unknown): value is { readonly href: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { href, protocol } = value as { href?: unknown; protocol?: unknown };
  return typeof href === 'string' && typeof protocol === 'string';
}

/** Reads something out of a file, or out of bytes, in turns of the event loop. */
export async function readFrom<Result>(
  input: Input,
  signal: AbortSignal | null,
  read: (who: string, source: Source) => Steps<Result>,
): Promise<Result> {
  const { who } = input;
  if ('bytes' in input) return inTurns(read(who, new BytesSource(who, input.bytes)), signal);
  // Without O_NONBLOCK, opening a FIFO waits for a writer: for ever. Windows has neither.
  const flags = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0);
  const handle = await fs.open(input.path, flags).catch(rethrow(who, READABLE));
  try {
    const before = await handle.stat().catch(rethrow(who, READABLE));
    if (!before.isFile()) throw check.wrongValue(who, 'a regular file', kindOf(before));
    try {
      return await inTurns(read(who, new FileSource(who, handle, before.size)), signal);
    } finally {
      await atRest(who, handle, before);
    }
  } finally {
    await handle.close();
  }
}

const READABLE = 'a file that can be read';

/** Whatever has been read, or seems to be wrong, of a file that is being written is no matter. */
async function atRest(who: string, handle: fs.FileHandle, before: Stats): Promise<void> {
  const after = await handle.stat().catch(rethrow(who, READABLE));
  if (after.size < before.size) {
    const got = `${after.size}: it shrank while it was read`;
    throw check.wrongValue(who, `${before.size} bytes`, got);
  }
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
    throw check.wrongValue(who, 'a file at rest', 'one that changed while it was read');
  }
}

/** An open file. Large reads go straight into their place, small ones through a window. */
class FileSource implements Source {
  private readonly window = new Uint8Array(WINDOW_BYTES);
  private start = 0;
  private end = 0;

  constructor(
    private readonly who: string,
    private readonly handle: fs.FileHandle,
    readonly size: number,
  ) {}

  read(into: Uint8Array, position: number): Promise<void> | undefined {
    if (into.length > WINDOW_BYTES / 2) return this.readFully(into, position);
    if (position < this.start || position + into.length > this.end) {
      return this.move(position).then(() => this.copy(into, position));
    }
    this.copy(into, position);
    return undefined;
  }

  private async move(position: number): Promise<void> {
    const length = Math.min(WINDOW_BYTES, this.size - position);
    this.end = this.start; // it holds nothing if this fails
    await this.readFully(this.window.subarray(0, length), position);
    this.start = position;
    this.end = position + length;
  }

  private copy(into: Uint8Array, position: number): void {
    const at = position - this.start;
    into.set(this.window.subarray(at, at + into.length));
  }

  private async readFully(into: Uint8Array, position: number): Promise<void> {
    for (let filled = 0; filled < into.length;) {
      const { bytesRead } = await this.handle
        .read(into, filled, into.length - filled, position + filled)
        .catch(rethrow(this.who, READABLE));
      if (bytesRead === 0) {
        const got = `${position + filled}: it shrank while it was read`;
        throw check.wrongValue(this.who, `${this.size} bytes`, got);
      }
      filled += bytesRead;
    }
  }
}

/**
 * Replaces a file, or makes it: written beside it, made durable, then renamed over it. When anything
 * fails, also `chunks`, what was there before is there still. Links are followed; the old file's mode is kept.
 */
export async function replace(
  { path, who }: Place,
  chunks: Iterable<readonly Uint8Array[]>,
): Promise<void> {
  const failed = rethrow(who, 'a file that can be written');
  const target = await destination(path, who).catch(failed);
  const folder = dirname(target.path);
  // Short, as the whole name of the file may be as long as names can be.
  const temporary = join(folder, `.evenkeel-${randomBytes(8).toString('hex')}.tmp`);
  const handle = await fs.open(temporary, 'wx', 0o666).catch(failed);
  try {
    try {
      if (target.mode !== null) await handle.chmod(target.mode).catch(failed);
      for (const buffers of chunks) await writeAll(handle, buffers).catch(failed);
      await handle.sync().catch(failed);
    } finally {
      await handle.close().catch(failed);
    }
    await fs.rename(temporary, target.path).catch(failed);
  } catch (error) {
    // Whether or not it goes, the first failure is the one to tell.
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncFolder(folder).catch(failed);
}

/** Writes buffers behind what is there, whatever the system takes of them at a time. */
async function writeAll(handle: fs.FileHandle, buffers: readonly Uint8Array[]): Promise<void> {
  let rest = buffers.filter((each) => each.length > 0);
  while (rest.length > 0) {
    let { bytesWritten: written } = await handle.writev(rest);
    rest = rest.flatMap((each) => {
      const done = Math.min(each.length, written);
      written -= done;
      return done === each.length ? [] : [each.subarray(done)];
    });
  }
}

/** The file itself at the end of links, and its mode; only a regular file may be replaced. */
async function destination(
  path: string,
  who: string,
): Promise<{ path: string; mode: number | null }> {
  const real = await fs.realpath(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (real === null) return { path: await linkedFrom(path), mode: null };
  const stats = await fs.stat(real);
  if (!stats.isFile()) throw check.wrongValue(who, 'a regular file to replace', kindOf(stats));
  return { path: real, mode: stats.mode & 0o777 };
}

/** Linux follows no more either. */
const MOST_LINKS = 40;

/** What a link to nothing leads to; the path itself where it is no link. */
async function linkedFrom(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const to = await fs.readlink(at).catch(() => null);
    if (to === null) return at;
    at = resolve(dirname(at), to);
  }
  return path;
}

/** What some systems and file systems say of a folder that cannot be opened or synced. */
const NO_SYNC = ['EACCES', 'EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM'];

/** Makes the new name durable too, where folders can be synced. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!NO_SYNC.includes(codeOf(error) ?? '')) throw error;
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null | undefined)?.code;
}

/** The system's errors get our sentence in front and become the cause; our own pass. */
function rethrow(who: string, what: string): (error: unknown) => never {
  return (error) => {
    if (codeOf(error) === undefined) throw error;
    const { message } = error as Error;
    throw new Error(`${who}: expected ${what}, got ${message}.`, { cause: error });
  };
}
