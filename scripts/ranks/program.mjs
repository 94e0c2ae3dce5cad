// One process of scripts/ends.mjs: trains, until rank 1 does, in the middle of it, what it is told to.
import { setImmediate, setTimeout as wait } from 'node:timers/promises';

import { data, manualSeed, nn, optim, tensor } from 'evenkeel';
import { distributed } from 'evenkeel/distributed';

const [end, milliseconds] = process.argv.slice(2);
const AT = 20;

const world = await distributed.init({ timeout: Number(milliseconds) });
manualSeed(1);
const model = nn.convertSyncBatchNorm(
  new nn.Sequential(
    new nn.Linear(16, 32),
    new nn.BatchNorm1d(32),
    new nn.ReLU(),
    new nn.Linear(32, 4),
  ),
);
const replica = distributed.dataParallel(model);
const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
const criterion = new nn.CrossEntropyLoss();
const x = nn.init.normal_(tensor(new Float32Array(256 * 16), [256, 16]));
const set = new data.TensorDataset(
  x,
  Int32Array.from({ length: 256 }, (_, i) => i % 4),
);
const sampler = new distributed.DistributedSampler(set);
const loader = new data.DataLoader(set, { batchSize: 256, sampler });
for (let step = 0; ; step++) {
  sampler.setEpoch(step % 1000);
  for (const batch of loader) {
    const [inputs, targets] = batch;
    const isIt = world.rank === 1 && step === AT;
    if (isIt) await ending();
    const layers = isIt && end === 'layer' ? [0, 2, 3] : [0, 1, 2, 3];
    const y = layers.reduce((to, i) => /** @type {nn.Linear} */ (model.at(i)).forward(to), inputs);
    optimizer.zeroGrad();
    criterion.forward(y, targets, { of: distributed.globalRows(batch) }).backward();
    replica.reduceGradients();
    optimizer.step();
  }
  if (step === AT / 2 && world.rank === 0) console.log('training');
  // The event loop turns, so that signals of the launcher are seen.
  await setImmediate();
}

async function ending() {
  if (end === 'kill') process.kill(process.pid, 'SIGKILL');
  if (end === 'term') process.kill(process.pid, 'SIGTERM');
  if (end === 'throw') throw new Error('no such file: labels.csv');
  if (end === 'early') process.exit(0);
  if (end === 'silent') await wait(60_000);
}
