// The one source of random numbers: a counter-based stream (Philox4x32-10, in the addon) of which
// each user takes the next stretch. The same seed gives the same numbers on any machine and any
// thread count.
import { randomInt } from 'node:crypto';

import * as check from '../check/index.js';
import { addon } from '../addon/control.js';

/** A stretch of the stream: its key and its first counter. A counter makes 4 words of 32 bits. */
export interface Stretch {
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
export function randomState(): Stretch {
  return { key, offset: next };
}

/** The stream goes on from where `randomState` was taken. */
export function restoreRandomState(state: Stretch): void {
  key = state.key;
  next = state.offset;
}

/** Words come in groups of 64 (kRandomGroup in native/kernels/kernels.h): 16 counters. */
const GROUP_WORDS = 64;
const GROUP_COUNTERS = 16;

/** Takes the counters for `words` random words: whole groups. */
export function takeStretch(words: number): Stretch {
  const stretch = { key, offset: next };
  next += Math.ceil(words / GROUP_WORDS) * GROUP_COUNTERS;
  return stretch;
}

/** Fills `out` with uniform numbers in [low, high). */
export function fillUniform(out: Float32Array | Float64Array, low: number, high: number): void {
  const { key: from, offset } = takeStretch(out.length);
  addon.uniform(out, out.length, low, high, from, offset);
}

/** A random order of 0 … n - 1 (Fisher & Yates; n below 2^32, bias below n / 2^32). */
export function permutation(n: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const words = new Uint32Array(n);
  const { key: from, offset } = takeStretch(n);
  addon.randomWords(words, n, from, offset);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(((words[i] ?? 0) / 2 ** 32) * (i + 1));
    const kept = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = kept;
  }
  return order;
}
