import * as check from '../check.js';
import { mark, refuseForeign } from '../copies.js';
import { permutation } from '../random.js';
import type { Tensor } from '../tensor.js';

export interface DataLoaderOptions {
  /** Samples a batch. Default 1. */
  batchSize?: number;
  /** A new random order every time it is iterated. Default false. */
  shuffle?: boolean;
  /** Leave out a last batch that is not full: one sample alone cannot be batch-normalised. Default false. */
  dropLast?: boolean;
}

/** What a loader asks of a dataset; TensorDataset is one. */
export interface Dataset<Rows extends readonly Tensor[] = readonly Tensor[]> {
  /** Number of samples. */
  readonly length: number;
  /** These samples as one batch. */
  rows(indices: ArrayLike<number>): Rows;
}

/**
 * Batches of a dataset.
 *
 * @example
 * ```ts
 * const train = new data.TensorDataset(tensor([[0], [1], [2]]), tensor(Int32Array.of(7, 0, 4)));
 * const loader = new data.DataLoader(train, { batchSize: 2 });
 * [...loader].map(([x, label]) => [x.shape, label.shape]); // => [[[2, 1], [2]], [[1, 1], [1]]]
 * ```
 */
export class DataLoader<Rows extends readonly Tensor[] = Tensor[]> implements Iterable<Rows> {
  readonly dataset: Dataset<Rows>;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;

  constructor(dataset: Dataset<Rows>, options: DataLoaderOptions = {}) {
    const who = 'DataLoader';
    if (typeof dataset !== 'object' || (dataset as unknown) === null || !('rows' in dataset)) {
      throw check.wrongKind(who, 'a dataset', dataset);
    }
    refuseForeign(who, 'a dataset', dataset);
    check.options(who, options, ['batchSize', 'shuffle', 'dropLast']);
    this.dataset = dataset;
    this.batchSize = check.wholeNumber(who, 'batchSize', options.batchSize ?? 1, 1);
    this.shuffle = check.boolean(who, 'shuffle', options.shuffle ?? false);
    this.dropLast = check.boolean(who, 'dropLast', options.dropLast ?? false);
  }

  /** Number of batches. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Iterator<Rows> {
    const samples = this.dataset.length;
    const order = this.shuffle
      ? permutation(samples)
      : Uint32Array.from({ length: samples }, (_, i) => i);
    for (let batch = 0; batch < this.length; batch++) {
      const start = batch * this.batchSize;
      const rows = this.dataset.rows(order.subarray(start, start + this.batchSize));
      for (const each of rows) refuseForeign('DataLoader', 'a dataset with rows of Tensors', each);
      yield rows;
    }
  }
}

mark(DataLoader, 'DataLoader');
