// Twelve of the surveyed training loops, each with the kind of model, the losses, the optimiser, the schedule and the tricks
// that the survey found in it (scripts/survey/needs.json), in code of our own. scripts/golden/loops.py has the same.
// Longer than 250 lines because there are twelve.
import {
  data,
  functional as F,
  nn,
  noGrad,
  ones,
  optim,
  tensor,
  zeros,
  type Tensor,
} from 'evenkeel';

import { GAN } from '../../examples/architectures/gan.js';
import { M5 } from '../../examples/architectures/m5.js';
import { SimSiam, simSiamLoss } from '../../examples/architectures/simsiam.js';
import {
  cars,
  Dice,
  digits,
  letters,
  sounds,
  started,
  strikes,
  weather,
  type Labelled,
  type Strike,
} from './loops-data.js';
import * as models from './loops-models.js';

const { Adam, AdamW, SGD, lrScheduler } = optim;
const float64 = { dtype: 'float64' } as const;
const STEPS = 20;

/** What a loop ends with: losses, with whatever else it decided by, and models. */
export interface Run {
  readonly losses: number[];
  readonly models: readonly nn.Module[];
}

export interface Loop {
  /** As the page docs/training.md says it. */
  readonly kind: string;
  readonly run: () => Run;
}

const table = (rows: readonly (readonly number[])[]): Tensor => tensor(rows, float64);
const inputs = (rows: readonly Labelled[]): Tensor => table(rows.map(([x]) => x));
const labels = (rows: readonly Labelled[]): Int32Array => Int32Array.from(rows, ([, y]) => y);
const xy = (rows: readonly Labelled[]): [Tensor, Tensor] => [
  inputs(rows),
  table(rows.map(([, y]) => [y])),
];

/** Four batches. */
function parts<T>(rows: readonly T[]): T[][] {
  const size = rows.length / 4;
  return Array.from({ length: 4 }, (_, i) => rows.slice(i * size, (i + 1) * size));
}

/** One step. */
function learn(optimizer: optim.Optimizer, loss: Tensor, clip?: number): number {
  optimizer.zeroGrad();
  loss.backward();
  if (clip !== undefined) {
    nn.clipGradNorm_(
      optimizer.paramGroups.flatMap(({ params }) => params),
      clip,
    );
  }
  optimizer.step();
  return loss.item();
}

function housePrices(): Run {
  const model = started(models.houseModel());
  const rows = cars();
  const [x, y] = xy(rows.slice(128));
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const plateau = new lrScheduler.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 0 });
  const losses: number[] = [];
  for (let epoch = 0; epoch < 5; epoch++) {
    model.train();
    for (const [inputs, wanted] of parts(rows.slice(0, 128)).map(xy)) {
      losses.push(learn(optimizer, F.smoothL1Loss(model.forward(inputs), wanted), 1));
    }
    model.eval();
    const held = noGrad(() => F.smoothL1Loss(model.forward(x), y)).item();
    plateau.step(held);
    losses.push(held);
  }
  return { losses: [...losses, optimizer.paramGroups[0]!.lr], models: [model] };
}

function tableOfTwoHeads(): Run {
  const [rows, sizes] = strikes();
  const model = started(new models.TwoHeads(sizes, 2));
  const optimizer = new Adam(model.parameters(), { lr: 0.02 });
  const schedule = new lrScheduler.CosineAnnealingLR(optimizer, { tMax: 5 });
  const lossOf = (each: readonly Strike[]): Tensor => {
    const codes = tensor(
      each.map(({ codes }) => codes),
      { dtype: 'int64' },
    );
    const [value, logit] = model.forward(codes, table(each.map(({ numbers }) => numbers)));
    const speed = F.mseLoss(value, table(each.map(({ speed }) => [speed])));
    const damaged = table(each.map(({ damage }) => [damage]));
    return speed.add(F.binaryCrossEntropyWithLogits(logit, damaged).mul(0.5));
  };
  const losses: number[] = [];
  const held = rows.slice(128);
  let [best, kept] = [Infinity, model.stateDict()];
  for (let epoch = 0; epoch < 5; epoch++) {
    model.train();
    for (const each of parts(rows.slice(0, 128))) losses.push(learn(optimizer, lossOf(each)));
    schedule.step();
    model.eval();
    const loss = noGrad(() => lossOf(held)).item();
    losses.push(loss);
    if (loss < best) [best, kept] = [loss, model.stateDict().clone()];
  }
  model.loadStateDict(kept);
  losses.push(noGrad(() => lossOf(held)).item());
  return { losses, models: [model] };
}

