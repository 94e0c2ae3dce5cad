// Calls the addon itself, behind every check of the package, with arguments that are right but for a few:
// it may refuse, with a TypeError or RangeError and nothing written, or compute; it may never crash. Under
// AddressSanitizer (scripts/sanitize.mjs) a read past an array is a crash too.
// Longer than 250 lines because each export of the addon has a row with right arguments.
//
//   node scripts/fuzz-addon.mjs [--runs N] [--seed S] [--addon FILE]
//
// The types are wrong on purpose here, and not checked.
// @ts-nocheck
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runInNewContext } from 'node:vm';

const built = fileURLToPath(new URL('../build/Release/evenkeel.node', import.meta.url));
const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '300000' },
    seed: { type: 'string', default: '1' },
    addon: { type: 'string', default: built },
  },
});
const loaded = { exports: {} };
process.dlopen(loaded, options.addon);
const addon = loaded.exports;

let state = (Number(options.seed) * 2654435761) % 2147483647 || 1;
const random = (n) => (state = (state * 48271) % 2147483647) % n;
const one = (list) => list[random(list.length)];

const f = (n) => new Float32Array(n).fill(0.5);
const d = (n) => new Float64Array(n).fill(0.5);
const t = (n) => new Int32Array(n);

/** Whatever the addon exports is called, but for what only reads or sets the process's choices. */
const CONTROL = [
  'availableIsas',
  'configure',
  'isa',
  'jobs',
  // A process has one MPI: test/distributed/ starts some for it.
  'mpiAbortAtExit',
  'mpiExchange',
  'mpiFinalize',
  'mpiOpen',
  'mpiRank',
  'mpiReceive',
  'mpiSend',
  'mpiSilent',
  'mpiSize',
  'mpiStart',
  'mpiVersion',
  'mpiWait',
  'returnMemory',
  'selectIsa',
  'setThreads',
  'stamp',
  'threads',
];
const right = {
  batchNormForward: [
    f(12),
    f(12),
    2,
    3,
    2,
    f(3),
    f(3),
    f(3),
    f(3),
    d(9),
    false,
    true,
    0.1,
    1e-5,
    true,
  ],
  batchNormBackward: [f(12), f(12), 0.5, 2, 3, 2, f(3), f(3), d(9), f(12), f(3), f(3), false, true],
  batchNormActivated: [
    ...[f(12), f(12), 2, 3, 2, f(3), f(3), f(3), f(3), d(9)],
    ...[false, true, 0.1, 1e-5, false, 21, 1, 0, f(3)],
  ],
  activationBackward: [
    ...[f(12), f(12), f(12), 2, 3, 2, f(3), f(3), d(9)],
    ...[27, 1, 0, f(3), f(12)],
  ],
  normalizeByMoments: [f(12), f(12), 2, 3, 2, f(3), f(3), d(12), d(9), 1e-5, true],
  gradientSums: [f(12), f(12), 0.5, 2, 3, 2, f(3), f(3), d(9), d(6), f(3), f(3), true],
  gradientBySums: [f(12), f(12), 0.5, 2, 3, 2, f(3), f(3), d(9), d(6), 8, f(12), f(3), f(3), true],
  batchMoments: [f(12), d(12), 2, 3, 2],
  firstShift: [f(12), f(3), 2, 3, 2],
  batchSums: [f(12), f(3), d(6), 2, 3, 2],
  momentsOfSums: [f(3), d(6), d(12), 4, 3],
  mergeMoments: [d(12), 4, d(12), 5, 3],
  finiteMoments: [d(12), 4, 3, false],
  moveByMoments: [f(3), f(3), d(12), 4, 0.1, 3],
  pack: [f(12), f(6), Int32Array.of(1, 2), 2, 2, 3, 1],
  unpack: [f(12), f(8), Int32Array.of(3, 1), 2, 2, 3, 1],
  cancelJob: [3],
  matmul: [f(6), f(12), f(4), f(8), 2, 4, 3, false, true],
  matmulBatch: [f(6), f(24), f(16), 2, true, false, 2, 4, 3, false, true],
  leafProducts: [f(6), f(8), f(12), 3, 4, 2],
  columnSums: [f(12), f(3), 4, 3],
  conv1d: [f(24), f(12), f(4), f(16), 2, 3, 4, 1, 4, 2, 1, 2, 1, 0],
  conv1dTransposed: [d(16), d(24), d(3), d(24), 2, 3, 4, 1, 4, 2, 2, 2, 1, 0],
  conv1dWeightGradient: [f(24), f(24), f(6), null, 2, 3, 3, 3, 4, 4, 2, 1, 1, 1],
  channelSums: [f(24), f(3), 2, 3, 4],
  maxWindows: [f(12), f(6), t(6), Int32Array.of(0, 3, 1, 4), 3, 4, 2, 2],
  maxWindowsBackward: [f(6), t(6), f(12), 3, 4, 2],
  meanWindows: [d(12), d(6), d(2), Int32Array.of(0, 3, 1, 4), 3, 4, 2, 1],
  meanWindowsBackward: [f(6), f(12), d(2), Int32Array.of(0, 3, 1, 4), 3, 4, 2, 1],
  columnTotals: [f(12), d(3), 4, 3],
  relu: [f(8), f(8), 8],
  reluBackward: [f(8), f(8), f(8), 8],
  add: [f(8), f(8), f(8), 8],
  multiply: [d(8), d(8), d(8), 8],
  scale: [f(8), 0.5, f(8), 8],
  sum: [f(8), 8],
  mean: [d(8), 8],
  dropout: [f(8), f(8), 8, 0.5, 1, 2],
  uniform: [f(8), 8, 0, 1, 2, 3],
  randomWords: [new Uint32Array(8), 8, 1, 2],
  crossEntropy: [f(12), t(4), t(4), f(12), 4, 3, -100, d(3)],
  crossEntropyBackward: [f(12), t(4), f(12), 4, 3, -100, 0.25],
  squaredError: [f(8), f(8), 8],
  meanSquaredError: [d(8), d(8), 8],
  squaredErrorBackward: [f(8), f(8), 0.5, f(8), 8],
  sgdStep: [f(8), f(8), f(8), 8, 0.1, 0.9, 0, 0, false, false, true],
  adamStep: [f(8), f(8), f(8), f(8), 8, 0.1, 0.9, 0.999, 1e-8, 0, 0.1, 0.03, false, false],
  lossSum: [f(8), f(8), f(8), f(8), 5, 8, 0.5, 8],
  lossValues: [f(8), f(8), null, null, 2, 8, 0.5, f(8)],
  lossGradients: [d(8), d(8), null, d(8), 3, 8, 0.5, true, d(8), 0.5, d(8)],
  rowLosses: [f(12), t(4), t(4), d(3), 4, 3, -100, 0.1, d(4), f(4), d(2)],
  rowGradients: [f(12), f(12), null, 4, 3, false, -100, 0.1, d(4), f(4), 0.5, f(12), f(12)],
  firstOutside: [f(8), 8, 0, 1],
  nllLosses: [f(12), new BigInt64Array(4), t(4), null, 2, 3, 2, -100, f(4), d(2)],
  nllGradients: [f(12), t(4), d(3), 2, 3, 2, -100, f(4), 0.5],
  cosines: [f(12), f(12), f(4), d(12), 4, 3, 1e-8],
  cosineGradients: [f(12), f(12), d(12), f(4), 4, 3, 1e-8, f(12), f(12)],
  embeddingLosses: [f(12), f(12), t(4), 4, 3, 0.5, d(12), f(4)],
  embeddingGradients: [f(12), f(12), t(4), 4, 3, 0.5, d(12), f(4), 0.5, f(12), f(12)],
  tripletLosses: [f(12), f(12), f(12), 4, 3, 1, 1e-6, true, true, d(12), f(4)],
  tripletGradients: [
    ...[f(12), f(12), f(12), 4, 3, 1, 1e-6, true, true, d(12), f(4), 0.5, f(12), f(12), f(12)],
  ],
  rmspropStep: [f(8), f(8), f(8), f(8), f(8), 8, 0.1, 0.9, 1e-8, 0, 0.9, false],
  adagradStep: [f(8), f(8), f(8), 8, 0.1, 1e-10, 0, false],
  nadamMomentum: [0.9, 0.004, 3],
  nadamStep: [f(8), f(8), f(8), f(8), 8, 0.1, 0.9, 0.99, 1e-8, 0, 0.3, 0.1, 0.1, false, false],
  larsStep: [f(8), f(8), f(8), 8, 0.1, 0.9, 0, 0.5, false],
  lerp: [f(8), f(8), 0.3, f(8), 8],
  clipValues: [d(8), 0.5, d(8), 8],
  normPart: [f(8), 8, 2],
  unary: [f(8), f(8), 8, 12, 0, 0],
  binary: [f(4), f(2), f(8), 4, 2, 8, 0, 0, 0, Float64Array.of(4, 2, 1, 0, 0, 1), 2],
  compare: [d(8), d(8), t(8), 8, 8, 8, 1, null, 0],
  choose: [f(8), f(1), t(4), f(8), 8, 1, 4, 8, Float64Array.of(2, 4, 4, 1, 0, 0, 0, 1), 2],
  reduce: [f(24), f(8), 3, 2, 3, 4, 1],
  extremeIndices: [f(12), new BigInt64Array(4), true, 2, 3, 2],
  softmax: [f(12), f(12), true, 4, 3, 1],
  softmaxBackward: [d(12), d(12), d(12), false, 2, 3, 2],
  sort: [f(12), f(8), new BigInt64Array(8), 4, 3, 2, true],
  copyStrided: [f(12), f(12), 12, 12, Float64Array.of(0, 0, 3, 4, 1, 3, 4, 1), 2],
  indexSelect: [f(12), Int32Array.of(2, 0), f(8), 2, 3, 2, 2],
  fill: [f(8), 0.5, 8],
  gather: [f(12), new BigInt64Array(8), f(8), 2, 3, 2, 2],
  indexSum: [f(12), Int32Array.of(2, 2), f(8), 2, 3, 2, 2],
  indexAdd: [f(12), Int32Array.of(2, 2), f(8), 2, 3, 2, 2],
  scatterAdd: [d(12), t(8), d(8), 2, 3, 2, 2],
  weakWatch: [3, {}],
  weakForget: [3],
  weakAlive: [3],
  holdThreads: [20],
  freeBuffer: [new ArrayBuffer(8)],
  bareCopy: [f(8), f(8), 8],
  bareRead: [f(8), 8],
  prepareLarge: [f(8), 8],
  gatherPages: [f(8), 8],
};

