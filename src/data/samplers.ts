// In which order a loader takes samples: what is iterable, and gives indices anew each time.
import * as check from '../check/index.js';
import { permutation, uniforms } from '../tensor/random.js';

/** Indices, anew each time it is iterated. */
export interface Sampler extends Iterable<number> {
  /** How many. */
  readonly length: number;
}

/** @internal Under which a sampler says which rows [begin, end) of a batch this process gets. */
export const SHARE_OF_BATCH = Symbol('shareOfBatch');

/** What has a number of samples: a data set, an array. */
export interface Sized {
  readonly length: number;
}

/** Number of samples; a loader draws orders of fewer than 2^32. */
export function samplesIn(who: string, source: Sized): number {
  if (typeof source !== 'object' || (source as unknown) === null) {
    throw check.wrongKind(who, 'a data set', source);
  }
  return check.wholeNumber(who, "the data set's length", source.length, 0, 2 ** 32 - 1);
}

/** The indices of a data set in their order: 0, 1, 2, … */
export class SequentialSampler implements Sampler {
  readonly #source: Sized;

  constructor(source: Sized) {
    samplesIn('SequentialSampler', source);
    this.#source = source;
  }

  get length(): number {
    return samplesIn('SequentialSampler', this.#source);
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let i = 0; i < this.length; i++) yield i;
  }
}

export interface RandomSamplerOptions {
  /** Whether a sample may come again before all have come. Default false. */
  replacement?: boolean | undefined;
  /** How many. Default: as many as there are; more only with replacement. */
  numSamples?: number | undefined;
}

/**
 * A random order, anew each time.
 *
 * @example
 * ```ts
 * [...new data.RandomSampler([5, 6, 7])].sort(); // => [0, 1, 2]
 * ```
 */
export class RandomSampler implements Sampler {
  readonly #source: Sized;
  readonly #replacement: boolean;
  readonly #numSamples: number | undefined;

  constructor(source: Sized, options: RandomSamplerOptions = {}) {
    const who = 'RandomSampler';
    const samples = samplesIn(who, source);
    check.options(who, options, ['replacement', 'numSamples']);
    const { replacement = false, numSamples } = options;
    this.#source = source;
    this.#replacement = check.boolean(who, 'replacement', replacement);
    const most = replacement ? 2 ** 32 - 1 : samples;
    if (numSamples !== undefined) check.wholeNumber(who, 'numSamples', numSamples, 0, most);
    this.#numSamples = numSamples;
  }

  get length(): number {
    return this.#numSamples ?? samplesIn('RandomSampler', this.#source);
  }

  *[Symbol.iterator](): Iterator<number> {
    const samples = samplesIn('RandomSampler', this.#source);
    if (!this.#replacement) {
      yield* permutation(samples).subarray(0, this.length);
    } else if (samples > 0) {
      for (const each of uniforms(this.length)) yield Math.floor(each * samples);
    }
  }
}

export interface WeightedRandomSamplerOptions {
  /** Whether a sample may come again. Default true. */
  replacement?: boolean | undefined;
}

/**
 * Sample i with a probability in proportion to weights[i], which need not sum to 1.
 *
 * @example
 * ```ts
 * [...new data.WeightedRandomSampler([0, 1, 0], 3)]; // => [1, 1, 1]
 * ```
 */
export class WeightedRandomSampler implements Sampler {
  readonly #weights: Float64Array;
  readonly #replacement: boolean;
  readonly #numSamples: number;

