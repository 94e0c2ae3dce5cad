// optimizer.step({ nonFinite }): a gradient that is NaN or infinite moves everything, nothing and says so, or
// nothing and returns false; decided before anything moves.
import { describe, expect, test } from 'vitest';

import { functional, nn, optim, tensor } from '../../src/index.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';

const KINDS = {
  SGD: (params: nn.Parameter[]) => new optim.SGD(params, { lr: 0.5, momentum: 0.9 }),
  Adam: (params: nn.Parameter[]) => new optim.Adam(params, { lr: 0.5 }),
  AdamW: (params: nn.Parameter[]) => new optim.AdamW(params, { lr: 0.5 }),
};

function parameters(dtype: 'float32' | 'float64' = 'float32'): nn.Parameter[] {
  return [0, 1, 2].map((i) => {
    const p = new nn.Parameter(tensor([[i, 1], [2, 3]], { dtype })); // prettier-ignore
    p.grad = tensor([[1, 2], [3, i]], { dtype }); // prettier-ignore
    return p;
  });
}

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('%s', (kind) => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const broken = (): { all: nn.Parameter[]; optimizer: optim.SGD | optim.Adam; mend(): void } => {
      const all = parameters();
      const optimizer = KINDS[kind](all);
      const last = all[2]!;
      last.grad!.data[3] = value;
      return { all, optimizer, mend: () => void (last.grad!.data[3] = 2) };
    };

    test(`${value}: 'throw' names the place, 'skip' returns false; nothing has moved`, () => {
      const { all, optimizer, mend } = broken();
      const unchanged = snapshot(...all);
      const place =
        `RangeError: ${kind}.step: expected finite gradients, got ${value} at index 3 of parameter 2 ` +
        '(shape [2, 2]).';
      expect(thrownBy(() => optimizer.step({ nonFinite: 'throw' }))).toBe(place);
      expect(optimizer.step({ nonFinite: 'skip' })).toBe(false);
      unchanged();
      expect(optimizer.stateDict().state).toEqual({}); // no velocity, no count of steps
      mend();
      expect(optimizer.step({ nonFinite: 'throw' })).toBe(true);
      const other = parameters();
      KINDS[kind](other).step();
      expect(all.map((p) => p.toArray())).toEqual(other.map((p) => p.toArray()));
    });

    test(`${value}: 'propagate', the default, moves into it`, () => {
      for (const options of [undefined, {}, { nonFinite: 'propagate' as const }]) {
        const { all, optimizer } = broken();
        expect(optimizer.step(options)).toBe(true);
        expect(Number.isFinite(all[2]!.data[3])).toBe(false);
        expect(all[0]!.data[0]).not.toBe(0);
      }
    });
  }
});

test('a finite loss whose gradient is NaN spoils no weight', () => {
  const fc = new nn.Linear(2, 1);
  const optimizer = new optim.SGD(fc.parameters(), { lr: 0.1 });
  const x = tensor([[1, 2]]);
  const y = fc.forward(x);
  y.registerHook((gradient) => functional.mul(gradient, tensor([[NaN]])));
  const loss = functional.sum(y);
  loss.backward();
  expect(Number.isFinite(loss.item())).toBe(true);
  const unchanged = snapshot(fc);
  expect(optimizer.step({ nonFinite: 'skip' })).toBe(false);
  unchanged();
});

test('finite gradients whose sum is not are no reason', () => {
  const all = parameters('float64');
  for (const { grad } of all) (grad!.data as Float64Array).fill(1.7e308);
  expect(new optim.SGD(all, { lr: 1e-300 }).step({ nonFinite: 'throw' })).toBe(true);
  (all[1]!.grad!.data as Float64Array)[0] = NaN;
  expect(new optim.SGD(all).step({ nonFinite: 'skip' })).toBe(false);
});

test('a gradient of one value, which has no array, is asked too', () => {
  const q = new nn.Parameter(tensor([1, 2]));
  functional.mul(functional.sum(q), tensor(Float32Array.of(NaN), [])).backward();
  expect(q.gradient!.expandedValue).toBe(NaN);
  expect(new optim.SGD([q]).step({ nonFinite: 'skip' })).toBe(false);
});

test('a parameter without a gradient is not asked', () => {
  const p = new nn.Parameter(tensor([NaN]));
  expect(new optim.SGD([p]).step({ nonFinite: 'throw' })).toBe(true);
});

test.each<[unknown, string]>([
  [{ nonFinite: 'ignore' }, "RangeError: SGD.step: expected nonFinite to be 'propagate' or 'throw' or 'skip', got 'ignore'."],
  [{ nonFinite: true }, "TypeError: SGD.step: expected nonFinite to be 'propagate' or 'throw' or 'skip', got true."],
  [{ nonfinite: 'skip' }, "TypeError: SGD.step: expected options among nonFinite, got 'nonfinite' (did you mean 'nonFinite'?)."],
  [() => 1, 'TypeError: SGD.step: expected an options object { nonFinite }, got a function.'],
])('%o is refused', (options, words) => {
  const all = parameters();
  const unchanged = snapshot(...all);
  expect(thrownBy(() => KINDS.SGD(all).step(options as optim.StepOptions))).toBe(words);
  unchanged();
}); // prettier-ignore
