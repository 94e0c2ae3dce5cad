// State dicts of PyTorch's optimisers, as JSON, loaded here: the next steps are PyTorch's.
import { nn, optim, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { readGolden, type DTypeName } from '../helpers/golden.js';

type Nested = number[] | number[][];

interface Case {
  name: 'SGD' | 'Adam' | 'AdamW';
  dtype: DTypeName;
  options: Record<string, unknown>;
  start: Nested[];
  state: optim.OptimizerStateDict;
  gradients: Nested[][];
  after: Nested[][];
}

const golden = readGolden('optimizer-state') as { torch: string; cases: Case[] };

function prepared({ name, dtype, start, state }: Case): {
  parameters: nn.Parameter[];
  optimizer: optim.SGD | optim.Adam;
} {
  const parameters = start.map((values) => new nn.Parameter(tensor(values, { dtype })));
  // What the options are is in the state.
  const optimizer = new optim[name](
    [{ params: parameters.slice(0, 2) }, { params: parameters.slice(2) }],
    { lr: 9, weightDecay: 9 },
  );
  optimizer.loadStateDict(state);
  return { parameters, optimizer };
}

describe(`state dicts of PyTorch ${golden.torch}`, () => {
  for (const each of golden.cases) {
    const { name, dtype, options, state } = each;
    const title = `${name} ${dtype} ${JSON.stringify(options)}`;

    test(`${title}: the next steps`, () => {
      const { parameters, optimizer } = prepared(each);
      each.gradients.forEach((gradients, step) => {
        parameters.forEach((p, i) => (p.grad = tensor(gradients[i]!, { dtype })));
        optimizer.step();
        // A step rounds a parameter of at most 3 twice (decay, difference) and its own length some 8 times; that is
        // at most 0.05 · (2 + 0.9 · 40) with momentum and below 0.05 · 10 for Adam. Both sides round.
        const allowed = { k: 2 * (step + 1), unit: ROUNDING[dtype], scale: 2 * 3 + 8 * 2 };
        parameters.forEach((p, i) => {
          const expected = tensor(each.after[step]![i]!, { dtype: 'float64' }).data;
          expectAllClose(p, expected, allowed, `parameter ${i}, step ${step + 1}`);
        });
      });
    });

    test(`${title}: comes out as it went in`, () => {
      const { optimizer } = prepared(each);
      const written = JSON.parse(
        JSON.stringify(optimizer.stateDict(), (_, value: unknown) =>
          typeof value === 'object' && value !== null && 'dtype' in value && 'data' in value
            ? value.data
            : value,
        ),
      ) as typeof state;
      expect(written.state).toEqual(state.state);
      // PyTorch adds flags of its own ways to compute the same.
      written.param_groups.forEach((group, i) =>
        expect(state.param_groups[i]).toMatchObject(group),
      );
    });
  }
});