function weatherForecast(): Run {
  const make = (): [nn.Sequential, optim.Adam, optim.lrScheduler.ReduceLROnPlateau] => {
    const model = started(models.weatherModel());
    const optimizer = new Adam(model.parameters(), { lr: 0.03 });
    const settings = { factor: 0.3, patience: 0, threshold: 0.2 };
    return [model, optimizer, new lrScheduler.ReduceLROnPlateau(optimizer, settings)];
  };
  const rows = weather();
  const [x, y] = xy(rows.slice(128));
  let [model, optimizer, plateau] = make();
  const stopping = new optim.EarlyStopping({ patience: 1, minDelta: 0.05 });
  const losses: number[] = [];
  for (let epoch = 0; epoch < 5; epoch++) {
    if (epoch === 2) {
      const states = [
        model.stateDict().clone(),
        optimizer.stateDict(),
        plateau.stateDict(),
      ] as const;
      [model, optimizer, plateau] = make();
      model.loadStateDict(states[0]);
      optimizer.loadStateDict(states[1]);
      plateau.loadStateDict(states[2]);
    }
    model.train();
    for (const [inputs, wanted] of parts(rows.slice(0, 128)).map(xy)) {
      losses.push(learn(optimizer, F.mseLoss(model.forward(inputs), wanted)));
    }
    model.eval();
    const held = noGrad(() => F.mseLoss(model.forward(x), y)).item();
    losses.push(held);
    plateau.step(held);
    if (stopping.step(held, model)) break;
  }
  stopping.restore(model);
  return { losses: [...losses, optimizer.paramGroups[0]!.lr, losses.length], models: [model] };
}

function twoTowers(): Run {
  const model = started(new models.Towers());
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const criterion = new nn.BCELoss();
  const batches = parts(digits()).map(inputs);
  const losses = Array.from({ length: STEPS }, (_, step) => {
    const [upper, lower] = F.split(batches[step % 4]!, [21, 28], { dim: 1 }) as [Tensor, Tensor];
    // Beside each upper half its own lower half, and that of the digit three further.
    const [first, others] = F.split(lower, [3, 47]) as [Tensor, Tensor];
    const y = model.forward(F.cat([upper, upper]), F.cat([lower, others, first]));
    return learn(
      optimizer,
      criterion.forward(y, F.cat([ones([50], float64), zeros([50], float64)])),
    );
  });
  return { losses, models: [model] };
}

function letterSequences(): Run {
  const model = started(new models.Sequences());
  const optimizer = new Adam(model.parameters(), { lr: 0.005 });
  const plateau = new lrScheduler.ReduceLROnPlateau(optimizer, {
    ...{ mode: 'max', factor: 0.1, patience: 0 },
  });
  const criterion = new nn.CrossEntropyLoss();
  const losses: number[] = [];
  for (let epoch = 0; epoch < 5; epoch++) {
    let right = 0;
    for (const each of parts(letters())) {
      const codes = tensor(
        each.map(([x]) => x),
        { dtype: 'int64' },
      );
      const scores = model.forward(F.oneHot(codes, 4).double());
      losses.push(learn(optimizer, criterion.forward(scores, labels(each))));
      const wanted = tensor(labels(each), [each.length]);
      right += scores.argmax({ dim: 1 }).eq(wanted).sum().item();
    }
    plateau.step(right / 60);
    losses.push(right / 60);
  }
  return { losses: [...losses, optimizer.paramGroups[0]!.lr], models: [model] };
}

