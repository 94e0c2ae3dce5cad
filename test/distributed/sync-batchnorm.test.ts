// SyncBatchNorm where it matters that there are several processes: shares of any size, errors, modes. On Workers; the bytes
// are the same over MPI (collectives.test.ts, training.test.ts).
import { expect, test } from 'vitest';

import { runJob, type Kind } from '../helpers/ranks.js';

const INIT =
  'const world = await distributed.init({ timeout: 10000 }); globalThis.rank = world.rank;';

/** One layer, forward and backward over shares of a batch of 150 rows, and what each process holds then. */
const layer = (cuts: readonly number[], options = '{}'): string => `${INIT}
  manualSeed(3);
  const C = 5;
  const x = nn.init.normal_(tensor(new Float32Array(150 * C), [150, C]), 3, 1);
  const dy = nn.init.normal_(tensor(new Float32Array(150 * C), [150, C]));
  const cuts = ${JSON.stringify(cuts)};
  const [begin, end] = world.size === 1 ? [0, cuts.at(-1)] : [cuts[world.rank], cuts[world.rank + 1]];
  const part = (of) => tensor(of.data.slice(begin * C, end * C), [end - begin, C]);
  const bn = new nn.SyncBatchNorm(C, ${options});
  const own = part(x);
  own.requiresGrad = true;
  const y = bn.forward(own);
  y.backward(part(dy));
  const { runningMean, runningVar, weight, bias } = bn;
  const lists = [y, own.grad, weight.grad, bias.grad, runningMean, runningVar].map(({ data }) => [...data]);
  say([...lists, bn.numBatchesTracked]);`;

interface Result {
  y: number[];
  dx: number[];
  rest: unknown[];
}

