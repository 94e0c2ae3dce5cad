// Batch normalisation pass by pass: the passes one after the other have the bits of the fused calls, in every layout,
// and those of a batch in pieces, with moments merged and sums added, are those of the whole batch.
import { describe, expect, test } from 'vitest';

import type { Addon } from '../../src/addon/types.js';
import { loadAddon } from '../helpers/child.js';

type Floats = Float32Array | Float64Array;
type Shape = readonly [n: number, c: number, l: number];

const addon = loadAddon() as Addon;

const EPS = 1e-5;
const float = { float32: Float32Array, float64: Float64Array };
type Dtype = keyof typeof float;

/** A batch and its layer. */
interface Case {
  readonly shape: Shape;
  readonly x: Floats;
  /** Null: every element is 0.75. */
  readonly dy: Floats | null;
  readonly weight: Floats | null;
  readonly bias: Floats | null;
  readonly relu: boolean;
}

interface Results {
  readonly y: Floats;
  readonly saved: Float64Array;
  readonly dx: Floats;
  readonly dweight: Floats;
  readonly dbias: Floats;
}

const like = (x: Floats, length = x.length): Floats => new float[dtypeOf(x)](length);
const dtypeOf = (x: Floats): Dtype => (x.BYTES_PER_ELEMENT === 4 ? 'float32' : 'float64');

function fused({ shape, x, dy, weight, bias, relu }: Case): Results {
  const [n, c, l] = shape;
  const [y, dx] = [like(x), like(x)];
  const [dweight, dbias] = [like(x, c), like(x, c)];
  const saved = new Float64Array(3 * c);
  const running = [null, null] as const;
  addon.batchNormForward(
    ...([x, y, n, c, l, weight, bias, ...running, saved, false, false, 0, EPS, relu] as const),
  );
  addon.batchNormBackward(
    ...([x, dy, 0.75, n, c, l, weight, bias, saved, dx, dweight, dbias, false, relu] as const),
  );
  return { y, saved, dx, dweight, dbias };
}

/** The same by passes, with the samples in pieces of the given numbers; dweight and dbias are added up. */
function byPasses({ shape, x, dy, weight, bias, relu }: Case, pieces: readonly number[]): Results {
  const [, c, l] = shape;
  let first = 0;
  const parts = pieces.map((n) => {
    const range = [first * c * l, (first + n) * c * l] as const;
    first += n;
    return { n, x: x.subarray(...range), dy: dy?.subarray(...range) ?? null };
  });
  const moments = new Float64Array(4 * c);
  let count = 0;
  for (const part of parts) {
    const own = count === 0 ? moments : new Float64Array(4 * c);
    addon.batchMoments(part.x, own, part.n, c, l);
    if (count > 0) addon.mergeMoments(moments, count, own, part.n * l, c);
    count += part.n * l;
  }
  const [y, dx] = [like(x), like(x)];
  const [dweight, dbias] = [like(x, c), like(x, c)];
  const saved = new Float64Array(3 * c);
  const sums = new Float64Array(2 * c);
  for (const part of parts) {
    const at = (part.x.byteOffset - x.byteOffset) / x.BYTES_PER_ELEMENT;
    const out = y.subarray(at, at + part.x.length);
    addon.normalizeByMoments(part.x, out, part.n, c, l, weight, bias, moments, saved, EPS, relu);
    const [own, dw, db] = [new Float64Array(2 * c), like(x, c), like(x, c)];
    addon.gradientSums(
      ...([part.x, part.dy, 0.75, part.n, c, l, weight, bias, saved, own, dw, db, relu] as const),
    );
    own.forEach((value, i) => (sums[i]! += value));
    dw.forEach((value, i) => (dweight[i]! += value));
    db.forEach((value, i) => (dbias[i]! += value));
  }
  for (const part of parts) {
    const at = (part.x.byteOffset - x.byteOffset) / x.BYTES_PER_ELEMENT;
    const out = dx.subarray(at, at + part.x.length);
    addon.gradientBySums(
      ...([part.x, part.dy, 0.75, part.n, c, l, weight, bias, saved, sums] as const),
      ...([count, out, null, null, relu] as const),
    );
  }
  return { y, saved, dx, dweight, dbias };
}

const bytes = (data: Floats): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
function expectSameBits(actual: Results, expected: Results): void {
  for (const name of Object.keys(expected) as (keyof Results)[]) {
    expect(bytes(actual[name]).equals(bytes(expected[name])), name).toBe(true);
  }
}

const filled = (dtype: Dtype, length: number, value: (i: number) => number): Floats =>
  new float[dtype](Array.from({ length }, (_, i) => value(i)));

