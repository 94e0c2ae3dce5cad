// An operation returns a tensor of its own: never one of its inputs. Disposing of the result, by hand or
// by `using`, leaves every input as it was, and the gradient of one that changes nothing is the identity.
import { describe, expect, it, test } from 'vitest';

import { functional, nn, noGrad, scope, tensor, type Tensor } from '../../src/index.js';

interface Case {
  readonly name: string;
  /** New inputs for each run: each is watched. */
  readonly inputs: () => Tensor[];
  readonly call: (...inputs: never[]) => Tensor | Promise<Tensor>;
  /** y = x, so dx = dy. */
  readonly identity?: true;
}

const matrix = (): Tensor => tensor(Float32Array.of(1, -2, 3, 4, 5, -6), [3, 2]);
const labels = (): Tensor => tensor(Int32Array.of(1, 0, 1));
const square = (): Tensor => tensor(Float32Array.of(1, -2, 3, 4), [2, 2]);
const vector = (): Tensor => tensor(Float32Array.of(0.5, 2));
const one = (make: () => Tensor) => () => [make()];

/** Every operation under its name in `functional`. */
const OPERATIONS: Readonly<Record<string, readonly Omit<Case, 'name'>[]>> = {
  add: [
    { inputs: () => [matrix(), matrix()], call: (a: Tensor, b: Tensor) => functional.add(a, b) },
  ],
  mul: [
    { inputs: () => [matrix(), matrix()], call: (a: Tensor, b: Tensor) => functional.mul(a, b) },
  ],
  sum: [
    { inputs: one(matrix), call: (x: Tensor) => functional.sum(x) },
    { inputs: () => [tensor(5)], call: (x: Tensor) => functional.sum(x), identity: true },
  ],
  mean: [{ inputs: () => [tensor(5)], call: (x: Tensor) => functional.mean(x), identity: true }],
  reshape: [
    { inputs: one(matrix), call: (x: Tensor) => functional.reshape(x, [3, 2]), identity: true },
    { inputs: one(matrix), call: (x: Tensor) => functional.reshape(x, x.shape), identity: true },
    { inputs: one(matrix), call: (x: Tensor) => functional.reshape(x, [6]) },
    { inputs: one(labels), call: (x: Tensor) => functional.reshape(x, [3]) },
  ],
  relu: [{ inputs: one(matrix), call: (x: Tensor) => functional.relu(x) }],
  dropout: [
    { inputs: one(matrix), call: (x: Tensor) => functional.dropout(x) },
    { inputs: one(matrix), call: (x: Tensor) => functional.dropout(x, { p: 0 }), identity: true },
    {
      inputs: one(matrix),
      call: (x: Tensor) => functional.dropout(x, { training: false }),
      identity: true,
    },
  ],
  linear: [
    {
      inputs: () => [matrix(), square(), vector()],
      call: (x: Tensor, w: Tensor, b: Tensor) => functional.linear(x, w, b),
    },
  ],
  mseLoss: [
    {
      inputs: () => [matrix(), matrix()],
      call: (a: Tensor, b: Tensor) => functional.mseLoss(a, b),
    },
  ],
  crossEntropy: [
    {
      inputs: () => [matrix(), labels()],
      call: (x: Tensor, t: Tensor) => functional.crossEntropy(x, t),
    },
  ],
  batchNorm: [
    {
      inputs: () => [matrix(), vector(), vector()],
      call: (x: Tensor, w: Tensor, b: Tensor) =>
        functional.batchNorm(x, null, null, { weight: w, bias: b, training: true }),
    },
    {
      inputs: () => [matrix(), vector(), vector()],
      call: (x: Tensor, mean: Tensor, variance: Tensor) =>
        functional.batchNorm(x, mean.detach(), variance.detach()),
    },
  ],
};

const layer = (make: () => nn.Module, method: 'forward' | 'forwardAsync' = 'forward') => {
  const module = make() as unknown as Record<string, (x: Tensor) => Tensor | Promise<Tensor>>;
  return (x: Tensor) => module[method]!(x);
};

