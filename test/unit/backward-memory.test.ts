// What a backward makes on the way is given back by it: afterwards the gradients are there and nothing else.
import { describe, expect, test } from 'vitest';

import { functional, native, tensor, type Tensor } from '../../src/index.js';
import { normals32 } from '../helpers/random.js';

/** Large enough for the pool to count it: 128 KB. */
const SHAPE = [128, 256];
const f = functional;
const input = (seed: number, shape: readonly number[] = SHAPE): Tensor => {
  const numel = shape.reduce((a, b) => a * b, 1);
  return tensor(normals32(seed, numel), shape, { requiresGrad: true });
};

type Inputs = readonly [Tensor, Tensor, Tensor];
const COMPOSITIONS: Record<string, (inputs: Inputs) => Tensor> = {
  'softmax along the first dimension': ([x]) => f.softmax(x, { dim: 0 }),
  'logSoftmax along the first dimension': ([x]) => f.logSoftmax(x, { dim: 0 }),
  'a product of batches': ([x, y]) =>
    f.matmul(f.reshape(x, [4, 32, 256]), f.transpose(f.reshape(y, [4, 32, 256]), 1, 2)),
  'a product with one matrix for all': ([x, y]) =>
    f.matmul(f.reshape(x, [1, 128, 256]), f.reshape(y, [4, 256, 32])),
  'a quotient that broadcasts': ([x, , row]) => f.div(x, row),
  'a product that broadcasts': ([x, , row]) => f.mul(x, row),
  maximum: ([x, , row]) => f.maximum(x, row),
  where: ([x, y]) => f.where(f.gt(x, 0), x, y),
  std: ([x]) => f.std(x, { dim: 1 }),
  var: ([x]) => f.var(x, { dim: 0, keepdim: true }),
  logsumexp: ([x]) => f.logsumexp(x, { dim: 1 }),
  amax: ([x]) => f.amax(x, { dim: 0 }),
  mean: ([x]) => f.mean(x, { dim: 0 }),
  normalize: ([x]) => f.normalize(x),
  'a prelu': ([x, , row]) => f.prelu(x, f.reshape(row, [256])),
  'a prelu in the pass of a norm': ([x, , row]) =>
    f.batchNorm(x, null, null, {
      ...{ training: true, activation: { name: 'prelu', weight: f.reshape(row, [256]) } },
    }),
  glu: ([x]) => f.glu(x),
  topk: ([x]) => f.topk(x, 100, { dim: 0 }).values,
  gather: ([x]) => f.gather(x, 0, f.argmax(x, { dim: 0, keepdim: true })),
  'a similarity along the first dimension': ([x, y]) => f.cosineSimilarity(x, y, { dim: 0 }),
  'a smoothed cross-entropy of positions': ([x, y]) =>
    f.crossEntropy(
      f.reshape(x, [2, 64, 256]),
      f.softmax(f.reshape(y, [2, 64, 256]), { dim: 1 }).detach(),
      { labelSmoothing: 0.1 },
    ),
};

describe('a backward leaves nothing but gradients', () => {
  test.each(Object.entries(COMPOSITIONS))('%s', (_, compose) => {
    const inputs = [input(1), input(2), input(3, [1, 256])] as const;
    const y = compose(inputs);
    const dy = tensor(normals32(4, y.numel), y.shape);
    const before = native.memory.inUse;
    y.backward(dy);
    const gradients = inputs.filter(({ grad }) => grad !== null && grad.numel === 128 * 256);
    // 256 bytes for the objects of each array.
    const most = gradients.length * (128 * 256 * 4 + 256);
    expect(gradients.length).toBeGreaterThan(0);
    expect(native.memory.inUse - before).toBeLessThanOrEqual(most);
  });
});
