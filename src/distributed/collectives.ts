// What processes do together, as steps: each gives an exchange that has to end before the next one. group.ts waits for
// them, blocking or in turns of the event loop.
import { PeerError } from './errors.js';
import { hashOf, INLINE, RECORD, RecordView, type Call, type Header } from './record.js';
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
    this.#views = members.map(
      (_, i) => new RecordView(this.#records.subarray(i * RECORD, (i + 1) * RECORD)),
    );
    this.#id = hashOf(new TextEncoder().encode(`${name} ${members.join(',')}`));
  }

  /** Everyone's bytes, by rank: good until the next step of this group. */
  *gather(call: Call, data: Uint8Array): Steps<Uint8Array[]> {
    const headers = yield* this.#meet(call, data);
    const all = headers.map(({ length }, rank) =>
      rank === this.rank
        ? data
        : length <= INLINE
          ? this.#views[rank]!.data(length)
          : new Uint8Array(length),
    );
    if (headers.every(({ length }) => length <= INLINE)) return all;
    const exchange = this.transport.exchange();
    this.members.forEach((peer, rank) => {
      if (rank === this.rank) return;
      if (data.length > INLINE) exchange.send(peer, data, 0, data.length);
      const { length } = headers[rank]!;
      if (length > INLINE) exchange.receive(peer, all[rank]!, 0, length);
    });
    yield exchange;
    return all;
  }

  /** The bytes of `root` into `data` everywhere; all of one length. */
  *broadcast(call: Call, data: Uint8Array, root: number): Steps<void> {
    const own = this.rank === root ? data : NONE;
    const headers = yield* this.#meet(call, own);
    const { length } = headers[root]!;
    if (length !== data.length) {
      throw this.#different(call, `${length} bytes from rank ${root}, ${data.length} here`);
    }
    if (length <= INLINE) {
      if (this.rank !== root) data.set(this.#views[root]!.data(length));
      return;
    }
    const exchange = this.transport.exchange();
    if (this.rank !== root) exchange.receive(this.members[root]!, data, 0, length);
    else {
      for (const peer of this.members) {
        if (peer !== this.members[root]) exchange.send(peer, data, 0, length);
      }
    }
    yield exchange;
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
    yield this.#exchangeRecords();
  }

  /** Everyone gets everything, and adds it. */
  *#addAll(arrays: readonly FloatArray[]): Steps<void> {
    const exchange = this.transport.exchange();
    const theirs = this.members.map((peer, rank) =>
      arrays.map((own) => {
        if (rank === this.rank) return own.slice();
        const room = emptyLike(own, own.length);
        exchange.send(peer, bytesOf(own), 0, own.byteLength);
        exchange.receive(peer, bytesOf(room), 0, room.byteLength);
        return room;
      }),
    );
    yield exchange;
    arrays.forEach((own, i) => {
      own.set(foldNodes(theirs.map((each) => each[i]!)));
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
      arrays.map((own) => {
        const mine = part(own, this.rank);
        if (rank === this.rank) return mine;
        const [to, room] = [part(own, rank), emptyLike(own, mine.length)];
        scatter.send(peer, bytesOf(to), 0, to.byteLength);
        scatter.receive(peer, bytesOf(room), 0, room.byteLength);
        return room;
      }),
    );
    yield scatter;
    const collect = this.transport.exchange();
    arrays.forEach((own, i) => {
      const sum = foldNodes(theirs.map((each) => each[i]!));
      const mine = part(own, this.rank);
      if (sum !== mine) mine.set(sum);
      this.members.forEach((peer, rank) => {
        if (rank === this.rank) return;
        const from = part(own, rank);
        collect.send(peer, bytesOf(mine), 0, mine.byteLength);
        collect.receive(peer, bytesOf(from), 0, from.byteLength);
      });
    });
    yield collect;
  }

  /** Everyone's record. @throws {PeerError} where not all of them are of this call. */
  *#meet(call: Call, data: Uint8Array): Steps<Header[]> {
    this.sequence++;
    this.#views[this.rank]!.write(this.sequence, this.#id, call, data);
    yield this.#exchangeRecords();
    const headers = this.#views.map(({ header }) => header);
    const failed = headers.findIndex((each) => each.failed && each.isRecord);
    if (failed >= 0) {
      const text = this.#views[failed]!.text;
      throw new PeerError(`rank ${failed} of ${this.members.length}: ${text}`, [failed], false);
    }
    const own = headers[this.rank]!;
    const elsewhere = headers.flatMap((each, rank) => (isSame(each, own) ? [] : [rank]));
    if (elsewhere.length === 0) return headers;
    const places = headers.map((each, rank) => this.#placeOf(each, rank));
    throw new PeerError(
      `the processes are at different places of the program: ${places.join('; ')}`,
      elsewhere,
      true,
    );
  }

  #placeOf({ kind, sequence, isRecord }: Header, rank: number): string {
    if (!isRecord || kind === undefined) return `rank ${rank} in the middle of another call`;
    return `rank ${rank} in ${kind} ${sequence} (${this.#views[rank]!.text})`;
  }

  #exchangeRecords(): Exchange {
    const exchange = this.transport.exchange();
    const own = this.rank * RECORD;
    this.members.forEach((peer, rank) => {
      if (rank === this.rank) return;
      exchange.send(peer, this.#records, own, own + RECORD);
      exchange.receive(peer, this.#records, rank * RECORD, (rank + 1) * RECORD);
    });
    return exchange;
  }

  #different(call: Call, got: string): PeerError {
    return new PeerError(
      `${call.what}: expected the same shape on every process, got ${got}.`,
      [],
      false,
    );
  }
}

const NONE = new Uint8Array(0);

const isSame = (a: Header, b: Header): boolean =>
  a.isRecord &&
  a.sequence === b.sequence &&
  a.kind === b.kind &&
  a.hash === b.hash &&
  a.group === b.group;

/** @internal */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const emptyLike = (own: FloatArray, length: number): FloatArray =>
  own.BYTES_PER_ELEMENT === 4 ? new Float32Array(length) : new Float64Array(length);
