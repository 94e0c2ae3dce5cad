// A job of Workers of one process: bytes go through rings in shared memory, one for each pair, with Atomics.
import { addon } from '../addon/control.js';
import type { Exchange, Transport } from './transport.js';

/** Bytes under way from one Worker to another. */
const RING = 1 << 17;
/** A Worker looks this long, in milliseconds, before it sleeps. */
const SPIN = 0.05;
/** It sleeps at most so long, and looks then whether others have ended. */
const NAP = 20;

/** Numbers of a cache line, and the places in that of a rank. */
const LINE = 16;
const [BELL, SLEEPS] = [1, 2];

/** @internal What the Workers of a job share. */
export interface SharedJob {
  readonly size: number;
  /**
   * Per rank a cache line: whether it has ended, its bell, whether it may sleep; per pair two: bytes written, and bytes
   * read, both modulo 2^32.
   */
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly rings: Uint8Array<SharedArrayBuffer>;
}

/** @internal */
export function sharedJob(size: number): SharedJob {
  return {
    size,
    control: new Int32Array(new SharedArrayBuffer(4 * LINE * (size + 2 * size * size))),
    rings: new Uint8Array(new SharedArrayBuffer(size * size * RING)),
  };
}

/** @internal Says that a rank has left the job. */
export function endRank({ size, control }: SharedJob, rank: number): void {
  Atomics.store(control, rank * LINE, 1);
  for (let each = 0; each < size; each++) ring(control, each);
}

/** Waking costs a lock that all Workers share, so only who may sleep is woken. It sleeps only if nobody has rung since. */
function ring(control: Int32Array<SharedArrayBuffer>, rank: number): void {
  const bell = rank * LINE + BELL;
  Atomics.add(control, bell, 1);
  if (Atomics.load(control, rank * LINE + SLEEPS) !== 0) Atomics.notify(control, bell);
}

interface Message {
  readonly bytes: Uint8Array;
  at: number;
  /** Of what comes: no more than there is room for, and as long as what was sent. */
  end: number;
  /** Whether it begins with its length. */
  isNew: boolean;
}

/** Bytes of the length that comes before a message. */
const HEAD = 8;
/** So many bytes are copied by the addon. */
const LONG = 1 << 10;

/** Bytes under way from one Worker to another: their ring, and the places of its two numbers in `control`. */
interface Pair {
  readonly ring: Uint8Array;
  /** The same bytes, as the lengths of messages. */
  readonly lengths: Float64Array;
  readonly writtenAt: number;
  readonly readAt: number;
}

function pairOf({ size, rings }: SharedJob, from: number, to: number): Pair {
  const pair = from * size + to;
  const writtenAt = LINE * (size + 2 * pair);
  return {
    ring: rings.subarray(pair * RING, (pair + 1) * RING),
    lengths: new Float64Array(rings.buffer, pair * RING, RING / HEAD),
    writtenAt,
    readAt: writtenAt + LINE,
  };
}

class SharedExchange implements Exchange {
  readonly #outgoing = new Map<number, Message[]>();
  readonly #incoming = new Map<number, Message[]>();
  /** Whether the last look has moved anything. */
  #moved = false;

  constructor(
    readonly job: SharedJob,
    readonly rank: number,
    /** By peer: to it, and from it. */
    readonly pairs: readonly (readonly [Pair, Pair])[],
  ) {}

