// Arrays that nobody holds any more, kept warm for the next output of the same size: the pages are there
// and partly in cache, where memory from the garbage collector is cold (1.2 to 3 times a whole forward).
// What may come here is decided in buffer.ts. One pool a thread: a Worker has its own copy of this module.
import { DTYPES, type DType, type TensorData } from './dtype.js';

/** The arrays of one dtype and length. */
interface Shelf {
  readonly arrays: TensorData[];
  lastUsed: number;
}

/** What an array's objects cost besides its elements, so that a million scalars count for something. */
const HEADER_BYTES = 256;
/** Sizes kept; a program whose shapes never repeat must not fill the table. */
const MAX_SHELVES = 256;

const shelves = new Map<DType, Map<number, Shelf>>(DTYPES.map((dtype) => [dtype, new Map()]));
let limit = 512 * 2 ** 20;
let pooled = 0;
let sizes = 0;
let clock = 0;

function costOf(data: TensorData): number {
  return data.byteLength + HEADER_BYTES;
}

/** An array of `numel` elements with anything in them, or undefined. */
export function take(dtype: DType, numel: number): TensorData | undefined {
  const shelf = shelves.get(dtype)?.get(numel);
  const data = shelf?.arrays.pop();
  if (shelf === undefined || data === undefined) return undefined;
  shelf.lastUsed = ++clock;
  pooled -= costOf(data);
  return data;
}

/** Takes over an array that nothing else can reach. */
export function give(dtype: DType, data: TensorData): void {
  const cost = costOf(data);
  if (cost > limit || data.length === 0) return;
  const shelf = shelves.get(dtype)?.get(data.length) ?? newShelf(dtype, data.length);
  shelf.arrays.push(data);
  shelf.lastUsed = ++clock;
  pooled += cost;
  if (pooled > limit) shrinkTo(limit);
}

function newShelf(dtype: DType, numel: number): Shelf {
  if (sizes === MAX_SHELVES) dropFromOldest(Infinity);
  const shelf = { arrays: [], lastUsed: 0 };
  shelves.get(dtype)?.set(numel, shelf);
  sizes++;
  return shelf;
}

/** Drops up to `count` arrays of the size used longest ago, and the shelf when it is empty. */
function dropFromOldest(count: number): void {
  let oldest: Shelf | null = null;
  let remove = (): boolean => false;
  for (const table of shelves.values()) {
    for (const [numel, shelf] of table) {
      if (oldest !== null && shelf.lastUsed >= oldest.lastUsed) continue;
      oldest = shelf;
      remove = () => table.delete(numel);
    }
  }
  if (oldest === null) return;
  for (let i = 0; i < count; i++) {
    const data = oldest.arrays.pop();
    if (data === undefined) break;
    pooled -= costOf(data);
  }
  if (oldest.arrays.length === 0 && remove()) sizes--;
}

function shrinkTo(bytes: number): void {
  while (pooled > bytes) dropFromOldest(1);
}

/** @internal What `native.memory` shows of this. */
export const pool = {
  get pooled(): number {
    return pooled;
  },
  get limit(): number {
    return limit;
  },
  set limit(bytes: number) {
    limit = bytes;
    shrinkTo(bytes);
  },
  trim(): void {
    for (const table of shelves.values()) table.clear();
    pooled = sizes = 0;
  },
};