function molecules(): Run {
  const model = started(new models.Graphs());
  const optimizer = new AdamW(model.parameters(), { lr: 0.01, weightDecay: 0.01 });
  const restarts = new lrScheduler.CosineAnnealingWarmRestarts(optimizer, {
    ...{ t0: 5, tMult: 2, etaMin: 1e-4 },
  });
  const dice = new Dice(5);
  const losses = Array.from({ length: STEPS }, () => {
    // What a weighted sampler draws: every second is one of the rare class, a nine.
    const drawn = Array.from({ length: 12 }, (_, i) => {
      return digits()[10 * dice.whole(20) + (i % 2 === 0 ? 9 : dice.whole(10))]!;
    });
    const wanted = tensor(
      drawn.map(([, label]) => (label === 9 ? 1 : 0)),
      float64,
    );
    const logits = model.forward(models.graphsOf(drawn.map(([x]) => x)));
    const each = F.binaryCrossEntropyWithLogits(logits, wanted, { reduction: 'none' });
    const wrong = F.sub(1, each.neg().exp());
    const alpha = wanted.mul(0.25).add(F.sub(1, wanted).mul(0.75));
    const loss = learn(optimizer, alpha.mul(wrong.pow(2)).mul(each).mean(), 1);
    restarts.step();
    return loss;
  });
  return { losses, models: [model] };
}

function spokenWords(): Run {
  const model = started(new M5({ outputs: 10, stride: 4, channels: 4, ...float64 }));
  const optimizer = new Adam(model.parameters(), { lr: 0.01, weightDecay: 0.0001 });
  const schedule = new lrScheduler.StepLR(optimizer, { stepSize: 8, gamma: 0.1 });
  const loader = new data.DataLoader(sounds(), {
    batchSize: 10,
    collate: (samples) => {
      const each = samples.map(([sound]) => tensor(sound, float64));
      return [data.padSequence(each).padded.unsqueeze(1), labels(samples)] as const;
    },
  });
  const losses: number[] = [];
  while (losses.length < STEPS) {
    for (const [sound, label] of loader) {
      losses.push(learn(optimizer, F.nllLoss(model.forward(sound).squeeze(1), label)));
      schedule.step();
    }
  }
  return { losses, models: [model] };
}

function pointSets(): Run {
  const model = started(new models.PointSets());
  const settings = { lr: 0.02, momentum: 0.9, weightDecay: 1e-4 };
  const optimizer = new SGD(model.parameters(), settings);
  const schedule = new lrScheduler.CosineAnnealingLR(optimizer, { tMax: 5, etaMin: 0.001 });
  const criterion = new nn.CrossEntropyLoss({ labelSmoothing: 0.2 });
  const [rows, columns] = [
    Array.from({ length: 49 }, (_, at) => Math.floor(at / 7) / 3 - 1),
    Array.from({ length: 49 }, (_, at) => (at % 7) / 3 - 1),
  ];
  const points = digits()
    .slice(0, 90)
    .map(([x]) => [rows, columns, x]);
  const set = new data.TensorDataset(tensor(points, float64), labels(digits().slice(0, 90)));
  const loader = new data.DataLoader(set, { batchSize: 20, dropLast: true });
  const losses: number[] = [];
  for (let epoch = 0; epoch < 5; epoch++) {
    for (const [x, label] of loader) {
      losses.push(learn(optimizer, criterion.forward(model.forward(x), label)));
    }
    schedule.step();
  }
  return { losses, models: [model] };
}

function twoViews(): Run {
  const model = started(new SimSiam({ width: 49, dim: 16, predDim: 6, ...float64 }));
  // The bias of the projector's last layer is frozen: an optimiser takes what learns.
  const groups = [model.encoder, model.predictor].map((part) => ({
    params: [...part.parameters()].filter(({ requiresGrad }) => requiresGrad),
  }));
  const optimizer = new SGD(groups, { lr: 0.05, momentum: 0.9, weightDecay: 1e-4 });
  const dice = new Dice(9);
  const losses = Array.from({ length: STEPS }, (_, step) => {
    const fall = 0.5 * (1 + Math.cos((Math.PI * step) / STEPS));
    optimizer.paramGroups[0]!.lr = 0.05 * fall; // that of the predictor stays
    const x = inputs(parts(digits())[step % 4]!);
    const view = (): Tensor => x.add(dice.numbers(50, 49).mul(0.3));
    return learn(optimizer, simSiamLoss(model.forward(view(), view())));
  });
  return { losses, models: [model] };
}

