// The model behind the server: a checkpoint of PyTorch's, and one forward for many sets of points.
import { checkpoint, tensor, type Tensor } from 'evenkeel';

import { PointNet } from '../pointnet/model.js';
import type { Points } from './body.js';

/** Scores of the ten digits; the largest says which. */
export type Scores = readonly number[];

/** @param path - Of `torch.save(model.state_dict(), path)`. */
export async function loadModel(path: string): Promise<PointNet> {
  const model = new PointNet();
  model.loadStateDict(await checkpoint.loadTorch(path));
  return model.eval().requiresGrad_(false); // nothing learns here, so that no call is recorded
}

/**
 * The scores of each set, computed beside the event loop. A set of fewer points than the largest is filled up with its
 * first point: the network takes the largest value over the points, which one more of the same does not change.
 */
export async function predict(
  model: PointNet,
  sets: readonly Points[],
  signal: AbortSignal,
): Promise<Scores[]> {
  const most = Math.max(...sets.map(({ length }) => length / 2));
  const values = new Float32Array(sets.length * 2 * most);
  sets.forEach((points, n) => {
    const start = 2 * n * most;
    for (let i = 0; i < most; i++) {
      const from = 2 * i < points.length ? 2 * i : 0;
      values[start + i] = points[from]!;
      values[start + most + i] = points[from + 1]!;
    }
  });
  const input = tensor(values, [sets.length, 2, most]);
  const output: Tensor = await model.forwardAsync(input, { signal });
  const scores = Array.from(output.data as Float32Array);
  input.dispose();
  return sets.map((_, n) => scores.slice(10 * n, 10 * n + 10));
}
