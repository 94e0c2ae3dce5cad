// Checkpoint files made by hand, right or wrong: zip archives, pickles, safetensors.
import { crc32 } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
}

const le = (
  ...fields: readonly (readonly [bytes: 1 | 2 | 4 | 8, value: number | bigint])[]
): Buffer =>
  Buffer.concat(
    fields.map(([bytes, value]) => {
      const field = Buffer.alloc(8);
      field.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
      return field.subarray(0, bytes);
    }),
  );

/** A zip archive of stored entries; with ZIP64 records as PyTorch writes them, also where none are needed. */
export function packZip(entries: readonly ZipEntry[], zip64 = false): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, method = 0, flags = 0, crc = crc32(data) } of entries) {
    const title = Buffer.from(name);
    const size = data.length;
    const common = le([2, flags], [2, method], [4, 0], [4, crc]);
    const wide = le([2, 1], [2, 24], [8, size], [8, size], [8, at]);
    const extra = zip64 ? wide : Buffer.alloc(0);
    const narrow = (value: number): number => (zip64 ? 0xffffffff : value);
    directory.push(
      Buffer.concat([
        le([4, 0x02014b50], [2, 0], [2, 0]),
        common,
        le([4, narrow(size)], [4, narrow(size)], [2, title.length], [2, extra.length], [2, 0]),
        le([2, 0], [2, 0], [4, 0], [4, narrow(at)]),
        title,
        extra,
      ]),
    );
    const header = Buffer.concat([
      le([4, 0x04034b50], [2, 0]),
      common,
      le([4, size], [4, size], [2, title.length], [2, 0]),
      title,
    ]);
    parts.push(header, Buffer.from(data));
    at += header.length + size;
  }
  const central = Buffer.concat(directory);
  const [count, size] = [entries.length, central.length];
  const end64 = Buffer.concat([
    le([4, 0x06064b50], [8, 44], [2, 0], [2, 0], [4, 0], [4, 0]),
    le([8, count], [8, count], [8, size], [8, at]),
    le([4, 0x07064b50], [4, 0], [8, at + size], [4, 1]),
  ]);
  return Buffer.concat([
    ...parts,
    central,
    zip64 ? end64 : Buffer.alloc(0),
    le([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, at], [2, 0]),
  ]);
}

/** What torch.save writes around a pickle and its storages. */
export function torchZip(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  more: readonly ZipEntry[] = [],
): Buffer {
  return packZip([
    { name: 'm/data.pkl', data: pickle },
    ...Object.entries(storages).map(([key, data]) => ({ name: `m/data/${key}`, data })),
    ...more,
  ]);
}

/** Pieces of a pickle, in the order they are run. */
export const op = {
  proto: (version = 2): Buffer => Buffer.from([0x80, version]),
  code: (...codes: (number | string)[]): Buffer =>
    Buffer.from(codes.map((code) => (typeof code === 'string' ? code.charCodeAt(0) : code))),
  text: (text: string): Buffer => {
    const bytes = Buffer.from(text);
    return Buffer.concat([op.code('X'), le([4, bytes.length]), bytes]);
  },
  int: (value: number): Buffer => Buffer.concat([op.code('J'), le([4, value])]),
  /** LONG1 of 8 bytes. */
  long: (value: bigint): Buffer => Buffer.concat([op.code(0x8a, 8), le([8, value])]),
  global: (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`),
  tuple: (...items: Buffer[]): Buffer => Buffer.concat([op.code('('), ...items, op.code('t')]),
  dict: (...items: Buffer[]): Buffer => Buffer.concat([op.code('}', '('), ...items, op.code('u')]),
  call: (module: string, name: string, ...args: Buffer[]): Buffer =>
    Buffer.concat([op.global(module, name), op.tuple(...args), op.code('R')]),
  storage: (type: string, key: string, numel: Buffer): Buffer =>
    Buffer.concat([
      op.tuple(op.text('storage'), op.global('torch', type), op.text(key), op.text('cpu'), numel),
      op.code('Q'),
    ]),
  tensor: (
    storage: Buffer,
    offset: Buffer,
    size: readonly Buffer[],
    stride: readonly Buffer[],
    ...more: Buffer[]
  ): Buffer =>
    op.call(
      'torch._utils',
      '_rebuild_tensor_v2',
      storage,
      offset,
      op.tuple(...size),
      op.tuple(...stride),
      op.code(0x89),
      op.call('collections', 'OrderedDict'),
      ...more,
    ),
  pickle: (...parts: Buffer[]): Buffer => Buffer.concat([op.proto(), ...parts, op.code('.')]),
};

/** A safetensors file: the length, the header as it is, the data. */
export function safetensors(header: string, data: Uint8Array = new Uint8Array(0)): Buffer {
  const text = Buffer.from(header);
  return Buffer.concat([le([8, text.length]), text, data]);
}
