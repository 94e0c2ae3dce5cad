// What a call leaves behind, in bytes: a million small calls, ten thousand large ones and a hundred thousand plain
// training steps of each kind, memory after a garbage collection against the number of calls, and the slope of the line
// through it with its 95 % confidence interval. Exits with 1 where one lies above 0. Some minutes after a build:
//
//   node --expose-gc --max-semi-space-size=1 --import tsx bench/alone/memory-slope.ts
//       [--small N] [--large N] [--steps N] [--only part of a name]
//
// V8 may double its young generation at any time in a run, which is no growth of ours: so it is held.
import { parseArgs } from 'node:util';

import { native, nn, optim, tensor, type Tensor } from 'evenkeel';

import { collectGarbage, MEASURES, slopeOf } from './growth.js';

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
/**
 * Calls before the first sample: V8's tables grow until then, by 100 kB in all, which over 15,000 calls looked like
 * 9.6 bytes a call and over 600,000 was 0.1.
 */
const WARM_UP = { small: 50_000, others: 500 };
/** Of growth in all: V8's own tables take up to 10 kB in a million calls. */
const NOTHING = 64 * 1024;
/** The same of a run of training steps: the pool's own tables grow to the size that the collections leave them. */
const LITTLE = 2 ** 20;

const [small, large] = [Number(values.small), Number(values.large)];
const bn = new nn.BatchNorm1d(64);
const input = tensor(new Float32Array(32 * 64).fill(1.5), [32, 64], { requiresGrad: true });
const wrong = tensor(new Float32Array(6), [2, 3]);
const wide = new nn.BatchNorm1d(1024);
const shape = [1024, 1024];
const shared = tensor(new Float32Array(new SharedArrayBuffer(4 * 2 ** 20)).fill(2), shape);
const plain = tensor(new Float32Array(2 ** 20).fill(2), shape);
const learning = tensor(new Float32Array(2 ** 20).fill(2), shape, { requiresGrad: true });

/** Name, number of calls, call, and what it may leave in all, if it is not NOTHING. */
const kinds: [string, number, () => unknown, number?][] = [
  ['forward (32, 64)', small, () => bn.forward(input).dispose()],
  ['forward and backward (32, 64)', small, () => backward(bn.forward(input))],
  ['forward (32, 64), left to the collector', small, () => void bn.forward(input)],
  ['forwardAsync (32, 64)', small, async () => (await bn.forwardAsync(input)).dispose()],
  ['forward that is refused', small, refused],
  ['forward (1024, 1024)', large, () => wide.forward(plain).dispose()],
  ['forward and backward (1024, 1024)', large, () => backward(wide.forward(learning))],
  [
    'forwardAsync, shared (1024, 1024)',
    large,
    async () => (await wide.forwardAsync(shared)).dispose(),
  ],
  [
    'forwardAsync, copied (1024, 1024)',
    large,
    async () => (await wide.forwardAsync(plain)).dispose(),
  ],
  ['forwardAsync, aborted (1024, 1024)', large, aborted],
  ['plain training step (32, 64)', Number(values.steps), step(32, 64, 64), LITTLE],
  ['plain training step (256, 128)', Number(values.steps), step(256, 128, 128), LITTLE],
];

/** A training step with two BatchNorms, in which nothing is disposed of. */
function step(rows: number, inputs: number, hidden: number): () => void {
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
  const numbers = Float32Array.from({ length: rows * inputs }, (_, i) => Math.sin(i));
  const x = tensor(numbers, [rows, inputs]);
  const labels = Int32Array.from({ length: rows }, (_, i) => i % 10);
  return () => {
    optimizer.zeroGrad();
    criterion.forward(model.forward(x), labels).backward();
    optimizer.step();
  };
}

function backward(y: Tensor): void {
  y.backward(y.detach());
  y.dispose();
  for (const each of [learning, input]) each.grad = null;
  for (const each of [bn, wide]) each.zeroGrad();
}

async function aborted(): Promise<void> {
  const abort = new AbortController();
  const call = wide.forwardAsync(shared, { signal: abort.signal });
  abort.abort();
  await call.catch(() => undefined);
}

function refused(): void {
  try {
    bn.forward(wrong);
  } catch {
    return;
  }
  throw new Error('memory-slope: expected a refusal, got none.');
}

async function repeated(times: number, call: () => unknown): Promise<void> {
  for (let left = times; left > 0; left--) {
    const result = call();
    if (result instanceof Promise) await result;
  }
}

/**
 * Memory after each part of the calls, one row of MEASURES a sample: in an array that is there from the beginning,
 * because what a sample keeps would count as growth.
 */
async function sampled(each: number, call: () => unknown): Promise<Float64Array> {
  const rows = new Float64Array(SAMPLES * MEASURES.length);
  for (let i = 0; i < SAMPLES; i++) {
    await repeated(each, call);
    collectGarbage();
    const memory = process.memoryUsage();
    MEASURES.forEach((measure, k) => (rows[i * MEASURES.length + k] = memory[measure]));
  }
  return rows;
}

console.log(
  `bytes a call, with 95 % confidence; ${native.isa}, ${native.threads} threads, Node ${process.version}`,
);
const head = MEASURES.map((each) => each.padStart(19)).join('');
console.log(`${' '.repeat(41)}${'calls'.padStart(8)}${head}`);
let growing = 0;
for (const [name, calls, call, most = NOTHING] of kinds.filter(([name]) =>
  name.includes(values.only),
)) {
  const start = performance.now();
  const each = Math.floor(calls / SAMPLES);
  await repeated(calls === small ? WARM_UP.small : WARM_UP.others, call);
  const rows = await sampled(each, call);
  const slopes = MEASURES.map((_, k) => {
    const points = Array.from({ length: SAMPLES }, (_, i) => {
      return [i * each, rows[i * MEASURES.length + k]!] as const;
    });
    return slopeOf(points.slice(SAMPLES / 3));
  });
  const grows = slopes.some(({ slope, half }) => (slope - half) * calls > most);
  const columns = slopes.map(({ slope, half }) =>
    `${slope.toFixed(2)} ± ${half.toFixed(2)}`.padStart(19),
  );
  const seconds = `${((performance.now() - start) / 1000).toFixed(0)} s`.padStart(7);
  const verdict = grows ? '  GROWS' : '';
  console.log(
    `${name.padEnd(41)}${String(calls).padStart(8)}${columns.join('')}${seconds}${verdict}`,
  );
  if (grows) growing++;
}
console.log(
  growing === 0
    ? 'memory: no call leaves anything behind'
    : `memory: ${growing} kinds of call grow`,
);
process.exitCode = growing === 0 ? 0 : 1;
