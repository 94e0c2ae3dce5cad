// One process of bench/alone/ranks.ts: what it is to measure comes as JSON, rank 0 prints what it has measured as JSON.
// Turns of the two things that are compared follow each other, so that whatever else the machine does meets both.
// Longer than 250 lines because every rank runs the same turns in the same order.
import { writeSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

import { manualSeed, native, nn, optim, tensor } from 'evenkeel';
import { distributed } from 'evenkeel/distributed';

/** @typedef {{ channels: number[], rows: number, calls: number, rounds: number, gradientBytes: number, batch: number, turns: number, batches: number[] }} Plan */

/** @type {unknown} */
const given = isMainThread ? JSON.parse(process.argv[2] ?? '{}') : workerData;
const plan = /** @type {Plan} */ (given);
const world = await distributed.init({ timeout: 60_000 });
native.setThreads(1);
manualSeed(1);

const median = (/** @type {number[]} */ values) =>
  values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** @param {readonly number[]} shape */
const normal = (...shape) =>
  nn.init.normal_(tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), [...shape]));

/**
 * µs of one call each, when all processes begin together.
 * @param {number} calls
 * @param {() => void} call
 */
function timed(calls, call) {
  world.barrier();
  const begun = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) call();
  return Number(process.hrtime.bigint() - begun) / 1000 / calls;
}

/**
 * What forward and backward of a SyncBatchNorm take more than those of a BatchNorm, for the same share; and what a BatchNorm
 * takes more whose processes meet as often, and tell each other nothing.
 */
function layer(/** @type {number} */ channels) {
  const x = normal(plan.rows, channels);
  x.requiresGrad = true;
  const dy = normal(plan.rows, channels);
  const nothing = () => undefined;
  const layers = /** @type {const} */ ([
    [new nn.BatchNorm1d(channels), nothing],
    [new nn.BatchNorm1d(channels), () => world.barrier()],
    [new nn.SyncBatchNorm(channels), nothing],
  ]);
  const calls = layers.map(([bn, meet]) => () => {
    x.grad = null;
    bn.zeroGrad();
    meet();
    const y = bn.forward(x);
    meet();
    y.backward(dy);
    meet();
  });
  /** @type {number[][]} */
  const rounds = [];
  // The first thousands of calls are slower: V8 has not compiled all of it.
  for (let round = -40; round < plan.rounds; round++) {
    const each = calls.map((call) => timed(plan.calls, call));
    if (round >= 0) rounds.push(each);
  }
  return {
    channels,
    plain: median(rounds.map(([plain = 0]) => plain)),
    sync: median(rounds.map(([, , sync = 0]) => sync)),
    meeting: median(rounds.map(([plain = 0, met = 0]) => met - plain)),
    extra: median(rounds.map(([plain = 0, , sync = 0]) => sync - plain)),
  };
}

/** Milliseconds to add up gradients: as one tensor, and as those of a model; and to send as many bytes, and add nothing. */
function gradients() {
  const numel = plan.gradientBytes / 4;
  const sum = tensor(new Float32Array(numel));
  const model = new nn.Linear(512, numel / 512, { bias: false });
  const replica = distributed.dataParallel(model);
  const meeting = world.meeting('bytes');
  const part = new Uint8Array(plan.gradientBytes / world.size);
  /** @type {number[][]} */
  const rounds = [];
  for (let round = -20; round < 10 * plan.rounds; round++) {
    // Where a backward would have written it.
    model.weight.grad = tensor(new Float32Array(numel).fill(1), [numel / 512, 512]);
    const each = [
      () => void world.allReduce(sum),
      () => replica.reduceGradients(),
      () => {
        // The parts that the others add, and the sums.
        for (let i = 0; i < 2; i++) world.gatherBytes(meeting, part);
      },
    ].map((call) => timed(1, call) / 1000);
    if (round >= 0) rounds.push(each);
  }
  return {
    bytes: plan.gradientBytes,
    allReduce: median(rounds.map(([all = 0]) => all)),
    reduceGradients: median(rounds.map(([, reduced = 0]) => reduced)),
    moving: median(rounds.map(([, , moved = 0]) => moved)),
  };
}

/**
 * Milliseconds of a step of training: alone with as many threads as there are processes, together with one each, and on
 * as many processes at once that know nothing of each other.
 */
