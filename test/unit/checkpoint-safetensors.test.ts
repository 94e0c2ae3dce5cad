// What goes into a safetensors file and what comes out: every refusal of saving, the bytes, and the
// widening of narrow types.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { decodeSafetensors } from '../../src/checkpoint/safetensors/read.js';
import { encodeSafetensors } from '../../src/checkpoint/safetensors/write.js';
import type { Tensor } from '../../src/index.js';
import { checkpoint, nn, scope, StateDict, tensor } from '../../src/index.js';
import { safetensors } from '../helpers/checkpoint-files.js';
import { thrownBy } from '../helpers/snapshot.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-safetensors-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (dtype: string, shape: readonly number[], data: Uint8Array): Uint8Array =>
  safetensors(
    `{"a":{"dtype":"${dtype}","shape":[${shape.join()}],"data_offsets":[0,${data.length}]}}`,
    data,
  );

const read = (dtype: string, data: Uint8Array, count: number): Tensor =>
  decodeSafetensors('T', file(dtype, [count], data)).get('a')!;

const bytesOf = ({ data }: Tensor): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const headerOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.subarray(8, 8 + Number(Buffer.from(bytes).readBigUInt64LE()))).toString();

describe('reading', () => {
  test('all 65,536 float16 keep their value, and a NaN its sign and payload', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const { data } = read('F16', new Uint8Array(bits.buffer), 65536);
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
    bits.forEach((half, i) => {
      const [sign, exponent, fraction] = [half >> 15, (half >> 10) & 31, half & 1023];
      if (exponent === 31 && fraction !== 0) {
        expect(words[i]).toBe(((sign << 31) | 0x7f800000 | (fraction << 13)) >>> 0);
        return;
      }
      const magnitude =
        exponent === 31
          ? Infinity
          : exponent === 0
            ? fraction * 2 ** -24
            : (1 + fraction / 1024) * 2 ** (exponent - 15);
      if (!Object.is(data[i], sign === 1 ? -magnitude : magnitude)) {
        throw new Error(`${half.toString(16)}: got ${String(data[i])}`);
      }
    });
  });

  test('all 65,536 bfloat16 are the upper halves of their float32', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const { data } = read('BF16', new Uint8Array(bits.buffer), 65536);
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
    expect(words.every((word, i) => word === (i << 16) >>> 0)).toBe(true);
  });

  test.each<[string, ArrayBufferView, string, (number | bigint)[]]>([
    ['BOOL', Uint8Array.of(0, 1, 2, 255), 'int32', [0, 1, 1, 1]],
    ['I8', Int8Array.of(-128, -1, 127), 'int32', [-128, -1, 127]],
    ['U8', Uint8Array.of(0, 128, 255), 'int32', [0, 128, 255]],
    ['I16', Int16Array.of(-32768, 32767), 'int32', [-32768, 32767]],
    ['U16', Uint16Array.of(0, 65535), 'int32', [0, 65535]],
    ['U32', Uint32Array.of(0, 2 ** 32 - 1), 'int64', [0n, 2n ** 32n - 1n]],
    ['U64', BigUint64Array.of(0n, 2n ** 63n - 1n), 'int64', [0n, 2n ** 63n - 1n]],
    ['I64', BigInt64Array.of(-(2n ** 63n)), 'int64', [-(2n ** 63n)]],
    ['I32', Int32Array.of(-(2 ** 31)), 'int32', [-(2 ** 31)]],
  ])('%s', (dtype, values, ours, expected) => {
    const bytes = new Uint8Array(values.buffer);
    const made = read(dtype, bytes, expected.length);
    expect([made.dtype, [...made.data]]).toEqual([ours, expected]);
  });

  test.each(['F32', 'F64'])('%s keeps every bit, payloads of NaN too, at any address', (dtype) => {
    const data = Uint8Array.from(
      { length: 64 },
      (_, i) => [0x01, 0x23, 0xa0, 0x7f, 0x89, 0xff, 0xf1, 0xff][i % 8]!,
    );
    const bytes = file(dtype, [64 / (dtype === 'F32' ? 4 : 8)], data);
    for (let shift = 0; shift < 8; shift++) {
      const moved = new Uint8Array(bytes.length + shift).subarray(shift);
      moved.set(bytes);
      expect([...bytesOf(decodeSafetensors('T', moved).get('a')!)]).toEqual([...data]);
    }
  });

  test('a name is a name: nothing is a property', () => {
    const names = ['__proto__', 'constructor', 'toString', ''];
    const entries = names.map(
      (name, i) =>
        `${JSON.stringify(name)}:{"dtype":"F32","shape":[1],"data_offsets":[${4 * i},${4 * i + 4}]}`,
    );
    const state = decodeSafetensors('T', safetensors(`{${entries.join()}}`, new Uint8Array(16)));
    expect([...state.keys()]).toEqual(names);
    expect(Object.getPrototypeOf(state)).toBe(StateDict.prototype);
    expect(Object.keys({})).toEqual([]);
    const again = encodeSafetensors('T', state);
    expect([...decodeSafetensors('T', again).keys()]).toEqual([
      '',
      '__proto__',
      'constructor',
      'toString',
    ]);
  });

  test('a PyTorch file is recognised', () => {
    const zip = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(100, 0xff)]);
    expect(thrownBy(() => decodeSafetensors('T', zip))).toMatch(
      /^RangeError: T: expected a header of at most 96 bytes, got \d+ \(a zip archive: for PyTorch files there is loadTorch\)\.$/,
    );
  });

  test('a scope around the call disposes of nothing', async () => {
    const path = join(folder, 'scoped');
    const saved = scope(() => {
      const promise = checkpoint.saveSafetensors(path, new Map([['a', tensor([1])]]));
      return [promise];
    })[0]!;
    await saved;
    const loading = scope(() => [checkpoint.loadSafetensors(path)])[0]!;
    expect((await loading).get('a')!.disposed).toBe(false);
  });
});

