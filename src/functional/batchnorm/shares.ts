// Which process has which samples of a batch, and how sums over them come together: each process sends the nodes of the
// tree of sums (native/kernels/sum_tree.h) that its samples are.
import { addon } from '../../addon/control.js';
import { leafSamples, nodesOf, TreeSum, type Node } from '../../addon/sum-tree.js';
import * as check from '../../check/index.js';
import type { FloatData } from '../../tensor/tensor.js';
import { askNow, type Asks, type Meeting, type ProcessGroup } from './process-group.js';

/** @internal Where a layer's processes meet, and memory from call to call: new arrays would cost more than what is in them. */
export interface Meetings {
  /** Who has how much, and the shift of the sums. */
  readonly shares: Meeting;
  /** The shift, where the first process has no sample. */
  readonly firstSample: Meeting;
  readonly statistics: Meeting;
  readonly gradient: Meeting;
  /** Sums that are sent. */
  readonly sent: Scratch;
  /** Everyone's note: what it begins with. */
  readonly heads: Views;
  /** The doubles of everyone's sums. */
  readonly received: Views;
  /** The last note, where it is asked for alike. */
  note(channels: number, float64: boolean, isFirst: boolean): ShareNote;
  /** The shares of the last batch, where everyone has as much of this one. */
  sharesOf(samples: readonly number[], lengths: readonly number[]): Shares;
}

/** @internal Doubles, and their bytes: the last ones again where they are asked for in the same length. */
export class Scratch {
  #doubles = new Float64Array(0);
  #bytes = new Uint8Array(0);

  doubles(length: number): Float64Array {
    if (this.#doubles.length !== length) {
      this.#doubles = new Float64Array(length);
      this.#bytes = new Uint8Array(this.#doubles.buffer);
    }
    return this.#doubles;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }
}

/** Doubles in bytes, by rank: the last view again where the bytes are the same array. */
class Views {
  readonly #bytes: Uint8Array[] = [];
  readonly #doubles: Float64Array[] = [];

  /** @param length - So many doubles, from the first one on; null: all. */
  constructor(readonly length: number | null) {}

  of(all: readonly Uint8Array[]): readonly Float64Array[] {
    for (let rank = 0; rank < all.length; rank++) {
      const bytes = all[rank]!;
      if (this.#bytes[rank] === bytes) continue;
      this.#bytes[rank] = bytes;
      const { buffer, byteOffset, byteLength } = bytes;
      this.#doubles[rank] = new Float64Array(buffer, byteOffset, this.length ?? byteLength / 8);
    }
    return this.#doubles;
  }
}

/** Samples, channels, and values of a sample in a channel: as doubles. */
const HEAD = 3;

/** @internal What a process tells of its share of a batch; the first process that of the shift, too, in x's dtype. */
export class ShareNote {
  readonly head: Float64Array;
  readonly shift: FloatData;
  readonly #whole: Uint8Array;
  readonly #headBytes: Uint8Array;

  /** @param sendsShift - Whether the shift is a part of what is sent. */
  constructor(
    readonly channels: number,
    readonly float64: boolean,
    readonly sendsShift: boolean,
  ) {
    const begin = HEAD * 8;
    const length = channels * (float64 ? 8 : 4);
    const buffer = new ArrayBuffer(begin + (sendsShift ? length : 0));
    this.head = new Float64Array(buffer, 0, HEAD);
    this.#whole = new Uint8Array(buffer);
    this.#headBytes = new Uint8Array(buffer, 0, begin);
    const [of, at] = sendsShift ? [buffer, begin] : [new ArrayBuffer(length), 0];
    this.shift = float64 ? new Float64Array(of, at, channels) : new Float32Array(of, at, channels);
  }

  /** What is sent: without a sample there is no shift. */
  bytes(hasSamples: boolean): Uint8Array {
    return hasSamples ? this.#whole : this.#headBytes;
  }

