// Arrays of 16 MB and more are written past the caches, and a long row is read by several threads: the bits are those of
// parts that are neither.
import { describe, expect, test } from 'vitest';

import { functional, tensor, type Tensor } from '../../src/index.js';

const ROWS = 4100;
const COLUMNS = 1025;
/** Deterministic values between -4 and 4, with what an exponential has edges for. */
function values(count: number, seed: number): Float32Array {
  const made = new Float32Array(count);
  let state = seed;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    made[i] = state / 2 ** 29 - 4;
  }
  for (let i = 700; i < count; i += 50021) {
    made[i] = [0, -0, 100, -120, 1e-40, -Infinity][i % 6]!;
  }
  return made;
}
const bitsOf = (y: Tensor): Uint32Array => new Uint32Array((y.data as Float32Array).slice().buffer);

const CALLS = {
  relu: (x: Tensor) => functional.relu(x),
  tanh: (x: Tensor) => functional.tanh(x),
  geluTanh: (x: Tensor) => functional.gelu(x, { approximate: 'tanh' }),
  pow: (x: Tensor) => functional.pow(x, -1.5),
  cube: (x: Tensor) => functional.pow(x, 3),
  softmax: (x: Tensor) => functional.softmax(x, { dim: 1 }),
  logSoftmax: (x: Tensor) => functional.logSoftmax(x, { dim: 1 }),
  logsumexp: (x: Tensor) => functional.logsumexp(x, { dim: 1 }),
  var: (x: Tensor) => functional.var(x, { dim: 1 }),
} satisfies Record<string, (x: Tensor) => Tensor>;

describe('the rows of a large array have the bits that they have alone', () => {
  const large = values(ROWS * COLUMNS, 5);
  const given = values(ROWS * COLUMNS, 6);
  const [from, rows] = [3967, 20];
  const part = (of: Float32Array): Tensor =>
    tensor(of.slice(from * COLUMNS, (from + rows) * COLUMNS), [rows, COLUMNS]);

  test.each(Object.entries(CALLS))('%s', (_, call) => {
    const got = bitsOf(call(tensor(large, [ROWS, COLUMNS])));
    const width = got.length / ROWS;
    expect(got.slice(from * width, (from + rows) * width)).toEqual(bitsOf(call(part(large))));
  });

  test.each(['softmax', 'logSoftmax'] as const)('the gradient of %s', (name) => {
    const gradient = (x: Tensor, dy: Tensor): Uint32Array => {
      x.requiresGrad = true;
      CALLS[name](x).backward(dy);
      return bitsOf(x.grad!);
    };
    const got = gradient(tensor(large, [ROWS, COLUMNS]), tensor(given, [ROWS, COLUMNS]));
    const want = gradient(part(large), part(given));
    expect(got.slice(from * COLUMNS, (from + rows) * COLUMNS)).toEqual(want);
  });
});

describe('argmax and argmin of a long row', () => {
  const LENGTH = 70001;
  /** The first NaN, or else the first of the largest (smallest). */
  function placeOf(row: Float32Array, largest: boolean): number {
    const nan = row.findIndex(Number.isNaN);
    if (nan >= 0) return nan;
    return row.reduce(
      (best, value, i) => ((largest ? value > row[best]! : value < row[best]!) ? i : best),
      0,
    );
  }
  const edits: Record<string, (row: Float32Array) => void> = {
    'as it is': () => undefined,
    'two equal extremes in different parts': (row) =>
      [20000, 40000].forEach((i) => ((row[i] = 9), (row[i + 5] = -9))),
    'zeros of both signs': (row) => row.fill(-0).fill(0, 30000, 30001),
    'NaN in the third part, and a later one': (row) => row.fill(NaN, 35000, 35001).fill(NaN, 69000),
    'the last element': (row) => row.fill(99, LENGTH - 1),
    'all equal': (row) => row.fill(2),
  };
  test.each(Object.entries(edits))('%s', (_, edit) => {
    const row = values(LENGTH, 7);
    edit(row);
    const rows = tensor(Float32Array.from([...row, ...row]), [2, LENGTH]);
    for (const largest of [true, false]) {
      const place = (largest ? functional.argmax : functional.argmin)(rows, { dim: 1 });
      const want = placeOf(row, largest);
      expect(Array.from(place.data as BigInt64Array, Number)).toEqual([want, want]);
    }
  });
});

test('what a value becomes does not depend on those beside it', () => {
  const x = values(64, 8).map((each) => Math.abs(each) + 0.01);
  const specials = [NaN, -1.5, 0, -0, Infinity, -Infinity, 1e-42, 1e38];
  for (const [name, call] of Object.entries({
    ...{ pow: CALLS.pow, cube: CALLS.cube, tanh: CALLS.tanh, geluTanh: CALLS.geluTanh },
    exp: functional.exp,
    log: functional.log,
  })) {
    const alone = bitsOf(call(tensor(x)));
    for (const special of specials) {
      const mixed = Float32Array.from(x, (each, i) => (i % 5 === 2 ? special : each));
      const got = bitsOf(call(tensor(mixed))).filter((_, i) => i % 5 !== 2);
      const want = alone.filter((_, i) => i % 5 !== 2);
      expect(got, `${name} beside ${special}`).toEqual(want);
    }
  }
});
