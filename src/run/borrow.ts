// The memory that a call beside the event loop reads. JavaScript can detach, shrink or free what a user
// holds a view of, so a job never touches that: it is lent shared memory, memory nobody else can see, or
// a copy.
import { isSharedArrayBuffer } from 'node:util/types';

import * as check from '../check/index.js';
import { Memory } from '../memory/buffer.js';
import type { FloatData, Tensor } from '../tensor/tensor.js';
import { unlessAborted } from './job.js';

/** One copy of so much a turn of the event loop: 0.1 to 0.4 ms. Up to here a call copies at once. */
const CHUNK_BYTES = 2 ** 20;

/** @internal A tensor's elements, for as long as a call needs them. */
export class Loan {
  readonly #copying: Promise<void> | null = null;
  readonly #memory: Memory;
  readonly #version: number;
  /** Kept here, because `#memory` gets another array when a user asks for a view. */
  readonly #borrowed: FloatData | null = null;
  #copy: Memory | null = null;

  /**
   * @param take - Take an array the user can see away from him, rather than copy it.
   * @throws {TypeError} when it is gone, or cannot be taken away.
   * @throws {RangeError} when its buffer holds something else too.
   */
  constructor(
    readonly who: string,
    readonly name: string,
    tensor: Tensor,
    take = false,
  ) {
    const data = tensor.attached(who, name) as FloatData;
    const memory = tensor.share();
    this.#memory = memory;
    this.#version = memory.version;
    try {
      if (take && memory.exposed && !isSharedArrayBuffer(data.buffer)) this.#seize();
      if (!memory.exposed || isSharedArrayBuffer(data.buffer)) {
        memory.readers++;
        this.#borrowed = memory.data as FloatData;
      } else if (data.byteLength <= CHUNK_BYTES) {
        this.room(tensor.numel).set(data);
      } else {
        this.#copying = copyInTurns(this, memory, tensor.numel);
      }
    } catch (error) {
      memory.release();
      forget(this);
      throw error;
    }
  }

  /** What the job reads, once it is ready. */
  get data(): FloatData {
    return this.#borrowed ?? (this.#copy?.data as FloatData);
  }

  /**
   * Where a copy goes. Made when its turn comes, so that it finds the memory of one that has been read:
   * 64 calls of 8 MB hold a few copies at a time, and take 150 ms where 64 new ones took 240.
   */
  room(numel: number): FloatData {
    this.#copy ??= Memory.uninitialized(this.#memory.dtype, numel);
    return this.#copy.data as FloatData;
  }

  /** Settles when the elements are there; rejected when they went away before that, or it is aborted. */
  async ready(signal: AbortSignal | null): Promise<void> {
    if (this.#copying !== null) await unlessAborted(this.#copying, signal);
  }

  /** @throws {Error} when an operation has written into what the job has read. */
  check(): void {
    if (this.#borrowed !== null) this.unchanged();
  }

  /** @throws {Error} when an operation has written into the tensor since. */
  unchanged(): void {
    this.#memory.checkUnchanged(this.#version, this.who, this.name);
  }

  /** Gives it back, once no job reads it. */
  release(): void {
    if (this.#copying !== null) forget(this); // nothing must be written into what goes to the pool
    if (this.#borrowed !== null) this.#memory.readers--;
    this.#memory.release();
    this.#copy?.release();
  }

  #seize(): void {
    const { besides } = this.#memory;
    if (besides !== null) {
      const what = `a buffer to transfer that holds ${this.name} alone`;
      throw check.wrongValue(this.who, what, besides);
    }
    try {
      this.#memory.seize();
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
  readonly loan: Loan;
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

function copyInTurns(loan: Loan, from: Memory, numel: number): Promise<void> {
  const copied = new Promise<void>((resolve, reject) => {
    copies.push({ loan, from, numel, done: 0, resolve, reject });
  });
  copied.catch(() => undefined); // whoever gives the loan back before that does not listen
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
  const { loan, from, numel, done } = copy;
  try {
    const data = from.data as FloatData;
    if (from.length !== numel) throw gone(loan, numel, from.length);
    loan.unchanged();
    copy.done = Math.min(numel, done + CHUNK_BYTES / data.BYTES_PER_ELEMENT);
    loan.room(numel).set(data.subarray(done, copy.done), done);
    if (copy.done === numel) {
      forget(loan);
      copy.resolve();
    }
  } catch (error) {
    forget(loan);
    copy.reject(error);
  }
  schedule();
}

function forget(loan: Loan): void {
  copies = copies.filter((copy) => copy.loan !== loan);
}

function gone({ who, name }: Loan, numel: number, length: number): TypeError {
  return new TypeError(
    `${who}: expected ${name} to keep its ${numel} elements until they are copied, got ${length} ` +
      '(its buffer was detached or shrunk).',
  );
}
