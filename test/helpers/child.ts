// Runs a program in a Node process of its own, against the built package: what crashes must not take
// the tests along. In the program `evenkeel` is the package, and it can be loaded in a Worker too.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { isLong } from './trials.js';

/** The built package's CommonJS door. */
export const BUILT = fileURLToPath(new URL('../../dist/cjs/index.js', import.meta.url));
/** The addon itself, behind every check of the package. */
export const ADDON =
  process.env['EVENKEEL_NATIVE'] ??
  fileURLToPath(new URL('../../build/Release/evenkeel.node', import.meta.url));

/** What the addon exports. */
export function loadAddon(): unknown {
  const loaded: { exports: unknown } = { exports: {} };
  process.dlopen(loaded, ADDON);
  return loaded.exports;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  /** Load this file as the package instead of the built one. */
  readonly built?: string;
  /** The library of host.ts: preloaded, and `host` in the program. */
  readonly host?: string;
}

/** Where a machine is slow or busy: EVENKEEL_CHILD_SECONDS. */
const SECONDS = Number(process.env['EVENKEEL_CHILD_SECONDS'] ?? (isLong ? 590 : 50));

/**
 * Node 24 and later hang at an exit, in one of fifty of those below, when V8 compiles on another thread and waits for
 * a collection there (nodejs/node#54918): Node's own threads, and not what is tested.
 */
const FLAGS = Number.parseInt(process.versions.node) >= 24 ? ['--no-concurrent-sparkplug'] : [];

/** A clean end: what a child that is well reports, given what it should have printed. */
export const well = (stdout = ''): Ended => ({ code: 0, signal: null, stdout, stderr: '' });

/**
 * Runs `program` (CommonJS). It is given load(), which returns the package; evalWorker(source),
 * which starts a Worker on a program of the same kind and returns it; train() and trainLater(), whose hash
 * is the same; and begin(count), calls that are in flight.
 */
export function runChild(program: string, options: ChildOptions = {}): Promise<Ended> {
  const { env = {}, flags = [], built = BUILT, host } = options;
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_OPTIONS|VITEST|EVENKEEL_(?!NATIVE))/.test(name),
  );
  const child = spawn(process.execPath, [...FLAGS, ...flags, '-e', PRELUDE + program], {
    env: {
      ...Object.fromEntries(inherited),
      EVENKEEL_TEST_BUILT: built,
      EVENKEEL_TEST_PRELUDE: PRELUDE,
      EVENKEEL_TEST_ADDON: ADDON,
      ...(host !== undefined && { EVENKEEL_TEST_HOST: host, LD_PRELOAD: host }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: SECONDS * 1000,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

const PRELUDE = `
'use strict';
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const load = () => require(process.env.EVENKEEL_TEST_BUILT);
const host = {};
if (process.env.EVENKEEL_TEST_HOST) process.dlopen({ exports: host }, process.env.EVENKEEL_TEST_HOST);
const evalWorker = (program, workerData) =>
  new Worker(process.env.EVENKEEL_TEST_PRELUDE + program, { eval: true, workerData });
const ended = (worker) => new Promise((resolve, reject) => {
  worker.once('error', reject);
  worker.once('exit', resolve);
});
const data = (count) => Float32Array.from({ length: count }, (_, i) => Math.sin(i) * 3 + 7);
/** A training step on enough data for every thread; the hash of what it computes. */
const train = (n = 2048, c = 256) => {
  const [bn, x] = layer(n, c);
  const y = bn.forward(x);
  y.backward(y.detach());
  return hashOfStep(bn, x, y);
};
/** The same beside the event loop, and the same hash. */
const trainLater = async (n = 2048, c = 256) => {
  const [bn, x] = layer(n, c);
  const y = await bn.forwardAsync(x);
  await y.backwardAsync(y.detach());
  return hashOfStep(bn, x, y);
};
const layer = (n, c) => {
  const { nn, tensor } = load();
  return [new nn.BatchNorm1d(c), tensor(data(n * c), [n, c], { requiresGrad: true })];
};
const hashOfStep = (bn, x, y) => {
  const hash = createHash('sha256');
  for (const { data } of [y, x.grad, bn.runningMean, bn.runningVar, bn.weight.grad]) {
    hash.update(data);
  }
  return hash.digest('hex');
};
/** So many training calls of one layer in flight: of 4 MB and 1 MB, on shared, private and plain memory. */
const begin = (count) => {
  const { nn, tensor, functional } = load();
  const bn = new nn.BatchNorm1d(512);
  const shared = new Float32Array(new SharedArrayBuffer(4 * 2048 * 512)).fill(1.5);
  const plain = data(512 * 512);
  const made = functional.add(tensor(plain, [512, 512]), tensor(plain, [512, 512]));
  const inputs = [tensor(shared, [2048, 512]), made, tensor(shared, [2048, 512]), tensor(data(1024 * 512), [1024, 512])];
  return Array.from({ length: count }, (_, i) => bn.forwardAsync(inputs[i % 4]));
};
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
`;
