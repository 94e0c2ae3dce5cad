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
import { doublesOf, part, Shares, type Meetings, type Scratch } from './shares.js';

/** @internal Tells the other processes how many samples there are here, and hears of theirs. */
export function meet(
  who: string,
  group: ProcessGroup,
  meetings: Meetings,
  input: Tensor,
  dims: check.ChannelDims,
): Met {
  const { sentShares } = meetings;
  const shift = meetings.shift(dims.c, input.dtype === 'float64');
  return askNow(group, meetBy(who, group, meetings, input.elements, dims, shift, sentShares));
}

/** @internal What processes tell each other of their shares of a batch. */
export interface Met {
  readonly shares: Shares;
  readonly shift: FloatData;
}

/** @internal */
export function* meetBy(
  who: string,
  group: ProcessGroup,
  meetings: Meetings,
  x: FloatData,
  { n, c, l }: check.ChannelDims,
  shift: FloatData,
  sentShares: Scratch,
): Asks<Met> {
  const some = n * l > 0;
  if (some) addon.firstShift(x.subarray(0, c * l), shift, 1, c, l);
  const sendsShift = some && group.rank === 0;
  const sent = sentShares.doubles(3 + (sendsShift ? c : 0));
  [sent[0], sent[1], sent[2]] = [n, c, l];
  if (sendsShift) sent.set(shift, 3);
  const all = doublesOf(yield { meeting: meetings.shares, own: sentShares.bytes });
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
    const own = new Uint8Array(from.buffer);
    const found = doublesOf(yield { meeting: meetings.firstSample, own });
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
  const result = recordShare(input, y, plan, moments.rows, shares);
  const saved = moments.rows.subarray(0, 3 * c);
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
  const { who, weight, bias, relu } = plan;
  const kept = [input, weight, relu ? bias : null].filter((each) => each !== null);
  return record(who, y, [input, weight, bias], kept, (dy, needs) =>
    shareGradients({ input, plan, saved, shares }, dy, needs),
  );
}
