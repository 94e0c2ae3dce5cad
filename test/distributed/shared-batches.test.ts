// The batches of test/helpers/shared-batches.mjs on Workers and on each MPI that is there, 1, 2, 3, 4 and 7 processes: one job
// of each runs all cases.
import { beforeAll, describe, expect, test } from 'vitest';

import { KINDS, runJob } from '../helpers/ranks.js';
import { ALIKE, CLOSE, TOLD } from '../helpers/shared-batches.mjs';

const COUNTS = [1, 2, 3, 4, 7];
const CASES = JSON.stringify(new URL('../helpers/shared-batches.mjs', import.meta.url).href);

/** One process computes what each process of a job is to have. */
const ONE = `
  const { ALIKE, CLOSE, bitsOf, layerOf, numbersOf } = await import(${CASES});
  for (const processes of ${JSON.stringify(COUNTS)}) {
    for (const [cases, found] of [[ALIKE, bitsOf], [CLOSE, numbersOf]]) {
      for (const [name, layer] of Object.entries(cases)) say([processes, name, await layerOf(layer, processes, null, found)]);
    }
  }`;

/** Each process says what it has. After each case all meet, so that an exchange too many is found where it is. */
const EACH = `
  const { ALIKE, CLOSE, TOLD, bitsOf, layerOf, numbersOf } = await import(${CASES});
  const world = await distributed.init({ timeout: 20000 });
  globalThis.rank = world.rank;
  for (const [cases, found] of [[ALIKE, bitsOf], [CLOSE, numbersOf]]) {
    for (const [name, layer] of Object.entries(cases)) {
      const [own] = await layerOf(layer, world.size, world.rank, found);
      world.barrier();
      say([name, own]);
    }
  }
  for (const [name, run] of Object.entries(TOLD)) {
    const own = run(world);
    world.barrier();
    say([name, own]);
  }`;

const one = runJob('alone', 1, ONE);

/** What each process is to have of a case of ALIKE or CLOSE. */
async function ofOne(processes: number, name: string): Promise<readonly unknown[]> {
  const { said, stderr } = await one;
  expect(stderr).toBe('');
  const all = said[0] as [number, string, unknown[]][];
  return all.find(([of, each]) => of === processes && each === name)![2];
}

/** The error of a process that is wrong, and of the others. */
const refused = (who: number, rank: number, size: number, why: string): string =>
  rank === who ? `RangeError: ${why}` : `PeerError: rank ${who} of ${size}: ${why}`;

/** What each process has to say of a case of TOLD. */
const WANTED: Readonly<Record<string, (rank: number, size: number) => unknown>> = {
  'a wrong shape on the last process: all throw, and may go on': (rank, size) => [
    refused(
      ...([size - 1, rank, size] as const),
      'SyncBatchNorm: expected input with 2 channels, got shape [1, 3] (running_mean should contain 3 elements not 2).',
    ),
    ...[0, 1],
  ],
  'a wrong shape on the first process, while the others send much: all throw, and may go on': (
    rank,
    size,
  ) => [
    Array.from({ length: 3 }, () =>
      refused(
        ...([0, rank, size] as const),
        'SyncBatchNorm: expected input with 3000 channels, got shape [2, 1] (running_mean should contain 1 elements not 3000).',
      ),
    ),
    Array.from({ length: size }, (_, each) => each),
    1,
  ],
  'other channels on the last process: all throw': (rank, size) => {
    const [own, other] = rank === size - 1 ? [3, 2] : [2, 3];
    return size === 1
      ? ['none', 1]
      : [
          `RangeError: SyncBatchNorm: expected ${own} channels on every process, got ${other} on one.`,
          0,
        ];
  },
  'one sample of all processes together': (rank, size) => [
    `RangeError: SyncBatchNorm: expected more than 1 value per channel when training, got ${
      size === 1
        ? 'input of shape [1, 2] (a last batch of one: dropLast: true of the DataLoader leaves it out)'
        : `one, of ${size} processes together`
    }.`,
    ...[0, rank === size - 1 ? [4, 4] : [], 0],
  ],
  'no sample on any process': () => [[0, 2], [0, 0], 1],
  'not finite on the last process: all throw': () => [
    'RangeError: SyncBatchNorm: expected a batch of finite statistics, got a mean of NaN in channel 0.',
    ...[0, 0],
  ],
  'not finite on the last process: all skip': () => [1, 0, 0],
  // 0, 2, 4, … 4 · size - 2, and twice as many times 8.
  'a virtual batch': (_, size) => [((2 * size - 1) * 2 * size + 2 * size * 8) / (4 * size), 1],
  'eval, frozen and normalizeBy running meet nobody': (rank, size) =>
    rank < size - 1 ? [] : Array.from({ length: 3 }, () => [1, 5]),
};

const JOBS = KINDS.flatMap((kind) => COUNTS.map((processes) => [kind, processes] as const));

describe.each(JOBS)('%s, %i processes', (kind, processes) => {
  let found: readonly ReadonlyMap<string, unknown>[] = [];
  beforeAll(async () => {
    const { said, stderr, code } = await runJob(kind, processes, EACH);
    found = said.map((each) => new Map(each as [string, unknown][]));
    expect([code, stderr]).toEqual([0, '']);
  });

  test.each(Object.keys(ALIKE))('%s: the bits of one process', async (name) => {
    expect(found.map((each) => each.get(name))).toEqual(await ofOne(processes, name));
  });

  test.each(Object.keys(CLOSE))('%s: what one process has, to rounding', async (name) => {
    const flat = (lists: readonly unknown[]): number[] => lists.flat(3) as number[];
    const [several, whole] = [found.map((each) => each.get(name)), await ofOne(processes, name)];
    expect(flat(several).length).toBe(flat(whole).length);
    // Sums in double in another order; a float output is off by a rounding of its size at most.
    flat(whole).forEach((value, i) => {
      const most = 2 ** -21 * Math.max(1, Math.abs(value));
      expect(Math.abs(flat(several)[i]! - value)).toBeLessThanOrEqual(most);
    });
  });

  test.each(Object.keys(TOLD))('%s', (name) => {
    expect(found.map((each) => each.get(name))).toEqual(
      found.map((_, rank) => WANTED[name]!(rank, processes)),
    );
  });
});
