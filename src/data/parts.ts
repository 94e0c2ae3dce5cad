// Some samples of a data set, and a data set split at random.
import * as check from '../check/index.js';
import { permutation } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { samplesIn } from './samplers.js';
import { sourceOf, type Dataset, type ItemDataset, type Items, type Source } from './source.js';

/** Some samples of a data set with `rows`. */
export interface Subset<Rows extends readonly Tensor[] = readonly Tensor[]> extends Dataset<Rows> {
  readonly dataset: Dataset<Rows>;
  /** The numbers of its samples in the data set; a copy. */
  readonly indices: Uint32Array;
}

/** Some samples of a data set with `get`, or of an array. */
export interface ItemSubset<Item> extends ItemDataset<Item> {
  readonly dataset: Items<Item>;
  /** The numbers of its samples in the data set; a copy. */
  readonly indices: Uint32Array;
}

/** How a Subset is made: it has what the data set has. */
export interface SubsetClass {
  new <Rows extends readonly Tensor[], Item>(
    dataset: Dataset<Rows> & ItemDataset<Item>,
    indices: ArrayLike<number>,
  ): Subset<Rows> & ItemDataset<Item>;
  new <Rows extends readonly Tensor[]>(
    dataset: Dataset<Rows>,
    indices: ArrayLike<number>,
  ): Subset<Rows>;
  new <Item>(dataset: Items<Item>, indices: ArrayLike<number>): ItemSubset<Item>;
  readonly prototype: Subset;
}

/** @internal */
export function datasetOf(who: string, dataset: unknown): Source {
  const source = sourceOf(who, dataset);
  samplesIn(who, dataset as Dataset);
  return source;
}

/** @internal */
export function indicesOf(who: string, indices: unknown, below: number): Uint32Array {
  if (!check.isList(indices)) throw check.wrongKind(who, 'an array of indices', indices);
  return Uint32Array.from({ length: indices.length }, (_, i) => {
    const index = check.wholeNumber(who, 'an index', indices[i], 0);
    if (index < below) return index;
    throw check.wrongValue(who, `indices below ${below}`, String(index));
  });
}

/**
 * Some samples of a data set, under numbers of their own. Its samples are had as that set's are: by `rows(indices)`, by
 * `get(index)`, or both; an array has the second.
 *
 * @example
 * ```ts
 * const whole = new data.TensorDataset([[1], [2], [3]]);
 * new data.Subset(whole, [2, 0]).rows([0])[0].toArray(); // => [[3]]
 * new data.Subset(['a', 'b', 'c'], [2, 0]).get(0); // => 'c'
 * ```
 */
export const Subset = class Subset {
  readonly #dataset: unknown;
  readonly #source: Source;
  readonly #indices: Uint32Array;

  constructor(dataset: unknown, indices: ArrayLike<number>) {
    this.#source = datasetOf('Subset', dataset);
    this.#dataset = dataset;
    this.#indices = indicesOf('Subset', indices, (dataset as Dataset).length);
  }

  get dataset(): unknown {
    return this.#dataset;
  }

  /** The numbers of its samples in the data set; a copy. */
  get indices(): Uint32Array {
    return this.#indices.slice();
  }

  get length(): number {
    return this.#indices.length;
  }

  /** These samples as one batch, if the data set has `rows`. */
  get rows(): unknown {
    const { rows } = this.#source;
    if (rows === null) return undefined;
    return (indices: ArrayLike<number>) => {
      const own = indicesOf('Subset.rows', indices, this.length);
      return rows(own.map((each) => this.#indices[each]!));
    };
  }

  /** One sample, if the data set has `get`. */
  get get(): unknown {
    const { get } = this.#source;
    if (get === null) return undefined;
    return (index: number) => {
      const [own] = indicesOf('Subset.get', [index], this.length);
      return get(this.#indices[own!]!);
    };
  }
} as unknown as SubsetClass;

/**
 * Splits a data set at random into parts: of so many samples, or of such fractions, which sum to 1 (rounded down, and what is
 * left goes to the first ones, as in PyTorch). `manualSeed` before it makes them the same again.
 *
 * @throws {RangeError} for lengths that do not sum to the number of samples, or fractions that do not to 1.
 * @example
 * ```ts
 * const [train, test] = data.randomSplit(new data.TensorDataset([[1], [2], [3], [4]]), [0.75, 0.25]);
 * [train.length, test.length]; // => [3, 1]
 * ```
 */
export function randomSplit<Rows extends readonly Tensor[], Item>(
  dataset: Dataset<Rows> & ItemDataset<Item>,
  lengths: readonly number[],
): (Subset<Rows> & ItemDataset<Item>)[];
export function randomSplit<Rows extends readonly Tensor[]>(
  dataset: Dataset<Rows>,
  lengths: readonly number[],
): Subset<Rows>[];
export function randomSplit<Item>(
  dataset: Items<Item>,
  lengths: readonly number[],
): ItemSubset<Item>[];
export function randomSplit(
  dataset: unknown,
  lengths: readonly number[],
  ...rest: readonly never[]
): unknown {
  const who = 'randomSplit';
  check.noMore(who, 2, rest);
  datasetOf(who, dataset);
  const { length } = dataset as Dataset;
  if (!check.isList(lengths)) throw check.wrongKind(who, 'an array of lengths', lengths);
  const given = Array.from(lengths, (each) =>
    check.numberBetween(who, 'a length', each, 0, Infinity),
  );
  const sum = given.reduce((total, each) => total + each, 0);
  const areFractions = Math.abs(sum - 1) < 1e-9 && given.every((each) => each <= 1);
  const parts = areFractions ? given.map((each) => Math.floor(each * length)) : given;
  if (areFractions) {
    const left = length - parts.reduce((total, each) => total + each, 0);
    for (let i = 0; i < left; i++) parts[i % parts.length]!++;
  } else if (sum !== length || !given.every(Number.isInteger)) {
    const what = `lengths that sum to the ${length} samples, or fractions that sum to 1`;
    throw check.wrongValue(who, what, String(sum));
  }
  const order = permutation(length);
  let from = 0;
  return parts.map((each) => {
    const part = order.subarray(from, from + each);
    from += each;
    return new Subset(dataset as Dataset, part);
  });
}
