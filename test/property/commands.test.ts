// Random sequences of everything that can be done to a BatchNorm1d: after each command our state and our
// output are those of a model of the semantics in float64. test/golden/commands.test.ts does the same
// against PyTorch.
import { nn, tensor, type Tensor } from 'evenkeel';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { BatchNormModel, type Batch } from '../helpers/batchnorm-model.js';
import { runs } from '../helpers/runs.js';

const CHANNELS = 2;
const EPS = 1e-3;
const SEQUENCES = runs(1000);

/** The product, the model, and what a command may need later. */
interface Pair {
  readonly bn: nn.BatchNorm1d;
  readonly model: BatchNormModel;
  batch: nn.VirtualBatch | null;
  snapshot: { taken: nn.StatisticsSnapshot; put: () => void } | null;
}

/** What goes back to where it was in the model: all that a forward moves, and which virtual batch is open. */
function remember(pair: Pair): () => void {
  const { model, batch } = pair;
  const [state, collected] = structuredClone([model.state, model.collected] as const);
  return () => {
    [model.state, model.collected] = structuredClone([state, collected] as const);
    pair.batch = batch;
  };
}

type Command = readonly [name: string, run: (pair: Pair) => void];

const numbers = (t: Tensor): number[] => Array.from(t.data, Number);

/** |a - b| of a few roundings of values up to 100 and a handful of steps; NaN and infinity by kind. */
function same(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    const wanted = expected[i]!;
    if (!Number.isFinite(wanted)) expect(value).toBe(wanted);
    else
      expect(Math.abs(value - wanted)).toBeLessThanOrEqual(1e-11 * Math.max(1, Math.abs(wanted)));
  });
}

function compare({ bn, model }: Pair): void {
  same(numbers(bn.runningMean!), model.state.mean);
  same(numbers(bn.runningVar!), model.state.var);
  expect([bn.numBatchesTracked, bn.skippedBatches]).toEqual([
    model.state.count,
    model.state.skipped,
  ]);
  expect(bn.frozen).toBe(model.frozen);
  expect(bn.training).toBe(model.training);
}

/** [n, C] with batch[c][i], or padded [n, C, l] whose counted steps are batch[c]. */
function forward(pair: Pair, batch: Batch, padded: boolean): void {
  const count = batch[0]!.length;
  const expected = pair.model.forward(batch);
  const steps = Array.from({ length: count }, (_, i) => batch.map((xs) => xs[i]!));
  const f64 = (values: number[], shape: number[]): Tensor =>
    tensor(Float64Array.from(values), shape);
  const run = (): number[] => {
    if (!padded) return numbers(pair.bn.forward(f64(steps.flat(), [count, CHANNELS])));
    const wide = steps.flatMap((step) => step.flatMap((x) => [x, NaN])); // l = 2, of which 1 counts
    const y = numbers(
      pair.bn.forward(f64(wide, [count, CHANNELS, 2]), { lengths: steps.map(() => 1) }),
    );
    y.forEach((value, i) => {
      if (i % 2 === 1) expect(value).toBe(0);
    });
    return y.filter((_, i) => i % 2 === 0);
  };
  if (expected === null) expect(run).toThrow(RangeError);
  else
    same(
      run(),
      steps.flatMap((_, i) => expected.map((xs) => xs[i]!)),
    );
}

const values = fc.integer({ min: -50, max: 50 });
const batches = fc
  .integer({ min: 0, max: 5 })
  .chain((count) =>
    fc.tuple(
      ...Array.from({ length: CHANNELS }, () =>
        fc.array(values, { minLength: count, maxLength: count }),
      ),
    ),
  );

const named = (name: string, run: (pair: Pair) => void): fc.Arbitrary<Command> =>
  fc.constant([name, run]);
const one = <T>(
  name: string,
  of: readonly T[],
  set: (pair: Pair, value: T) => void,
): fc.Arbitrary<Command> =>
  fc.constantFrom(...of).map((value) => [`${name} ${String(value)}`, (pair) => set(pair, value)]);

const forwards: fc.Arbitrary<Command> = fc
  .tuple(batches, fc.boolean())
  .map(([batch, padded]) => [
    `forward ${JSON.stringify(batch)}${padded ? ' padded' : ''}`,
    (pair) => forward(pair, batch, padded),
  ]);

const bad: fc.Arbitrary<Command> = fc
  .constantFrom([3, CHANNELS + 1], [CHANNELS], [2, CHANNELS, 2, 2])
  .map((shape) => [
    `forward of shape [${shape.join(', ')}]`,
    ({ bn }) => {
      const x = tensor(new Float64Array(shape.reduce((a, b) => a * b)), shape);
      expect(() => bn.forward(x)).toThrow(RangeError);
    },
  ]);

