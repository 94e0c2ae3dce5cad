// Longer than 250 lines because the collectives are one class over one protocol: records that say where each process is.
//
// What processes do together, as steps: each gives an exchange that has to end before the next one. group.ts waits for
// them, blocking or in turns of the event loop.
import { collectsSoon, collectWithOthers } from '../memory/pool.js';
import { PeerError } from './errors.js';
import { hashOf, INLINE, RECORD, RecordView, type Call } from './record.js';
import { foldNodes, type FloatArray } from './sums.js';
import type { Exchange, Transport } from './transport.js';

/** @internal */
export type Steps<Result> = Generator<Exchange, Result, void>;

/** An all-reduce of more bytes is shared out: each process adds a part. */
const SHARED_OUT = 1 << 15;

/** @internal The records of a group, and what is sent with them. */
export class Collectives {
  readonly #records: Uint8Array;
  readonly #views: RecordView[];
  readonly #id: number;
  /** Memory of the last large exchange, by what it was for and by rank: fresh pages cost more than the bytes in them. */
  readonly #rooms = new Map<string, Uint8Array<ArrayBuffer>>();
  /** What the last gather has given. */
  readonly #all: Uint8Array[];
  /** Of the gather under way: what does not fit in records. */
  #rest: Exchange | null = null;
  sequence = 0;

  /** @param members - The ranks of the transport that make the group, in the order of its own ranks. */
  constructor(
    readonly transport: Transport,
    readonly members: readonly number[],
    readonly rank: number,
    name: string,
  ) {
    const { length: size } = members;
    this.#records = new Uint8Array(size * RECORD);
    this.#all = members.map(() => NONE);
    this.#views = members.map(
      (_, i) => new RecordView(this.#records.subarray(i * RECORD, (i + 1) * RECORD)),
    );
    this.#id = hashOf(new TextEncoder().encode(`${name} ${members.join(',')}`));
  }

  /** Everyone's bytes, by rank: good until the next step of this group. @throws {PeerError} where not all came to `call`. */
  *gather(call: Call, data: Uint8Array): Steps<readonly Uint8Array[]> {
    this.#write(call, data);
    const records = this.#exchangeRecords(data);
    yield records;
    const rest = this.#exchangeRest(data);
    if (rest !== null) yield rest;
    return this.#gathered();
  }

