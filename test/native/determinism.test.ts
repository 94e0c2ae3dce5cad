// One hash per shape: every instruction set and every thread count computes the same bits, also where
// threads share the work (from 32768 elements on) and where outputs are streamed past the caches
// (from 16 MiB on). Outputs start at another alignment in every run.
import { createHash } from 'node:crypto';

import { afterEach, describe, expect, test } from 'vitest';

import { addon } from '../../src/addon/control.js';
import { normalFrom, sizesFrom, uniformFrom } from '../helpers/random.js';
import type { Dtype, Floats } from './arena.js';

const isas = addon.availableIsas();
const initial = { isa: addon.isa(), threads: addon.threads() };
const threadCounts = [1, 2, 3, 8];
const SHAPES = 200;
const LARGEST = 600_000; // elements of a random shape
const STREAMED = 4_460_544; // elements of the largest shape below

// All bits of a double in use, and no common exponent: sums in double of these round, in any order.
const numbers = Float64Array.from({ length: 1 << 17 }, normalFrom(7));

afterEach(() => {
  addon.selectIsa(initial.isa);
  addon.setThreads(initial.threads);
});

/** `length` elements that start `shift` elements into memory of their own; NaN until written. */
function fresh(dtype: Dtype, length: number, shift = 0): Floats {
  const array = dtype === 'float32' ? Float32Array : Float64Array;
  return new array(length + shift).subarray(shift).fill(NaN);
}

/** Numbers around `offset`, the same for the same seed. */
function filled(dtype: Dtype, length: number, seed: number, offset = 0): Floats {
  const data = fresh(dtype, length);
  let from = (seed * 7919) % numbers.length;
  for (let i = 0; i < length; i++) {
    data[i] = numbers[from]! + offset;
    from = from + 1 === numbers.length ? 0 : from + 1;
  }
  return data;
}

