// The blocks that the pool has, by dtype and length: kept warm for the next output of the same size. The pages are
// there and partly in cache, where memory from the system is cold (1.2 to 30 times a whole forward).
// One set of shelves a thread: a Worker has its own copy of this module.
import type { Block } from './block.js';
import { DTYPES, type DType } from './dtype.js';

/** The blocks of one dtype and length. */
export interface Shelf {
  readonly blocks: Block[];
  lastUsed: number;
  /** The fewest blocks there were since the last `dropUnused`: so many nobody has needed. */
  fewest: number;
}

/** Sizes kept; a program whose shapes never repeat must not fill the table. */
const MAX_SHELVES = 256;

const shelves = new Map<DType, Map<number, Shelf>>(DTYPES.map((dtype) => [dtype, new Map()]));
let bytes = 0;
let sizes = 0;
let clock = 0;

/** What the shelves hold, in bytes. */
export function shelved(): number {
  return bytes;
}

export function shelfOf(dtype: DType, numel: number): Shelf | undefined {
  return shelves.get(dtype)!.get(numel);
}

/** A block of a shelf, with anything in it. */
export function takeFrom(shelf: Shelf): Block | undefined {
  const block = shelf.blocks.pop();
  if (block === undefined) return undefined;
  if (shelf.blocks.length < shelf.fewest) shelf.fewest = shelf.blocks.length;
  shelf.lastUsed = ++clock;
  bytes -= block.cost;
  return block;
}

/** Takes over a block whose array nothing else can reach. */
export function shelve(block: Block): void {
  const { dtype, numel } = block;
  const shelf = shelfOf(dtype, numel) ?? newShelf(dtype, numel);
  block.holder = 'pool';
  shelf.blocks.push(block);
  shelf.lastUsed = ++clock;
  bytes += block.cost;
}

function newShelf(dtype: DType, numel: number): Shelf {
  if (sizes === MAX_SHELVES) dropFromOldest(Infinity);
  const shelf = { blocks: [], lastUsed: 0, fewest: 0 };
  shelves.get(dtype)!.set(numel, shelf);
  sizes++;
  return shelf;
}

/** Drops up to `count` blocks of the size used longest ago, and the shelf when it is empty; false where none is left. */
export function dropFromOldest(count: number): boolean {
  let oldest: Shelf | null = null;
  let remove = (): boolean => false;
  for (const table of shelves.values()) {
    for (const [numel, shelf] of table) {
      if (oldest !== null && shelf.lastUsed >= oldest.lastUsed) continue;
      oldest = shelf;
      remove = () => table.delete(numel);
    }
  }
  if (oldest === null) return false;
  drop(oldest, count);
  if (oldest.blocks.length === 0 && remove()) sizes--;
  return true;
}

function drop({ blocks }: Shelf, count: number): void {
  for (const block of blocks.splice(0, count)) {
    bytes -= block.cost;
    block.free();
  }
}

/** Drops what nobody has needed since the last time. */
export function dropUnused(): void {
  for (const table of shelves.values()) {
    for (const [numel, shelf] of table) {
      drop(shelf, shelf.fewest);
      shelf.fewest = shelf.blocks.length;
      if (shelf.fewest === 0 && table.delete(numel)) sizes--;
    }
  }
}

/** Drops everything. */
export function clearShelves(): void {
  while (dropFromOldest(Infinity));
}
