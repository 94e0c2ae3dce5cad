// What the project wants of itself, each judged from the medians of one run. A target whose cases were
// not measured is neither met nor missed.
import type { Machine } from './machine.js';
import {
  figures,
  geometricMean,
  isBetweenCaches,
  oneThreadOverTwo,
  placeOf,
  plainOverDisposed,
  plainOverDisposedMeans,
  shareOfLimit,
  shareOfLimitInto,
  torchOverByHand,
  torchOverPlain,
  unevenness,
  wasmOverUs,
  type Figure,
} from './ratios.js';
import type { CaseResult, Target } from './result.js';

export function judge(cases: readonly CaseResult[], machine: Machine): Target[] {
  const group = (name: string): CaseResult[] => cases.filter((each) => each.group === name);
  const plain = (name: string): Figure[] => figures(group(name), torchOverPlain);
  const byHand = (name: string): Figure[] => figures(group(name), torchOverByHand);
  const whole = ['forward', 'evaluate', 'forward+backward'].flatMap(group);
  const pooled = figures(whole, plainOverDisposed);
  const means = figures(whole, plainOverDisposedMeans);
  return [
    ...againstTorch('training forward', plain('forward'), 1.3, 6),
    ...againstTorch('evaluation forward', plain('evaluate'), 1, 4),
    ...againstTorch('backward', plain('backward'), 1.3, 4),
    ...againstTorch('forward + backward', plain('forward+backward'), 1.3, 6),
    atMost('plain over disposed from 64 KB, every shape', pooled, 1.5),
    average('plain over disposed from 64 KB, geometric mean', pooled, atMost, 1.25),
    atMost('plain over disposed from 64 KB, means of turns, every shape', means, 1.5),
    average('plain over disposed from 64 KB, means of turns, geometric mean', means, atMost, 1.25),
    ...againstTorch('training forward, disposed,', byHand('forward'), 1.3, 6),
    ...againstTorch('evaluation forward, disposed,', byHand('evaluate'), 1, 4),
    ...againstTorch('forward + backward, disposed,', byHand('forward+backward'), 1.3, 6),
    ...againstLimit([...group('forward'), ...group('beyond-cache')], machine),
    atLeast(
      '2 threads over 1, out of L2 and in cache',
      figures(
        group('threads').filter((each) => isBetweenCaches(each, machine)),
        oneThreadOverTwo,
      ),
      1.7,
    ),
    atLeast(
      'training forward against TensorFlow.js wasm',
      figures(group('forward'), wasmOverUs),
      20,
    ),
    ...stepTargets(plain('step')),
    ...['pointwise', 'softmax', 'reductions'].flatMap((name) =>
      operationTargets(name, [...group(name), ...group(`${name}-backward`)]),
    ),
    atLeast(
      'pools and embedding: share of a copy, each',
      figures(group('pools'), shareOfLimit),
      0.6,
    ),
    atLeast(
      'backward of pools and embedding: share of a copy, each',
      figures(group('pools-backward'), shareOfLimit),
      0.6,
    ),
    ...againstTorch('Conv1d forward', plain('conv1d'), 1, 2),
    ...againstTorch('Conv1d backward', plain('conv1d-backward'), 1, 2),
    atLeast(
      'Conv1d forward against TensorFlow.js wasm, each',
      figures(group('conv1d'), wasmOverUs),
      10,
    ),
    ...['N', 'C', 'L'].map((letter) =>
      atMost(
        `time a byte as ${letter} grows, slowest over fastest in one cache level`,
        unevenness(group(`cost-${letter.toLowerCase()}`), machine),
        1.5,
      ),
    ),
  ];
}

function againstTorch(what: string, found: Figure[], each: number, mean: number): Target[] {
  return [
    atLeast(`${what} against PyTorch, every shape`, found, each),
    average(`${what} against PyTorch, geometric mean`, found, atLeast, mean),
  ];
}

function average(
  name: string,
  found: readonly Figure[],
  decideBy: typeof atLeast,
  bound: number,
): Target {
  if (found.length === 0) return decideBy(name, [], bound);
  const value = geometricMean(found.map((each) => each.value));
  return {
    ...decideBy(name, [{ value, shape: [], title: '' }], bound),
    detail: `${found.length} shapes`,
  };
}

function againstLimit(cases: readonly CaseResult[], machine: Machine): Target[] {
  const at = (places: readonly string[], rank?: number): Figure[] =>
    figures(
      cases.filter(
        (each) =>
          places.includes(placeOf(each, machine) ?? '') &&
          (rank === undefined || each.shape.length === rank),
      ),
      shareOfLimitInto,
    );
  return [
    atLeast(
      'training forward: share of the limit, (N, C, L) beyond the caches',
      at(['memory'], 3),
      0.8,
    ),
    atLeast(
      'training forward: share of the limit, (N, C) beyond the caches',
      at(['memory'], 2),
      0.85,
    ),
    atLeast('training forward: share of the limit, in L2 and L3', at(['L2', 'L3']), 0.6),
  ];
}

/** By the rows of a batch. */
const STEP_BOUNDS = { 32: 4, 128: 2, 256: 3, 1024: 1.5 } as const;

function stepTargets(found: readonly Figure[]): Target[] {
  return Object.entries(STEP_BOUNDS).map(([rows, bound]) => {
    const steps = found.filter(({ shape }) => shape[0] === Number(rows));
    return atLeast(`training step of ${rows} rows against PyTorch`, steps, bound);
  });
}

/** What writes little is held against reading alone; softmax walks a row three times. */
function operationTargets(group: string, cases: readonly CaseResult[]): Target[] {
  const what = group === 'pointwise' ? 'pointwise operations' : group;
  const bound = group === 'pointwise' ? 0.7 : 0.5;
  const inCache = (each: CaseResult): boolean => each.bytes <= 2 ** 20;
  const beyond = (each: CaseResult): boolean => !inCache(each);
  const shares = (which: typeof inCache): Figure[] => figures(cases.filter(which), shareOfLimit);
  return [
    atLeast(`${what} against PyTorch, each`, figures(cases, torchOverPlain), 1),
    atLeast(`${what}: share of the limit at 1 MB, each`, shares(inCache), bound),
    atLeast(`${what}: share of the limit at 64 MB, each`, shares(beyond), bound),
  ];
}

function atLeast(name: string, found: readonly Figure[], bound: number): Target {
  return decide(name, '>=', bound, found);
}

function atMost(name: string, found: readonly Figure[], bound: number): Target {
  return decide(name, '<=', bound, found);
}

/** The worst figure decides. */
function decide(name: string, sign: '>=' | '<=', bound: number, found: readonly Figure[]): Target {
  const wanted = `${sign} ${bound}`;
  const sorted = [...found].sort((a, b) => (sign === '>=' ? a.value - b.value : b.value - a.value));
  const worst = sorted[0];
  if (worst === undefined) return { name, wanted, value: null, met: null, detail: 'not measured' };
  const met = sign === '>=' ? worst.value >= bound : worst.value <= bound;
  return { name, wanted, value: worst.value, met, detail: worst.title };
}
