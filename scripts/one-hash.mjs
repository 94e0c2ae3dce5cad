// One shape, one answer: a training step of random shapes on every instruction set × thread count × byte
// offset × plain and shared memory × synchronous and asynchronous, each hashed; exits with 1 unless every
// shape has one hash. `node scripts/one-hash.mjs [shapes]` after a build; the last line is the digest of
// all of them, the same on every machine (`--few`: one thread count, one offset, for slow ones; `--list`:
// the hash of each shape as well).
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { native, nn, tensor } from 'evenkeel';

const THREADS = [1, 2, 3, 5, 8, 16];
const OFFSETS = Array.from({ length: 16 }, (_, i) => 4 * i);
const few = process.argv.includes('--few');
const list = process.argv.includes('--list');
const shapes = Number(process.argv.find((each) => /^\d+$/.test(each)) ?? 500);

/** @typedef {{ shape: number[], dtype: 'float32' | 'float64', relu: boolean, seed: number }} Case */

/** Half of them below 32 KB; one in ten large enough to be handed to several threads. */
function* cases() {
  let state = 20261124;
  const uniform = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const size = (/** @type {number} */ low, /** @type {number} */ high) =>
    Math.floor(low * ((high + 1) / low) ** uniform());
  for (let i = 0; i < shapes; i++) {
    const large = i % 10 === 9;
    const c = size(1, large ? 300 : 70);
    const l = uniform() < 0.5 ? 1 : size(2, 130);
    const most = large ? 60_000 : 6_000;
    const n = Math.min(size(2, large ? 900 : 150), Math.max(2, Math.floor(most / (c * l))));
    const shape = l === 1 ? [n, c] : [n, c, l];
    const dtype = i % 4 === 3 ? 'float64' : 'float32';
    yield /** @type {Case} */ ({ shape, dtype, relu: i % 3 === 2, seed: i });
  }
}

/**
 * Uniform in [-3, 5), at a byte offset of memory that is as it is asked for.
 * @param {Case} each
 * @param {number} seed
 * @param {number} offset
 * @param {boolean} shared
 */
function values({ shape, dtype }, seed, offset, shared) {
  const numel = shape.reduce((a, b) => a * b);
  const Type = dtype === 'float32' ? Float32Array : Float64Array;
  const bytes = numel * Type.BYTES_PER_ELEMENT + 64;
  const start = dtype === 'float32' ? offset : offset * 2;
  const buffer = shared ? new SharedArrayBuffer(bytes + 64) : new ArrayBuffer(bytes + 64);
  const data = new Type(/** @type {ArrayBuffer} */ (buffer), start, numel);
  let state = seed;
  for (let i = 0; i < numel; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = state / 2 ** 29 - 3;
  }
  return data;
}

/**
 * Forward and backward of a fresh layer: output, statistics, gradients.
 * @param {Case} each
 * @param {{ data: Float32Array | Float64Array, dy: Float32Array | Float64Array, later: boolean }} how
 */
async function answer({ shape, dtype, relu }, { data, dy, later }) {
  const bn = new nn.BatchNorm1d(shape[1] ?? 0, { dtype, momentum: 0.3 });
  bn.weight?.data.forEach((_, i, weight) => (weight[i] = 1 + (i % 5) / 4));
  const x = tensor(data, shape, { requiresGrad: true });
  const y = later ? await bn.forwardAsync(x, { relu }) : bn.forward(x, { relu });
  if (later) await y.backwardAsync(tensor(dy, shape));
  else y.backward(tensor(dy, shape));
  const hash = createHash('sha1');
  for (const each of [y, bn.runningMean, bn.runningVar, x.grad, bn.weight?.grad, bn.bias?.grad]) {
    const { buffer, byteOffset, byteLength } = /** @type {import('evenkeel').Tensor} */ (each).data;
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

/** In a process that is pinned to one instruction set: a line a shape, how many answers and their hashes. */
async function hashes() {
  for (const each of cases()) {
    const hashes = new Set();
    let answers = 0;
    for (const shared of [false, true]) {
      for (const offset of few ? [4] : OFFSETS) {
        const data = values(each, each.seed, offset, shared);
        const dy = values(each, each.seed + 7919, offset, shared);
        for (const threads of few ? [2] : THREADS) {
          native.setThreads(threads);
          for (const later of [false, true]) {
            hashes.add(await answer(each, { data, dy, later }));
            answers++;
          }
        }
      }
    }
    console.log(answers, ...hashes);
  }
}

/** @param {string} isa */
async function linesOf(isa) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), ...process.argv.slice(2)],
    {
      env: { ...process.env, EVENKEEL_ISA: isa, EVENKEEL_ONE_HASH: 'hashes' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text));
  /** @type {number | null} */
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${isa} ended with ${String(code)}`);
  return output
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [answers, ...hashes] = line.split(' ');
      return { answers: Number(answers), hashes };
    });
}

if (process.env['EVENKEEL_ONE_HASH'] === 'hashes') {
  await hashes();
} else {
  const isas = native.availableIsas;
  /** @type {{ hashes: string[], answers: number }[][]} */
  const found = [];
  for (const isa of isas) {
    found.push(await linesOf(isa));
    console.log(`${isa}: done`);
  }
  const all = [...cases()];
  const answers = found.flat().reduce((sum, each) => sum + each.answers, 0);
  const digest = createHash('sha256');
  let different = 0;
  all.forEach(({ shape, dtype, relu }, i) => {
    const hashes = new Set(found.flatMap((lines) => lines[i]?.hashes ?? ['nothing']));
    for (const hash of hashes) digest.update(hash);
    if (list) console.log([...hashes].join(' '), `[${shape.join(', ')}]`, dtype, `relu ${relu}`);
    if (hashes.size === 1) return;
    different++;
    console.log(`${hashes.size} answers for shape [${shape.join(', ')}], ${dtype}, relu ${relu}`);
  });
  console.log(
    `${all.length} shapes, ${answers} answers (${isas.join(', ')}): ${different} shapes with more than one hash`,
  );
  console.log(digest.digest('hex').slice(0, 32));
  process.exitCode = different === 0 ? 0 : 1;
}
