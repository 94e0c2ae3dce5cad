// A batch whose samples several processes hold: its statistics and gradient sums are those of the whole. Each process adds
// the samples it holds, and sends the nodes of the tree of sums (native/kernels/sum_tree.h) that they are: with the
// bits of one process that has all of them, wherever each share begins at a leaf.
import { addon } from '../../addon/control.js';
import { leafSamples, nodesOf, TreeSum, type Node } from '../../addon/sum-tree.js';
import * as check from '../../check/index.js';
import { record, Tensor, type FloatData } from '../../tensor/tensor.js';
import { markWhole } from '../batch-totals.js';
import { Moments } from './moments.js';
import type { Plan } from './plan.js';
import type { Meeting, ProcessGroup } from './process-group.js';

/** @internal Where a layer's processes meet. */
export interface Meetings {
  /** Who has how much, and the shift of the sums. */
  readonly shares: Meeting;
  /** The shift, where the first process has no sample. */
  readonly shift: Meeting;
  readonly statistics: Meeting;
  readonly gradient: Meeting;
  /** What is sent, from call to call: a new array for each would cost more than the sums in it. */
  readonly sent: Scratch;
  readonly sentShares: Scratch;
}

/** Doubles, and their bytes: the last ones again where they are asked for in the same length. */
class Scratch {
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

/** @internal */
export function meetingsOf(group: ProcessGroup, place: string): Meetings {
  return {
    shares: group.meeting(`${place} forward`),
    shift: group.meeting(`${place} forward, first sample`),
    statistics: group.meeting(`${place} forward, statistics`),
    gradient: group.meeting(`${place} backward`),
    sent: new Scratch(),
    sentShares: new Scratch(),
  };
}

/** @internal Which process has which samples of a batch. */
export class Shares {
  /** Values of a channel, of all processes. */
  readonly count: number;
  readonly #nodes: readonly (readonly Node[])[];