const detached = f(4);
structuredClone(detached, { transfer: [detached.buffer] });
const shrunken = new ArrayBuffer(64, { maxByteLength: 64 });
const outside = new Float32Array(shrunken, 16, 8);
const cutShort = new Float32Array(shrunken);
shrunken.resize(32);
// Views of one buffer that overlap by all, by some and by nothing.
const common = new ArrayBuffer(256);
const overlapping = [0, 4, 16, 32, 48, 96].flatMap((at) =>
  [3, 8, 12].map((n) => new Float32Array(common, at, n)),
);
// Of another realm: no `instanceof` knows them.
const elsewhere = (source) => runInNewContext(source, { structuredClone });
const Float16 = globalThis.Float16Array ?? Uint16Array; // where the engine has it
const grows = new ArrayBuffer(32, { maxByteLength: 64 });
const wrong = [
  ...[0, 1, 2, 3, 4, 8, 12, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -1, 0.5, NaN, Infinity, -100],
  ...[0, 1, 2, 3, 4, 8, 12, 16].flatMap((n) => [f(n), d(n), t(n), new Uint32Array(n)]),
  ...[true, false, null, undefined, 'scalar', {}, [], Symbol('s'), 5n, () => 0],
  ...[detached, outside, cutShort, new Uint8Array(4), new DataView(common)],
  ...[new Proxy(f(8), {}), Object.create(Float32Array.prototype), { valueOf: () => 8 }],
  ...[8, 12, 3].map((n) => new Float32Array(new SharedArrayBuffer(4 * n)).fill(0.5)),
  new (class extends Float32Array {
    get length() {
      return 2 ** 40;
    }
  })(8),
  new (class extends Float32Array {
    get buffer() {
      return new ArrayBuffer(0);
    }
    get byteOffset() {
      return 2 ** 40;
    }
    static get [Symbol.species]() {
      return Array;
    }
  })(8),
  ...[new Float32Array(grows), new Float32Array(grows, 0, 8), new Float64Array(grows)],
  new Float32Array(new SharedArrayBuffer(32, { maxByteLength: 64 })),
  ...[Buffer.alloc(32), new BigInt64Array(8), new Uint8ClampedArray(8), new Float16(8)],
  ...[new ArrayBuffer(32), new SharedArrayBuffer(32), Object(8), Object('x'), '8', 2n ** 70n],
  ...['new Float32Array(8)', 'new Float64Array(12)', 'new Int32Array(4)', '[1, 2]'].map(elsewhere),
  elsewhere('const a = new Float32Array(8); structuredClone(a, { transfer: [a.buffer] }); a'),
  { valueOf: thrower, toString: thrower },
  { __proto__: Float32Array.prototype, length: 8 },
  new Proxy({}, { get: thrower, getPrototypeOf: thrower }),
  Promise.resolve(8),
  ...overlapping,
];
function thrower() {
  throw new Error('the addon has looked inside an argument');
}

