// Peak resident memory in one synchronous loop, where no finaliser runs and only what is given back by
// hand is reused. In child processes: a peak belongs to a process.
import { describe, expect, test } from 'vitest';

import { runChild, well } from '../helpers/child.js';

/** The peak so far, in MB. */
const peak = `
  const peak = () => process.resourceUsage().maxRSS / 1024;
`;

/** What compiling hot functions and collecting around it may still take; 2 to 6 MB measured. */
const FLAT_MB = 10;

/** No more young garbage than 1 MB a half: what remains to grow is not ours to measure. */
const FLAGS = { flags: ['--max-semi-space-size=1'], env: { EVENKEEL_THREADS: '2' } };

/**
 * A step on (256, 256): the forward makes 256 KB four times and keeps it for the backward, which makes
 * as much again, and the weights' gradients: 2.5 MB in all.
 */
const STEP_MB = 2.5;
const training = `
  ${peak}
  const { nn, optim, scope, tensor } = load();
  const model = new nn.Sequential(
    new nn.Linear(256, 256), new nn.BatchNorm1d(256), new nn.ReLU(), new nn.Dropout(0.2), new nn.Linear(256, 10));
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const x = tensor(data(256 * 256), [256, 256]);
  const labels = Int32Array.from({ length: 256 }, (_, i) => i % 10);
  const step = () => {
    const loss = criterion.forward(model.forward(x), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss.item();
  };
`;

const growth = async (program: string): Promise<number> => {
  const { stdout, ...rest } = await runChild(program, FLAGS);
  expect({ ...rest, stdout: '' }).toEqual(well());
  expect(stdout).toMatch(/^-?[\d.]+\n$/);
  return Number(stdout);
};

describe('the peak of a synchronous loop', () => {
  test('of 1,000 training steps in scopes is that of 200', async () => {
    const grown = await growth(`${training}
      for (let i = 0; i < 200; i++) scope(step);
      const before = peak();
      for (let i = 0; i < 800; i++) scope(step);
      console.log(peak() - before);`);
    expect(grown).toBeLessThan(FLAT_MB); // 800 steps make 2,000 MB
  });

  test('of 1,000 plain training steps is bounded: the collector sees the arrays', async () => {
    const grown = await growth(`${training}
      const before = peak();
      for (let i = 0; i < 1000; i++) step();
      console.log(peak() - before);`);
    expect(grown).toBeLessThan(0.1 * 1000 * STEP_MB);
  });

  test('of 10,000 outputs of 1 MB under `using` is that of 1,000', async () => {
    const grown = await growth(`${peak}
      const { nn, tensor } = load();
      const bn = new nn.BatchNorm1d(256);
      const x = tensor(data(1024 * 256), [1024, 256]);
      const once = () => { const y = bn.forward(x); y[Symbol.dispose](); };
      for (let i = 0; i < 1000; i++) once();
      const before = peak();
      for (let i = 0; i < 9000; i++) once();
      console.log(peak() - before);`);
    expect(grown).toBeLessThan(FLAT_MB); // of 9,000
  });

  test('nor does it grow when each output has been looked at', async () => {
    const grown = await growth(`${peak}
      const { nn, tensor } = load();
      const bn = new nn.BatchNorm1d(256).eval();
      const x = tensor(data(1024 * 256), [1024, 256]);
      let lengths = 0;
      const once = () => {
        const y = bn.forward(x);
        const view = y.data;
        y[Symbol.dispose]();
        lengths += view.length;
      };
      for (let i = 0; i < 1000; i++) once();
      const before = peak();
      for (let i = 0; i < 2000; i++) once();
      console.log(lengths === 0 ? peak() - before : 'dangling');`);
    expect(grown).toBeLessThan(FLAT_MB); // of 2,000
  });
});
