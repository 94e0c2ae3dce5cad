// ConstantLR, MultiplicativeLR, CyclicLR and ChainedScheduler: what they refuse, and that nothing has changed then.
// test/golden/schedulers.test.ts has PyTorch's rates.
import { describe, expect, test } from 'vitest';

import { nn, optim, tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const { ChainedScheduler, ConstantLR, CyclicLR, ExponentialLR, LambdaLR } = optim.lrScheduler;
const { MultiplicativeLR, OneCycleLR } = optim.lrScheduler;
const sgd = (): optim.SGD => new optim.SGD([new nn.Parameter(tensor([1]))], { lr: 0.5, momentum: 0.9 }); // prettier-ignore

test('a chain whose second scheduler fails has not moved the first', () => {
  const optimizer = sgd();
  const first = new ExponentialLR(optimizer, { gamma: 0.5 });
  const second = new LambdaLR(optimizer, { lrLambda: (epoch) => (epoch === 1 ? NaN : 1) });
  const chain = new ChainedScheduler([first, second]);
  const before = JSON.stringify(chain.stateDict());
  optimizer.step();
  expect(thrownBy(() => chain.step())).toMatch("LambdaLR: expected lrLambda's result to be");
  expect(optimizer.paramGroups[0]!.lr).toBe(0.5);
  expect(JSON.stringify(chain.stateDict())).toBe(before);
  expect([chain.optimizer, chain.getLastLr()]).toEqual([optimizer, [0.5]]);
});

describe('a step that fails leaves every field of the groups as it was', () => {
  const two = (): { params: nn.Parameter[]; lr: number }[] =>
    [0.5, 0.25].map((lr) => ({ params: [new nn.Parameter(tensor([1]))], lr }));
  const refuse = (): number => {
    throw new Error('no factor');
  };
  const optimizers = [
    ['momentum of SGD', () => new optim.SGD(two(), { lr: 1, momentum: 0.9 })],
    ['betas of Adam', () => new optim.Adam(two(), { betas: [0.9, 0.99] })],
  ] as const;
  type Of = optim.SGD | optim.Adam;
  const cycles = [
    ['CyclicLR', (of: Of) => new CyclicLR(of, { baseLr: 0.01, maxLr: 0.1, stepSizeUp: 3 })],
    ['OneCycleLR', (of: Of) => new OneCycleLR(of, { maxLr: 0.1, totalSteps: 9 })],
  ] as const;
  const rows = optimizers.flatMap(([what, of]) =>
    cycles.map(([name, cycle]) => [`${what}, ${name}`, of, cycle] as const),
  );
  /** A copy: a rate, momentum and betas may be moved in place. */
  const fields = (of: Of): object[] => structuredClone(of.stateDict().param_groups);

  test.each(rows)('%s in a chain', (_, make, cycle) => {
    const optimizer = make();
    const members = [cycle(optimizer), new MultiplicativeLR(optimizer, { lrLambda: refuse })];
    const chain = new ChainedScheduler(members);
    optimizer.step();
    const before = fields(optimizer);
    expect(thrownBy(() => chain.step())).toBe('Error: no factor');
    expect(fields(optimizer)).toEqual(before);
    // The same cycle does move momentum: what is compared above is not a field at rest.
    members[0]!.step();
    const momenta = (all: object[]): unknown[] =>
      all.map((each) => ('betas' in each ? each.betas : (each as { momentum: number }).momentum));
    expect(momenta(fields(optimizer))).not.toEqual(momenta(before));
  });

  test.each(optimizers)('%s, CyclicLR alone whose state gives no rate', (_, make) => {
    const optimizer = make();
    const [, cycle] = cycles[0];
    const scheduler = cycle(optimizer);
    scheduler.loadStateDict({ ...scheduler.stateDict(), max_lrs: [0.1, -Infinity] });
    optimizer.step();
    const before = fields(optimizer);
    expect(thrownBy(() => scheduler.step())).toMatch(
      /^RangeError: CyclicLR: expected a learning rate/,
    );
    expect(fields(optimizer)).toEqual(before);
  });
});

test('a state of a chain is loaded whole or not at all', () => {
  const made = (): optim.lrScheduler.ChainedScheduler => {
    const optimizer = sgd();
    return new ChainedScheduler([
      new ConstantLR(optimizer, { factor: 0.5, totalIters: 3 }),
      new ExponentialLR(optimizer, { gamma: 0.5 }),
    ]);
  };
  const [chain, other] = [made(), made()];
  chain.optimizer.paramGroups[0]!.lr = 1;
  other.loadStateDict(chain.stateDict());
  const state = other.stateDict() as { _schedulers: { gamma?: unknown; last_epoch: number }[] };
  const before = JSON.stringify(state);
  state._schedulers[0]!.last_epoch = 7;
  state._schedulers[1]!.gamma = 'half';
  expect(thrownBy(() => other.loadStateDict(state))).toMatch('expected gamma to be a number');
  expect(JSON.stringify(other.stateDict())).toBe(before);
});

describe('what is refused', () => {
  const cycle = (options: object) => (of: optim.SGD) =>
    new CyclicLR(of, { baseLr: 0.1, maxLr: 1, ...options });
  // prettier-ignore
  const wrong: [name: string, use: (of: optim.SGD) => unknown, error: string][] = [
    ['a factor of 0', (of) => new ConstantLR(of, { factor: 0 }), 'RangeError: ConstantLR: expected factor to be a number from'],
    ['a factor above 1', (of) => new ConstantLR(of, { factor: 2 }), 'RangeError: ConstantLR: expected factor to be a number from'],
    ['no epochs', (of) => new ConstantLR(of, { totalIters: 0 }), 'RangeError: ConstantLR: expected totalIters to be a positive integer, got 0.'],
    ['no function', (of) => new MultiplicativeLR(of, { lrLambda: 0.5 as never }), 'TypeError: MultiplicativeLR: expected lrLambda to be a function, got 0.5.'],
    ['two functions for one group', (of) => new MultiplicativeLR(of, { lrLambda: [() => 1, () => 1] }), 'RangeError: MultiplicativeLR: expected 1 functions, one for each group, got 2.'],
    ['another mode', cycle({ mode: 'square' }), 'RangeError: CyclicLR: expected mode to be '],
    ['rates for other groups', cycle({ maxLr: [1, 2] }), 'RangeError: CyclicLR: expected 1 values in maxLr, one for each group, got 2.'],
    ['no steps', cycle({ stepSizeDown: 0 }), 'RangeError: CyclicLR: expected stepSizeDown to be a positive integer, got 0.'],
    ['a momentum of 1', cycle({ maxMomentum: 1 }), 'RangeError: CyclicLR: expected maxMomentum to be a number from 0 to'],
    ['a name that is none', cycle({ maxLR: 1 }), 'TypeError: CyclicLR: expected options among'],
    ['no schedulers', () => new ChainedScheduler([]), 'RangeError: ChainedScheduler: expected at least one scheduler, got none.'],
    ['no list', (of) => new ChainedScheduler(new ExponentialLR(of, { gamma: 1 }) as never), 'TypeError: ChainedScheduler: expected schedulers to be an array'],
    ['what is none', () => new ChainedScheduler([null as never]), 'TypeError: ChainedScheduler: expected schedulers of one schedule'],
    ['a chain in a chain', (of) => new ChainedScheduler([new ChainedScheduler([new LambdaLR(of, { lrLambda: () => 1 })])]), 'TypeError: ChainedScheduler: expected schedulers of one schedule (no ReduceLROnPlateau, SequentialLR or ChainedScheduler), got an instance of ChainedScheduler.'],
    ['two optimizers', (of) => new ChainedScheduler([new ExponentialLR(of, { gamma: 1 }), new ExponentialLR(sgd(), { gamma: 1 })]), "RangeError: ChainedScheduler: expected schedulers of one optimizer, got another's at index 1."],
  ];
  test.each(wrong)('%s', (_, use, error) => {
    const of = sgd();
    expect(thrownBy(() => use(of)).startsWith(error)).toBe(true);
    expect([of.paramGroups[0]!.lr, of.paramGroups[0]!.momentum]).toEqual([0.5, 0.9]);
  });
});

test('CyclicLR asks for momentum where it moves it', () => {
  const of = new optim.Adagrad([new nn.Parameter(tensor([1]))], { lr: 0.5 });
  expect(thrownBy(() => new CyclicLR(of, { baseLr: 0.1, maxLr: 1 }))).toMatch(
    'expected an optimizer with momentum or betas',
  );
  expect(of.paramGroups[0]!.lr).toBe(0.5);
  new CyclicLR(of, { baseLr: 0.1, maxLr: 1, cycleMomentum: false });
  expect(of.paramGroups[0]!.lr).toBe(0.1);
});
