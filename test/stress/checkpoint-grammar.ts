// Checkpoints as their formats are made: pickles from opcodes, archives and headers from their grammars, and
// valid files with changes. The pieces are fast-check's, so a file that fails gets smaller by itself. Any
// piece may be repeated thousands of times, and any object remembered and used again: this is what files
// are made of that ask for much with few bytes.
// Longer than 250 lines because the grammars of four formats share their pieces.
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';

import { op, packZip, safetensors, torchZip, type ZipEntry } from '../helpers/checkpoint-files.js';
import { BOMBS } from './checkpoint-bombs.js';
import type { FormatCode } from './checkpoint-children.js';

const { code, text, int, global } = op;

/** A file, and who reads it. */
export class Input {
  constructor(
    readonly format: FormatCode,
    readonly bytes: Uint8Array,
    readonly from: string,
    /** The hash of what a valid file holds, where checksums say that nothing else may come out. */
    readonly original: string | null = null,
  ) {}

  [fc.toStringMethod](): string {
    const { bytes, format, from } = this;
    const shown = Buffer.from(bytes.subarray(0, 1500)).toString('hex');
    return `${from}, format ${format}, ${bytes.length} bytes: ${shown}${bytes.length > 1500 ? '…' : ''}`;
  }
}

const MOST_BYTES = 400_000;

/** Numbers at the edges of what fields hold. */
const EDGES = [0n, 1n, 127n, 128n, 255n, 256n, 65535n, 65536n, 2n ** 31n - 1n, 2n ** 31n].concat([
  2n ** 32n - 1n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
]);
const edge = fc.constantFrom(...EDGES);

const NAMES = [
  'w',
  'model',
  'state_dict',
  'a.b',
  'bn.num_batches_tracked',
  'bn._extra_state',
].concat(['_metadata', 'version', '__proto__', 'constructor', 'storage', '0', '1', 'k', '']);
const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);

const GLOBALS = [
  ['collections', 'OrderedDict'],
  ['collections', 'Counter'],
  ['torch', 'Size'],
  ['torch', 'device'],
  ['torch', 'float16'],
  ['torch', 'FloatStorage'],
  ['torch', 'ComplexFloatStorage'],
  ['torch.storage', 'UntypedStorage'],
  ['torch._utils', '_rebuild_tensor'],
  ['torch._utils', '_rebuild_tensor_v2'],
  ['torch._utils', '_rebuild_tensor_v3'],
  ['torch._utils', '_rebuild_parameter'],
  ['torch._tensor', '_rebuild_from_type_v2'],
  ['_codecs', 'encode'],
  ['builtins', 'set'],
  ['numpy', 'dtype'],
  ['os', 'system'],
] as const;
const globals = fc.constantFrom(...GLOBALS).map(([module, each]) => global(module, each));

/** How often a piece is said: mostly a few times, now and then so often that it matters. */
const count = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 200 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
);

/** Bytes, made of pieces that may be said many times; put together at the end, and only once. */
type Piece = Buffer | readonly Piece[] | { readonly of: Piece; readonly times: number };

function rendered(piece: Piece, most = MOST_BYTES): Buffer {
  const parts: Buffer[] = [];
  let left = most;
  const add = (each: Piece): void => {
    if (left <= 0) return;
    if (Buffer.isBuffer(each)) {
      parts.push(each);
      left -= each.length;
    } else if ('times' in each) {
      const one = rendered(each.of, left);
      const times = one.length === 0 ? 0 : Math.min(each.times, Math.ceil(left / one.length));
      add(Buffer.alloc(times * one.length, one));
    } else {
      each.forEach(add);
    }
  };
  add(piece);
  return Buffer.concat(parts);
}

const several = (piece: fc.Arbitrary<Piece>): fc.Arbitrary<Piece> =>
  fc.tuple(piece, count).map(([of, times]) => ({ of, times }));
/** Now and then many times. */
const repeat = (piece: fc.Arbitrary<Piece>): fc.Arbitrary<Piece> =>
  fc.oneof({ weight: 9, arbitrary: piece }, { weight: 1, arbitrary: several(piece) });

