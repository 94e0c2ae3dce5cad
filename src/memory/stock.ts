// A stock of arrays of a size that comes back, side by side, so that they share pages of 2 MB: of small pages, 8 MB are
// more than the processor keeps the addresses of.
import { addon } from '../addon/control.js';
import { Block } from './block.js';
import { BYTES, type DType } from './dtype.js';
import { fresh } from './fresh.js';
import { clearShelf, shelfOf, shelve } from './shelves.js';

/** Smaller arrays gain nothing; larger ones have large pages of their own. */
export const STOCKED_BYTES = 512 * 1024;
const SIZES = { least: STOCKED_BYTES, below: 6 * 2 ** 20 } as const;
/** So many arrays of a size back at once are a loop that makes them. */
const A_LOOP = 3;
/** Times as many as have come back: collections then wait longer. */
const MORE = 3;
const MOST_BYTES = 24 * 2 ** 20;
/** What the allocator's own notes and alignment take, for each array. */
const SPARE_BYTES = 4096;

/**
 * Replaces the arrays of a size, all of which have just come back, by a stock, once.
 *
 * @param room - Bytes that the pool may have more.
 */
export function stock(dtype: DType, numel: number, room: number): void {
  const bytes = numel * BYTES[dtype];
  if (bytes < SIZES.least || bytes >= SIZES.below) return;
  const shelf = shelfOf(dtype, numel);
  if (shelf === undefined || shelf.stocked || shelf.blocks.length < A_LOOP) return;
  const count = Math.min(MORE * shelf.blocks.length, Math.floor(MOST_BYTES / bytes));
  if (count * bytes > room) return;
  shelf.stocked = true;
  clearShelf(shelf);
  addon.warmMemory(count * (bytes + SPARE_BYTES));
  for (let i = 0; i < count; i++) {
    const block = new Block(dtype, numel);
    block.array = fresh(dtype, numel);
    shelve(block);
  }
}
