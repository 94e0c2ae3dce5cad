// What the fuzzer of the public door has found: each was an engine's sentence, or no answer at all.
import { constants } from 'node:buffer';

import * as evenkeel from 'evenkeel';
import { functional, native, nn, tensor, Tensor } from 'evenkeel';
import { describe, expect, it, test } from 'vitest';

import { complaint, detach, hostileOf } from '../helpers/hostile.mjs';
import { callsOf, operationsOf } from '../helpers/operations/table.js';
import { textOf } from '../helpers/operations/text.js';
import { inTurn } from '../helpers/runs.js';

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

describe('an array whose memory is detached', () => {
  it.each([undefined, 'float32', 'float64', 'int64'] as const)('as %s', (dtype) => {
    const withoutMemory = detach(Float32Array.of(1, 2));
    const refused = new TypeError(
      'tensor: expected an array, got one whose buffer was detached or shrunk.',
    );
    expect(() => tensor(withoutMemory, { dtype })).toThrow(refused);
    expect(() => tensor([withoutMemory, withoutMemory], { dtype })).toThrow(refused);
  });
});

describe('what is missing, or no function', () => {
  it('as the operation of custom', () => {
    expect(() => functional.custom(undefined as never)).toThrow(
      new TypeError('custom: expected an object { name, forward, backward }, got undefined.'),
    );
  });

  it.each<[string, () => unknown]>([
    ['interpolate', () => functional.interpolate(x, undefined as never)],
    ['Upsample', () => new nn.Upsample(undefined as never)],
  ])('as the options of %s', (who, call) => {
    expect(call).toThrow(
      new RangeError(
        `${who}: expected either size or scaleFactor (only one of size or scale_factor should be defined), got neither.`,
      ),
    );
  });

  it('as what apply calls', () => {
    expect(() => new nn.ReLU().apply(null as never)).toThrow(
      new TypeError('ReLU.apply: expected a function, got null.'),
    );
  });
});

it('more parts than a process has memory for', () => {
  const empty = tensor(new Float32Array(0), [2 ** 31, 0]);
  const refused = (count: number): RangeError =>
    new RangeError(`split: expected at most 1048576 parts, got ${count}.`);
  expect(() => functional.split(empty, 2)).toThrow(refused(2 ** 30));
  expect(() => functional.split(empty, 2 ** 10)).toThrow(refused(2 ** 21));
  expect(() => functional.chunk(empty, 2 ** 30)).toThrow(/^chunk: expected at most 1048576 parts/);
});

const HOSTILE = [...hostileOf(evenkeel)];
const ROWS = [...operationsOf(evenkeel), ...callsOf(evenkeel)].map(
  (each, turn) => [each.name, each, turn] as const,
);

describe.each(ROWS)('%s', (name, { inputs, call, options, isMethod }, turn) => {
  const hostile = inTurn(HOSTILE, turn);

  /** Accepted, or refused in a sentence; an input that was right has not changed. */
  const tried = async (
    given: readonly unknown[],
    wrong: unknown,
    isForged: boolean,
    what: string,
  ): Promise<void> => {
    const others = given.filter((each) => each !== wrong);
    const before = others.map(textOf);
    try {
      await call(...given);
      return;
    } catch (error) {
      expect(complaint(error, isForged), what).toBe(null);
    }
    expect(others.map(textOf), what).toEqual(before);
  };

  test('each input in turn', async () => {
    for (let i = isMethod ? 1 : 0; i < inputs().length; i++) {
      for (const [kind, { make, isForged }] of hostile) {
        const wrong = make();
        const given = inputs().map((each, k) => (k === i ? wrong : each));
        await tried(given, wrong, isForged, `input ${i} is ${kind}`);
      }
    }
  });

  test('each option in turn, and all of them at once', async () => {
    const names = Object.keys(options());
    for (const [kind, { make, isForged }] of hostile) {
      for (const option of names) {
        const wrong = make();
        await tried([...inputs(), { [option]: wrong }], wrong, isForged, `${option} is ${kind}`);
      }
      const wrong = make();
      if (names.length > 0)
        await tried([...inputs(), wrong], wrong, isForged, `options are ${kind}`);
    }
    // An object of another library may have properties of any name.
    if (names.length > 0 && name !== 'Tensor.from') {
      const unknown = (): unknown => call(...inputs(), { notAnOption: 1 });
      await expect((async () => unknown())()).rejects.toThrow(/notAnOption/);
    }
  });
});
