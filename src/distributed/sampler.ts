// The order of a data set, the same on every process, of which each takes its rows of each batch.
import * as check from '../check/index.js';
import { globalRowsOf } from '../data/loader.js';
import { samplesIn, SHARE_OF_BATCH, type Sampler, type Sized } from '../data/samplers.js';
import { defaultGroup } from '../functional/batchnorm/process-group.js';
import { seededPermutation } from '../tensor/random.js';
import type { Group } from './group.js';
import { share, type Share } from './share.js';

export interface DistributedSamplerOptions {
  /** A random order in each epoch, the same on every process. Default true. */
  shuffle?: boolean | undefined;
  /** A whole number of at least 0, the same on every process. Default 0. */
  seed?: number | undefined;
  /** Default all processes of the job. */
  group?: Group | null | undefined;
}

/**
 * For a DataLoader whose `batchSize` is that of the whole batch: each process gets its `share` of every batch, and all make
 * the same number of steps. No sample comes twice, none is left out; a share may be empty, and takes part.
 *
 * @example
 * ```ts
 * const train = new data.TensorDataset(tensor([[0], [1], [2]]));
 * const sampler = new distributed.DistributedSampler(train, { shuffle: false });
 * const loader = new data.DataLoader(train, { batchSize: 2, sampler });
 * [...loader].map((batch) => [batch[0].toArray(), distributed.globalRows(batch)]); // => [[[[0], [1]], 2], [[[2]], 1]]
 * ```
 */
export class DistributedSampler implements Sampler {
  readonly #source: Sized;
  readonly #shuffle: boolean;
  readonly #seed: number;
  readonly #group: Group | null;
  #epoch = 0;

  constructor(source: Sized, options: DistributedSamplerOptions = {}) {
    const who = 'DistributedSampler';
    samplesIn(who, source);
    check.options(who, options, ['shuffle', 'seed', 'group']);
    const { shuffle = true, seed = 0, group = null } = options;
    this.#source = source;
    this.#shuffle = check.boolean(who, 'shuffle', shuffle);
    this.#seed = check.wholeNumber(who, 'seed', seed, 0);
    this.#group = group;
  }

  /** Samples of all processes together. */
  get length(): number {
    return samplesIn('DistributedSampler', this.#source);
  }

  /** Which epoch comes: each has an order of its own. The same on every process. */
  setEpoch(epoch: number): void {
    this.#epoch = check.wholeNumber('DistributedSampler.setEpoch', 'epoch', epoch, 0, 2 ** 20);
  }

  /** The whole order. */
  *[Symbol.iterator](): Iterator<number> {
    const { length } = this;
    if (this.#shuffle) yield* seededPermutation(length, this.#seed, this.#epoch);
    else for (let i = 0; i < length; i++) yield i;
  }

  /** @internal */
  [SHARE_OF_BATCH](rows: number): Share {
    const { rank, size } = this.#group ?? defaultGroup() ?? { rank: 0, size: 1 };
    return share(rows, rank, size);
  }
}

/**
 * Rows of the whole batch that this process has a share of: for `{ of }` of a loss. In JavaScript `batch.globalRows` too.
 *
 * @param batch - Of a DataLoader.
 */
export function globalRows(batch: object): number {
  return globalRowsOf('distributed.globalRows', batch);
}
