// The way of one call of `bn.forward` through the files of src/, as it runs: a debugger in a Worker steps through it,
// statement by statement. A hop is a call from one file into another, or of a function of the addon; reading a property
// counts with --properties. After a build: node bench/call-path.mjs [--stays]. docs/architecture.md has the figures.
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

import { native, nn, noGrad, tensor } from 'evenkeel';

/** @typedef {{ file: string, name: string, depth: number }} Stay */

/** @type {Map<string, readonly string[]>} */
const texts = new Map();
if (isMainThread) await main();
else watch();

async function main() {
  const x = tensor(new Float32Array(32 * 64).fill(1.5), [32, 64]);
  const training = new nn.BatchNorm1d(64);
  const evaluation = new nn.BatchNorm1d(64).eval();
  // Into memory that is there: what the pool does depends on the garbage collector.
  const out = tensor(new Float32Array(32 * 64), [32, 64]);
  const calls = {
    'training, recorded': () => training.forward(x, { out }),
    'evaluation under noGrad': () => noGrad(() => evaluation.forward(x, { out })),
  };
  native.setThreads(1);
  const isOver = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(import.meta.url), { workerData: isOver });
  await new Promise((resolve) => worker.once('message', resolve));
  for (const [name, call] of Object.entries(calls)) {
    for (let i = 0; i < 100; i++) call();
    /** @type {Promise<Stay[]>} */
    const seen = new Promise((resolve) => worker.once('message', resolve));
    debugger; // eslint-disable-line no-debugger -- the Worker steps from here
    call();
    Atomics.store(isOver, 0, 1);
    const stays = await seen;
    Atomics.store(isOver, 0, 0);
    print(name, stays);
  }
  await worker.terminate();
}

/**
 * @param {string} name - of the call
 * @param {Stay[]} stays
 */
function print(name, stays) {
  const isShown = process.argv.includes('--properties');
  const hops = stays.filter(
    ({ file, name: entered, depth }, i) =>
      depth > (stays[i - 1]?.depth ?? 0) &&
      file !== stays[i - 1]?.file &&
      (isShown || !entered.startsWith('get ')),
  );
  const files = new Set(hops.map(({ file }) => file));
  const rooms = hops.map(({ file }) => file.split('/')[0]);
  const left = rooms.filter((room, i) => rooms.indexOf(room) < i && rooms[i - 1] !== room);
  console.log(
    `${name}: ${hops.length} hops, ${files.size} files, ${new Set(rooms).size} rooms, ${left.length} returns to a room`,
  );
  if (!process.argv.includes('--stays')) return;
  for (const { file, name: entered, depth } of hops) {
    console.log(`  ${'  '.repeat(depth - (hops[0]?.depth ?? 0))}${file} ${entered}`);
  }
}

/** Steps through all that the main thread does between `debugger` and the flag. */
function watch() {
  /** @type {unknown} */
  const given = workerData;
  const isOver = /** @type {Int32Array<SharedArrayBuffer>} */ (given);
  const session = new Session();
  session.connectToMainThread();
  /** @type {Map<string, string>} */
  const scripts = new Map();
  /** @type {Stay[]} */
  let stays = [];
  session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) =>
    scripts.set(scriptId, url),
  );
  session.on('Debugger.paused', ({ params: { callFrames } }) => {
    const [top] = callFrames;
    const file = fileAt(
      scripts.get(top?.location.scriptId ?? '') ?? '',
      top?.location.lineNumber ?? 0,
    );
    if (Atomics.load(isOver, 0) === 1) {
      session.post('Debugger.resume');
      parentPort?.postMessage(stays);
      stays = [];
      return;
    }
    const last = stays.at(-1);
    const name = top?.functionName ?? '';
    const depth = callFrames.length;
    if (file !== '' && (last?.file !== file || last.name !== name || last.depth !== depth)) {
      stays.push({ file, name, depth });
    }
    session.post('Debugger.stepInto');
  });
  parentPort?.on('message', () => undefined); // keeps this Worker going
  session.post('Debugger.enable', () => parentPort?.postMessage('attached'));
}

/**
 * The file of src/ that a line of the built package comes from; '' for a line of others.
 * @param {string} url
 * @param {number} line
 */
function fileAt(url, line) {
  if (!url.endsWith('/dist/cjs/pack.js')) return '';
  const lines = texts.get(url) ?? readFileSync(new URL(url), 'utf8').split('\n');
  texts.set(url, lines);
  for (let i = line; i >= 0; i--) {
    const start = /^ {2}"build\/modules\/(.+)\.js"\(/.exec(lines[i] ?? '');
    if (start !== null) return `${start[1]}.ts`;
  }
  return '';
}