// Every call is also a job, with a ticket behind its arguments.
const functions = { ...addon };
for (const [name, job] of Object.entries(addon.jobs)) {
  functions[`jobs.${name}`] = job;
  if (name in right) right[`jobs.${name}`] = [...right[name], 1];
}
const names = Object.keys(right);
const missing = Object.keys(functions).filter(
  (name) => !names.includes(name) && !CONTROL.includes(name),
);
const accepted = new Map();
let refused = 0;
let problem = missing.length === 0 ? '' : `no arguments are known for ${missing.join(', ')}`;
const runs = Number(options.runs);
for (let i = 0; i < runs && problem === ''; i++) {
  if (i % 500 === 0) problem = await severalJobs();
  const name = names[i % names.length];
  const args = [...right[name]];
  for (let j = random(4); j > 0; j--) args[random(args.length)] = one(wrong);
  if (random(20) === 0) args.length = random(args.length);
  const arrays = args.filter((each) => ArrayBuffer.isView(each));
  const before = arrays.map(bytes);
  try {
    const result = functions[name](...args);
    // A job is over before the next call, or its writing would be taken for that one's.
    if (result instanceof Promise && !['done', 'number', 'boolean'].includes(endOf(await result)))
      problem = 'a job that failed';
    if (typeof result !== 'string') {
      accepted.set(name, (accepted.get(name) ?? 0) + 1);
      continue;
    }
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) problem = String(error);
    else if (!/^evenkeel addon: expected [^]*, got [^]*\.$/.test(error.message))
      problem = error.message;
  }
  refused++;
  if (!arrays.every((each, k) => bytes(each).equals(before[k])))
    problem = 'refused, and has written';
  if (problem !== '') problem = `${name}, call ${i} of seed ${options.seed}: ${problem}`;
}

