// The kernels besides BatchNorm against plain JavaScript: with whole numbers, where every order of
// summation gives the same value, or one Math.fround per operation. Every instruction set: instruction-sets.test.ts
// carries what holds for one over to the others.
import { describe, expect, test } from 'vitest';

import { addon } from '../../src/addon/control.js';
import { normals32, uniformFrom } from '../helpers/random.js';
import type { Dtype, Floats } from './arena.js';

const dtypes: readonly Dtype[] = ['float32', 'float64'];
const lengths = [...Array.from({ length: 68 }, (_, i) => i), 255, 1000, 16_385, 40_000];

function array(dtype: Dtype, length: number, at: (i: number) => number = () => NaN): Floats {
  const from = { length };
  const fill = (_: unknown, i: number): number => at(i);
  return dtype === 'float32' ? Float32Array.from(from, fill) : Float64Array.from(from, fill);
}

/** Whole numbers from -9 to 9. */
function whole(dtype: Dtype, length: number, seed: number): Floats {
  const uniform = uniformFrom(seed);
  return array(dtype, length, () => Math.floor(uniform() * 19) - 9);
}

function total(count: number, of: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += of(i);
  return sum;
}

function words(n: number, key: number, offset: number): Uint32Array {
  const out = new Uint32Array(n);
  addon.randomWords(out, n, key, offset);
  return out;
}

