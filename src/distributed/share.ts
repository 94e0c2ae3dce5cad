// Who gets which samples of a batch.
import { LEAF_SAMPLES } from '../addon/sum-tree.js';
import * as check from '../check/index.js';

/** Rows [begin, end) of a batch. */
export interface Share {
  readonly begin: number;
  readonly end: number;
}

/**
 * The rows of a batch that a process gets: 64 · 2^j, as few as go, the last the rest, and maybe none. So each share is
 * one node of the tree in which sums over a batch are added, and the results have the bits of one process.
 *
 * @param rows - Of the whole batch.
 * @example
 * ```ts
 * [0, 1, 2, 3].map((rank) => distributed.share(300, rank, 4)).map(({ begin, end }) => end - begin); // => [128, 128, 44, 0]
 * ```
 */
export function share(rows: number, rank: number, size: number): Share {
  const who = 'distributed.share';
  check.wholeNumber(who, 'rows', rows, 0);
  check.wholeNumber(who, 'size', size, 1);
  check.wholeNumber(who, 'rank', rank, 0, size - 1);
  let each = LEAF_SAMPLES;
  while (each * size < rows) each *= 2;
  return { begin: Math.min(rows, rank * each), end: Math.min(rows, (rank + 1) * each) };
}
