// What `watch(model)` costs of a training step: the same step with and without, in turns, as a median of ratios.
// node scripts/watch-cost.mjs [pairs]
import { functional, manualSeed, nn, optim, tensor } from 'evenkeel';
import { watch } from 'evenkeel/doctor';

const pairs = Number(process.argv[2] ?? 400);
/** Batch size, and the width of each layer; every hidden one has a BatchNorm. */
const shapes = [
  { batch: 32, widths: [64, 64, 64, 10] },
  { batch: 64, widths: [784, 512, 256, 10] },
  { batch: 256, widths: [784, 512, 256, 10] },
];

for (const { batch, widths } of shapes) {
  const ratios = measure(batch, widths);
  const middle = quantile(ratios, 0.5);
  const [low, high] = [0.25, 0.75].map((q) => percent(quantile(ratios, q) - 1));
  console.log(
    `batch ${batch}, ${widths.join('-')}: watch costs ${percent(middle - 1)} of a step (quartiles ${low} and ${high})`,
  );
}

/**
 * Two equal models, one of them watched from its first step on: the ratios of their steps' times.
 * @param {number} batch
 * @param {readonly number[]} widths
 */
function measure(batch, widths) {
  const watched = trainer(batch, widths, true);
  const plain = trainer(batch, widths, false);
  for (let i = 0; i < 200; i++) {
    watched();
    plain();
  }
  return Array.from({ length: pairs }, (_, i) => {
    if (i % 2 === 0) return watched() / plain();
    const without = plain();
    return watched() / without;
  });
}

/**
 * Takes 8 steps, and says how long they took.
 * @param {number} batch
 * @param {readonly number[]} widths
 * @param {boolean} isWatched
 * @returns {() => number}
 */
function trainer(batch, widths, isWatched) {
  manualSeed(1);
  const [inputs = 0, ...rest] = widths;
  const layers = rest.flatMap((width, i) => {
    const linear = new nn.Linear(widths[i] ?? 0, width);
    return i + 1 === rest.length ? [linear] : [linear, new nn.BatchNorm1d(width), new nn.ReLU()];
  });
  const model = new nn.Sequential(...layers);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const labels = Int32Array.from({ length: batch }, (_, i) => i % 10);
  const data = Array.from({ length: 8 }, () =>
    tensor(Float32Array.from({ length: batch * inputs }, Math.random), [batch, inputs]),
  );
  if (isWatched) watch(model, { onFinding: () => undefined });
  return () => {
    const start = performance.now();
    for (const x of data) {
      optimizer.zeroGrad();
      functional.crossEntropy(model.forward(x), labels).backward();
      optimizer.step();
    }
    return performance.now() - start;
  };
}

/**
 * @param {readonly number[]} values
 * @param {number} q
 */
function quantile(values, q) {
  return [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? NaN;
}

/** @param {number} part */
function percent(part) {
  return `${(100 * part).toFixed(1)} %`;
}
