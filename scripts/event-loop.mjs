// How long the event loop and the file system wait while 64 training calls of 8 MB run beside them, for
// each way their input can come; and how long a whole training step holds it. `node scripts/event-loop.mjs [rounds]` after a build.
import { stat } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';
import { setTimeout as wait } from 'node:timers/promises';

import { functional, nn, optim, tensor } from 'evenkeel';

const [N, C, CALLS] = [4096, 512, 64];
const rounds = Number(process.argv[2] ?? 5);
const values = Float32Array.from({ length: N * C }, (_, i) => Math.sin(i) * 3 + 7);

/** @type {Record<string, () => Promise<unknown>>} */
const ways = {
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

/**
 * @param {(array: Float32Array) => Float32Array} make
 * @param {import('evenkeel').nn.BatchNormAsyncOptions} options
 */
function over(make, options) {
  const arrays = Array.from({ length: 8 }, () => make(values));
  const inputs = arrays.map((array) => tensor(array, [N, C]));
  const bn = new nn.BatchNorm1d(C);
  return async () => {
    const one = async (/** @type {number} */ i) => {
      const x = inputs[i % inputs.length];
      if (x !== undefined) (await bn.forwardAsync(x, options)).dispose();
    };
    await Promise.all(Array.from({ length: CALLS }, (_, i) => one(i)));
  };
}

/** @param {number[]} sorted */
const p99 = (sorted) => sorted[Math.floor((sorted.length - 1) * 0.99)] ?? 0;

console.log(`${CALLS} calls of ${(N * C * 4) / 1e6} MB, ${rounds} rounds; ms`);
console.log('              loop p99   max   fs.stat p99   max   all calls');
await measure('idle', () => wait(300));
for (const [name, run] of Object.entries(ways)) await measure(name, run);

/**
 * @param {string} name
 * @param {() => Promise<unknown>} run
 */
async function measure(name, run) {
  await run();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const watch = { on: true };
  /** @type {number[]} */
  const stats = [];
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
  // The histogram holds whole intervals: 1 ms of each is the timer's own.
  const column = (/** @type {number} */ ms, /** @type {number} */ width) =>
    ms.toFixed(2).padStart(width);
  console.log(
    name.padEnd(12) +
      column(delay.percentile(99) / 1e6 - 1, 10) +
      column(delay.max / 1e6 - 1, 7) +
      column(p99(stats), 13) +
      column(stats.at(-1) ?? 0, 7) +
      column(each, 12),
  );
}

/** Attention over 32 rows at a time, neighbours chosen by it, and a loss with weights: the forward of a class of one's own. */
class Attention extends nn.Module {
  query = new nn.Linear(256, 128);
  key = new nn.Linear(256, 128);
  value = new nn.Linear(256, 256);
  bn = new nn.BatchNorm1d(512);
  out = new nn.Linear(512, 10);

  /** @param {import("evenkeel").Tensor} x @param {Int32Array} labels */
  forward(x, labels) {
    const [q, k, v] = [this.query, this.key, this.value].map((layer) =>
      functional.reshape(layer.forward(x), [64, 32, layer.outFeatures]),
    );
    if (q === undefined || k === undefined || v === undefined) throw new Error('three layers');
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

await trainingSteps();

/**
 * One step of training, beside the event loop and on it: the longest time that the event loop got no turn. What else the
 * machine does adds to it, so the lower end is the step's own.
 */
async function trainingSteps() {
  const [rows, inputs, hidden, classes] = [1024, 784, 512, 10];
  const model = new nn.Sequential(
    new nn.Linear(inputs, hidden),
    new nn.BatchNorm1d(hidden),
    new nn.ReLU(),
    new nn.Linear(hidden, classes),
  );
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const images = Float32Array.from({ length: rows * inputs }, (_, i) => Math.sin(i));
  const labels = Int32Array.from({ length: rows }, (_, i) => i % classes);
  await measureSteps(`(${rows}, ${inputs} -> ${hidden} -> ${classes})`, optimizer, {
    'beside it': async () => {
      const x = tensor(images, [rows, inputs]);
      const y = await tensorOf(model.forwardAsync(x));
      const loss = await tensorOf(criterion.forwardAsync(y, labels));
      await loss.backwardAsync();
      await optimizer.stepAsync();
    },
    synchronous: () => {
      const loss = criterion.forward(model.forward(tensor(images, [rows, inputs])), labels);
      loss.backward();
      optimizer.step();
      return Promise.resolve();
    },
  });

  const attention = new Attention();
  const adam = new optim.Adam(attention.parameters(), { lr: 0.001 });
  const words = Float32Array.from({ length: 64 * 32 * 256 }, (_, i) => Math.sin(i));
  const tags = Int32Array.from({ length: 64 * 32 }, (_, i) => i % 10);
  await measureSteps("a class of one's own: attention (64, 32, 256)", adam, {
    'beside it': async () => {
      const loss = await tensorOf(attention.forwardAsync(tensor(words, [64 * 32, 256]), tags));
      await loss.backwardAsync();
      await adam.stepAsync();
    },
    synchronous: () => {
      attention.forward(tensor(words, [64 * 32, 256]), tags).backward();
      adam.step();
      return Promise.resolve();
    },
  });
}

/**
 * @param {string} title
 * @param {{ zeroGrad(): void }} optimizer
 * @param {Record<string, () => Promise<void>>} steps
 */
async function measureSteps(title, optimizer, steps) {
  console.log(`\na training step, ${title}; ms`);
  console.log('              longest turn, min   p10   median   whole step, median');
  for (const [name, step] of Object.entries(steps)) {
    const turns = [];
    const whole = [];
    let last = 0;
    let longest = 0;
    const watch = { on: true };
    const tick = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      if (watch.on) setImmediate(tick);
    };
    for (let i = 0; i < 120; i++) {
      optimizer.zeroGrad();
      await wait(1);
      watch.on = true;
      longest = 0;
      last = performance.now();
      const start = last;
      setImmediate(tick);
      await step();
      whole.push(performance.now() - start);
      await new Promise((resolve) => setImmediate(resolve));
      watch.on = false;
      if (i >= 20) turns.push(longest); // the first ones compile
    }
    for (const list of [turns, whole]) list.sort((a, b) => a - b);
    const at = (
      /** @type {number[]} */ list,
      /** @type {number} */ part,
      /** @type {number} */ width,
    ) => (list[Math.floor(list.length * part)] ?? 0).toFixed(2).padStart(width);
    console.log(
      name.padEnd(12) +
        at(turns, 0, 21) +
        at(turns, 0.1, 6) +
        at(turns, 0.5, 9) +
        at(whole, 0.5, 21),
    );
  }
}

/**
 * What these layers' forwards return.
 * @param {Promise<unknown>} result
 */
async function tensorOf(result) {
  return /** @type {import('evenkeel').Tensor} */ (await result);
}