/** Under way together and cancelled by chance, each over arrays of its own; what went wrong, or ''. */
async function severalJobs() {
  const asked = new Set();
  const jobs = [];
  for (let ticket = 0; ticket < 12; ticket++) {
    const [n, c] = one([
      [400, 300],
      [100, 3],
      [9000, 12],
    ]);
    jobs.push(addon.jobs.batchMoments(f(n * c), d(4 * c), n, c, 1, ticket));
    if (random(2) === 0) asked.add(one([ticket, random(16)]));
    for (const each of asked) addon.cancelJob(each);
  }
  const ends = await Promise.all(jobs);
  const odd = ends.findIndex((end, i) => end !== 'done' && !(end === 'cancelled' && asked.has(i)));
  return odd < 0 ? '' : `one of several jobs ended as '${ends[odd]}'`;
}

function endOf(result) {
  return typeof result === 'string' ? result : typeof result;
}

function bytes(view) {
  const { buffer } = view;
  if (buffer.byteLength === 0) return Buffer.alloc(0);
  const end = Math.min(view.byteOffset + view.byteLength, buffer.byteLength);
  return Buffer.from(Buffer.from(buffer, 0, end).subarray(Math.min(view.byteOffset, end)));
}

const never = names.filter((name) => !accepted.has(name));
if (problem === '' && runs >= 20000 && never.length > 0)
  problem = `never accepted: ${never.join(', ')}`;
if (problem !== '') {
  console.error(problem);
  process.exitCode = 1;
} else {
  console.log(
    `addon: ${runs} calls of ${names.length} functions, ${refused} refused with nothing written; seed ${options.seed}`,
  );
}
