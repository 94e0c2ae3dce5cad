// State dicts of PyTorch's optimisers, as JSON and as files of torch.save, loaded here: the next steps are PyTorch's.
import { checkpoint, nn, optim, tensor } from 'evenkeel';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { plainState, readGolden, type DTypeName } from '../helpers/golden.js';

type Nested = number[] | number[][];

interface Case {
  name: 'SGD' | 'Adam' | 'AdamW' | 'RMSprop' | 'Adagrad' | 'NAdam';
  dtype: DTypeName;
  options: Record<string, unknown>;
  start: Nested[];
  state: optim.OptimizerStateDict;
  /** `torch.save({ epoch, optimizer })` in base64. */
  file: string;
  gradients: Nested[][];
  after: Nested[][];
}

const golden = readGolden('optimizer-state') as { torch: string; cases: Case[] };

type Optimizer = InstanceType<(typeof optim)[Case['name']]>;
const bytesOf = ({ file }: Case): Uint8Array => Buffer.from(file, 'base64');

function prepared({
  name,
  dtype,
  start,
  state,
}: Pick<Case, 'name' | 'dtype' | 'start'> & { state: object }): {
  parameters: nn.Parameter[];
  optimizer: Optimizer;
} {
  const parameters = start.map((values) => new nn.Parameter(tensor(values, { dtype })));
  // What the options are is in the state.
  const optimizer = new optim[name](
    [{ params: parameters.slice(0, 2) }, { params: parameters.slice(2) }],
    { lr: 9, weightDecay: 9 },
  );
  optimizer.loadStateDict(state as optim.OptimizerStateDict);
  return { parameters, optimizer };
}

/** The next steps are PyTorch's. */
function goesOn(
  { name, dtype, gradients: all, after }: Case,
  { parameters, optimizer }: ReturnType<typeof prepared>,
): void {
  all.forEach((gradients, step) => {
    parameters.forEach((p, i) => (p.grad = tensor(gradients[i]!, { dtype })));
    optimizer.step();
    // A step rounds a parameter of at most 3 twice (decay, difference) and its own length some 8 times; that is
    // at most 0.05 · (2 + 0.9 · 40) with momentum and below 0.05 · 10 for Adam. Both sides round.
    const allowed = { k: 2 * (step + 1), unit: ROUNDING[dtype], scale: 2 * 3 + 8 * 2 };
    parameters.forEach((p, i) => {
      const expected = tensor(after[step]![i]!, { dtype: 'float64' }).data;
      expectAllClose(p, expected, allowed, `${name}: parameter ${i}, step ${step + 1}`);
    });
  });
}

describe(`state dicts of PyTorch ${golden.torch}`, () => {
  for (const each of golden.cases) {
    const { name, dtype, options, state } = each;
    const title = `${name} ${dtype} ${JSON.stringify(options)}`;

    test(`${title}: the next steps`, () => goesOn(each, prepared(each)));

    test(`${title}: the next steps, from the file`, async () => {
      const loaded = await checkpoint.loadTorchOptimizer(bytesOf(each), { key: 'optimizer' });
      goesOn(each, prepared({ ...each, state: loaded }));
    });

    test(`${title}: the same file again`, async () => {
      const { optimizer } = prepared(each);
      const bytes = checkpoint.encodeTorch({ epoch: 2, optimizer: optimizer.stateDict() });
      const again = await checkpoint.loadTorchOptimizer(bytes, { key: 'optimizer' });
      const theirs = await checkpoint.loadTorchOptimizer(bytesOf(each), { key: 'optimizer' });
      expect(plainState(again.state)).toEqual(plainState(theirs.state));
      again.param_groups.forEach((group, i) => expect(theirs.param_groups[i]).toMatchObject(group));
    });

    test(`${title}: comes out as it went in`, () => {
      const { optimizer } = prepared(each);
      const written = plainState(optimizer.stateDict());
      expect(written.state).toEqual(state.state);
      // PyTorch adds flags of its own ways to compute the same.
      written.param_groups.forEach((group, i) =>
        expect(state.param_groups[i]).toMatchObject(group),
      );
    });
  }
});

const python = process.env['EVENKEEL_PYTHON'];
test.skipIf(python === undefined)("PyTorch's optimisers go on with what saveTorch wrote", () => {
  const cases = golden.cases.map((each) => {
    const { optimizer } = prepared(each);
    const bytes = checkpoint.encodeTorch({ epoch: 2, optimizer: optimizer.stateDict() });
    return { ...each, file: Buffer.from(bytes).toString('base64') };
  });
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-optimizers-'));
  try {
    const path = join(folder, 'cases.json');
    writeFileSync(path, JSON.stringify(cases));
    const script = new URL('../../scripts/golden/optimizer_state.py', import.meta.url);
    const said = execFileSync(python!, [fileURLToPath(script), path], { encoding: 'utf8' });
    expect(said.match(/goes on as evenkeel did/g)?.length).toBe(cases.length);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
