// Longer than 250 lines because the options of a loader are documented here, and one class reads them.
import * as check from '../check/index.js';
import { mark, refuseForeign } from '../check/copies.js';
import { permutation } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { samplerOf, samplesIn, SHARE_OF_BATCH, type Sampler } from './samplers.js';

export interface DataLoaderOptions {
  /** Samples a batch. Default 1. */
  batchSize?: number | undefined;
  /** A new random order every time it is iterated. Default false. */
  shuffle?: boolean | undefined;
  /** Leave out a last batch that is not full: one sample alone cannot be batch-normalised. Default false. */
  dropLast?: boolean | undefined;
  /** In which order instead: what gives indices anew each time it is iterated. Not with shuffle. */
  sampler?: Sampler | undefined;
  /** Whole batches of indices instead, such as a BatchSampler. Not with batchSize, shuffle, dropLast, sampler. */
  batchSampler?: (Iterable<readonly number[]> & { readonly length: number }) | undefined;
}

/** A data set of single samples, which may arrive later: then the loader is iterated with `for await`. */
export interface ItemDataset<Item> {
  /** Number of samples. */
  readonly length: number;
  get(index: number): Item | PromiseLike<Item>;
}

export interface CollateOptions<Item, Rows> extends DataLoaderOptions {
  /** Makes a batch of samples. */
  collate: (items: Item[]) => Rows | PromiseLike<Rows>;
}

/** What a loader asks of a dataset; TensorDataset is one. */
export interface Dataset<Rows extends readonly Tensor[] = readonly Tensor[]> {
  /** Number of samples. */
  readonly length: number;
  /** These samples as one batch. */
  rows(indices: ArrayLike<number>): Rows;
}

interface Part {
  readonly indices: ArrayLike<number>;
  readonly globalRows: number;
}

const NAMES = ['batchSize', 'shuffle', 'dropLast', 'sampler', 'batchSampler', 'collate'];

/**
 * Batches of a data set.
 *
 * Of one with `rows(indices)`; or of one with `get(index)` and `collate(items)`, which makes a batch of samples. Where
 * either gives promises, `for await (const batch of loader)`.
 *
 * @example
 * ```ts
 * const train = new data.TensorDataset(tensor([[0], [1], [2]]), tensor(Int32Array.of(7, 0, 4)));
 * const loader = new data.DataLoader(train, { batchSize: 2 });
 * [...loader].map(([x, label]) => [x.shape, label.shape]); // => [[[2, 1], [2]], [[1, 1], [1]]]
 * ```
 * @example
 * ```ts
 * const files = { length: 3, get: async (index) => tensor([index]) };
 * const loader = new data.DataLoader(files, { batchSize: 2, collate: (items) => [tensor(items)] });
 * const shapes = [];
 * for await (const [x] of loader) shapes.push(x.shape);
 * shapes; // => [[2, 1], [1, 1]]
 * ```
 */
