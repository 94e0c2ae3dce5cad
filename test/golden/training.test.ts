// Ten steps of training Linear, BatchNorm, ReLU, Linear with cross-entropy and SGD in float64, as
// PyTorch does them: every parameter and buffer after each, and the output in evaluation.
import { nn, optim, tensor } from 'evenkeel';
import { expect, test } from 'vitest';

import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { decode, readGolden, type Encoded } from '../helpers/golden.js';

const golden = readGolden('training') as {
  torch: string;
  batch: number;
  inputs: number;
  hidden: number;
  classes: number;
  options: { lr: number; momentum: number };
  /** How much the whole run magnifies a relative error of the start: measured by make.py. */
  amplification: number;
  start: Record<string, Encoded>;
  batches: { x: Encoded; targets: number[] }[];
  steps: { loss: number; state: Record<string, Encoded | number> }[];
  heldOut: Encoded;
  output: Encoded;
};

test(`ten training steps as PyTorch ${golden.torch} does them`, () => {
  const { batch, inputs, hidden, classes } = golden;
  const dtype = 'float64';
  const model = new nn.Sequential(
    new nn.Linear(inputs, hidden, { dtype }),
    new nn.BatchNorm1d(hidden, { dtype }),
    new nn.ReLU(),
    new nn.Linear(hidden, classes, { dtype }),
  );
  for (const [name, parameter] of model.namedParameters()) {
    parameter.data.set(decode(golden.start[name]!));
  }
  const loss = new nn.CrossEntropyLoss();
  const optimizer = new optim.SGD(model.parameters(), golden.options);

  // One step rounds each value some 100 times: two sums over the batch in BatchNorm, forward and
  // backward (4 M), the products (inputs + hidden + classes), a few more. What the run makes of such
  // an error by its end, make.py has measured; ten steps bring ten of them.
  const roundings = 2 * (4 * batch + inputs + hidden + classes);
  const k = golden.steps.length * roundings * Math.max(1, golden.amplification);
  const allowed = { k, unit: ROUNDING.float64, scale: 1 };

  golden.batches.forEach(({ x, targets }, i) => {
    const expected = golden.steps[i]!;
    optimizer.zeroGrad();
    const result = loss.forward(model.forward(tensor(decode(x), [batch, inputs])), targets);
    result.backward();
    optimizer.step();

    expectAllClose([result.item()], [expected.loss], allowed, `loss ${i + 1}`);
    const state = model.stateDict();
    expect([...state.keys()]).toEqual(Object.keys(expected.state));
    for (const [key, value] of Object.entries(expected.state)) {
      const actual = state.get(key)!;
      if (typeof value === 'number') expect(actual.item()).toBe(value);
      else expectAllClose(actual, decode(value), allowed, `${key} after step ${i + 1}`);
    }
  });

  model.eval();
  const output = model.forward(tensor(decode(golden.heldOut), [4, inputs]));
  expectAllClose(output, decode(golden.output), allowed, 'output in evaluation');
});