  /** Takes the shift of a note that has one, of whichever dtype. */
  takeShift({ buffer, byteOffset, byteLength }: Uint8Array): void {
    const [begin, length] = [byteOffset + HEAD * 8, this.channels];
    const isDouble = byteLength - HEAD * 8 === 8 * length;
    this.shift.set(
      isDouble ? new Float64Array(buffer, begin, length) : new Float32Array(buffer, begin, length),
    );
  }
}

/** @internal */
export function meetingsOf(group: ProcessGroup, place: string): Meetings {
  let note: ShareNote | null = null;
  let shares: Shares | null = null;
  const meetings: Meetings = {
    shares: group.meeting(`${place} forward`),
    firstSample: group.meeting(`${place} forward, first sample`),
    statistics: group.meeting(`${place} forward, statistics`),
    gradient: group.meeting(`${place} backward`),
    sent: new Scratch(),
    heads: new Views(HEAD),
    received: new Views(null),
    note(channels, float64, isFirst) {
      if (note?.channels !== channels || note.float64 !== float64) {
        note = new ShareNote(channels, float64, isFirst);
      }
      return note;
    },
    sharesOf(samples, lengths) {
      if (shares?.isOf(samples, lengths) !== true) {
        shares = new Shares(group, meetings, samples, lengths);
      }
      return shares;
    },
  };
  return meetings;
}

/** Writes the sums of samples [begin, end) of this process, now or as a job. */
type NodeSums = (begin: number, end: number, into: Float64Array) => unknown;

/** @internal Which process has which samples of a batch. */
export class Shares {
  /** Values of a channel, of all processes. */
  readonly count: number;
  readonly #nodes: readonly (readonly Node[])[];

  /** @param samples - By rank. @param lengths - By rank: the values that a sample has in each channel. */
  constructor(
    readonly group: ProcessGroup,
    readonly meetings: Meetings,
    readonly samples: readonly number[],
    readonly lengths: readonly number[],
  ) {
    this.count = samples.reduce((sum, n, rank) => sum + n * lengths[rank]!, 0);
    const used = lengths.filter((l, rank) => samples[rank]! * l > 0);
    const same = used.every((l) => l === used[0]);
    const leaf = same && used.length > 0 ? leafSamples(used[0]!) : 1;
    let at = 0;
    const ranges = samples.map((n) => ({ begin: at, end: (at += n) }));
    const whole = same && ranges.every(({ begin, end }) => begin === end || begin % leaf === 0);
    // A share that begins elsewhere, or of samples of another length, is one node of its own.
    this.#nodes = ranges.map(({ begin, end }, rank) =>
      samples[rank]! * lengths[rank]! === 0
        ? []
        : whole
          ? nodesOf(begin, end, leaf)
          : [{ begin, end, level: 0 }],
    );
  }

  /** Whether everyone has as much. */
  isOf(samples: readonly number[], lengths: readonly number[]): boolean {
    return (
      samples.every((n, rank) => n === this.samples[rank]) &&
      lengths.every((l, rank) => l === this.lengths[rank])
    );
  }

  /**
   * The sums over all processes of what `sums` writes for samples [begin, end) of this process: good until the group
   * communicates again.
   */
  total(meeting: Meeting, length: number, sums: NodeSums): Float64Array {
    const { sent } = this.meetings;
    this.own(sent, length, sums);
    return askNow(this.group, this.totalOf(meeting, length, sent));
  }

  /** What `sums` gives for each node of this process, whose sums it writes. */
  own(into: Scratch, length: number, sums: NodeSums): unknown[] {
    const nodes = this.#nodes[this.group.rank]!;
    const doubles = into.doubles(nodes.length * length);
    return nodes.map(({ begin, end }, i) => {
      const first = nodes[0]!.begin;
      return sums(begin - first, end - first, part(doubles, i * length, (i + 1) * length));
    });
  }

  /** The sums over all processes of what is in `sent`. */
  *totalOf(meeting: Meeting, length: number, sent: Scratch): Asks<Float64Array> {
    const all = this.meetings.received.of(yield { meeting, own: sent.bytes });
    // In the memory of what has come.
    const tree = new TreeSum(addInto);
    all.forEach((theirs, rank) => {
      this.#nodes[rank]!.forEach(({ level }, i) => {
        tree.add(part(theirs, i * length, (i + 1) * length), level);
      });
    });
    return tree.total() ?? new Float64Array(length);
  }
}

/** a + b in a. */
function addInto(a: Float64Array, b: Float64Array): Float64Array {
  addon.add(a, b, a, a.length);
  return a;
}

/** @internal Elements [begin, end): the array itself where that is all of it. */
export function part<Kind extends FloatData>(array: Kind, begin: number, end: number): Kind {
  return begin === 0 && end === array.length ? array : (array.subarray(begin, end) as Kind);
}

/** @internal What several calls of one step give, made at once or as jobs. */
export function allDone(calls: readonly unknown[]): unknown {
  if (!calls.some((each) => check.isThenable(each))) return undefined;
  return Promise.all(calls).then((ends) => ends.find((end) => end !== 'done') ?? 'done');
}
