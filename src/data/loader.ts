// Longer than 250 lines because the options of a loader are documented here, and one class reads them.
import * as check from '../check/index.js';
import { mark, refuseForeign } from '../check/copies.js';
import { permutation } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { collated, type Collated } from './collate.js';
import { samplerOf, samplesIn, SHARE_OF_BATCH, type Sampler, type Sized } from './samplers.js';
import { sourceOf, type Dataset, type Items, type Source } from './source.js';

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

export interface CollateOptions<Item, Rows> extends DataLoaderOptions {
  /** Makes a batch of samples. Default: `data.defaultCollate`. */
  collate: (items: Item[]) => Rows | PromiseLike<Rows>;
}

/** A loader, as its users see it. */
export interface DataLoader<Batch = Tensor[], Set extends Sized = Sized>
  extends Iterable<Batch>, AsyncIterable<Batch> {
  readonly dataset: Set;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  /** Number of batches. */
  readonly length: number;
}

/** How a loader is made: what its batches are follows from the data set. */
export interface DataLoaderClass {
  new <Item, Batch>(
    dataset: Items<Item>,
    options: CollateOptions<Item, Batch>,
  ): DataLoader<Batch, Items<Item>>;
  new <Rows extends readonly Tensor[]>(
    dataset: Dataset<Rows>,
    options?: DataLoaderOptions,
  ): DataLoader<Rows, Dataset<Rows>>;
  new <Item, Batch = Collated<Item>>(
    dataset: Items<Item | []>,
    options?: DataLoaderOptions,
  ): DataLoader<Batch, Items<Item>>;
  readonly prototype: DataLoader;
}

interface Part {
  readonly indices: ArrayLike<number>;
  readonly globalRows: number;
}

const NAMES = ['batchSize', 'shuffle', 'dropLast', 'sampler', 'batchSampler', 'collate'];

/** What PyTorch has beside. */
const ELSEWHERE = {
  collateFn: "it is 'collate' here",
  numWorkers:
    'leave it out: a batch is made when it is asked for, and a data set may be asynchronous',
  pinMemory: 'leave it out: nothing is copied to a device here',
};

/**
 * Batches of a data set.
 *
 * Of one with `rows(indices)`, such as a TensorDataset, a batch is what that gives. Of an array of samples, or of an object with
 * `length` and `get(index)`, it is what `collate(items)` makes of them: by default `data.defaultCollate`, which stacks tensors,
 * and makes class targets of whole numbers. A field of numbers that has held a fraction is float32 in every batch from then on.
 * Where a sample or a batch is a promise, `for await (const batch of loader)`.
 *
 * @example
 * ```ts
 * const train = new data.TensorDataset(tensor([[0], [1], [2]]), tensor(Int32Array.of(7, 0, 4)));
 * const loader = new data.DataLoader(train, { batchSize: 2 });
 * [...loader].map(([x, label]) => [x.shape, label.shape]); // => [[[2, 1], [2]], [[1, 1], [1]]]
 * ```
 * @example
 * ```ts
 * const samples = [[tensor([1, 2]), 0], [tensor([3, 4]), 1], [tensor([5, 6]), 1]];
 * const loader = new data.DataLoader(samples, { batchSize: 2 });
 * [...loader].map(([x, label]) => [x.shape, label.toArray()]); // => [[[2, 2], [0, 1]], [[1, 2], [1]]]
 * ```
 * @example
 * ```ts
 * const files = { length: 3, get: async (index) => ({ x: tensor([index]), name: `${index}.wav` }) };
 * const seen = [];
 * for await (const { x, name } of new data.DataLoader(files, { batchSize: 2 })) seen.push([x.shape, name]);
 * seen; // => [[[2, 1], ['0.wav', '1.wav']], [[1, 1], ['2.wav']]]
 * ```
 */
export const DataLoader = class DataLoader implements Iterable<unknown>, AsyncIterable<unknown> {
  readonly #dataset: Sized;
  readonly #source: Source;
  readonly #batchSize: number;
  readonly #shuffle: boolean;
  readonly #dropLast: boolean;
  readonly #sampler: Sampler | null;
  readonly #batches: (Iterable<readonly number[]> & { readonly length: number }) | null;
  /** Null for a data set that is read by rows. */
  readonly #collate: ((items: unknown[], indices: ArrayLike<number>) => unknown) | null;

  constructor(dataset: unknown, options: Partial<CollateOptions<unknown, unknown>> = {}) {
    const who = 'DataLoader';
    check.options(who, options, NAMES, { elsewhere: ELSEWHERE });
    const { batchSize = 1, shuffle = false, dropLast = false, collate = null } = options;
    const { sampler, batchSampler } = options;
    this.#source = sourceOf(who, dataset);
    if (collate !== null && this.#source.get === null) {
      throw check.wrongKind(who, 'a data set with get(index), for collate', dataset);
    }
    this.#dataset = dataset as Sized;
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
    if (collate !== null) {
      this.#collate = (items) => collate(items);
    } else if (this.#source.rows === null) {
      const fractions = new Set<string>();
      this.#collate = (items, indices) => collated(who, items, Array.from(indices), fractions);
    } else {
      this.#collate = null;
    }
  }

  get dataset(): Sized {
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

  *[Symbol.iterator](): Iterator<unknown> {
    for (const { indices, globalRows } of this.#indices()) {
      yield withRows(this.#now(indices), globalRows);
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<unknown> {
    for (const { indices, globalRows } of this.#indices()) {
      let batch: unknown;
      if (this.#collate === null) {
        batch = checkedRows(await Promise.resolve(this.#source.rows!(indices)));
      } else {
        const items = await Promise.all(Array.from(indices, (index) => this.#source.get!(index)));
        batch = await this.#collate(items, indices);
      }
      yield withRows(batch, globalRows);
    }
  }

  #now(indices: ArrayLike<number>): unknown {
    if (this.#collate === null) return checkedRows(this.#source.rows!(indices));
    const items = Array.from(indices, (index) => this.#source.get!(index));
    const batch = items.some(check.isThenable) ? null : this.#collate(items, indices);
    if (batch !== null && !check.isThenable(batch)) return batch;
    for (const each of [...items, batch]) ignoreFailure(each);
    throw new TypeError(
      'DataLoader: expected samples that are there, got promises: use `for await`.',
    );
  }
} as unknown as DataLoaderClass;

function checkedRows(rows: unknown): unknown {
  if (check.isThenable(rows)) {
    ignoreFailure(rows);
    throw new TypeError(
      'DataLoader: expected rows that are there, got a promise: use `for await`.',
    );
  }
  for (const each of rows as Iterable<unknown>)
    refuseForeign('DataLoader', 'a dataset with rows of Tensors', each);
  return rows;
}

interface Sharing {
  [SHARE_OF_BATCH](rows: number): { readonly begin: number; readonly end: number };
}

const GLOBAL_ROWS = 'globalRows';

/** Out of sight of whoever walks over the rows. */
function withRows(rows: unknown, globalRows: number): unknown {
  if (typeof rows === 'object' && rows !== null && Object.isExtensible(rows)) {
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
