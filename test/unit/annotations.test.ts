// The types that one writes beside fields and arguments: any optimiser, any scheduler, any layer. What matters here is that
// `npm run types` accepts the file; the calls show that the types say what is there.
import { expect, expectTypeOf, test } from 'vitest';

import { data, functional, nn, optim, tensor, type Tensor } from '../../src/index.js';

class Trainer {
  readonly optimizers: optim.Optimizer[];
  readonly schedulers: optim.lrScheduler.LRScheduler[];
  constructor(
    private readonly model: nn.Layer,
    private readonly loader: Iterable<readonly [Tensor, Tensor]>,
  ) {
    const parameters = [...model.parameters()];
    this.optimizers = [
      new optim.SGD(parameters, { lr: 0.1 }),
      new optim.Adam(parameters),
      new optim.AdamW(optim.groups(model, { weightDecay: 0.1 })),
      new optim.RMSprop(parameters),
      new optim.Adagrad(parameters),
      new optim.NAdam(parameters),
      new optim.LARS(parameters, { lr: 0.1 }),
    ];
    const { StepLR, MultiStepLR, ExponentialLR, LinearLR, LambdaLR } = optim.lrScheduler;
    const { CosineAnnealingLR, CosineAnnealingWarmRestarts, OneCycleLR } = optim.lrScheduler;
    const { ConstantLR, MultiplicativeLR, CyclicLR } = optim.lrScheduler;
    const { SequentialLR, ChainedScheduler } = optim.lrScheduler;
    const [first] = this.optimizers as [optim.Optimizer];
    this.schedulers = [
      new StepLR(first, { stepSize: 1 }),
      new MultiStepLR(first, { milestones: [1] }),
      new ExponentialLR(first, { gamma: 0.5 }),
      new LinearLR(first),
      new LambdaLR(first, { lrLambda: () => 1 }),
      new CosineAnnealingLR(first, { tMax: 2 }),
      new CosineAnnealingWarmRestarts(first, { t0: 2 }),
      new OneCycleLR(first, { maxLr: 1, totalSteps: 10 }),
      new ConstantLR(first),
      new MultiplicativeLR(first, { lrLambda: () => 1 }),
      new CyclicLR(first, { baseLr: 0.1, maxLr: 1 }),
    ];
    // Members may be of the general type, and what is made of them is of it too.
    const members: optim.lrScheduler.LRScheduler[] = [new LinearLR(first), new ConstantLR(first)];
    this.schedulers.push(
      new SequentialLR(first, { schedulers: members, milestones: [1] }),
      new ChainedScheduler([new LinearLR(first), new ConstantLR(first)]),
    );
  }

  step(): number {
    let total = 0;
    for (const [x, label] of this.loader) {
      const loss = functional.crossEntropy(this.model.forward(x), label);
      for (const each of this.optimizers) each.zeroGrad();
      loss.backward();
      for (const each of this.optimizers) each.step();
      total += loss.item();
    }
    for (const each of this.schedulers) each.step();
    return total;
  }
}

class Tower extends nn.Module {
  // With a type, as a field that the constructor assigns has one.
  readonly blocks: nn.ModuleList;
  constructor(width: number, depth: number) {
    super();
    this.blocks = new nn.ModuleList(
      Array.from(
        { length: depth },
        () => new nn.Sequential(new nn.Linear(width, width), new nn.BatchNorm1d(width)),
      ),
    );
  }
  forward(x: Tensor): Tensor {
    for (const block of this.blocks) x = functional.relu(block.forward(x));
    return x;
  }
}

test('a trainer of any model, optimisers and schedulers', () => {
  const set = new data.TensorDataset(tensor([[1, 2], [3, 4], [0, 1]]), [0, 1, 1]); // prettier-ignore
  const trainer = new Trainer(new Tower(2, 2), new data.DataLoader(set, { batchSize: 3 }));
  expect(trainer.step()).toBeGreaterThan(0);
  expectTypeOf(trainer.optimizers[0]!.paramGroups[0]!.lr).toBeNumber();

  // Every scheduler is there, is an LRScheduler at run time too, and has what the type names.
  const { LRScheduler, ReduceLROnPlateau, ...others } = optim.lrScheduler;
  const made = trainer.schedulers.map((each) => each.constructor.name);
  expect(made.sort()).toEqual(Object.keys(others).sort());
  for (const each of trainer.schedulers) {
    expect(each).toBeInstanceOf(LRScheduler);
    expect(each.optimizer).toBe(trainer.optimizers[0]);
    expect([each.lastEpoch, each.baseLrs.length, each.getLastLr().length]).toEqual([1, 1, 1]);
    each.loadStateDict(each.stateDict());
  }

  // Its step takes a metric: what steps any LRScheduler cannot step it.
  expect(new ReduceLROnPlateau(trainer.optimizers[0]!)).not.toBeInstanceOf(LRScheduler);
});

test('schedulers as types', () => {
  type Any = optim.lrScheduler.LRScheduler;
  expectTypeOf<optim.lrScheduler.SequentialLR>().toExtend<Any>();
  expectTypeOf<optim.lrScheduler.ChainedScheduler>().toExtend<Any>();
  expectTypeOf<optim.lrScheduler.StepLR>().toExtend<Any>();
  expectTypeOf<optim.lrScheduler.ReduceLROnPlateau>().not.toExtend<Any>();
  expectTypeOf<Any['step']>().toEqualTypeOf<(...rest: never[]) => void>();
});

test('hooks know what their module takes and gives', () => {
  const linear = new nn.Linear(2, 3);
  const seen: string[] = [];
  linear.registerForwardPreHook((module, inputs) => {
    expectTypeOf(module).toEqualTypeOf<nn.Linear>();
    seen.push(`${module.inFeatures} ${inputs.length}`);
  });
  linear.registerForwardHook((module, _, y) => {
    expectTypeOf(y).toEqualTypeOf<Tensor>();
    seen.push(`${module.outFeatures} ${y.shape.join('×')}`);
  });
  linear.forward(tensor([[1, 2]]));
  expect(seen).toEqual(['2 1', '3 1×3']);

  // Of a module whose class is not known they may be anything.
  const any: nn.Module = linear;
  any.registerForwardHook((_, inputs, y) => {
    expectTypeOf(inputs).toEqualTypeOf<readonly unknown[]>();
    expectTypeOf(y).toBeUnknown();
  });
});