/** What all processes together have: outputs and dx one after the other, and what has to be the same everywhere. */
async function together(processes: number, program: string): Promise<Result> {
  const { said, stderr, code } = await runJob(
    processes === 1 ? 'alone' : 'workers',
    processes,
    program,
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const all = said.map(([first]) => first as [number[], number[], ...unknown[]]);
  const [[, , ...rest]] = all as [[number[], number[], ...unknown[]]];
  for (const [, , ...other] of all) expect(other).toEqual(rest);
  return { y: all.flatMap(([y]) => y), dx: all.flatMap(([, dx]) => dx), rest };
}

test('empty and uneven shares at leaves: the bits of one process', async () => {
  const cuts = [0, 0, 64, 64, 150];
  expect(await together(4, layer(cuts))).toEqual(await together(1, layer(cuts)));
});

test('shares cut anywhere, one sample, none: the statistics of the whole, to rounding', async () => {
  const cuts = [0, 1, 1, 40, 150];
  const [several, one] = [await together(4, layer(cuts)), await together(1, layer(cuts))];
  const flat = ({ y, dx, rest }: Result): number[] => [...y, ...dx, ...rest.flat()] as number[];
  const [a, b] = [flat(several), flat(one)];
  expect(a.length).toBe(b.length);
  // Sums in double in another order; a float output is off by a rounding of its size at most.
  a.forEach((value, i) => {
    expect(Math.abs(value - b[i]!)).toBeLessThanOrEqual(2 ** -21 * Math.max(1, Math.abs(b[i]!)));
  });
});

test('one sample of all processes together is refused by all of them, and the job goes on', async () => {
  const { said } = await runJob(
    'workers',
    2,
    `${INIT}
    const bn = new nn.SyncBatchNorm(2);
    const x = tensor(new Float32Array(world.rank === 0 ? 2 : 0), [world.rank === 0 ? 1 : 0, 2]);
    try { bn.forward(x); } catch (error) { say(error.name + ': ' + error.message); }
    say(bn.numBatchesTracked);
    bn.forward(tensor([[1, 2], [3, 4]]));
    say(bn.numBatchesTracked);`,
  );
  const refused =
    'RangeError: SyncBatchNorm: expected more than 1 value per channel when training, got one, of 2 processes together.';
  expect(said).toEqual([
    [refused, 0, 1],
    [refused, 0, 1],
  ]);
});

test('what one process refuses, the others are told, with the place in the model', async () => {
  const { said } = await runJob(
    'workers',
    3,
    `${INIT}
    const model = nn.convertSyncBatchNorm(new nn.Sequential(new nn.Identity(), new nn.BatchNorm1d(2)));
    const wrong = tensor([[1, 2, 3], [4, 5, 6]]);
    const right = tensor([[1, 2], [4, 5]]);
    try { model.forward(world.rank === 2 ? wrong : right); } catch (error) { say(error.name + ': ' + error.message); }
    say(model.at(1).numBatchesTracked);
    model.forward(right);
    say(model.at(1).numBatchesTracked);`,
  );
  const own =
    'SyncBatchNorm: expected input with 2 channels, got shape [2, 3] (running_mean should contain 3 elements not 2).';
  expect(said).toEqual([
    [`PeerError: rank 2 of 3: ${own}`, 0, 1],
    [`PeerError: rank 2 of 3: ${own}`, 0, 1],
    [`RangeError: ${own}`, 0, 1],
  ]);
});

test('what one process refuses while the others have sent much is received by it: the job goes on', async () => {
  const { said, stderr } = await runJob(
    'workers',
    3,
    `${INIT}
    const bn = new nn.SyncBatchNorm(3000);
    const right = tensor(new Float32Array(6000).map((_, i) => i % 7), [2, 3000]);
    for (let i = 0; i < 3; i++) {
      try { bn.forward(world.rank === 1 ? tensor([[1], [2]]) : right); } catch (error) { say(error.name); }
    }
    const all = world.allGather(tensor(new Float32Array(3000).fill(world.rank)));
    bn.forward(right);
    say([bn.numBatchesTracked, all.map(({ data }) => data[2999])]);`,
  );
  expect(stderr).toBe('');
  const end = [1, [0, 1, 2]];
  const others = ['PeerError', 'PeerError', 'PeerError', end];
  expect(said).toEqual([others, ['RangeError', 'RangeError', 'RangeError', end], others]);
});

test('processes in different layers are told so, by name', async () => {
  const { said } = await runJob(
    'workers',
    2,
    `${INIT}
    const model = nn.convertSyncBatchNorm(new nn.Sequential(new nn.BatchNorm1d(2), new nn.BatchNorm1d(2)));
    try { model.at(world.rank).forward(tensor([[1, 2], [4, 5]])); } catch (error) { say(error.message); }
    process.exit(0);`,
  );
  const message =
    'the processes are at different places of the program: rank 0 in all-gather 2 (0, SyncBatchNorm forward); ' +
    'rank 1 in all-gather 2 (1, SyncBatchNorm forward)';
  expect(said).toEqual([[message], [message]]);
});

test('eval, frozen and normalizeBy running meet nobody', async () => {
  const { said, code } = await runJob(
    'workers',
    2,
    `${INIT}
    const x = tensor([[1, 2], [4, 5]]);
    if (world.rank === 0) {
      new nn.SyncBatchNorm(2).eval().forward(x);
      new nn.SyncBatchNorm(2).freeze().forward(x);
      const bn = new nn.SyncBatchNorm(2);
      bn.normalizeBy = 'running';
      bn.updateStatistics = false;
      bn.forward(x);
    }
    world.barrier();
    say('met');`,
  );
  expect([said, code]).toEqual([[['met'], ['met']], 0]);
});

test('nonFinite and virtualBatch look at the whole batch', async () => {
  const { said } = await runJob(
    'workers',
    2,
    `${INIT}
    const value = world.rank === 1 ? NaN : 1;
    const bn = new nn.SyncBatchNorm(1, { nonFinite: 'throw' });
    try { bn.forward(tensor([[value], [2]])); } catch (error) { say(error.message); }
    const skipping = new nn.SyncBatchNorm(1, { nonFinite: 'skip' });
    skipping.forward(tensor([[value], [2]]));
    say([bn.numBatchesTracked, skipping.skippedBatches, skipping.runningMean.item()]);
    const other = new nn.SyncBatchNorm(1, { momentum: 1 });
    const batch = nn.virtualBatch(other);
    other.forward(tensor([[4 * world.rank], [4 * world.rank + 2]]));
    other.forward(tensor([[8], [8]]));
    batch.commit();
    say([other.runningMean.item(), other.numBatchesTracked]);`,
  );
  const message =
    'SyncBatchNorm: expected a batch of finite statistics, got a mean of NaN in channel 0.';
  // 0, 2, 4, 6 and four times 8.
  const each = [message, [0, 1, 0], [5.5, 1]];
  expect(said).toEqual([each, each]);
});

test('replicas that differ are named before anything is trained', async () => {
  const { said } = await runJob(
    'workers',
    3,
    `${INIT}
    manualSeed(world.rank === 1 ? 2 : 1);
    const model = new nn.Sequential(new nn.Linear(2, 2));
    try { distributed.dataParallel(model); } catch (error) { say(error.message); }`,
  );
  const message = "distributed.verify: rank 1 has another '0.weight' than rank 0.";
  expect(said).toEqual([[message], [message], [message]]);
});

test('gradients are reduced once', async () => {
  const { said } = await runJob(
    'workers',
    2,
    `${INIT}
    manualSeed(1);
    const model = new nn.Linear(1, 1);
    const replica = distributed.dataParallel(model);
    const criterion = new nn.MSELoss();
    criterion.forward(model.forward(tensor([[1], [2]])), tensor([[0], [0]]), { of: 4 }).backward();
    replica.reduceGradients();
    const once = model.weight.grad.item();
    try { replica.reduceGradients(); } catch (error) { say(error.message); }
    say(model.weight.grad.item() === once);`,
  );
  const each = [
    'DataParallel.reduceGradients: expected new gradients, got those of the last call: zeroGrad(), forward and backward come before it.',
    true,
  ];
  expect(said).toEqual([each, each]);
});

test.each<readonly [string, Kind, number, boolean, readonly string[]]>([
  [
    'is said once',
    'workers',
    2,
    false,
    [
      "SGD.step: the gradients are those of this process's share of the batch, and the replicas drift apart: " +
        'call replica.reduceGradients() between backward and step.',
    ],
  ],
  ['needs no word where it was not forgotten', 'workers', 2, true, []],
  ['needs no word where there is one process', 'alone', 1, false, []],
])(
  'a sum of gradients that was forgotten %s',
  async (_, kind, processes, reduces, warnings) => {
    const { said } = await runJob(
      kind,
      processes,
      `${INIT}
    const found = [];
    process.on('warning', ({ code, message }) => { if (code === 'EVENKEEL_GRADIENTS_OF_A_SHARE') found.push(message); });
    manualSeed(1);
    const model = nn.convertSyncBatchNorm(new nn.Sequential(new nn.Linear(1, 2), new nn.BatchNorm1d(2)));
    const replica = distributed.dataParallel(model);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    for (let step = 0; step < 3; step++) {
      optimizer.zeroGrad();
      model.forward(tensor([[1], [2 + world.rank]])).pow(3).mean().backward();
      if (${String(reduces)}) replica.reduceGradients();
      if (step === 2) await optimizer.stepAsync(); else optimizer.step();
    }
    await new Promise((resolve) => setTimeout(resolve, 20)); // a warning comes in a later turn
    say(found);`,
    );
    expect(said).toEqual(Array.from({ length: processes }, () => [warnings]));
  },
  60_000,
);
