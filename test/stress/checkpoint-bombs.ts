// Small files that would cost much: each says the same thing many times about something large that it
// remembers, or asks for much with few bytes. A reader has to refuse them, or read them, in time and memory
// that fit their size. `scale` is roughly how many bytes each has.
// Longer than 250 lines because it is a list of files.
import { op, packZip, safetensors, torchZip } from '../helpers/checkpoint-files.js';

const { code, text, int, dict, tuple, global, call } = op;

type Format = 'torch' | 'safetensors';

interface Bomb {
  readonly name: string;
  readonly format: Format;
  readonly make: (scale: number) => Uint8Array;
}

const times = (piece: Uint8Array, count: number): Buffer =>
  Buffer.alloc(Math.max(0, Math.floor(count)) * piece.length, piece);
const MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
const HEAD = Buffer.concat([MAGIC, op.pickle(int(1001)), op.pickle(code('}'))]);
/** A file of before PyTorch 1.6 whose object is made by these opcodes. */
const legacy = (...parts: Uint8Array[]): Buffer =>
  Buffer.concat([HEAD, op.proto(), ...parts, code('.')]);
const put = (index: number): Buffer => code('q', index);
const get = (index: number): Buffer => code('h', index);
const storage = (key = 'k'): Buffer =>
  Buffer.concat([
    tuple(
      text('storage'),
      global('torch', 'FloatStorage'),
      text(key),
      text('cpu'),
      int(1),
      code('N'),
    ),
    code('Q'),
  ]);
const long = (bytes: Uint8Array): Buffer => Buffer.concat([code(0x8a, bytes.length), bytes]);
/** Different ints beyond 64 bits that are equal in their lowest 64: one hash for all of them in V8. */
const collidingInt = (i: number): Buffer => {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32LE(i, 8);
  return long(bytes);
};
const list = (count: number, item: (i: number) => Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: Math.max(0, Math.floor(count)) }, (_, i) => item(i)));
const header = (inner: string, data = new Uint8Array(0)): Buffer => safetensors(`{${inner}}`, data);
const wide = (index: number): string => String(index).padStart(6, '0');

/** One element of a storage under many names, each a view of the whole of it in another way. */
const expanded = (scale: number): Buffer => {
  const one = op.tensor(
    op.storage('FloatStorage', '0', int(2)),
    int(0),
    [int(scale), int(2)],
    [int(0), int(1)],
  );
  return torchZip(op.pickle(dict(text('a'), one)), { '0': new Uint8Array(8) });
};

