// Learning rate schedules against PyTorch's over 200 steps: alone, chained, with two groups, and resumed in the middle
// from PyTorch's own state and from ours.
import { nn, optim, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { expectAllClose } from '../helpers/expect-close.js';
import { decode, readGolden, type Encoded } from '../helpers/golden.js';

interface Link {
  name: Exclude<keyof typeof optim.lrScheduler, 'LRScheduler'>;
  options: Record<string, unknown>;
}

interface Case {
  optimizer: 'SGD' | 'Adam';
  chain: Link[];
  values: Encoded;
  stopped: { optimizer: optim.OptimizerStateDict; schedulers: object[] };
}

const golden = readGolden('schedulers') as {
  torch: string;
  steps: number;
  stop: number;
  metrics: number[];
  cases: Case[];
  fractions: { epochs: number[]; values: number[] };
};

interface Stepped {
  step(metric?: number): void;
  stateDict(): object;
  loadStateDict(state: object): void;
}

type Optimizer = optim.SGD | optim.Adam;

function made(optimizer: Optimizer, { name, options }: Link): Stepped {
  const { lrScheduler } = optim;
  if (name === 'LambdaLR') {
    return new lrScheduler.LambdaLR(optimizer, { lrLambda: (epoch) => 1 / Math.sqrt(1 + epoch) });
  }
  if (name === 'MultiplicativeLR') {
    return new lrScheduler.MultiplicativeLR(optimizer, {
      lrLambda: (epoch) => 1 - 1 / (10 + epoch),
    });
  }
  if (name === 'ChainedScheduler') {
    const { schedulers } = options as { schedulers: Link[] };
    return new lrScheduler.ChainedScheduler(
      schedulers.map((each) => made(optimizer, each) as never),
    );
  }
  if (name === 'SequentialLR') {
    const { schedulers, milestones } = options as { schedulers: Link[]; milestones: number[] };
    const members = schedulers.map((each) => made(optimizer, each) as never);
    return new lrScheduler.SequentialLR(optimizer, { schedulers: members, milestones });
  }
  const make = lrScheduler[name] as unknown as new (of: Optimizer, options: object) => Stepped;
  return new make(optimizer, options);
}

function setUp(each: Case): { optimizer: Optimizer; chain: Stepped[] } {
  const [first, second] = [1, 2].map(() => new nn.Parameter(tensor([1, 1], { dtype: 'float64' })));
  const groups = [{ params: [first!] }, { params: [second!], lr: 0.02 }];
  const optimizer =
    each.optimizer === 'SGD'
      ? new optim.SGD(groups, { lr: 0.1, momentum: 0.9 })
      : new optim.Adam(groups, { lr: 0.1 });
  return { optimizer, chain: each.chain.map((link) => made(optimizer, link)) };
}

function inForce({ paramGroups }: Optimizer): number[] {
  const momenta = paramGroups.map((group) => ('betas' in group ? group.betas[0] : group.momentum));
  return [...paramGroups.map(({ lr }) => lr), ...momenta];
}

/**
 * The values of all steps from `from` on. A rate is the product of up to 200 factors, each rounded about eight times on
 * both sides; a cosine's ratio magnifies what is there by the way back from its least value, at most 1e4 here, and so
 * relative to the largest rate of 0.4.
 */
const ALLOWED = { tolerance: 200 * 2 * 8 * 2 ** -53 * 0.4 };

function expectValues(got: number[], { values }: Case, from: number): void {
  const expected = decode(values).subarray(4 * from);
  expectAllClose(got, expected, ALLOWED, `values from step ${from} on`);
}

function go(optimizer: Optimizer, chain: Stepped[], from: number, to: number): number[] {
  const values = inForce(optimizer);
  for (let step = from; step < to; step++) {
    optimizer.step();
    for (const each of chain) {
      if (each instanceof optim.lrScheduler.ReduceLROnPlateau) each.step(golden.metrics[step]);
      else each.step();
    }
    values.push(...inForce(optimizer));
  }
  return values;
}

describe(`schedules as PyTorch ${golden.torch} computes them`, () => {
  const { steps, stop } = golden;
  for (const each of golden.cases) {
    const title = `${each.optimizer}, ${each.chain.map(({ name, options }) => `${name} ${JSON.stringify(options)}`).join(', ')}`;

    test(`${title}: ${steps} steps`, () => {
      const { optimizer, chain } = setUp(each);
      expectValues(go(optimizer, chain, 0, steps), each, 0);
    });

    test(`${title}: goes on from PyTorch's state after ${stop}`, () => {
      const { optimizer, chain } = setUp(each);
      optimizer.loadStateDict(each.stopped.optimizer);
      chain.forEach((scheduler, i) => scheduler.loadStateDict(each.stopped.schedulers[i]!));
      expectValues(go(optimizer, chain, stop, steps), each, stop);
    });

    test(`${title}: goes on from ours, to the bit`, () => {
      const whole = setUp(each);
      const all = go(whole.optimizer, whole.chain, 0, steps);
      const half = setUp(each);
      go(half.optimizer, half.chain, 0, stop);
      const saved = JSON.stringify([
        half.optimizer.stateDict(),
        half.chain.map((s) => s.stateDict()),
      ]);
      const [optimizerState, states] = JSON.parse(saved) as [optim.OptimizerStateDict, object[]];
      const resumed = setUp(each);
      resumed.optimizer.loadStateDict(optimizerState);
      resumed.chain.forEach((scheduler, i) => scheduler.loadStateDict(states[i]!));
      expect(go(resumed.optimizer, resumed.chain, stop, steps)).toEqual(all.slice(4 * stop));
    });
  }

  test('warm restarts at fractions of epochs, and back', () => {
    const { optimizer } = setUp(golden.cases[0]!);
    const scheduler = new optim.lrScheduler.CosineAnnealingWarmRestarts(optimizer, {
      t0: 3,
      tMult: 2,
      etaMin: 0.01,
    });
    optimizer.step();
    const values: number[] = [];
    for (const epoch of [...golden.fractions.epochs, undefined]) {
      scheduler.step(epoch);
      values.push(...inForce(optimizer).slice(0, 2));
    }
    expect(values.length).toBe(golden.fractions.values.length);
    expectAllClose(values, golden.fractions.values, ALLOWED);
  });
});