function steps() {
  const [x, y] = [
    normal(plan.batch, 784),
    Int32Array.from({ length: plan.batch }, (_, i) => i % 10),
  ];
  const { begin, end } = distributed.share(plan.batch, world.rank, world.size);
  const own = tensor(x.data.slice(begin * 784, end * 784), [end - begin, 784]);
  const plain = trainer(network(), x, y, null);
  const model = nn.convertSyncBatchNorm(network());
  const labels = y.slice(begin, end);
  const shared = trainer(model, own, labels, distributed.dataParallel(model));
  const lonely = network();
  const group = world.split(world.rank);
  const apart = trainer(lonely, own, labels, distributed.dataParallel(lonely, { group }));
  let nap = 0;
  const alone = () => {
    if (world.rank > 0) {
      // Asleep: it takes nothing from the other core.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, nap);
      return 0;
    }
    native.setThreads(world.size);
    const ms = timedSteps(plain);
    native.setThreads(1);
    return ms;
  };
  /** @type {number[][]} */
  const rounds = [];
  for (let round = -1; round < plan.turns; round++) {
    world.barrier();
    const one = alone();
    nap = world.broadcast(tensor([one * STEPS * 1.1])).item();
    world.barrier();
    const several = timedSteps(shared);
    world.barrier();
    const unknown = timedSteps(apart);
    world.barrier();
    if (round >= 0) rounds.push([one, several, unknown]);
  }
  return {
    batch: plan.batch,
    alone: median(rounds.map(([alone = 0]) => alone)),
    together: median(rounds.map(([, together = 0]) => together)),
    ratio: median(rounds.map(([alone = 0, together = 0]) => together / alone)),
    apart: median(rounds.map(([alone = 0, , apart = 0]) => apart / alone)),
  };
}

/** What scripts/ranks/scale.mjs needs to know of a network, and what it is to predict: milliseconds of a step. */
function networkAndSteps() {
  const large = new Uint8Array(2 ** 22);
  const meeting = world.meeting('network');
  const alone = world.split(world.rank);
  const several = (/** @type {number} */ calls, /** @type {() => void} */ call) =>
    median(Array.from({ length: plan.rounds }, () => timed(calls, call)));
  const barrier = several(50, () => world.barrier());
  const gather = several(2, () => void world.gatherBytes(meeting, large));
  return {
    barrier,
    bytesPerSecond: (large.length * (world.size - 1)) / ((gather - barrier) / 1e6),
    steps: plan.batches.map((batch) => {
      const { begin, end } = distributed.share(batch, world.rank, world.size);
      const x = normal(end - begin, 784);
      const y = Int32Array.from({ length: end - begin }, (_, i) => i % 10);
      const own = network();
      const plain = trainer(own, x, y, distributed.dataParallel(own, { group: alone }), batch);
      const model = nn.convertSyncBatchNorm(network());
      const shared = trainer(model, x, y, distributed.dataParallel(model), batch);
      // The same computing, where each waits for the slower one as often as in a step together.
      const waiting = network();
      const waits = trainer(
        waiting,
        x,
        y,
        distributed.dataParallel(waiting, { group: alone }),
        batch,
      );
      const meet = () => {
        world.barrier();
        return undefined;
      };
      for (const at of [1, 4]) {
        const norm = /** @type {import('evenkeel').nn.Module} */ (waiting.at(at));
        norm.registerForwardPreHook(meet);
        norm.registerForwardHook(meet);
        norm.registerFullBackwardHook(meet);
      }
      const waiter = () => {
        waits();
        meet();
        meet();
      };
      /** @type {number[][]} */
      const rounds = [];
      for (let round = -2; round < plan.turns; round++) {
        const each = [plain, waiter, shared].map((step) => timed(STEPS, step) / 1000);
        if (round >= 0) rounds.push(each);
      }
      return {
        batch,
        compute: median(rounds.map(([compute = 0]) => compute)),
        waiting: median(rounds.map(([, waiting = 0]) => waiting)) - (8 * barrier) / 1000,
        measured: median(rounds.map(([, , measured = 0]) => measured)),
      };
    }),
  };
}

const STEPS = 4;

/** @param {() => void} step */
function timedSteps(step) {
  const begun = performance.now();
  for (let i = 0; i < STEPS; i++) step();
  return (performance.now() - begun) / STEPS;
}

function network() {
  manualSeed(1);
  return new nn.Sequential(
    new nn.Linear(784, 256),
    new nn.BatchNorm1d(256),
    new nn.ReLU(),
    new nn.Linear(256, 128),
    new nn.BatchNorm1d(128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  );
}

/**
 * @param {nn.Sequential} model
 * @param {import('evenkeel').Tensor} x
 * @param {Int32Array} y
 * @param {ReturnType<typeof distributed.dataParallel> | null} replica
 */
function trainer(model, x, y, replica, of = plan.batch) {
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  return () => {
    optimizer.zeroGrad();
    criterion.forward(model.forward(x), y, { of }).backward();
    replica?.reduceGradients();
    optimizer.step();
  };
}

const found = {
  by: world.mpi ?? world.backend,
  layers: plan.channels.map(layer),
  network: plan.batches.length > 0 ? networkAndSteps() : null,
  gradients: plan.gradientBytes > 0 ? gradients() : null,
  steps: plan.batch > 0 ? steps() : null,
};
if (world.rank === 0) writeSync(1, `${JSON.stringify(found)}\n`);
