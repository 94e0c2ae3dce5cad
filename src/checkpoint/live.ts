// Tensors that are written from where they are: held until the end, and found out when an operation writes
// into them meanwhile.
import { isSharedArrayBuffer } from 'node:util/types';

import * as check from '../check/index.js';
import type { Memory } from '../memory/buffer.js';
import type { TensorData } from '../memory/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { CHUNK_BYTES } from './source.js';

/** What is smaller is copied before it is written: cheaper than a buffer of its own. */
const SMALL_BYTES = 2 ** 16;
/** The most tensors, or parts of them, that one turn of the event loop prepares: 0.2 ms. */
const PARTS = 512;

/** A tensor's elements while they are written. */
export class Live {
  readonly #memory: Memory;
  readonly #version: number;
  /**
   * The array itself where nobody can take it away while the system reads it: in shared memory, or one that no
   * user has seen (Memory.expose gives a caller that asks now an array of its own).
   */
  readonly #own: TensorData | null = null;
  readonly byteLength: number;

  /** @throws {TypeError} when the tensor is disposed or its buffer detached. */
  constructor(
    readonly who: string,
    readonly name: string,
    tensor: Tensor,
  ) {
    const data = tensor.attached(who, name);
    this.byteLength = data.byteLength;
    this.#memory = tensor.share();
    this.#version = this.#memory.version;
    if (this.#memory.exposed && !isSharedArrayBuffer(data.buffer)) return;
    this.#memory.readers++;
    this.#own = data;
  }

  /** Bytes `start` to before `end`: themselves, or, where they may go away, a copy at the start of `scratch`. */
  bytes(start: number, end: number, scratch: Uint8Array): Uint8Array {
    this.unchanged();
    const { buffer, byteOffset, byteLength } = this.#own ?? this.#memory.data;
    if (byteLength !== this.byteLength) throw this.#detached(byteLength);
    const bytes = new Uint8Array(buffer, byteOffset + start, end - start);
    if (this.#own !== null && bytes.length >= SMALL_BYTES) return bytes;
    scratch.set(bytes);
    return scratch.subarray(0, bytes.length);
  }

  /** @throws {Error} when an operation has written into the tensor since. */
  unchanged(): void {
    this.#memory.checkUnchanged(this.#version, this.who, this.name);
  }

  /** Lets go of the elements: a tensor that was disposed of meanwhile gives its memory back now. */
  release(): void {
    if (this.#own !== null) this.#memory.readers--;
    this.#memory.release();
  }

  #detached(bytes: number): TypeError {
    return new TypeError(
      `${this.who}: expected ${this.name} to keep its ${this.byteLength} bytes until the promise settles, ` +
        `got ${bytes} (its buffer was detached or shrunk).`,
    );
  }
}

/**
 * A file's bytes, at most 1 MB at a time: a header, then the tensors. What is yielded may be written over
 * once the next is asked for. When all is written it is checked that no tensor has changed.
 */
export function* piecesOf(
  header: Uint8Array,
  tensors: readonly Live[],
  signal: AbortSignal | null,
): Generator<readonly Uint8Array[], void, void> {
  const scratch = new Uint8Array(CHUNK_BYTES);
  let [buffers, bytes, parts] = [[header], header.length, 0];
  for (const live of tensors) {
    for (let start = 0; start < live.byteLength; parts++) {
      if (bytes >= CHUNK_BYTES || parts === PARTS) {
        check.notAborted(signal);
        yield buffers;
        [buffers, bytes, parts] = [[], 0, 0];
      }
      const end = Math.min(live.byteLength, start + CHUNK_BYTES - bytes);
      const chunk = live.bytes(start, end, scratch.subarray(bytes));
      const last = buffers.at(-1);
      if (last?.buffer === scratch.buffer && chunk.buffer === scratch.buffer) {
        // Copies one after another lie side by side there.
        buffers[buffers.length - 1] = scratch.subarray(last.byteOffset, bytes + chunk.length);
      } else {
        buffers.push(chunk);
      }
      bytes += chunk.length;
      start = end;
    }
  }
  check.notAborted(signal);
  yield buffers;
  for (const live of tensors) live.unchanged();
}
