// What a server holds after a burst: the resident memory of a process before 500 calls at once and 200 plain training
// steps, after them, and in each second that it is idle. Exits with 1 where 10 s later it is 64 MB or more above
// what it was before. After a build: node bench/alone/idle-memory.mjs
import { setTimeout as wait } from 'node:timers/promises';

import { nn, native, tensor } from 'evenkeel';

const [CALLS, STEPS, SECONDS, MOST_MB] = [500, 200, 10, 64];
const shape = [1024, 1024];
const values = Float32Array.from({ length: 2 ** 20 }, (_, i) => Math.sin(i));
const layer = new nn.BatchNorm1d(1024);
const shared = new Float32Array(new SharedArrayBuffer(values.byteLength));
shared.set(values);
const x = tensor(shared, shape);
const learning = tensor(values.slice(), shape, { requiresGrad: true });

async function burst(calls = CALLS, steps = STEPS) {
  await Promise.all(Array.from({ length: calls }, () => layer.forwardAsync(x)));
  for (let i = 0; i < steps; i++) {
    const y = layer.forward(learning);
    y.backward(y.detach());
    learning.grad = null;
    layer.zeroGrad();
  }
}

const rss = () => process.memoryUsage.rss() / 2 ** 20;
const show = (/** @type {string} */ when) => {
  const { inUse, pooled } = native.memory;
  const pool = [inUse, pooled].map((bytes) => (bytes / 2 ** 20).toFixed(0)).join(' + ');
  console.log(
    `${when.padEnd(16)} ${rss().toFixed(0).padStart(5)} MB, of which in use and pooled ${pool}`,
  );
};

await burst(2, 2); // code is compiled, threads are there
await wait(100);
const before = rss();
show('before');
await burst();
show('after the burst');
for (let second = 1; second <= SECONDS; second++) {
  await wait(1000);
  show(`${second} s later`);
}
const over = rss() - before;
console.log(`idle-memory: ${over.toFixed(0)} MB above what it was before; ${MOST_MB} may be`);
process.exitCode = over < MOST_MB ? 0 : 1;
