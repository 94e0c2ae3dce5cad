// Twelve of the surveyed training loops rebuilt (loops-recipes.ts): 20 steps on real data from the same weights as
// PyTorch's, loss by loss, and the state afterwards. The names are those of scripts/survey/needs.json.
import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { readGolden } from '../helpers/golden.js';
import { Dice } from './loops-data.js';
import { LOOPS, type Run } from './loops-recipes.js';

interface Golden {
  readonly torch: string;
  readonly loops: Readonly<
    Record<
      string,
      {
        readonly losses: number[];
        /** How far one rounding of everything moves each. */
        readonly moved: number[];
        /** Of each tensor of the state a weighted sum, and what its roundings are relative to. */
        readonly state: Readonly<Record<string, [sum: number, scale: number]>>;
      }
    >
  >;
}

const golden = readGolden('loops') as Golden;

/**
 * Roundings that a result may be off by, of one unit at its value and of what one rounding of every weight, layer output
 * and gradient of the run does to it (`moved`, which PyTorch has measured). A layer rounds a sum several times, on both
 * sides; as many as architectures.test.ts allows.
 */
const ROUNDINGS = { k: 16, unit: ROUNDING.float64 } as const;

/** As scripts/golden/loops.py sums a state. */
function sumsOf(models: Run['models']): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [i, model] of models.entries()) {
    for (const [name, { data }] of model.stateDict()) {
      const dice = new Dice(17);
      let sum = 0;
      for (const value of data) sum += Number(value) * dice.next();
      sums.set(`${i}.${name}`, sum);
    }
  }
  return sums;
}

describe(`loops as PyTorch ${golden.torch} runs them`, () => {
  test.each(Object.entries(LOOPS).map(([name, loop]) => [name, loop.kind, loop] as const))(
    '%s, %s',
    (name, _, loop) => {
      const { losses: want, moved, state } = golden.loops[name]!;
      const { losses, models } = loop.run();
      const scale = want.map((loss, i) => Math.abs(loss) + moved[i]!);
      expectAllClose(losses, want, { ...ROUNDINGS, scale }, 'losses');

      const sums = sumsOf(models);
      // What Python leaves out, a bias before a BatchNorm and the mean that follows it, is rounding noise that Adam magnifies.
      for (const key of sums.keys())
        if (!(key in state)) expect(key).toMatch(/bias$|running_mean$/);
      for (const [key, [sum, size]] of Object.entries(state)) {
        expectAllClose([sums.get(key)!], [sum], { ...ROUNDINGS, scale: size }, key);
      }
    },
  );

  test('there are twelve, of PyTorch too', () => {
    expect(Object.keys(LOOPS)).toHaveLength(12);
    expect(Object.keys(golden.loops)).toEqual(Object.keys(LOOPS));
  });

  test('roundings are told from mistakes: no loss may be off by a millionth', () => {
    for (const { losses, moved } of Object.values(golden.loops)) {
      for (const [i, loss] of losses.entries()) {
        expect(16 * ROUNDING.float64 * (Math.abs(loss) + moved[i]!)).toBeLessThan(1e-11);
      }
    }
  });
});

test('the page names each loop', () => {
  const page = readFileSync(new URL('../../docs/training.md', import.meta.url), 'utf8');
  for (const [name, { kind }] of Object.entries(LOOPS))
    expect(page).toContain(`| ${name}  | ${kind}`);
});