export const BOMBS: readonly Bomb[] = [
  {
    name: 'one tuple of sizes for many tensors',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      legacy(
        ...[storage(), put(0), code('('), times(code('K', 1), scale * 0.375), code('t'), put(1)],
        ...[code('('), get(0), code('K', 0), get(1), get(1), code('t'), put(2)],
        ...[global('torch._utils', '_rebuild_tensor'), put(3)],
        times(Buffer.concat([get(3), get(2), code('R')]), scale * 0.05),
      ),
  },
  {
    name: 'the sizes of one tensor of 64 dimensions for many tensors of one dict',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      torchZip(
        op.pickle(
          op.tensor(
            op.storage('FloatStorage', '0', int(1)),
            int(0),
            Array.from({ length: 64 }, () => int(1)),
            Array.from({ length: 64 }, () => int(1)),
          ),
          ...[
            put(0),
            code('}', '('),
            list(scale / 13, (i) => Buffer.concat([text(wide(i)), get(0)])),
          ],
          code('u'),
        ),
        { '0': new Uint8Array(4) },
      ),
  },
  {
    name: 'OrderedDict of one list, many times',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      legacy(
        ...[code(']', '('), list(scale / 16, (i) => tuple(code('M', i & 255, i >> 8), code('N')))],
        ...[code('e', 0x85), put(2), global('collections', 'OrderedDict'), put(3)],
        times(Buffer.concat([get(3), get(2), code('R', '0')]), scale / 12),
        code('}'),
      ),
  },
  ...(
    [
      ['empty dicts', code('}')],
      ['empty lists', code(']')],
      ['None', code('N')],
      ['marks', code('(')],
      ['empty sets', code(0x8f)],
      ['dicts of one entry', code('}', 'N', 'N', 's')],
      ['lists of one item', code(']', 'N', 'a')],
      ['lists of two items, one by one', code(']', 'N', 'a', 'N', 'a')],
      ['tuples of one item', code('N', 0x85)],
      ['tuples behind a mark', code('(', 'N', 't')],
      ['floats', code('G', ...Buffer.alloc(8, 1))],
      ['empty texts', code('U', 0)],
      ['texts of two letters', code('U', 2, 'a', 'b')],
      ['ints of no bytes', code(0x8a, 0)],
      ['ints of nine bytes', long(Buffer.alloc(9, 1))],
      ['ints in digits', Buffer.from('I1\n')],
      ['texts that are no UTF-8', code('U', 1, 0xff, '0')],
      ['calls of a function nobody knows', Buffer.from('cx\ny\n)R')],
      ['dtypes', Buffer.from('ctorch\nfloat16\n')],
      ['OrderedDicts', Buffer.from('ccollections\nOrderedDict\n)R')],
      ['values remembered one by one', code('N', 0x94, '0')],
    ] as const
  ).map(([name, piece]): Bomb => ({
    name: `nothing but ${name}`,
    format: 'torch',
    make: (scale: number): Uint8Array => legacy(times(piece, scale / piece.length)),
  })),
  {
    name: 'many places to remember, far apart',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      legacy(
        code('N'),
        list(scale / 5, (i) => {
          const place = code('r', 0, 0, 0, 0);
          place.writeUInt32LE((i * 1021) >>> 0, 1);
          return place;
        }),
      ),
  },
  {
    name: 'one long name for many globals',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      legacy(
        ...[text('m'.repeat(scale / 3)), put(0), text('n'.repeat(scale / 3)), put(1)],
        times(Buffer.concat([get(0), get(1), code(0x93, '0')]), scale / 18),
        code('}'),
      ),
  },
  {
    name: 'two equal long keys, set many times',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      legacy(
        ...[text('k'.repeat(scale / 3)), put(0), text('k'.repeat(scale / 3)), put(1), code('}')],
        get(0),
        code('N', 's'),
        times(Buffer.concat([get(1), code('N', 's')]), scale / 12),
      ),
  },
  {
    name: 'keys of one hash',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      legacy(
        code('}', '('),
        list(scale / 16, (i) => Buffer.concat([collidingInt(i), code('N')])),
        code('u'),
      ),
  },
  {
    name: 'keys of one hash as the keys of storages',
    format: 'torch',
    make: (scale: number): Uint8Array => {
      const count = Math.floor(scale / 70);
      const ids = list(count, (i) =>
        Buffer.concat([
          get(0),
          get(1),
          code('U', 6),
          Buffer.from(wide(i)),
          code('U', 0, 'K', 0, 'N', 't', 'Q', '0'),
        ]),
      );
      const marked = Buffer.concat([
        ...[text('storage'), put(0), global('torch', 'FloatStorage'), put(1)],
        Buffer.from(ids.toString('latin1').replaceAll('h\0h\x01U', '(h\0h\x01U'), 'latin1'),
      ]);
      const keys = op.pickle(code(']', '('), list(count, collidingInt), code('e'));
      return Buffer.concat([legacy(marked, code('}')), keys]);
    },
  },
  {
    name: 'one storage told of many times',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      legacy(
        ...[
          tuple(
            text('storage'),
            global('torch', 'FloatStorage'),
            text('k'.repeat(scale / 2)),
            text(''),
            int(0),
            code('N'),
          ),
        ],
        ...[put(0), times(Buffer.concat([get(0), code('Q', '0')]), scale / 8), code('}')],
      ),
  },
  {
    name: 'one large tensor as the running statistics of many modules',
    format: 'torch',
    make: (scale: number): Uint8Array => {
      const numel = Math.floor(scale / 8);
      const one = op.tensor(
        op.storage('FloatStorage', '0', int(numel)),
        int(0),
        [int(numel)],
        [int(1)],
      );
      const names = list(Math.min(scale / 60, 10_000), (i) =>
        Buffer.concat([text(`${wide(i)}.running_mean`), get(0)]),
      );
      return torchZip(op.pickle(code('}', '('), text('a'), one, put(0), names, code('u')), {
        '0': new Uint8Array(4 * numel),
      });
    },
  },
  {
    name: 'a list appended to itself, many times',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      legacy(code(']'), put(0), times(Buffer.concat([get(0), code('a')]), scale / 3)),
  },
  {
    name: 'versions of many modules in one long dict',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      torchZip(
        op.pickle(
          call('collections', 'OrderedDict'),
          ...[
            dict(list(scale / 20, (i) => Buffer.concat([text(wide(i)), code('N')]))),
            put(0),
            code('0'),
          ],
          dict(
            text('_metadata'),
            dict(list(scale / 26, (i) => Buffer.concat([text(wide(i)), get(0)]))),
          ),
          code('b'),
        ),
      ),
  },
  {
    name: 'many dicts that hold one long dict',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      torchZip(
        op.pickle(
          ...[
            dict(list(scale / 20, (i) => Buffer.concat([text(wide(i)), code('N')]))),
            put(0),
            code('0'),
          ],
          dict(list(scale / 26, (i) => Buffer.concat([text(wide(i)), get(0)]))),
        ),
      ),
  },
  {
    name: 'two numbers expanded to the size that is just allowed',
    format: 'torch',
    make: (): Uint8Array => expanded(512),
  },
  {
    name: 'two numbers expanded to gigabytes',
    format: 'torch',
    make: (): Uint8Array => expanded(2 ** 30),
  },
  {
    name: 'one storage turned many times',
    format: 'torch',
    make: (scale: number): Uint8Array => {
      const side = Math.floor(Math.sqrt(scale / 16));
      const turned = op.tensor(
        op.storage('FloatStorage', '0', int(side * side)),
        int(0),
        [int(side), int(side)],
        [int(1), int(side)],
      );
      return torchZip(
        op.pickle(
          turned,
          put(0),
          code('}', '('),
          list(scale / 52, (i) => Buffer.concat([text(wide(i)), get(0)])),
          code('u'),
        ),
        { '0': new Uint8Array(4 * side * side) },
      );
    },
  },
  {
    name: 'a storage gathered over sixty sizes of one',
    format: 'torch',
    make: (scale: number): Uint8Array => {
      const numel = Math.floor(scale / 8);
      const sizes = [int(numel), ...Array.from({ length: 63 }, () => int(1))];
      const strides = [int(2), ...Array.from({ length: 63 }, () => int(1))];
      const slow = op.tensor(
        op.storage('FloatStorage', '0', int(2 * numel)),
        int(0),
        sizes,
        strides,
      );
      return torchZip(op.pickle(dict(text('a'), slow)), { '0': new Uint8Array(8 * numel) });
    },
  },
  {
    name: 'an archive of many entries',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      packZip(
        Array.from({ length: Math.floor(scale / 88) }, (_, i) => ({
          name: wide(i),
          data: new Uint8Array(0),
        })),
      ),
  },
  {
    name: 'an archive of entries with long extra fields',
    format: 'torch',
    make: (scale: number): Uint8Array =>
      packZip([{ name: 'n'.repeat(Math.min(60_000, scale / 2)), data: new Uint8Array(0) }]),
  },
  {
    name: 'tensors of no elements',
    format: 'safetensors',
    make: (scale: number): Uint8Array =>
      header(
        Array.from(
          { length: Math.floor(scale / 60) },
          (_, i) => `"${wide(i)}":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}`,
        ).join(),
      ),
  },
  {
    name: 'many names in a field that nobody knows',
    format: 'safetensors',
    make: (scale: number): Uint8Array =>
      header(
        `"a":{"x":{${Array.from({ length: Math.floor(scale / 11) }, (_, i) => `"${wide(i)}":0`).join()}}}`,
      ),
  },
  {
    name: 'many empty objects in a field that nobody knows',
    format: 'safetensors',
    make: (scale: number): Uint8Array => header(`"a":{"x":[${'{},'.repeat(scale / 3)}0]}`),
  },
  {
    name: 'escapes',
    format: 'safetensors',
    make: (scale: number): Uint8Array => header(`"${'\\n'.repeat(scale / 2)}":0`),
  },
  {
    name: 'escapes of six characters',
    format: 'safetensors',
    make: (scale: number): Uint8Array =>
      header(`"__metadata__":{"a":"${'\\u000a'.repeat(scale / 6)}"}`),
  },
  {
    name: 'a number of many digits',
    format: 'safetensors',
    make: (scale: number): Uint8Array => header(`"a":{"shape":[${'1'.repeat(scale)}]}`),
  },
  {
    name: 'nested arrays',
    format: 'safetensors',
    make: (scale: number): Uint8Array => header(`"a":{"x":${'['.repeat(scale)}`),
  },
  {
    name: 'metadata',
    format: 'safetensors',
    make: (scale: number): Uint8Array =>
      header(
        `"__metadata__":{${Array.from({ length: Math.floor(scale / 12) }, (_, i) => `"${wide(i)}":""`).join()}}`,
      ),
  },
];
