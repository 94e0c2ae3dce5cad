// The gradient of every differentiable operation, with respect to every input, by central differences.
import { describe, expect, test } from 'vitest';

import { functional, manualSeed, nn, tensor, type Tensor } from '../../src/index.js';
import { gradcheck } from '../helpers/gradcheck.js';

/** Uneven numbers of either sign, none near 0, all different. */
function leaf(shape: number[], seed = 0): Tensor {
  const numel = shape.reduce((a, b) => a * b, 1);
  const data = Float64Array.from({ length: numel }, (_, i) => {
    const value = 2 * Math.sin(12.9898 * (i + 1) + 78.233 * seed);
    return value + 0.2 * Math.sign(value);
  });
  return tensor(data, shape, { requiresGrad: true });
}

describe('arithmetic', () => {
  test('add', () => gradcheck((a, b) => functional.add(a, b), [leaf([2, 3]), leaf([2, 3], 1)]));
  test('add of a tensor to itself', () => gradcheck((x) => functional.add(x, x), [leaf([4])]));
  test('mul', () => gradcheck((a, b) => functional.mul(a, b), [leaf([2, 3]), leaf([2, 3], 1)]));
  test('mul of a tensor with itself', () => gradcheck((x) => functional.mul(x, x), [leaf([4])]));
  test('sum', () => gradcheck((x) => functional.sum(x), [leaf([3, 2])]));
  test('mean', () => gradcheck((x) => functional.mean(x), [leaf([3, 2])]));
  test('reshape', () => gradcheck((x) => functional.reshape(x, [3, 2]), [leaf([2, 3])]));
  test('clone', () => gradcheck((x) => x.clone(), [leaf([2, 3])]));
  test('copy_ into a result', () =>
    gradcheck(
      (x, source) => functional.mul(functional.mul(x, x).copy_(source), x),
      [leaf([2, 3]), leaf([2, 3], 1)],
    ));
  test.each([[[3]], [[2, 1]], [[]], [[1, 3]]])('copy_ of shape %j, repeated', (shape) =>
    gradcheck((source) => tensor(new Float64Array(6), [2, 3]).copy_(source), [leaf(shape)]),
  );
  test('fill_ with a scalar', () =>
    gradcheck(
      (x, scalar) => functional.add(functional.mul(x, x).fill_(scalar), x),
      [leaf([2, 3]), leaf([], 1)],
    ));
  test('a graph that branches and meets', () =>
    gradcheck(
      (x, y) => {
        const z = functional.mul(x, y);
        return functional.add(functional.mul(z, x), functional.reshape(functional.add(z, y), [3]));
      },
      [leaf([3]), leaf([3], 1)],
    ));
});

describe('norms, distances and what a mask selects', () => {
  test.each([1, 2, 3, 1.5, 0.5, Infinity])('norm, p = %d', (p) => {
    gradcheck((x) => functional.norm(x, p), [leaf([2, 3])]);
    for (const dim of [0, 1, [0, 2]]) {
      gradcheck((x) => functional.norm(x, p, dim), [leaf([2, 3, 2])]);
      gradcheck((x) => functional.norm(x, { p, dim, keepdim: true }), [leaf([2, 3, 2])]);
    }
  });
  test.each([1, 2, 3])('cdist, p = %d', (p) =>
    gradcheck((a, b) => functional.cdist(a, b, { p }), [leaf([3, 2]), leaf([2, 4, 2], 1)]),
  );
  test('cosineSimilarity, broadcast', () => {
    gradcheck((a, b) => functional.cosineSimilarity(a, b, -1), [leaf([2, 1, 3]), leaf([4, 3], 1)]);
    gradcheck((a, b) => functional.cosineSimilarity(a, b), [leaf([3]), leaf([2, 3], 1)]);
  });
  test('maskedSelect', () => {
    const mask = tensor([[1], [0], [1]], { dtype: 'int32' });
    gradcheck((x) => functional.maskedSelect(x, mask), [leaf([3, 2])]);
    gradcheck((x) => functional.maskedSelect(x, mask), [leaf([2])]);
  });
});

