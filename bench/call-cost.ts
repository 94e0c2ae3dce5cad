// What each layer of one BatchNorm1d call costs at (32, 64), where the call is the cost: `npm run build`,
// then `npx tsx bench/call-cost.ts`. A layer's cost is the difference of two calls that differ by it, and
// all calls take turns. docs/performance.md keeps a run.
import { fileURLToPath } from 'node:url';

import { native, nn, noGrad, tensor } from 'evenkeel';

import { measure, turnsOf } from './measure.js';

/** The addon without the package around it, for calls that a user cannot make. */
function bareAddon(): Record<string, (...args: unknown[]) => unknown> {
  const loaded = { exports: {} };
  const path = new URL('../build/Release/evenkeel.node', import.meta.url);
  process.dlopen(loaded, fileURLToPath(path));
  return loaded.exports;
}

const [N, C] = [32, 64];
const addon = bareAddon();
const { threads, relu, add, batchNormForward } = addon as Record<
  'threads' | 'relu' | 'add' | 'batchNormForward',
  (...args: unknown[]) => unknown
>;
const x = tensor(
  Float32Array.from({ length: N * C }, (_, i) => Math.sin(i)),
  [N, C],
);
const out = tensor(new Float32Array(N * C), [N, C]);
const options = { out };
const training = new nn.BatchNorm1d(C);
const evaluation = new nn.BatchNorm1d(C).eval();

const from = x.data;
const to = out.data;
const empty = new Float32Array(0);
const [weight, bias, mean, variance] = [1, 0, 0, 1].map((value) => new Float32Array(C).fill(value));
const kept = new Float64Array(3 * C);

const calls = {
  nothing: () => void threads(),
  twoArrays: () => void relu(empty, empty, 0),
  threeArrays: () => void add(empty, empty, empty, 0),
  // An empty batch: everything is read, nothing computed.
  arguments: () =>
    void batchNormForward(
      ...[empty, empty, 0, C, 1, weight, bias, mean, variance, kept, false, true, 0.1, 1e-5, false],
    ),
  bareEvaluation: () =>
    void batchNormForward(
      ...[from, to, N, C, 1, weight, bias, mean, variance, null, true, false, 0.1, 1e-5, false],
    ),
  bareTraining: () =>
    void batchNormForward(
      ...[from, to, N, C, 1, weight, bias, mean, variance, null, false, true, 0.1, 1e-5, false],
    ),
  evaluationInto: () => void noGrad(() => evaluation.forward(x, options)),
  trainingInto: () => void noGrad(() => training.forward(x, options)),
  recordedInto: () => void training.forward(x, options),
  evaluation: () => void noGrad(() => evaluation.forward(x)),
  training: () => void noGrad(() => training.forward(x)),
  recorded: () => void training.forward(x),
  evaluationGiven: () => noGrad(() => evaluation.forward(x)).dispose(),
  trainingGiven: () => noGrad(() => training.forward(x)).dispose(),
  recordedGiven: () => training.forward(x).dispose(),
};
// Two rounds: the first one's optimised code is what the second one counts and times. The 10th
// percentile, because differences of medians drown in what else the machine does.
const names = Object.keys(calls) as (keyof typeof calls)[];
const contenders = names.map((name) => ({ name, turn: turnsOf(calls[name]) }));
const rounds = (count: number) => ({ caseLength: 20_000, minRounds: count, maxRounds: count });
await measure(contenders, { turnLength: 30_000, warmUp: 0, ...rounds(10) });
const timings = await measure(contenders, { turnLength: 1500, warmUp: 0, ...rounds(201) });
const ns = (name: keyof typeof calls): number => timings[names.indexOf(name)]!.p10 * 1000;

const reading = ns('arguments') - ns('nothing');
const anArray = ns('threeArrays') - ns('twoArrays');
const rows: readonly (readonly [string, number])[] = [
  ['into the addon and back', ns('nothing')],
  ['reading 7 arrays', 7 * anArray],
  ['reading 5 numbers and 2 flags, and the rest', reading - 7 * anArray],
  ['kernel, evaluation', ns('bareEvaluation') - ns('arguments')],
  ['kernel, training', ns('bareTraining') - ns('arguments')],
  ['TypeScript, evaluation', ns('evaluationInto') - ns('bareEvaluation')],
  ['TypeScript, training', ns('trainingInto') - ns('bareTraining')],
  ['recording (statistics, tape)', ns('recordedInto') - ns('trainingInto')],
  ['memory of the output, from the pool and back', ns('trainingGiven') - ns('trainingInto')],
  ['memory of the output, new', ns('training') - ns('trainingInto')],
  ['', NaN],
  ['evaluation, out', ns('evaluationInto')],
  ['evaluation, disposed of', ns('evaluationGiven')],
  ['evaluation', ns('evaluation')],
  ['training under noGrad, out', ns('trainingInto')],
  ['training under noGrad, disposed of', ns('trainingGiven')],
  ['training under noGrad', ns('training')],
  ['training, recorded, out', ns('recordedInto')],
  ['training, recorded, disposed of', ns('recordedGiven')],
  ['training, recorded', ns('recorded')],
];

console.log(`(${N}, ${C}) float32, ${native.isa}, Node ${process.version}: ns a call\n`);
for (const [layer, cost] of rows) {
  console.log(Number.isNaN(cost) ? '' : `${layer.padEnd(45)}${cost.toFixed(0).padStart(6)}`);
}