describe('bombs', () => {
  const entry = (i: number): string => `"${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`;
  const many = (count: number, each: (i: number) => string): Uint8Array =>
    safetensors(`{${Array.from({ length: count }, (_, i) => each(i)).join()}}`);

  test('100,000 tensors are read, one more is refused', () => {
    expect(decodeSafetensors('T', many(100_000, entry)).size).toBe(100_000);
    expect(thrownBy(() => decodeSafetensors('T', many(100_001, entry)))).toBe(
      'RangeError: T: expected at most 100000 tensors, got more.',
    );
  });

  test('so is metadata', () => {
    const text = Array.from({ length: 100_001 }, (_, i) => `"${i}":""`).join();
    expect(thrownBy(() => decodeSafetensors('T', safetensors(`{"__metadata__":{${text}}}`)))).toBe(
      'RangeError: T: expected at most 100000 entries of metadata, got more.',
    );
  });

  test('a header of 8 MB of brackets, of one name, of one number: soon over', () => {
    const start = performance.now();
    const long = 8_000_000;
    expect(
      thrownBy(() => decodeSafetensors('T', safetensors(`{"a":{"x":${'['.repeat(long)}`))),
    ).toMatch(/^RangeError: T: expected at most 127 levels of nesting/);
    expect(
      thrownBy(() => decodeSafetensors('T', safetensors(`{"${'n'.repeat(long)}":1}`))),
    ).toMatch(
      /^RangeError: T: expected 'n{60}…' to be an object at character 8000004 of the header, got '1}'\.$/,
    );
    expect(
      thrownBy(() => decodeSafetensors('T', safetensors(`{"a":{"shape":[${'9'.repeat(long)}]}}`))),
    ).toMatch(
      /^RangeError: T: expected whole numbers from 0 to 2\^53 - 1 in the shape of 'a' .* got '9{60}…'\.$/,
    );
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test('a length above 100,000,000 is refused also where the file is as long', () => {
    const bytes = new Uint8Array(100_000_100);
    new DataView(bytes.buffer).setBigUint64(0, 100_000_001n, true);
    expect(thrownBy(() => decodeSafetensors('T', bytes))).toBe(
      'RangeError: T: expected a header of at most 100000000 bytes, got 100000001.',
    );
  });
});

describe('writing', () => {
  test("the reference's bytes: widest first, then names by their UTF-8, padded to 8", () => {
    const state = new Map<string, Tensor>([
      ['b', tensor([1])],
      ['a', tensor(BigInt64Array.of(1n, -2n))],
      ['c', tensor([1], { dtype: 'float64' })],
      ['d', tensor(Int32Array.of(7))],
      ['\u{10000}', tensor([2])],
      ['\uffff', tensor([3])],
      ['q"\\\n\u0001\u007f/é', tensor(4)],
      ['', tensor(5)],
      ['none', tensor(new Float32Array(0), [0, 3])],
    ]);
    const bytes = encodeSafetensors('T', state, { z: 'é', a: '"' });
    // as safetensors 0.8.0 writes these tensors (metadata in our order; it has none)
    const { length } = Buffer.from(headerOf(bytes));
    expect(headerOf(bytes).replace(/ {0,7}$/, '')).toBe(
      '{"__metadata__":{"z":"é","a":"\\""},' +
        '"a":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},' +
        '"c":{"dtype":"F64","shape":[1],"data_offsets":[16,24]},' +
        '"":{"dtype":"F32","shape":[],"data_offsets":[24,28]},' +
        '"b":{"dtype":"F32","shape":[1],"data_offsets":[28,32]},' +
        '"none":{"dtype":"F32","shape":[0,3],"data_offsets":[32,32]},' +
        '"q\\"\\\\\\n\\u0001\u007f/é":{"dtype":"F32","shape":[],"data_offsets":[32,36]},' +
        '"\uffff":{"dtype":"F32","shape":[1],"data_offsets":[36,40]},' +
        '"\u{10000}":{"dtype":"F32","shape":[1],"data_offsets":[40,44]},' +
        '"d":{"dtype":"I32","shape":[1],"data_offsets":[44,48]}}',
    );
    expect(length % 8).toBe(0);
    const again = decodeSafetensors('T', bytes);
    expect([...again.metadata]).toEqual([
      ['z', 'é'],
      ['a', '"'],
    ]);
    expect(Buffer.compare(encodeSafetensors('T', again), bytes)).toBe(0);
  });

  test("a state dict's own metadata is written again; others replace it, also by none", () => {
    const state = new StateDict([['w', tensor([1])]]);
    state.metadata.set('format', 'pt');
    const metadata = (given?: unknown): [string, string][] => [
      ...decodeSafetensors('T', encodeSafetensors('T', state, given)).metadata,
    ];
    expect(metadata()).toEqual([['format', 'pt']]);
    expect(metadata({ epoch: '3' })).toEqual([['epoch', '3']]);
    expect(metadata(new Map([['__proto__', 'x']]))).toEqual([['__proto__', 'x']]);
    expect(metadata({})).toEqual([]);
    expect(headerOf(encodeSafetensors('T', state, {}))).not.toContain('__metadata__');
  });

  test('nothing at all', () => {
    const bytes = encodeSafetensors('T', new Map());
    expect(headerOf(bytes)).toBe('{}      ');
    expect(decodeSafetensors('T', bytes).size).toBe(0);
  });

  const withoutMemory = (): Tensor => {
    const made = tensor([1, 2]);
    made.dispose();
    return made;
  };
  test.each<[string, unknown, unknown, string]>([
    [
      'no Map',
      { w: tensor([1]) },
      undefined,
      'TypeError: S: expected a state dict (a Map of tensors), got an object.',
    ],
    [
      'a number',
      new Map([['w', 1]]),
      undefined,
      "TypeError: S: expected 'w' to be a Tensor, got 1.",
    ],
    [
      'a key that is no string',
      new Map([[1, tensor(1)]]),
      undefined,
      'TypeError: S: expected a name to be a string, got 1.',
    ],
    [
      'half a surrogate pair',
      new Map([['a\ud800', tensor(1)]]),
      undefined,
      "RangeError: S: expected a name in well-formed Unicode, got 'a\\u{d800}'.",
    ],
    [
      'the name __metadata__',
      new Map([['__metadata__', tensor(1)]]),
      undefined,
      "RangeError: S: expected names of tensors, got '__metadata__', which is the file's own.",
    ],
    [
      'a tensor that is detached',
      new Map([['w', withoutMemory()]]),
      undefined,
      "TypeError: S: expected 'w' to hold the 2 elements of shape [2], got 0 (its buffer was detached, shrunk or disposed of).",
    ],
    [
      'null as metadata',
      new Map(),
      null,
      'TypeError: S: expected metadata to be an object or a Map of strings, got null.',
    ],
    [
      'an array as metadata',
      new Map(),
      ['a'],
      'TypeError: S: expected metadata to be an object or a Map of strings, got an array of length 1.',
    ],
    [
      'a number in metadata',
      new Map(),
      { epoch: 3 },
      "TypeError: S: expected metadata 'epoch' to be a string, got 3.",
    ],
    [
      'metadata with half a pair',
      new Map(),
      { a: '\udfff' },
      "RangeError: S: expected metadata 'a' in well-formed Unicode, got '\\u{dfff}'.",
    ],
    [
      'a key of metadata with half a pair',
      new Map(),
      { '\udfff': '' },
      "RangeError: S: expected a key of metadata in well-formed Unicode, got '\\u{dfff}'.",
    ],
  ])('refused before anything is written: %s', async (_, state, metadata, message) => {
    const path = join(folder, 'S');
    const saving = checkpoint.saveSafetensors(path, state as never, {
      metadata: metadata as never,
    });
    const said = await saving.then(() => 'saved', String);
    expect(said).toBe(message.replace(' S: ', ' saveSafetensors: S: '));
    expect(readdirSync(folder).filter((name) => name !== 'scoped')).toEqual([]);
  });

  test('more tensors than can be read again', () => {
    const one = tensor(1);
    const state = new Map(Array.from({ length: 100_001 }, (__, i) => [String(i), one]));
    expect(thrownBy(() => encodeSafetensors('T', state))).toBe(
      'RangeError: T: expected at most 100000 tensors, got 100001.',
    );
  });

  test('an option that there is not', async () => {
    const saving = checkpoint.saveSafetensors(join(folder, 'S'), new Map(), {
      metdata: {},
    } as never);
    expect(await saving.then(() => 'saved', String)).toBe(
      "TypeError: saveSafetensors: expected options among metadata, signal, got 'metdata' (did you mean 'metadata'?).",
    );
  });

  test('a training model: parameters, running statistics and the counter come back', async () => {
    const path = join(folder, 'scoped');
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3));
    model.forward(
      tensor([
        [1, 2],
        [3, 5],
      ]),
    );
    await checkpoint.saveSafetensors(path, model.stateDict());
    const other = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3));
    other.loadStateDict(await checkpoint.loadSafetensors(path));
    for (const [key, value] of model.stateDict()) {
      expect([...other.stateDict().get(key)!.data]).toEqual([...value.data]);
    }
  });
});
