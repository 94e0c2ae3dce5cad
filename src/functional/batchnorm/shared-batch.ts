// A batch whose samples several processes hold: its statistics and gradient sums are those of the whole. Each process adds
// the samples it holds, and sends the nodes of the tree of sums (native/kernels/sum_tree.h) that they are: with the
// bits of one process that has all of them, wherever each share begins at a leaf.
import { addon } from '../../addon/control.js';
import * as check from '../../check/index.js';
import { savedDoubles } from '../../memory/slab.js';
import { record, type FloatData, type Tensor } from '../../tensor/tensor.js';
import { Moments } from './moments.js';
import type { Plan } from './plan.js';
import { askNow, type Asks, type ProcessGroup } from './process-group.js';
import { shareGradients } from './share-gradients.js';
import { part, type Meetings, type ShareNote, type Shares } from './shares.js';

/** @internal Tells the other processes how many samples there are here, and hears of theirs. */
export function meet(
  who: string,
  group: ProcessGroup,
  meetings: Meetings,
  input: Tensor,
  dims: check.ChannelDims,
): Met {
  const note = meetings.note(dims.c, input.dtype === 'float64', group.rank === 0);
  return askNow(group, meetBy(who, group, meetings, input.elements, dims, note));
}

/** @internal What processes tell each other of their shares of a batch. */
export interface Met {
  readonly shares: Shares;
  readonly shift: FloatData;
}

/** @internal @param note - What this process sends, in memory that is its own until the batch has been normalised. */
export function* meetBy(
  who: string,
  group: ProcessGroup,
  meetings: Meetings,
  x: FloatData,
  { n, c, l }: check.ChannelDims,
  note: ShareNote,
): Asks<Met> {
  const { head, shift } = note;
  const some = n * l > 0;
  if (some) addon.firstShift(part(x, 0, c * l), shift, 1, c, l);
  [head[0], head[1], head[2]] = [n, c, l];
  const all = yield { meeting: meetings.shares, own: note.bytes(some) };
  const samples: number[] = [];
  const lengths: number[] = [];
  for (const head of meetings.heads.of(all)) {
    const [theirs, channels, length] = [head[0]!, head[1]!, head[2]!];
    if (channels !== c) {
      throw check.wrongValue(who, `${c} channels on every process`, `${channels} on one`);
    }
    samples.push(theirs);
    lengths.push(length);
  }
  const shares = meetings.sharesOf(samples, lengths);
  const first = samples.findIndex((theirs, rank) => theirs * lengths[rank]! > 0);
  if (first === 0 && group.rank !== 0) note.takeShift(all[0]!);
  else if (first > 0) {
    const from = group.rank === first ? Float64Array.from(shift) : new Float64Array(0);
    const found = yield { meeting: meetings.firstSample, own: new Uint8Array(from.buffer) };
    const { buffer, byteOffset } = found[first]!;
    shift.set(new Float64Array(buffer, byteOffset, c));
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
  const moments = new Moments(c, shares.count, savedDoubles(4 * c));
  const sums = shares.total(shares.meetings.statistics, 2 * c, (begin, end, into) => {
    addon.batchSums(part(x, begin * c * l, end * c * l), shift, into, end - begin, c, l);
  });
  fillMoments(moments, sums, shares, shift);
  return moments;
}

/** @internal */
export function fillMoments(
  moments: Moments,
  sums: Float64Array,
  { count }: Shares,
  shift: FloatData,
): void {
  moments.count = count;
  if (count === 0) moments.rows.fill(0);
  else addon.momentsOfSums(shift, sums, moments.rows, count, moments.channels);
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
  // Where the moments are, as in a forward of one process. The whole array is kept: a part of it keeps no memory of the
  // pool from being used again.
  const rows = moments.rows.subarray(0, 3 * c);
  const result = recordShare(input, y, plan, moments.rows, rows, shares);
  addon.normalizeByMoments(
    input.elements,
    y.elements,
    n,
    c,
    l,
    weight?.elements ?? null,
    bias?.elements ?? null,
    moments.rows,
    rows,
    eps,
    relu,
  );
  return result;
}

function recordShare(
  input: Tensor,
  y: Tensor,
  plan: Plan,
  saved: Float64Array,
  rows: Float64Array,
  shares: Shares,
): Tensor {
  const { who, weight, bias, relu } = plan;
  const kept = [input, weight, relu ? bias : null].filter((each) => each !== null);
  return record(who, y, [input, weight, bias], kept, (dy, needs) =>
    shareGradients({ input, plan, saved, rows, shares }, dy, needs),
  );
}
