// Losses: gradients by central differences, extremes, and what is refused. Values against PyTorch: test/golden.
import { describe, expect, test } from 'vitest';

import { functional, nn, tensor, type Tensor } from '../../src/index.js';
import { gradcheck } from '../helpers/gradcheck.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

/** Uneven numbers, or those of a map of them. */
function leaf(shape: number[], seed = 0, map = (value: number): number => value): Tensor {
  const numel = shape.reduce((a, b) => a * b, 1);
  const data = Float64Array.from({ length: numel }, (_, i) =>
    map(2 * Math.sin(12.9898 * (i + 1) + 78.233 * seed)),
  );
  return tensor(data, shape, { requiresGrad: true });
}
const unit = (value: number): number => 0.5 + 0.2 * value;
const f = functional;

const LOSSES: readonly [string, (reduction: 'mean' | 'sum' | 'none') => (...inputs: Tensor[]) => Tensor, Tensor[]][] = [
  ['binaryCrossEntropyWithLogits', (reduction) => (x, t) => f.binaryCrossEntropyWithLogits(x, t, { reduction, posWeight: [2, 0.5, 3], weight: tensor(Float64Array.of(0.5, 2), [2, 1]) }), [leaf([2, 3]), leaf([2, 3], 1, unit)]],
  ['binaryCrossEntropy', (reduction) => (x, t) => f.binaryCrossEntropy(x, t, { reduction, weight: 2.5 }), [leaf([2, 3], 0, unit), leaf([2, 3], 1, unit)]],
  ['l1Loss', (reduction) => (x, t) => f.l1Loss(x, t, { reduction }), [leaf([2, 3]), leaf([2, 3], 1)]],
  ['smoothL1Loss', (reduction) => (x, t) => f.smoothL1Loss(x, t, { reduction, beta: 1.3 }), [leaf([2, 3]), leaf([2, 3], 1)]],
  ['huberLoss', (reduction) => (x, t) => f.huberLoss(x, t, { reduction, delta: 1.3 }), [leaf([2, 3]), leaf([2, 3], 1)]],
  ['mseLoss', (reduction) => (x, t) => f.mseLoss(x, t, { reduction }), [leaf([2, 3]), leaf([2, 3], 1)]],
  ['klDiv', (reduction) => (x, t) => f.klDiv(x, t, { reduction }), [leaf([2, 3]), leaf([2, 3], 1, unit)]],
  ['klDiv of logarithms', (reduction) => (x, t) => f.klDiv(x, t, { reduction, logTarget: true }), [leaf([2, 3]), leaf([2, 3], 1)]],
  ['nllLoss', (reduction) => (x) => f.nllLoss(x, [2, -100, 0], { reduction, weight: [1, 2, 3] }), [leaf([3, 3])]],
  ['crossEntropy, weighted and smoothed', (reduction) => (x) => f.crossEntropy(x, [2, -100, 0], { reduction, weight: [1, 2, 3], labelSmoothing: 0.2 }), [leaf([3, 3])]],
  ['crossEntropy of positions', (reduction) => (x) => f.crossEntropy(x, tensor(Int32Array.of(2, 0, 1, 1), [2, 2]), { reduction }), [leaf([2, 3, 2])]],
  ['crossEntropy of probabilities', (reduction) => (x, t) => f.crossEntropy(x, t, { reduction, weight: [1, 2, 3], labelSmoothing: 0.2 }), [leaf([2, 3]), leaf([2, 3], 1, unit)]],
  ['crossEntropy unbatched', (reduction) => (x) => f.crossEntropy(x, [1], { reduction }), [leaf([3])]],
  ['cosineEmbeddingLoss', (reduction) => (a, b) => f.cosineEmbeddingLoss(a, b, [1, -1, -1], { reduction, margin: -0.9 }), [leaf([3, 4]), leaf([3, 4], 1)]],
  ['tripletMarginLoss', (reduction) => (a, b, c) => f.tripletMarginLoss(a, b, c, { reduction, margin: 5 }), [leaf([3, 4]), leaf([3, 4], 1), leaf([3, 4], 2)]],
  ['tripletMarginLoss, swapped, p 1', (reduction) => (a, b, c) => f.tripletMarginLoss(a, b, c, { reduction, margin: 9, swap: true, p: 1 }), [leaf([3, 4]), leaf([3, 4], 1), leaf([3, 4], 2)]],
]; // prettier-ignore