export class DataLoader<Rows extends readonly unknown[] = Tensor[], Item = unknown>
  implements Iterable<Rows>, AsyncIterable<Rows>
{
  readonly #dataset: Dataset | ItemDataset<Item>;
  readonly #batchSize: number;
  readonly #shuffle: boolean;
  readonly #dropLast: boolean;
  readonly #sampler: Sampler | null;
  readonly #batches: (Iterable<readonly number[]> & { readonly length: number }) | null;
  readonly #collate: ((items: Item[]) => Rows | PromiseLike<Rows>) | null;

  constructor(dataset: ItemDataset<Item>, options: CollateOptions<Item, Rows>);
  constructor(
    dataset: Rows extends readonly Tensor[] ? Dataset<Rows> : never,
    options?: DataLoaderOptions,
  );
  constructor(dataset: unknown, options: Partial<CollateOptions<Item, Rows>> = {}) {
    const who = 'DataLoader';
    check.options(who, options, NAMES);
    const { batchSize = 1, shuffle = false, dropLast = false, collate = null } = options;
    const { sampler, batchSampler } = options;
    const wanted = collate === null ? 'rows' : 'get';
    if (typeof dataset !== 'object' || dataset === null || !(wanted in dataset)) {
      const what = collate === null ? 'a dataset' : 'a dataset with get(index), for collate';
      throw check.wrongKind(who, what, dataset);
    }
    refuseForeign(who, 'a dataset', dataset);
    this.#dataset = dataset as Dataset | ItemDataset<Item>;
    this.#batchSize = check.wholeNumber(who, 'batchSize', batchSize, 1);
    this.#shuffle = check.boolean(who, 'shuffle', shuffle);
    this.#dropLast = check.boolean(who, 'dropLast', dropLast);
    if (collate !== null && typeof collate !== 'function') {
      throw check.wrongKind(who, 'collate to be a function', collate);
    }
    if (sampler !== undefined && shuffle) {
      throw check.wrongValue(
        who,
        'a sampler or shuffle (sampler option is mutually exclusive with shuffle)',
        'both',
      );
    }
    const others = ['batchSize', 'shuffle', 'dropLast', 'sampler'] as const;
    const other = others.find((name) => options[name] !== undefined);
    if (batchSampler !== undefined && other !== undefined) {
      throw check.wrongValue(who, `batchSampler without ${others.join(', ')}`, `${other} too`);
    }
    this.#sampler = sampler === undefined ? null : samplerOf(who, sampler);
    this.#batches = batchSampler ?? null;
    if (this.#batches !== null) samplerOf(who, this.#batches);
    this.#collate = collate;
  }

  get dataset(): Dataset<Rows extends readonly Tensor[] ? Rows : never> {
    return this.#dataset as Dataset<Rows extends readonly Tensor[] ? Rows : never>;
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
    if (this.#batches !== null) return this.#batches.length;
    const samples: unknown = (this.#sampler ?? this.#dataset).length;
    const what = "the dataset's length";
    const batches = check.wholeNumber('DataLoader', what, samples, 0, 2 ** 32 - 1) / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** The samples of each batch. */
  *#indices(): Generator<Part> {
    if (this.#batches !== null) {
      for (const batch of this.#batches) {
        const indices = this.#checkedIndices(batch);
        yield { indices, globalRows: indices.length };
      }
      return;
    }
    const { length: batches } = this;
    const samples = samplesIn('DataLoader', this.#sampler ?? this.#dataset);
    const order =
      this.#sampler !== null
        ? Uint32Array.from(this.#checkedIndices(this.#sampler))
        : this.shuffle
          ? permutation(samples)
          : Uint32Array.from({ length: samples }, (_, i) => i);
    const shareOf = (this.#sampler as Partial<Sharing> | null)?.[SHARE_OF_BATCH];
    for (let batch = 0; batch < batches; batch++) {
      const start = batch * this.batchSize;
      const indices = order.subarray(start, start + this.batchSize);
      const { length: globalRows } = indices;
      const { begin = 0, end = globalRows } = shareOf?.call(this.#sampler, globalRows) ?? {};
      yield { indices: indices.subarray(begin, end), globalRows };
    }
  }

  /** What a sampler gave: indices of samples, or an array would make 0 of a half and of NaN. */
  #checkedIndices(indices: Iterable<number>): number[] {
    const who = 'DataLoader';
    const last = samplesIn(who, this.#dataset) - 1;
    return Array.from(check.iterable(who, 'a batch of a sampler', indices), (each) =>
      check.wholeNumber(who, 'an index of a sampler', each, 0, last),
    );
  }

  *[Symbol.iterator](): Iterator<Rows> {
    for (const { indices, globalRows } of this.#indices()) {
      yield withRows(this.#now(indices), globalRows);
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Rows> {
    for (const { indices, globalRows } of this.#indices()) {
      if (this.#collate === null) {
        const rows = await Promise.resolve((this.#dataset as Dataset).rows(indices));
        yield withRows(this.#checked(rows), globalRows);
        continue;
      }
      const items = Array.from(indices, (index) => (this.#dataset as ItemDataset<Item>).get(index));
      yield withRows(await this.#collate(await Promise.all(items)), globalRows);
    }
  }

  #now(indices: ArrayLike<number>): Rows {
    if (this.#collate === null) return this.#checked((this.#dataset as Dataset).rows(indices));
    const items = Array.from(indices, (index) => (this.#dataset as ItemDataset<Item>).get(index));
    const rows = items.some(check.isThenable) ? null : this.#collate(items as Item[]);
    if (rows !== null && !check.isThenable(rows)) return rows;
    for (const each of [...items, rows]) ignoreFailure(each);
    throw new TypeError(
      'DataLoader: expected samples that are there, got promises: use `for await`.',
    );
  }

  #checked(rows: unknown): Rows {
    if (check.isThenable(rows)) {
      ignoreFailure(rows);
      throw new TypeError(
        'DataLoader: expected rows that are there, got a promise: use `for await`.',
      );
    }
    for (const each of rows as Rows)
      refuseForeign('DataLoader', 'a dataset with rows of Tensors', each);
    return rows as Rows;
  }
}

interface Sharing {
  [SHARE_OF_BATCH](rows: number): { readonly begin: number; readonly end: number };
}

const GLOBAL_ROWS = 'globalRows';

/** Out of sight of whoever walks over the rows. */
function withRows<Rows extends readonly unknown[]>(rows: Rows, globalRows: number): Rows {
  const isObject = typeof rows === 'object' && (rows as unknown) !== null;
  if (isObject && Object.isExtensible(rows)) {
    Object.defineProperty(rows, GLOBAL_ROWS, { value: globalRows, configurable: true });
  }
  return rows;
}

/**
 * @internal Rows of the whole batch that a loader has made one of: more than there are in this one where other processes
 * have the rest. It is `batch.globalRows`, too, which TypeScript does not know.
 */
export function globalRowsOf(who: string, batch: unknown): number {
  const rows =
    typeof batch === 'object' && batch !== null
      ? (batch as { readonly [GLOBAL_ROWS]?: unknown })[GLOBAL_ROWS]
      : undefined;
  if (typeof rows === 'number') return rows;
  throw check.wrongKind(who, 'a batch of a DataLoader', batch);
}

/** Nobody awaits a promise where one was refused: what it fails with later must not end the process. */
function ignoreFailure(value: unknown): void {
  if (check.isThenable(value)) Promise.resolve(value).then(undefined, () => undefined);
}

mark(DataLoader, 'DataLoader');

const SINCE = 'attribute should not be set after DataLoader is initialized: make another loader';
check.refuseAssignment(DataLoader, {
  dataset: `dataset ${SINCE}`,
  batchSize: `batchSize ${SINCE}`,
  shuffle: `shuffle ${SINCE}`,
  dropLast: `dropLast ${SINCE}`,
});
