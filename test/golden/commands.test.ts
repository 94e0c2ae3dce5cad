// Random sequences of commands against PyTorch's float64: outputs, gradients and state after each
// (scripts/golden/commands.py). test/property/commands.test.ts goes beyond what PyTorch can do.
import { nn, tensor, type Tensor } from 'evenkeel';
import { expect, test } from 'vitest';

import { readGolden } from '../helpers/golden.js';

type Rows = readonly (readonly number[])[];
type State = readonly [mean: number[], variance: number[], count: number];
type Step = readonly [
  name: string,
  argument: never,
  outputs: readonly number[][] | null,
  state: State,
];

interface Sequence {
  readonly eps: number;
  readonly momentum: number | null;
  readonly steps: readonly Step[];
}

const { sequences } = readGolden('commands') as { sequences: readonly Sequence[] };
const CHANNELS = 2;

const numbers = (t: Tensor | null): number[] => (t === null ? [] : Array.from(t.data, Number));
const double = (rows: Rows): Tensor =>
  tensor(Float64Array.from(rows.flat()), [rows.length, CHANNELS]);

function run(bn: nn.BatchNorm1d, rows: Rows): number[][] {
  const x = double(rows);
  x.requiresGrad = true;
  bn.zeroGrad();
  const y = bn.forward(x);
  y.backward(
    tensor(
      Float64Array.from({ length: y.numel }, (_, i) => i + 1),
      y.shape,
    ),
  );
  return [y, x.grad, bn.weight!.grad, bn.bias!.grad].map(numbers);
}

/** What the commands of the script are here; outputs in its order. */
const commands: Record<string, (bn: nn.BatchNorm1d, argument: never) => number[][] | undefined> = {
  forward: run,
  padded(bn, [lengths, rows]: readonly [number[], Rows]) {
    const l = Math.max(...lengths);
    const padded = new Float64Array(lengths.length * CHANNELS * l).fill(NaN);
    let next = 0;
    const places: number[] = [];
    lengths.forEach((length, i) => {
      for (let step = 0; step < length; step++) {
        rows[next++]!.forEach((value, c) => {
          const place = (i * CHANNELS + c) * l + step;
          padded[place] = value;
          places.push(place);
        });
      }
    });
    const y = numbers(bn.forward(tensor(padded, [lengths.length, CHANNELS, l]), { lengths }));
    return [places.map((place) => y[place]!)];
  },
  virtual(bn, parts: readonly Rows[]) {
    const before = bn.training;
    const batch = nn.virtualBatch(bn.train());
    for (const rows of parts) bn.forward(double(rows));
    batch.commit();
    bn.train(before);
    return undefined;
  },
  frozen(bn, rows: Rows) {
    const before = bn.training;
    bn.freeze({ affine: false }).train();
    const outputs = run(bn, rows);
    bn.unfreeze().train(before);
    return outputs;
  },
  mode(bn, training: boolean) {
    bn.train(training);
    return undefined;
  },
  track(bn, tracked: boolean) {
    bn.trackRunningStats = tracked;
    return undefined;
  },
  momentum(bn, momentum: number | null) {
    bn.momentum = momentum;
    return undefined;
  },
  reset(bn, done: boolean) {
    if (done) bn.resetRunningStats();
    return undefined;
  },
  load(bn, [values, count]: readonly [Rows, number | null]) {
    const keys = ['weight', 'bias', 'running_mean', 'running_var'];
    const of = (list: readonly number[]): Tensor => tensor(Float64Array.from(list));
    const state = new Map(keys.map((key, i) => [key, of(values[i]!)]));
    if (count !== null) state.set('num_batches_tracked', tensor(count, { dtype: 'int64' }));
    bn.loadStateDict(state);
    return undefined;
  },
  affine(bn, [weight, bias]: Rows) {
    bn.weight!.data.set(weight!);
    bn.bias!.data.set(bias!);
    return undefined;
  },
};

/** Values reach a few hundred, and both sides make some ten roundings a step of at most 14 steps. */
function close(actual: readonly number[], expected: readonly number[], of: string): void {
  expect(actual.length, of).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `${of}[${i}]`).toBeLessThanOrEqual(2e-13 * scale);
  });
}

test(`${sequences.length} sequences of commands leave what PyTorch leaves`, () => {
  expect(sequences.length).toBe(200);
  sequences.forEach(({ eps, momentum, steps }, i) => {
    const bn = new nn.BatchNorm1d(CHANNELS, { eps, momentum, dtype: 'float64' });
    steps.forEach(([name, argument, outputs, [mean, variance, count]], j) => {
      const where = `sequence ${i}, command ${j}, ${name}: `;
      const ours = commands[name]!(bn, argument);
      expect(ours === undefined, where).toBe(outputs === null);
      outputs?.forEach((expected, k) => close(ours![k]!, expected, `${where}output ${k}`));
      close(numbers(bn.runningMean), mean, `${where}running_mean`);
      close(numbers(bn.runningVar), variance, `${where}running_var`);
      expect(bn.numBatchesTracked, where).toBe(count);
    });
  });
});
