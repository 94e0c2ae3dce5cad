// Random programs compute the same with the pool as without: nobody gets memory that somebody else can
// still reach, and nobody reads memory before writing it. Without the pool every output is new memory.
import { functional, manualSeed, native, nn, optim, scope, tensor, type Tensor } from 'evenkeel';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';

import { RUNS } from '../helpers/batches.js';
import { runs } from '../helpers/runs.js';

const { add, batchNorm, crossEntropy, dropout, linear, mean, mseLoss, mul, relu, sum } = functional;

const MATRIX = [4, 3];
const SHAPES = [[12], [4, 3], [2, 2, 3]];

/** An alias only where it has to be: a forgotten alias keeps memory out of the pool. */
function shaped(x: Tensor, shape: readonly number[]): Tensor {
  return x.shape.join() === shape.join() ? x : functional.reshape(x, shape);
}

const OPERATIONS: Readonly<Record<string, (x: Tensor, y: Tensor, how: number) => Tensor>> = {
  add: (x, y) => add(x, shaped(y, x.shape)),
  double: (x) => add(x, x),
  mul: (x, y) => mul(x, shaped(y, x.shape)),
  square: (x) => mul(x, x),
  relu: (x) => relu(x),
  dropout: (x) => dropout(x, { p: 0.3 }),
  reshape: (x, _, how) => functional.reshape(x, SHAPES[how % SHAPES.length]!),
  batchNorm: (x) => batchNorm(shaped(x, MATRIX), null, null, { training: true }),
  into: (x, y) => {
    const [from, out] = [shaped(x, MATRIX).detach(), shaped(y, MATRIX).detach()];
    return batchNorm(from, null, null, { training: true, out });
  },
  linear: (x, y) => linear(shaped(x, [12]), shaped(y, [1, 12])),
  detach: (x) => x.detach(),
  clone: (x) => x.clone(),
};

const LOSSES: readonly ((x: Tensor, y: Tensor) => Tensor)[] = [
  (x) => sum(x),
  (x) => mean(x),
  (x, y) => mseLoss(x, shaped(y, x.shape)),
  (x) => crossEntropy(shaped(x, MATRIX), [0, 2, 1, 1]),
];

const EFFECTS = ['backward', 'twice', 'from', 'dispose', 'poison', 'step', 'zeroGrad', 'look'];

type Step = readonly [what: string, i: number, j: number, how: number];
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...Object.keys(OPERATIONS)) },
      { weight: 2, arbitrary: fc.constantFrom(...EFFECTS) },
    ),
    fc.nat(99),
    fc.nat(99),
    fc.nat(99),
  ),
  { minLength: 5, maxLength: 60 },
);

class Program {
  readonly leaves = Array.from(
    { length: 3 },
    (_, i) =>
      new nn.Parameter(
        tensor(
          Array.from({ length: 12 }, (_, j) => Math.sin(12 * i + j)),
          MATRIX,
        ),
      ),
  );
  readonly optimizer = new optim.SGD(this.leaves, { lr: 0.1, momentum: 0.5 });
  live: Tensor[] = [...this.leaves];
  readonly log: unknown[] = [];

  /** Every `length` steps in a scope; what is live goes on living. */
  run(all: readonly Step[], length: number): unknown[] {
    for (let i = 0; i < all.length; i += length) {
      scope(() => {
        for (const step of all.slice(i, i + length)) this.attempt(step);
        return this.live;
      });
    }
    return [...this.log, ...this.leaves.map(({ grad }) => grad?.toArray())];
  }

  /** One step; logs its error, and what every live tensor holds afterwards. */
  attempt([what, i, j, how]: Step): void {
    const [x, y] = [this.live[i % this.live.length]!, this.live[j % this.live.length]!];
    try {
      const operation = OPERATIONS[what];
      if (operation === undefined) this.effect(what, x, y, how);
      else this.live.push(operation(x, y, how));
    } catch (error) {
      this.log.push(String(error));
    }
    this.log.push(...this.live.map((each) => each.toArray()));
  }

  effect(what: string, x: Tensor, y: Tensor, how: number): void {
    const loss = LOSSES[how % LOSSES.length]!;
    if (what === 'backward') loss(x, y).backward(undefined, { retainGraph: how % 3 === 0 });
    if (what === 'from') x.backward(shaped(y, x.shape));
    if (what === 'step') this.optimizer.step();
    if (what === 'zeroGrad') this.optimizer.zeroGrad({ setToNone: how % 3 !== 0 });
    if (what === 'look') this.log.push(this.leaves[how % 3]!.grad?.data.slice());
    if (what === 'twice') {
      const z = loss(x, y);
      z.backward(undefined, { retainGraph: true });
      z.backward();
    }
    if ((what === 'dispose' || what === 'poison') && !(x instanceof nn.Parameter)) {
      this.live = this.live.filter((each) => each !== x);
      if (what === 'poison') (x.data as Float32Array).fill(NaN);
      x.dispose();
    }
  }
}

const { limit } = native.memory;
afterEach(() => (native.memory.limit = limit));

test('random programs compute the same with the pool as without', () => {
  let pooled = 0;
  let finished = 0;
  const numRuns = runs(1000);
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 3, 10, 60), (program, length) => {
      const results = [0, limit].map((bytes) => {
        native.memory.limit = bytes;
        manualSeed(1);
        return new Program().run(program, length);
      });
      expect(results[1]).toEqual(results[0]);
      if (native.memory.pooled > 0) pooled++;
      finished += results[0]!.filter((each) => typeof each !== 'string').length;
    }),
    { ...RUNS, numRuns },
  );
  // Not vacuous: the pool held something, and most steps did not throw.
  expect([pooled > numRuns / 2, finished > numRuns]).toEqual([true, true]);
});
