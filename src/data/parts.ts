// Data sets made of others: some of their samples, or one after another.
import * as check from '../check/index.js';
import { permutation } from '../tensor/random.js';
import { Tensor } from '../tensor/tensor.js';
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

/** Data sets with `rows` one after another. */
export type ConcatDataset<Rows extends readonly Tensor[] = readonly Tensor[]> = Dataset<Rows>;

/** How a ConcatDataset is made: it has what all of the data sets have. */
export interface ConcatDatasetClass {
  new <Rows extends readonly Tensor[], Item>(
    datasets: Iterable<Dataset<Rows> & ItemDataset<Item>>,
  ): ConcatDataset<Rows> & ItemDataset<Item>;
  new <Rows extends readonly Tensor[]>(datasets: Iterable<Dataset<Rows>>): ConcatDataset<Rows>;
  new <Item>(datasets: Iterable<Items<Item>>): ItemDataset<Item>;
  readonly prototype: ConcatDataset;
}

function datasetOf(who: string, dataset: unknown): Source {
  const source = sourceOf(who, dataset);
  samplesIn(who, dataset as Dataset);
  return source;
}

function indicesOf(who: string, indices: unknown, below: number): Uint32Array {
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

/**
 * Data sets one after another. It has `rows(indices)` where all of them have it, with rows of equal shapes and dtypes, and
 * `get(index)` where all of them have that; an array has the second.
 *
 * @example
 * ```ts
 * const both = new data.ConcatDataset([new data.TensorDataset([[1]]), new data.TensorDataset([[2], [3]])]);
 * both.rows([2, 0])[0].toArray(); // => [[3], [1]]
 * new data.ConcatDataset([['a'], ['b', 'c']]).get(2); // => 'c'
 * ```
 */
export const ConcatDataset = class ConcatDataset {
  readonly #parts: readonly { readonly dataset: Dataset; readonly source: Source }[];
  readonly #hasRows: boolean;
  readonly #hasGet: boolean;

  constructor(datasets: Iterable<unknown>) {
    const who = 'ConcatDataset';
    this.#parts = Array.from(check.iterable(who, 'data sets', datasets), (dataset) => ({
      dataset: dataset as Dataset,
      source: datasetOf(who, dataset),
    }));
    if (this.#parts.length === 0) throw check.wrongValue(who, 'at least one data set', 'none');
    this.#hasRows = this.#parts.every(({ source }) => source.rows !== null);
    this.#hasGet = this.#parts.every(({ source }) => source.get !== null);
    if (this.#hasRows || this.#hasGet) return;
    throw new TypeError(
      `${who}: expected data sets that all have rows(indices), or all get(index), got some of each.`,
    );
  }

  get length(): number {
    return this.#parts.reduce((sum, { dataset }) => sum + dataset.length, 0);
  }

  /** These samples as one batch, if every data set has `rows`. */
  get rows(): unknown {
    if (!this.#hasRows) return undefined;
    return (indices: ArrayLike<number>) => this.#gathered(indices);
  }

  /** One sample, if every data set has `get`. */
  get get(): unknown {
    if (!this.#hasGet) return undefined;
    return (index: number) => {
      let [own] = indicesOf('ConcatDataset.get', [index], this.length) as unknown as [number];
      for (const { dataset, source } of this.#parts) {
        const { length } = dataset;
        if (own < length) return source.get!(own);
        own -= length;
      }
      return undefined;
    };
  }

  #gathered(indices: ArrayLike<number>): readonly Tensor[] {
    const who = 'ConcatDataset.rows';
    const wanted = indicesOf(who, indices, this.length);
    const batch: Tensor[] = [];
    let first = 0;
    for (const { dataset, source } of this.#parts) {
      const places: number[] = [];
      const own: number[] = [];
      wanted.forEach((index, place) => {
        if (index < first || index >= first + dataset.length) return;
        places.push(place);
        own.push(index - first);
      });
      first += dataset.length;
      if (own.length === 0) continue;
      for (const [at, rows] of (source.rows!(own) as readonly Tensor[]).entries()) {
        const shape = [wanted.length, ...rows.shape.slice(1)];
        batch[at] ??= Tensor.uninitialized(shape, rows.dtype);
        scatter(who, batch[at], rows, places);
        rows.dispose();
      }
    }
    return batch.length > 0 ? batch : this.#parts[0]!.dataset.rows([]);
  }
} as unknown as ConcatDatasetClass;

/** Row i of `rows` becomes row places[i] of `batch`. */
function scatter(who: string, batch: Tensor, rows: Tensor, places: readonly number[]): void {
  check.sameShape(who, 'rows of each data set', rows, [places.length, ...batch.shape.slice(1)]);
  check.dtype(who, 'rows of each data set', rows, batch.dtype, ' like the first');
  const size = check.numelOf(batch.shape, 1);
  const [to, from] = [batch.attached(who) as Float32Array, rows.attached(who) as Float32Array];
  places.forEach((place, i) => {
    to.set(from.subarray(i * size, (i + 1) * size), place * size);
  });
}
