// What the fuzzer of the public door has found: each was an engine's sentence, or no answer at all.
import { constants } from 'node:buffer';

import { functional, native, nn, tensor, Tensor } from 'evenkeel';
import { describe, expect, it } from 'vitest';

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