describe('parts, copies, and products of matrices and vectors', () => {
  test('select and unbind', () => {
    gradcheck((x) => x.select(1, -1), [leaf([2, 3])]);
    gradcheck((x) => x.select(1, 0), [leaf([2, 3, 2])]);
    gradcheck((x) => functional.cat(x.unbind(1)), [leaf([2, 3])]);
  });
  test('t', () => gradcheck((x) => x.t(), [leaf([2, 3])]));
  test.each([[[2, 1]], [[3, 1, 2]], [[1, 1]], [[2, 3]]])('repeat and tile, %j', (sizes) => {
    gradcheck((x) => x.repeat(sizes), [leaf([2, 3])]);
    gradcheck((x) => x.tile(sizes), [leaf([2, 3, 2])]);
  });
  test('cumsum', () => {
    gradcheck((x) => x.cumsum(0), [leaf([3, 2])]);
    gradcheck((x) => x.cumsum(-1), [leaf([2, 3])]);
    gradcheck((x) => x.cumsum(1), [leaf([2, 3, 2])]);
  });
  test('clip', () => gradcheck((x) => x.clip({ min: -1, max: 1 }), [leaf([7])]));
  test('mm, dot and outer', () => {
    gradcheck((a, b) => a.mm(b), [leaf([2, 3]), leaf([3, 4], 1)]);
    gradcheck((a, b) => a.dot(b), [leaf([4]), leaf([4], 1)]);
    gradcheck((a, b) => a.outer(b), [leaf([4]), leaf([3], 1)]);
    gradcheck((a) => a.outer(a).add(a.dot(a)), [leaf([3])]);
  });
});

test('relu away from 0', () => gradcheck((x) => functional.relu(x), [leaf([5, 7])]));

describe('dropout, its mask drawn from one seed', () => {
  const dropped = (p: number) => (x: Tensor) => {
    manualSeed(7);
    return functional.dropout(x, { p });
  };
  test.each([0.3, 0.5, 1])('p = %d', (p) => gradcheck(dropped(p), [leaf([6, 5])]));

  test('some were dropped and some were not', () => {
    const zeros = [...dropped(0.5)(leaf([6, 5])).data].filter((value) => value === 0).length;
    expect(zeros).toBeGreaterThan(5);
    expect(zeros).toBeLessThan(25);
  });
});

describe('linear', () => {
  const parameters = [leaf([4, 3], 1), leaf([4], 2)] as const;
  test('with bias', () =>
    gradcheck((x, w, b) => functional.linear(x, w, b), [leaf([5, 3]), ...parameters]));
  test('without bias', () =>
    gradcheck((x, w) => functional.linear(x, w), [leaf([5, 3]), parameters[0]]));
  test('of rank 1 and 3', () => {
    gradcheck((x, w, b) => functional.linear(x, w, b), [leaf([3]), ...parameters]);
    gradcheck((x, w, b) => functional.linear(x, w, b), [leaf([2, 2, 3]), ...parameters]);
  });
});

describe('crossEntropy', () => {
  const targets = [2, 0, 1, 3, 2];
  for (const reduction of ['mean', 'sum'] as const) {
    test(reduction, () =>
      gradcheck((x) => functional.crossEntropy(x, targets, { reduction }), [leaf([5, 4])]),
    );
    test(`${reduction}, ignoring two rows`, () =>
      gradcheck(
        (x) => functional.crossEntropy(x, targets, { reduction, ignoreIndex: 2 }),
        [leaf([5, 4])],
      ));
  }
});

describe('mseLoss', () => {
  for (const reduction of ['mean', 'sum'] as const) {
    test(reduction, () =>
      gradcheck((a, b) => functional.mseLoss(a, b, { reduction }), [leaf([2, 3]), leaf([2, 3], 1)]),
    );
  }
});