describe.each(dtypes)('%s', (dtype) => {
  const rounded = dtype === 'float32' ? Math.fround : Number;

  test('matmul', () => {
    const sizes = [
      ...lengths.slice(1, 68).flatMap((s) => [
        [s, 5, 3],
        [3, s, 2],
        [2, 3, s],
      ]),
      ...[255, 256, 257, 513, 700].map((k) => [13, 35, k]),
      [70, 600, 40],
      [5, 7, 0],
    ];
    for (const [m = 0, n = 0, k = 0] of sizes) {
      const [a, b, bias] = [whole(dtype, m * k, 1), whole(dtype, k * n, 2), whole(dtype, n, 3)];
      for (const [left, right] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const) {
        const c = array(dtype, m * n);
        addon.matmul(a, b, left ? bias : null, c, m, n, k, left, right);
        const expected = array(dtype, m * n, (at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          let sum = left ? bias[j]! : 0;
          for (let p = 0; p < k; p++) {
            sum += a[left ? p * m + i : i * k + p]! * b[right ? j * k + p : p * n + j]!;
          }
          return sum;
        });
        const bad = c.findIndex((value, i) => value !== expected[i]);
        expect(bad, `[${m}, ${n}, ${k}] ${left} ${right}`).toBe(-1);
      }
    }
  });

  test('column sums', () => {
    for (const [rows, columns] of [
      ...lengths.slice(0, 68).flatMap((s) => [
        [s, 3],
        [5, s],
      ]),
      [900, 1031],
    ]) {
      const x = whole(dtype, rows! * columns!, 4);
      const sums = array(dtype, columns!);
      addon.columnSums(x, sums, rows!, columns!);
      const expected = array(dtype, columns!, (j) => {
        let sum = 0;
        for (let i = j; i < x.length; i += columns!) sum += x[i]!;
        return sum;
      });
      expect(sums.every((value, i) => value === expected[i])).toBe(true);
    }
  });

  test('sum and squared error', () => {
    for (const n of lengths) {
      const [a, b] = [whole(dtype, n, 5), whole(dtype, n, 6)];
      expect(addon.sum(a, n)).toBe(total(n, (i) => a[i]!));
      expect(addon.squaredError(a, b, n)).toBe(total(n, (i) => (a[i]! - b[i]!) ** 2));
    }
  });

  test('element by element', () => {
    for (const n of lengths) {
      const seed = n + 1;
      const [a, b] = [array(dtype, n), array(dtype, n)];
      normals32(seed, n).forEach((value, i) => (a[i] = i % 11 === 3 ? NaN : value));
      normals32(seed + 1, n).forEach((value, i) => (b[i] = i % 13 === 5 ? -0 : value));
      const check = (name: string, run: (out: Floats) => void, of: (i: number) => number): void => {
        const out = array(dtype, n, () => 77);
        run(out);
        const bad = out.findIndex((value, i) => !Object.is(value, rounded(of(i))));
        expect(bad, `${name}, length ${n}`).toBe(-1);
      };
      const nanOr = (i: number, value: number) => (Number.isNaN(a[i]) ? NaN : value);
      check(
        'relu',
        (y) => addon.relu(a, y, n),
        (i) => nanOr(i, a[i]! < 0 ? 0 : a[i]!),
      );
      check(
        'reluBackward',
        (y) => addon.reluBackward(a, b, y, n),
        (i) => (a[i]! <= 0 ? 0 : b[i]!),
      );
      check(
        'add',
        (y) => addon.add(a, b, y, n),
        (i) => a[i]! + b[i]!,
      );
      check(
        'multiply',
        (y) => addon.multiply(a, b, y, n),
        (i) => a[i]! * b[i]!,
      );
      check(
        'scale',
        (y) => addon.scale(b, 0.3, y, n),
        (i) => b[i]! * rounded(0.3),
      );
      check(
        'squaredErrorBackward',
        (y) => addon.squaredErrorBackward(a, b, 0.7, y, n),
        (i) => rounded(a[i]! - b[i]!) * rounded(0.7),
      );
      const random = words(n, 8, 9);
      const keep = rounded(1 / (1 - 0.3));
      check(
        'dropout',
        (y) => addon.dropout(b, y, n, 0.3, 8, 9),
        (i) => (random[i]! < Math.floor(0.3 * 2 ** 32) ? 0 : b[i]! * keep),
      );
      check(
        'dropout of all',
        (y) => addon.dropout(b, y, n, 1, 8, 9),
        () => 0,
      );
      const span = rounded(rounded(1.9) - rounded(-0.7));
      check(
        'uniform',
        (y) => addon.uniform(y, n, -0.7, 1.9, 8, 9),
        (i) => rounded(-0.7) + rounded(span * ((random[i]! >>> 8) / 2 ** 24)),
      );
    }
  });

  test('cross-entropy', () => {
    const unit = dtype === 'float32' ? 2 ** -24 : 2 ** -50;
    for (const [rows, classes] of [
      [1, 1],
      [7, 10],
      [64, 67],
      [3, 5000],
      [2000, 3],
    ] as const) {
      const normal = normals32(rows + classes, rows * classes);
      const logits = array(dtype, rows * classes, (i) => normal[i]! * 30);
      const targets = Int32Array.from({ length: rows }, (_, i) =>
        i % 5 === 4 ? -100 : (i * 7) % classes,
      );
      const [p, dx, out] = [
        array(dtype, rows * classes),
        array(dtype, rows * classes),
        new Float64Array(3),
      ];
      addon.crossEntropy(logits, targets, new Int32Array(rows), p, rows, classes, -100, out);
      addon.crossEntropyBackward(p, targets, dx, rows, classes, -100, 0.5);
      let [loss, counted] = [0, 0];
      for (let row = 0; row < rows; row++) {
        const of = logits.subarray(row * classes, (row + 1) * classes);
        const largest = Math.max(...of);
        const whole = total(classes, (j) => Math.exp(of[j]! - largest));
        const ignored = targets[row] === -100;
        if (!ignored) {
          loss += Math.log(whole) - (of[targets[row]!]! - largest);
          counted++;
        }
        of.forEach((value, j) => {
          const at = row * classes + j;
          const expected = Math.exp(value - largest) / whole;
          expect(Math.abs(p[at]! - expected)).toBeLessThanOrEqual(4 * unit * expected + 2 ** -149);
          const gradient = ignored ? 0 : (p[at]! - (j === targets[row] ? 1 : 0)) * 0.5;
          expect(dx[at]).toBe(rounded(gradient));
        });
      }
      expect(out[1]).toBe(counted);
      expect(Math.abs(out[0]! - loss)).toBeLessThanOrEqual(2 ** -48 * Math.abs(loss));
    }
  });
});

test('the gradient of nllLoss is 0 but at its targets, whatever was in its memory', () => {
  const dx = new Float32Array(6).fill(7);
  addon.nllGradients(dx, Int32Array.of(2, 0), null, 2, 3, 1, -100, null, 0.5);
  expect([...dx]).toEqual([0, 0, -0.5, -0.5, 0, 0]);
});

test('the bare pass that reads an array reads all of it, however many parts it has', () => {
  const n = 65 * 2 ** 16 + 3;
  const target = new Float32Array(n);
  addon.bareCopy(new Float32Array(n).fill(1), target, n);
  expect([addon.bareRead(target, n), target.indexOf(0)]).toEqual([n, -1]);
});
