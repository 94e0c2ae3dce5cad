// What the project wants of itself, each judged from the medians of one run. A target whose cases were
// not measured is neither met nor missed.
import { shapeText } from './cases.js';
import type { Machine } from './machine.js';
import {
  figures,
  geometricMean,
  isBetweenCaches,
  oneThreadOverTwo,
  placeOf,
  torchOverUs,
  unevenness,
  usOverLimit,
  wasmOverUs,
  type Figure,
} from './ratios.js';
import type { CaseResult, Target } from './result.js';

export function judge(cases: readonly CaseResult[], machine: Machine): Target[] {
  const group = (name: string): CaseResult[] => cases.filter((each) => each.group === name);
  const versus = (name: string): Figure[] => figures(group(name), torchOverUs);
  return [
    ...againstTorch('training forward', versus('forward'), 1.3, 6),
    ...againstTorch('evaluation forward', versus('evaluate'), 1, 3),
    ...againstTorch('backward', versus('backward'), 1.3, 4),
    ...againstTorch('forward + backward', versus('forward+backward'), 1.3, 4),
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
    ...stepTargets(versus('step')),
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
  const average: Figure[] =
    found.length === 0
      ? []
      : [{ value: geometricMean(found.map(({ value }) => value)), shape: [] }];
  const onAverage = atLeast(`${what} against PyTorch, geometric mean`, average, mean);
  return [
    atLeast(`${what} against PyTorch, every shape`, found, each),
    found.length === 0 ? onAverage : { ...onAverage, detail: `${found.length} shapes` },
  ];
}

function againstLimit(cases: readonly CaseResult[], machine: Machine): Target[] {
  const at = (places: readonly string[], rank?: number): Figure[] =>
    figures(
      cases.filter(
        (each) =>
          places.includes(placeOf(each, machine) ?? '') &&
          (rank === undefined || each.shape.length === rank),
      ),
      usOverLimit,
    );
  return [
    atMost('training forward over the limit, (N, C, L) beyond the caches', at(['memory'], 3), 1.15),
    atMost('training forward over the limit, (N, C) beyond the caches', at(['memory'], 2), 1.15),
    atMost('training forward over the limit, in L2 and L3', at(['L2', 'L3']), 1.5),
  ];
}

function stepTargets(found: readonly Figure[]): Target[] {
  const isLarge = ({ shape }: Figure): boolean => shape[0] === 1024;
  const small = found.filter((each) => !isLarge(each));
  return [
    atLeast('training step against PyTorch, the three small sizes', small, 2),
    atLeast('training step against PyTorch, the large size', found.filter(isLarge), 1),
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
  return { name, wanted, value: worst.value, met, detail: shapeText(worst.shape) };
}
