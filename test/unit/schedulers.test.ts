// What schedulers refuse, what they change then (nothing), and the traps around them. Their values: test/golden.
import { describe, expect, test, vi } from 'vitest';

import { nn, optim, tensor } from '../../src/index.js';
import { thrownBy } from '../helpers/snapshot.js';

const { lrScheduler } = optim;

const sgd = (lr = 1): optim.SGD =>
  new optim.SGD([new nn.Parameter(tensor([1]))], { lr, momentum: 0.5 });

describe('refused, and nothing has changed', () => {
  type Make = (optimizer: optim.SGD) => unknown;
  test.each<[string, Make, string]>([
    ['no optimizer', () => new lrScheduler.StepLR({} as never, { stepSize: 1 }), 'TypeError: StepLR: expected an optimizer, got an object.'],
    ['stepSize 0', (o) => new lrScheduler.StepLR(o, { stepSize: 0 }), 'RangeError: StepLR: expected stepSize to be a positive integer, got 0.'],
    ['step_size', (o) => new lrScheduler.StepLR(o, { step_size: 3 } as never), "TypeError: StepLR: expected options among stepSize, gamma, lastEpoch, got 'step_size' (did you mean 'stepSize'?)."],
    ['a gamma that is none', (o) => new lrScheduler.ExponentialLR(o, { gamma: NaN }), 'RangeError: ExponentialLR: expected gamma to be a finite number of at least 0, got NaN.'],
    ['milestones that are none', (o) => new lrScheduler.MultiStepLR(o, { milestones: 3 as never }), 'TypeError: MultiStepLR: expected milestones to be an array, got 3.'],
    ['startFactor 0', (o) => new lrScheduler.LinearLR(o, { startFactor: 0 }), 'RangeError: LinearLR: expected startFactor to be a number from 5e-324 to 1, got 0.'],
    ['tMax half', (o) => new lrScheduler.CosineAnnealingLR(o, { tMax: 0.5 }), 'RangeError: CosineAnnealingLR: expected tMax to be a positive integer, got 0.5.'],
    ['t0 0', (o) => new lrScheduler.CosineAnnealingWarmRestarts(o, { t0: 0 }), 'RangeError: CosineAnnealingWarmRestarts: expected t0 to be a positive integer, got 0.'],
    ['no steps', (o) => new lrScheduler.OneCycleLR(o, { maxLr: 1 }), 'TypeError: OneCycleLR: expected totalSteps, or epochs and stepsPerEpoch, got neither.'],
    ['two maxLr for one group', (o) => new lrScheduler.OneCycleLR(o, { maxLr: [1, 2], totalSteps: 5 }), 'RangeError: OneCycleLR: expected 1 values in maxLr, one for each group, got 2.'],
    ['a momentum of 1', (o) => new lrScheduler.OneCycleLR(o, { maxLr: 1, totalSteps: 5, maxMomentum: 1 }), 'RangeError: OneCycleLR: expected maxMomentum to be a number from 0 to 0.9999999999999998, got 1.'],
    ['lambdas for two groups', (o) => new lrScheduler.LambdaLR(o, { lrLambda: [() => 1, () => 1] }), 'RangeError: LambdaLR: expected 1 functions, one for each group, got 2.'],
    ['a lambda without result', (o) => new lrScheduler.LambdaLR(o, { lrLambda: (() => undefined) as never }), "TypeError: LambdaLR: expected lrLambda's result to be a finite number of at least 0, got undefined."],
    ['factor 1', (o) => new lrScheduler.ReduceLROnPlateau(o, { factor: 1 }), 'RangeError: ReduceLROnPlateau: expected factor to be a number from 0 to 0.9999999999999998, got 1.'],
    ['mode mean', (o) => new lrScheduler.ReduceLROnPlateau(o, { mode: 'mean' as never }), "RangeError: ReduceLROnPlateau: expected mode to be 'min' or 'max', got 'mean'."],
    ['no initialLr to go on from', (o) => new lrScheduler.StepLR(o, { stepSize: 1, lastEpoch: 4 }), "RangeError: StepLR: expected initialLr in paramGroups[0] (param 'initial_lr' is not specified when resuming an optimizer), got none."],
    ['no schedulers', (o) => new lrScheduler.SequentialLR(o, { schedulers: [], milestones: [] }), 'RangeError: SequentialLR: expected at least one scheduler, got none.'],
    ['a plateau in a sequence', (o) => new lrScheduler.SequentialLR(o, { schedulers: [new lrScheduler.ReduceLROnPlateau(o) as never], milestones: [] }), 'TypeError: SequentialLR: expected schedulers of one schedule (no ReduceLROnPlateau, SequentialLR or ChainedScheduler), got an instance of ReduceLROnPlateau.'],
    ["another optimizer's", (o) => new lrScheduler.SequentialLR(o, { schedulers: [new lrScheduler.StepLR(sgd(), { stepSize: 1 })], milestones: [] }), "RangeError: SequentialLR: expected schedulers of one optimizer, got another's at index 0."],
  ])('%s', (_, make, words) => {
    const optimizer = sgd();
    const before = JSON.stringify(optimizer.stateDict());
    expect(thrownBy(() => make(optimizer))).toBe(words);
    expect(JSON.stringify(optimizer.stateDict())).toBe(before);
  }); // prettier-ignore

  test('OneCycleLR of an optimizer without momentum', () => {
    const adagrad = new optim.Adagrad([new nn.Parameter(tensor([1]))]);
    expect(
      thrownBy(() => new lrScheduler.OneCycleLR(adagrad, { maxLr: 1, totalSteps: 3 })),
    ).toMatch(/optimizer must support momentum/);
    expect(adagrad.paramGroups[0]!.initialLr).toBeUndefined();
    expect(
      () => new lrScheduler.OneCycleLR(adagrad, { maxLr: 1, totalSteps: 3, cycleMomentum: false }),
    ).not.toThrow();
  });

  test('a step beyond the last', () => {
    const optimizer = sgd();
    const scheduler = new lrScheduler.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 2 });
    optimizer.step();
    scheduler.step();
    scheduler.step();
    const before = [JSON.stringify(optimizer.paramGroups), JSON.stringify(scheduler.stateDict())];
    expect(thrownBy(() => scheduler.step())).toMatch(
      /^RangeError: OneCycleLR.step: expected at most 2 steps \(Tried to step 3 times/,
    );
    expect([JSON.stringify(optimizer.paramGroups), JSON.stringify(scheduler.stateDict())]).toEqual(
      before,
    );
  });

  test.each<[string, (state: Record<string, unknown>) => unknown, string]>([
    ['null', () => null, "TypeError: StepLR.loadStateDict: expected a scheduler's state, got null."],
    ['a name too many', (state) => ({ ...state, extra: 1 }), "RangeError: StepLR.loadStateDict: expected a state with step_size, gamma, base_lrs, last_epoch, _step_count, _last_lr, got 'extra' too."],
    ['a name too few', ({ gamma: _, ...state }) => state, 'TypeError: StepLR.loadStateDict: expected gamma, got none.'],
    ['a value of another kind', (state) => ({ ...state, gamma: '1' }), 'TypeError: StepLR.loadStateDict: expected gamma to be a number, got \'1\'.'],
    ['a value out of range', (state) => ({ ...state, gamma: -1 }), 'RangeError: StepLR.loadStateDict: expected gamma to be a finite number of at least 0, got -1.'],
    ['rates of two groups', (state) => ({ ...state, base_lrs: [1, 2] }), 'RangeError: StepLR.loadStateDict: expected 1 values in base_lrs, got 2.'],
  ])('a state: %s', (_, change, words) => {
    const scheduler = new lrScheduler.StepLR(sgd(), { stepSize: 3 });
    const before = scheduler.stateDict();
    expect(thrownBy(() => scheduler.loadStateDict(change(scheduler.stateDict()) as object))).toBe(words);
    expect(scheduler.stateDict()).toEqual(before);
  }); // prettier-ignore

  test('a member of a sequence: all members stay', () => {
    const optimizer = sgd();
    const schedulers = [
      new lrScheduler.LinearLR(optimizer),
      new lrScheduler.StepLR(optimizer, { stepSize: 2 }),
    ];
    const sequence = new lrScheduler.SequentialLR(optimizer, { schedulers, milestones: [3] });
    const before = sequence.stateDict();
    const states = before._schedulers as Record<string, unknown>[];
    const broken = {
      ...before,
      _schedulers: [
        { ...states[0], last_epoch: 2 },
        { ...states[1], gamma: -1 },
      ],
    };
    expect(thrownBy(() => sequence.loadStateDict(broken))).toMatch(
      /^RangeError: StepLR.loadStateDict/,
    );
    expect(sequence.stateDict()).toEqual(before);
  });
});

