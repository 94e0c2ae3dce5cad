// How long the event loop and the file system wait while 64 training calls of 8 MB run beside them, for
// each way their input can come. `node scripts/event-loop.mjs [rounds]` after a build.
import { stat } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';

import { nn, tensor } from 'evenkeel';

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