describe.each(LOSSES)('%s', (_, loss, inputs) => {
  test.each(['mean', 'sum', 'none'] as const)('%s: gradients', (reduction) =>
    gradcheck(loss(reduction), inputs),
  );

  test('float32 within its rounding of float64', () => {
    const single = inputs.map((each) =>
      tensor(Float32Array.from(each.data as Float64Array), each.shape),
    );
    const exact = single.map((each) =>
      tensor(Float64Array.from(each.data as Float32Array), each.shape),
    );
    const [got, want] = [loss('sum')(...single).item(), loss('sum')(...exact).item()];
    expect(Math.abs(got - want)).toBeLessThanOrEqual(2 ** -23 * Math.max(1, Math.abs(want)));
  });

  test('gradients in backwardAsync are the same', async () => {
    const run = async (later: boolean): Promise<unknown[]> => {
      const leaves = inputs.map((each) =>
        tensor((each.data as Float64Array).slice(), each.shape, { requiresGrad: true }),
      );
      const y = loss('mean')(...leaves);
      if (later) await y.backwardAsync();
      else y.backward();
      return leaves.map(({ grad }) => grad!.toArray());
    };
    expect(await run(true)).toEqual(await run(false));
  });
});

test('cosineSimilarity along any dimension', () => {
  for (const dim of [0, 1, 2, -1])
    gradcheck((a, b) => f.cosineSimilarity(a, b, { dim }), [leaf([2, 3, 4]), leaf([2, 3, 4], 1)]);
});

describe('extremes', () => {
  test('logits of any size: no overflow, and small losses are not lost', () => {
    const each = (x: number, t: number): number =>
      f.binaryCrossEntropyWithLogits(tensor(Float64Array.of(x)), tensor(Float64Array.of(t))).item();
    expect([each(1e300, 1), each(1e300, 0), each(-1e300, 0)]).toEqual([0, 1e300, 0]);
    expect(each(40, 1)).toBeCloseTo(Math.exp(-40), 30);
    expect(each(40, 1) / Math.exp(-40)).toBeCloseTo(1, 12);
    expect(each(Infinity, 0)).toBe(Infinity);
    expect(each(NaN, 0)).toBeNaN();
  });

  test('crossEntropy of probabilities: a class of none may have any logit', () => {
    const x = tensor(Float64Array.of(0, -Infinity, 0), [1, 3]);
    expect(f.crossEntropy(x, tensor(Float64Array.of(0.5, 0, 0.5), [1, 3])).item()).toBeCloseTo(
      Math.log(2),
      15,
    );
    expect(f.crossEntropy(x, [1], { reduction: 'none' }).item()).toBe(Infinity);
  });

  test('the mean of no rows is NaN, their sum 0', () => {
    const x = tensor([[1, 2]]);
    for (const loss of [f.nllLoss, f.crossEntropy] as const) {
      expect(loss(x, [-100]).item()).toBeNaN();
      expect(loss(x, [-100], { reduction: 'sum', weight: [1, 1] }).item()).toBe(0);
    }
  });

  test('binaryCrossEntropy of 0 and 1 is at most 100', () => {
    const losses = f.binaryCrossEntropy(tensor([0, 1, 0, 1]), tensor([1, 0, 0, 1]), {
      reduction: 'none',
    });
    expect(Array.from(losses.data as Float32Array, (each) => each + 0)).toEqual([100, 100, 0, 0]);
  });

  test('of: parts of a batch add up to its mean', () => {
    const x = leaf([4, 3]);
    const [labels, weight] = [
      [0, 1, 2, 1],
      [1, 2, 3],
    ];
    const whole = f.crossEntropy(x, labels, { of: 8 }).item();
    const half = (from: number): number =>
      f
        .crossEntropy(
          tensor((x.data as Float64Array).slice(from * 3, from * 3 + 6), [2, 3]),
          labels.slice(from, from + 2),
          { of: 8 },
        )
        .item();
    expect(half(0) + half(2)).toBeCloseTo(whole, 15);
    expect(new nn.CrossEntropyLoss({ weight }).forward(x, labels, { of: 8 }).item()).toBe(
      f.crossEntropy(x, labels, { of: 8, weight }).item(),
    );
  });

  test('a plain crossEntropy and the one by rows agree', () => {
    const x = leaf([4, 3]);
    const labels = [0, 1, 2, -100];
    expect(f.crossEntropy(x, labels).item()).toBeCloseTo(
      f.crossEntropy(x, labels, { weight: [1, 1, 1] }).item(),
      15,
    );
  });
});

