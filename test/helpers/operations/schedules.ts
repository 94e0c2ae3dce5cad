// Rows of schedules, of what watches a run, and of what chooses samples. To add one, add a row.
import type * as types from 'evenkeel';

import { row, type Operation, type Package } from './row.js';

const isMethod = true;
type Options = Readonly<Record<string, unknown>>;

interface Stepping {
  step(): void;
}

export function schedulesOf({ data, nn, optim, tensor }: Package): Operation[] {
  const optimizer = (): types.optim.SGD =>
    new optim.SGD([new nn.Parameter(tensor([1, 2]))], { lr: 0.5, momentum: 0.5 });
  /** The rates of three steps. */
  const stepping = (
    name: string,
    make: (optimizer: types.optim.SGD, options?: never) => Stepping,
    options: () => Options,
    given: Options | null = null,
  ): Operation => {
    const rates = (made: types.optim.SGD, first?: never): number[] => {
      const scheduler = make(made, first);
      return Array.from({ length: 3 }, () => {
        scheduler.step();
        return made.paramGroups[0]!.lr;
      });
    };
    const full = `optim.lrScheduler.${name}`;
    if (given === null) return row(full, () => [optimizer()], rates, { options });
    return row(
      full,
      () => [optimizer(), given],
      (made, first) => rates(made, first as never),
    );
  };
  const { lrScheduler } = optim;
  const rows = [5, 6, 7, 8];
  const samples = (): types.data.TensorDataset<types.Tensor[]> =>
    new data.TensorDataset(tensor([[1], [2], [3], [4]]));
  return [
    stepping(
      'StepLR',
      (of, options) => new lrScheduler.StepLR(of, options!),
      () => ({}),
      {
        stepSize: 2,
        gamma: 0.5,
      },
    ),
    stepping(
      'MultiStepLR',
      (of, options) => new lrScheduler.MultiStepLR(of, options!),
      () => ({}),
      {
        milestones: [1, 2],
        gamma: 0.5,
      },
    ),
    stepping(
      'ExponentialLR',
      (of, options) => new lrScheduler.ExponentialLR(of, options!),
      () => ({}),
      { gamma: 0.5 },
    ),
    stepping(
      'LinearLR',
      (of, options) => new lrScheduler.LinearLR(of, options),
      () => ({
        startFactor: 0.5,
        endFactor: 0.75,
        totalIters: 2,
      }),
    ),
    stepping(
      'ConstantLR',
      (of, options) => new lrScheduler.ConstantLR(of, options),
      () => ({ factor: 0.5, totalIters: 2 }),
    ),
    stepping(
      'MultiplicativeLR',
      (of, options) => new lrScheduler.MultiplicativeLR(of, options!),
      () => ({}),
      { lrLambda: (epoch: number) => 1 / (1 + epoch) },
    ),
    stepping(
      'CyclicLR',
      (of, options) => new lrScheduler.CyclicLR(of, options!),
      () => ({}),
      { baseLr: 0.5, maxLr: 1, stepSizeUp: 2 },
    ),
    stepping(
      'CosineAnnealingLR',
      (of, options) => new lrScheduler.CosineAnnealingLR(of, options!),
      () => ({}),
      { tMax: 4, etaMin: 0.125 },
    ),
    stepping(
      'CosineAnnealingWarmRestarts',
      (of, options) => new lrScheduler.CosineAnnealingWarmRestarts(of, options!),
      () => ({}),
      { t0: 2, tMult: 2, etaMin: 0.125 },
    ),
    stepping(
      'OneCycleLR',
      (of, options) => new lrScheduler.OneCycleLR(of, options!),
      () => ({}),
      {
        maxLr: 1,
        totalSteps: 10,
      },
    ),
    stepping(
      'LambdaLR',
      (of, options) => new lrScheduler.LambdaLR(of, options!),
      () => ({}),
      {
        lrLambda: (epoch: number) => 1 / (1 + epoch),
      },
    ),
    row(
      'optim.lrScheduler.ReduceLROnPlateau',
      () => [optimizer(), 1],
      (made, metric, options) => {
        const scheduler = new lrScheduler.ReduceLROnPlateau(made, options);
        for (let i = 0; i < 3; i++) scheduler.step(metric);
        return made.paramGroups[0]!.lr;
      },
      {
        options: () => ({
          ...{ mode: 'max', factor: 0.5, patience: 0, threshold: 0.5, thresholdMode: 'abs' },
          ...{ cooldown: 1, minLr: 0.25, eps: 0.5 },
        }),
      },
    ),
    row(
      'optim.EarlyStopping',
      () => [1],
      (metric, options) => {
        const stopping = new optim.EarlyStopping(options);
        const model = new nn.Linear(1, 1);
        return [stopping.step(metric, model), stopping.step(metric, model)];
      },
      { options: () => ({ patience: 1, minDelta: 0.5, mode: 'max', restoreBest: false }) },
    ),
    row(
      'optim.groups',
      () => [new nn.Linear(2, 1), { weightDecay: 0.5 }],
      (model, options) => optim.groups(model, options).map((each) => each.weightDecay),
    ),
    row(
      'nn.softUpdate',
      () => [new nn.Linear(2, 1), new nn.Linear(2, 1), 1],
      (target, source, tau) => nn.softUpdate(target, source, tau),
      { isMethod },
    ),
    row(
      'data.Subset',
      () => [samples(), [2, 0]],
      (of, indices) => new data.Subset(of, indices).length,
    ),
    row(
      'data.randomSplit',
      () => [samples(), [3, 1]],
      (of, lengths) => data.randomSplit(of, lengths).map((each) => each.length),
    ),
    row(
      'data.defaultCollate',
      () => [[rows, rows]],
      (items) => data.defaultCollate(items),
    ),
    row(
      'data.ConcatDataset',
      () => [[samples(), samples()]],
      (parts) => new data.ConcatDataset(parts).length,
    ),
    // Not all of their indices: what claims to have 10^9 samples is a data set too.
    row(
      'data.SequentialSampler',
      () => [rows],
      (of) => {
        const sampler = new data.SequentialSampler(of);
        const [first, second] = sampler;
        return [sampler.length, first, second];
      },
    ),
    row(
      'data.RandomSampler',
      () => [rows],
      (of, options) => new data.RandomSampler(of, options).length,
      {
        options: () => ({ replacement: true, numSamples: 2 }),
      },
    ),
    row(
      'data.WeightedRandomSampler',
      () => [[1, 0, 3], 5],
      (weights, count, options) =>
        [...new data.WeightedRandomSampler(weights, count, options)].length,
      { options: () => ({ replacement: true }) },
    ),
    row(
      'data.BatchSampler',
      () => [new data.SequentialSampler(rows), 3],
      (sampler, size, options) => [...new data.BatchSampler(sampler, size, options)],
      { options: () => ({ dropLast: true }) },
    ),
    ...(
      ['normal_', 'truncNormal_', 'xavierUniform_', 'xavierNormal_', 'zeros_', 'ones_'] as const
    ).map((name) =>
      row(
        `nn.init.${name}`,
        () => [tensor(new Float32Array(6), [3, 2])],
        (x) => nn.init[name](x),
        { isMethod },
      ),
    ),
    row(
      'nn.init.kaimingNormal_',
      () => [tensor(new Float32Array(6), [3, 2])],
      (x, options) => nn.init.kaimingNormal_(x, options),
      { isMethod, options: () => ({ a: 1, mode: 'fan_out', nonlinearity: 'relu' }) },
    ),
  ];
}