describe('batchNorm', () => {
  const shapes = [
    [5, 3],
    [2, 3],
    [2, 3, 1],
    [2, 3, 4],
    [1, 1, 5],
    [7, 17],
    [2, 9, 3],
    [2, 3, 2, 2],
    [2, 2, 2, 1, 3],
  ];
  const statistics = (c: number): [Tensor, Tensor] => [
    leaf([c], 5).detach(),
    tensor(Float64Array.from({ length: c }, (_, i) => 0.5 + i)),
  ];

  for (const shape of shapes) {
    const c = shape[1]!;
    for (const training of [true, false]) {
      const where = `[${shape.join()}] ${training ? 'training' : 'evaluation'}`;
      // eps 0.01: two values of a channel may lie close, and 1 / sqrt bends there.
      const options = { training, eps: 0.01 };
      const [mean, variance] = training ? [null, null] : statistics(c);

      test(`${where}, weight and bias`, () =>
        gradcheck(
          (x, weight, bias) =>
            functional.batchNorm(x, mean, variance, { ...options, weight, bias }),
          [leaf(shape), leaf([c], 1), leaf([c], 2)],
        ));
      test(`${where}, weight`, () =>
        gradcheck(
          (x, weight) => functional.batchNorm(x, mean, variance, { ...options, weight }),
          [leaf(shape), leaf([c], 1)],
        ));
      test(`${where}, bias`, () =>
        gradcheck(
          (x, bias) => functional.batchNorm(x, mean, variance, { ...options, bias }),
          [leaf(shape), leaf([c], 2)],
        ));
      test(`${where}, neither`, () =>
        gradcheck((x) => functional.batchNorm(x, mean, variance, options), [leaf(shape)]));
    }
  }

  test('in training, while running statistics move', () => {
    const [mean, variance] = statistics(3);
    gradcheck(
      (x) => functional.batchNorm(x, mean, variance, { training: true, eps: 0.01 }),
      [leaf([5, 3])],
    );
  });

  test('in evaluation without running statistics: through the batch', () =>
    gradcheck((x) => functional.batchNorm(x, null, null, { eps: 0.01 }), [leaf([5, 3])]));

  for (const [layer, shape] of [
    [nn.BatchNorm1d, [2, 4, 3]],
    [nn.BatchNorm2d, [2, 2, 2, 3]],
    [nn.BatchNorm3d, [2, 1, 2, 2, 3]],
  ] as const) {
    for (const training of [true, false]) {
      test(`${layer.name} with channels last, training ${training}`, () => {
        const bn = new layer(3, { layout: 'NLC', dtype: 'float64', eps: 0.01 });
        bn.train(training);
        const weight = bn.weight!;
        const bias = bn.bias!;
        weight.data.set(leaf([3], 1).data as never);
        gradcheck((x) => bn.forward(x), [leaf([...shape]), weight, bias]);
      });
    }
  }

  test.each<[number[], number[]]>([
    [
      [4, 3],
      [1, 0, 1, 1],
    ],
    [
      [2, 3, 4],
      [0, 1, 0, 1, 1, 1, 0, 1],
    ],
  ])('%j with a mask', (shape, mask) =>
    gradcheck(
      (x, weight, bias) =>
        functional.batchNorm(x, null, null, { training: true, eps: 0.01, weight, bias, mask }),
      [leaf(shape), leaf([3], 1), leaf([3], 2)],
    ),
  );

  test('only what requires grad gets one', () => {
    const [x, weight, bias] = [leaf([4, 3]), leaf([3], 1), leaf([3], 2)];
    for (const wanted of [x, weight, bias]) {
      for (const each of [x, weight, bias]) {
        each.requiresGrad = each === wanted;
        each.grad = null;
      }
      functional.batchNorm(x, null, null, { weight, bias }).backward(leaf([4, 3], 3));
      expect([x, weight, bias].map((each) => each.grad !== null)).toEqual(
        [x, weight, bias].map((each) => each === wanted),
      );
    }
  });
});
