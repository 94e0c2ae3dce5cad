// Reading zip archives (PKWARE APPNOTE 6.3, ZIP64 included) as PyTorch writes them: entries are stored as
// they are, apart from each other. Compressed and encrypted ones are refused. The directory is read first;
// an entry's data are read when somebody asks for them.
import * as check from '../../check/index.js';
import { readBytes, type Extent, type Source, type Steps } from '../source.js';
import { quoted } from '../sentences.js';

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
  /** Where its data begin: behind that header. */
  data: number;
}

export class Zip {
  private readonly entries = new Map<string, Entry>();

  private constructor(
    private readonly who: string,
    private readonly source: Source,
  ) {}

  /** Reads the directory and the header of each entry; @throws {RangeError} when they are none. */
  static *open(who: string, source: Source): Steps<Zip> {
    const zip = new Zip(who, source);
    const { count, start, end } = yield* zip.directory();
    const list = new Fields(yield* readBytes(who, source, start, end - start));
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (at + CENTRAL_BYTES > list.length || list.u32(at) !== CENTRAL) {
        throw zip.problem(`${count} entries in the directory of the archive`, String(i));
      }
      at = zip.central(list, at);
      yield;
    }
    yield* zip.apart(start);
    return zip;
  }

  get names(): Iterable<string> {
    return this.entries.keys();
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** Where an entry's data are. */
  find(name: string): Extent {
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
    const { data: position, size: length, crc } = entry;
    // PyTorch can be told to leave checksums out, and writes 0. It never looks at them; a flipped bit in
    // the weights would go unseen.
    return { position, length, ...(crc !== 0 && { checked: { name, crc } }) };
  }

  /** How many entries the directory has, and where it lies. */
  private *directory(): Steps<{ count: number; start: number; end: number }> {
    const { size: all } = this.source;
    const tailAt = Math.max(0, all - (END_BYTES + 0xffff + LOCATOR64_BYTES));
    const tail = new Fields(yield* readBytes(this.who, this.source, tailAt, all - tailAt));
    const inTail = this.findEnd(tail);
    let [count, size, start] = [
      tail.u16(inTail + 10),
      tail.u32(inTail + 12),
      tail.u32(inTail + 16),
    ];
    let end = tailAt + inTail;
    const locator = inTail - LOCATOR64_BYTES;
    if (locator >= 0 && tail.u32(locator) === LOCATOR64) {
      end = tail.u64(locator + 8);
      const isInside = end + END64_BYTES <= tailAt + locator;
      const end64 = isInside ? yield* this.fields(end, END64_BYTES) : null;
      if (end64?.u32(0) !== END64) {
        throw this.problem('a ZIP64 directory where its locator points', 'none');
      }
      [count, size, start] = [end64.u64(32), end64.u64(40), end64.u64(48)];
    }
    if (start + size > end || count * CENTRAL_BYTES > size) {
      throw this.problem('the directory of the archive inside of it', 'one beyond its end');
    }
    return { count, start, end: start + size };
  }

  private findEnd(tail: Fields): number {
    const { length } = tail;
    const least = Math.max(0, length - END_BYTES - 0xffff);
    for (let at = length - END_BYTES; at >= least; at--) {
      if (tail.u32(at) === END && at + END_BYTES + tail.u16(at + 20) === length) return at;
    }
    throw this.problem('the end of a zip archive', 'none (cut off?)');
  }

  /** Lists one entry of the directory; returns where the next begins. */
  private central(list: Fields, at: number): number {
    const nameEnd = at + CENTRAL_BYTES + list.u16(at + 28);
    const extraEnd = nameEnd + list.u16(at + 30);
    const next = extraEnd + list.u16(at + 32);
    if (next > list.length) {
      throw this.problem('an entry inside of the directory', 'one beyond its end');
    }
    const name = list.text(at + CENTRAL_BYTES, nameEnd);
    if (this.entries.has(name)) throw this.problem('each name once', `a second ${quoted(name)}`);
    const [size, packed, offset] = wide(
      list,
      [list.u32(at + 24), list.u32(at + 20), list.u32(at + 42)],
      nameEnd,
      extraEnd,
    );
    this.entries.set(name, {
      name,
      flags: list.u16(at + 8),
      method: list.u16(at + 10),
      crc: list.u32(at + 16),
      packed: packed!,
      size: size!,
      at: offset!,
      data: 0,
    });
    return next;
  }

  /** No entry lies in another, which would let a small file hold many large ones. */
  private *apart(directory: number): Steps<void> {
    let end = 0;
    for (const entry of [...this.entries.values()].sort((a, b) => a.at - b.at)) {
      if (entry.at < end) {
        throw this.problem('entries apart from each other', `${quoted(entry.name)} over another`);
      }
      entry.data = yield* this.dataOf(entry);
      end = entry.data + entry.packed;
      if (end > directory) {
        throw this.problem(`${quoted(entry.name)} before the directory`, 'it beyond');
      }
      yield;
    }
  }

  /** Where an entry's data begin: behind a header of its own, which has to tell the same name. */
  private *dataOf({ name, at }: Entry): Steps<number> {
    const length = LOCAL_BYTES + name.length; // a byte a character: it is in Latin-1
    if (at + length <= this.source.size) {
      const local = yield* this.fields(at, length);
      const isNamed = local.u16(26) === name.length && local.text(LOCAL_BYTES, length) === name;
      if (local.u32(0) === LOCAL && isNamed) return at + length + local.u16(28);
    }
    throw this.problem(`a header of ${quoted(name)} at byte ${at}`, 'none');
  }

  private *fields(position: number, length: number): Steps<Fields> {
    return new Fields(yield* readBytes(this.who, this.source, position, length));
  }

  private problem(what: string, got: string): RangeError {
    return check.wrongValue(this.who, what, got);
  }
}

/** Numbers and text of some bytes of an archive. */
class Fields {
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  u16(at: number): number {
    return this.view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  /** Beyond 2^53 it is rounded, and too large all the same. */
  u64(at: number): number {
    return Number(this.view.getBigUint64(at, true));
  }

  text(start: number, end: number): string {
    return Buffer.from(this.bytes.subarray(start, end)).toString('latin1');
  }
}

/** The numbers that did not fit 32 bits, from the ZIP64 field among the extra ones. */
function wide(list: Fields, numbers: readonly number[], start: number, end: number): number[] {
  let field = start;
  while (field + 4 <= end && list.u16(field) !== 1) field += 4 + list.u16(field + 2);
  const fieldEnd = field + 4 <= end ? Math.min(end, field + 4 + list.u16(field + 2)) : field;
  let at = field + 4;
  return numbers.map((number) => {
    if (number !== MAX_32 || at + 8 > fieldEnd) return number;
    at += 8;
    return list.u64(at - 8);
  });
}
