// The random stream against the published known answers of Philox4x32-10 (Random123, kat_vectors), and
// what it promises: a range depends on its key and place alone.
import { describe, expect, it } from 'vitest';

import { addon } from '../../src/addon/control.js';
import { fillUniform, manualSeed, permutation, takeRange } from '../../src/tensor/random.js';

function words(count: number, key: number, offset: number): Uint32Array {
  const out = new Uint32Array(count);
  addon.randomWords(out, count, key, offset);
  return out;
}

/** The four words of one counter: word w of counter b is word 16 w + b of its group. */
function counterWords(key: number, counter: number): number[] {
  const group = words(64, key, counter);
  return [0, 16, 32, 48].map((at) => group[at] ?? NaN);
}

describe('Philox4x32-10', () => {
  it('gives the known answer for counter 0 and key 0', () => {
    expect(counterWords(0, 0)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  });

  it('gives the same words for every instruction set, wherever the range is cut', () => {
    const isa = addon.isa();
    const whole = words(1000, 42, 16);
    for (const isa of addon.availableIsas()) {
      expect(addon.selectIsa(isa)).toBe(true);
      expect(words(1000, 42, 16)).toEqual(whole);
      expect(words(1000 - 128, 42, 16 + 32)).toEqual(whole.subarray(128));
      for (let count = 0; count <= 67; count++) {
        expect(words(count, 42, 16)).toEqual(whole.subarray(0, count));
      }
    }
    addon.selectIsa(isa);
  });
});

describe('the generator', () => {
  it('hands out ranges that do not overlap: whole groups of 64 words, 16 counters', () => {
    manualSeed(7);
    const starts = [1, 64, 65, 0, 1].map((count) => takeRange(count).offset);
    expect(starts).toEqual([0, 16, 32, 64, 64]);
  });

  it('draws uniform numbers in [low, high) with the right mean and variance', () => {
    manualSeed(1);
    const n = 100_000;
    const out = new Float64Array(n);
    fillUniform(out, -2, 6);
    const mean = out.reduce((a, b) => a + b, 0) / n;
    const variance = out.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
    expect(Math.min(...out.subarray(0, 50_000))).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...out.subarray(0, 50_000))).toBeLessThan(6);
    // Standard errors: 8 / sqrt(12 n) = 0.0073 and 64 / 12 * sqrt(0.8 / n) = 0.0151; 5 of each.
    expect(Math.abs(mean - 2)).toBeLessThan(0.0365);
    expect(Math.abs(variance - 64 / 12)).toBeLessThan(0.0755);
  });

  it('permutes: every index once, another order each time, the same for the same seed', () => {
    manualSeed(3);
    const first = permutation(1000);
    const second = permutation(1000);
    manualSeed(3);
    expect(permutation(1000)).toEqual(first);
    expect(second).not.toEqual(first);
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it('refuses a seed that is no whole number', () => {
    expect(() => {
      manualSeed(1.5);
    }).toThrow(
      new RangeError('manualSeed: expected seed to be a whole number of at least 0, got 1.5.'),
    );
  });
});