  /** @param samples - By rank. @param lengths - By rank: the values that a sample has in each channel. */
  constructor(
    readonly group: ProcessGroup,
    readonly meetings: Meetings,
    samples: readonly number[],
    lengths: readonly number[],
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

  /**
   * The sums over all processes of what `sums` writes for samples [begin, end) of this process: good until the group
   * communicates again.
   */
  total(
    meeting: Meeting,
    length: number,
    sums: (begin: number, end: number, into: Float64Array) => void,
  ): Float64Array {
    const { group, meetings } = this;
    const own = this.#nodes[group.rank]!;
    const sent = meetings.sent.doubles(own.length * length);
    own.forEach(({ begin, end }, i) => {
      const first = own[0]!.begin;
      sums(begin - first, end - first, part(sent, i * length, (i + 1) * length));
    });
    const all = doublesOf(group.gatherBytes(meeting, meetings.sent.bytes));
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

/** Elements [begin, end): the array itself where that is all of it. */
function part<Kind extends FloatData>(array: Kind, begin: number, end: number): Kind {
  return begin === 0 && end === array.length ? array : (array.subarray(begin, end) as Kind);
}

/** @internal Tells the other processes how many samples there are here, and hears of theirs. */
export function meet(
  who: string,
  group: ProcessGroup,
  meetings: Meetings,
  input: Tensor,
  { n, c, l }: check.ChannelDims,
): { readonly shares: Shares; readonly shift: FloatData } {
  const shift = emptyLike(input, c);
  const some = n * l > 0;
  if (some) addon.firstShift(input.elements.subarray(0, c * l), shift, 1, c, l);
  const sendsShift = some && group.rank === 0;
  const sent = meetings.sentShares.doubles(3 + (sendsShift ? c : 0));
  [sent[0], sent[1], sent[2]] = [n, c, l];
  if (sendsShift) sent.set(shift, 3);
  const all = doublesOf(group.gatherBytes(meetings.shares, meetings.sentShares.bytes));
  const other = all.find(([, channels]) => channels !== c);
  if (other !== undefined) {
    throw check.wrongValue(who, `${c} channels on every process`, `${other[1]} on one`);
  }
  const [samples, lengths] = [0, 2].map((at) => all.map((each) => each[at]!));
  const shares = new Shares(group, meetings, samples!, lengths!);
  const first = all.findIndex(([theirs = 0, , length = 0]) => theirs * length > 0);
  if (first === 0 && !sendsShift) shift.set(all[0]!.subarray(3));
  else if (first > 0) {
    const from = group.rank === first ? Float64Array.from(shift) : new Float64Array(0);
    const found = doublesOf(group.gatherBytes(meetings.shift, new Uint8Array(from.buffer)));
    shift.set(found[first]!);
  }
  return { shares, shift };
}

/** @internal Mean and variance of all samples of all processes. */
export function sharedMoments(
  input: Tensor,
  dims: check.ChannelDims,
  shares: Shares,
  shift: FloatData,
): Moments {
  const { c, l } = dims;
  const x = input.elements;
  const moments = new Moments(c, shares.count);
  const sums = shares.total(shares.meetings.statistics, 2 * c, (begin, end, into) => {
    addon.batchSums(part(x, begin * c * l, end * c * l), shift, into, end - begin, c, l);
  });
  if (shares.count > 0) addon.momentsOfSums(shift, sums, moments.rows, shares.count, c);
  return moments;
}

/** @internal y of this process's samples, by the statistics of all; recorded where something needs it. */
export function normalizeShare(
  input: Tensor,
  y: Tensor,
  plan: Plan,
  moments: Moments,
  shares: Shares,
): Tensor {
  const { dims, weight, bias, eps, relu } = plan;
  const { n, c, l } = dims;
  const saved = new Float64Array(3 * c);
  const result = recordShare(input, y, plan, saved, shares);
  addon.normalizeByMoments(
    ...([input.elements, y.elements, n, c, l] as const),
    ...([weight?.elements ?? null, bias?.elements ?? null] as const),
    ...([moments.rows, saved, eps, relu] as const),
  );
  return result;
}

function recordShare(
  input: Tensor,
  y: Tensor,
  plan: Plan,
  saved: Float64Array,
  shares: Shares,
): Tensor {
  const { who, dims, weight, bias, relu } = plan;
  const { n, c, l } = dims;
  const { shape, dtype } = input;
  const kept = [input, weight, relu ? bias : null].filter((each) => each !== null);
  return record(who, y, [input, weight, bias], kept, (dy, needs) => {
    const [x, scale, shift] = [input, weight, bias].map((each) => each?.elements ?? null);
    const { expandedValue } = dy;
    const given = expandedValue === null ? dy.elements : null;
    const value = expandedValue ?? 0;
    const samples = (from: FloatData | null, begin: number, end: number): FloatData | null =>
      from === null ? null : part(from, begin * c * l, end * c * l);
    const sums = shares.total(shares.meetings.gradient, 2 * c, (begin, end, into) => {
      addon.gradientSums(
        ...([
          samples(x!, begin, end)!,
          samples(given, begin, end),
          value,
          end - begin,
          c,
          l,
        ] as const),
        ...([scale!, shift!, saved, into, null, null, relu] as const),
      );
    });
    const [dx, dweight, dbias] = needs.map((need, i) =>
      need ? Tensor.uninitialized(i === 0 ? shape : [c], dtype) : null,
    );
    const gradients = [dx, dweight, dbias].map((each) => each?.elements ?? null);
    addon.gradientBySums(
      ...([x!, given, value, n, c, l, scale!, shift!, saved, sums, shares.count] as const),
      ...([gradients[0]!, gradients[1]!, gradients[2]!, relu] as const),
    );
    for (const parameter of [weight, bias]) if (parameter !== null) markWhole(parameter);
    return [dx ?? null, dweight ?? null, dbias ?? null];
  });
}

const doublesOf = (all: readonly Uint8Array[]): Float64Array[] =>
  all.map((bytes) => new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8));

function emptyLike(input: Tensor, length: number): FloatData {
  return input.dtype === 'float64' ? new Float64Array(length) : new Float32Array(length);
}
