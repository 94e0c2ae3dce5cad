// One process of scripts/ranks-hashes.mjs: trains a model whose data and first parameters come from a formula, so that
// hashes.py has the same ones. Rank 0 prints the sha256 of the parameters, and writes these into a file.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';

import './mixed.mjs'; // before the package, which reads its environment
import { checkpoint, data, native, nn, optim, tensor } from 'evenkeel';
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
 * @property {'MLP' | 'MLP, two BatchNorms' | 'Conv1d, two BatchNorms'} model
 * @property {boolean} [mixed] every second process has two threads
 * @property {boolean} shuffle
 * @property {string} out the file of the parameters
 * @property {string} [load] a checkpoint to go on from
 * @property {number} [from] the step it was written at
 * @property {string} [save]
 */
const plan = /** @type {Plan} */ (parseJson(process.argv[2] ?? ''));
const { rows, features, hidden, classes } = plan;

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
if (plan.mixed === true) native.setThreads(1 + (world.rank % 2));
const norm = (/** @type {number} */ channels) =>
  plan.model === 'MLP' ? [] : [new nn.BatchNorm1d(channels)];
const begin = plan.model.startsWith('Conv1d')
  ? [new nn.Unflatten(1, [2, features / 2]), new nn.Conv1d(2, 6, 3, { padding: 1 })]
  : [new nn.Linear(features, hidden)];
const wide = plan.model.startsWith('Conv1d') ? 3 * features : hidden;
const model = nn.convertSyncBatchNorm(
  new nn.Sequential(
    ...[
      ...begin,
      ...norm(plan.model.startsWith('Conv1d') ? 6 : hidden),
      new nn.ReLU(),
      new nn.Flatten(),
    ],
    ...[new nn.Linear(wide, hidden), ...norm(hidden), new nn.ReLU()],
    new nn.Linear(hidden, classes),
  ),
);
let seed = 0;
for (const layer of model.modules()) {
  if (!(layer instanceof nn.Linear || layer instanceof nn.Conv1d)) continue;
  const { numel, shape } = layer.weight;
  layer.weight.data.set(values(numel, (seed += 1000), (numel / (shape[0] ?? 1)) ** -0.5));
  layer.bias?.data.fill(0);
}
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
