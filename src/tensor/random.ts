// The one source of random numbers: a counter-based stream (Philox4x32-10, in the addon) of which
// each user takes the next range. The same seed gives the same numbers on any machine and any
// thread count.
import { randomInt } from 'node:crypto';

import * as check from '../check/index.js';
import { addon } from '../addon/control.js';

/** A range of the stream: its key and its first counter. A counter makes 4 words of 32 bits. */
export interface StreamRange {
  readonly key: number;
  readonly offset: number;
}

let key = randomInt(2 ** 48 - 1);
let next = 0;

/**
 * Makes initialisation, dropout and shuffling reproducible from here on.
 *
 * @param seed - A whole number from 0 to 2^53 - 1.
 */
export function manualSeed(seed: number): void {
  key = check.wholeNumber('manualSeed', 'seed', seed, 0);
  next = 0;
}

/** Where the stream is: to go on from there later. */
export function randomState(): StreamRange {
  return { key, offset: next };
}

/** The stream goes on from where `randomState` was taken. */
export function restoreRandomState(state: StreamRange): void {
  key = state.key;
  next = state.offset;
}

/** Words come in groups of 64 (kRandomGroup in native/kernels/kernels.h): 16 counters. */
const GROUP_WORDS = 64;
const GROUP_COUNTERS = 16;

/** Takes the counters for `words` random words: whole groups. */
export function takeRange(words: number): StreamRange {
  const range = { key, offset: next };
  next += Math.ceil(words / GROUP_WORDS) * GROUP_COUNTERS;
  return range;
}

/**
 * The part of a range that several processes take together, one after the other by rank: with the numbers of one process,
 * where each part but the last is of whole groups.
 */
export function takePartOfRange(words: readonly number[], rank: number): StreamRange {
  const counters = words.map((each) => Math.ceil(each / GROUP_WORDS) * GROUP_COUNTERS);
  const sum = (parts: readonly number[]): number => parts.reduce((all, each) => all + each, 0);
  const range = { key, offset: next + sum(counters.slice(0, rank)) };
  next += sum(counters);
  return range;
}

/** Fills `out` with uniform numbers in [low, high). */
export function fillUniform(out: Float32Array | Float64Array, low: number, high: number): void {
  const { key: from, offset } = takeRange(out.length);
  addon.uniform(out, out.length, low, high, from, offset);
}

/**
 * Fills `out` with normal numbers: Marsaglia's polar method, whose logarithm is a sum of products here, because an
 * engine's own has other bits elsewhere. Two words of 32 bits make one uniform number.
 */
export function fillNormal(
  out: Float32Array | Float64Array,
  mean: number,
  deviation: number,
): void {
  const n = out.length;
  for (let at = 0; at < n;) {
    // Of pairs 21 % fall outside of the circle.
    const pairs = Math.ceil((n - at) * 0.66) + 8;
    const words = new Uint32Array(pairs * 4);
    const { key: from, offset } = takeRange(words.length);
    addon.randomWords(words, words.length, from, offset);
    for (let i = 0; i < words.length && at < n; i += 4) {
      const u = signedUnit(words[i]!, words[i + 1]!);
      const v = signedUnit(words[i + 2]!, words[i + 3]!);
      const square = u * u + v * v;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * logarithm(square)) / square);
      out[at++] = mean + deviation * (u * factor);
      if (at < n) out[at++] = mean + deviation * (v * factor);
    }
  }
}

/** Uniform in (-1, 1), 53 bits. */
function signedUnit(high: number, low: number): number {
  return (((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53) * 2 - 1 + 2 ** -53;
}

/** log x for 0 < x < 1: x = 2^-k m with m in [2/3, 4/3), log m = 2 atanh((m - 1) / (m + 1)) by its series. */
function logarithm(x: number): number {
  let [m, k] = [x, 0];
  for (; m < 2 / 3; k--) m *= 2;
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum = 0;
  for (let n = 27; n >= 1; n -= 2) sum = sum * square + 1 / n;
  return k * Math.LN2 + 2 * s * sum;
}

/** A uniform number in [0, 1), 53 bits, for each of `count`. */
export function uniforms(count: number): Float64Array {
  const words = new Uint32Array(2 * count);
  const { key: from, offset } = takeRange(words.length);
  addon.randomWords(words, words.length, from, offset);
  return Float64Array.from(
    { length: count },
    (_, i) => ((words[2 * i]! >>> 5) * 2 ** 26 + (words[2 * i + 1]! >>> 6)) / 2 ** 53,
  );
}

/** A random order of 0 … n - 1 (Fisher & Yates; n below 2^32, bias below n / 2^32). */
export function permutation(n: number): Uint32Array {
  return permutationBy(n, takeRange(n));
}

/** Such an order that a seed and an epoch alone decide; nothing of the stream is taken. */
export function seededPermutation(n: number, seed: number, epoch: number): Uint32Array {
  return permutationBy(n, { key: seed, offset: epoch * 2 ** 31 });
}

function permutationBy(n: number, { key: from, offset }: StreamRange): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const words = new Uint32Array(n);
  addon.randomWords(words, n, from, offset);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(((words[i] ?? 0) / 2 ** 32) * (i + 1));
    const kept = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = kept;
  }
  return order;
}
