// The very bits, committed: whatever CPU, compiler, instruction set and thread count run this, one hash
// comes out. A change of the hash is a change of results for every user: it needs a reason, and a line in
// the changelog.
import { createHash, type Hash } from 'node:crypto';

import { functional, manualSeed, native, nn, optim, tensor, type Tensor } from 'evenkeel';
import { afterAll, describe, expect, it } from 'vitest';

const threads = native.threads;

/** Multiples of 1/256 in [-8, 8): exact in both dtypes, from a linear congruential generator. */
function values(shape: readonly number[], seed: number, dtype: 'float32' | 'float64'): Tensor {
  const numel = shape.reduce((a, b) => a * b, 1);
  const data = dtype === 'float32' ? new Float32Array(numel) : new Float64Array(numel);
  let state = seed;
  for (let i = 0; i < numel; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = ((state >>> 20) - 2048) / 256;
  }
  return tensor(data, shape);
}

function update(hash: Hash, each: Tensor): void {
  const { buffer, byteOffset, byteLength } = each.data;
  hash.update(new Uint8Array(buffer, byteOffset, byteLength));
}

function digest(tensors: Iterable<Tensor>): string {
  const hash = createHash('sha256');
  for (const each of tensors) update(hash, each);
  return hash.digest('hex').slice(0, 16);
}

/** A training and an evaluation step of one layer: outputs, gradients, state. */
function* layer(shape: readonly number[], dtype: 'float32' | 'float64'): Iterable<Tensor> {
  const bn = new nn.BatchNorm1d(shape[1]!, { dtype, momentum: 0.25 });
  bn.weight!.data.set(values([shape[1]!], 3, dtype).data as Float32Array);
  for (const step of [1, 2, 3]) {
    bn.train(step < 3);
    const x = values(shape, step, dtype);
    x.requiresGrad = true;
    const y = bn.forward(x);
    y.backward(values(shape, step + 10, dtype));
    yield* [y, x.grad!, bn.weight!.grad!, bn.bias!.grad!, bn.runningMean!, bn.runningVar!];
  }
}

/** Padded micro-batches of unequal sizes, merged into two steps of the running statistics. */
function* accumulated(dtype: 'float32' | 'float64'): Iterable<Tensor> {
  const bn = new nn.BatchNorm1d(5, { dtype, momentum: 0.3 });
  for (const step of [1, 2]) {
    const batch = nn.virtualBatch(bn);
    for (const n of [3, 7, 11]) {
      const lengths = Array.from({ length: n }, (_, i) => (i * 5 + step) % 14);
      const x = functional.mul(values([n, 5, 13], n, dtype), values([n, 5, 13], n + step, dtype));
      yield bn.forward(x, { lengths });
    }
    batch.commit();
    yield* [bn.runningMean!, bn.runningVar!];
  }
}

/** Ten steps of a small network, dropout included. */
function* training(): Iterable<Tensor> {
  manualSeed(2026);
  const model = new nn.Sequential(
    new nn.Linear(70, 300),
    new nn.BatchNorm1d(300),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(300, 10),
  );
  const adam = new optim.AdamW(model.parameters(), { lr: 0.01 });
  for (let step = 0; step < 10; step++) {
    const labels = Int32Array.from({ length: 130 }, (_, i) => (i * 7 + step) % 10);
    const loss = functional.crossEntropy(model.forward(values([130, 70], step, 'float32')), labels);
    adam.zeroGrad();
    loss.backward();
    adam.step();
    yield loss;
  }
  yield* model.stateDict().values();
}

/** Convolutions of every path (products, rows, phases of a stride, their transposes), pools and norms by sample. */
function* convolutions(dtype: 'float32' | 'float64'): Iterable<Tensor> {
  const plans = [
    { shape: [70, 6, 300], out: 40, taps: 5, options: { padding: 2 } },
    { shape: [70, 6, 300], out: 6, taps: 5, options: { groups: 6, dilation: 2 } },
    { shape: [5, 1, 4000], out: 8, taps: 40, options: { stride: 8 } },
    { shape: [130, 4, 21], out: 9, taps: 3, options: { stride: 4, padding: 1 } },
  ] as const;
  for (const [i, { shape, out, taps, options }] of plans.entries()) {
    const groups = 'groups' in options ? options.groups : 1;
    const x = values(shape, i, dtype);
    const weight = values([out, shape[1] / groups, taps], i + 10, dtype);
    const bias = values([out], i + 20, dtype);
    for (const each of [x, weight, bias]) each.requiresGrad = true;
    const y = functional.conv1d(x, weight, bias, options);
    const z = functional.groupNorm(functional.avgPool1d(functional.maxPool1d(y, 2), 3), 1);
    z.backward(values(z.shape, i + 30, dtype));
    yield* [y, z, x.grad!, weight.grad!, bias.grad!];
  }
}