const joined = (...parts: fc.Arbitrary<Piece>[]): fc.Arbitrary<Piece> => fc.tuple(...parts);

/** Null for the most part. */
const seldom = <Value>(arbitrary: fc.Arbitrary<Value>, weight = 12): fc.Arbitrary<Value | null> =>
  fc.oneof({ weight, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const place = fc.nat(7);
const short = (bytes: Uint8Array): Buffer => Buffer.from([bytes.length, ...bytes]);
const le = (value: bigint, size: number): Buffer => {
  const field = Buffer.alloc(8);
  field.writeBigUInt64LE(value);
  return field.subarray(0, size);
};

const atom: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(code('N'), code(0x88), code(')'), code(']'), code('}')) },
  { weight: 2, arbitrary: fc.integer({ min: -3, max: 70 }).map(int) },
  { weight: 1, arbitrary: edge.map((value) => op.long(value)) },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ maxLength: 20 })
      .map((bytes) => Buffer.concat([code(0x8a), short(bytes)])),
  },
  { weight: 3, arbitrary: name.map(text) },
  { weight: 1, arbitrary: count.map((times) => text('x'.repeat(times))) },
  { weight: 1, arbitrary: fc.constant(code('G', 63, 240, 0, 0, 0, 0, 0, 0)) },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ maxLength: 9 })
      .map((bytes) => Buffer.concat([code('C'), short(bytes)])),
  },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ maxLength: 9 })
      .map((bytes) => Buffer.concat([code('U'), short(bytes)])),
  },
  { weight: 2, arbitrary: globals },
  { weight: 6, arbitrary: place.map((index) => code('h', index)) },
);

const size = fc.oneof(
  { weight: 8, arbitrary: fc.nat(4).map(int) },
  { weight: 1, arbitrary: edge.map((value) => op.long(value)) },
);
const storageKey = fc.constantFrom('0', '1', 'k');
const storage = fc
  .tuple(
    storageKey,
    fc.constantFrom('FloatStorage', 'CharStorage', 'HalfStorage'),
    fc.constantFrom(0, 1, 6, 24),
  )
  .map(([key, type, numel]) => op.storage(type, key, int(numel)));
/** A storage that is in the file, for the most part. */
const goodStorage = op.storage('FloatStorage', '0', int(6));
const tensor = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: fc.constant(goodStorage) }, { weight: 1, arbitrary: storage }),
    fc.nat(2).map(int),
    fc.array(fc.tuple(size, size), { maxLength: 4 }),
    fc.integer({ min: 0, max: 40 }),
  )
  .map(([from, offset, sizes, ones]) => {
    const more = ones > 36 ? Array.from({ length: 2 * ones - 12 }, () => int(1)) : [];
    return op.tensor(
      from,
      offset,
      [...sizes.map(([each]) => each), ...more],
      [...sizes.map(([, each]) => each), ...more],
    );
  });
const row = fc
  .tuple(fc.integer({ min: 0, max: 6 }))
  .map(([length]) =>
    op.tensor(op.storage('FloatStorage', '0', int(6)), int(0), [int(length)], [int(1)]),
  );