/** A layer of a user's own that hands its input on. */
class HandsOn extends nn.Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** Every layer under its name in `nn`, with the modes in which it does something else. */
const LAYERS: Readonly<Record<string, readonly (() => Omit<Case, 'name'>)[]>> = {
  ReLU: [() => ({ inputs: one(matrix), call: layer(() => new nn.ReLU()) })],
  Dropout: [
    () => ({ inputs: one(matrix), call: layer(() => new nn.Dropout()) }),
    () => ({ inputs: one(matrix), call: layer(() => new nn.Dropout().eval()), identity: true }),
    () => ({ inputs: one(matrix), call: layer(() => new nn.Dropout(0)), identity: true }),
  ],
  Linear: [() => ({ inputs: one(matrix), call: layer(() => new nn.Linear(2, 2)) })],
  Sequential: [
    () => ({ inputs: one(matrix), call: layer(() => new nn.Sequential()), identity: true }),
    () => ({ inputs: one(labels), call: layer(() => new nn.Sequential()) }),
    () => ({
      inputs: one(matrix),
      call: layer(() => new nn.Sequential(new nn.Sequential())),
      identity: true,
    }),
    () => ({
      inputs: one(matrix),
      call: layer(() => new nn.Sequential(new nn.Dropout(), new nn.Dropout(0)).eval()),
      identity: true,
    }),
    () => ({
      inputs: one(matrix),
      call: layer(() => new nn.Sequential(new HandsOn())),
      identity: true,
    }),
  ],
  BatchNorm1d: [
    () => ({ inputs: one(matrix), call: layer(() => new nn.BatchNorm1d(2)) }),
    () => ({ inputs: one(matrix), call: layer(() => new nn.BatchNorm1d(2).eval()) }),
    () => ({ inputs: one(matrix), call: layer(() => new nn.BatchNorm1d(2).freeze()) }),
    () => ({ inputs: one(matrix), call: layer(() => new nn.BatchNorm1d(2), 'forwardAsync') }),
    () => ({
      inputs: one(matrix),
      call: layer(() => new nn.BatchNorm1d(2).eval(), 'forwardAsync'),
    }),
    () => ({
      inputs: () => [matrix(), matrix()],
      call: (x: Tensor, out: Tensor) => {
        const bn = new nn.BatchNorm1d(2).requiresGrad_(false);
        return bn.forward(x.detach(), { out: out.detach() });
      },
    }),
  ],
  BatchNorm2d: [
    () => ({
      inputs: () => [tensor(Float32Array.of(1, 2, 3, 5), [2, 1, 2, 1])],
      call: layer(() => new nn.BatchNorm2d(1)),
    }),
  ],
  BatchNorm3d: [
    () => ({
      inputs: () => [tensor(Float32Array.of(1, 2, 3, 5), [2, 1, 2, 1, 1])],
      call: layer(() => new nn.BatchNorm3d(1)),
    }),
  ],
  FrozenBatchNorm1d: [
    () => ({ inputs: one(matrix), call: layer(() => new nn.FrozenBatchNorm1d(2)) }),
  ],
  LazyBatchNorm1d: [() => ({ inputs: one(matrix), call: layer(() => new nn.LazyBatchNorm1d()) })],
  CrossEntropyLoss: [
    () => ({
      inputs: () => [matrix(), labels()],
      call: (x: Tensor, t: Tensor) => new nn.CrossEntropyLoss().forward(x, t),
    }),
  ],
  MSELoss: [
    () => ({
      inputs: () => [matrix(), matrix()],
      call: (a: Tensor, b: Tensor) => new nn.MSELoss().forward(a, b),
    }),
  ],
};

const METHODS: readonly Case[] = [
  { name: 'Tensor.detach', inputs: one(matrix), call: (x: Tensor) => x.detach() },
  { name: 'Tensor.clone', inputs: one(matrix), call: (x: Tensor) => x.clone() },
];