function adversaries(): Run {
  const both = started(
    new GAN({ latent: 6, widths: [16, 20, 24], pixels: 49, judge: [16, 10], ...float64 }),
  );
  const { generator, discriminator } = both;
  const settings = { lr: 0.002, betas: [0.5, 0.999] as const };
  const ofGenerator = new Adam(generator.parameters(), settings);
  const ofDiscriminator = new Adam(discriminator.parameters(), settings);
  const criterion = new nn.BCELoss();
  const [valid, fake] = [ones([50, 1], float64), zeros([50, 1], float64)];
  const dice = new Dice(3);
  const losses = Array.from({ length: STEPS }, (_, step) => {
    const real = inputs(parts(digits())[step % 4]!)
      .mul(2)
      .sub(1);
    const pictures = generator.forward(dice.numbers(50, 6));
    const fooled = criterion.forward(discriminator.forward(pictures), valid);
    const first = learn(ofGenerator, fooled);
    const onReal = criterion.forward(discriminator.forward(real), valid);
    const onFake = criterion.forward(discriminator.forward(pictures.detach()), fake);
    return [first, learn(ofDiscriminator, onReal.add(onFake).div(2))];
  });
  return { losses: losses.flat(), models: [both] };
}

function actorAndCritic(): Run {
  const [actor, critic] = [started(new models.Actor(), 1), started(new models.Critic(), 2)];
  const [slowActor, slowCritic] = [actor.clone().eval(), critic.clone().eval()];
  const ofActor = new Adam(actor.parameters(), { lr: 0.002 });
  const ofCritic = new Adam(critic.parameters(), { lr: 0.01 });
  const dice = new Dice(7);
  const losses = Array.from({ length: STEPS }, (_, step) => {
    const [days, next] = xy(parts(weather())[step % 4]!);
    const [state, after] = F.split(days, 4, { dim: 1 }) as [Tensor, Tensor, Tensor];
    const action = dice.numbers(40, 2);
    const reward = next.sub(1).abs().neg();
    const wanted = noGrad(() => {
      return slowCritic.forward(after, slowActor.forward(after)).mul(0.9).add(reward);
    });
    const first = learn(ofCritic, F.mseLoss(critic.forward(state, action), wanted));
    const second = learn(ofActor, critic.forward(state, actor.forward(state)).mean().neg());
    nn.softUpdate(slowActor, actor, 0.05);
    nn.softUpdate(slowCritic, critic, 0.05);
    return [first, second];
  });
  return { losses: losses.flat(), models: [actor, critic, slowActor, slowCritic] };
}

function autoencoder(): Run {
  const model = started(new models.Autoencoder());
  const optimizer = new Adam(model.parameters(), { lr: 0.005 });
  const dice = new Dice(11);
  const losses = Array.from({ length: STEPS }, (_, step) => {
    const x = inputs(parts(digits())[step % 4]!);
    const [picture, mean, logVar] = model.forward(x, dice.numbers(50, 4));
    const each = F.add(1, logVar).sub(mean.pow(2)).sub(logVar.exp());
    const divergence = each.sum({ dim: 1 }).mean().mul(-0.5);
    const error = F.mseLoss(picture, x, { reduction: 'sum' }).div(50);
    return learn(optimizer, error.add(divergence.mul(0.1)));
  });
  return { losses, models: [model] };
}

export const LOOPS: Readonly<Record<string, Loop>> = {
  L01: { kind: 'house prices', run: housePrices },
  L04: { kind: 'table with two heads', run: tableOfTwoHeads },
  L05: { kind: 'weather forecast', run: weatherForecast },
  L08: { kind: 'two towers', run: twoTowers },
  L11: { kind: 'letter sequences', run: letterSequences },
  L18: { kind: 'molecules', run: molecules },
  L23: { kind: 'spoken words', run: spokenWords },
  L24: { kind: 'point sets', run: pointSets },
  L28: { kind: 'two views', run: twoViews },
  L29: { kind: 'two adversaries', run: adversaries },
  L31: { kind: 'actor and critic', run: actorAndCritic },
  L41: { kind: 'variational autoencoder', run: autoencoder },
};
