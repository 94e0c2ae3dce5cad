// What every process sends to every other at the start of a collective: where it is in the program, how much it has, and
// small data itself. So processes in different places find out, which MPI by itself does not; and one that has failed says so.

/** What a call does. */
const KINDS = ['barrier', 'all-gather', 'broadcast', 'all-reduce'] as const;
export type Kind = (typeof KINDS)[number];

/** @internal A place in the program that communicates: every process has to come to the same one. */
export class Call {
  readonly text: Uint8Array;
  readonly hash: number;
  /** Its place in KINDS. */
  readonly number: number;

  /** @param what - As errors name it: `net.1, SyncBatchNorm forward`. */
  constructor(
    readonly kind: Kind,
    readonly what: string,
  ) {
    this.text = new TextEncoder().encode(what).subarray(0, TEXT_BYTES);
    this.hash = hashOf(new TextEncoder().encode(`${kind} ${what}`));
    this.number = KINDS.indexOf(kind);
  }
}

/** FNV-1a. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const each of bytes) hash = Math.imul(hash ^ each, 0x01000193);
  return hash >>> 0;
}

/** From where in a record the text is, and the data. */
const TEXT_AT = 64;
const DATA_AT = 256;
const TEXT_BYTES = DATA_AT - TEXT_AT;
/** Data of at most so many bytes comes with the record: the sums of 1024 channels. */
export const INLINE = 1 << 14;
/** Bytes of a record at most; what is sent is as long as what is in it. */
export const RECORD = DATA_AT + INLINE;
/** The message of a failure ends here. */
const TEXT_END = 2048;

const MAGIC = 0x45564b31;
/** Places of the header's 32-bit words; the length is a double, at word 6. */
const AT = {
  magic: 0,
  sequence: 1,
  kind: 2,
  failed: 3,
  hash: 4,
  group: 5,
  text: 8,
  collects: 9,
} as const;
const LENGTH_AT = 3;

/** Of a record. */
const MOST_VIEWS = 16;

/** @internal One process's record in the memory that is sent, or received into. */
export class RecordView {
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  /** Views of the data, by their length: a new one for each record costs more than small data. */
  readonly #data = new Map<number, Uint8Array>();
  /** Of the record that was written. */
  length = 0;

  constructor(readonly bytes: Uint8Array) {
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, RECORD / 4);
    this.#doubles = new Float64Array(bytes.buffer, bytes.byteOffset, RECORD / 8);
  }

  /** What a process is about to do, and its data where that is small. @param collects - Whether it is to collect garbage soon. */
  write(sequence: number, group: number, call: Call, data: Uint8Array, collects: boolean): void {
    this.length = DATA_AT + (data.length <= INLINE ? data.length : 0);
    this.#header(sequence, group, call, false, call.text.length);
    this.#words[AT.collects] = collects ? 1 : 0;
    this.#doubles[LENGTH_AT] = data.length;
    this.bytes.set(call.text, TEXT_AT);
    if (data.length <= INLINE) this.bytes.set(data, DATA_AT);
  }

  /** That it cannot, and why. */
  writeFailure(sequence: number, group: number, call: Call, message: string): void {
    const room = this.bytes.subarray(TEXT_AT, TEXT_END);
    const { written } = new TextEncoder().encodeInto(message, room);
    this.length = TEXT_AT + written;
    this.#header(sequence, group, call, true, written);
    this.#words[AT.collects] = 0;
    this.#doubles[LENGTH_AT] = 0;
  }

  #header(sequence: number, group: number, call: Call, failed: boolean, text: number): void {
    const words = this.#words;
    words[AT.magic] = MAGIC;
    words[AT.sequence] = sequence;
    words[AT.kind] = call.number;
    words[AT.failed] = failed ? 1 : 0;
    words[AT.hash] = call.hash;
    words[AT.group] = group;
    words[AT.text] = text;
  }

  get isRecord(): boolean {
    return this.#words[AT.magic] === MAGIC;
  }

  /** Whether it says that its process has failed. */
  get hasFailed(): boolean {
    return this.isRecord && this.#words[AT.failed] !== 0;
  }

  /** Whether its process is to collect garbage soon. */
  get collects(): boolean {
    return this.#words[AT.collects] !== 0;
  }

  get kind(): Kind | undefined {
    return KINDS[this.#words[AT.kind]!];
  }

  get sequence(): number {
    return this.#words[AT.sequence]!;
  }

  /** How many bytes its process has. */
  get dataLength(): number {
    return this.#doubles[LENGTH_AT]!;
  }

  /** Whether both are of one call. */
  isWith(other: RecordView): boolean {
    const own = this.#words;
    const theirs = other.#words;
    return (
      other.isRecord &&
      own[AT.sequence] === theirs[AT.sequence] &&
      own[AT.kind] === theirs[AT.kind] &&
      own[AT.hash] === theirs[AT.hash] &&
      own[AT.group] === theirs[AT.group]
    );
  }

  /** The place in the program, or, of a failure, its message. */
  get text(): string {
    return new TextDecoder().decode(
      this.bytes.slice(TEXT_AT, TEXT_AT + Math.min(this.#words[AT.text]!, TEXT_END - TEXT_AT)),
    );
  }

  /** Data that came with it: good until the next record. The same view again for the same length. */
  data(length: number): Uint8Array {
    const known = this.#data.get(length);
    if (known !== undefined) return known;
    if (this.#data.size === MOST_VIEWS) this.#data.clear();
    const view = this.bytes.subarray(DATA_AT, DATA_AT + length);
    this.#data.set(length, view);
    return view;
  }
}
