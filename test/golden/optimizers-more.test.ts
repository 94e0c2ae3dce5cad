// RMSprop, Adagrad, NAdam and LARS, and the clipping of gradients, against PyTorch: six steps on gradients that are
// given, and three of them from PyTorch's state. (LARS: the paper's algorithm in PyTorch's arithmetic.)
import { nn, optim, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { plainState, readGolden, type DTypeName } from '../helpers/golden.js';

type Nested = number[] | number[][];

interface Case {
  name: 'RMSprop' | 'Adagrad' | 'NAdam' | 'LARS';
  dtype: DTypeName;
  options: object;
  start: Nested[];
  gradients: (Nested | null)[][];
  after: Nested[][];
  state?: optim.OptimizerStateDict;
}

interface Norm {
  maxNorm: number;
  normType: number | 'Infinity';
  before: (Nested | null)[];
  norm: number;
  after: (Nested | null)[];
}

const golden = readGolden('optimizers-more') as { torch: string; cases: Case[]; norms: Norm[] };

function setUp({ name, dtype, options }: Case, values: Nested[]) {
  const parameters = values.map((each) => new nn.Parameter(tensor(each, { dtype })));
  const groups = [{ params: parameters.slice(0, 2) }, { params: parameters.slice(2), lr: 0.03 }];
  return { parameters, optimizer: new optim[name](groups, options) };
}

/**
 * A step rounds a parameter of at most 4 twice and its own length about ten times; that is at most 0.3 (RMSprop's first
 * with alpha 0.99 is 10 lr) times the 5 that momentum can add up to. Both sides round, and the difference of squares under a
 * centred root magnifies what is relative to the square by at most 20.
 */
const SCALE = 2 * 4 + 10 * 0.3 * 5 * 20;

function go(
  { gradients, after, dtype }: Case,
  from: number,
  { parameters, optimizer }: ReturnType<typeof setUp>,
): void {
  for (let step = from; step < gradients.length; step++) {
    parameters.forEach((p, i) => {
      const gradient = gradients[step]![i] ?? null;
      p.grad = gradient === null ? null : tensor(gradient, { dtype });
    });
    optimizer.step();
    const allowed = { k: 2 * (step + 1), unit: ROUNDING[dtype], scale: SCALE };
    parameters.forEach((p, i) => {
      const expected = tensor(after[step]![i]!, { dtype: 'float64' }).data;
      expectAllClose(p, expected, allowed, `parameter ${i}, step ${step + 1}`);
    });
  }
}

describe(`optimisers as PyTorch ${golden.torch} computes them`, () => {
  for (const each of golden.cases) {
    const title = `${each.name} ${each.dtype} ${JSON.stringify(each.options)}`;

    test(`${title}: six steps`, () => go(each, 0, setUp(each, each.start)));

    if (each.state === undefined) continue;
    const { state } = each;
    test(`${title}: goes on from PyTorch's state`, () => {
      const run = setUp(each, each.after[2]!);
      run.optimizer.loadStateDict(state);
      go(each, 3, run);
    });

    test(`${title}: the state comes out as it went in`, () => {
      const { optimizer } = setUp(each, each.after[2]!);
      optimizer.loadStateDict(state);
      const written = plainState(optimizer.stateDict());
      expect(written.state).toEqual(state.state);
      written.param_groups.forEach((group, i) =>
        expect(state.param_groups[i]).toMatchObject(group),
      );
    });
  }
});

describe(`norms as PyTorch ${golden.torch} computes them`, () => {
  test.each(golden.norms)(
    'normType $normType, maxNorm $maxNorm',
    ({ maxNorm, normType, before, norm, after }) => {
      const parameters = before.map((values) => {
        const p = new nn.Parameter(tensor(values ?? [0], { dtype: 'float64' }));
        if (values !== null) p.grad = tensor(values, { dtype: 'float64' });
        return p;
      });
      const got = nn.clipGradNorm_(parameters, maxNorm, { normType: Number(normType) });
      // Nine squares, their sum, its root; then a quotient and a product.
      expectAllClose([got], [norm], { k: 24, unit: ROUNDING.float64, scale: norm });
      parameters.forEach((p, i) => {
        if (after[i] === null) {
          expect(p.grad).toBeNull();
          return;
        }
        const expected = tensor(after[i]!, { dtype: 'float64' }).data;
        expectAllClose(
          p.grad,
          { data: expected, shape: p.shape },
          { k: 40, unit: ROUNDING.float64, scale: 2 },
        );
      });
    },
  );
});
