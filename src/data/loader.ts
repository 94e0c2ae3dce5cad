import * as check from '../check/index.js';
import { mark, refuseForeign } from '../check/copies.js';
import { permutation } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';

export interface DataLoaderOptions {
  /** Samples a batch. Default 1. */
  batchSize?: number | undefined;
  /** A new random order every time it is iterated. Default false. */
  shuffle?: boolean | undefined;
  /** Leave out a last batch that is not full: one sample alone cannot be batch-normalised. Default false. */
  dropLast?: boolean | undefined;
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
  readonly #dataset: Dataset<Rows>;
  readonly #batchSize: number;
  readonly #shuffle: boolean;
  readonly #dropLast: boolean;

  constructor(dataset: Dataset<Rows>, options: DataLoaderOptions = {}) {
    const who = 'DataLoader';
    if (typeof dataset !== 'object' || (dataset as unknown) === null || !('rows' in dataset)) {
      throw check.wrongKind(who, 'a dataset', dataset);
    }
    refuseForeign(who, 'a dataset', dataset);
    check.options(who, options, ['batchSize', 'shuffle', 'dropLast']);
    const { batchSize = 1, shuffle = false, dropLast = false } = options;
    this.#dataset = dataset;
    this.#batchSize = check.wholeNumber(who, 'batchSize', batchSize, 1);
    this.#shuffle = check.boolean(who, 'shuffle', shuffle);
    this.#dropLast = check.boolean(who, 'dropLast', dropLast);
  }

  get dataset(): Dataset<Rows> {
    return this.#dataset;
  }

  get batchSize(): number {
    return this.#batchSize;
  }

  get shuffle(): boolean {
    return this.#shuffle;
  }

  get dropLast(): boolean {
    return this.#dropLast;
  }

  /** Number of batches. */
  get length(): number {
    const samples: unknown = this.dataset.length;
    const what = "the dataset's length";
    const batches = check.wholeNumber('DataLoader', what, samples, 0, 2 ** 32 - 1) / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Iterator<Rows> {
    const { length: batches } = this;
    const samples = this.dataset.length;
    const order = this.shuffle
      ? permutation(samples)
      : Uint32Array.from({ length: samples }, (_, i) => i);
    for (let batch = 0; batch < batches; batch++) {
      const start = batch * this.batchSize;
      const rows = this.dataset.rows(order.subarray(start, start + this.batchSize));
      for (const each of rows) refuseForeign('DataLoader', 'a dataset with rows of Tensors', each);
      yield rows;
    }
  }
}

mark(DataLoader, 'DataLoader');

const SINCE = 'attribute should not be set after DataLoader is initialized: make another loader';
check.refuseAssignment(DataLoader, {
  dataset: `dataset ${SINCE}`,
  batchSize: `batchSize ${SINCE}`,
  shuffle: `shuffle ${SINCE}`,
  dropLast: `dropLast ${SINCE}`,
});
