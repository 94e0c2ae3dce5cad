// Trains at once and beside the event loop, evaluates, saves and loads, starts and ends Workers, and collects
// garbage, for as long as asked; every minute (every tenth of a short run) one line. Fails where outputs change or anything grows.
//
//   node --expose-gc scripts/soak.mjs [--minutes N]     (npm run soak -- --minutes 5)
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

import { line } from './least-squares.mjs';

const file = fileURLToPath(import.meta.url);
/** @type {unknown} */
const built = createRequire(import.meta.url)('../dist/cjs/index.js');
const { checkpoint, functional, manualSeed, native, nn, optim, tensor } =
  /** @type {typeof import('evenkeel')} */ (built);

if (isMainThread) await soak();
else parentPort?.postMessage(await round());

/** A short training, evaluation, and its state into another model: the hash of all that it computes. */
async function round() {
  manualSeed(7);
  const hash = createHash('sha256');
  const model = new nn.Sequential(
    new nn.Linear(32, 64),
    new nn.BatchNorm1d(64),
    new nn.ReLU(),
    new nn.Dropout(0.2),
    new nn.Linear(64, 10),
  );
  const adam = new optim.AdamW(model.parameters(), { lr: 0.01 });
  for (let step = 0; step < 10; step++) {
    const x = tensor(
      Float32Array.from({ length: 600 * 32 }, (_, i) => ((i * 7919 + step) % 1021) / 256),
      [600, 32],
    );
    const labels = Int32Array.from({ length: 600 }, (_, i) => (i * 7 + step) % 10);
    const loss = functional.crossEntropy(model.forward(x), labels);
    adam.zeroGrad();
    loss.backward();
    adam.step();
    hash.update(loss.data);
  }
  const other = new nn.Sequential(
    new nn.Linear(32, 64),
    new nn.BatchNorm1d(64),
    new nn.ReLU(),
    new nn.Dropout(0.2),
    new nn.Linear(64, 10),
  );
  other.loadStateDict(model.stateDict());
  const runs = new nn.BatchNorm1d(16);
  const long = tensor(
    Float32Array.from({ length: 4 * 16 * 700 }, (_, i) => (i % 509) / 64),
    [4, 16, 700],
    { requiresGrad: true },
  );
  const y = await runs.forwardAsync(long); // large enough to be a job
  await y.backwardAsync(y.detach());
  const evaluated = other.eval().forward(tensor(new Float32Array(5 * 32).fill(0.5), [5, 32]));
  for (const each of [evaluated, y, long.grad, runs.runningVar, ...other.stateDict().values()]) {
    if (each !== null) hash.update(each.data);
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * Whether a state comes back from a file as it went.
 * @param {string} path
 */
async function throughFile(path) {
  const state = new nn.BatchNorm1d(64).stateDict();
  await checkpoint.saveSafetensors(path, state);
  const loaded = await checkpoint.loadSafetensors(path);
  return [...state].every(([key, each]) => each.data.join() === loaded.get(key)?.data.join());
}

/** @returns {Promise<string>} */
function inWorker() {
  return new Promise((resolve, reject) => {
    /** @type {string} */
    let answer = '';
    const worker = new Worker(file);
    worker.once('message', (/** @type {string} */ hash) => (answer = hash));
    worker.once('error', reject);
    worker.once('exit', () => resolve(answer));
  });
}

function sample() {
  for (let i = 0; i < 2; i++) globalThis.gc?.();
  const { rss, external, arrayBuffers, heapUsed } = process.memoryUsage();
  return { rss, external, arrayBuffers, heapUsed };
}

/** @param {string} folder */
function count(folder) {
  return process.platform === 'linux' ? readdirSync(folder).length : 0;
}

async function soak() {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' } } });
  const minutes = Number(values.minutes);
  if (!(minutes > 0))
    throw new RangeError(`soak: expected minutes above 0, got ${values.minutes}.`);
  if (globalThis.gc === undefined) throw new Error('soak: expected node --expose-gc, got none.');
  const period = Math.min(60, (minutes * 60) / 10) * 1000;
  const expected = await round();
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-soak-'));
  // The first part warms up: code, the pools, V8's heap.
  const start = performance.now();
  const end = start + minutes * 60_000;
  /** @type {{ t: number, rss: number, external: number, arrayBuffers: number, heapUsed: number }[]} */
  const samples = [];
  /** @type {{ fds: number, threads: number, p99: number }[]} */
  const periods = [];
  /** @type {string[]} */
  const problems = [];
  let [rounds, workers] = [0, 0];
  for (let next = start + period; performance.now() < end; next += period) {
    /** @type {number[]} */
    const times = [];
    while (performance.now() < next) {
      const before = performance.now();
      const hash = await round();
      times.push(performance.now() - before);
      if (hash !== expected) problems.push(`round ${rounds} gave ${hash}`);
      if (++rounds % 20 === 0) {
        workers++;
        const theirs = await inWorker();
        if (theirs !== expected) problems.push(`Worker ${workers} gave ${theirs}`);
        if (!(await throughFile(join(folder, 'state.safetensors'))))
          problems.push('a file differs');
      }
      if (rounds % 10 === 0) samples.push({ t: (performance.now() - start) / 1000, ...sample() });
    }
    times.sort((a, b) => a - b);
    const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
    const state = { fds: count('/proc/self/fd'), threads: count('/proc/self/task'), p99 };
    periods.push(state);
    console.log(
      `${((performance.now() - start) / 1000).toFixed(0).padStart(6)} s  hash ${expected}  ${rounds} rounds  ` +
        `rss ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB  fds ${state.fds}  threads ${state.threads}  ` +
        `p99 ${p99.toFixed(1)} ms`,
    );
    if (problems.length > 0) break;
  }
  rmSync(folder, { recursive: true });
  const warm = samples.filter(({ t }) => t > minutes * 60 * 0.3);
  for (const name of /** @type {const} */ (['rss', 'external', 'arrayBuffers', 'heapUsed'])) {
    const { slope, half } = line(warm.map((each) => [each.t, each[name]]));
    // Growth: even the lowest slope has come to more than the 4 MB by which allocators' steps go up and
    // down, and to more than the 0.3 kB/s that Node keeps of Workers that have ended.
    const [low, high] = [slope - half, slope + half];
    const grown = low * minutes * 60 * 0.7;
    console.log(
      `${name.padEnd(12)} ${(slope / 1e3).toFixed(2)} kB/s, 95 %: ${(low / 1e3).toFixed(2)} to ${(high / 1e3).toFixed(2)}`,
    );
    if (low > 1e3 && grown > 4e6) problems.push(`${name} grew by ${(grown / 1e6).toFixed(1)} MB`);
  }
  const [first, last] = [periods[1] ?? periods[0], periods.at(-1)];
  if (first !== undefined && last !== undefined) {
    for (const name of /** @type {const} */ (['fds', 'threads'])) {
      if (last[name] > first[name]) problems.push(`${name}: ${first[name]}, then ${last[name]}`);
    }
  }
  for (const problem of problems) console.error(`soak: ${problem}`);
  console.log(
    `soak: ${rounds} rounds, ${workers} Workers, ${minutes} minutes on ${native.isa}: ` +
      (problems.length === 0 ? 'no drift' : `${problems.length} problems`),
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
