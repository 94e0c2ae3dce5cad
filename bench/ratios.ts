// Figures that are made of two times: a peer over us, us over the limit, one thread over two. Each comes
// with the shape it was measured at.
import { caseTitle, shapeText } from './cases.js';
import { BY_HAND, DISPOSED, INTO, OUR_WAYS, PLAIN, threadsText, US } from './contenders.js';
import { LIMIT } from './passes.js';
import { cacheBytes, levelOf, type Machine } from './machine.js';
import { TORCH } from './peers/pytorch.js';
import { entryOf, type CaseResult, type Entry } from './result.js';

export interface Figure {
  readonly value: number;
  readonly shape: readonly number[];
  /** The case in words: its shape, and the operation where there is one. */
  readonly title: string;
}

type Ratio = (result: CaseResult) => number | undefined;

export function figures(cases: readonly CaseResult[], ratio: Ratio): Figure[] {
  return cases.flatMap((each) => {
    const value = ratio(each);
    return value === undefined ? [] : [{ value, shape: each.shape, title: caseTitle(each) }];
  });
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Our entry that stands against the peers: the first of `ways` that the case has. */
export function ourEntry(result: CaseResult, ways = OUR_WAYS): Entry | undefined {
  return ways.map((how) => entryOf(result, US, how)).find((entry) => entry !== undefined);
}

function over(other: Entry | undefined, ours: Entry | undefined): number | undefined {
  return other === undefined || ours === undefined ? undefined : other.median / ours.median;
}

/** PyTorch with all its threads or with one, whichever is faster: small tensors do not profit. */
export function fastestTorch({ entries }: CaseResult): Entry | undefined {
  const [fastest] = entries.filter(({ who }) => who === TORCH).sort((a, b) => a.median - b.median);
  return fastest;
}

/** Plain calls, as a user writes them. */
export const torchOverPlain: Ratio = (result) =>
  over(fastestTorch(result), ourEntry(result, [PLAIN]));

/** Calls whose memory is given back by hand. */
export const torchOverByHand: Ratio = (result) =>
  over(fastestTorch(result), ourEntry(result, BY_HAND));

/** What a call could gain at most: the limit is passes over the same memory without any arithmetic. */
export const torchOverLimit: Ratio = (result) => over(fastestTorch(result), entryOf(result, LIMIT));

/** What it costs to leave memory to the collector, from where the pool asks for it. */
export const plainOverDisposed: Ratio = (result) =>
  result.bytes < 64 * 1024
    ? undefined
    : over(entryOf(result, US, PLAIN), entryOf(result, US, DISPOSED));

/** The same, of the means of all turns. */
export const plainOverDisposedMeans: Ratio = (result) => {
  const [plain, disposed] = [PLAIN, DISPOSED].map((how) => entryOf(result, US, how)?.mean);
  if (result.bytes < 64 * 1024 || plain === undefined || disposed === undefined) return undefined;
  return plain / disposed;
};

export const wasmOverUs: Ratio = (result) =>
  over(entryOf(result, 'TensorFlow.js', 'wasm'), ourEntry(result));

/** The share of the limit that operations reach: alone, with their memory given back at once. */
export const shareOfLimit: Ratio = (result) =>
  over(entryOf(result, LIMIT), entryOf(result, US, DISPOSED));

/** In memory of the caller's: what the kernels do, without what fresh pages cost. */
export const shareOfLimitInto: Ratio = (result) =>
  over(entryOf(result, LIMIT), entryOf(result, US, INTO));

export const oneThreadOverTwo: Ratio = (result) =>
  over(entryOf(result, US, threadsText(1)), entryOf(result, US, threadsText(2)));

/** Where x and y together fit: `L1`, `L2`, `L3`, `memory`; or undefined if the caches are unknown. */
export function placeOf({ bytes }: CaseResult, machine: Machine): string | undefined {
  return machine.caches.length === 0 ? undefined : levelOf(machine, 2 * bytes);
}

/** Too large for L2, and still in the last cache. */
export function isBetweenCaches({ bytes }: CaseResult, machine: Machine): boolean {
  return 2 * bytes > cacheBytes(machine, 2) && 2 * bytes <= cacheBytes(machine, 'last');
}

/** For each cache level that holds several cases: the slowest byte over the fastest, of ours or of the limit. */
export function unevenness(
  cases: readonly CaseResult[],
  machine: Machine,
  of: typeof US | typeof LIMIT = US,
): Figure[] {
  const levels = new Map<string, Figure[]>();
  for (const each of cases) {
    const level = levelOf(machine, 2 * each.bytes);
    const us = (of === US ? entryOf(each, US, INTO) : entryOf(each, LIMIT))?.median;
    if (us === undefined) continue;
    levels.set(level, [
      ...(levels.get(level) ?? []),
      { value: us / each.bytes, shape: each.shape, title: shapeText(each.shape) },
    ]);
  }
  return [...levels.values()]
    .filter((points) => points.length > 1)
    .map((points) => {
      const sorted = points.sort((a, b) => b.value - a.value);
      const { shape } = sorted[0]!;
      return { value: sorted[0]!.value / sorted.at(-1)!.value, shape, title: shapeText(shape) };
    });
}
