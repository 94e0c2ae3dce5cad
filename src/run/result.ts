// Memory that a call beside the event loop writes.
import { DISPOSED, type Memory } from '../memory/buffer.js';
import type { FloatData } from '../memory/dtype.js';

/** @internal Memory that a step of this deferral writes: its elements are kept here until the end. */
export class Result {
  readonly array: FloatData;

  constructor(
    readonly memory: Memory,
    deferral: NonNullable<Memory['awaited']>,
  ) {
    this.array = memory.data as FloatData;
    memory.data = DISPOSED[memory.dtype].data;
    memory.awaited = deferral;
  }

  copied(): undefined {
    return undefined;
  }

  /** The elements are there for everybody. */
  show(): void {
    this.memory.data = this.array;
    this.memory.awaited = null;
    this.memory.release();
  }

  /** The elements will never be there. */
  drop(): void {
    if (this.memory.holders === 1) this.show();
    else this.memory.release();
  }
}