const { value } = fc.letrec<{ value: Piece; items: Piece; pairs: Piece; args: Piece }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 6, arbitrary: atom },
    { weight: 3, arbitrary: row },
    { weight: 1, arbitrary: tensor },
    { weight: 1, arbitrary: storage },
    // a container
    {
      weight: 2,
      arbitrary: joined(fc.constant(code('(')), tie('items'), fc.constant(code('t'))),
    },
    {
      weight: 2,
      arbitrary: joined(fc.constant(code(']', '(')), tie('items'), fc.constant(code('e'))),
    },
    {
      weight: 3,
      arbitrary: joined(fc.constant(code('}', '(')), tie('pairs'), fc.constant(code('u'))),
    },
    { weight: 1, arbitrary: joined(tie('value'), fc.constant(code(0x85))) },
    // one that is remembered, one that is called, one that gets a state or items of its own
    {
      weight: 3,
      arbitrary: joined(
        tie('value'),
        place.map((index) => code('q', index)),
      ),
    },
    {
      weight: 3,
      arbitrary: joined(
        fc.oneof(globals, fc.constantFrom(code('h', 3), code('h', 6))),
        tie('args'),
        fc.constantFrom(code('R'), code(0x81)),
      ),
    },
    {
      weight: 1,
      arbitrary: joined(
        fc.constant(code('h', 6, ')', 'R', '}', '(')),
        tie('pairs'),
        fc.constant(code('u', 'b')),
      ),
    },
    {
      weight: 1,
      arbitrary: joined(
        fc.constantFrom(code('h', 4), code(']')),
        tie('value'),
        fc.constant(code('a')),
      ),
    },
    {
      weight: 1,
      arbitrary: joined(fc.constant(code('}')), tie('value'), tie('value'), fc.constant(code('s'))),
    },
    {
      weight: 1,
      arbitrary: joined(
        tie('value'),
        tie('value'),
        fc.constantFrom('b', 'a', 's', 'Q', 'R', '0').map((each) => code(each)),
      ),
    },
  ),
  items: fc.array(repeat(tie('value')), { maxLength: 4 }),
  pairs: fc.array(repeat(joined(name.map(text), tie('value'))), { maxLength: 4 }),
  args: fc.oneof(
    fc.constantFrom(code('h', 2), code('h', 5), code('h', 1)),
    joined(fc.constant(code('(')), tie('items'), fc.constant(code('t'))),
  ),
}));

/** Anything at all, well formed or not. */
const loose = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(...'(.0129aeutsbRQ}])qhrj'.split(''))
      .chain((letter) => fc.uint8Array({ maxLength: 4 }).map((bytes) => code(letter, ...bytes))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(0x8b, 0x8d, 0x8e, 0x95, 0x54, 0x58, 0x72, 0x6a), edge)
      .map(([opcode, operand]) => Buffer.concat([code(opcode), le(operand, 8)])),
  },
);
/** A remembered function called with remembered arguments. */
const use = fc
  .tuple(fc.constantFrom(3, 6), fc.constantFrom(1, 2, 5), fc.constantFrom('0', '', 'a'))
  .map(([callee, args, then]) =>
    code(
      ...(then === 'a' ? [']'] : []),
      'h',
      callee,
      'h',
      args,
      'R',
      ...(then === '' ? [] : [then]),
    ),
  );
/** Statements: what they leave on the stack is let go, or not. */
const statement = fc.oneof(
  { weight: 6, arbitrary: joined(value, fc.constant(code('0'))) },
  { weight: 1, arbitrary: value },
  { weight: 1, arbitrary: loose },
  { weight: 2, arbitrary: several(use) },
);
/** What there is to use many times: objects of every kind, small or large, each at its place. */
const memory = fc
  .tuple(
    fc.oneof({ weight: 12, arbitrary: count }, { weight: 1, arbitrary: fc.nat(20_000) }),
    fc.constantFrom('_rebuild_tensor', '_rebuild_tensor_v2', '_rebuild_parameter'),
    fc.constantFrom('OrderedDict', 'OrderedDict', 'Counter', 'deque'),
  )
  .map(([many, rebuild, collection]): Piece => {
    const ones = { of: code('K', 1), times: many };
    const kept = (index: number, ...parts: Piece[]): Piece => [...parts, code('q', index, '0')];
    return [
      kept(0, goodStorage),
      kept(1, code('('), ones, code('t')),
      kept(2, code('(', 'h', 0, 'K', 0, 'h', 1, 'h', 1, 't')),
      kept(3, global('torch._utils', rebuild)),
      kept(4, code(']', '('), { of: code('K', 1, 'N', 0x86), times: many }, code('e')),
      kept(5, code('h', 4, 0x85)),
      kept(6, global('collections', collection)),
      kept(7, text('x'.repeat(many))),
    ];
  });
