// Data sets made of others: some of their samples, or one after another.
import * as check from '../check/index.js';
import { permutation } from '../tensor/random.js';
import { Tensor } from '../tensor/tensor.js';
import type { Dataset } from './loader.js';
import { samplesIn } from './samplers.js';

function datasetOf<Rows extends readonly Tensor[]>(
  who: string,
  dataset: Dataset<Rows>,
): Dataset<Rows> {
  if (typeof dataset !== 'object' || (dataset as unknown) === null || !('rows' in dataset)) {
    throw check.wrongKind(who, 'a data set with rows(indices)', dataset);
  }
  samplesIn(who, dataset);
  return dataset;
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
 * Some samples of a data set, under numbers of their own.
 *
 * @example
 * ```ts
 * const whole = new data.TensorDataset([[1], [2], [3]]);
 * new data.Subset(whole, [2, 0]).rows([0])[0].toArray(); // => [[3]]
 * ```
 */
export class Subset<Rows extends readonly Tensor[]> implements Dataset<Rows> {
  readonly #dataset: Dataset<Rows>;
  readonly #indices: Uint32Array;

  constructor(dataset: Dataset<Rows>, indices: ArrayLike<number>) {
    this.#dataset = datasetOf('Subset', dataset);
    this.#indices = indicesOf('Subset', indices, dataset.length);
  }

  get dataset(): Dataset<Rows> {
    return this.#dataset;
  }

  /** The numbers of its samples in the data set; a copy. */
  get indices(): Uint32Array {
    return this.#indices.slice();
  }

  get length(): number {
    return this.#indices.length;
  }

  rows(indices: ArrayLike<number>): Rows {
    const own = indicesOf('Subset.rows', indices, this.length);
    return this.#dataset.rows(own.map((each) => this.#indices[each]!));
  }
}

/**
 * Splits a data set at random into parts: of so many samples, or of such fractions, which sum to 1 (rounded down, and what is
 * left goes to the first ones, as in PyTorch).
 *
 * @throws {RangeError} for lengths that do not sum to the number of samples, or fractions that do not to 1.
 * @example
 * ```ts
 * const [train, test] = data.randomSplit(new data.TensorDataset([[1], [2], [3], [4]]), [0.75, 0.25]);
 * [train.length, test.length]; // => [3, 1]
 * ```
 */
export function randomSplit<Rows extends readonly Tensor[]>(
  dataset: Dataset<Rows>,
  lengths: readonly number[],
): Subset<Rows>[] {
  const who = 'randomSplit';
  const { length } = datasetOf(who, dataset);
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
    return new Subset(dataset, part);
  });
}

/**
 * Data sets one after another. Their rows have equal shapes and dtypes.
 *
 * @example
 * ```ts
 * const both = new data.ConcatDataset([new data.TensorDataset([[1]]), new data.TensorDataset([[2], [3]])]);
 * both.rows([2, 0])[0].toArray(); // => [[3], [1]]
 * ```
 */
export class ConcatDataset<Rows extends readonly Tensor[]> implements Dataset<Rows> {
  readonly #datasets: readonly Dataset<Rows>[];

  constructor(datasets: Iterable<Dataset<Rows>>) {
    const who = 'ConcatDataset';
    this.#datasets = [...(check.iterable(who, 'data sets', datasets) as Iterable<Dataset<Rows>>)];
    if (this.#datasets.length === 0) throw check.wrongValue(who, 'at least one data set', 'none');
    for (const each of this.#datasets) datasetOf(who, each);
  }

  get length(): number {
    return this.#datasets.reduce((sum, each) => sum + each.length, 0);
  }

  rows(indices: ArrayLike<number>): Rows {
    const who = 'ConcatDataset.rows';
    const wanted = indicesOf(who, indices, this.length);
    const batch: Tensor[] = [];
    let first = 0;
    for (const dataset of this.#datasets) {
      const places: number[] = [];
      const own: number[] = [];
      wanted.forEach((index, place) => {
        if (index < first || index >= first + dataset.length) return;
        places.push(place);
        own.push(index - first);
      });
      first += dataset.length;
      if (own.length === 0) continue;
      for (const [at, rows] of dataset.rows(own).entries()) {
        const shape = [wanted.length, ...rows.shape.slice(1)];
        batch[at] ??= Tensor.uninitialized(shape, rows.dtype);
        scatter(who, batch[at], rows, places);
        rows.dispose();
      }
    }
    return (batch.length > 0 ? batch : this.#datasets[0]!.rows([])) as unknown as Rows;
  }
}

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