describe.each([1, 2, 5])('on %i threads', (count) => {
  afterAll(() => {
    native.setThreads(threads);
  });

  it.each<[string, readonly number[], 'float32' | 'float64', string]>([
    ['(7, 5)', [7, 5], 'float32', 'bf2a381143ba0070'],
    ['(300, 200)', [300, 200], 'float32', '21492d57050de1a5'],
    ['(300, 200) in double', [300, 200], 'float64', '05896ca3f54c09c0'],
    ['(9, 20, 37)', [9, 20, 37], 'float32', 'ef3fb6dbc269cd00'],
    ['(3, 2, 20000)', [3, 2, 20000], 'float32', '2f5ac12e549adaec'],
    ['(3, 2, 20000) in double', [3, 2, 20000], 'float64', 'bdd4bec0e59882f9'],
  ])('%s', (_, shape, dtype, hash) => {
    native.setThreads(count);
    expect(digest(layer(shape, dtype))).toBe(hash);
  });

  it.each([
    ['float32', '1ae44e991c34732c'],
    ['float64', '8b98c841d0523b54'],
  ] as const)('padded micro-batches, %s', (dtype, hash) => {
    native.setThreads(count);
    expect(digest(accumulated(dtype))).toBe(hash);
  });

  it.each([
    ['float32', 'ac7da5d1f3816c57'],
    ['float64', '63c55d95aa4e83c9'],
  ] as const)('convolutions, pools and norms by sample, %s', (dtype, hash) => {
    native.setThreads(count);
    expect(digest(convolutions(dtype))).toBe(hash);
  });

  it('ten steps of training', () => {
    native.setThreads(count);
    expect(digest(training())).toBe('4a1d6c9d5fada265');
  });
});

// Shapes that end within a group of random numbers, after one another.
describe('initial values', () => {
  type Fill = (x: Tensor) => Tensor;
  const { init } = nn;

  it.each<[string, Fill, string, string]>([
    ['uniform_', (x) => init.uniform_(x, -1, 3), '2d02c9b2390800b1', '5983e14acfd3a77d'],
    ['normal_', (x) => init.normal_(x, 3, 0.5), '2fbfa0706566f872', 'ac25782fd3781cec'],
    [
      'truncNormal_',
      (x) => init.truncNormal_(x, 0.1, 0.7, -0.3, 0.5),
      '874922dd40c74717',
      '77fc6de0524e8ed7',
    ],
    [
      'kaimingUniform_',
      (x) => init.kaimingUniform_(x, { a: Math.sqrt(5) }),
      'cd96649608cac2c7',
      'f7fafde5ebae3dfd',
    ],
    [
      'kaimingNormal_',
      (x) => init.kaimingNormal_(x, { mode: 'fan_out' }),
      '3d6a8c07aca7f057',
      '8cda90cc01eafa7c',
    ],
    ['xavierUniform_', (x) => init.xavierUniform_(x, 1.5), 'bd4e36d16e841488', 'c1cf40b52fc613a4'],
    ['xavierNormal_', (x) => init.xavierNormal_(x, 2), '21c220c2dfdde704', 'ca91649372d9e8d7'],
    ['orthogonal_', (x) => init.orthogonal_(x, 3), '539bf67e952eeacf', 'b2fa1be40ba0baa8'],
    ['constant_', (x) => init.constant_(x, 0.3), '06ca23b70cdc403f', '3beba0a2a87a4e23'],
    ['zeros_', (x) => init.zeros_(x), 'be5ef753239364de', '94c392ecbdd2ee5b'],
    ['ones_', (x) => init.ones_(x), '3ae85e73b8af1856', 'ab5b8b8d33095325'],
  ])('%s', (_, fill, single, double) => {
    const hashes = (['float32', 'float64'] as const).map((dtype) => {
      manualSeed(2026);
      const shapes = [[37, 23], [5, 4, 3], [64, 80]]; // prettier-ignore
      return digest(shapes.map((shape) => fill(values(shape, 1, dtype))));
    });
    expect(hashes).toEqual([single, double]);
  });
});
