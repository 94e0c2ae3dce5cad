// A round of the soak test, in the main thread and in Workers, which know no TypeScript in Node 20.
import { createHash } from 'node:crypto';
import { isMainThread, parentPort } from 'node:worker_threads';

import { functional, manualSeed, nn, optim, tensor } from 'evenkeel';

if (!isMainThread) parentPort?.postMessage(await round());

function network() {
  return new nn.Sequential(
    new nn.Linear(32, 64),
    new nn.BatchNorm1d(64),
    new nn.ReLU(),
    new nn.Dropout(0.2),
    new nn.Linear(64, 10),
  );
}

/** A short training, evaluation, and its state into another model: the hash of all that it computes. */
export async function round() {
  manualSeed(7);
  const hash = createHash('sha256');
  const model = network();
  const adam = new optim.AdamW(model.parameters(), { lr: 0.01 });
  for (let step = 0; step < 10; step++) {
    const numbers = Float32Array.from(
      { length: 600 * 32 },
      (_, i) => ((i * 7919 + step) % 1021) / 256,
    );
    const labels = Int32Array.from({ length: 600 }, (_, i) => (i * 7 + step) % 10);
    const loss = functional.crossEntropy(model.forward(tensor(numbers, [600, 32])), labels);
    adam.zeroGrad();
    loss.backward();
    adam.step();
    hash.update(loss.data);
  }
  const other = network();
  other.loadStateDict(model.stateDict());
  const runs = new nn.BatchNorm1d(16);
  const numbers = Float32Array.from({ length: 4 * 16 * 700 }, (_, i) => (i % 509) / 64);
  const long = tensor(numbers, [4, 16, 700], { requiresGrad: true });
  const y = await runs.forwardAsync(long); // large enough to be a job
  await y.backwardAsync(y.detach());
  const evaluated = other.eval().forward(tensor(new Float32Array(5 * 32).fill(0.5), [5, 32]));
  for (const each of [evaluated, y, long.grad, runs.runningVar, ...other.stateDict().values()]) {
    if (each !== null) hash.update(each.data);
  }
  return hash.digest('hex').slice(0, 16);
}