describe('refused with both shapes, and nothing is broadcast', () => {
  const [column, row] = [tensor([[1], [2]]), tensor([1, 2])];
  const names = [
    'binaryCrossEntropyWithLogits',
    'binaryCrossEntropy',
    'l1Loss',
    'smoothL1Loss',
    'huberLoss',
    'mseLoss',
    'klDiv',
  ] as const;
  test.each(names)('%s', (name) => {
    const unchanged = snapshot(column, row);
    expect(thrownBy(() => functional[name](column, row))).toMatch(
      new RegExp(
        `^RangeError: ${name}: expected (a|the) target of shape \\[2, 1\\], got shape \\[2\\]\\.$`,
      ),
    );
    expect(thrownBy(() => functional[name](column, tensor(Float64Array.of(1, 2), [2, 1])))).toMatch(
      /^TypeError: .* to be float32 like the input, got float64/,
    );
    unchanged();
  });

  test.each<[string, () => unknown, string]>([
    ['a probability above 1', () => f.binaryCrossEntropy(tensor([0.5, 1.5]), tensor([0, 1])), 'RangeError: binaryCrossEntropy: expected probabilities from 0 to 1 (all elements of input should be between 0 and 1), got 1.5 at index 1.'],
    ['weights that do not fit', () => f.binaryCrossEntropyWithLogits(tensor([[1, 2]]), tensor([[0, 1]]), { posWeight: [1, 2, 3] }), 'RangeError: binaryCrossEntropyWithLogits: expected posWeight that broadcasts to shape [1, 2], got shape [3].'],
    ['weights that learn', () => f.binaryCrossEntropy(tensor([0.5]), tensor([0]), { weight: leaf([1]) }), 'RangeError: binaryCrossEntropy: expected weight that requires no gradient, got one that does.'],
    ['classes without weight', () => f.crossEntropy(tensor([[1, 2]]), [0], { weight: [1] }), 'RangeError: crossEntropy: expected weight of shape [2], got shape [1].'],
    ['smoothing above 1', () => f.crossEntropy(tensor([[1, 2]]), [0], { labelSmoothing: 1.5 }), 'RangeError: crossEntropy: expected labelSmoothing to be a number from 0 to 1, got 1.5.'],
    ['ignoreIndex of probabilities', () => f.crossEntropy(tensor([[1, 2]]), tensor([[0, 1]]), { ignoreIndex: 1 }), 'RangeError: crossEntropy: expected no ignoreIndex (not supported for floating point target), got 1.'],
    ['probabilities of another shape', () => f.crossEntropy(tensor([[1, 2]]), tensor([[0, 1, 0]])), 'RangeError: crossEntropy: expected target probabilities of shape [1, 2], got shape [1, 3].'],
    ['of without a mean', () => f.crossEntropy(tensor([[1, 2]]), [0], { of: 2, reduction: 'sum' }), "RangeError: crossEntropy: expected of with reduction 'mean', got 'sum'."],
    ['targets of positions', () => f.nllLoss(tensor([[[1], [2]]]), tensor(Int32Array.of(0), [1])), 'RangeError: nllLoss: expected class targets of shape [1, 1], got shape [1] for an input of shape [1, 2, 1].'],
    ['a target that is no class', () => f.nllLoss(tensor([[1, 2]]), [2]), 'RangeError: nllLoss: expected class targets from 0 to 1, got 2 at index 0.'],
    ['batchmean of a scalar', () => f.klDiv(tensor(1), tensor(1), { reduction: 'batchmean' }), "RangeError: klDiv: expected at least one dimension for 'batchmean', got shape []."],
    ['a target of 0', () => f.cosineEmbeddingLoss(tensor([[1]]), tensor([[1]]), [0]), 'RangeError: cosineEmbeddingLoss: expected targets of 1 and -1, got 0 at index 0.'],
    ['a dim that is none', () => f.cosineSimilarity(tensor([1]), tensor([1])), 'RangeError: cosineSimilarity: expected dim from -1 to 0 for shape [1], got 1.'],
    ['p 3', () => f.tripletMarginLoss(tensor([1]), tensor([1]), tensor([1]), { p: 3 as never }), 'RangeError: tripletMarginLoss: expected p to be 1 or 2, got 3.'],
    ['delta 0', () => new nn.HuberLoss({ delta: 0 }), 'RangeError: HuberLoss: expected delta to be a finite number of at least 5e-324, got 0.'],
    ['a reduction', () => new nn.BCELoss({ reduction: 'batchmean' as never }), "RangeError: BCELoss: expected reduction to be 'mean' or 'sum' or 'none', got 'batchmean'."],
    ['beta', () => new nn.SmoothL1Loss({ beta: -1 }), 'RangeError: SmoothL1Loss: expected beta to be a finite number of at least 0, got -1.'],
  ])('%s', (_, make, words) => expect(thrownBy(make)).toBe(words)); // prettier-ignore
});

