// Arrays that the pool takes back by itself: nothing that a program still holds, in whatever way, changes when later
// outputs are written. Every tensor here has one value in all its elements, so a foreign write shows in its sum.
import { functional, native, noGrad, tensor, type Tensor } from 'evenkeel';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { RUNS } from '../helpers/batches.js';

const { add, mul, relu, reshape, sum } = functional;
/** 4 KB: the smallest that is taken back. Larger ones: test/stress/reclaimed.test.ts. */
const N = 1024;
const ARRAYS = 40;

const filled = (value: number): Tensor => relu(tensor(new Float32Array(N).fill(value)));
const holds = (x: Tensor, value: number): boolean =>
  noGrad(() => sum(x.detach()).item() === value * N);

/** Something a program holds, and how it sees that the elements are still its own. */
type Held = () => boolean;

const HOLD: Readonly<Record<string, (value: number) => Held>> = {
  tensor: (value) => {
    const x = filled(value);
    return () => holds(x, value);
  },
  detached: (value) => {
    const x = filled(value).detach();
    return () => holds(x, value);
  },
  reshaped: (value) => {
    const x = reshape(filled(value), [N / 4, 4]);
    return () => holds(x, value);
  },
  array: (value) => {
    const array = filled(value).data as Float32Array;
    return () => array.every((each) => each === value);
  },
  subarray: (value) => {
    const array = (filled(value).data as Float32Array).subarray(5, 900);
    return () => array.every((each) => each === value);
  },
  graph: (value) => {
    const leaf = tensor(new Float32Array(N).fill(2), { requiresGrad: true });
    const loss = sum(mul(filled(value), add(leaf, filled(1)))); // keeps the first, for the leaf's gradient
    return () => {
      leaf.grad = null;
      loss.backward(undefined, { retainGraph: true });
      return holds(leaf.grad as unknown as Tensor, value);
    };
  },
  gradient: (value) => {
    const leaf = tensor(new Float32Array(N).fill(2), { requiresGrad: true });
    sum(mul(leaf, filled(value))).backward();
    return () => holds(leaf.grad!, value);
  },
  hooked: (value) => {
    const leaf = tensor(new Float32Array(N).fill(2), { requiresGrad: true });
    let seen: Tensor | null = null;
    leaf.registerHook((gradient) => {
      seen = gradient;
      return filled(value + 1);
    });
    sum(mul(leaf, filled(value))).backward();
    return () => holds(seen!, value) && holds(leaf.grad!, value + 1);
  },
  written: (value) => {
    const x = filled(0);
    x.fill_(value);
    const y = x.detach();
    x.dispose();
    return () => holds(y, value);
  },
};

/** Outputs that nobody keeps, of values that nobody has: some of them in memory taken back. */
function churn(): void {
  noGrad(() => {
    const x = tensor(new Float32Array(N).fill(77_777));
    for (let i = 0; i < ARRAYS; i++) relu(x);
  });
}

type Step = readonly [kind: string | null, value: number, drop: number];
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(fc.constantFrom(...Object.keys(HOLD), null), fc.integer({ min: 1, max: 99 }), fc.nat(9)),
  { minLength: 3, maxLength: 25 },
);

test('what a program holds is never handed out', () => {
  native.memory.trim();
  let outputs = 0;
  fc.assert(
    fc.property(steps, (program) => {
      const held: Held[] = [];
      for (const [kind, value, drop] of program) {
        if (kind === null) held.splice(drop % (held.length + 1), 1);
        else held.push(HOLD[kind]!(value));
        churn();
        outputs += ARRAYS;
        expect(held.findIndex((sees) => !sees())).toBe(-1);
      }
    }),
    // As often in a quick run too: the pool has to have asked for collections.
    { ...RUNS, numRuns: 100 },
  );
  // Not vacuous: most of the arrays were handed out more than once.
  expect(native.memory.inUse + native.memory.pooled).toBeLessThan((outputs * 4 * N) / 8);
});
