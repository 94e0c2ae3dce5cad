// What a call leaves behind, in bytes: a million small calls, ten thousand large ones and a hundred thousand plain
// training steps of each kind, memory after a garbage collection against the number of calls, and the slope of the line through it with its 95 %
// confidence interval. Exits with 1 where one lies above 0. Some minutes after a build:
//
// V8 may double its young generation at any time in a run, which is no growth of ours: so it is held.
//
//   node --expose-gc --max-semi-space-size=1 scripts/memory-slope.mjs [--small N] [--large N] [--steps N] [--only part of a name]
import { parseArgs } from 'node:util';

import { native, nn, optim, tensor } from 'evenkeel';

import { line } from './least-squares.mjs';

const { values } = parseArgs({
  options: {
    small: { type: 'string', default: '1000000' },
    large: { type: 'string', default: '10000' },
    steps: { type: 'string', default: '100000' },
    only: { type: 'string', default: '' },
  },
});
/** Of a run: enough for a line. The first third is for warming up: compiled code, pools, V8's heap. */
const SAMPLES = 150;
/** Of growth in all: V8's own tables take up to 10 kB in a million calls. */
const NOTHING = 64 * 1024;
/** The same of a run of training steps: the pool's own tables grow to the size that the collections leave them. */
const LITTLE = 2 ** 20;
const MEASURES = /** @type {const} */ (['rss', 'external', 'arrayBuffers', 'heapUsed']);
const gc = globalThis.gc;
if (gc === undefined) throw new Error('memory-slope: expected node --expose-gc, got none.');

/** @typedef {{ name: string, calls: number, call: () => unknown, most?: number }} Kind */

/** @returns {Kind[]} */
function kinds() {
  const small = Number(values.small);
  const large = Number(values.large);
  const bn = new nn.BatchNorm1d(64);
  const input = tensor(new Float32Array(32 * 64).fill(1.5), [32, 64], { requiresGrad: true });
  const wide = new nn.BatchNorm1d(1024);
  const shape = [1024, 1024];
  const shared = tensor(new Float32Array(new SharedArrayBuffer(4 * 2 ** 20)).fill(2), shape);
  const plain = tensor(new Float32Array(2 ** 20).fill(2), shape);
  const learning = tensor(new Float32Array(2 ** 20).fill(2), shape, { requiresGrad: true });
  const backward = (/** @type {import('evenkeel').Tensor} */ y) => {
    y.backward(y.detach());
    y.dispose();
    for (const each of [learning, input]) each.grad = null;
    for (const each of [bn, wide]) each.zeroGrad();
  };
  const aborted = async () => {
    const abort = new AbortController();
    const call = wide.forwardAsync(shared, { signal: abort.signal });
    abort.abort();
    await call.catch(() => undefined);
  };
  return [
    { name: 'forward (32, 64)', calls: small, call: () => bn.forward(input).dispose() },
    {
      name: 'forward and backward (32, 64)',
      calls: small,
      call: () => backward(bn.forward(input)),
    },
    {
      name: 'forward (32, 64), left to the collector',
      calls: small,
      call: () => void bn.forward(input),
    },
    {
      name: 'forwardAsync (32, 64)',
      calls: small,
      call: async () => (await bn.forwardAsync(input)).dispose(),
    },
    { name: 'forward that is refused', calls: small, call: refused(bn) },
    { name: 'forward (1024, 1024)', calls: large, call: () => wide.forward(plain).dispose() },
    {
      name: 'forward and backward (1024, 1024)',
      calls: large,
      call: () => backward(wide.forward(learning)),
    },
    {
      name: 'forwardAsync, shared (1024, 1024)',
      calls: large,
      call: async () => (await wide.forwardAsync(shared)).dispose(),
    },
    {
      name: 'forwardAsync, copied (1024, 1024)',
      calls: large,
      call: async () => (await wide.forwardAsync(plain)).dispose(),
    },
    { name: 'forwardAsync, aborted (1024, 1024)', calls: large, call: aborted },
    step(32, 64, 64),
    step(256, 128, 128),
  ];
}

