// Files as a whole: read into memory, or replaced so that there is always an old or a new one. What is
// in them is the business of safetensors.ts and torch.ts.
import { constants as limits } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { constants, promises as fs, type Stats } from 'node:fs';
import { endianness } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as check from '../check.js';

/** One read: short enough that a thread of libuv's is soon free again. */
const PIECE_BYTES = 2 ** 26;

/** A file, and how messages about it begin. */
export interface Place {
  readonly path: string;
  /** `loadTorch: model.pt` */
  readonly who: string;
}

/** What a caller named: a path, or a file: URL. */
export function placeOf(name: string, path: unknown): Place {
  if (endianness() !== 'LE') {
    throw new Error(`${name}: expected a little-endian machine, got a big-endian one.`);
  }
  const what = 'a path (a string or a file: URL)';
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
  return { path, who: `${name}: ${basename(path)}` };
}

/** Whether a value is a URL, of any realm. */
function isUrl(value: unknown): value is { readonly href: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { href, protocol } = value as { href?: unknown; protocol?: unknown };
  return typeof href === 'string' && typeof protocol === 'string';
}

/** A regular file's bytes, in memory of their own. */
export async function readWhole({ path, who }: Place): Promise<Uint8Array> {
  // Without O_NONBLOCK, opening a FIFO waits for a writer: for ever. Windows has neither.
  const flags = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0);
  const handle = await fs.open(path, flags).catch(rethrow(who, 'a file that can be read'));
  try {
    return await read(who, handle);
  } finally {
    await handle.close();
  }
}

async function read(who: string, handle: fs.FileHandle): Promise<Uint8Array> {
  const failed = rethrow(who, 'a file that can be read');
  const before = await handle.stat().catch(failed);
  if (!before.isFile()) throw check.wrongValue(who, 'a regular file', kindOf(before));
  const { size } = before;
  const bytes = allocate(who, size);
  for (let filled = 0; filled < size;) {
    const most = Math.min(size - filled, PIECE_BYTES);
    const { bytesRead } = await handle.read(bytes, filled, most, filled).catch(failed);
    if (bytesRead === 0) {
      throw check.wrongValue(who, `${size} bytes`, `${filled}: it shrank while it was read`);
    }
    filled += bytesRead;
  }
  const after = await handle.stat().catch(failed);
  if (after.size !== size || after.mtimeMs !== before.mtimeMs) {
    throw check.wrongValue(who, 'a file at rest', 'one that changed while it was read');
  }
  return bytes;
}

/** Memory that nobody has written: the caller fills it. */
export function allocate(who: string, size: number): Uint8Array {
  if (size > limits.MAX_LENGTH) {
    throw check.wrongValue(who, `at most ${limits.MAX_LENGTH} bytes`, String(size));
  }
  try {
    return Buffer.allocUnsafeSlow(size);
  } catch (cause) {
    throw new Error(`${who}: expected memory for ${size} bytes, got none.`, { cause });
  }
}

/**
 * Replaces a file, or makes it: written beside it, made durable, then renamed over it. When anything
 * fails, what was there before is there still. Links are followed; the old file's mode is kept.
 */
export async function replace({ path, who }: Place, bytes: Uint8Array): Promise<void> {
  const failed = rethrow(who, 'a file that can be written');
  const target = await destination(path, who).catch(failed);
  const folder = dirname(target.path);
  // Short, as the whole name of the file may be as long as names can be.
  const temporary = join(folder, `.evenkeel-${randomBytes(8).toString('hex')}.tmp`);
  const handle = await fs.open(temporary, 'wx', 0o666).catch(failed);
  try {
    try {
      if (target.mode !== null) await handle.chmod(target.mode);
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, target.path);
  } catch (error) {
    // Whether or not it goes, the first failure is the one to tell.
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    failed(error);
  }
  await syncFolder(folder).catch(failed);
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
  if (real === null) return { path, mode: null };
  const stats = await fs.stat(real);
  if (!stats.isFile()) throw check.wrongValue(who, 'a regular file to replace', kindOf(stats));
  return { path: real, mode: stats.mode & 0o777 };
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
