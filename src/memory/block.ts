// A block: the memory of one array that may be handed out more than once. While it is lent the pool holds its
// buffer, and knows the array over it (the view that tensors, graphs and jobs hold) only by a weak reference of
// Node-API. When nothing can reach the array any more, a collection clears that reference.
//
// Whoever makes another view of a lent buffer keeps the array as well, for as long as the view is used.
import { addon } from '../addon/control.js';
import { BYTES, isFloating, viewOf, type DType, type FloatData, type TensorData } from './dtype.js';

/** What an array's objects cost besides its elements, so that a million scalars count for something. */
const HEADER_BYTES = 256;
/** Smaller arrays are cheap to make again (0.3 us; of 8 KB 2.5): they come back by hand only. */
const WATCHED_BYTES = 4096;

/**
 * Memory of so many bytes that has come back so often lies on pages of 2 MB from then on. On pages of 4 KB several
 * arrays in circulation miss the TLB: a call on 16 KB to 1 MB takes 1.05 to 1.2 times as long, on 4 MB 1.2, beside
 * other work twice. Moving 2 MB costs a millisecond, which as many returns are worth; arrays that share them cost 10 us.
 */
const WORTH_GATHERING = { bytes: 8 * 1024, returns: 64 } as const;

/** Whether the collector is asked about such arrays. */
export function isWatched(dtype: DType, numel: number): boolean {
  return numel * BYTES[dtype] >= WATCHED_BYTES;
}

/** Who has a block: its shelf, an array that something may reach, or the collector alone. */
export type Holder = 'pool' | 'array' | 'collector';

/** Two slots are taken: see `canaries` in lent.ts. */
let slots = 2;
const freeSlots: number[] = [];

export class Block {
  holder: Holder = 'array';
  /** The array, while the pool has it: null where the array before has died. */
  array: TensorData | null = null;
  /** Collections that the array has survived since it was lent. */
  survived = 0;
  /** Which list of lent.ts has it. */
  list: 'young' | 'old' | null = null;
  /** How often its array has died, and the pool had it back. */
  private returns = 0;
  private slot = -1;
  private buffer: ArrayBuffer | null = null;
  private byteOffset = 0;

  constructor(
    readonly dtype: DType,
    readonly numel: number,
  ) {}

  /** Bytes that it counts for. */
  get cost(): number {
    return this.numel * BYTES[this.dtype] + HEADER_BYTES;
  }

  /** Whether the collector is asked about its array. */
  get watched(): boolean {
    return isWatched(this.dtype, this.numel);
  }

  /** Lets go of the array, and asks the collector about it from here on. */
  watch(array: TensorData): void {
    if (this.slot < 0) this.slot = freeSlots.pop() ?? slots++;
    if (this.buffer === null) {
      this.buffer = array.buffer as ArrayBuffer;
      this.byteOffset = array.byteOffset;
    }
    addon.weakWatch(this.slot, array);
  }

  /** The array to hand out. */
  lend(): TensorData {
    let { array } = this;
    if (array === null) {
      array = viewOf(this.dtype, this.buffer!, this.byteOffset, this.numel);
      if (++this.returns === WORTH_GATHERING.returns) this.gather(array);
      this.watch(array);
    } else if (this.watched && this.slot < 0) {
      this.watch(array);
    }
    this.array = null;
    this.holder = 'array';
    return array;
  }

  private gather(array: TensorData): void {
    const { dtype, numel } = this;
    if (!isFloating(dtype) || numel * BYTES[dtype] < WORTH_GATHERING.bytes) return;
    addon.gatherPages(array as FloatData, numel);
  }

  /** Whether something may still reach the array that was lent. */
  get reachable(): boolean {
    return addon.weakAlive(this.slot);
  }

  /** Leaves the memory to whoever holds the array. */
  leave(): void {
    this.holder = 'collector';
    this.array = this.buffer = null;
    if (this.slot < 0) return;
    addon.weakForget(this.slot);
    freeSlots.push(this.slot);
    this.slot = -1;
  }

  /** Gives the memory back to the system. Only for a block that the pool has. */
  free(): void {
    const buffer = this.buffer ?? (this.watched ? (this.array?.buffer as ArrayBuffer) : null);
    this.leave();
    if (buffer !== null) addon.freeBuffer(buffer);
  }
}