function hash(...results: readonly (Floats | number)[]): string {
  const sha = createHash('sha256');
  for (const result of results) {
    const view = typeof result === 'number' ? Float64Array.of(result) : result;
    sha.update(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }
  return sha.digest('hex');
}

/** The hashes of `run` over all instruction sets and thread counts; `index` counts the runs. */
function hashes(run: (index: number) => string): Set<string> {
  const seen = new Set<string>();
  let index = 0;
  for (const isa of isas) {
    for (const threads of threadCounts) {
      if (!addon.selectIsa(isa) || addon.isa() !== isa) throw new Error(`no ${isa}`);
      addon.setThreads(threads);
      if (addon.threads() !== threads) throw new Error(`no ${threads} threads`);
      seen.add(run(index++));
    }
  }
  return seen;
}

type Shape = readonly [n: number, c: number, l: number];

/** A training step of BatchNorm: everything it writes. */
function batchNormHashes(dtype: Dtype, [n, c, l]: Shape, seed: number): Set<string> {
  const count = n * c * l;
  const x = filled(dtype, count, seed, 1 / 3);
  const dy = filled(dtype, count, seed + 1);
  const [weight, bias] = [filled(dtype, c, seed + 2), filled(dtype, c, seed + 3)];
  return hashes((index) => {
    const shift = index * 3 + 1;
    const [y, dx] = [fresh(dtype, count, shift), fresh(dtype, count, shift + 4)];
    const [dweight, dbias] = [fresh(dtype, c, shift), fresh(dtype, c, shift)];
    const [mean, variance] = [fresh(dtype, c).fill(0), fresh(dtype, c).fill(1)];
    const saved = new Float64Array(3 * c);
    const kept = [mean, variance, saved, false, true, 0.1, 1e-5, false] as const;
    addon.batchNormForward(x, y, n, c, l, weight, bias, ...kept);
    const gradients = [saved, dx, dweight, dbias, false, false] as const;
    addon.batchNormBackward(x, dy, 0, n, c, l, weight, bias, ...gradients);
    return hash(y, mean, variance, saved, dx, dweight, dbias);
  });
}

/** Half of them (N, C), half (N, C, L); most large enough for threads to take part. */
function randomShapes(): Shape[] {
  const size = sizesFrom(99);
  const shapes: Shape[] = [];
  while (shapes.length < SHAPES) {
    const l = shapes.length % 4 < 2 ? 1 : size(1, 3000);
    const shape = [size(2, 5000), size(1, 1031), l] as const;
    const count = shape[0] * shape[1] * l;
    const enough = shapes.length % 8 === 7 ? 2 : 32_768;
    if (count >= enough && count <= LARGEST) shapes.push(shape);
  }
  return shapes;
}

describe('batch normalisation has one hash per shape', () => {
  const shapes = randomShapes();
  const tenths = Array.from({ length: 10 }, (_, i) => i);

  test.each(tenths)('random shapes, tenth %d', (tenth) => {
    for (let i = tenth; i < SHAPES; i += 10) {
      const dtype = i % 20 < 10 ? 'float32' : 'float64';
      const shape = shapes[i]!;
      const seen = batchNormHashes(dtype, shape, i);
      expect(seen.size, `hashes of ${dtype} [${shape.join(', ')}]`).toBe(1);
    }
  });

  test('the random shapes are what they are meant to be', () => {
    const counts = shapes.map(([n, c, l]) => n * c * l);
    expect(counts.filter((count) => count >= 65_536).length).toBeGreaterThan(SHAPES / 2);
    expect(shapes.filter(([, , l]) => l > 1).length).toBeGreaterThan(SHAPES / 3);
    expect(shapes.filter(([, c]) => c < 8).length).toBeGreaterThan(10);
  });

  test.each([
    ['float32', [8448, 528, 1]],
    ['float32', [8700, 509, 1]],
    ['float32', [32, 67, 2061]],
    ['float64', [3, 5, 140_003]],
  ] as const)('streamed: %s %j', (dtype, shape) => {
    const count = shape[0] * shape[1] * shape[2];
    expect(count * (dtype === 'float32' ? 4 : 8)).toBeGreaterThanOrEqual(2 ** 24);
    expect(count).toBeLessThanOrEqual(STREAMED);
    expect(batchNormHashes(dtype, shape, 5).size).toBe(1);
  });

  test('evaluation', () => {
    for (const [n, c, l] of [
      [3000, 65, 1],
      [70, 33, 129],
      [2, 3, 40_001],
    ] as const) {
      const [x, y] = [filled('float32', n * c * l, 3, 5), fresh('float32', n * c * l)];
      const [mean, variance] = [filled('float32', c, 1), filled('float32', c, 2).map(Math.abs)];
      const seen = hashes(() => {
        y.fill(NaN);
        const rest = [null, null, mean, variance, null, true, false, 0, 1e-5, false] as const;
        addon.batchNormForward(x, y, n, c, l, ...rest);
        return hash(y);
      });
      expect(seen.size, `hashes of [${n}, ${c}, ${l}]`).toBe(1);
    }
  });
});

describe.each(['float32', 'float64'] as const)('%s: the other kernels have one hash', (dtype) => {
  test('matmul, all transposes', () => {
    for (const [m, n, k] of [
      [301, 257, 129],
      [1, 1000, 700],
      [67, 1031, 519],
    ] as const) {
      const [a, b, bias] = [filled(dtype, m * k, 1), filled(dtype, k * n, 2), filled(dtype, n, 3)];
      for (const [left, right] of [
        [false, false],
        [false, true],
        [true, false],
        [true, true],
      ] as const) {
        const seen = hashes((index) => {
          const c = fresh(dtype, m * n, index);
          addon.matmul(a, b, bias, c, m, n, k, left, right);
          return hash(c);
        });
        expect(seen.size, `hashes of [${m}, ${n}, ${k}] ${left} ${right}`).toBe(1);
      }
    }
  });

  test('cross-entropy', () => {
    const uniform = uniformFrom(5);
    for (const [rows, classes] of [
      [5000, 10],
      [97, 1031],
      [3, 70_000],
    ] as const) {
      const logits = filled(dtype, rows * classes, 4).map((value) => value * 8);
      const targets = Int32Array.from({ length: rows }, () => Math.floor(uniform() * classes));
      const seen = hashes((index) => {
        const [p, dx] = [fresh(dtype, logits.length, index), fresh(dtype, logits.length, index)];
        const out = new Float64Array(3);
        addon.crossEntropy(logits, targets, new Int32Array(rows), p, rows, classes, -100, out);
        addon.crossEntropyBackward(p, targets, dx, rows, classes, -100, 1 / rows);
        return hash(p, out, dx);
      });
      expect(seen.size, `hashes of [${rows}, ${classes}]`).toBe(1);
    }
  });

  test.each([40_000, 65_536, 200_003])('element by element and sums, %d elements', (n) => {
    const [a, b] = [filled(dtype, n, 6), filled(dtype, n, 8)];
    const [columns, rows] = [1003, Math.floor(n / 1003)];
    const seen = hashes((index) => {
      const outputs = Array.from({ length: 9 }, () => fresh(dtype, n, index));
      const [dropped, uniform, relu, gated, sum, product, scaled, error, parameter] = outputs as [
        Floats,
        Floats,
        Floats,
        Floats,
        Floats,
        Floats,
        Floats,
        Floats,
        Floats,
      ];
      const [m, v, sums] = [
        fresh(dtype, n).fill(0),
        fresh(dtype, n).fill(0),
        fresh(dtype, columns),
      ];
      addon.dropout(a, dropped, n, 0.3, 17, 2 ** 33);
      addon.uniform(uniform, n, -1, 3, 17, 5);
      addon.relu(a, relu, n);
      addon.reluBackward(relu, b, gated, n);
      addon.add(a, b, sum, n);
      addon.multiply(a, b, product, n);
      addon.scale(a, 0.7, scaled, n);
      addon.squaredErrorBackward(a, b, 0.1, error, n);
      parameter.set(a);
      addon.sgdStep(parameter, b, m, n, 0.1, 0.9, 0, 0.01, true, false, true);
      addon.adamStep(parameter, b, m, v, n, 0.1, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.03, true, false);
      addon.columnSums(a.subarray(0, rows * columns), sums, rows, columns);
      return hash(...outputs, m, v, sums, addon.sum(a, n), addon.mean(a, n), addon.squaredError(a, b, n), addon.meanSquaredError(a, b, n));
    });
    expect(seen.size).toBe(1);
  });

  test.each([40_000, 200_003])('the other optimisers, %d elements', (n) => {
    const [g, b] = [filled(dtype, n, 6), filled(dtype, n, 8)];
    const seen = hashes((index) => {
      const state = Array.from({ length: 5 }, () => fresh(dtype, n, index).fill(0));
      const [p, s, m, mean, out] = state as [Floats, Floats, Floats, Floats, Floats];
      p.set(b);
      addon.rmspropStep(p, g, s, m, mean, n, 0.1, 0.9, 1e-3, 0.01, 0.8, false);
      addon.adagradStep(p, g, s, n, 0.1, 1e-10, 0.01, false);
      addon.nadamStep(p, g, m, s, n, 0.1, 0.9, 0.99, 1e-8, 0.01, 0.3, 0.05, 0.07, true, false);
      addon.larsStep(p, g, m, n, 0.1, 0.9, 0.01, 0.3, false);
      addon.lerp(p, g, 0.3, out, n);
      addon.clipValues(out, 0.5, out, n);
      const norms = [1, 2, Infinity].map((type) => addon.normPart(p, n, type));
      return hash(...state, ...norms, addon.nadamMomentum(0.9, 0.004, 17));
    });
    expect(seen.size).toBe(1);
  });

  test('losses', () => {
    const [n, classes] = [120_003, 3];
    const [x, t] = [filled(dtype, n, 6), filled(dtype, n, 8).map(Math.abs)];
    const targets = Int32Array.from({ length: n / classes }, (_, i) => i % classes);
    const seen = hashes((index) => {
      const results: (Floats | number)[] = [];
      for (let kind = 0; kind < 8; kind++) {
        const out = fresh(dtype, n, index);
        results.push(addon.lossSum(x, t, null, null, kind, n, 0.5, n), out);
        addon.lossGradients(x, t, null, null, kind, n, 0.5, false, null, 0.1, out);
      }
      const rows = n / classes;
      const [lse, loss, out] = [new Float64Array(rows), fresh(dtype, rows, index), new Float64Array(2)];
      const labels = new Int32Array(rows);
      const [dx, dt] = [fresh(dtype, n, index), fresh(dtype, n, index)];
      addon.rowLosses(x, targets, labels, null, rows, classes, -100, 0.1, lse, loss, out);
      addon.rowGradients(x, t, null, rows, classes, false, -100, 0.1, lse, loss, 0.5, dx, dt);
      return hash(...results, lse, loss, out, dx, dt);
    });
    expect(seen.size).toBe(1);
  });

  test('losses of rows and pairs', () => {
    const [rows, size] = [3001, 40];
    const n = rows * size;
    const [a, b, c] = [1, 2, 3].map((seed) => filled(dtype, n, seed)) as [Floats, Floats, Floats];
    const targets = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i % size));
    const signs = Int32Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? -1 : 1));
    const weight = Float64Array.from({ length: size }, (_, i) => 0.1 + (i % 3));
    const seen = hashes((index) => {
      const out = new Float64Array(2);
      const sums = new Float64Array(3 * rows);
      const [y, dx, db, dc] = [rows, n, n, n].map((length) => fresh(dtype, length, index)) as [
        ...[Floats, Floats, Floats, Floats],
      ];
      const results: (Floats | number)[] = [];
      const note = (...values: (Floats | number)[]): void => {
        results.push(...values.map((each) => (typeof each === 'number' ? each : each.slice())));
      };
      const labels = new Int32Array(rows);
      addon.nllLosses(a, targets, labels, weight, rows, size, 1, -100, y, out);
      addon.nllGradients(dx, labels, weight, rows, size, 1, -100, y, 0.5);
      note(y, out, dx, addon.firstOutside(a, n, -2, 2));
      addon.cosines(a, b, y, sums, rows, size, 1e-8);
      addon.cosineGradients(a, b, sums, y, rows, size, 1e-8, dx, db);
      note(y, sums, dx, db);
      note(addon.embeddingLosses(a, b, signs, rows, size, 0.1, sums, y));
      addon.embeddingGradients(a, b, signs, rows, size, 0.1, sums, y, 0.5, dx, db);
      note(y, sums, dx, db);
      for (const squares of [false, true]) {
        const how = [rows, size, 1, 1e-6, squares, true, sums] as const;
        note(addon.tripletLosses(a, b, c, ...how, y));
        addon.tripletGradients(a, b, c, ...how, y, 0.5, dx, db, dc);
        note(y, sums, dx, db, dc);
      }
      return hash(...results);
    });
    expect(seen.size).toBe(1);
  });

  test('random words', () => {
    const seen = hashes(() => {
      const words = new Uint32Array(100_001);
      addon.randomWords(words, words.length, 3, 4);
      return createHash('sha256').update(words).digest('hex');
    });
    expect(seen.size).toBe(1);
  });
});
