// The memory that a call beside the event loop reads. JavaScript can detach, shrink or free what a user
// holds a view of, so a job never touches that: it reads shared memory, memory nobody else can see, or
// a copy.
import { isSharedArrayBuffer } from 'node:util/types';

import * as check from '../check/index.js';
import { Memory } from '../memory/buffer.js';
import { viewOf, type FloatData } from '../memory/dtype.js';
import { unlessAborted } from './turns.js';

/** One copy of so much a turn of the event loop: 0.1 to 0.4 ms. */
const CHUNK_BYTES = 2 ** 20;
/** Up to here memory is copied at the call, wherever it is: an operation that writes into it then changes nothing. */
const SMALL_BYTES = 2 ** 12;

/** @internal How much may still be copied at the call. */
export interface CopyBudget {
  bytes: number;
}

/** @internal */
export function copyBudget(): CopyBudget {
  return { bytes: CHUNK_BYTES };
}

/** @internal Elements that are borrowed, for as long as a call needs them. */
export class Borrowed {
  readonly #version: number;
  readonly #numel: number;
  #copying: Promise<void> | null = null;
  /** Kept here, because `memory` gets another array when a user asks for a view. */
  #inPlace: FloatData | null = null;
  #copy: Memory | null = null;
  #opened = false;
  #rewritten = false;

  /** @param memory - Held for this already. */
  constructor(
    readonly who: string,
    readonly name: string,
    readonly memory: Memory,
  ) {
    this.#version = memory.version;
    this.#numel = memory.length;
  }

  /** What calls write goes into a copy, and into the memory itself with `commit`. */
  rewrite(): void {
    this.#rewritten = true;
  }

  /**
   * Makes sure of the elements from here on.
   *
   * @param take - Detach an array that the caller may hold a view of, rather than copy it.
   * @throws {TypeError} when it is detached, or cannot be taken away.
   * @throws {RangeError} when its buffer holds something else too.
   */
  open(budget: CopyBudget, take = false): void {
    const { memory } = this;
    if (memory.length !== this.#numel) throw detached(this, this.#numel, memory.length);
    const shared = isSharedArrayBuffer(memory.data.buffer);
    if (take && memory.exposed && !shared) this.#seize();
    const { byteLength } = memory.data;
    const reachable = this.#rewritten || (memory.exposed && !shared);
    this.#opened = true;
    if (byteLength <= SMALL_BYTES || (reachable && byteLength <= budget.bytes)) {
      budget.bytes -= byteLength;
      this.room(this.#numel).set(memory.data as FloatData);
    } else if (reachable) {
      this.#copying = copyInTurns(this, memory, this.#numel);
    } else {
      memory.readers++;
      // Of a fixed length: a view of shared memory that grows gets longer with it.
      const { buffer, byteOffset } = memory.data;
      this.#inPlace = shared
        ? (viewOf(memory.dtype, buffer, byteOffset, this.#numel) as FloatData)
        : (memory.data as FloatData);
    }
  }

  /** What a call reads: the memory itself until it is opened, and then what nobody can take away. */
  get array(): FloatData {
    if (!this.#opened) return this.memory.data as FloatData;
    return this.#inPlace ?? (this.#copy?.data as FloatData);
  }

  /**
   * Where a copy goes. Made when its turn comes, so that it finds the memory of one that has been read:
   * 64 calls of 8 MB hold a few copies at a time, and take 150 ms where 64 new ones took 240.
   */
  room(numel: number): FloatData {
    this.#copy ??= Memory.uninitialized(this.memory.dtype, numel);
    return this.#copy.data as FloatData;
  }

  /** Settles when a copy is made; rejected when they went away before that, or it is aborted. */
  async copied(signal: AbortSignal | null): Promise<void> {
    if (this.#copying !== null) await unlessAborted(this.#copying, signal);
  }

  /** @throws {Error} when an operation has written into what a job has read. */
  check(): void {
    if (this.#inPlace !== null || this.#rewritten) this.unchanged();
    if (!this.#rewritten || this.memory.length === this.#numel) return;
    throw detached(this, this.#numel, this.memory.length);
  }

  /** Has the elements that calls have written, where they have. Cannot fail. */
  commit(): void {
    if (!this.#rewritten || this.#copy === null) return;
    const { memory } = this;
    if (memory.exposed) (memory.data as FloatData).set(this.#copy.data as FloatData);
    else memory.exchange(this.#copy);
  }

  /** @throws {Error} when an operation has written into the memory since. */
  unchanged(): void {
    this.memory.checkUnchanged(this.#version, this.who, this.name);
  }

  /** Gives it back, once no job reads it. */
  release(): void {
    if (this.#copying !== null) forget(this); // nothing must be written into what goes to the pool
    if (this.#inPlace !== null) this.memory.readers--;
    this.memory.release();
    this.#copy?.release();
  }

  #seize(): void {
    const { besides } = this.memory;
    if (besides !== null) {
      const what = `a buffer to transfer that holds ${this.name} alone`;
      throw check.wrongValue(this.who, what, besides);
    }
    try {
      this.memory.seize();
    } catch (error) {
      throw new TypeError(
        `${this.who}: expected ${this.name} in a buffer that can be transferred, got one that cannot ` +
          `(${(error as Error).message}).`,
        { cause: error },
      );
    }
  }
}

interface Copy {
  readonly borrowed: Borrowed;
  /** Asked anew for each chunk: another call may have taken the array from the user since. */
  readonly from: Memory;
  readonly numel: number;
  done: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Of all calls: however many copy at a time, a turn of the event loop copies one chunk. */
let copies: Copy[] = [];
let scheduled = false;

function copyInTurns(borrowed: Borrowed, from: Memory, numel: number): Promise<void> {
  const copied = new Promise<void>((resolve, reject) => {
    copies.push({ borrowed, from, numel, done: 0, resolve, reject });
  });
  copied.catch(() => undefined); // a call that has failed before that does not listen
  schedule();
  return copied;
}

function schedule(): void {
  if (scheduled || copies.length === 0) return;
  setImmediate(copyChunk); // throws where the stack ends: then nothing is scheduled
  scheduled = true;
}

function copyChunk(): void {
  scheduled = false;
  const copy = copies[0];
  if (copy === undefined) return;
  const { borrowed, from, numel, done } = copy;
  try {
    const data = from.data as FloatData;
    if (from.length !== numel) throw detached(borrowed, numel, from.length);
    borrowed.unchanged();
    copy.done = Math.min(numel, done + CHUNK_BYTES / data.BYTES_PER_ELEMENT);
    borrowed.room(numel).set(data.subarray(done, copy.done), done);
    if (copy.done === numel) {
      forget(borrowed);
      copy.resolve();
    }
  } catch (error) {
    forget(borrowed);
    copy.reject(error);
  }
  schedule();
}

function forget(borrowed: Borrowed): void {
  copies = copies.filter((copy) => copy.borrowed !== borrowed);
}

function detached({ who, name }: Borrowed, numel: number, length: number): TypeError {
  return new TypeError(
    `${who}: expected ${name} to keep its ${numel} elements until they are copied, got ${length} ` +
      '(its buffer was detached or shrunk).',
  );
}
