// One process of scripts/ranks-hashes.mjs: trains an MLP whose data and first parameters come from a formula, so that
// hashes.py has the same ones. Rank 0 prints the sha256 of the parameters, and writes these into a file.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';

import { checkpoint, data, nn, optim, tensor } from 'evenkeel';
import { distributed } from 'evenkeel/distributed';

import { parseJson } from '../tools.mjs';

/**
 * @typedef {object} Plan
 * @property {number} rows
 * @property {number} features
 * @property {number} hidden
 * @property {number} classes
 * @property {number} batch of all processes
 * @property {number} steps at which it ends
 * @property {number} lr
 * @property {number} momentum
 * @property {boolean} norm with a BatchNorm
 * @property {boolean} shuffle
 * @property {string} out the file of the parameters
 * @property {string} [load] a checkpoint to go on from
 * @property {number} [from] the step it was written at
 * @property {string} [save]
 */
const plan = /** @type {Plan} */ (parseJson(process.argv[2] ?? ''));
const { rows, features, hidden, classes, norm } = plan;

/** In [-scale, scale): the same numbers as those of hashes.py. */
function values(
  /** @type {number} */ count,
  /** @type {number} */ seed,
  /** @type {number} */ scale,
) {
  return Float32Array.from({ length: count }, (_, i) => {
    let at = Math.imul(i + 1 + seed, 2654435761) >>> 0;
    at = Math.imul(at ^ (at >>> 15), 2246822519) >>> 0;
    at = (at ^ (at >>> 13)) >>> 0;
    return (at / 2 ** 31 - 1) * scale;
  });
}

const world = await distributed.init();
const [first, last] = [new nn.Linear(features, hidden), new nn.Linear(hidden, classes)];
[first, last].forEach((layer, i) => {
  const [outputs = 0, inputs = 0] = /** @type {readonly number[]} */ (layer.weight.shape);
  layer.weight.data.set(values(outputs * inputs, 1000 * (i + 1), inputs ** -0.5));
  layer.bias?.data.fill(0);
});
const model = nn.convertSyncBatchNorm(
  new nn.Sequential(first, ...(norm ? [new nn.BatchNorm1d(hidden)] : []), new nn.ReLU(), last),
);
const replica = distributed.dataParallel(model);
const optimizer = new optim.SGD(model.parameters(), { lr: plan.lr, momentum: plan.momentum });
const x = tensor(values(rows * features, 0, 1), [rows, features]);
const set = new data.TensorDataset(
  x,
  Int32Array.from({ length: rows }, (_, i) => (i * 7) % classes),
);
const sampler = new distributed.DistributedSampler(set, { shuffle: plan.shuffle, seed: 1 });
const loader = new data.DataLoader(set, { batchSize: plan.batch, sampler });
const criterion = new nn.CrossEntropyLoss();
if (plan.load !== undefined) await checkpoint.loadTraining(plan.load, { model, optimizer });
const perEpoch = Math.ceil(rows / plan.batch);
const { from = 0 } = plan;
for (let epoch = Math.floor(from / perEpoch), step = epoch * perEpoch; step < plan.steps; epoch++) {
  sampler.setEpoch(epoch);
  for (const batch of loader) {
    // A run that goes on passes over what the first part of this epoch has seen.
    if (step >= from && step < plan.steps) {
      const [inputs, targets] = batch;
      const of = distributed.globalRows(batch);
      optimizer.zeroGrad();
      criterion.forward(model.forward(inputs), targets, { of }).backward();
      replica.reduceGradients();
      optimizer.step();
    }
    step++;
  }
}
distributed.verify(model, world);
if (world.rank === 0) {
  if (plan.save !== undefined) await checkpoint.saveTraining(plan.save, { model, optimizer });
  const bytes = Buffer.concat(
    [...model.parameters()].map(({ data: each }) =>
      Buffer.from(each.buffer, each.byteOffset, each.byteLength),
    ),
  );
  const hash = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(plan.out, bytes);
  console.log(JSON.stringify({ hash }));
}