const entries = fc
  .array(fc.tuple(name, fc.oneof({ weight: 4, arbitrary: row }, { weight: 1, arbitrary: value })), {
    minLength: 1,
    maxLength: 5,
  })
  .map((each): Piece => [
    code('}', '('),
    ...each.map(([key, item]): Piece => [text(key), item]),
    code('u'),
  ]);
const program = joined(
  memory,
  fc.array(repeat(statement), { maxLength: 4 }),
  fc.oneof({ weight: 1, arbitrary: value }, { weight: 4, arbitrary: entries }),
);

const MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
const HEAD = Buffer.concat([MAGIC, op.pickle(int(1001)), op.pickle(code('}'))]);
const data = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);

/** What a file has at its end when its one storage is the six numbers. */
const TAIL = Buffer.concat([op.pickle(code(']', '('), text('0'), code('e')), le(6n, 8), data]);

const pickles: fc.Arbitrary<Input> = fc
  .tuple(program, fc.constantFrom<FormatCode>(0, 0, 2), fc.boolean(), fc.boolean())
  .map(([body, format, isZip, isWhole]) => {
    const whole = isWhole || format === 0 ? body : [code('}'), text('model'), body, code('s')];
    const pickle = op.pickle(rendered(whole));
    const bytes = isZip
      ? torchZip(pickle, { '0': data, '1': new Uint8Array(0) })
      : Buffer.concat([HEAD, pickle, TAIL]);
    return new Input(format, bytes, isZip ? 'a zip of a pickle' : 'a legacy pickle');
  });

// ---- Archives -------------------------------------------------------------------------------------------

const good = op.pickle(
  op.dict(
    text('w'),
    op.tensor(op.storage('FloatStorage', '0', int(6)), int(0), [int(6)], [int(1)]),
  ),
);
const goodEntries: ZipEntry[] = [
  { name: 'm/data.pkl', data: good },
  { name: 'm/data/0', data },
];
const entry: fc.Arbitrary<ZipEntry> = fc.record(
  {
    name: fc.oneof(
      fc.constantFrom(
        'm/data.pkl',
        'm/data/0',
        'm/data/1',
        'm/byteorder',
        'm/version',
        'm/constants.pkl',
      ),
      count.map((times) => 'n'.repeat(Math.min(times, 65_535))),
    ),
    data: fc.oneof(fc.constant(data), fc.constant(good), fc.uint8Array({ maxLength: 30 })),
    method: fc.constantFrom(0, 0, 0, 8),
    flags: fc.constantFrom(0, 0, 0, 1, 8),
    crc: fc.constantFrom(0, 1),
  },
  { requiredKeys: ['name', 'data'] },
);
const RECORDS = ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07'];
/** A field of a record of the archive, or any place, gets another number. */
const field = fc.tuple(
  fc.constantFrom(...RECORDS, ''),
  fc.nat(60),
  edge,
  fc.constantFrom(1, 2, 4, 8),
);

const archives: fc.Arbitrary<Input> = fc
  .tuple(
    fc.array(entry, { maxLength: 3 }),
    seldom(fc.integer({ min: 1, max: 3000 }), 20),
    fc.boolean(),
    fc.array(field, { maxLength: 3 }),
    fc.constantFrom<FormatCode>(0, 2),
  )
  .map(([entries, many, zip64, fields, format]) => {
    const crowd = Array.from({ length: many ?? 0 }, (_, i) => ({
      name: String(i * 4096),
      data: Buffer.alloc(0),
    }));
    const bytes = packZip([...goodEntries, ...entries, ...crowd], zip64);
    for (const [record, offset, number, length] of fields) {
      const at = record === '' ? offset : bytes.lastIndexOf(record) + offset;
      le(number, length).copy(bytes, Math.min(Math.max(at, 0), bytes.length));
    }
    return new Input(format, bytes, 'an archive');
  });

// ---- Headers of safetensors -----------------------------------------------------------------------------

