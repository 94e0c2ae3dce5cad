// The operations that are methods of Tensor: each is the function of its name; and the same bits in every instruction set
// and on every number of threads.
import { createHash } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';

import { functional, native, tensor, Tensor, type DType } from '../../src/index.js';
import { addon } from '../../src/addon/control.js';

const matrix = (): Tensor =>
  tensor(
    Float32Array.from({ length: 12 }, (_, i) => Math.sin(i * 1.3) + 1.5),
    [3, 4],
  );

test('a chain, as PyTorch users write it', () => {
  const x = tensor([[1, 2], [3, 4]], { requiresGrad: true }); // prettier-ignore
  const y = x
    .add(tensor([1, 1]))
    .mul(0.5)
    .mean({ dim: 1 });
  expect(y.toArray()).toEqual([1.25, 2.25]);
  y.sum().backward();
  expect(x.grad?.toArray()).toEqual([[0.25, 0.25], [0.25, 0.25]]); // prettier-ignore
});

const more: Readonly<Record<string, readonly unknown[]>> = {
  ...{ pow: [2], clamp: [{ min: 1 }], maskedFill: [tensor([1, 0, 1, 0], { dtype: 'int32' }), 7] },
  ...{ softmax: [{ dim: 1 }], logSoftmax: [{ dim: 0 }], topk: [2], reshape: [[4, 3]] },
  ...{ permute: [[1, 0]], transpose: [0, 1], unsqueeze: [0], expand: [[2, 3, 4]], flip: [0] },
  ...{ narrow: [0, 1, 2], split: [2], chunk: [2], indexSelect: [1, [0, 3]] },
  ...{ indexAdd: [0, [2, 2, 0], matrix()], matmul: [matrix().transpose(0, 1)] },
  gather: [0, tensor([[0, 2, 1, 1]], { dtype: 'int32' })],
  ...{ clip: [{ max: 1 }], cumsum: [0], select: [1, 2], repeat: [[2, 1]], tile: [[2]] },
  ...{ mm: [matrix().t()], equal: [matrix()], allclose: [matrix()] },
  ...{ norm: [2, 1], maskedSelect: [tensor([1, 0, 1, 0], { dtype: 'int32' })] },
};
const binary = [
  'add',
  'sub',
  'mul',
  'div',
  'maximum',
  'minimum',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
];
const plain = Object.getOwnPropertyNames(Tensor.prototype).filter(
  (name) => name in functional && !['bmm', 'dot', 'outer'].includes(name),
);

test.each(plain)('%s', (name) => {
  const args = more[name] ?? (binary.includes(name) ? [matrix().exp()] : []);
  const method = (matrix() as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!;
  const operation = (functional as unknown as Record<string, (...args: unknown[]) => unknown>)[
    name
  ]!;
  expect(JSON.stringify(method.call(matrix(), ...args))).toBe(
    JSON.stringify(operation(matrix(), ...args)),
  );
});

test('there are as many methods as are typed', () => {
  expect(plain.length).toBe(79);
});

/** Values over the whole range of a dtype, and those at its edges. */
function values(dtype: DType): Tensor {
  const edges = [0, -0, NaN, Infinity, -Infinity, 1e-40, -1e-40, 1e-310, 88.8, -104, 709.9, -745.5];
  const list = Array.from({ length: 40000 }, (_, i) =>
    i < edges.length ? edges[i]! : Math.sin(i * 0.7) * 2 ** (((i * 37) % 60) - 40),
  );
  return tensor(list, { dtype }).reshape([200, 200]);
}
const one = [
  ...['neg', 'exp', 'log', 'log1p', 'sqrt', 'rsqrt', 'abs', 'sigmoid', 'tanh', 'silu', 'gelu'],
  ...['elu', 'softplus', 'logSigmoid', 'mish', 'leakyRelu', 'hardtanh', 'relu6', 'sum', 'mean'],
  ...[
    'floor',
    'ceil',
    'round',
    'trunc',
    'sign',
    'amax',
    'amin',
    'var',
    'std',
    'logsumexp',
    'normalize',
  ],
] as const;

describe.each(['float32', 'float64'] as const)(
  '%s: one result in every instruction set',
  (dtype) => {
    const { isa, threads } = native;
    afterAll(() => {
      addon.selectIsa(isa);
      native.setThreads(threads);
    });
    const results = (): string[] => {
      const x = values(dtype);
      const all: [string, Tensor][] = one.map((name) => [name, functional[name](x)]);
      all.push(['pow', x.pow(1.7)], ['gelu tanh', functional.gelu(x, { approximate: 'tanh' })]);
      for (const dim of [0, 1]) {
        all.push(['softmax', x.softmax({ dim })], ['logSoftmax', x.logSoftmax({ dim })]);
        all.push(
          ['cumsum', x.cumsum(dim)],
          ['sum', x.sum({ dim })],
          ['var', x.var({ dim })],
          ['std', x.std({ dim })],
        );
        all.push(['logsumexp', x.logsumexp({ dim })], ['amax', x.amax({ dim })]);
      }
      all.push(['row', x.mul(x.narrow(0, 1, 1))], ['column', x.sub(x.narrow(1, 1, 1))]);
      return all.map(([name, { data }]) => {
        // Of NaN only that it is one: its bits are nobody's promise.
        const bits = Float64Array.from(data as Float64Array, (value) =>
          value === value ? value : NaN,
        );
        return `${name} ${createHash('sha256').update(bits).digest('hex')}`;
      });
    };

    test.each(
      native.availableIsas.flatMap((name) => [1, 2].map((count) => [name, count] as const)),
    )('%s, %i threads', (name, count) => {
      addon.selectIsa('scalar');
      native.setThreads(1);
      const wanted = results();
      addon.selectIsa(name);
      native.setThreads(count);
      expect(results()).toEqual(wanted);
    });
  },
);
