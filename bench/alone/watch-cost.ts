// What `watch(model)` costs of a training step: the same step with and without, in turns, as a median of ratios.
// `npx tsx bench/alone/watch-cost.ts [pairs]` after a build.
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
  const ratios = measure(batch, widths).sort((a, b) => a - b);
  const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => {
    const ratio = ratios[Math.floor(part * (ratios.length - 1))]!;
    return `${(100 * (ratio - 1)).toFixed(1)} %`;
  });
  const name = `batch ${batch}, ${widths.join('-')}`;
  console.log(`${name}: watch costs ${middle} of a step (quartiles ${low} and ${high})`);
}

/** Two equal models, one of them watched from its first step on: the ratios of their steps' times. */
function measure(batch: number, widths: readonly number[]): number[] {
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

/** Takes 8 steps, and says how long they took. */
function trainer(batch: number, widths: readonly number[], isWatched: boolean): () => number {
  manualSeed(1);
  const [inputs = 0, ...rest] = widths;
  const layers = rest.flatMap((width, i) => {
    const linear = new nn.Linear(widths[i]!, width);
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