const jsonText = fc.oneof(
  { weight: 4, arbitrary: name.map((each) => JSON.stringify(each)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('\\n', '\\u0041', '\\ud800', 'x', 'é', '\\x', '\\\\', '😀'), count)
      .map(([piece, times]) => `"${piece.repeat(times)}"`),
  },
);
const jsonNumber = fc.oneof(
  fc.nat(8).map(String),
  edge.map(String),
  fc.constantFrom('-1', '1.0', '1e0', '1e999', '01', 'NaN'),
  count.map((times) => '9'.repeat(times)),
);
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 3, arbitrary: jsonText },
    { weight: 2, arbitrary: jsonNumber },
    { weight: 1, arbitrary: fc.constantFrom('null', 'true', 'false', '{}', '[]', '') },
    {
      weight: 2,
      arbitrary: fc.tuple(tie('json'), count).map(([each, times]) => {
        const most = Math.floor(MOST_BYTES / 2 / (each.length + 1));
        return `[${Array.from({ length: Math.min(times, most) }, () => each).join()}]`;
      }),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(jsonText, tie('json'), count)
        .map(([key, each, times]) =>
          times < 5
            ? `{${key}:${each}}`
            : `{${Array.from({ length: Math.min(times, 20_000) }, (_, i) => `"${i}":0`).join()}}`,
        ),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie('json'), fc.integer({ min: 1, max: 140 }))
        .map(([each, depth]) => `${'['.repeat(depth)}${each}${']'.repeat(depth)}`),
    },
  ),
}));
const DTYPES: readonly (readonly [string, number])[] = [
  ['F32', 4],
  ['F64', 8],
  ['F16', 2],
  ['I8', 1],
  ['BOOL', 1],
  ['U64', 8],
  ['F8_E4M3', 1],
];
const shaped = fc.tuple(
  fc.constantFrom(...DTYPES),
  fc.array(fc.nat(3), { maxLength: 3 }),
  seldom(json, 8),
);
const member = fc.tuple(jsonText, json).map(([key, each]) => `${key}:${each}`);

const headers: fc.Arbitrary<Input> = fc
  .tuple(
    fc.array(fc.tuple(jsonText, shaped), { maxLength: 4 }),
    seldom(fc.array(fc.tuple(jsonText, jsonText), { maxLength: 3 }), 1),
    fc.array(member, { maxLength: 1 }),
    seldom(fc.tuple(fc.nat(), fc.constantFrom('{', '}', '[', ',', ':', '"', ' ', '\0')), 6),
    seldom(edge),
    fc.integer({ min: 0, max: 16 }),
    fc.boolean(),
  )
  .map(([tensors, metadata, odd, broken, length, off, isOdd]) => {
    let end = 0;
    const members = tensors.map(([key, [[dtype, bytes], sizes, more]]) => {
      const start = end;
      end += bytes * sizes.reduce((product, each) => product * each, 1);
      const extra = more === null ? '' : `,"x":${more}`;
      return `${key}:{"dtype":"${dtype}","shape":[${sizes.join()}],"data_offsets":[${start},${end}]${extra}}`;
    });
    if (metadata !== null) {
      members.unshift(`"__metadata__":{${metadata.map(([key, each]) => `${key}:${each}`).join()}}`);
    }
    if (isOdd) members.push(...odd);
    let header = `{${members.join()}}`;
    if (broken !== null) {
      const at = 1 + (broken[0] % header.length);
      header = header.slice(0, at) + broken[1] + header.slice(at);
    }
    const bytes = safetensors(header, new Uint8Array(off === 0 ? end + 1 : end));
    if (length !== null) bytes.writeBigUInt64LE(length);
    return new Input(1, bytes, 'a header');
  });

// ---- Valid files with changes ---------------------------------------------------------------------------

interface Valid {
  readonly name: string;
  readonly bytes: Buffer;
  readonly format: FormatCode;
}

const folder = new URL('../golden/data/checkpoints/', import.meta.url);
export const VALID: readonly Valid[] = readdirSync(folder)
  .filter((each) => /\.(safetensors|pth?)$/.test(each))
  .map((each) => ({
    name: each,
    bytes: readFileSync(new URL(each, folder)),
    format: each.endsWith('.safetensors') ? 1 : each === 'checkpoint.pt' ? 2 : 0,
  }));

