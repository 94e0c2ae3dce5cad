// Data sets one after another.
import * as check from '../check/index.js';
import { Tensor } from '../tensor/tensor.js';
import { datasetOf, indicesOf } from './parts.js';
import type { Dataset, ItemDataset, Items, Source } from './source.js';

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
