// A job of Workers of one process: bytes go through rings in shared memory, one for each pair, with Atomics.
import type { Exchange, Transport } from './transport.js';

/** Bytes under way from one Worker to another. */
const RING = 1 << 17;
/** A Worker looks this long, in milliseconds, before it sleeps. */
const SPIN = 0.05;
/** It sleeps at most so long, and looks then whether others have ended. */
const NAP = 20;

/** @internal What the Workers of a job share. */
export interface SharedJob {
  readonly size: number;
  /** Per rank: whether it has ended, its bell; per pair: bytes written, bytes read, both modulo 2^32. */
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly rings: Uint8Array<SharedArrayBuffer>;
}

/** @internal */
export function sharedJob(size: number): SharedJob {
  return {
    size,
    control: new Int32Array(new SharedArrayBuffer(4 * (2 * size + 2 * size * size))),
    rings: new Uint8Array(new SharedArrayBuffer(size * size * RING)),
  };
}

/** @internal Says that a rank has left the job. */
export function endRank({ size, control }: SharedJob, rank: number): void {
  Atomics.store(control, rank, 1);
  for (let each = 0; each < size; each++) ring(control, size, each);
}

function ring(control: Int32Array<SharedArrayBuffer>, size: number, rank: number): void {
  Atomics.add(control, size + rank, 1);
  Atomics.notify(control, size + rank);
}

interface Message {
  readonly bytes: Uint8Array;
  at: number;
  /** Of what comes: no more than there is room for, and as long as what was sent. */
  end: number;
  /** Whether it begins with its length. */
  isNew: boolean;
}

/** Of the length that comes before a message. */
const LENGTH_BYTES = 4;

class SharedExchange implements Exchange {
  readonly #outgoing = new Map<number, Message[]>();
  readonly #incoming = new Map<number, Message[]>();

  constructor(
    readonly job: SharedJob,
    readonly rank: number,
  ) {}

  send(peer: number, bytes: Uint8Array, at: number, end: number): void {
    add(this.#outgoing, peer, { bytes, at, end, isNew: true });
  }

  receive(peer: number, bytes: Uint8Array, at: number, end: number): void {
    add(this.#incoming, peer, { bytes, at, end, isNew: true });
  }

  wait(microseconds: number): number {
    const { control, size } = this.job;
    const bell = size + this.rank;
    const begun = performance.now();
    for (;;) {
      const rung = Atomics.load(control, bell);
      const missing = this.#move();
      const waited = performance.now() - begun;
      if (missing === 0 || waited * 1e3 >= microseconds) return missing;
      if (waited > SPIN)
        Atomics.wait(control, bell, rung, Math.min(NAP, microseconds / 1e3 - waited));
    }
  }

  silent(): number[] {
    return [...this.#incoming].filter(([, left]) => left.length > 0).map(([peer]) => peer);
  }

  /** Moves what there is, and room for. Returns how many messages are left. */
  #move(): number {
    let left = 0;
    for (const [peer, messages] of this.#outgoing) {
      this.#moveAll(peer, messages, this.rank, peer, true);
      left += messages.length;
    }
    for (const [peer, messages] of this.#incoming) {
      this.#moveAll(peer, messages, peer, this.rank, false);
      left += messages.length;
    }
    return left;
  }

  #moveAll(peer: number, messages: Message[], from: number, to: number, out: boolean): void {
    const { control, size, rings } = this.job;
    const pair = from * size + to;
    const [writtenAt, readAt] = [2 * size + 2 * pair, 2 * size + 2 * pair + 1];
    const own = rings.subarray(pair * RING, (pair + 1) * RING);
    let moved = 0;
    for (let message = messages[0]; message !== undefined; message = messages[0]) {
      const [written, read] = [Atomics.load(control, writtenAt), Atomics.load(control, readAt)];
      const there = (written - read) >>> 0;
      const room = out ? RING - there : there;
      if (message.isNew) {
        if (room < LENGTH_BYTES) break;
        if (out) writeLength(own, written, message.end - message.at);
        else message.end = Math.min(message.end, message.at + lengthAt(own, read));
        message.isNew = false;
        const next = (out ? written : read) + LENGTH_BYTES;
        Atomics.store(control, out ? writtenAt : readAt, next | 0);
        moved += LENGTH_BYTES;
        if (message.at < message.end) continue;
        messages.shift();
        continue;
      }
      const place = (out ? written : read) & (RING - 1);
      const bytes = Math.min(room, message.end - message.at, RING - place);
      if (bytes === 0 && message.at < message.end) break;
      const part = message.bytes.subarray(message.at, message.at + bytes);
      if (out) own.set(part, place);
      else part.set(own.subarray(place, place + bytes));
      Atomics.store(control, out ? writtenAt : readAt, ((out ? written : read) + bytes) | 0);
      message.at += bytes;
      moved += bytes;
      if (message.at === message.end) messages.shift();
    }
    if (moved > 0) ring(control, size, peer);
  }
}

/** Bytes lie anywhere in a ring, around its end too. */
function writeLength(ring: Uint8Array, at: number, length: number): void {
  for (let i = 0; i < LENGTH_BYTES; i++) ring[(at + i) & (RING - 1)] = length >>> (8 * i);
}

function lengthAt(ring: Uint8Array, at: number): number {
  let length = 0;
  for (let i = 0; i < LENGTH_BYTES; i++) length |= ring[(at + i) & (RING - 1)]! << (8 * i);
  return length >>> 0;
}

function add(to: Map<number, Message[]>, peer: number, message: Message): void {
  const messages = to.get(peer) ?? [];
  messages.push(message);
  to.set(peer, messages);
}

/** @internal */
export class WorkersTransport implements Transport {
  readonly backend = 'workers';
  readonly size: number;
  readonly localRank: number;
  readonly mpi = null;
  #code = 0;

  constructor(
    readonly job: SharedJob,
    readonly rank: number,
  ) {
    this.size = job.size;
    this.localRank = rank;
    process.on('exit', () => {
      if (this.#code !== 0) process.exitCode = this.#code;
      endRank(job, rank);
    });
  }

  exchange(): Exchange {
    return new SharedExchange(this.job, this.rank);
  }

  ended(): readonly number[] {
    const { control, size } = this.job;
    return Array.from({ length: size }, (_, rank) => rank).filter(
      (rank) => Atomics.load(control, rank) !== 0,
    );
  }

  fail(code: number): void {
    this.#code = code;
  }
}
