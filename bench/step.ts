// A whole training step: Linear, BatchNorm1d, ReLU, Dropout, Linear, cross-entropy, SGD with momentum,
// as a user writes it; and where its time goes.
import { functional, nn, noGrad, optim, scope, tensor, type Tensor } from 'evenkeel';

import type { Contender } from './contender.js';
import { DROPOUT, LR, MOMENTUM, type Job } from './data.js';
import { clock, spreadOf, turnsOf } from './measure.js';

interface Training {
  readonly layers: readonly nn.Layer[];
  readonly model: nn.Sequential;
  readonly opt: optim.SGD;
  readonly x: Tensor;
  readonly labels: Tensor;
}

/** The share of an operation in a step, 0 to 1. */
export interface Share {
  readonly operation: string;
  readonly us: number;
  readonly share: number;
}

export function stepContenders(job: Job): Contender[] {
  const training = trainingOf(job);
  const one = (): void => step(training);
  return [contender('plain', job, one), contender('scope', job, () => scope(one))];
}

function contender(how: string, job: Job, call: () => void): Contender {
  const who = 'evenkeel';
  return { who, how, name: `${who}, ${how}`, turn: turnsOf(call), output: () => firstLoss(job) };
}

function trainingOf({ case: { shape }, x, step: data }: Job, dropout = DROPOUT): Training {
  const [batch = 0, inputs = 0, hidden = 0, classes = 0] = shape;
  const [fc1, fc2] = [new nn.Linear(inputs, hidden), new nn.Linear(hidden, classes)];
  for (const [layer, from] of [
    [fc1, data!.fc1],
    [fc2, data!.fc2],
  ] as const) {
    (layer.weight.data as Float32Array).set(from.weight);
    (layer.bias!.data as Float32Array).set(from.bias);
  }
  const layers = [fc1, new nn.BatchNorm1d(hidden), new nn.ReLU(), new nn.Dropout(dropout), fc2];
  const model = new nn.Sequential(...layers);
  return {
    layers,
    model,
    opt: new optim.SGD(model.parameters(), { lr: LR, momentum: MOMENTUM }),
    x: tensor(x, [batch, inputs]),
    labels: tensor(data!.labels),
  };
}

function step({ model, opt, x, labels }: Training): void {
  const loss = functional.crossEntropy(model.forward(x), labels);
  opt.zeroGrad();
  loss.backward();
  opt.step();
}

/** Without Dropout, so that it can be held against a reference. */
function firstLoss(job: Job): Float32Array {
  const { model, x, labels } = trainingOf(job, 0);
  const loss = noGrad(() => functional.crossEntropy(model.forward(x), labels));
  return loss.data as Float32Array;
}

/**
 * Where the time of a step goes: `steps` steps, cut at the edge of every layer (the graph ends and
 * begins anew there), so that each layer's forward and backward is timed in its place. Medians; the
 * shares are of their sum, which leaves out what cutting costs.
 */
export function sharesOf(job: Job, steps: number): Share[] {
  const training = trainingOf(job);
  const spent = new Map<string, number[]>();
  const timed = <Result>(operation: string, run: () => Result): Result => {
    const start = clock();
    const result = run();
    const times = spent.get(operation) ?? [];
    spent.set(operation, times);
    times.push(clock() - start);
    return result;
  };
  for (let i = 0; i < steps; i++) cutStep(training, timed);
  const medians = [...spent].map(([operation, times]) => ({
    operation,
    us: spreadOf(Float64Array.from(times)).median,
  }));
  const total = medians.reduce((sum, { us }) => sum + us, 0);
  return medians.map((each) => ({ ...each, share: each.us / total }));
}

function cutStep(
  { layers, opt, x, labels }: Training,
  timed: <Result>(operation: string, run: () => Result) => Result,
): void {
  const nameOf = (i: number): string =>
    ['Linear 1', 'BatchNorm1d', 'ReLU', 'Dropout', 'Linear 2'][i]!;
  const pieces: { input: Tensor; output: Tensor }[] = [];
  let input = x;
  layers.forEach((layer, i) => {
    const output = timed(`${nameOf(i)} forward`, () => layer.forward(input));
    pieces.push({ input, output });
    input = output.detach();
    input.requiresGrad = true;
  });
  timed('cross-entropy', () => {
    const loss = functional.crossEntropy(input, labels);
    opt.zeroGrad();
    loss.backward();
  });
  let gradient = input.grad!;
  for (let i = layers.length - 1; i >= 0; i--) {
    const { input: below, output } = pieces[i]!;
    timed(`${nameOf(i)} backward`, () => output.backward(gradient));
    if (below.grad !== null) gradient = below.grad;
  }
  timed('SGD', () => opt.step());
}
