// What several processes of a program may do wrong with layers and gradients. On Workers; what a SyncBatchNorm computes, and
// refuses, is in shared-batches.test.ts, on every MPI.
import { expect, test } from 'vitest';

import { runJob, type Kind } from '../helpers/ranks.js';

const INIT =
  'const world = await distributed.init({ timeout: 10000 }); globalThis.rank = world.rank;';

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