/**
 * A training step with two BatchNorms, in which nothing is disposed of.
 * @param {number} rows
 * @param {number} inputs
 * @param {number} hidden
 * @returns {Kind}
 */
function step(rows, inputs, hidden) {
  const model = new nn.Sequential(
    new nn.Linear(inputs, hidden),
    new nn.BatchNorm1d(hidden),
    new nn.ReLU(),
    new nn.Linear(hidden, hidden),
    new nn.BatchNorm1d(hidden),
    new nn.ReLU(),
    new nn.Linear(hidden, 10),
  );
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const x = tensor(
    Float32Array.from({ length: rows * inputs }, (_, i) => Math.sin(i)),
    [rows, inputs],
  );
  const labels = Int32Array.from({ length: rows }, (_, i) => i % 10);
  return {
    name: `plain training step (${rows}, ${inputs})`,
    calls: Number(values.steps),
    most: LITTLE,
    call: () => {
      optimizer.zeroGrad();
      criterion.forward(model.forward(x), labels).backward();
      optimizer.step();
    },
  };
}

/** @param {nn.BatchNorm1d} bn */
function refused(bn) {
  const wrong = tensor(new Float32Array(6), [2, 3]);
  return () => {
    try {
      bn.forward(wrong);
    } catch {
      return;
    }
    throw new Error('memory-slope: expected a refusal, got none.');
  };
}

/**
 * Memory after each part of the calls, one row of MEASURES a sample: in an array that is there from the
 * beginning, because what a sample keeps would count as growth.
 * @param {Kind} kind
 */
async function sampled({ calls, call }) {
  const each = Math.floor(calls / SAMPLES);
  const rows = new Float64Array(SAMPLES * MEASURES.length);
  for (let i = 0; i < SAMPLES; i++) {
    for (let left = each; left > 0; left--) {
      const result = call();
      if (result instanceof Promise) await result;
    }
    gc?.();
    gc?.();
    const memory = process.memoryUsage();
    MEASURES.forEach((measure, k) => (rows[i * MEASURES.length + k] = memory[measure]));
  }
  return { each, rows };
}

/**
 * @param {Kind} kind
 * @returns whether no interval lies above 0
 */
async function measure(kind) {
  const start = performance.now();
  const { each, rows } = await sampled(kind);
  let growing = 0;
  const columns = MEASURES.map((_, k) => {
    /** @type {[number, number][]} */
    const points = [];
    for (let i = SAMPLES / 3; i < SAMPLES; i++)
      points.push([i * each, rows[i * MEASURES.length + k] ?? NaN]);
    const { slope, half } = line(points);
    if ((slope - half) * kind.calls > (kind.most ?? NOTHING)) growing++;
    return `${slope.toFixed(2)} ± ${half.toFixed(2)}`.padStart(19);
  });
  const seconds = `${((performance.now() - start) / 1000).toFixed(0)} s`;
  console.log(
    kind.name.padEnd(41) +
      String(kind.calls).padStart(8) +
      columns.join('') +
      seconds.padStart(7) +
      (growing === 0 ? '' : '  GROWS'),
  );
  return growing === 0;
}

console.log(
  `bytes a call, with 95 % confidence; ${native.isa}, ${native.threads} threads, Node ${process.version}`,
);
console.log(
  ' '.repeat(41) + 'calls'.padStart(8) + MEASURES.map((each) => each.padStart(19)).join(''),
);
let growing = 0;
for (const kind of kinds()) {
  if (kind.name.includes(values.only) && !(await measure(kind))) growing++;
}
console.log(
  growing === 0
    ? 'memory: no call leaves anything behind'
    : `memory: ${growing} kinds of call grow`,
);
process.exitCode = growing === 0 ? 0 : 1;
