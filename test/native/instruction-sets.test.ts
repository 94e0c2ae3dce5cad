// Every instruction set equals scalar bit for bit, at every length and misalignment, and touches nothing
// outside its arguments: the bytes around them are NaN before the call and the same bytes after it.
import { afterEach, describe, expect, test } from 'vitest';

import { addon } from '../../src/addon/control.js';
import { normalFrom } from '../helpers/random.js';
import { Arena, type Dtype, type Floats } from './arena.js';
import type { KernelCase } from './kernel-case.js';
import { batchNormCases, nullableCases } from './kernels-batchnorm.js';
import { pairCases } from './kernels-pairs.js';
import { pointwiseCases, reductionCases } from './kernels-pointwise.js';
import { convolutionCases, elementwiseCases, matmulCases, optimizerCases, rowCases } from './kernels.js';

const isas = addon.availableIsas();
const initial = addon.isa();
const others = isas.filter((name) => name !== 'scalar');
const dtypes: readonly Dtype[] = ['float32', 'float64'];
const normal = normalFrom(20240607);
const values = Float64Array.from({ length: 9973 }, normal);

function pin(name: string): void {
  if (!addon.selectIsa(name) || addon.isa() !== name) throw new Error(`${name} did not take`);
}

/** All misalignments within a 64-byte line, in elements. */
function misalignments(dtype: Dtype, step = 1): number[] {
  const count = dtype === 'float32' ? 16 : 8;
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
}

/** Runs one case at all its sizes; returns how many instruction set results were compared with scalar's. */
function compare(kernel: KernelCase, dtype: Dtype, shifts: readonly number[]): number {
  let compared = 0;
  for (const shift of shifts) {
    const arena = new Arena(dtype, shift, values);
    for (const sizes of kernel.sizes) {
      const where = `${kernel.name} ${dtype} [${sizes.join(', ')}], ${shift} elements past a line`;
      const call = kernel.prepare(arena.reset(), sizes);
      const before = arena.snapshot();
      pin('scalar');
      const result = call();
      const faults = arena.faults(before);
      if (faults.length > 0) throw new Error(`${where}, scalar: ${faults.join('; ')}`);
      const expected = arena.snapshot();
      for (const isa of others) {
        arena.restore(before);
        pin(isa);
        if (!Object.is(call(), result) || !arena.equals(expected)) {
          throw new Error(`${where}: ${isa} differs from scalar at byte ${at(arena, expected)}`);
        }
        compared++;
      }
      if (result !== undefined && !Number.isFinite(result)) throw new Error(`${where}: ${result}`);
    }
  }
  return compared;
}

function at(arena: Arena, expected: Buffer): string {
  const index = expected.findIndex((byte, i) => byte !== arena.bytes[i]);
  return index < 0 ? 'none: the returned number differs' : String(index);
}

function sameBits(a: Floats, b: Floats): boolean {
  const bytes = (view: Floats): Buffer =>
    Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return bytes(a).equals(bytes(b));
}

afterEach(() => pin(initial));

test('the list of instruction sets ends with scalar, and a pinned instruction set is the one in force', () => {
  expect(isas.at(-1)).toBe('scalar');
  for (const isa of isas) {
    pin(isa);
    expect(addon.isa()).toBe(isa);
  }
});

test('an unknown instruction set does not take and changes nothing', () => {
  expect(addon.selectIsa('avx1024')).toBe(false);
  expect(addon.isa()).toBe(initial);
});

describe.each(dtypes)('%s: instruction sets equal scalar', (dtype) => {
  const all = misalignments(dtype);
  const few = misalignments(dtype, 5);
  const groups: readonly [string, readonly KernelCase[], readonly number[]][] = [
    ['batch normalisation', batchNormCases(addon), all],
    ['its nullable arguments', nullableCases(addon), few],
    ['matmul', matmulCases(addon), few],
    ['convolutions', convolutionCases(addon), few],
    ['element by element, sums, random numbers', elementwiseCases(addon), all],
    ['the pointwise operations', pointwiseCases(addon), misalignments(dtype, 7)],
    ['reductions and softmax', reductionCases(addon), few],
    ['rows', rowCases(addon), all],
    ['pairs', pairCases(addon), all],
    ['optimiser steps', optimizerCases(addon), all],
  ];

  test.each(groups)('%s', (_, cases, shifts) => {
    let compared = 0;
    for (const kernel of cases) compared += compare(kernel, dtype, shifts);
    const calls = cases.reduce((count, kernel) => count + kernel.sizes.length, 0) * shifts.length;
    expect(compared).toBe(calls * others.length);
  });
});

describe.each(dtypes)('%s: in place equals out of place', (dtype) => {
  test.each(isas)('batch normalisation, %s', (isa) => {
    pin(isa);
    for (const shift of misalignments(dtype, 3)) {
      const arena = new Arena(dtype, shift, values);
      for (const [n = 0, c = 0, l = 0] of batchNormCases(addon)[0]!.sizes) {
        for (const usedRunning of [false, true]) {
          arena.reset();
          const size = n * c * l;
          const [x, dy, y, dx] = [
            arena.input(size),
            arena.input(size),
            arena.output(size),
            arena.output(size),
          ];
          const [w, b, mean] = [arena.input(c), arena.input(c), arena.input(c)];
          const variance = arena.input(c, (value) => 1 + Math.abs(value));
          const saved = arena.doublesOut(3 * c);
          const rest = [mean, variance, saved, usedRunning, false, 0, 1e-5, false] as const;
          const backward = (to: typeof dx): void => {
            const into = [saved, to, null, null, usedRunning, false] as const;
            addon.batchNormBackward(x, dy, 0, n, c, l, w, null, ...into);
          };
          addon.batchNormForward(x, y, n, c, l, w, b, ...rest);
          backward(dx);
          backward(dy);
          addon.batchNormForward(x, x, n, c, l, w, b, ...rest);
          const where = `[${n}, ${c}, ${l}], ${shift} elements past a line`;
          if (!sameBits(x, y)) throw new Error(`y differs in place, ${where}`);
          if (!sameBits(dy, dx)) throw new Error(`dx differs in place, ${where}`);
        }
      }
    }
  });

  test.each(isas)('element by element, %s', (isa) => {
    pin(isa);
    for (const shift of misalignments(dtype)) {
      const arena = new Arena(dtype, shift, values);
      for (let n = 0; n < 68; n++) {
        arena.reset();
        const [a, b, out] = [arena.input(n), arena.input(n), arena.output(n)];
        const check = (name: string, target: Floats, run: (into: Floats) => void): void => {
          const before = target.slice();
          run(out);
          run(target);
          if (!sameBits(target, out)) throw new Error(`${name} differs in place at length ${n}`);
          target.set(before);
        };
        check('relu', a, (y) => addon.relu(a, y, n));
        check('reluBackward', b, (y) => addon.reluBackward(a, b, y, n));
        check('add', a, (y) => addon.add(a, b, y, n));
        check('multiply', b, (y) => addon.multiply(a, b, y, n));
        check('scale', a, (y) => addon.scale(a, 3, y, n));
        check('dropout', a, (y) => addon.dropout(a, y, n, 0.4, 1, 2));
        check('squaredErrorBackward', a, (y) => addon.squaredErrorBackward(a, b, 2, y, n));
      }
    }
  });
});
