// A model that several processes train has the bits of one, whatever carries the bytes.
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { native } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { makeHosts } from '../helpers/hosts.mjs';
import { KINDS, runJob, type Kind } from '../helpers/ranks.js';

interface Case {
  readonly rows: number;
  readonly batch: number;
  readonly features: number;
  readonly hidden: number;
  readonly classes: number;
  readonly steps: number;
  readonly dropout: boolean;
  readonly sequence: boolean;
  /** Convolutions over pairs of features, before the linear layers, one of them depthwise. */
  readonly convolution: boolean;
  readonly momentum: number | null;
  readonly seed: number;
}

/** A part of a run: epochs from `first` to before `last`. */
interface Part {
  readonly first: number;
  readonly last: number;
  readonly load: string | null;
  readonly save: string | null;
}

const WHOLE: Part = { first: 0, last: 1e6, load: null, save: null };

/** Trains; every process says the hash of what it has in the end. */
const training = (each: Case, part: Part, first = ''): string => `
  const { first, last, load, save } = ${JSON.stringify(part)};
  const world = await distributed.init({ timeout: 20000 });
  globalThis.rank = world.rank;
  ${first}
  const { rows, batch, features, hidden, classes, steps, dropout, sequence, convolution, momentum, seed } = ${JSON.stringify(each)};
  manualSeed(seed);
  const x = nn.init.normal_(tensor(new Float32Array(rows * features), [rows, features]));
  const y = Int32Array.from({ length: rows }, (_, i) => (i * 7) % classes);
  const model = nn.convertSyncBatchNorm(new nn.Sequential(
    ...(convolution ? [
      new nn.Unflatten(1, [2, features / 2]), new nn.Conv1d(2, 6, 3, { padding: 1 }), new nn.BatchNorm1d(6), new nn.ReLU(),
      new nn.Conv1d(6, 12, 5, { padding: 2, groups: 6 }), new nn.BatchNorm1d(12), new nn.ReLU(),
      new nn.Conv1d(12, 4, 3, { padding: 'same', groups: 2 }), new nn.BatchNorm1d(4, { momentum }), new nn.ReLU(), new nn.Flatten(),
    ] : []),
    new nn.Linear(convolution ? features * 2 : features, hidden),
    ...(sequence ? [new nn.Unflatten(1, [hidden / 4, 4]), new nn.BatchNorm1d(hidden / 4, { momentum }), new nn.Flatten()] : [new nn.BatchNorm1d(hidden, { momentum })]),
    new nn.ReLU(),
    ...(dropout ? [new nn.Dropout(0.3)] : []),
    new nn.Linear(hidden, classes),
  ));
  const replica = distributed.dataParallel(model);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const set = new data.TensorDataset(x, y);
  const sampler = new distributed.DistributedSampler(set, { seed });
  const loader = new data.DataLoader(set, { batchSize: batch, sampler });
  const criterion = new nn.CrossEntropyLoss();
  let step = 0;
  if (load !== null) await checkpoint.loadTraining(load, { model, optimizer });
  for (let epoch = first; step < steps && epoch < last; epoch++) {
    sampler.setEpoch(epoch);
    for (const batch of loader) {
      const [inputs, targets] = batch;
      const loss = criterion.forward(model.forward(inputs), targets, { of: batch.globalRows });
      optimizer.zeroGrad();
      loss.backward();
      if (step % 2 === 0) replica.reduceGradients();
      else await replica.reduceGradientsAsync();
      optimizer.step();
      if (++step === steps) break;
    }
  }
  distributed.verify(model, world);
  if (save !== null && world.rank === 0) await checkpoint.saveTraining(save, { model, optimizer });
  say(bits([...model.stateDict().values()]));
`;

const FIXED: Case = {
  ...{ rows: 700, batch: 300, features: 20, hidden: 24, classes: 5, steps: 8 },
  ...{ dropout: true, sequence: false, convolution: false, momentum: null, seed: 5 },
};