const SEEDS: readonly Valid[] = [
  ...VALID,
  ...BOMBS.map(({ name: each, format, make }): Valid => {
    return { name: each, bytes: Buffer.from(make(300)), format: format === 'torch' ? 0 : 1 };
  }),
];

const change = fc.tuple(
  fc.constantFrom('flip', 'cut', 'number', 'out', 'in', 'again', 'opcode'),
  fc.nat(2 ** 20),
  fc.nat(2 ** 20),
  fc.oneof(
    edge.map((each) => le(each, 8)),
    name.map((each) => Buffer.from(each)),
    value.map((each) => rendered(each, 2000)),
  ),
);

function changed(
  bytes: Buffer,
  [how, first, second, piece]: readonly [string, number, number, Buffer],
): Buffer {
  const at = first % (bytes.length + 1);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  const some = second % 24;
  const copy = Buffer.from(bytes);
  switch (how) {
    case 'flip':
      if (at < copy.length) copy[at]! ^= 1 << (second % 8);
      return copy;
    case 'opcode':
      if (at < copy.length) copy[at] = second % 256;
      return copy;
    case 'cut':
      return before;
    case 'number':
      piece.copy(copy, at, 0, [1, 2, 4, 8][second % 4]);
      return copy;
    case 'out':
      return Buffer.concat([before, after.subarray(some)]);
    case 'in':
      return Buffer.concat([before, piece, after]);
    default:
      return Buffer.concat([
        before,
        bytes.subarray(second % (bytes.length + 1)).subarray(0, 200),
        after,
      ]);
  }
}

/** `contents`: the hashes of what the valid files hold, by name. */
const mutants = (contents: ReadonlyMap<string, string>): fc.Arbitrary<Input> =>
  fc
    .tuple(
      fc.constantFrom(...SEEDS),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
    )
    .map(([of, changes, isRepacked]) => {
      const isZip = of.bytes[0] === 0x50;
      const from = `a changed ${of.name}`;
      if (!isZip || !isRepacked) {
        const bytes = changes.reduce(changed, of.bytes);
        const original = isZip && !hasNoChecksum(bytes) ? (contents.get(of.name) ?? null) : null;
        return new Input(of.format, bytes, from, original);
      }
      // the archive again, with a changed pickle and a checksum that fits
      const entries = storedEntries(of.bytes).map((each) =>
        each.name.endsWith('data.pkl')
          ? { ...each, data: changes.reduce(changed, Buffer.from(each.data)) }
          : each,
      );
      return new Input(of.format, packZip(entries), from);
    });

/** An entry whose recorded checksum is 0: PyTorch's way of having none. */
function hasNoChecksum(bytes: Buffer): boolean {
  for (let at = bytes.indexOf('PK\x01\x02'); at >= 0; at = bytes.indexOf('PK\x01\x02', at + 4)) {
    if (at + 20 <= bytes.length && bytes.readUInt32LE(at + 16) === 0) return true;
  }
  return false;
}

/** The entries of a valid archive: its directory, read in the simplest way. */
function storedEntries(bytes: Buffer): ZipEntry[] {
  const entries: ZipEntry[] = [];
  for (let at = bytes.indexOf('PK\x01\x02'); at >= 0; at = bytes.indexOf('PK\x01\x02', at + 4)) {
    const [length, local] = [bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 42)];
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const title = bytes.toString('latin1', at + 46, at + 46 + bytes.readUInt16LE(at + 28));
    entries.push({ name: title, data: bytes.subarray(start, start + length) });
  }
  return entries;
}

export const inputs = (contents: ReadonlyMap<string, string>): fc.Arbitrary<Input> =>
  fc.oneof(
    { weight: 5, arbitrary: pickles },
    { weight: 1, arbitrary: archives },
    { weight: 2, arbitrary: headers },
    { weight: 2, arbitrary: mutants(contents) },
  );
