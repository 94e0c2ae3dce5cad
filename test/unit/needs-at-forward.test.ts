// Which inputs get a gradient is decided when an operation runs, as in PyTorch: a leaf that requires grad only
// afterwards gets none, and one that does not any more is skipped (PyTorch 2.6: AccumulateGrad asks again).
import { describe, expect, test } from 'vitest';

import { functional, manualSeed, nn, tensor, type Tensor } from '../../src/index.js';

const { add, mul, sum, mean, reshape, relu, linear, dropout, mseLoss, crossEntropy } = functional;

function leaf(shape: number[], seed = 0): Tensor {
  const numel = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: numel }, (_, i) => Math.sin(12.9898 * (i + 1) + seed));
  return tensor(data, shape);
}

type Operation = (...inputs: nn.Parameter[]) => Tensor;
type Case = readonly [name: string, operation: Operation, shapes: number[][]];

const running = (): [Tensor, Tensor] => [leaf([3], 5), tensor([0.5, 1.5, 2.5])];
const batchNorm =
  (options: functional.BatchNormFunctionOptions, fixed = false): Operation =>
  (x, weight, bias) => {
    const [m, v] = fixed ? running() : [null, null];
    return functional.batchNorm(x, m, v, { ...options, weight: weight, bias: bias });
  };
const layer =
  (change: (bn: nn.BatchNorm1d) => unknown, options: nn.BatchNormForwardOptions = {}): Operation =>
  (x, weight, bias) => {
    const bn = new nn.BatchNorm1d(3);
    change(bn);
    // The very tensors, so that their flags are the test's.
    bn.weight = weight!;
    bn.bias = bias!;
    return bn.forward(x, options);
  };

const CASES: readonly Case[] = [
  ['add', (a, b) => add(a, b), [[4], [4]]],
  ['mul', (a, b) => mul(a, b), [[4], [4]]],
  ['sum', (x) => sum(x), [[4]]],
  ['mean', (x) => mean(x), [[4]]],
  ['reshape', (x) => reshape(x, [2, 2]), [[4]]],
  ['clone', (x) => x.clone(), [[4]]],
  ['relu', (x) => relu(x), [[4]]],
  [
    'dropout',
    (x) => {
      manualSeed(3);
      return dropout(x);
    },
    [[8]],
  ],
  ['linear', (x, w, b) => linear(x, w, b), [[5, 3], [2, 3], [2]]],
  [
    'linear without bias',
    (x, w) => linear(x, w),
    [
      [5, 3],
      [2, 3],
    ],
  ],
  ['mseLoss', (a, b) => mseLoss(a, b), [[4], [4]]],
  ['crossEntropy', (x) => crossEntropy(x, [0, 2]), [[2, 3]]],
  ['batchNorm in training', batchNorm({ training: true }), [[5, 3], [3], [3]]],
  ['batchNorm with relu', batchNorm({ training: true, relu: true }), [[5, 3], [3], [3]]],
  ['batchNorm in evaluation', batchNorm({}, true), [[5, 3], [3], [3]]],
  ['batchNorm with lengths', batchNorm({ training: true, lengths: [2, 3] }), [[2, 3, 4], [3], [3]]],
  ['BatchNorm1d frozen', layer((bn) => bn.freeze({ affine: false })), [[5, 3], [3], [3]]],
  ['BatchNorm1d, lengths', layer((bn) => bn, { lengths: [4, 1] }), [[2, 3, 4], [3], [3]]],
  ['nonFinite', layer((bn) => Object.assign(bn, { nonFinite: 'throw' })), [[5, 3], [3], [3]]],
  [
    'a layer with backward hooks',
    (x, w) => {
      const fc = new nn.Linear(3, 2, { bias: false });
      fc.weight = w!;
      fc.registerFullBackwardHook(() => undefined);
      return fc.forward(x);
    },
    [
      [5, 3],
      [2, 3],
    ],
  ],
];

/** The gradients after a forward with `before`'s flags and a backward with `after`'s. */
async function gradients(
  [, operation, shapes]: Case,
  before: readonly boolean[],
  after: readonly boolean[],
  later: boolean,
): Promise<(string | null)[]> {
  const inputs = shapes.map((shape, i) => new nn.Parameter(leaf(shape, i)));
  const set = (flags: readonly boolean[]): void =>
    inputs.forEach((input, i) => (input.requiresGrad = flags[i]!));
  set(before);
  const y = operation(...inputs);
  set(after);
  const dy = leaf([...y.shape], 9);
  if (later) await y.backwardAsync(dy);
  else y.backward(dy);
  return inputs.map(({ grad }) => grad && [...grad.data].join());
}

describe.each([
  ['backward', false],
  ['backwardAsync', true],
] as const)('%s', (_, later) => {
  for (const each of CASES) {
    const [name, , shapes] = each;
    const all = shapes.map(() => true);
    shapes.forEach((_, i) => {
      const but = shapes.map((_, j) => j !== i);
      test(`${name}: input ${i} requires grad only after the forward`, async () => {
        if (!but.includes(true)) return; // nothing was recorded: backward refuses
        const right = await gradients(each, but, but, later);
        expect(right.map((grad) => grad !== null)).toEqual(but);
        expect(await gradients(each, but, all, later)).toEqual(right);
      });
      test(`${name}: input ${i} requires grad only until the forward`, async () => {
        const right = await gradients(each, all, all, later);
        expect(right.every((grad) => grad !== null)).toBe(true);
        const off = await gradients(each, all, but, later);
        expect(off).toEqual(right.map((grad, j) => (j === i ? null : grad)));
      });
    });
  }
});

test('switched off and on again in between, a leaf gets its gradient', () => {
  const x = tensor([3], { requiresGrad: true });
  const y = mul(x, x);
  x.requiresGrad = false;
  x.requiresGrad = true;
  y.backward();
  expect(x.grad?.item()).toBe(6);
});

test('freezing a layer between forward and backward leaves the layers below their gradients', () => {
  const [fc, bn] = [new nn.Linear(2, 3), new nn.BatchNorm1d(3)];
  const x = leaf([4, 2]);
  const gradient = (between: () => void): string => {
    fc.zeroGrad();
    bn.zeroGrad();
    const y = bn.forward(fc.forward(x));
    between();
    y.backward(leaf([4, 3], 2));
    return fc.weight.grad!.data.join();
  };
  const right = gradient(() => undefined);
  expect(gradient(() => bn.freeze())).toBe(right);
  expect([bn.weight!.grad, bn.bias!.grad]).toEqual([null, null]);
});

test('a hook sees the gradient of a leaf that does not require it any more, and grad stays null', () => {
  const x = tensor([3], { requiresGrad: true });
  const seen: number[] = [];
  x.registerHook((gradient) => void seen.push(gradient.item()));
  const y = mul(x, x);
  x.requiresGrad = false;
  y.backward();
  expect([seen, x.grad]).toEqual([[6], null]);
});
