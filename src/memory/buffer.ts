// The memory behind tensors: who holds it, whether a user may have a view of it, and where it goes when
// the last tensor lets go. Only memory that was allocated here is ever handed out again.
import { markAsUntransferable } from 'node:worker_threads';

import type { Block } from './block.js';
import { leave } from './lent.js';
import { fresh } from './fresh.js';
import { enter, give, lend, take } from './pool.js';
import { empty, lengthOf, viewOf, type DType, type TensorData } from './dtype.js';

/** How many tensors made of a caller's buffer have not been disposed of: `tensor()` called twice on one array. */
const adoptions = new WeakMap<ArrayBufferLike, { count: number }>();

/** What tensors over the same elements have in common. */
export class Memory {
  /** How often the elements have changed in place. */
  version = 0;
  /** Tensors that hold it. One that is merely forgotten still counts: then it is never reused. */
  holders = 1;
  /** `data` was read: the caller may hold a view, so the buffer must be detached before it is reused. */
  exposed: boolean;
  /** Some operation's result is another shape of one of its inputs: what is written shows in both. */
  viewed = false;
  /** Jobs that read it beside the event loop. */
  readers = 0;
  /** The call beside the event loop that computes the elements: until then `data` is empty. */
  awaited: { readonly open: boolean; now(): void } | null = null;
  /** Those of the caller's buffer, where they are counted. */
  private adopted: { count: number } | null = null;

  /**
   * @param owned - Allocated here, so it may be handed out again; an adopted or shared array never is.
   * @param pending - Every element is this number and `data` is still empty (see `materialize`).
   * @param block - What the pool knows of the array, where it lent it.
   */
  constructor(
    readonly dtype: DType,
    public data: TensorData,
    private owned: boolean,
    public pending: number | null = null,
    private block: Block | null = null,
  ) {
    this.exposed = !owned;
  }

  /** `numel` elements that nobody has written. */
  static uninitialized(dtype: DType, numel: number): Memory {
    const block = take(dtype, numel);
    if (block !== null) return new Memory(dtype, lend(block), true, null, block);
    const array = fresh(dtype, numel);
    return new Memory(dtype, array, true, null, enter(dtype, array));
  }

  /** How many elements are there: none once the array's buffer is detached. */
  get length(): number {
    return lengthOf(this.data);
  }

  /** One tensor holds it, and no array of a user's: nobody else sees what is written through that. */
  get sole(): boolean {
    return this.holders === 1 && this.owned;
  }

  /** @throws {Error} when an operation has written into the elements since `version`. */
  checkUnchanged(version: number, who: string, name: string): void {
    if (this.version === version) return;
    throw new Error(
      `${who}: expected ${name} to stay as it was until the promise settles, got one that ` +
        'has been modified by an inplace operation.',
    );
  }

  /** Makes the array of a pending number, or the calls that compute the elements. */
  materialize(numel: number): void {
    this.awaited?.now();
    if (this.pending === null) return;
    const { data, block } = Memory.uninitialized(this.dtype, numel);
    (data as Float64Array).fill(this.pending);
    this.data = data;
    this.block = block;
    this.pending = null;
  }

  /** The array for a caller, whose writes must not reach the jobs that read it. */
  expose(numel: number): TensorData {
    this.materialize(numel);
    if (this.exposed) return this.data;
    if (this.readers > 0) this.data = this.data.slice();
    else if (this.block !== null) leave(this.block);
    this.block = null;
    this.exposed = true;
    return this.data;
  }

  /** Counts this memory among the tensors over the caller's buffer, until it is released. */
  countAdoption(): void {
    const { buffer } = this.data;
    this.adopted = adoptions.get(buffer) ?? { count: 0 };
    this.adopted.count++;
    adoptions.set(buffer, this.adopted);
  }

  private endAdoption(): void {
    if (this.adopted !== null) this.adopted.count--;
    this.adopted = null;
  }

  /** What else would go away with the buffer, in words; null where nothing else of it is known. */
  get besides(): string | null {
    const { buffer, byteLength } = this.data;
    if (!this.owned && byteLength !== buffer.byteLength) {
      return `one of ${buffer.byteLength} bytes, of which it takes ${byteLength}`;
    }
    const others = (adoptions.get(buffer)?.count ?? 0) - (this.adopted === null ? 0 : 1);
    return others > 0 ? 'one that another tensor is made of too (dispose of that first)' : null;
  }

  /** Takes the elements away from every view there is of them. Throws where the buffer will not have it. */
  seize(): void {
    const { data } = this;
    const { buffer, byteOffset, length } = data;
    const moved = viewOf(this.dtype, transfer(buffer as ArrayBuffer), byteOffset, length);
    // Node 20 copies what is marked as untransferable.
    if (lengthOf(data) !== 0) throw new Error('it is marked as untransferable');
    this.data = moved;
    this.exposed = false;
    this.endAdoption();
  }

  /** Each has the other's elements from here on, and what the pool knows of them. */
  exchange(other: Memory): void {
    [this.data, other.data] = [other.data, this.data];
    [this.block, other.block] = [other.block, this.block];
    [this.owned, other.owned] = [other.owned, this.owned];
  }

  /** Has its elements in this array from here on, the same ones: jobs and views keep the array they have. */
  moveTo(shared: TensorData): void {
    this.data = shared;
    this.block = null;
    this.owned = false;
    this.exposed = true;
    this.endAdoption();
  }

  /** One holder fewer. After the last one no view that a user kept reaches the memory. */
  release(): void {
    if (--this.holders > 0) return;
    this.endAdoption();
    if (!this.owned) return;
    const data = this.exposed ? withdraw(this.dtype, this.data) : this.data;
    if (data !== null) give(this.dtype, data, this.block);
  }
}

/** What disposed tensors hold: no elements. */
export const DISPOSED: Readonly<Record<DType, Memory>> = {
  float32: new Memory('float32', empty('float32'), false),
  float64: new Memory('float64', empty('float64'), false),
  int32: new Memory('int32', empty('int32'), false),
  int64: new Memory('int64', empty('int64'), false),
};

/** Moves a buffer to a new object: 0.2 µs where Node has it and it asks for marks (24 and later), else 1.3 µs. */
const transfer: (buffer: ArrayBuffer) => ArrayBuffer = transferSparesMarked()
  ? (buffer) => (buffer as ArrayBuffer & { transfer(): ArrayBuffer }).transfer()
  : (buffer) => structuredClone(buffer, { transfer: [buffer] });

/** Node 22's transfer() takes what is marked as untransferable too. */
function transferSparesMarked(): boolean {
  if (!('transfer' in ArrayBuffer.prototype)) return false;
  const marked = new ArrayBuffer(1) as ArrayBuffer & { transfer(): ArrayBuffer };
  markAsUntransferable(marked);
  try {
    marked.transfer();
    return false;
  } catch {
    return true;
  }
}

/**
 * The same elements in a new buffer, which no view of the caller's reaches; null if the caller has transferred them.
 * Memory that is marked as untransferable stays the caller's: Node 20 copies it here, later versions throw.
 */
function withdraw(dtype: DType, data: TensorData): TensorData | null {
  const { length, byteOffset } = data;
  try {
    return viewOf(dtype, transfer(data.buffer as ArrayBuffer), byteOffset, length);
  } catch {
    return null;
  }
}
