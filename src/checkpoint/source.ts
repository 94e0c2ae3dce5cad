// Where a checkpoint's bytes come from: memory, or an open file. The formats are read in steps, so that one
// implementation serves both, at once or in turns of the event loop.
import { constants } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';

import * as check from '../check/index.js';
import { outsideScopes } from '../tensor/tensor.js';
import { quoted } from './sentences.js';

export interface Source {
  /** In bytes. It does not change: a source that shrinks is an error of `read`. */
  readonly size: number;
  /** Fills `into` with the bytes from `position` on, all inside of the source. Undefined: they are there already. */
  read(into: Uint8Array, position: number): Promise<void> | undefined;
}

/**
 * Work in steps. Each yield is a promise to be awaited before the next step, or undefined where the work
 * may be interrupted.
 */
export type Steps<Result> = Generator<Promise<void> | undefined, Result, void>;

/** The most that one step reads: a copy of it takes 0.1 to 0.4 ms. A multiple of every element's size. */
export const CHUNK_BYTES = 2 ** 20;

/** After so much work a turn of the event loop is due: what a copy of 1 MB takes. */
const TURN_MS = 0.3;

/** A run of bytes of a source. */
export interface Extent {
  readonly position: number;
  readonly length: number;
  /** The entry of an archive that it is: its name, and the CRC-32 it has to have. */
  readonly checked?: { readonly name: string; readonly crc: number };
}

/** Bytes in memory, which the caller may take away or shrink meanwhile. */
export class BytesSource implements Source {
  readonly size: number;

  constructor(
    private readonly who: string,
    private readonly bytes: Uint8Array,
  ) {
    this.size = bytes.byteLength;
  }

  read(into: Uint8Array, position: number): undefined {
    const end = position + into.length;
    if (end > this.bytes.byteLength) {
      throw check.wrongValue(
        this.who,
        `${this.size} bytes until the promise settles`,
        `${this.bytes.byteLength} (their buffer was detached or shrunk)`,
      );
    }
    into.set(this.bytes.subarray(position, end));
  }
}

/** Does all steps now: over bytes in memory. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (step.value !== undefined) throw new Error('evenkeel: a source that has to be waited for.');
  }
}

/** Does all steps, and lets the event loop turn between them. What they make belongs to no scope. */
export async function inTurns<Result>(
  steps: Steps<Result>,
  signal: AbortSignal | null,
): Promise<Result> {
  let start = performance.now();
  for (;;) {
    check.notAborted(signal);
    const step = outsideScopes(() => steps.next());
    if (step.done === true) return step.value;
    if (step.value !== undefined) await step.value;
    else if (performance.now() - start > TURN_MS) await setImmediate();
    else continue;
    start = performance.now();
  }
}

/** Memory that nobody has written: the caller fills it. */
export function allocate(who: string, size: number): Uint8Array {
  if (size > constants.MAX_LENGTH) {
    throw check.wrongValue(who, `at most ${constants.MAX_LENGTH} bytes`, String(size));
  }
  try {
    return Buffer.allocUnsafeSlow(size);
  } catch (cause) {
    throw new Error(`${who}: expected memory for ${size} bytes, got none.`, { cause });
  }
}

/** Some bytes of a source, in memory of their own. */
export function* readBytes(
  who: string,
  source: Source,
  position: number,
  length: number,
): Steps<Uint8Array> {
  const bytes = allocate(who, length);
  for (let at = 0; at < length; at += CHUNK_BYTES) {
    yield source.read(bytes.subarray(at, at + CHUNK_BYTES), position + at);
  }
  return bytes;
}

/**
 * Reads an extent in chunks and checks it. `room` says where the chunk from byte `at` of the extent on goes;
 * `use` is run when it is there.
 */
export function* readExtent(
  who: string,
  source: Source,
  { position, length, checked }: Extent,
  room: (at: number, length: number) => Uint8Array,
  use?: (chunk: Uint8Array, at: number) => Steps<void>,
): Steps<void> {
  let crc = 0;
  for (let at = 0; at < length; at += CHUNK_BYTES) {
    const chunk = room(at, Math.min(CHUNK_BYTES, length - at));
    yield source.read(chunk, position + at);
    if (checked !== undefined) crc = crc32(chunk, crc);
    if (use !== undefined) yield* use(chunk, at);
  }
  if (checked === undefined || crc === checked.crc) return;
  throw check.wrongValue(
    who,
    `${quoted(checked.name)} with the checksum ${hex(checked.crc)}`,
    `${hex(crc)} (damaged)`,
  );
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');
