// Writing zip archives as PyTorch's own (PKWARE APPNOTE 6.3): entries stored as they are, with checksums, each aligned to
// 64 bytes, so that torch.load(mmap=True) can map them.
import { crc32 } from 'node:zlib';

import * as check from '../../check/index.js';
import { allocate } from '../source.js';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const ALIGNMENT = 64;
/** Sizes and places are of 32 bits; the largest says that they are elsewhere. */
const MOST_BYTES = 2 ** 32 - 2;
/** Numbers of entries are of 16 bits. */
const MOST_ENTRIES = 2 ** 16 - 2;
/** 1 January 1980: the same bytes whenever they are written. */
const NO_DATE = 0x0021;

/** The bytes of an archive of these entries. */
export function zipOf(who: string, entries: readonly ZipEntry[]): Uint8Array {
  if (entries.length > MOST_ENTRIES) {
    throw check.wrongValue(who, `at most ${MOST_ENTRIES - 3} tensors`, String(entries.length - 3));
  }
  const placed = entries.map((entry) => ({
    ...entry,
    name: Buffer.from(entry.name, 'latin1'),
    crc: crc32(entry.bytes),
    at: 0,
    padding: 0,
  }));
  let size = 0;
  for (const each of placed) {
    each.at = size;
    const start = size + LOCAL_BYTES + each.name.length;
    // An extra field has at least its own 4 bytes.
    each.padding = 4 + ((ALIGNMENT - ((start + 4) % ALIGNMENT)) % ALIGNMENT);
    size = start + each.padding + each.bytes.length;
  }
  const directory = size;
  for (const { name } of placed) size += CENTRAL_BYTES + name.length;
  if (size + END_BYTES > MOST_BYTES) {
    throw check.wrongValue(who, `a file of at most ${MOST_BYTES} bytes`, String(size + END_BYTES));
  }
  const to = allocate(who, size + END_BYTES).fill(0);
  const view = new DataView(to.buffer, to.byteOffset, to.byteLength);
  let at = directory;
  for (const each of placed) {
    const { name, bytes, padding } = each;
    view.setUint32(each.at, 0x04034b50, true);
    common(view, each.at + 4, each);
    view.setUint16(each.at + 28, padding, true);
    to.set(name, each.at + LOCAL_BYTES);
    const extra = each.at + LOCAL_BYTES + name.length;
    to.set([0x46, 0x42], extra); // 'FB', as PyTorch calls it
    view.setUint16(extra + 2, padding - 4, true);
    to.fill(0x5a, extra + 4, extra + padding);
    to.set(bytes, extra + padding);
    view.setUint32(at, 0x02014b50, true);
    common(view, at + 6, each);
    view.setUint32(at + 42, each.at, true);
    to.set(name, at + CENTRAL_BYTES);
    at += CENTRAL_BYTES + name.length;
  }
  view.setUint32(at, 0x06054b50, true);
  view.setUint16(at + 8, placed.length, true);
  view.setUint16(at + 10, placed.length, true);
  view.setUint32(at + 12, at - directory, true);
  view.setUint32(at + 16, directory, true);
  return to;
}

/** What both headers say: version, flags, method (stored), date, checksum, sizes, the length of the name. */
function common(
  view: DataView,
  at: number,
  { crc, bytes, name }: { crc: number; bytes: Uint8Array; name: Uint8Array },
): void {
  view.setUint16(at, 20, true);
  view.setUint16(at + 8, NO_DATE, true);
  view.setUint32(at + 10, crc, true);
  view.setUint32(at + 14, bytes.length, true);
  view.setUint32(at + 18, bytes.length, true);
  view.setUint16(at + 22, name.length, true);
}