/** The one hash that a job has ended with. */
async function hashOf(kind: Kind, processes: number, each: Case, part = WHOLE): Promise<string> {
  const { code, said, stderr } = await runJob(kind, processes, training(each, part));
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const hashes = said.flat() as string[];
  expect(hashes.length).toBe(processes);
  expect(new Set(hashes).size).toBe(1);
  return hashes[0]!;
}

const launchers = KINDS.filter((kind) => kind !== 'workers');

describe('one hash', () => {
  const one = hashOf('alone', 1, FIXED);

  test.each(KINDS.flatMap((kind) => [2, 3, 4].map((n) => [kind, n] as const)))(
    '%s, %i processes',
    async (kind, processes) => {
      expect(await hashOf(kind, processes, FIXED)).toBe(await one);
    },
  );

  const convolutions = { ...FIXED, convolution: true, steps: 4 };
  const conv = hashOf('alone', 1, convolutions);

  test.each(KINDS.flatMap((kind) => [2, 3, 4].map((n) => [kind, n] as const)))(
    'convolutions, %s, %i processes',
    async (kind, processes) => {
      expect(await hashOf(kind, processes, convolutions)).toBe(await conv);
    },
  );

  test.each(KINDS)('%s, seven processes, most without a sample', async (kind) => {
    expect(await hashOf(kind, 7, FIXED)).toBe(await one);
  });

  test.each(launchers)('%s, processes of other instruction sets and threads', async (kind) => {
    const isas = native.availableIsas;
    const threads = 'native.setThreads(1 + (world.rank % 2));';
    for (const [each, hash] of [
      [FIXED, one],
      [convolutions, conv],
    ] as const) {
      const program = `${training(each, WHOLE, threads)}\nsay(native.isa);`;
      const { code, said } = await runJob(kind, 4, program, null, isas);
      const wanted = await Promise.all(
        said.map(async (_, rank) => [await hash, isas[rank % isas.length]]),
      );
      expect([code, said]).toEqual([0, wanted]);
    }
  });
});

test.each(launchers)('%s: two hosts have the hash of one process', async (kind) => {
  const hosts = makeHosts();
  if (typeof hosts === 'string') {
    console.log(`two hosts: left out, ${hosts}`);
    return;
  }
  try {
    const { code, said } = await runJob(kind, 2, training(FIXED, WHOLE), hosts);
    const one = await hashOf('alone', 1, FIXED);
    expect([code, said]).toEqual([0, [[one], [one]]]);
  } finally {
    hosts.remove();
  }
});

test('stopped on four processes, continued on two: the bits of an unbroken run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-resume-'));
  try {
    const each = { ...FIXED, steps: 1e6 };
    const file = join(folder, 'run.safetensors');
    const unbroken = await hashOf('alone', 1, each, { ...WHOLE, last: 4 });
    await hashOf('workers', 4, each, { ...WHOLE, last: 2, save: file });
    const resumed = { ...WHOLE, first: 2, last: 4, load: file };
    expect(await hashOf('workers', 2, each, resumed)).toBe(unbroken);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('random models, batches and numbers of processes', async () => {
  const cases = fc.record({
    rows: fc.integer({ min: 2, max: 600 }),
    batch: fc.integer({ min: 2, max: 600 }),
    features: fc.integer({ min: 1, max: 20 }).map((each) => 2 * each),
    hidden: fc.integer({ min: 1, max: 40 }).map((each) => 4 * each),
    classes: fc.integer({ min: 2, max: 12 }),
    steps: fc.integer({ min: 1, max: 6 }),
    dropout: fc.boolean(),
    sequence: fc.boolean(),
    convolution: fc.boolean(),
    momentum: fc.constantFrom(null, 0.1, 1),
    seed: fc.integer({ min: 0, max: 1000 }),
    processes: fc.constantFrom(2, 3, 4, 7),
  });
  const usable = cases.filter(({ rows, batch }) => rows % Math.min(batch, rows) !== 1);
  await fc.assert(
    fc.asyncProperty(usable, async ({ processes, ...each }) => {
      expect(await hashOf('workers', processes, each)).toBe(await hashOf('alone', 1, each));
    }),
    { numRuns: 5, endOnFailure: true },
  );
});
