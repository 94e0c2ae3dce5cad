// How long the event loop and the file system wait while 64 training calls of 8 MB run beside them, for each way their
// input can come; and how long a whole training step holds it. `npx tsx bench/alone/event-loop.ts [rounds]` after a build.
import { stat } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';

import { functional, nn, optim, tensor, type Tensor } from 'evenkeel';

import { spreadOf } from '../measure.js';
import { longestTurn, table } from './turns.js';

const [N, C, CALLS] = [4096, 512, 64];
const rounds = Number(process.argv[2] ?? 5);
const values = Float32Array.from({ length: N * C }, (_, i) => Math.sin(i) * 3 + 7);

const ways: Record<string, () => Promise<unknown>> = {
  idle: () => wait(300),
  shared: over((array) => {
    const shared = new Float32Array(new SharedArrayBuffer(array.byteLength));
    shared.set(array);
    return shared;
  }, {}),
  transfer: over((array) => array.slice(), { transfer: true }),
  copied: over((array) => array.slice(), {}),
  synchronous: async () => {
    const bn = new nn.BatchNorm1d(C);
    const x = tensor(values, [N, C]);
    for (let i = 0; i < CALLS; i++) {
      bn.forward(x).dispose();
      if (i % 8 === 7) await wait(0);
    }
  },
};

function over(
  make: (array: Float32Array) => Float32Array,
  options: nn.BatchNormAsyncOptions,
): () => Promise<unknown> {
  const inputs = Array.from({ length: 8 }, () => tensor(make(values), [N, C]));
  const bn = new nn.BatchNorm1d(C);
  return () =>
    Promise.all(
      Array.from({ length: CALLS }, async (_, i) =>
        (await bn.forwardAsync(inputs[i % inputs.length]!, options)).dispose(),
      ),
    );
}

console.log(`${CALLS} calls of ${(N * C * 4) / 1e6} MB, ${rounds} rounds; ms`);
const print = table(12, ['loop p99', 'max', 'fs.stat p99', 'max', 'all calls']);
for (const [name, run] of Object.entries(ways)) {
  await run();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const watch = { on: true };
  const stats: number[] = [];
  const watched = (async () => {
    while (watch.on) {
      const start = performance.now();
      await stat('.');
      stats.push(performance.now() - start);
      await wait(1);
    }
  })();
  await wait(20);
  delay.enable();
  const start = performance.now();
  for (let i = 0; i < rounds; i++) await run();
  const each = (performance.now() - start) / rounds;
  delay.disable();
  watch.on = false;
  await watched;
  stats.sort((a, b) => a - b);
  const p99 = stats[Math.floor((stats.length - 1) * 0.99)]!;
  // The histogram holds whole intervals: 1 ms of each is the timer's own.
  const loop = [delay.percentile(99), delay.max].map((ns) => ns / 1e6 - 1);
  print(name, [...loop, p99, stats.at(-1)!, each]);
}

// Steps of training, beside the event loop and on it. What else the machine does adds to their longest turn, so the lower
// end is the step's own.
const [batch, inputs, hidden, classes] = [1024, 784, 512, 10];
const model = new nn.Sequential(
  new nn.Linear(inputs, hidden),
  new nn.BatchNorm1d(hidden),
  new nn.ReLU(),
  new nn.Linear(hidden, classes),
);
const criterion = new nn.CrossEntropyLoss();
const sgd = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
const images = Float32Array.from({ length: batch * inputs }, (_, i) => Math.sin(i));
const labels = Int32Array.from({ length: batch }, (_, i) => i % classes);
await measureSteps(`(${batch}, ${inputs} -> ${hidden} -> ${classes})`, sgd, {
  'beside it': async () => {
    const y = await model.forwardAsync(tensor(images, [batch, inputs]));
    const loss = await criterion.forwardAsync(y, labels);
    await loss.backwardAsync();
    await sgd.stepAsync();
  },
  synchronous: () => {
    criterion.forward(model.forward(tensor(images, [batch, inputs])), labels).backward();
    sgd.step();
  },
});

/** Attention over 32 rows at a time, neighbours chosen by it, and a loss with weights: the forward of a class of one's own. */
class Attention extends nn.Module {
  query = new nn.Linear(256, 128);
  key = new nn.Linear(256, 128);
  value = new nn.Linear(256, 256);
  bn = new nn.BatchNorm1d(512);
  out = new nn.Linear(512, 10);

  forward(x: Tensor, labels: Int32Array): Tensor {
    const heads = (layer: nn.Linear): Tensor =>
      functional.reshape(layer.forward(x), [64, 32, layer.outFeatures]);
    const [q, k, v] = [heads(this.query), heads(this.key), heads(this.value)];
    const scores = functional.bmm(q, functional.transpose(k, 1, 2)).mul(1 / Math.sqrt(128));
    const near = functional.topk(scores, 16).values.narrow(2, 15, 1);
    const kept = functional.where(functional.ge(scores, near), scores, -1e9);
    const mixed = functional.bmm(functional.softmax(kept, { dim: 2 }), v);
    const joined = functional.cat([mixed, v], { dim: 2 });
    const y = this.bn.forward(functional.reshape(joined, [64 * 32, 512]));
    const weight = Array.from({ length: 10 }, (_, i) => 1 + (i % 3));
    return functional.crossEntropy(this.out.forward(y), labels, { weight, labelSmoothing: 0.1 });
  }
}
const attention = new Attention();
const adam = new optim.Adam(attention.parameters(), { lr: 0.001 });
const words = Float32Array.from({ length: 64 * 32 * 256 }, (_, i) => Math.sin(i));
const tags = Int32Array.from({ length: 64 * 32 }, (_, i) => i % 10);
await measureSteps("a class of one's own: attention (64, 32, 256)", adam, {
  'beside it': async () => {
    const loss = await attention.forwardAsync(tensor(words, [64 * 32, 256]), tags);
    await loss.backwardAsync();
    await adam.stepAsync();
  },
  synchronous: () => {
    attention.forward(tensor(words, [64 * 32, 256]), tags).backward();
    adam.step();
  },
});

async function measureSteps(
  title: string,
  optimizer: { zeroGrad(): void },
  steps: Record<string, () => void | Promise<void>>,
): Promise<void> {
  console.log(`\na training step, ${title}; ms`);
  const print = table(12, ['longest turn, min', 'p10', 'median', 'whole step, median']);
  for (const [name, step] of Object.entries(steps)) {
    const turns = [];
    for (let i = 0; i < 120; i++) {
      optimizer.zeroGrad();
      await wait(1);
      const turn = await longestTurn(async () => step());
      if (i >= 20) turns.push(turn); // the first ones compile
    }
    const longest = Float64Array.from(turns, (turn) => turn.longest);
    const { p10, median } = spreadOf(longest);
    const whole = spreadOf(Float64Array.from(turns, (turn) => turn.all)).median;
    print(name, [Math.min(...longest), p10, median, whole]);
  }
}
