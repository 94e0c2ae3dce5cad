// Checkpoint files with something wrong in them: valid ones, changed at random but from a seed.
import { uniformFrom } from '../helpers/random.js';
import { packZip, type ZipEntry } from '../helpers/checkpoint-files.js';

export interface Valid {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** For loadTorch. */
  readonly key?: string;
}

export interface Mutant {
  readonly of: Valid;
  readonly bytes: Uint8Array;
  /** Checksums were made to fit again, or there are none: then the values may be others. */
  readonly sealed: boolean;
}

/** Numbers at the edges of what fields hold. */
const EDGES = [
  0n,
  1n,
  2n,
  127n,
  128n,
  255n,
  256n,
  65535n,
  65536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
].concat([2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]);

const WORDS = [
  '__proto__',
  'constructor',
  'prototype',
  '__metadata__',
  'toString',
  'storage',
  'F64',
  'os',
  'system',
  '',
];

/** Every opcode of pickle. */
const OPCODES = Array.from('(.012FIJKLMNPQRSTUVXabcdeghijlopqrstu})]GBC', (each) =>
  each.charCodeAt(0),
).concat(Array.from({ length: 25 }, (_, i) => 0x80 + i));

export class Mutator {
  private readonly uniform: () => number;

  constructor(
    seed: number,
    private readonly valid: readonly Valid[],
  ) {
    this.uniform = uniformFrom(seed);
  }

  next(): Mutant {
    const of = this.pick(this.valid);
    if (of.name.endsWith('.safetensors')) {
      const bytes = this.chance(0.7) ? this.header(of.bytes) : this.several(of.bytes);
      return { of, bytes, sealed: false };
    }
    if (of.bytes[0] !== 0x50) return { of, bytes: this.legacy(of.bytes), sealed: false };
    if (this.chance(0.3)) return { of, bytes: this.several(of.bytes), sealed: true };
    return { of, bytes: this.repacked(of.bytes), sealed: false };
  }

  private below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  private chance(share: number): boolean {
    return this.uniform() < share;
  }

  private pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** One to four changes. */
  private several(bytes: Uint8Array): Uint8Array {
    let changed = bytes;
    for (let left = 1 + this.below(4); left > 0; left--) changed = this.changed(changed);
    return changed;
  }

  private changed(bytes: Uint8Array): Uint8Array {
    const copy = Buffer.from(bytes);
    const at = this.below(copy.length + 1);
    const some = this.below(24);
    const [before, after] = [copy.subarray(0, at), copy.subarray(at)];
    switch (this.below(7)) {
      case 0: // a flipped bit
        if (at < copy.length) copy[at]! ^= 1 << this.below(8);
        return copy;
      case 1: // cut off
        return before;
      case 2: // a number at an edge
        return this.numbered(copy, at);
      case 3: // something out
        return Buffer.concat([before, after.subarray(some)]);
      case 4: // something in
        return Buffer.concat([before, Buffer.from(this.pick(WORDS)), after]);
      case 5: {
        // a piece of itself, again
        const from = this.below(copy.length + 1);
        return Buffer.concat([before, copy.subarray(from, from + some), after]);
      }
      default: {
        // a piece of another
        const { bytes: other } = this.pick(this.valid);
        const from = this.below(other.length + 1);
        const length = this.chance(0.5) ? some : this.below(other.length);
        return Buffer.concat([before, other.subarray(from, from + length), after.subarray(length)]);
      }
    }
  }

  private numbered(bytes: Buffer, at: number): Buffer {
    const field = Buffer.alloc(8);
    field.writeBigUInt64LE(this.pick(EDGES));
    field.copy(bytes, at, 0, this.pick([1, 2, 4, 8]));
    return bytes;
  }

  /** Other text between the 8 bytes of length, which then fit, and the data. */
  private header(bytes: Uint8Array): Uint8Array {
    const length = Number(Buffer.from(bytes).readBigUInt64LE());
    let text = Buffer.from(bytes.subarray(8, 8 + length)).toString('latin1');
    for (let left = 1 + this.below(3); left > 0; left--) text = this.edited(text);
    const header = Buffer.from(text, 'latin1');
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([size, header, bytes.subarray(8 + length)]);
  }

  private edited(text: string): string {
    const tokens = text.split(/(?<=[[\]{},:])|(?=[[\]{},:])/);
    const at = this.below(tokens.length);
    const token = tokens[at]!;
    switch (this.below(6)) {
      case 0:
        tokens[at] = String(this.pick(EDGES));
        break;
      case 1:
        tokens[at] = JSON.stringify(this.pick(WORDS));
        break;
      case 2:
        tokens.splice(at, 1 + this.below(3));
        break;
      case 3:
        tokens.splice(
          at,
          0,
          ...tokens.slice(this.below(tokens.length)).slice(0, 1 + this.below(14)),
        );
        break;
      case 4:
        tokens[at] = this.pick(tokens);
        break;
      default:
        tokens[at] = Buffer.from(this.changed(Buffer.from(token, 'latin1'))).toString('latin1');
    }
    return tokens.join('');
  }

  /** Opcodes for others, numbers and names for others, bytes for others. */
  private pickle(bytes: Uint8Array): Uint8Array {
    let copy: Buffer = Buffer.from(bytes);
    for (let left = 1 + this.below(3); left > 0; left--) {
      const at = this.below(copy.length);
      const what = this.uniform();
      if (what < 0.3) copy[at] = this.pick(OPCODES);
      else copy = what < 0.5 ? this.numbered(copy, at) : Buffer.from(this.changed(copy));
      if (copy.length === 0) return copy;
    }
    return copy;
  }

  private legacy(bytes: Uint8Array): Uint8Array {
    if (this.chance(0.3)) return this.several(bytes);
    const at = this.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), this.pickle(bytes.subarray(at))]);
  }

  /** The archive again, of changed entries, with checksums that fit. */
  private repacked(bytes: Uint8Array): Uint8Array {
    const entries = storedEntries(bytes);
    const at = this.chance(0.85) ? 0 : this.below(entries.length);
    const { name, data } = entries[at]!;
    const isPickle = name.endsWith('data.pkl');
    entries[at] = {
      name: this.chance(0.97) ? name : name + this.pick(WORDS),
      data: isPickle ? this.pickle(data) : this.several(data),
    };
    const packed = packZip(entries, this.chance(0.5));
    return this.chance(0.9) ? packed : this.changed(packed);
  }
}

/** The entries of an archive that PyTorch wrote: its directory, read in the simplest way. */
function storedEntries(archive: Uint8Array): ZipEntry[] {
  const bytes = Buffer.from(archive);
  const entries: ZipEntry[] = [];
  for (let at = bytes.indexOf('PK\x01\x02'); at >= 0; at = bytes.indexOf('PK\x01\x02', at + 4)) {
    const [size, local] = [bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 42)];
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const name = bytes.toString('latin1', at + 46, at + 46 + bytes.readUInt16LE(at + 28));
    entries.push({ name, data: bytes.subarray(start, start + size) });
  }
  return entries;
}
