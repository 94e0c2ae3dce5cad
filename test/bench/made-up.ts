// A machine and cases with figures of our own, for the tests of what is made from a run.
import type { Machine } from '../../bench/machine.js';
import type { CaseResult, Entry, Run } from '../../bench/result.js';
import { judge } from '../../bench/targets.js';

export const MACHINE: Machine = {
  cpu: 'A CPU <with> 4 "cores" & caches',
  cores: 4,
  platform: 'linux x64',
  memoryBytes: 2 ** 34,
  caches: [
    { level: 1, bytes: 2 ** 15 },
    { level: 2, bytes: 2 ** 22 },
    { level: 3, bytes: 2 ** 25 },
  ],
  isa: 'scalar',
  threads: 2,
};

const WHO = {
  limit: ['limit', 'x to out'],
  out: ['evenkeel', 'out'],
  ours: ['evenkeel', 'disposed'],
  plain: ['evenkeel', 'plain'],
  one: ['evenkeel', '1 thread'],
  two: ['evenkeel', '2 threads'],
  torch: ['PyTorch', '2 threads'],
  torchAlone: ['PyTorch', '1 thread'],
  wasm: ['TensorFlow.js', 'wasm'],
} as const;

export function caseOf(
  group: string,
  shape: readonly number[],
  medians: Partial<Record<keyof typeof WHO, number>>,
): CaseResult {
  const entries = Object.entries(medians).map(([key, median]): Entry => {
    const [who, how] = WHO[key as keyof typeof WHO];
    const spread = { median, p10: median * 0.9, p90: median * 1.2, turns: 9, calls: 1 };
    const mean = key === 'plain' ? 1.5 * median : median; // a collection in a few of the turns
    const limit = medians.limit;
    const shareOfLimit = limit === undefined ? null : limit / median;
    return { who, how, ...spread, mean, gigabytesPerSecond: 1, shareOfLimit, error: 2.5 };
  });
  const isStep = group === 'step';
  return {
    group,
    mode: isStep ? 'step' : 'forward',
    operation: null,
    shape,
    dtype: 'float32',
    layout: 'NCL',
    sumGradient: false,
    bytes: 4 * shape.reduce((a, b) => a * b, 1),
    passes: isStep ? [] : ['x to out'],
    entries,
    shares: isStep
      ? [
          { operation: 'Linear 1 forward', us: 60, share: 0.6 },
          { operation: 'Linear 1 backward', us: 40, share: 0.4 },
        ]
      : null,
    notes: [],
  };
}

export function runOf(cases: readonly CaseResult[]): Run {
  return {
    schema: 1,
    date: '2026-01-02T03:04:05.678Z',
    commit: null,
    machine: MACHINE,
    versions: { evenkeel: '0.1.0', Node: 'v20.0.0' },
    settings: { quick: false, filter: null },
    skippedPeers: [{ name: 'deepbox', reason: 'not here' }],
    loadBefore: 0.5,
    seconds: 61,
    cases,
    targets: judge(cases, MACHINE),
  };
}