const loads: fc.Arbitrary<Command> = fc
  .tuple(fc.array(values, { minLength: CHANNELS, maxLength: CHANNELS }), fc.nat(9), fc.boolean())
  .map(([mean, count, complete]) => [
    `load ${JSON.stringify([mean, count, complete])}`,
    ({ bn, model }) => {
      const of = (list: number[]): Tensor => tensor(Float64Array.from(list));
      const state = new Map<string, Tensor>([
        ['weight', of([1, 1])],
        ['bias', of([0, 0])],
        ['running_mean', of(mean)],
        ['running_var', of(mean.map((value) => value ** 2))],
        ['num_batches_tracked', tensor(count, { dtype: 'int64' })],
      ]);
      if (!complete) state.delete('running_var');
      if (!complete) {
        expect(() => bn.loadStateDict(state)).toThrow('Missing key(s)');
        return;
      }
      bn.loadStateDict(state);
      model.state = { ...model.state, mean, var: mean.map((value) => value ** 2), count };
    },
  ]);

const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 10, arbitrary: forwards },
  { weight: 1, arbitrary: bad },
  { weight: 1, arbitrary: loads },
  one('training', [true, false], ({ bn, model }, flag) => {
    bn.train(flag);
    model.training = flag;
  }),
  one('track', [true, false], ({ bn, model }, flag) => {
    bn.trackRunningStats = model.track = flag;
  }),
  one('momentum', [0.1, 0.5, 1, null], ({ bn, model }, momentum) => {
    bn.momentum = model.momentum = momentum;
  }),
  one('by', ['auto', 'auto', 'batch', 'running'] as const, ({ bn, model }, by) => {
    bn.normalizeBy = model.by = by;
  }),
  one('update', ['auto', 'auto', true, false] as const, ({ bn, model }, update) => {
    bn.updateStatistics = model.update = update;
  }),
  one('freeze', [true, false], ({ bn, model }, frozen) => {
    if (frozen) bn.freeze();
    else bn.unfreeze();
    model.frozen = frozen;
  }),
  named('reset', ({ bn, model }) => {
    bn.resetRunningStats();
    model.reset();
  }),
  named('accumulate', (pair) => {
    pair.batch ??= nn.virtualBatch(pair.bn);
    pair.model.collected ??= [];
  }),
  named('commit', (pair) => {
    pair.batch?.commit();
    pair.batch = null;
    pair.model.commit();
  }),
  named('discard', (pair) => {
    pair.batch?.discard();
    pair.batch = pair.model.collected = null;
  }),
  named('snapshot', (pair) => {
    pair.snapshot = { taken: nn.snapshotStatistics(pair.bn), put: remember(pair) };
  }),
  named('rollback', (pair) => {
    pair.snapshot?.taken.rollback();
    pair.snapshot?.put();
  }),
  named('clone', (pair) => {
    const copy = pair.bn.clone();
    compare({ ...pair, bn: copy });
    // What is done to the copy is not done to the layer.
    copy.unfreeze().train();
    copy.resetRunningStats();
    compare(pair);
  }),
  named('a NaN in the batch', (pair) => {
    if (pair.bn.nonFinite !== 'propagate') forward(pair, [[1, NaN, 2], [1, 2, 3]], false); // prettier-ignore
  }),
);

const failing = new Error('in the middle');
/** Some of the commands in a transaction, which may hold others, and then it throws or not. */
const inTransaction = (inner: fc.Arbitrary<Command>): fc.Arbitrary<Command> =>
  fc.tuple(fc.array(inner, { maxLength: 5 }), fc.boolean()).map(([body, fails]) => [
    `transaction of [${body.map(([name]) => name).join('; ')}]${fails ? ' that throws' : ''}`,
    (pair) => {
      const put = remember(pair);
      const run = (): void => {
        for (const [, each] of body) each(pair);
        compare(pair);
        if (fails) throw failing;
      };
      if (!fails) {
        nn.transaction(pair.bn, run);
        return;
      }
      expect(() => nn.transaction(pair.bn, run)).toThrow(failing);
      put();
    },
  ]);
const everything = fc.oneof(
  { weight: 6, arbitrary: commands },
  { weight: 1, arbitrary: inTransaction(commands) },
  { weight: 1, arbitrary: inTransaction(fc.oneof(commands, inTransaction(commands))) },
);

test('random command sequences leave what the model says', () => {
  fc.assert(
    fc.property(
      fc.array(everything, { minLength: 12, maxLength: 40 }),
      fc.constantFrom('propagate', 'throw', 'skip'),
      fc.constantFrom('throw', 'running'),
      (sequence, nonFinite, singleValue) => {
        const bn = new nn.BatchNorm1d(CHANNELS, {
          eps: EPS,
          dtype: 'float64',
          nonFinite,
          singleValue,
        });
        const model = new BatchNormModel(CHANNELS, EPS);
        Object.assign(model, { nonFinite, singleValue });
        const pair: Pair = { bn, model, batch: null, snapshot: null };
        const done: string[] = [];
        for (const [name, run] of sequence) {
          done.push(name);
          try {
            run(pair);
            compare(pair);
          } catch (error) {
            throw new Error(`after ${done.join('; ')}`, { cause: error });
          }
        }
      },
    ),
    { numRuns: SEQUENCES, seed: 20261124 },
  );
});
