// Reading zip archives (PKWARE APPNOTE 6.3, ZIP64 included) as PyTorch writes them: entries are stored as
// they are, apart from each other. Compressed and encrypted ones are refused.
import { crc32 } from 'node:zlib';

import * as check from '../check.js';
import { quoted } from './words.js';

const END = 0x06054b50;
const END_BYTES = 22;
const END64 = 0x06064b50;
const END64_BYTES = 56;
const LOCATOR64 = 0x07064b50;
const LOCATOR64_BYTES = 20;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const MAX_32 = 0xffffffff;

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Where its local header begins. */
  readonly at: number;
}

export class Zip {
  private readonly view: DataView;
  private readonly entries = new Map<string, Entry>();

  /** Reads the directory; @throws {RangeError} when it is not one. */
  constructor(
    private readonly who: string,
    private readonly bytes: Uint8Array,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { count, start, end } = this.directory();
    let at = start;
    for (let i = 0; i < count; i++) {
      if (at + CENTRAL_BYTES > end || this.u32(at) !== CENTRAL) {
        throw this.problem(`${count} entries in the directory of the archive`, String(i));
      }
      at = this.central(at, end);
    }
    this.apart(start);
  }

  get names(): Iterable<string> {
    return this.entries.keys();
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** An entry's bytes: the archive's memory, not a copy. */
  read(name: string): Uint8Array {
    const entry = this.entries.get(name);
    const called = quoted(name);
    if (entry === undefined) throw this.problem(`${called} in the archive`, 'none');
    if ((entry.flags & 1) !== 0) throw this.problem(`${called} as it is`, 'it encrypted');
    if (entry.method !== 0 || entry.packed !== entry.size) {
      throw this.problem(
        `${called} stored as it is, as torch.save does`,
        `it compressed (method ${entry.method}); unpack the archive and pack it with zip -0`,
      );
    }
    const start = this.dataOf(entry);
    const data = this.bytes.subarray(start, start + entry.size);
    // PyTorch can be told to leave checksums out, and writes 0. It never looks at them; a flipped bit in
    // the weights would go unseen.
    if (entry.crc !== 0) {
      const crc = crc32(data);
      if (crc !== entry.crc) {
        throw this.problem(
          `${called} with the checksum ${hex(entry.crc)}`,
          `${hex(crc)} (damaged)`,
        );
      }
    }
    return data;
  }

  /** How many entries the directory has, and where it lies. */
  private directory(): { count: number; start: number; end: number } {
    const at = this.findEnd();
    let [count, size, start] = [this.u16(at + 10), this.u32(at + 12), this.u32(at + 16)];
    let end = at;
    const locator = at - LOCATOR64_BYTES;
    if (locator >= 0 && this.u32(locator) === LOCATOR64) {
      end = this.u64(locator + 8);
      if (end + END64_BYTES > locator || this.u32(end) !== END64) {
        throw this.problem('a ZIP64 directory where its locator points', 'none');
      }
      [count, size, start] = [this.u64(end + 32), this.u64(end + 40), this.u64(end + 48)];
    }
    if (start + size > end || count * CENTRAL_BYTES > size) {
      throw this.problem('the directory of the archive inside of it', 'one beyond its end');
    }
    return { count, start, end: start + size };
  }

  private findEnd(): number {
    const { length } = this.bytes;
    const least = Math.max(0, length - END_BYTES - 0xffff);
    for (let at = length - END_BYTES; at >= least; at--) {
      if (this.u32(at) === END && at + END_BYTES + this.u16(at + 20) === length) return at;
    }
    throw this.problem('the end of a zip archive', 'none (cut off?)');
  }

  /** Lists one entry; returns where the next begins. */
  private central(at: number, end: number): number {
    const nameEnd = at + CENTRAL_BYTES + this.u16(at + 28);
    const extraEnd = nameEnd + this.u16(at + 30);
    const next = extraEnd + this.u16(at + 32);
    if (next > end) throw this.problem('an entry inside of the directory', 'one beyond its end');
    const name = Buffer.from(this.bytes.subarray(at + CENTRAL_BYTES, nameEnd)).toString('latin1');
    if (this.entries.has(name)) throw this.problem('each name once', `a second ${quoted(name)}`);
    const [size, packed, offset] = this.wide(
      [this.u32(at + 24), this.u32(at + 20), this.u32(at + 42)],
      nameEnd,
      extraEnd,
    );
    this.entries.set(name, {
      name,
      flags: this.u16(at + 8),
      method: this.u16(at + 10),
      crc: this.u32(at + 16),
      packed: packed!,
      size: size!,
      at: offset!,
    });
    return next;
  }

  /** The numbers that did not fit 32 bits, from the ZIP64 field among the extra ones. */
  private wide(numbers: readonly number[], start: number, end: number): number[] {
    let field = start;
    while (field + 4 <= end && this.u16(field) !== 1) field += 4 + this.u16(field + 2);
    const fieldEnd = field + 4 <= end ? Math.min(end, field + 4 + this.u16(field + 2)) : field;
    let at = field + 4;
    return numbers.map((number) => {
      if (number !== MAX_32 || at + 8 > fieldEnd) return number;
      at += 8;
      return this.u64(at - 8);
    });
  }

  /** No entry lies in another, which would let a small file hold many large ones. */
  private apart(directory: number): void {
    let end = 0;
    for (const entry of [...this.entries.values()].sort((a, b) => a.at - b.at)) {
      if (entry.at < end) {
        throw this.problem('entries apart from each other', `${quoted(entry.name)} over another`);
      }
      end = this.dataOf(entry) + entry.packed;
      if (end > directory) {
        throw this.problem(`${quoted(entry.name)} before the directory`, 'it beyond');
      }
    }
  }

  /** Where an entry's data begin: behind a header of its own, which has to tell the same name. */
  private dataOf({ name, at }: Entry): number {
    const nameAt = at + LOCAL_BYTES;
    if (nameAt <= this.bytes.length && this.u32(at) === LOCAL) {
      const nameEnd = nameAt + this.u16(at + 26);
      const local = Buffer.from(this.bytes.subarray(nameAt, nameEnd)).toString('latin1');
      if (local === name) return nameEnd + this.u16(at + 28);
    }
    throw this.problem(`a header of ${quoted(name)} at byte ${at}`, 'none');
  }

  private u16(at: number): number {
    return this.view.getUint16(at, true);
  }

  private u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  /** Beyond 2^53 it is rounded, and too large all the same. */
  private u64(at: number): number {
    return Number(this.view.getBigUint64(at, true));
  }

  private problem(what: string, got: string): RangeError {
    return check.wrongValue(this.who, what, got);
  }
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');
