// Files of torch.save made by hand: what is read of them, and every way in which they are refused. Files
// that PyTorch itself wrote are in test/golden/checkpoints.test.ts.
import { mkdtempSync, promises as fs, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';

import { Budget } from '../../src/checkpoint/budget.js';
import { unpickle } from '../../src/checkpoint/pickle/pickle.js';
import { decodeTorch } from '../../src/checkpoint/torch/torch.js';
import { checkpoint } from '../../src/index.js';
import { op, packZip, safetensors, torchZip } from '../helpers/checkpoint-files.js';
import { thrownBy } from '../helpers/snapshot.js';

const { text, int, dict, tuple, code, global, call } = op;

const floats = (...values: number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);
const ONE_TO_SIX = { '0': floats(1, 2, 3, 4, 5, 6) };
const storage = (numel = 6, key = '0', type = 'FloatStorage'): Buffer =>
  op.storage(type, key, int(numel));
/** A tensor of the six floats. */
const six = (size: number[], stride: number[], offset = 0, ...more: Buffer[]): Buffer =>
  op.tensor(storage(), int(offset), size.map(int), stride.map(int), ...more);
const ordered = (...items: Buffer[]): Buffer =>
  Buffer.concat([call('collections', 'OrderedDict'), code('('), ...items, code('u')]);

const read = (pickle: Buffer, key?: string): ReturnType<typeof decodeTorch> =>
  decodeTorch('T', torchZip(pickle, ONE_TO_SIX), key);
/** What is said of a state dict `{ a: … }`. */
const refusal = (value: Buffer, key?: string): string =>
  thrownBy(() => read(op.pickle(dict(text('a'), value)), key)).replace('RangeError: T: ', '');

describe('reading', () => {
  test('a state dict, contiguous or not, at an offset or not', () => {
    const state = read(
      op.pickle(
        dict(
          ...[text('whole'), six([6], [1])],
          ...[text('matrix'), six([2, 3], [3, 1])],
          ...[text('turned'), six([3, 2], [1, 3])],
          ...[text('tail'), six([2], [1], 4)],
          ...[text('odd'), six([3], [2], 1)],
          ...[text('same'), six([2, 2], [0, 1])],
          ...[text('scalar'), six([], [], 5)],
          ...[text('empty'), six([0, 3], [3, 1])],
          ...[text('one long'), six([1, 6], [99, 1])],
        ),
      ),
    );
    expect([...state].map(([name, each]) => [name, each.toArray()])).toEqual([
      ['whole', [1, 2, 3, 4, 5, 6]],
      [
        'matrix',
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
      [
        'turned',
        [
          [1, 4],
          [2, 5],
          [3, 6],
        ],
      ],
      ['tail', [5, 6]],
      ['odd', [2, 4, 6]],
      [
        'same',
        [
          [1, 2],
          [1, 2],
        ],
      ],
      ['scalar', 6],
      ['empty', []],
      ['one long', [[1, 2, 3, 4, 5, 6]]],
    ]);
    const memory = (name: string): unknown => state.get(name)!.data.buffer;
    for (const name of ['matrix', 'tail', 'scalar', 'one long']) {
      expect(memory(name)).toBe(memory('whole'));
    }
    for (const name of ['turned', 'odd', 'same']) expect(memory(name)).not.toBe(memory('whole'));
    expect(state.get('empty')!.shape).toEqual([0, 3]);
  });

  test('a tensor twice is one memory that counts its changes once', () => {
    const state = read(op.pickle(dict(text('a'), six([6], [1]), text('b'), six([2, 3], [3, 1]))));
    const [a, b] = [state.get('a')!, state.get('b')!];
    a.markChanged();
    expect(b.version).toBe(a.version);
  });

  test('a parameter is its tensor; the versions of modules are told', () => {
    const parameter = call('torch._utils', '_rebuild_parameter', six([6], [1]), code(0x88), dict());
    const metadata = ordered(
      ...[text(''), dict(text('version'), int(1))],
      ...[text('bn'), dict(text('version'), int(2), text('x'), code('N'))],
      ...[text('none'), dict()],
    );
    const pickle = op.pickle(
      ordered(text('w'), parameter),
      dict(text('_metadata'), metadata),
      code('b'),
    );
    const state = read(pickle);
    expect(state.get('w')!.requiresGrad).toBe(false);
    expect([...state.modules]).toEqual([
      ['', { version: 1 }],
      ['bn', { version: 2 }],
    ]);
  });

  test('plain data around a state dict does not disturb it', () => {
    const set = Buffer.concat([code(0x8f, '('), int(1), code(0x90)]);
    const bytes = call('_codecs', 'encode', text('abc'), text('latin1'));
    const pickle = op.pickle(
      dict(
        ...[
          text('flags'),
          tuple(code('N'), code(0x88), op.long(2n ** 62n), code('G', ...Buffer.alloc(8))),
        ],
        ...[text('set'), set],
        ...[text('bytes'), bytes],
        ...[text('dtype'), global('torch', 'float16')],
        ...[text('device'), call('torch', 'device', text('cpu'))],
        ...[text('size'), call('torch', 'Size', tuple(int(3)))],
        ...[text('counter'), call('collections', 'Counter', dict())],
        ...[int(3), text('three')],
        ...[text('model'), ordered(text('w'), six([6], [1]))],
      ),
    );
    expect(read(pickle, 'model').get('w')!.toArray()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('names that are properties of objects are names', () => {
    const state = read(
      op.pickle(dict(text('__proto__'), six([6], [1]), text('constructor'), six([1], [1]))),
    );
    expect([...state.keys()]).toEqual(['__proto__', 'constructor']);
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  test('a key with dots is a key first, then a path', () => {
    const at = (value: number): Buffer => dict(text('w'), six([1], [1], value));
    const pickle = op.pickle(
      dict(text('a.b'), at(0), text('a'), dict(text('b'), at(1), text('c.d'), at(2))),
    );
    const first = (key: string): unknown => read(pickle, key).get('w')!.item();
    expect([first('a.b'), first('a.c.d')]).toEqual([1, 3]);
  });

  test('a storage of another type for uint16, uint32 and uint64', () => {
    const untyped = (bytes: number, dtype: string, size: number): Buffer =>
      call(
        'torch._utils',
        '_rebuild_tensor_v3',
        Buffer.concat([
          tuple(
            text('storage'),
            global('torch.storage', 'UntypedStorage'),
            text('0'),
            text('cpu'),
            int(bytes),
          ),
          code('Q'),
        ]),
        int(1),
        tuple(int(size)),
        tuple(int(1)),
        code(0x89),
        call('collections', 'OrderedDict'),
        global('torch', dtype),
      );
    const data = new Uint8Array(Uint16Array.of(1, 65535, 3, 0).buffer);
    const made = decodeTorch(
      'T',
      torchZip(op.pickle(dict(text('a'), untyped(8, 'uint16', 3))), { '0': data }),
    ).get('a')!;
    expect([made.dtype, made.toArray()]).toEqual(['int32', [65535, 3, 0]]);
    expect(
      thrownBy(() =>
        decodeTorch(
          'T',
          torchZip(op.pickle(dict(text('a'), untyped(8, 'uint32', 2))), { '0': data }),
        ),
      ),
    ).toBe(
      "RangeError: T: expected 'a' of shape [2] inside of its storage of 2 elements, got offset 1 and strides [1].",
    );
  });
});

describe('what is read of a file', () => {
  const big = (value: number): Uint8Array =>
    new Uint8Array(new Float32Array(2 ** 19).fill(value).buffer);
  const whole = (key: string): Buffer =>
    op.tensor(storage(2 ** 19, key), int(0), [int(2 ** 19)], [int(1)]);
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-torch-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(() => void vi.restoreAllMocks());

  test('a long pickle in turns of the event loop', () => {
    const pickle = op.pickle(code(']', '('), Buffer.alloc(100_000, code('K', 1)), code('e'));
    const world = { global: () => null, persistent: () => null };
    const steps = unpickle({ who: 'T', budget: new Budget('T', pickle.length) }, pickle, world);
    let turns = 0;
    while (steps.next().done !== true) turns++;
    expect(turns).toBe(Math.floor(50_005 / 512));
  });

  test('only the storages of the state dict that was asked for', async () => {
    const pickle = op.pickle(
      dict(text('model'), dict(text('w'), whole('0')), text('ema'), dict(text('w'), whole('1'))),
    );
    const path = join(folder, 'two.pt');
    const bytes = torchZip(pickle, { '0': big(1), '1': big(2) });
    writeFileSync(path, bytes);
    const handle = await fs.open(path);
    await handle.close();
    const read = vi.spyOn(Object.getPrototypeOf(handle) as fs.FileHandle, 'read');
    const state = await checkpoint.loadTorch(path, { key: 'ema' });
    expect((state.get('w')!.data as Float32Array).every((value) => value === 2)).toBe(true);
    const lengths = (read.mock.calls as unknown as [Uint8Array, number, number][]).map(
      ([, , each]) => each,
    );
    expect(Math.max(...lengths)).toBeLessThanOrEqual(2 ** 20);
    expect(lengths.reduce((sum, each) => sum + each)).toBeLessThan(2.5 * 2 ** 20); // of 4 MB

    bytes[bytes.indexOf(Buffer.from(big(1).subarray(0, 16))) + 5]! ^= 1;
    expect((await checkpoint.loadTorch(bytes, { key: 'ema' })).size).toBe(1);
    expect(await checkpoint.loadTorch(bytes, { key: 'model' }).catch(String)).toMatch(
      /^RangeError: loadTorch: expected 'm\/data\/0' with the checksum [0-9a-f]{8}, got [0-9a-f]{8} \(damaged\)\.$/,
    );
  });

  test('a flipped bit in the second megabyte, and in the bytes behind the last element', () => {
    const flipped = (data: Uint8Array, at: number, value: Buffer): string => {
      const bytes = torchZip(op.pickle(dict(text('a'), value)), { '0': data });
      bytes[bytes.indexOf(Buffer.from(data)) + at]! ^= 1;
      return thrownBy(() => decodeTorch('T', bytes));
    };
    const damaged = /^RangeError: T: expected 'm\/data\/0' with the checksum .* \(damaged\)\.$/;
    expect(flipped(big(3), 2 ** 20 + 7, whole('0'))).toMatch(damaged);
    const untyped = Buffer.concat([
      tuple(
        text('storage'),
        global('torch.storage', 'UntypedStorage'),
        text('0'),
        text('cpu'),
        int(7),
      ),
      code('Q'),
    ]);
    for (const dtype of ['uint16', 'float32']) {
      const one = call(
        'torch._utils',
        '_rebuild_tensor_v3',
        untyped,
        int(0),
        tuple(int(1)),
        tuple(int(1)),
        code(0x89),
        call('collections', 'OrderedDict'),
        global('torch', dtype),
      );
      expect(flipped(Uint8Array.of(1, 2, 3, 4, 5, 6, 7), 6, one)).toMatch(damaged);
    }
  });
});

describe('names that only the file knows', () => {
  const w = six([6], [1]);
  const strange = {
    'a storage of a class of its own': Buffer.concat([
      tuple(text('storage'), global('torch', 'XpuStorage'), text('0'), text('x'), int(6)),
      code('Q'),
    ]),
    'a tensor over such a storage': op.tensor(
      Buffer.concat([
        tuple(text('storage'), global('a', 'b'), text('0'), text('x'), int(6)),
        code('Q'),
      ]),
      int(0),
      [int(6)],
      [int(1)],
    ),
    'a pickled module with its source': Buffer.concat([
      tuple(text('module'), global('nets', 'Net'), text('nets.py'), text('class Net: …')),
      code('Q', ')', 0x81, '}', 'b'),
    ]),
    'items set on it': Buffer.concat([call('a', 'b'), text('k'), int(1), code('s')]),
    'values appended to it': Buffer.concat([call('a', 'b'), code('('), int(1), code('e')]),
    'values added to it': Buffer.concat([call('a', 'b'), code('('), int(1), code(0x90)]),
    'a call of what it made': Buffer.concat([call('a', 'b'), code(')', 'R')]),
    'made with arguments by name': Buffer.concat([global('a', 'b'), code(')', '}', 0x92)]),
    'bytes of Python 2': code('U', 2, 0xff, 0xfe),
    'a negated tensor': six([6], [1], 0, dict(text('neg'), code(0x88))),
    'a parameter over one': call('torch._utils', '_rebuild_parameter', call('a', 'b')),
  };

  test.each(Object.entries(strange))('beside the state dict: %s', (_, value) => {
    const state = read(
      op.pickle(dict(text('x'), value, text('model'), dict(text('w'), w))),
      'model',
    );
    expect(state.get('w')!.numel).toBe(6);
  });

  test('an 8-bit float is refused by the name of its dtype', () => {
    const bytes = call(
      'torch._utils',
      '_rebuild_tensor_v3',
      ...[storage(24, '0', 'UntypedStorage'), int(0), tuple(int(6)), tuple(int(1))],
      ...[code(0x89), dict(), global('torch', 'float8_e4m3fn')],
    );
    expect(refusal(bytes)).toBe(
      "expected 'a' of an element type that there is here, got one of 'torch.float8_e4m3fn'.",
    );
  });

  test('a tensor with attributes is its tensor', () => {
    const made = call(
      'torch._tensor',
      '_rebuild_from_type_v2',
      global('torch._utils', '_rebuild_tensor_v2'),
      global('torch', 'Tensor'),
      tuple(storage(), int(0), tuple(int(6)), tuple(int(1)), code(0x89), dict()),
      dict(text('note'), text('x')),
    );
    expect(
      read(op.pickle(dict(text('a'), made)))
        .get('a')!
        .toArray(),
    ).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('what a state dict is', () => {
  test('a number beside a tensor is listed', () => {
    const state = read(op.pickle(dict(text('w'), six([6], [1]), text('epoch'), int(3))));
    expect([[...state.keys()], [...state.others]]).toEqual([
      ['w'],
      [['epoch', { kind: 'an int', value: 3 }]],
    ]);
  });

  test.each<[string, Buffer, string]>([
    [
      'a dict of tensors beside a tensor',
      dict(text('best'), six([], []), text('net'), dict(text('w'), six([6], [1]))),
      "a state dict (a dict of tensors), got a dict with the keys 'best', 'net'; choose one: { key: 'net' }.",
    ],
    [
      'the usual name before the larger dict',
      dict(
        ...[text('opt'), dict(text('a'), six([6], [1]), text('b'), six([6], [1]))],
        ...[text('state_dict'), dict(text('w'), six([6], [1]))],
      ),
      "a state dict (a dict of tensors), got a dict with the keys 'opt', 'state_dict'; choose one: { key: 'state_dict' }.",
    ],
    [
      'a list of tensors',
      dict(text('w'), six([6], [1]), text('list'), tuple(six([6], [1]))),
      "'list' to be a tensor, got a tuple of tensors.",
    ],
    [
      'no elements, and more than 2^53 without the zero',
      dict(
        text('a'),
        op.tensor(
          storage(),
          int(0),
          [op.long(2n ** 40n), op.long(2n ** 40n), int(0)],
          [int(1), int(1), int(1)],
        ),
      ),
      "'a' of at most 2^53 - 1 elements, got shape [1099511627776, 1099511627776, 0].",
    ],
  ])('%s', (_, saved, message) => {
    expect(thrownBy(() => read(op.pickle(saved)))).toBe(`RangeError: T: expected ${message}`);
  });

  test('a key of more than 1,000 characters is a mistake', () => {
    expect(thrownBy(() => read(op.pickle(dict()), 'a.'.repeat(501)))).toBe(
      'RangeError: T: expected a key of at most 1000 characters, got 1002.',
    );
  });

  test('a name that was set twice has its last value', () => {
    const state = read(op.pickle(dict(text('w'), six([6], [1]), text('w'), six([1], [1]))));
    expect(state.get('w')!.shape).toEqual([1]);
  });
});

describe('nothing is executed', () => {
  test.each([
    ['os', 'system'],
    ['builtins', 'eval'],
    ['posix', 'system'],
    ['torch.nn.modules.linear', 'Linear'],
    ['torch', 'load'],
    ['torch._utils', '_rebuild_tensor_v4'],
    ['torch.float16', '__class__'],
    ['__proto__', 'x'],
    ['argparse', 'Namespace'],
  ])('%s.%s is refused by name', (module, name) => {
    const advice =
      '(nothing of a file is executed; save it again with torch.save(model.state_dict(), path)).';
    const called = call(module, name, text('touch /tmp/evenkeel'));
    expect(refusal(called)).toBe(
      "expected a state dict (a dict of tensors), got a dict with the keys 'a'; " +
        `'a' is an object of '${module}.${name}' ${advice}`,
    );
    const stack = Buffer.concat([text(module), text(name), code(0x93)]);
    expect(refusal(stack)).toContain(`'a' is the name '${module}.${name}' ${advice}`);
    // beside a tensor, and inside of plain data beside a tensor
    const beside = (value: Buffer): string =>
      thrownBy(() => read(op.pickle(dict(text('w'), six([6], [1]), text('a'), value))));
    expect(beside(called)).toBe(
      `RangeError: T: expected 'a' to be a tensor, got an object of '${module}.${name}' ${advice}`,
    );
    expect(beside(tuple(int(1), called))).toBe(
      `RangeError: T: expected 'a' to be a tensor, got a tuple with an object of '${module}.${name}' ${advice}`,
    );
  });

  test.each<[string, Buffer, string]>([
    [
      'a call of what is no function',
      Buffer.concat([text('f'), tuple(), code('R')]),
      'a function to call at byte %, got a str.',
    ],
    [
      'a call without a tuple',
      Buffer.concat([global('torch', 'Size'), int(1), code('R')]),
      'arguments as a tuple at byte %, got an int.',
    ],
    [
      'attributes of a dict',
      Buffer.concat([dict(), dict(), code('b')]),
      'attributes of an OrderedDict at byte %, got a dict for a dict.',
    ],
    [
      'attributes of a tensor',
      Buffer.concat([six([6], [1]), dict(), code('b')]),
      'an OrderedDict whose attributes are set at byte %, got a tensor.',
    ],
    [
      'items of a list',
      Buffer.concat([code(']'), int(1), int(2), code('s')]),
      'a dict to set items of at byte %, got a list.',
    ],
    [
      'a value appended to a dict',
      Buffer.concat([dict(), int(1), code('a')]),
      'a list to append to at byte %, got a dict.',
    ],
    [
      'a persistent id of a module',
      Buffer.concat([tuple(text('module'), text('x')), code('Q')]),
      'persistent ids of storages only, got a str.',
    ],
    [
      'a persistent id that is a text',
      Buffer.concat([text('x'), code('Q')]),
      'persistent ids of storages only, got a str.',
    ],
    [
      'a global named by a number',
      Buffer.concat([int(1), int(2), code(0x93)]),
      'the name of a global as text at byte %, got an int.',
    ],
    ['protocol 1', code(0x80, 1), 'a pickle of protocol 2 to 5 at byte %, got 1.'],
    ['protocol 6', code(0x80, 6), 'a pickle of protocol 2 to 5 at byte %, got 6.'],
    ['an empty stack', code('0', '0', '0', '0', '0'), 'a value on the stack at byte %, got none.'],
    ['a mark that is not there', code('t', 't', 't'), 'a mark on the stack at byte %, got none.'],
    [
      'a tuple of what is not there',
      code('0', 0x87),
      '3 values on the stack at byte %, got fewer.',
    ],
    ['a memory of nothing', code('0', 'q', 0), 'a value to remember at byte %, got none.'],
    ['what was never remembered', code('h', 77), 'a remembered value 77 at byte %, got none.'],
    [
      'a key without a value',
      code('}', '(', 'N', 'u'),
      'a value for every key at byte %, got a key without one.',
    ],
    [
      'an int of 257 bytes',
      code(0x8b, 1, 1, 0, 0),
      'an int of at most 256 bytes at byte %, got 257.',
    ],
    ['an int that is none', Buffer.from('I12x\n'), "an int at byte %, got '12x'."],
    [
      'text that is not UTF-8',
      code('X', 1, 0, 0, 0, 0xff),
      'text in UTF-8 at byte %, got other bytes.',
    ],
    [
      'text beyond the end',
      code('X', 0xff, 0xff, 0xff, 0xff),
      '4294967295 more bytes at byte %, got 2.',
    ],
    [
      'text beyond 2^53',
      code(0x8d, 255, 255, 255, 255, 255, 255, 255, 255),
      '18446744073709552000 more bytes at byte %, got 2.',
    ],
    [
      'a line without an end',
      code('c', 'o', 's'),
      'a line that ends at byte %, got the end of the pickle.',
    ],
    [
      'items of no set',
      Buffer.concat([dict(), code('(', 0x90)]),
      'a set to add to at byte %, got a dict.',
    ],
    [
      'an OrderedDict of numbers',
      call('collections', 'OrderedDict', tuple(int(1))),
      'an item of an OrderedDict as a list or tuple, got an int.',
    ],
    [
      'an OrderedDict of triples',
      call('collections', 'OrderedDict', tuple(tuple(int(1), int(2), int(3)))),
      'pairs as the items of an OrderedDict, got a tuple.',
    ],
    [
      'a torch.Size of a number',
      call('torch', 'Size', int(1)),
      'a torch.Size of a tuple, got an int.',
    ],
  ])('%s', (_, value, message) => {
    const said = refusal(value).replace(/(?<= at byte )\d+ of a pickle/, '%');
    expect(said).toBe(`expected ${message}`);
  });

  test.each([
    '2',
    'P',
    'p',
    'g',
    'S',
    'V',
    'F',
    'L',
    'd',
    'l',
    'i',
    'o',
    0x82,
    0x83,
    0x84,
    0x97,
    0x98,
    0x00,
    0xff,
  ])('opcode %s is refused', (which) => {
    const hex = (typeof which === 'string' ? which.charCodeAt(0) : which)
      .toString(16)
      .padStart(2, '0');
    const shown = typeof which === 'string' ? `0x${hex} '${which}'` : `0x${hex}`;
    expect(refusal(code(which)).replace(/at byte \d+/, 'at byte %')).toBe(
      `expected a pickle of plain data at byte % of a pickle, got opcode ${shown}, which is not for such.`,
    );
  });

  test('a pickle that does not end', () => {
    expect(thrownBy(() => read(Buffer.concat([op.proto(), dict()])))).toBe(
      'RangeError: T: expected 1 more bytes at byte 5 of a pickle, got 0.',
    );
  });

  test('a megabyte of tuples in tuples, each named twice: soon over', () => {
    // 2^100000 leaves if anybody walked them
    const pair = code('q', 0, 'h', 0, 0x86);
    const nested = (count: number): Buffer =>
      Buffer.concat([code('N'), ...Array.from({ length: count }, () => pair)]);
    const start = process.cpuUsage();
    expect(refusal(nested(100_000))).toBe(
      "expected a state dict (a dict of tensors), got a dict with the keys 'a'.",
    );
    expect(refusal(nested(300_000))).toMatch(
      /^expected a file that takes at most \d+ bytes to read \(16 MB and 8 times its size\), got one that asks for more\.$/,
    );
    expect(process.cpuUsage(start).user).toBeLessThan(1_500_000);
  });
});

describe('tensors that cannot be', () => {
  test.each<[string, Buffer, string]>([
    [
      'beyond its storage',
      six([7], [1]),
      "'a' of shape [7] inside of its storage of 6 elements, got offset 0 and strides [1].",
    ],
    [
      'an offset beyond',
      six([1], [1], 6),
      "'a' of shape [1] inside of its storage of 6 elements, got offset 6 and strides [1].",
    ],
    [
      'a stride beyond',
      six([2], [6]),
      "'a' of shape [2] inside of its storage of 6 elements, got offset 0 and strides [6].",
    ],
    [
      'a negative size',
      six([-1], [1]),
      "a tensor's sizes as a whole number from 0 to 2^53 - 1, got -1.",
    ],
    [
      'a negative stride',
      six([2], [-1], 5),
      "a tensor's strides as a whole number from 0 to 2^53 - 1, got -1.",
    ],
    [
      'a negative offset',
      six([2], [1], -1),
      "a tensor's offset as a whole number from 0 to 2^53 - 1, got -1.",
    ],
    [
      'a size past 2^53',
      op.tensor(storage(), int(0), [op.long(2n ** 53n)], [int(0)]),
      "a tensor's sizes as a whole number from 0 to 2^53 - 1, got 9007199254740992.",
    ],
    [
      'a size that is a text',
      op.tensor(storage(), int(0), [text('6')], [int(1)]),
      "a tensor's sizes as a whole number from 0 to 2^53 - 1, got a str.",
    ],
    [
      'a size that is a float',
      op.tensor(storage(), int(0), [code('G', ...Buffer.alloc(8))], [int(1)]),
      "a tensor's sizes as a whole number from 0 to 2^53 - 1, got a float.",
    ],
    [
      'fewer strides than sizes',
      six([2, 3], [1]),
      "'a' to have a stride for each of at most 64 sizes, got 2 sizes and 1 strides.",
    ],
    [
      '65 sizes',
      six(
        Array.from({ length: 65 }, () => 1),
        Array.from({ length: 65 }, () => 1),
      ),
      "'a' to have a stride for each of at most 64 sizes, got 65 sizes and 65 strides.",
    ],
    [
      'no storage',
      op.tensor(int(0), int(0), [int(6)], [int(1)]),
      'a tensor over a storage, got an int.',
    ],
    [
      'negated',
      six([6], [1], 0, dict(text('neg'), code(0x88))),
      "'a' whose elements are as stored, got a negated or conjugated one.",
    ],
    [
      'of complex numbers',
      op.tensor(storage(3, '0', 'ComplexFloatStorage'), int(0), [int(3)], [int(1)]),
      "'a' of an element type that there is here, got a torch.ComplexFloatStorage.",
    ],
    [
      'quantised',
      op.tensor(storage(24, '0', 'QInt8Storage'), int(0), [int(3)], [int(1)]),
      "'a' of an element type that there is here, got a torch.QInt8Storage.",
    ],
    [
      'a storage of another size',
      op.tensor(storage(7), int(0), [int(6)], [int(1)]),
      "storage '0' of 28 bytes, got 24.",
    ],
    [
      'a storage that is not there',
      op.tensor(storage(6, '1'), int(0), [int(6)], [int(1)]),
      "'m/data/1' in the archive, got none.",
    ],
    [
      'a storage of two types',
      Buffer.concat([
        six([6], [1]),
        code('0'),
        op.tensor(storage(6, '0', 'IntStorage'), int(0), [int(6)], [int(1)]),
      ]),
      "one type and size of storage '0', got FloatStorage of 6 and IntStorage of 6.",
    ],
    [
      'a storage of a negative size',
      op.tensor(storage(-1), int(0), [int(6)], [int(1)]),
      "a storage's size as a whole number from 0 to 2^53 - 1, got -1.",
    ],
    [
      'a parameter of a text',
      call('torch._utils', '_rebuild_parameter', text('w')),
      'a parameter over a tensor, got a str.',
    ],
    [
      'of a type that is a text',
      call(
        'torch._utils',
        '_rebuild_tensor_v3',
        storage(),
        int(0),
        tuple(int(6)),
        tuple(int(1)),
        code('N'),
        code('N'),
        text('float32'),
      ),
      'a torch.dtype, got a str.',
    ],
  ])('%s', (_, value, message) => {
    expect(refusal(value)).toBe(`expected ${message}`);
  });

  test('a few numbers expanded to terabytes: refused by the size of the file', () => {
    const big = six([2 ** 20, 2 ** 20], [0, 0]);
    expect(refusal(big)).toMatch(
      /^expected tensors of at most 4096 bytes in a file of \d+, got more by 'a' of shape \[1048576, 1048576\]\.$/,
    );
    const most = op.long(2n ** 53n - 1n);
    const beyond = op.tensor(storage(), int(0), [most, most, most], [int(0), int(0), int(0)]);
    expect(refusal(beyond)).toMatch(
      /^expected tensors of at most 4096 bytes in a file of \d+, got more by 'a' /,
    );
  });

  test('many tensors, each within bounds: refused by their sum', () => {
    const expanded = six([100, 6], [0, 1]);
    const items = [1, 2, 3, 4].flatMap((i) => [text(String(i)), expanded]);
    expect(thrownBy(() => read(op.pickle(dict(...items))))).toMatch(
      /^RangeError: T: expected tensors of at most \d+ bytes in a file of \d+, got more by '\d' of shape \[100, 6\]\.$/,
    );
  });
});

describe('what is no state dict', () => {
  test.each<[string, Buffer, string]>([
    ['a tensor', six([6], [1]), 'a state dict (a dict of tensors), got a tensor.'],
    ['a list', code(']'), 'a state dict (a dict of tensors), got a list.'],
    ['None', code('N'), 'a state dict (a dict of tensors), got None.'],
    [
      'a dict of numbers',
      dict(text('epoch'), int(3)),
      "a state dict (a dict of tensors), got a dict with the keys 'epoch'.",
    ],
    [
      'a number as a key',
      dict(text('w'), six([6], [1]), int(1), six([6], [1])),
      'a state dict with names as keys, got an int as a key.',
    ],
    [
      'dicts of other names',
      dict(text('net'), dict(), text('opt'), dict()),
      "a state dict (a dict of tensors), got a dict with the keys 'net', 'opt'; choose one: { key: 'net' }.",
    ],
    [
      'many keys',
      dict(...Array.from({ length: 10 }, (_, i) => [text(`k${i}`), int(i)]).flat()),
      "a state dict (a dict of tensors), got a dict with the keys 'k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7' and 2 more.",
    ],
    [
      'a version that is a text',
      Buffer.concat([
        ordered(text('w'), six([6], [1])),
        dict(text('_metadata'), dict(text(''), dict(text('version'), text('2')))),
        code('b'),
      ]),
      "the version of '' as an int, got a str.",
    ],
  ])('%s', (_, saved, message) => {
    expect(thrownBy(() => read(op.pickle(saved)))).toBe(`RangeError: T: expected ${message}`);
  });

  test('an empty dict is an empty state dict', () => {
    expect(read(op.pickle(dict())).size).toBe(0);
  });

  test('a key into what is no dict', () => {
    expect(thrownBy(() => read(op.pickle(code(']')), 'model'))).toBe(
      "RangeError: T: expected key 'model' in the file, got a list.",
    );
  });

  test('an option that is none', async () => {
    expect(await checkpoint.loadTorch('x', { key: 3 } as never).catch(String)).toBe(
      'TypeError: loadTorch: expected key to be a string, got 3.',
    );
    expect(await checkpoint.loadTorch('x', { keys: '' } as never).catch(String)).toBe(
      "TypeError: loadTorch: expected options among key, signal, got 'keys' (did you mean 'key'?).",
    );
  });
});

describe('archives', () => {
  const good = op.pickle(dict(text('a'), six([6], [1])));
  const entries = [
    { name: 'm/data.pkl', data: good },
    { name: 'm/data/0', data: ONE_TO_SIX['0'] },
  ];
  const [first, second] = entries as [(typeof entries)[0], (typeof entries)[0]];
  const refused = (bytes: Uint8Array): string =>
    thrownBy(() => decodeTorch('T', bytes)).replace('RangeError: T: expected ', '');

  test('with ZIP64 records, and with a comment', () => {
    const commented = Buffer.concat([packZip(entries), Buffer.from('hello')]);
    commented.writeUInt16LE(5, commented.length - 7);
    for (const bytes of [packZip(entries, true), commented]) {
      expect(decodeTorch('T', bytes).get('a')!.toArray()).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });

  test('without checksums, as PyTorch writes them when it is told to', () => {
    const bare = entries.map((entry) => ({ ...entry, crc: 0 }));
    expect(decodeTorch('T', packZip(bare)).size).toBe(1);
  });

  test.each<[string, Uint8Array, string]>([
    [
      'compressed',
      packZip([{ ...first, method: 8 }, second]),
      "'m/data.pkl' stored as it is, as torch.save does, got it compressed (method 8); unpack the archive and pack it with zip -0.",
    ],
    [
      'encrypted',
      packZip([first, { ...second, flags: 1 }]),
      "'m/data/0' as it is, got it encrypted.",
    ],
    [
      'a wrong checksum',
      packZip([first, { ...second, crc: 1 }]),
      "'m/data/0' with the checksum 00000001, got 1939e524 (damaged).",
    ],
    ['a name twice', packZip([first, second, second]), "each name once, got a second 'm/data/0'."],
    [
      'big-endian',
      torchZip(good, ONE_TO_SIX, [{ name: 'm/byteorder', data: Buffer.from('big') }]),
      "little-endian storages, got byteorder 'big'.",
    ],
    [
      'TorchScript',
      torchZip(good, ONE_TO_SIX, [{ name: 'm/constants.pkl', data: good }]),
      'a file of torch.save, got a TorchScript archive (load it with torch.jit.load and save its state_dict()).',
    ],
    [
      'another archive',
      packZip([{ name: 'a/b', data: good }]),
      'a file of torch.save, got a zip archive without data.pkl.',
    ],
    ['cut off', packZip(entries).subarray(0, -1), 'the end of a zip archive, got none (cut off?).'],
    [
      'a page of a server',
      Buffer.from('<html>404</html>'),
      'a file of torch.save, got a web page (was the download refused?).',
    ],
    ['nothing', new Uint8Array(0), 'a file of torch.save, got an empty file.'],
    [
      'safetensors',
      safetensors('{}'),
      'a file of torch.save, got what looks like safetensors (for these there is loadSafetensors).',
    ],
    [
      'a tar archive',
      Buffer.concat([Buffer.alloc(257), Buffer.from('ustar')]),
      'a file of torch.save, got a tar archive (of PyTorch before 0.1.10: load it there and save it again).',
    ],
  ])('%s', (_, bytes, message) => {
    expect(refused(bytes)).toBe(message);
  });

  /** The archive with a number of its directory changed. */
  const spoilt = (zip64: boolean, change: (bytes: Buffer, directory: number) => void): Buffer => {
    const bytes = packZip(entries, zip64);
    change(bytes, bytes.indexOf('PK\x01\x02'));
    return bytes;
  };
  test.each<[string, Buffer, string]>([
    [
      'two entries over each other',
      spoilt(false, (bytes, at) =>
        bytes.writeUInt32LE(0, bytes.indexOf('PK\x01\x02', at + 4) + 42),
      ),
      "entries apart from each other, got 'm/data/0' over another.",
    ],
    [
      'an entry under another name',
      spoilt(false, (bytes) => bytes.write('m/data/9', bytes.lastIndexOf('m/data/0'))),
      `a header of 'm/data/9' at byte ${good.length + 40}, got none.`,
    ],
    [
      'an entry into the next',
      spoilt(false, (bytes, at) =>
        [20, 24].forEach((field) => bytes.writeUInt32LE(good.length + 1, at + field)),
      ),
      "entries apart from each other, got 'm/data/0' over another.",
    ],
    [
      'an entry into the directory',
      spoilt(false, (bytes, at) =>
        [20, 24].forEach((field) =>
          bytes.writeUInt32LE(25, bytes.indexOf('PK\x01\x02', at + 4) + field),
        ),
      ),
      "'m/data/0' before the directory, got it beyond.",
    ],
    [
      'an entry beyond the end',
      spoilt(false, (bytes, at) => bytes.writeUInt32LE(2 ** 31, at + 42)),
      "a header of 'm/data.pkl' at byte 2147483648, got none.",
    ],
    [
      'a ZIP64 offset beyond 2^63',
      spoilt(true, (bytes, at) => bytes.writeBigUInt64LE(2n ** 64n - 1n, at + 46 + 10 + 4 + 16)),
      "a header of 'm/data.pkl' at byte 18446744073709552000, got none.",
    ],
    [
      'a name beyond the directory',
      spoilt(false, (bytes, at) => bytes.writeUInt16LE(65535, at + 28)),
      'an entry inside of the directory, got one beyond its end.',
    ],
    [
      'fewer entries than told',
      spoilt(false, (bytes) => bytes.writeUInt32LE(0, bytes.lastIndexOf('PK\x01\x02'))),
      '2 entries in the directory of the archive, got 1.',
    ],
    [
      'more entries than fit',
      spoilt(false, (bytes) => bytes.writeUInt16LE(65535, bytes.length - 12)),
      'the directory of the archive inside of it, got one beyond its end.',
    ],
    [
      'a directory beyond the end',
      spoilt(false, (bytes) => bytes.writeUInt32LE(2 ** 32 - 2, bytes.length - 6)),
      'the directory of the archive inside of it, got one beyond its end.',
    ],
    [
      'a ZIP64 locator to nowhere',
      spoilt(true, (bytes) => bytes.writeBigUInt64LE(5n, bytes.length - 22 - 20 + 8)),
      'a ZIP64 directory where its locator points, got none.',
    ],
    [
      'a ZIP64 locator beyond the end',
      spoilt(true, (bytes) => bytes.writeBigUInt64LE(2n ** 63n, bytes.length - 22 - 20 + 8)),
      'a ZIP64 directory where its locator points, got none.',
    ],
  ])('%s', (_, bytes, message) => {
    expect(refused(bytes)).toBe(message);
  });
});

describe('the legacy format', () => {
  const MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
  const version = (number = 1001): Buffer => op.pickle(int(number));
  const system = (little = true): Buffer =>
    op.pickle(dict(text('little_endian'), code(little ? 0x88 : 0x89)));
  const view = (numel: number, part: Buffer = code('N')): Buffer =>
    Buffer.concat([
      tuple(
        text('storage'),
        global('torch', 'FloatStorage'),
        text('k'),
        text('cpu'),
        int(numel),
        part,
      ),
      code('Q'),
    ]);
  const tensorOf = (from: Buffer, size = 6): Buffer =>
    op.tensor(from, int(0), [int(size)], [int(1)]);
  const object = (from: Buffer = view(6), size = 6): Buffer =>
    op.pickle(ordered(text('a'), tensorOf(from, size)));
  const keys = (...names: string[]): Buffer =>
    op.pickle(code(']', '('), ...names.map(text), code('e'));
  const data = (numel = 6): Buffer => {
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(numel));
    return Buffer.concat([size, ONE_TO_SIX['0']]);
  };
  const file = (...parts: Buffer[]): Buffer => Buffer.concat(parts);
  const start = [MAGIC, version(), system()];

  test('a tensor, and a storage that is part of another', () => {
    const whole = file(...start, object(), keys('k'), data());
    expect(decodeTorch('T', whole).get('a')!.toArray()).toEqual([1, 2, 3, 4, 5, 6]);
    const part = tuple(text('p'), int(2), int(3));
    const some = file(...start, object(view(6, part), 3), keys('k'), data());
    expect(decodeTorch('T', some).get('a')!.toArray()).toEqual([3, 4, 5]);
  });

  test('pickles that are longer than what is read of them at first', () => {
    const names = Array.from({ length: 8000 }, (_, i) => `a name that takes some room ${i}`);
    const long = op.pickle(ordered(...names.flatMap((name) => [text(name), tensorOf(view(6))])));
    expect(long.length).toBeGreaterThan(2 ** 20); // what is read first, four times
    const state = decodeTorch('T', file(...start, long, keys('k'), data()));
    expect([...state.keys()]).toEqual(names);
    expect(state.get(names[7999]!)!.toArray()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(thrownBy(() => decodeTorch('T', file(...start, long.subarray(0, -1))))).toMatch(
      /^RangeError: T: expected 1 more bytes at byte \d{7} of a pickle, got 0\.$/,
    );
  });

  test('its pickles are read, not its storages, before anything is known of them', async () => {
    const numel = 2 ** 21; // 8 MB
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(numel));
    const bytes = file(
      ...start,
      object(view(numel), 3),
      keys('k'),
      size,
      Buffer.alloc(4 * numel, 7),
    );
    const taken = vi.spyOn(Buffer, 'allocUnsafeSlow');
    await expect(checkpoint.loadTorch(bytes, { key: 'model' })).rejects.toThrow("key 'model'");
    const most = Math.max(...taken.mock.calls.map(([each]) => each));
    vi.restoreAllMocks();
    expect(most).toBeLessThanOrEqual(2 ** 18);
  });

  test.each<[string, Buffer, string]>([
    [
      'another pickle',
      file(op.pickle(int(7))),
      'a file of torch.save, got a pickle that torch.save did not write.',
    ],
    ['another version', file(MAGIC, version(1002)), 'version 1001 of the legacy format, got 1002.'],
    [
      'a big-endian machine',
      file(MAGIC, version(), system(false)),
      'little-endian storages, got a file of a big-endian machine.',
    ],
    [
      'cut off in the data',
      file(...start, object(), keys('k'), data().subarray(0, -1)),
      "storage 'k' of 6 elements, got the end of the file.",
    ],
    [
      'cut off before the data',
      file(...start, object(), keys('k')),
      "storage 'k' of 6 elements, got the end of the file.",
    ],
    [
      'another number of elements',
      file(...start, object(), keys('k'), data(5)),
      "storage 'k' of 6 elements, got another number.",
    ],
    ['no keys', file(...start, object(), keys()), 'the keys of 1 storages, got 0.'],
    [
      'a key twice',
      file(...start, object(), keys('k', 'k'), data()),
      'the keys of 1 storages, got 2.',
    ],
    ['an unknown key', file(...start, object(), keys('j'), data()), 'keys of storages, got a str.'],
    [
      'bytes behind',
      file(...start, object(), keys('k'), data(), code(0)),
      'nothing behind the storages, got 1 bytes.',
    ],
    [
      'a part beyond its storage',
      file(...start, object(view(6, tuple(text('p'), int(4), int(3))), 3), keys('k'), data()),
      'a view inside of its storage of 6, got 3 elements from 4 on.',
    ],
    [
      'a tensor beyond its part',
      file(...start, object(view(6, tuple(text('p'), int(2), int(3))), 4), keys('k'), data()),
      "'a' of shape [4] inside of its storage of 3 elements, got offset 0 and strides [1].",
    ],
  ])('%s', (_, bytes, message) => {
    expect(thrownBy(() => decodeTorch('T', bytes))).toBe(`RangeError: T: expected ${message}`);
  });
});

/** What is said of a file whose object has these entries. */
const saidOf = (...items: Buffer[]): string =>
  thrownBy(() => read(op.pickle(dict(...items)))).replace('RangeError: T: ', '');

describe('what is said of what is not read', () => {
  test.each([
    ['torch._utils', '_rebuild_sparse_tensor', '(a sparse tensor: save its to_dense())'],
    ['torch._utils', '_rebuild_qtensor', '(quantised: save the model before that)'],
    ['torch._utils', '_rebuild_meta_tensor_no_storage', '(a tensor of the meta device, which has'],
    ['torch.nn.parameter', 'UninitializedParameter', '(without values yet: run the model once'],
    ['numpy._core.multiarray', '_reconstruct', '(of NumPy: save torch.as_tensor(…) of it)'],
    ['x', 'y', '(nothing of a file is executed;'],
  ])('an object of %s.%s in a state dict', (module, name, advice) => {
    const items = [text('w'), six([6], [1]), text('a'), call(module, name)];
    expect(saidOf(...items)).toContain(`'${module}.${name}' ${advice}`);
  });

  test('a whole model is named sooner than a NumPy number beside it', () => {
    const said = saidOf(
      ...[text('best_fitness'), call('numpy._core.multiarray', '_reconstruct')],
      ...[text('model'), call('models.yolo', 'DetectionModel')],
    );
    expect(said).toContain("; 'model' is an object of 'models.yolo.DetectionModel' (nothing of");
  });

  test('the state dict of an optimizer', () => {
    const said = saidOf(text('state'), dict(), text('param_groups'), code(']'));
    expect(said).toBe(
      "expected a state dict (a dict of tensors), got a dict with the keys 'state', 'param_groups' " +
        '(the state of an optimizer, not of a model: loadTorchOptimizer reads it).',
    );
  });

  test('a dict without names', () => {
    expect(saidOf(int(0), dict(text('a'), six([6], [1])))).toBe(
      'expected a state dict (a dict of tensors), got a dict without names as keys.',
    );
  });

  test.each([
    ['version https://git-lfs.github.com/spec/v1\noid sha256:1\n', 'a pointer of Git LFS, not the'],
    ['\n<!DOCTYPE html><html>', 'a web page (was the download refused?).'],
    ['', 'an empty file.'],
  ])('a download that is another file: %j', (content, said) => {
    expect(thrownBy(() => decodeTorch('T', Buffer.from(content)))).toContain(
      `expected a file of torch.save, got ${said}`,
    );
  });
});

test('running statistics are paid for, however many names one tensor has', () => {
  const numel = 100_000;
  const one = op.tensor(storage(numel), int(0), [int(numel)], [int(1)]);
  const names = Array.from({ length: 1000 }, (_, i) =>
    Buffer.concat([text(`${i}.running_mean`), code('h', 0)]),
  );
  const pickle = op.pickle(code('}', '('), text('a'), one, code('q', 0), ...names, code('u'));
  expect(
    thrownBy(() => decodeTorch('T', torchZip(pickle, { '0': new Uint8Array(4 * numel) }))),
  ).toContain('got one that asks for more');
});

test('ints of every length have their value', () => {
  const values = [5, 6, 7, 8, 9, 12, 13, 16, 17, 255].flatMap((bytes) =>
    [1n, -1n, 2n ** BigInt(8 * bytes - 2) + 12345n, -(2n ** BigInt(8 * bytes - 2)) - 6789n].map(
      (value) => {
        const digits = BigInt.asUintN(8 * bytes, value)
          .toString(16)
          .padStart(2 * bytes, '0');
        const long = Buffer.concat([code(0x8a, bytes), Buffer.from(digits, 'hex').reverse()]);
        return { value, long };
      },
    ),
  );
  const items = values.flatMap(({ long }, i) => [text(String(i)), long]);
  const { others } = read(op.pickle(dict(text('w'), six([6], [1]), ...items)));
  values.forEach(({ value }, i) => {
    expect(BigInt(others.get(String(i))!.value as number | bigint)).toBe(value);
  });
});