describe('traps', () => {
  test('a step before the optimizer says so, once', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const optimizer = sgd();
    const early = new lrScheduler.StepLR(optimizer, { stepSize: 3 });
    early.step();
    early.step();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]![0])).toMatch(
      /^StepLR.step: Detected call of `lr_scheduler.step\(\)` before/,
    );
    optimizer.step();
    new lrScheduler.StepLR(optimizer, { stepSize: 3 }).step();
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });

  test('lastEpoch goes on from initialLr of the groups, as PyTorch', () => {
    const params = [new nn.Parameter(tensor([1]))];
    const optimizer = new optim.SGD([{ params, lr: 0.25, initialLr: 1 }], { lr: 1 });
    const scheduler = new lrScheduler.ExponentialLR(optimizer, { gamma: 0.5, lastEpoch: 2 });
    expect([scheduler.lastEpoch, scheduler.baseLrs, scheduler.getLastLr()]).toEqual([
      3,
      [1],
      [0.125],
    ]);
  });

  test("initial_lr travels in the optimizer's state", () => {
    const optimizer = sgd(0.5);
    new lrScheduler.ExponentialLR(optimizer, { gamma: 0.5 });
    optimizer.paramGroups[0]!.lr = 0.125;
    const state = optimizer.stateDict();
    expect(state.param_groups[0]).toMatchObject({ lr: 0.125, initial_lr: 0.5 });
    const fresh = sgd(9);
    fresh.loadStateDict(state);
    expect(fresh.paramGroups[0]).toMatchObject({ lr: 0.125, initialLr: 0.5 });
    expect(new lrScheduler.StepLR(fresh, { stepSize: 4 }).baseLrs).toEqual([0.5]);
    expect(() =>
      fresh.loadStateDict({
        ...state,
        param_groups: [{ ...state.param_groups[0], initial_lr: -1 }],
      }),
    ).toThrow(RangeError);
    expect(fresh.paramGroups[0]!.initialLr).toBe(0.5);
  });

  test('the state is a copy', () => {
    const scheduler = new lrScheduler.StepLR(sgd(), { stepSize: 3 });
    (scheduler.stateDict().base_lrs as number[])[0] = 7;
    scheduler.baseLrs[0] = 7;
    expect(scheduler.baseLrs).toEqual([1]);
  });

  test('NaN is no improvement, a tensor of one is a metric', () => {
    const optimizer = sgd();
    const plateau = new lrScheduler.ReduceLROnPlateau(optimizer, { patience: 0, factor: 0.5 });
    plateau.step(tensor([2]));
    plateau.step(NaN);
    expect([plateau.best, plateau.getLastLr(), plateau.lastEpoch, plateau.numBadEpochs]).toEqual([
      2,
      [0.5],
      2,
      0,
    ]);
    expect(() => plateau.step('3' as never)).toThrow(TypeError);
  });
});
