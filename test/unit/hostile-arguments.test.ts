// What the fuzzer of the public door has found: each was an engine's sentence, or no answer at all.
import { constants } from 'node:buffer';

import * as evenkeel from 'evenkeel';
import { functional, native, nn, tensor, Tensor } from 'evenkeel';
import { describe, expect, it, test } from 'vitest';

import { callsOf, operationsOf } from '../helpers/operations/table.js';
import { textOf } from '../helpers/operations/text.js';

const x = tensor([
  [1, 2],
  [3, 4],
]);
const noTensor = { dtype: 'float32' } as unknown as Tensor;

describe('something that is no Tensor', () => {
  it('as an operand of batchNorm', () => {
    expect(() => functional.batchNorm(x, null, null, { training: true, weight: noTensor })).toThrow(
      new TypeError('batchNorm: expected weight to be a Tensor or null, got an object.'),
    );
    expect(() => functional.batchNorm(x, null, null, { training: true, out: noTensor })).toThrow(
      new TypeError('batchNorm: expected out to be a Tensor, got an object.'),
    );
  });

  it('as the bias of linear', () => {
    expect(() => functional.linear(x, x, noTensor)).toThrow(
      new TypeError('linear: expected a bias Tensor or null, got an object.'),
    );
  });

  it('as a Parameter', () => {
    expect(() => new nn.Parameter(null as unknown as Tensor)).toThrow(
      new TypeError('Parameter: expected a Tensor, got null.'),
    );
  });
});

describe('a size beyond all memory', () => {
  it.each([
    [2 ** 40, 4398047],
    [Number.MAX_SAFE_INTEGER, 36028797019],
  ])('%i channels', (channels, megabytes) => {
    const most = constants.MAX_LENGTH; // 2^32 in Node 20
    const refused =
      channels > most
        ? `an array of at most ${most} elements (the limit of Node ${process.version}), got ${channels}.`
        : `${megabytes} MB of memory for an array, got none.`;
    expect(() => new nn.BatchNorm1d(channels)).toThrow(
      new RangeError(`evenkeel: expected ${refused}`),
    );
  });
});

describe('what only looks like a list', () => {
  it.each(['shape', 'strides'])('as %s of another library', (name) => {
    const other = { data: new Float32Array(4), shape: [2, 2], [name]: { length: 2 ** 32 } };
    expect(() => Tensor.from(other)).toThrow(
      new TypeError(`Tensor.from: expected ${name} to be an array, got an object.`),
    );
  });
});

describe('what cannot be written into a sentence', () => {
  it.each([Symbol('s'), Object.create(null) as object])('as a number', (value) => {
    const number = value as unknown as number;
    const got = typeof value === 'symbol' ? 'an instance of Symbol' : 'an object';
    expect(() => native.setThreads(number)).toThrow(
      new RangeError(`native.setThreads: expected a whole number from 1 to 64, got ${got}.`),
    );
    expect(() => (native.memory.limit = number)).toThrow(
      new RangeError(`native.memory.limit: expected a number of bytes of at least 0, got ${got}.`),
    );
  });
});

/** What is right for next to nothing; each is made anew. */
const WRONG: Readonly<Record<string, () => unknown>> = {
  null: () => null,
  NaN: () => NaN,
  'a fraction': () => -0.5,
  'a large number': () => 2 ** 53,
  'a text': () => 'x',
  'a BigInt': () => 5n,
  'a symbol': () => Symbol('s'),
  'an empty object': () => ({}),
  'an empty list': () => [],
  'a ragged list': () => [[1], [2, 3]],
  'a function': () => () => 1,
  'a Map': () => new Map(),
  'an object without a prototype': () => Object.create(null) as unknown,
  'an array of another type': () => new Uint8Array(4),
  'an object with the prototype of Tensor': () => Object.create(Tensor.prototype) as unknown,
  'a tensor of another shape': () => tensor(new Float32Array(0), [0, 2 ** 40]),
  'a disposed tensor': () => {
    const disposed = tensor([1, 2]);
    disposed.dispose();
    return disposed;
  },
  'a tensor whose memory was transferred': () => {
    const moved = tensor([1, 2]);
    const { buffer } = moved.data;
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    return moved;
  },
};

/** `<Who>: expected <what>, got <actual>.`, or another sentence of the kind; the engine's word on what cannot be called. */
const SENTENCE = /^(Error\(s\) in loading state_dict for |[A-Za-z][\w.$ ]*: )[^]*\.$/;
const ROWS = [...operationsOf(evenkeel), ...callsOf(evenkeel)].map(
  (each) => [each.name, each] as const,
);

describe.each(ROWS)('%s', (name, { inputs, call, options, isMethod }) => {
  /** Accepted, or refused in a sentence; an input that was right has not changed. */
  const tried = async (given: readonly unknown[], wrong: unknown, what: string): Promise<void> => {
    const others = given.filter((each) => each !== wrong);
    const before = others.map(textOf);
    try {
      await call(...given);
      return;
    } catch (error) {
      expect(error, what).toBeInstanceOf(Error);
      expect((error as Error).message, what).not.toMatch(/^evenkeel addon/);
      if (!isForged(wrong)) expect((error as Error).message, what).toMatch(SENTENCE);
    }
    expect(others.map(textOf), what).toEqual(before);
  };

  test('each input in turn', async () => {
    for (let i = isMethod ? 1 : 0; i < inputs().length; i++) {
      for (const [kind, make] of Object.entries(WRONG)) {
        const wrong = make();
        const given = inputs().map((each, k) => (k === i ? wrong : each));
        await tried(given, wrong, `input ${i} is ${kind}`);
      }
    }
  });

  test('each option in turn, and all of them at once', async () => {
    const names = Object.keys(options());
    for (const [kind, make] of Object.entries(WRONG)) {
      for (const option of names) {
        const wrong = make();
        await tried([...inputs(), { [option]: wrong }], wrong, `${option} is ${kind}`);
      }
      const wrong = make();
      if (names.length > 0) await tried([...inputs(), wrong], wrong, `options are ${kind}`);
    }
    // An object of another library may have properties of any name.
    if (names.length > 0 && name !== 'Tensor.from') {
      const unknown = (): unknown => call(...inputs(), { notAnOption: 1 });
      await expect((async () => unknown())()).rejects.toThrow(/notAnOption/);
    }
  });
});

/** An object with the prototype of a class of ours, which only its own constructor could have made one: any error. */
function isForged(value: unknown): boolean {
  return value instanceof Tensor && Object.keys(value).length === 0;
}