  /**
   * @param weights - Finite numbers of at least 0, one above 0.
   * @param numSamples - How many are drawn. Without replacement at most as many as have a weight above 0.
   */
  constructor(
    weights: ArrayLike<number>,
    numSamples: number,
    options: WeightedRandomSamplerOptions = {},
  ) {
    const who = 'WeightedRandomSampler';
    if (!check.isList(weights)) throw check.wrongKind(who, 'weights to be an array', weights);
    const copy = Float64Array.from(weights, (each, i) =>
      check.numberBetween(who, `weights[${i}]`, each, 0, Infinity),
    );
    check.options(who, options, ['replacement']);
    const { replacement = true } = options;
    check.boolean(who, 'replacement', replacement);
    const positive = copy.reduce((count, each) => count + (each > 0 ? 1 : 0), 0);
    if (positive === 0) throw check.wrongValue(who, 'a weight above 0', 'none');
    const most = replacement ? 2 ** 32 - 1 : positive;
    this.#numSamples = check.wholeNumber(who, 'numSamples', numSamples, 0, most);
    this.#weights = copy;
    this.#replacement = replacement;
  }

  get length(): number {
    return this.#numSamples;
  }

  *[Symbol.iterator](): Iterator<number> {
    const tree = new SumTree(this.#weights);
    for (const each of uniforms(this.length)) {
      const index = tree.find(each);
      yield index;
      if (!this.#replacement) tree.clear(index);
    }
  }
}

/** Weights under sums of pairs, of pairs of pairs, …: each sum is that of its two parts, whatever has been taken out. */
class SumTree {
  readonly #leaves: number;
  readonly #sums: Float64Array;

  constructor(weights: Float64Array) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(1, weights.length)));
    this.#sums = new Float64Array(2 * this.#leaves);
    this.#sums.set(weights, this.#leaves);
    for (let i = this.#leaves - 1; i > 0; i--) this.#sums[i] = this.#sumOf(i);
  }

  #sumOf(i: number): number {
    return this.#sums[2 * i]! + this.#sums[2 * i + 1]!;
  }

  /** The leaf at a part of the whole sum, 0 to below 1; never one of weight 0. */
  find(part: number): number {
    let rest = part * this.#sums[1]!;
    let i = 1;
    while (i < this.#leaves) {
      const left = this.#sums[2 * i]!;
      const goesRight = (rest >= left && this.#sums[2 * i + 1]! > 0) || left === 0;
      if (goesRight) rest -= left;
      i = 2 * i + (goesRight ? 1 : 0);
    }
    return i - this.#leaves;
  }

  clear(leaf: number): void {
    let i = leaf + this.#leaves;
    this.#sums[i] = 0;
    for (i = Math.floor(i / 2); i > 0; i = Math.floor(i / 2)) this.#sums[i] = this.#sumOf(i);
  }
}

export interface BatchSamplerOptions {
  /** Leave out a last batch that is not full. Default false. */
  dropLast?: boolean | undefined;
}

/**
 * Batches of another sampler's indices.
 *
 * @example
 * ```ts
 * [...new data.BatchSampler(new data.SequentialSampler([5, 6, 7]), 2)]; // => [[0, 1], [2]]
 * ```
 */
export class BatchSampler implements Iterable<number[]> {
  readonly #sampler: Sampler;
  readonly #batchSize: number;
  readonly #dropLast: boolean;

  constructor(sampler: Sampler, batchSize: number, options: BatchSamplerOptions = {}) {
    const who = 'BatchSampler';
    this.#sampler = samplerOf(who, sampler);
    this.#batchSize = check.wholeNumber(who, 'batchSize', batchSize, 1);
    check.options(who, options, ['dropLast']);
    this.#dropLast = check.boolean(who, 'dropLast', options.dropLast ?? false);
  }

  /** Number of batches. */
  get length(): number {
    const batches = this.#sampler.length / this.#batchSize;
    return this.#dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Iterator<number[]> {
    let batch: number[] = [];
    for (const index of this.#sampler) {
      batch.push(index);
      if (batch.length < this.#batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0 && !this.#dropLast) yield batch;
  }
}

/** A sampler: iterable, with a length. */
export function samplerOf(who: string, sampler: unknown): Sampler {
  check.iterable(who, 'a sampler', sampler);
  check.wholeNumber(who, "the sampler's length", (sampler as Sized).length, 0);
  return sampler as Sampler;
}
