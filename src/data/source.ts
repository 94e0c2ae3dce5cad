// What a data set is: rows of several samples at once, or samples one by one, or both.
import * as check from '../check/index.js';
import { refuseForeign } from '../check/copies.js';
import type { Tensor } from '../tensor/tensor.js';

/** A data set of whole batches; TensorDataset is one. */
export interface Dataset<Rows extends readonly Tensor[] = readonly Tensor[]> {
  /** Number of samples. */
  readonly length: number;
  /** These samples as one batch. */
  rows(indices: ArrayLike<number>): Rows;
}

/** A data set of single samples, which may arrive later: then the loader is iterated with `for await`. */
export interface ItemDataset<Item> {
  /** Number of samples. */
  readonly length: number;
  get(index: number): Item | PromiseLike<Item>;
}

/** Samples one by one: a set that gives them, or an array of them. */
export type Items<Item> = ItemDataset<Item> | readonly Item[];

/** @internal The two ways into a data set; null for the one that it does not have. */
export interface Source {
  readonly rows: ((indices: ArrayLike<number>) => unknown) | null;
  readonly get: ((index: number) => unknown) | null;
}

/** @internal */
export function sourceOf(who: string, dataset: unknown): Source {
  if (Array.isArray(dataset)) return { rows: null, get: (index) => dataset[index] as unknown };
  const what =
    'a data set (an array of samples, or an object with length and get(index) or rows(indices))';
  refuseForeign(who, what, dataset);
  if (typeof dataset === 'object' && dataset !== null) {
    const set = dataset as Partial<Dataset & ItemDataset<unknown>>;
    const source: Source = {
      rows: typeof set.rows === 'function' ? (indices) => set.rows!(indices) : null,
      get: typeof set.get === 'function' ? (index) => set.get!(index) : null,
    };
    if (source.rows !== null || source.get !== null) return source;
  }
  throw check.wrongKind(who, what, dataset);
}