test('layers keep weights as buffers under PyTorch keys', () => {
  const loss = new nn.BCEWithLogitsLoss({ posWeight: [1, 2] });
  expect([...loss.stateDict().keys()]).toEqual(['pos_weight']);
  const [x, t] = [leaf([3, 2]), leaf([3, 2], 1, unit)];
  expect(loss.forward(x, t).item()).toBe(
    f.binaryCrossEntropyWithLogits(x, t, { posWeight: [1, 2] }).item(),
  );
  expect([...new nn.CrossEntropyLoss().stateDict().keys()]).toEqual([]);
  const [a, b, c] = [leaf([3, 2]), leaf([3, 2], 1), leaf([3, 2], 2)];
  const pairs: [Tensor, Tensor][] = [
    [
      new nn.NLLLoss({ weight: [1, 2] }).forward(a, [0, 1, 0]),
      f.nllLoss(a, [0, 1, 0], { weight: [1, 2] }),
    ],
    [new nn.BCELoss().forward(t, t), f.binaryCrossEntropy(t, t)],
    [new nn.L1Loss().forward(a, b), f.l1Loss(a, b)],
    [new nn.SmoothL1Loss({ beta: 2 }).forward(a, b), f.smoothL1Loss(a, b, { beta: 2 })],
    [new nn.HuberLoss({ delta: 2 }).forward(a, b), f.huberLoss(a, b, { delta: 2 })],
    [
      new nn.KLDivLoss({ reduction: 'batchmean' }).forward(a, t),
      f.klDiv(a, t, { reduction: 'batchmean' }),
    ],
    [
      new nn.CosineEmbeddingLoss({ margin: 0.5 }).forward(a, b, [1, -1, 1]),
      f.cosineEmbeddingLoss(a, b, [1, -1, 1], { margin: 0.5 }),
    ],
    [new nn.CosineSimilarity({ dim: 0 }).forward(a, b), f.cosineSimilarity(a, b, { dim: 0 })],
    [
      new nn.TripletMarginLoss({ margin: 3 }).forward(a, b, c),
      f.tripletMarginLoss(a, b, c, { margin: 3 }),
    ],
  ];
  for (const [layer, plain] of pairs) expect(layer.toArray()).toEqual(plain.toArray());
});
