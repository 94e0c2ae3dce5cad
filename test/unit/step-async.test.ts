// stepAsync: the bits of step, all or nothing, and memory that a user can see.
import { createHash } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { functional, native, nn, noGrad, optim, tensor, Tensor } from '../../src/index.js';
import { normals32 } from '../helpers/random.js';

const hashOf = (data: ArrayBufferView): string =>
  createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');
const bits = (t: Tensor): string => hashOf(t.data);
const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing was thrown',
    (error: unknown) => String(error),
  );
const parametersOf = (): nn.Parameter[] =>
  [[300, 200], [200], [700, 400]].map((shape, i) => {
    const numel = shape.reduce((a, b) => a * b, 1);
    return new nn.Parameter(tensor(normals32(i + 1, numel), shape));
  });
const setGradients = (parameters: readonly nn.Parameter[], seed: number): void => {
  parameters.forEach((each, i) => {
    each.grad = tensor(normals32(seed * 10 + i, each.numel), each.shape);
  });
};
type States = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
const stateOf = (optimizer: { stateDict(): { state: States } }): string => {
  const { state, ...rest } = optimizer.stateDict();
  const texts = Object.entries(state).flatMap(([of, each]) =>
    Object.entries(each).map(([name, value]) => [
      of,
      name,
      value instanceof Tensor ? bits(value) : String(value),
    ]),
  );
  return JSON.stringify([texts, rest]);
};

const OPTIMIZERS = {
  SGD: (p: nn.Parameter[]) => new optim.SGD(p, { lr: 0.1 }),
  'SGD with momentum': (p: nn.Parameter[]) =>
    new optim.SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  Adam: (p: nn.Parameter[]) => new optim.Adam(p, { lr: 0.1, weightDecay: 0.01 }),
  AdamW: (p: nn.Parameter[]) => new optim.AdamW(p, { lr: 0.1 }),
  NAdam: (p: nn.Parameter[]) => new optim.NAdam(p, { lr: 0.1 }),
  RMSprop: (p: nn.Parameter[]) => new optim.RMSprop(p, { lr: 0.1, momentum: 0.5, centered: true }),
  Adagrad: (p: nn.Parameter[]) => new optim.Adagrad(p, { lr: 0.1, lrDecay: 0.1 }),
  LARS: (p: nn.Parameter[]) => new optim.LARS(p, { lr: 0.1, weightDecay: 0.01 }),
};

describe.each(Object.entries(OPTIMIZERS))('%s', (_, make) => {
  test('has the bits of step', async () => {
    const outcome = async (asynchronous: boolean): Promise<unknown> => {
      const parameters = parametersOf();
      const optimizer = make(parameters);
      for (const seed of [1, 2, 3]) {
        setGradients(parameters, seed);
        if (seed === 2) parameters[0]!.grad = null;
        expect(asynchronous ? await optimizer.stepAsync() : optimizer.step()).toBe(true);
      }
      return [parameters.map(bits), stateOf(optimizer)];
    };
    expect(await outcome(true)).toEqual(await outcome(false));
  });

  test('a state dict that is taken meanwhile is that of before', async () => {
    const parameters = parametersOf();
    const optimizer = make(parameters);
    setGradients(parameters, 1);
    for (const each of [1, 2]) {
      const before = [parameters.map(bits), stateOf(optimizer)];
      const step = optimizer.stepAsync();
      expect([parameters.map(bits), stateOf(optimizer)], `step ${each}`).toEqual(before);
      await step;
      expect([parameters.map(bits), stateOf(optimizer)]).not.toEqual(before);
    }
  });

  test('changes nothing when it is stopped, and goes on from there', async () => {
    const [parameters, others] = [parametersOf(), parametersOf()];
    const [optimizer, other] = [make(parameters), make(others)];
    for (const each of [parameters, others]) setGradients(each, 1);
    optimizer.step();
    other.step();
    const before = [parameters.map(bits), stateOf(optimizer)];
    for (const turns of [0, 1, 2, 3]) {
      const controller = new AbortController();
      const step = optimizer.stepAsync({ signal: controller.signal });
      for (let i = 0; i < turns; i++) await Promise.resolve();
      controller.abort(new Error('enough'));
      expect(await rejection(step)).toBe('Error: enough');
      expect([parameters.map(bits), stateOf(optimizer)]).toEqual(before);
    }
    await optimizer.stepAsync();
    other.step();
    expect([parameters.map(bits), stateOf(optimizer)]).toEqual([others.map(bits), stateOf(other)]);
  });
});

