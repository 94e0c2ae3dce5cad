// The statistics of recorded forwards share slabs (memory/slab.ts): each graph gets back its
// own, however many are kept and in whatever order they are walked.
import { functional, tensor, type Tensor } from 'evenkeel';
import { expect, test } from 'vitest';

import { normals32 } from '../helpers/random.js';

const gradientOf = (x: Tensor, y: Tensor): unknown => {
  y.backward(x.detach());
  return x.grad?.toArray();
};

test.each([
  ['small ones, over several slabs', 64, 150],
  ['ones too large to share', 400, 3],
])('%s', (_, channels, graphs) => {
  const inputs = Array.from({ length: graphs }, (_unused, seed) => normals32(seed, 3 * channels));
  const forward = (data: Float32Array): [Tensor, Tensor] => {
    const x = tensor(data, [3, channels], { requiresGrad: true });
    return [x, functional.batchNorm(x, null, null, { training: true })];
  };
  const alone = inputs.map((data) => gradientOf(...forward(data)));
  const kept = inputs.map(forward);
  const lastFirst = kept.reverse().map((pair) => gradientOf(...pair));
  expect(lastFirst.reverse()).toEqual(alone);
});