  send(peer: number, bytes: Uint8Array, at: number, end: number): void {
    add(this.#outgoing, peer, { bytes, at, end, isNew: true });
  }

  receive(peer: number, bytes: Uint8Array, at: number, end: number): void {
    add(this.#incoming, peer, { bytes, at, end, isNew: true });
  }

  wait(microseconds: number): number {
    const { control } = this.job;
    const line = this.rank * LINE;
    const bell = line + BELL;
    const begun = performance.now();
    let moved = begun;
    for (;;) {
      const rung = Atomics.load(control, bell);
      const missing = this.#move();
      const now = performance.now();
      if (missing === 0 || (now - begun) * 1e3 >= microseconds) return missing;
      if (this.#moved) moved = now;
      else if (now - moved > SPIN) {
        Atomics.store(control, line + SLEEPS, 1);
        Atomics.wait(control, bell, rung, Math.min(NAP, microseconds / 1e3 - (now - begun)));
        Atomics.store(control, line + SLEEPS, 0);
      }
    }
  }

  silent(): number[] {
    return [...this.#incoming].filter(([, left]) => left.length > 0).map(([peer]) => peer);
  }

  /** Moves what there is, and room for. Returns how many messages are left. */
  #move(): number {
    let left = 0;
    this.#moved = false;
    for (const [peer, messages] of this.#outgoing) {
      this.#moveAll(peer, messages, this.pairs[peer]![0], true);
      left += messages.length;
    }
    for (const [peer, messages] of this.#incoming) {
      this.#moveAll(peer, messages, this.pairs[peer]![1], false);
      left += messages.length;
    }
    return left;
  }

  #moveAll(peer: number, messages: Message[], pair: Pair, out: boolean): void {
    const { control } = this.job;
    const { ring: own, lengths, writtenAt, readAt } = pair;
    let moved = 0;
    for (let message = messages[0]; message !== undefined; message = messages[0]) {
      const [written, read] = [Atomics.load(control, writtenAt), Atomics.load(control, readAt)];
      const at = out ? written : read;
      const there = (written - read) >>> 0;
      const room = out ? RING - there : there;
      let next: number;
      if (message.isNew) {
        // Each begins at a whole number of 8 bytes.
        const head = (at + 7) & -8;
        if (room < ((head - at) >>> 0) + HEAD) break;
        if (out) lengths[(head & (RING - 1)) / HEAD] = message.end - message.at;
        else message.end = Math.min(message.end, message.at + lengths[(head & (RING - 1)) / HEAD]!);
        message.isNew = false;
        next = head + HEAD;
      } else {
        const place = at & (RING - 1);
        const rest = message.end - message.at;
        let bytes = Math.min(room, rest, RING - place);
        if (bytes < rest) bytes &= -8;
        if (bytes === 0) break;
        if (out) copy(message.bytes, message.at, own, place, bytes);
        else copy(own, place, message.bytes, message.at, bytes);
        message.at += bytes;
        next = at + bytes;
      }
      Atomics.store(control, out ? writtenAt : readAt, next | 0);
      moved += (next - at) >>> 0;
      if (message.at === message.end) messages.shift();
    }
    if (moved === 0) return;
    this.#moved = true;
    ring(control, peer);
  }
}

/**
 * Copies bytes between private and shared memory. `set` does it number by number there, and takes twice as long as the
 * addon (2 MB of gradients 1.2 ms instead of 0.55).
 */
function copy(from: Uint8Array, begin: number, to: Uint8Array, at: number, bytes: number): void {
  let done = 0;
  const places = (from.byteOffset + begin) | (to.byteOffset + at);
  if (bytes >= LONG && places % 4 === 0) {
    done = bytes & -4;
    const floats = (array: Uint8Array, place: number): Float32Array =>
      new Float32Array(array.buffer, array.byteOffset + place, done / 4);
    addon.bareCopy(floats(from, begin), floats(to, at), done / 4);
  }
  if (done < bytes) to.set(from.subarray(begin + done, begin + bytes), at + done);
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
  /** Made once: a wait looks at them many times. */
  readonly #pairs: readonly (readonly [Pair, Pair])[];
  #code = 0;

  constructor(
    readonly job: SharedJob,
    readonly rank: number,
  ) {
    this.size = job.size;
    this.localRank = rank;
    this.#pairs = Array.from({ length: job.size }, (_, peer) => [
      pairOf(job, rank, peer),
      pairOf(job, peer, rank),
    ]);
    process.on('exit', () => {
      if (this.#code !== 0) process.exitCode = this.#code;
      endRank(job, rank);
    });
  }

  exchange(): Exchange {
    return new SharedExchange(this.job, this.rank, this.#pairs);
  }

  ended(): readonly number[] {
    const { control, size } = this.job;
    return Array.from({ length: size }, (_, rank) => rank).filter(
      (rank) => Atomics.load(control, rank * LINE) !== 0,
    );
  }

  fail(code: number): void {
    this.#code = code;
  }
}