const CASES: readonly Case[] = [
  ...Object.entries(OPERATIONS).flatMap(([name, cases]) =>
    cases.map((each, i) => ({ ...each, name: `functional.${name} #${i}` })),
  ),
  ...Object.entries(LAYERS).flatMap(([name, cases]) =>
    cases.map((make, i) => ({ ...make(), name: `nn.${name} #${i}` })),
  ),
  ...METHODS,
];

it('covers every operation and every layer there is', () => {
  expect(Object.keys(OPERATIONS).sort()).toEqual(Object.keys(functional).sort());
  const layers = Object.entries(nn).filter(
    ([name, value]) =>
      typeof value === 'function' &&
      (value as unknown as { prototype?: unknown }).prototype instanceof nn.Module &&
      // The abstract one, and containers, which have no forward.
      !/^(BatchNorm|(Module|Parameter)(List|Dict))$/.test(name),
  );
  expect(layers.map(([name]) => name).filter((name) => !(name in LAYERS))).toEqual([]);
});

const MODES = ['recorded', 'plain', 'noGrad'] as const;

function run({ inputs, call }: Case, mode: (typeof MODES)[number]) {
  const given = inputs();
  if (mode !== 'plain') {
    for (const each of given) if (each.dtype === 'float32') each.requiresGrad = true;
  }
  const body = (): Tensor | Promise<Tensor> => (call as (...args: Tensor[]) => Tensor)(...given);
  let result: Tensor | Promise<Tensor> | undefined;
  if (mode === 'noGrad') noGrad(() => void (result = body()));
  else result = body();
  return { given, result: result! };
}

describe.each(MODES)('%s', (mode) => {
  test.each(CASES.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const { given, result } = run(each, mode);
    const y = await result;
    expect(given.includes(y)).toBe(false);
    const before = given.map((input) => input.toArray());
    const values = y.toArray();
    y.dispose();
    expect(y.disposed).toBe(true);
    expect(given.map((input) => input.disposed)).toEqual(given.map(() => false));
    expect(given.map((input) => input.toArray())).toEqual(before);

    // And the other way round: the result outlives its inputs.
    if (each.name.includes('Dropout #0') || each.name.includes('dropout #0')) return;
    const again = run(each, mode);
    const second = await again.result;
    for (const input of again.given) input.dispose();
    if (!each.name.startsWith('nn.Linear')) expect(second.toArray()).toEqual(values);
  });
});

describe('what changes nothing', () => {
  const identities = CASES.filter(({ identity }) => identity === true);

  test.each(identities.map((each) => [each.name, each] as const))(
    '%s: dx is dy',
    async (_, each) => {
      const { given, result } = run(each, 'recorded');
      const y = await result;
      const [x] = given;
      expect(y.requiresGrad).toBe(true);
      expect(y.shape).toEqual(x!.shape);
      expect(y.toArray()).toEqual(x!.toArray());
      const dy = tensor(
        Float32Array.from({ length: y.numel }, (_unused, i) => i + 1),
        [...y.shape],
      );
      y.backward(dy);
      expect(x!.grad?.toArray()).toEqual(dy.toArray());
      expect(x!.grad).not.toBe(dy);
    },
  );

  test('`using` destroys the result alone, and a scope too', () => {
    const x = matrix();
    const dropout = new nn.Dropout().eval();
    {
      using y = dropout.forward(x);
      expect(y.toArray()).toEqual(x.toArray());
    }
    scope(() => void new nn.Sequential().forward(x));
    expect(x.toArray()).toEqual(matrix().toArray());
  });

  test('a disposed input is refused as by any other operation', () => {
    const x = matrix();
    x.dispose();
    expect(() => functional.dropout(x, { training: false })).toThrow('disposed of');
    expect(() => new nn.Sequential().forward(x)).toThrow('disposed of');
  });
});
