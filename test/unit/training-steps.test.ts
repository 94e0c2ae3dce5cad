// Optimisers beside SGD and Adam, groups, and what is done to gradients before a step: refusals, and the kernels against
// plain JavaScript, one rounding each.
import { describe, expect, test } from 'vitest';

import { addon } from '../../src/addon/control.js';
import { nn, optim, tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const p = (): nn.Parameter => new nn.Parameter(tensor([1, 2]));

test.each<[string, () => unknown, string]>([
  ['RMSprop alpha', () => new optim.RMSprop([p()], { alpha: 2 }), 'RangeError: RMSprop: expected alpha to be a number from 0 to 1, got 2.'],
  ['RMSprop centered', () => new optim.RMSprop([p()], { centered: 1 as never }), 'TypeError: RMSprop: expected centered to be a boolean, got 1.'],
  ['RMSprop alfa', () => new optim.RMSprop([p()], { alfa: 1 } as never), "TypeError: RMSprop: expected options among lr, alpha, eps, weightDecay, momentum, centered, maximize, got 'alfa' (did you mean 'alpha'?)."],
  ['Adagrad lrDecay', () => new optim.Adagrad([p()], { lrDecay: -1 }), 'RangeError: Adagrad: expected lrDecay to be a finite number of at least 0, got -1.'],
  ['NAdam betas', () => new optim.NAdam([p()], { betas: [0.9, 1] }), 'RangeError: NAdam: expected each of betas to be a number from 0 to 0.9999999999999998, got 1.'],
  ['NAdam momentumDecay', () => new optim.NAdam([p()], { momentumDecay: '1' as never }), "TypeError: NAdam: expected momentumDecay to be a finite number of at least 0, got '1'."],
  ['LARS trustCoefficient', () => new optim.LARS([p()], { trustCoefficient: -1 }), 'RangeError: LARS: expected trustCoefficient to be a finite number of at least 0, got -1.'],
])('%s', (_, make, words) => expect(thrownBy(make)).toBe(words)); // prettier-ignore

describe.each(['RMSprop', 'Adagrad', 'NAdam', 'LARS'] as const)('%s', (name) => {
  const make = (params: nn.Parameter[]): optim.RMSprop | optim.Adagrad | optim.NAdam | optim.LARS =>
    new optim[name](params, name === 'RMSprop' ? { momentum: 0.5, centered: true } : {});

  test('stopped and resumed: the bits of a run that was not', () => {
    const run = (stops: boolean): string => {
      const parameter = new nn.Parameter(
        tensor([
          [1, -2],
          [3, 0.5],
        ]),
      );
      let optimizer = make([parameter]);
      for (let step = 0; step < 6; step++) {
        if (stops && step === 3) {
          const state = structuredClone(optimizer.stateDict());
          optimizer = make([parameter]);
          optimizer.loadStateDict(state);
        }
        parameter.grad = tensor([
          [Math.sin(step), 1],
          [0.25, step - 2],
        ]);
        optimizer.step();
      }
      return String(parameter.data);
    };
    expect(run(true)).toBe(run(false));
  });

  test('a state that does not fit changes nothing', () => {
    const parameter = p();
    const optimizer = make([parameter]);
    parameter.grad = tensor([1, 1]);
    optimizer.step();
    const before = JSON.stringify(optimizer.stateDict());
    const { state, param_groups } = optimizer.stateDict();
    const [key] = Object.keys(state[0]!).filter((each) => typeof state[0]![each] !== 'number');
    const broken = { state: { 0: { ...state[0], [key!]: [1, 2, 3] } }, param_groups };
    expect(() => optimizer.loadStateDict(broken)).toThrow(/of shape \[2\], got shape \[3\]/);
    expect(JSON.stringify(optimizer.stateDict())).toBe(before);
  });

  test('a gradient that is not finite is skipped whole', () => {
    const parameter = p();
    const optimizer = make([parameter]);
    parameter.grad = tensor([1, NaN]);
    const unchanged = snapshot(parameter);
    expect(optimizer.step({ nonFinite: 'skip' })).toBe(false);
    unchanged();
  });
});

describe('optim.groups', () => {
  const model = (): nn.Sequential =>
    new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3), new nn.Linear(3, 1));

  test('weights of products decay, normalisation and biases do not', () => {
    const net = model();
    const [decayed, others] = optim.groups(net, { weightDecay: 0.1 });
    const named = new Map(net.namedParameters());
    expect(decayed).toEqual({
      params: ['0.weight', '2.weight'].map((name) => named.get(name)),
      weightDecay: 0.1,
    });
    expect(others!.params).toEqual(
      ['0.bias', '1.weight', '1.bias', '2.bias'].map((name) => named.get(name)),
    );
    expect(others!.weightDecay).toBe(0);
    expect(() => new optim.AdamW([decayed!, others!])).not.toThrow();
  });

  test('a function decides; frozen and shared parameters', () => {
    const net = model();
    [...net.parameters()][0]!.requiresGrad = false;
    const seen: string[] = [];
    const groups = optim.groups(net, {
      weightDecay: 0.1,
      noDecay: (name, parameter, owner) => {
        seen.push(`${name} ${parameter.shape.join()} ${owner.constructor.name}`);
        return true;
      },
    });
    expect(seen).toEqual([
      '0.bias 3 Linear',
      '1.weight 3 BatchNorm1d',
      '1.bias 3 BatchNorm1d',
      '2.weight 1,3 Linear',
      '2.bias 1 Linear',
    ]);
    expect(groups.map(({ weightDecay }) => weightDecay)).toEqual([0]);
  });

  test.each<[string, () => unknown, string]>([
    ['no module', () => optim.groups([] as never, { weightDecay: 1 }), 'TypeError: optim.groups: expected a Module, got an array of length 0.'],
    ['no weightDecay', () => optim.groups(model(), {} as never), 'TypeError: optim.groups: expected weightDecay to be a finite number of at least 0, got undefined.'],
    ['another word', () => optim.groups(model(), { weightDecay: 1, noDecay: 'bias' as never }), "RangeError: optim.groups: expected noDecay to be 'norm and bias', got 'bias'."],
    ['nothing that learns', () => optim.groups(model().requiresGrad_(false), { weightDecay: 1 }), 'RangeError: optim.groups: expected a model with parameters that require grad, got none.'],
  ])('%s', (_, make, words) => expect(thrownBy(make)).toBe(words)); // prettier-ignore
});