/** (N, C); short runs seen as rows; runs; few channels in pieces; one channel; one value a channel; many rows. */
const SHAPES: readonly Shape[] = [
  [32, 64, 1],
  [1, 5, 1],
  [700, 7, 1],
  [40, 12, 7],
  [6, 20, 33],
  [3, 3, 9000],
  [17, 1, 50],
  [1, 512, 32],
  [8, 64, 200],
];

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  describe.each(SHAPES)('(%i, %i, %i)', (n, c, l) => {
    const elements = n * c * l;
    const wave = (scale: number, offset: number): Floats =>
      filled(dtype, elements, (i) => offset + scale * Math.sin(i * i * 0.37));
    const weight = filled(dtype, c, (i) => 1 + 0.1 * Math.cos(i));
    const bias = filled(dtype, c, (i) => 0.2 * Math.sin(3 * i));
    const shape = [n, c, l] as const;

    test.each([
      ['', { weight, bias, relu: false, dy: wave(1, 0.1) }],
      ['with a ReLU', { weight, bias, relu: true, dy: wave(1, 0.1) }],
      ['without weight and bias', { weight: null, bias: null, relu: false, dy: wave(1, 0.1) }],
      ['and a gradient of one value', { weight, bias, relu: true, dy: null }],
    ])('the passes are the fused calls %s', (_, options) => {
      const batch: Case = { shape, x: wave(2, 30), ...options };
      expectSameBits(byPasses(batch, [n]), fused(batch));
    });

    test('also where channels are too extreme for the loops', () => {
      const large = dtype === 'float32' ? 1e36 : 1e150;
      const x = wave(2, 3);
      x.forEach((value, i) => {
        if (Math.floor(i / l) % c === 0) x[i] = value * large;
      });
      const batch: Case = { shape, x, dy: wave(1, 0), weight, bias, relu: true };
      expectSameBits(byPasses(batch, [n]), fused(batch));
    });
  });

  // Numbers whose sums are exact, so that the means are the same to the bit.
  test.each<[Shape, number[]]>([
    [[64, 16, 1], [32, 32]],
    [[64, 16, 4], [16, 16, 32]],
    [[16, 8, 64], [8, 8]],
    [[8, 2, 8192], [4, 2, 2]],
  ])('%j in pieces of %j samples is the whole batch', ([n, c, l], pieces) => {
    const elements = n * c * l;
    const whole = (seed: number) => (i: number) => ((i * 7919 + seed) % 17) - 8;
    const x = filled(dtype, elements, whole(1));
    // Each channel has as many of a number as of its negative in every piece: its mean is exact.
    for (let i = c * l; i < elements; i++) if (Math.floor(i / (c * l)) % 2 === 1) x[i] = -x[i - c * l]!;
    const dy = filled(dtype, elements, whole(5));
    const weight = filled(dtype, c, (i) => 1 + i);
    const batch: Case = { shape: [n, c, l], x, dy, weight, bias: null, relu: false };
    const [apart, together] = [byPasses(batch, pieces), fused(batch)];
    expect(bytes(apart.dbias).equals(bytes(together.dbias))).toBe(true);
    const mean = (data: Float64Array): number[] => [...data.subarray(0, 2 * c)];
    expect(mean(apart.saved)).toEqual(mean(together.saved));
    const close = dtype === 'float32' ? 1e-5 : 1e-13;
    for (const name of ['y', 'dx', 'dweight'] as const) {
      let [largest, worst] = [0, 0];
      for (let i = 0; i < together[name].length; i++) {
        largest = Math.max(largest, Math.abs(together[name][i]!));
        worst = Math.max(worst, Math.abs(apart[name][i]! - together[name][i]!));
      }
      expect(worst / largest, name).toBeLessThan(close);
    }
  });

  test('merged moments of doubles have a mean of more digits than a double', () => {
    const [n, c, l] = [600, 3, 1];
    const x = filled(dtype, n * c, (i) => 1e6 + Math.sin(i));
    const batch: Case = { shape: [n, c, l], x, dy: null, weight: null, bias: null, relu: false };
    const pieces = [100, 150, 350];
    const [apart, together] = [byPasses(batch, pieces), fused(batch)];
    for (let i = 0; i < c; i++) {
      const mean = (of: Float64Array): number => of[i]! - 1e6 + of[c + i]!;
      expect(Math.abs(mean(apart.saved) - mean(together.saved))).toBeLessThan(dtype === 'float32' ? 2e-10 : 1e-14);
      expect(apart.saved[2 * c + i]! / together.saved[2 * c + i]!).toBeCloseTo(1, 12);
    }
  });
});

test('an empty batch has sums of zero', () => {
  const none = new Float32Array(0);
  const [sums, dweight] = [new Float64Array(6).fill(7), new Float32Array(3).fill(7)];
  const saved = new Float64Array(9);
  addon.gradientSums(none, none, 0, 0, 3, 1, null, null, saved, sums, dweight, null, false);
  expect([...sums, ...dweight]).toEqual(new Array(9).fill(0));
});

test('moments merge where a sum of squares is larger than any double', () => {
  const of = (variance: number): Float64Array => Float64Array.of(2, 0, 0, variance);
  const into = of(2 ** 1022);
  addon.mergeMoments(into, 6, of(2 ** 1022), 10, 1);
  expect([...into]).toEqual([2, 0, 0, 2 ** 1022]);
});