  /**
   * The same at once. Where one process is to collect garbage soon, all do now, at the same time: in turns each would wait
   * for the collections of the others.
   *
   * @param wait - Blocks until nothing of the exchange is missing.
   */
  gatherNow(
    call: Call,
    data: Uint8Array,
    wait: (exchange: Exchange, call: Call, sequence: number) => void,
  ): readonly Uint8Array[] {
    this.#write(call, data);
    wait(this.#exchangeRecords(data), call, this.sequence);
    const rest = this.#exchangeRest(data);
    if (rest !== null) wait(rest, call, this.sequence);
    const all = this.#gathered();
    if (this.#views.some((each) => each.collects)) collectWithOthers();
    return all;
  }

  /** The bytes of `root` into `data` everywhere; all of one length. */
  *broadcast(call: Call, data: Uint8Array, root: number): Steps<void> {
    const all = yield* this.gather(call, this.rank === root ? data : NONE);
    const { length } = all[root]!;
    if (length !== data.length) {
      throw this.#different(call, `${length} bytes from rank ${root}, ${data.length} here`);
    }
    if (this.rank !== root) data.set(all[root]!);
  }

  /**
   * The sums over the processes, in place: those of a balanced tree over the ranks, whatever arrives first. Each array has
   * to have the same length everywhere; the lengths are checked.
   */
  *allReduce(call: Call, arrays: readonly FloatArray[]): Steps<void> {
    const lengths = new Uint8Array(Float64Array.from(arrays, (each) => each.length).buffer);
    const total = arrays.reduce((sum, each) => sum + each.byteLength, 0);
    const all = yield* this.gather(call, lengths);
    const other = all.findIndex((each) => Buffer.compare(each, lengths) !== 0);
    if (other >= 0) throw this.#different(call, `other lengths from rank ${other} than here`);
    if (this.members.length === 1) return;
    if (total > SHARED_OUT) yield* this.#addParts(arrays);
    else yield* this.#addAll(arrays);
  }

  /** Says to the others that this process does not come to `call`, and why. */
  *fail(call: Call, message: string): Steps<void> {
    this.sequence++;
    this.#views[this.rank]!.writeFailure(this.sequence, this.#id, call, message);
    yield this.#exchangeRecords(NONE);
    const rest = this.#exchangeRest(NONE);
    if (rest !== null) yield rest;
  }

  /** Everyone gets everything, and adds it. */
  *#addAll(arrays: readonly FloatArray[]): Steps<void> {
    const exchange = this.transport.exchange();
    const theirs = this.members.map((peer, rank) =>
      arrays.map((own, i) => {
        if (rank === this.rank) return own;
        const room = this.#roomLike(own, own.length, `sum ${i}`, rank);
        exchange.send(peer, bytesOf(own), 0, own.byteLength);
        exchange.receive(peer, bytesOf(room), 0, room.byteLength);
        return room;
      }),
    );
    yield exchange;
    arrays.forEach((own, i) => {
      foldNodes(
        theirs.map((each) => each[i]!),
        own,
      );
    });
  }

  /** Each process adds one part of every array, and sends it to the others. */
  *#addParts(arrays: readonly FloatArray[]): Steps<void> {
    const size = this.members.length;
    const part = (own: FloatArray, rank: number): FloatArray => {
      // Whole cache lines.
      const each = Math.ceil(own.length / size / 16) * 16;
      return own.subarray(
        Math.min(own.length, rank * each),
        Math.min(own.length, (rank + 1) * each),
      );
    };
    const scatter = this.transport.exchange();
    const theirs = this.members.map((peer, rank) =>
      arrays.map((own, i) => {
        const mine = part(own, this.rank);
        if (rank === this.rank) return mine;
        const to = part(own, rank);
        const room = this.#roomLike(own, mine.length, `sum ${i}`, rank);
        scatter.send(peer, bytesOf(to), 0, to.byteLength);
        scatter.receive(peer, bytesOf(room), 0, room.byteLength);
        return room;
      }),
    );
    yield scatter;
    const collect = this.transport.exchange();
    arrays.forEach((own, i) => {
      const mine = part(own, this.rank);
      foldNodes(
        theirs.map((each) => each[i]!),
        mine,
      );
      this.#others((peer, rank) => {
        const from = part(own, rank);
        collect.send(peer, bytesOf(mine), 0, mine.byteLength);
        collect.receive(peer, bytesOf(from), 0, from.byteLength);
      });
    });
    yield collect;
  }

  #write(call: Call, data: Uint8Array): void {
    this.sequence++;
    this.#views[this.rank]!.write(this.sequence, this.#id, call, data, collectsSoon());
  }

  /**
   * Everyone's record, and the data: what does not fit in a record leaves with it, and is received once the records have
   * said how long it is, by those that have failed, too. So small and large data take one latency of the network.
   */
  #exchangeRecords(data: Uint8Array): Exchange {
    const { members, transport, rank: own } = this;
    const records = transport.exchange();
    this.#rest = data.length > INLINE ? transport.exchange() : null;
    const begin = own * RECORD;
    const end = begin + this.#views[own]!.length;
    for (let rank = 0; rank < members.length; rank++) {
      if (rank === own) continue;
      const peer = members[rank]!;
      records.send(peer, this.#records, begin, end);
      records.receive(peer, this.#records, rank * RECORD, (rank + 1) * RECORD);
      this.#rest?.send(peer, data, 0, data.length);
    }
    return records;
  }

  /** Once the records are there: what has not come with them. @throws {PeerError} where not all are of one call. */
  #exchangeRest(data: Uint8Array): Exchange | null {
    this.#checkPlaces();
    const { members, rank: own } = this;
    for (let rank = 0; rank < members.length; rank++) {
      this.#all[rank] = rank === own ? data : this.#dataOf(rank);
    }
    const rest = this.#rest;
    this.#rest = null;
    return rest;
  }

  /** What a record has with it, or where it is to come. */
  #dataOf(rank: number): Uint8Array {
    const view = this.#views[rank]!;
    if (!view.isRecord) return NONE;
    const { dataLength: length } = view;
    if (length <= INLINE) return view.data(length);
    const room = this.#room('data', rank, length);
    this.#rest ??= this.transport.exchange();
    this.#rest.receive(this.members[rank]!, room, 0, length);
    return room;
  }

  #gathered(): readonly Uint8Array[] {
    const failed = this.#views.findIndex((each) => each.hasFailed);
    if (failed < 0) return this.#all;
    const { text } = this.#views[failed]!;
    throw new PeerError(`rank ${failed} of ${this.members.length}: ${text}`, [failed], false);
  }

  #others(each: (peer: number, rank: number) => void): void {
    this.members.forEach((peer, rank) => {
      if (rank !== this.rank) each(peer, rank);
    });
  }

  /** Memory whose old contents nobody needs. */
  #room(what: string, rank: number, length: number): Uint8Array<ArrayBuffer> {
    const key = `${what} ${rank}`;
    let room = this.#rooms.get(key);
    if (room === undefined || room.length < length) {
      room = new Uint8Array(length);
      this.#rooms.set(key, room);
    }
    return room.subarray(0, length);
  }

  #roomLike(own: FloatArray, length: number, what: string, rank: number): FloatArray {
    const { buffer } = this.#room(what, rank, length * own.BYTES_PER_ELEMENT);
    return own.BYTES_PER_ELEMENT === 4
      ? new Float32Array(buffer, 0, length)
      : new Float64Array(buffer, 0, length);
  }

  /** A process that has failed says so wherever it is. */
  #checkPlaces(): void {
    const views = this.#views;
    const own = views[this.rank]!;
    if (views.every((each) => own.isWith(each)) || views.some((each) => each.hasFailed)) return;
    const elsewhere = views.flatMap((each, rank) => (own.isWith(each) ? [] : [rank]));
    const places = views.map((each, rank) => placeOf(each, rank));
    throw new PeerError(
      `the processes are at different places of the program: ${places.join('; ')}`,
      elsewhere,
      true,
    );
  }

  #different(call: Call, got: string): PeerError {
    return new PeerError(
      `${call.what}: expected the same shape on every process, got ${got}.`,
      [],
      false,
    );
  }
}

/** @internal No data. */
export const NONE = new Uint8Array(0);

function placeOf({ kind, sequence, isRecord, text }: RecordView, rank: number): string {
  if (!isRecord || kind === undefined) return `rank ${rank} in the middle of another call`;
  return `rank ${rank} in ${kind} ${sequence} (${text})`;
}

/** @internal */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