describe('clipping', () => {
  const of = (...gradients: number[][]): nn.Parameter[] =>
    gradients.map((values) => {
      const parameter = new nn.Parameter(tensor(values.map(() => 1)));
      parameter.grad = tensor(values);
      return parameter;
    });

  test('a norm that is not finite: thrown with nothing changed, or as PyTorch', () => {
    const parameters = of([1, NaN], [2]);
    const unchanged = snapshot(...parameters.map(({ grad }) => grad!));
    expect(thrownBy(() => nn.clipGradNorm_(parameters, 1, { errorIfNonFinite: true }))).toBe(
      'RangeError: clipGradNorm_: expected gradients of a finite norm (The total norm of gradients is non-finite, so it cannot be clipped), got a norm of NaN.',
    );
    unchanged();
    expect(nn.clipGradNorm_(parameters, 1)).toBeNaN();
    expect(parameters[1]!.grad!.item()).toBeNaN();
    const infinite = of([1, -Infinity], [2]);
    expect(nn.clipGradNorm_(infinite, 1, { normType: Infinity })).toBe(Infinity);
    expect(infinite.map(({ grad }) => grad!.toArray())).toEqual([[0, NaN], [0]]);
  });

  test('NaN is the largest of all, wherever it is', () => {
    const values = Array.from({ length: 40_000 }, (_, i) => (i === 20_001 ? NaN : i));
    expect(nn.clipGradNorm_(of(values), 1, { normType: Infinity })).toBeNaN();
    expect(nn.clipGradNorm_(of([3, -7, 5], [2]), 100, { normType: Infinity })).toBe(7);
    expect(nn.clipGradNorm_(of([3, -7, 5], [2]), 100, { normType: 1 })).toBe(17);
  });

  test('a short norm changes nothing; no gradient is a norm of 0; one parameter will do', () => {
    const parameters = of([0.5]);
    expect(nn.clipGradNorm_(parameters[0]!, 1)).toBe(0.5);
    expect(parameters[0]!.grad!.item()).toBe(0.5);
    expect(nn.clipGradNorm_([p()], 1)).toBe(0);
    expect(nn.clipGradNorm_([], 1)).toBe(0);
    const walked = new nn.Linear(2, 2).parameters();
    new optim.SGD(walked, { lr: 1 });
    const words =
      'expected parameters (an iterator is walked once: [...model.parameters()] is a list), got an iterator with none left.';
    expect(() => nn.clipGradNorm_(walked, 1)).toThrow(`clipGradNorm_: ${words}`);
    expect(() => {
      nn.clipGradValue_(walked, 1);
    }).toThrow(`clipGradValue_: ${words}`);
  });

  test('values: NaN stays', () => {
    const parameters = of([5, -5, 0.5, NaN]);
    nn.clipGradValue_(parameters, 2);
    expect(parameters[0]!.grad!.toArray()).toEqual([2, -2, 0.5, NaN]);
  });

  test.each<[string, () => unknown, string]>([
    ['maxNorm', () => nn.clipGradNorm_([p()], -1), 'RangeError: clipGradNorm_: expected maxNorm to be a finite number of at least 0, got -1.'],
    ['normType', () => nn.clipGradNorm_([p()], 1, { normType: 3 }), 'RangeError: clipGradNorm_: expected normType to be 1, 2 or Infinity, got 3.'],
    ['parameters', () => nn.clipGradNorm_([tensor([1])] as never, 1), 'TypeError: clipGradNorm_: expected Parameters, got an instance of Tensor.'],
    ['clipValue', () => nn.clipGradValue_([p()], NaN), 'RangeError: clipGradValue_: expected clipValue to be a finite number of at least 0, got NaN.'],
  ])('%s', (_, make, words) => expect(thrownBy(make)).toBe(words)); // prettier-ignore
});

test('lerp goes from the nearer end, so that both ends are exact', () => {
  const [a, b] = [Float32Array.of(1e8, -3, 0.1), Float32Array.of(1, 7, 0.3)];
  const out = new Float32Array(3);
  addon.lerp(a, b, 1, out, 3);
  expect(out).toEqual(b);
  addon.lerp(a, b, 0, out, 3);
  expect(out).toEqual(a);
  addon.lerp(a, b, 0.25, out, 3);
  expect([...out]).toEqual(
    [...a].map((from, i) => Math.fround(from + Math.fround(0.25 * Math.fround(b[i]! - from)))),
  );
});