test('a view of a parameter, and tensors over the same memory, see the step', async () => {
  const parameters = parametersOf();
  const [p, , q] = parameters as [nn.Parameter, nn.Parameter, nn.Parameter];
  const [view, alias] = [p.data, q.detach()];
  setGradients(parameters, 1);
  const versions = [p.version, q.version];
  await new optim.SGD(parameters, { lr: 0.1 }).stepAsync();
  expect(view.length).toBe(p.numel);
  expect(view).toBe(p.data);
  expect(bits(alias)).toBe(bits(q));
  expect([p.version, q.version]).toEqual(versions.map((each) => each + 1));
});

test('until it settles nothing else may change what it changes', async () => {
  const parameters = parametersOf();
  const optimizer = new optim.Adam(parameters);
  setGradients(parameters, 1);
  const before = [parameters.map((each) => bits(each.clone())), stateOf(optimizer)];
  const step = optimizer.stepAsync();
  expect(() => optimizer.step()).toThrow(
    'Adam.step: expected the promise of stepAsync to have settled, got one under way.',
  );
  expect(await rejection(optimizer.stepAsync())).toMatch(/got one under way/);
  expect(() => {
    optimizer.loadStateDict(optimizer.stateDict());
  }).toThrow(/got one under way/);
  noGrad(() => parameters[2]!.copy_(parameters[2]!.clone()));
  expect(await rejection(step)).toBe(
    'Error: Adam.step: expected a parameter or what is kept of it to stay as it was until the promise ' +
      'settles, got one that has been modified by an inplace operation.',
  );
  expect([parameters.map(bits), stateOf(optimizer)]).toEqual(before);
  const again = optimizer.stepAsync();
  optimizer.zeroGrad();
  expect(await again).toBe(true);
  expect(bits(parameters[0]!)).not.toBe((before[0] as string[])[0]);
});

test('gradients that are not finite', async () => {
  const parameters = parametersOf();
  const optimizer = new optim.Adam(parameters);
  setGradients(parameters, 1);
  parameters[2]!.grad!.data[70_000] = NaN;
  const before = [parameters.map(bits), stateOf(optimizer)];
  expect(await optimizer.stepAsync({ nonFinite: 'skip' })).toBe(false);
  expect(await rejection(optimizer.stepAsync({ nonFinite: 'throw' }))).toMatch(
    /^RangeError: Adam.stepAsync: expected finite gradients, got NaN at index 70000 of parameter 2/,
  );
  expect([parameters.map(bits), stateOf(optimizer)]).toEqual(before);
  parameters[2]!.grad!.data[70_000] = 1;
  expect(await optimizer.stepAsync({ nonFinite: 'throw' })).toBe(true);
});

test('a step of a training loop beside the event loop', async () => {
  const outcome = async (asynchronous: boolean): Promise<unknown> => {
    const model = new nn.Sequential(
      new nn.Linear(60, 200),
      new nn.BatchNorm1d(200),
      new nn.ReLU(),
      new nn.Linear(200, 10),
    );
    model.loadStateDict(
      new Map(
        [...model.stateDict()].map(
          ([key, each], i) =>
            [
              key,
              each.dtype === 'int64'
                ? each
                : tensor(normals32(i + 1, each.numel).map(Math.abs), each.shape),
            ] as const,
        ),
      ),
    );
    const criterion = new nn.CrossEntropyLoss();
    const optimizer = new optim.Adam(model.parameters());
    const labels = Int32Array.from({ length: 256 }, (_, i) => i % 10);
    const losses: number[] = [];
    for (let i = 0; i < 4; i++) {
      const x = tensor(normals32(i + 50, 256 * 60), [256, 60]);
      optimizer.zeroGrad();
      if (asynchronous) {
        const y = await model.forwardAsync(x);
        const loss = await criterion.forwardAsync(y, labels);
        await loss.backwardAsync();
        await optimizer.stepAsync();
        losses.push(loss.item());
      } else {
        const loss = criterion.forward(model.forward(x), labels);
        loss.backward();
        optimizer.step();
        losses.push(loss.item());
      }
    }
    return [losses, [...model.stateDict().values()].map(bits)];
  };
  expect(await outcome(true)).toEqual(await outcome(false));
});

test('parameters keep the memory that a step has written when the pool is emptied', async () => {
  // Of the package's own, large enough for the pool to watch them.
  const layer = new nn.Linear(256, 128);
  const optimizer = new optim.SGD(layer.parameters(), { lr: 0.5 });
  const expected = functional.sum(layer.weight).item();
  for (let step = 1; step <= 3; step++) {
    layer.weight.grad = functional.mul(layer.weight.detach(), 0);
    await optimizer.stepAsync();
    native.memory.trim();
    expect(functional.sum(layer.weight).item()).toBe(expected);
  }
});
