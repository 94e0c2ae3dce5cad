// Optimisers: parameter groups, zeroGrad, what a step leaves alone, and bad hyperparameters. What a
// step computes is compared with PyTorch in test/golden.
import { describe, expect, test } from 'vitest';

import { functional, nn, optim, tensor } from '../../src/index.js';
import { expectAllClose } from '../helpers/expect-close.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

function parameter(value: number, gradient?: number): nn.Parameter {
  const made = new nn.Parameter(tensor([value]));
  if (gradient !== undefined) made.grad = tensor([gradient]);
  return made;
}

describe('a step', () => {
  test('moves what has a gradient, and only that', () => {
    const [a, b] = [parameter(1, 2), parameter(1)];
    new optim.SGD([a, b], { lr: 0.25 }).step();
    expect([a.item(), b.item()]).toEqual([0.5, 1]);
    expect(a.grad!.item()).toBe(2);
  });

  test('momentum begins with the first gradient, undamped', () => {
    const p = parameter(0, 1);
    const optimizer = new optim.SGD([p], { lr: 1, momentum: 0.5, dampening: 0.5 });
    optimizer.step(); // v = 1
    optimizer.step(); // v = 0.5 + 0.5
    expect(p.item()).toBe(-2);
  });

  test("keeps each parameter's past apart", () => {
    const [a, b] = [parameter(0, 1), parameter(0)];
    const optimizer = new optim.Adam([a, b], { lr: 0.5, eps: 0 });
    optimizer.step();
    const allowed = { k: 4, scale: 0.5 }; // 1 - beta1 as a float, root, quotient, product
    expectAllClose([a.item(), b.item()], [-0.5, 0], allowed);
    b.grad = tensor([-4]);
    a.grad = null;
    optimizer.step(); // b's own first step: lr · sign
    expectAllClose([a.item(), b.item()], [-0.5, 0.5], allowed);
  });

  test('refused for one gradient, it moves no parameter', () => {
    const [a, b] = [parameter(1, 2), parameter(1)];
    const optimizer = new optim.SGD([a, b], { lr: 1, momentum: 0.9 });
    for (const [grad, message] of [
      [tensor([1, 2]), 'RangeError: SGD.step: expected a gradient of shape [1], got shape [2].'],
      [
        tensor([1], { dtype: 'float64' }),
        'TypeError: SGD.step: expected the gradient to be float32 like the input, got float64 (all inputs ' +
          "must share same datatype; x.to('float32') converts).",
      ],
    ] as const) {
      b.gradient = grad; // grad itself refuses it
      const unchanged = snapshot(a, b);
      expect(thrownBy(() => optimizer.step())).toBe(message);
      unchanged();
    }
    b.grad = null;
    optimizer.step();
    expect(a.item()).toBe(-1); // as a first step: no velocity was left behind
  });
});

describe('parameter groups', () => {
  test('have hyperparameters of their own and take the rest from the defaults', () => {
    const [a, b] = [parameter(1, 1), parameter(1, 1)];
    const optimizer = new optim.SGD([{ params: [a], lr: 0.5 }, { params: [b] }], { lr: 0.25 });
    optimizer.step();
    expect([a.item(), b.item()]).toEqual([0.5, 0.75]);
    expect(optimizer.paramGroups.map(({ lr, momentum }) => [lr, momentum])).toEqual([
      [0.5, 0],
      [0.25, 0],
    ]);
  });

  test('may be changed between steps, which is checked', () => {
    const p = parameter(1, 1);
    const optimizer = new optim.SGD([p], { lr: 0.5 });
    optimizer.paramGroups[0]!.lr = 0.25;
    optimizer.step();
    expect(p.item()).toBe(0.75);
    optimizer.paramGroups[0]!.lr = NaN;
    expect(thrownBy(() => optimizer.step())).toBe(
      'RangeError: SGD: expected lr to be a finite number of at least 0, got NaN.',
    );
    expect(p.item()).toBe(0.75);
  });

  test('may be added later', () => {
    const [a, b] = [parameter(1, 1), parameter(1, 1)];
    const optimizer = new optim.SGD([a], { lr: 0.5 });
    optimizer.addParamGroup({ params: [b], lr: 0.25 });
    optimizer.step();
    expect([a.item(), b.item()]).toEqual([0.5, 0.75]);
    expect(() => optimizer.addParamGroup({ params: [a] })).toThrow('more than one parameter group');
    expect(optimizer.paramGroups.length).toBe(2);
  });

  test("take a module's parameters as they come", () => {
    const bn = new nn.BatchNorm1d(2);
    const optimizer = new optim.AdamW(bn.parameters());
    expect(optimizer.paramGroups[0]!.params).toEqual([bn.weight, bn.bias]);
    expect(optimizer.paramGroups[0]!.weightDecay).toBe(0.01);
  });
});

test('zeroGrad: null, or zeros in the same memory', () => {
  const [a, b] = [parameter(1, 2), parameter(1)];
  const optimizer = new optim.SGD([{ params: [a] }, { params: [b] }]);
  const { grad } = a;
  optimizer.zeroGrad({ setToNone: false });
  expect([a.grad, grad!.item(), b.grad]).toEqual([grad, 0, null]);
  optimizer.zeroGrad();
  expect([a.grad, b.grad]).toEqual([null, null]);
});

