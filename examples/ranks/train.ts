// One process of `npm run example:ranks`: trains the digits network with the others, and prints what it has in the end.
import { createHash } from 'node:crypto';
import { data, manualSeed, nn, optim } from 'evenkeel';
import { distributed } from 'evenkeel/distributed';

import { loadDigits } from '../digits/data.js';
import { accuracy, digitNet } from '../digits/model.js';

const EPOCHS = 1;
const BATCH = 512;

const world = await distributed.init();
const { train, test } = loadDigits();
manualSeed(1);
const model = nn.convertSyncBatchNorm(digitNet());
const replica = distributed.dataParallel(model);
const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
const criterion = new nn.CrossEntropyLoss();
const sampler = new distributed.DistributedSampler(train, { seed: 1 });
const loader = new data.DataLoader(train, { batchSize: BATCH, sampler });

for (let epoch = 0; epoch < EPOCHS; epoch++) {
  sampler.setEpoch(epoch);
  for (const batch of loader) {
    const [x, label] = batch;
    const of = distributed.globalRows(batch);
    const loss = criterion.forward(model.forward(x), label, { of });
    optimizer.zeroGrad();
    loss.backward();
    replica.reduceGradients();
    optimizer.step();
  }
}

distributed.verify(model, world);
if (world.rank === 0) {
  const hash = createHash('sha256');
  for (const [, { data: values }] of model.stateDict()) {
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  const result = {
    size: world.size,
    backend: world.backend === 'mpi' ? world.mpi : world.backend,
    hash: hash.digest('hex').slice(0, 16),
    accuracy: accuracy(model.eval(), test),
  };
  console.log(JSON.stringify(result));
}