test('training goes downhill', () => {
  const fc = new nn.Linear(2, 1);
  const optimizer = new optim.SGD(fc.parameters(), { lr: 0.1, momentum: 0.5 });
  const x = tensor([
    [1, 2],
    [-1, 0],
    [0, 3],
  ]);
  const y = tensor([[3], [-1], [1]]);
  const losses = Array.from({ length: 20 }, () => {
    optimizer.zeroGrad();
    const loss = functional.mseLoss(fc.forward(x), y);
    loss.backward();
    optimizer.step();
    return loss.item();
  });
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
});

describe('what is refused', () => {
  const least = (who: string, name: string, got: string): string =>
    `${who}: expected ${name} to be a finite number of at least 0, got ${got}.`;
  const sgd = 'lr, momentum, dampening, weightDecay, nesterov, maximize';
  const nesterov = (momentum: number, dampening: number): string =>
    'RangeError: SGD: expected Nesterov momentum to come with a momentum and zero dampening, got ' +
    `momentum ${momentum}, dampening ${dampening}.`;

  test.each<[unknown, string]>([
    [{ lr: -1 }, `RangeError: ${least('SGD', 'lr', '-1')}`],
    [{ lr: NaN }, `RangeError: ${least('SGD', 'lr', 'NaN')}`],
    [{ lr: '0.1' }, `TypeError: ${least('SGD', 'lr', "'0.1'")}`],
    [{ momentum: -0.1 }, `RangeError: ${least('SGD', 'momentum', '-0.1')}`],
    [{ weightDecay: Infinity }, `RangeError: ${least('SGD', 'weightDecay', 'Infinity')}`],
    [{ dampening: 2 }, 'RangeError: SGD: expected dampening to be a number from 0 to 1, got 2.'],
    [{ nesterov: true }, nesterov(0, 0)],
    [{ nesterov: true, momentum: 0.9, dampening: 0.1 }, nesterov(0.9, 0.1)],
    [{ maximize: 1 }, 'TypeError: SGD: expected maximize to be a boolean, got 1.'],
    [
      { weight_decay: 0.1 },
      `TypeError: SGD: expected options among ${sgd}, got 'weight_decay' (did you mean 'weightDecay'?).`,
    ],
    [null, `TypeError: SGD: expected an options object { ${sgd} }, got null.`],
  ])('SGD %j', (options, message) => {
    expect(thrownBy(() => new optim.SGD([parameter(1)], options as optim.SGDOptions))).toBe(
      message,
    );
  });

  const beta = 'expected each of betas to be a number from 0 to 0.9999999999999998';
  test.each<['Adam' | 'AdamW', unknown, string]>([
    ['Adam', { lr: -1 }, `RangeError: ${least('Adam', 'lr', '-1')}`],
    ['AdamW', { eps: -1e-8 }, `RangeError: ${least('AdamW', 'eps', '-1e-8')}`],
    ['Adam', { betas: [0.9, 1] }, `RangeError: Adam: ${beta}, got 1.`],
    ['Adam', { betas: [-0.1, 0.9] }, `RangeError: Adam: ${beta}, got -0.1.`],
    [
      'AdamW',
      { betas: [0.9] },
      'TypeError: AdamW: expected betas to be two numbers, got an array of length 1.',
    ],
    ['Adam', { betas: 0.9 }, 'TypeError: Adam: expected betas to be two numbers, got 0.9.'],
    [
      'AdamW',
      { beta: [0.9, 0.99] },
      "TypeError: AdamW: expected options among lr, betas, eps, weightDecay, maximize, got 'beta' (did you " +
        "mean 'betas'?).",
    ],
  ])('%s %j', (name, options, message) => {
    expect(thrownBy(() => new optim[name]([parameter(1)], options as optim.AdamOptions))).toBe(
      message,
    );
  });

  const p = parameter(1);
  test.each<[string, unknown, string]>([
    ['no parameters', [], 'RangeError: SGD: optimizer got an empty parameter list.'],
    [
      'a tensor that is none',
      [tensor([1])],
      'TypeError: SGD: expected parameters (new nn.Parameter(tensor) makes one), or groups { params, … }, got an instance of Tensor.',
    ],
    [
      'a tensor among a group',
      [{ params: [tensor([1])] }],
      'TypeError: SGD: expected a Parameter to optimise (new nn.Parameter(tensor) makes one), got an instance of Tensor.',
    ],
    [
      'a parameter twice',
      [p, p],
      'RangeError: SGD: some parameters appear in more than one parameter group.',
    ],
    [
      'a parameter in two groups',
      [{ params: [p] }, { params: [p] }],
      'RangeError: SGD: some parameters appear in more than one parameter group.',
    ],
    [
      'an unknown option of a group',
      [{ params: [p], learningRate: 1 }],
      `TypeError: SGD: expected options among params, ${sgd}, got 'learningRate' (it is 'lr' here).`,
    ],
    [
      'a bad option of a group',
      [{ params: [p], lr: -2 }],
      `RangeError: ${least('SGD', 'lr', '-2')}`,
    ],
  ])('%s', (_, params, message) => {
    expect(thrownBy(() => new optim.SGD(params as never))).toBe(message);
  });
});
