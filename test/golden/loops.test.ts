// Twelve of the surveyed training loops rebuilt: their loss, optimiser, schedule and clipping, 20 steps on real data from
// the same weights as PyTorch's, loss by loss. The names are those of scripts/survey/needs.json.
import { functional, nn, noGrad, optim, tensor, type Tensor } from 'evenkeel';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { expectAllClose } from '../helpers/expect-close.js';
import { decode, readGolden, type Encoded } from '../helpers/golden.js';
import { batchesOf } from './loops-data.js';

interface Case {
  name: string;
  data: 'iris' | 'digits';
  target: 'width' | 'one' | 'class' | 'soft';
  loss: keyof typeof functional;
  options: object;
  optimizer: 'Adam' | 'AdamW' | 'SGD' | 'RMSprop';
  hyper: object;
  schedule: 'ReduceLROnPlateau' | 'StepLR' | 'CosineAnnealingLR' | null;
  settings: object;
  clip: number | null;
  losses: number[];
  state: Encoded[];
  amplification: number;
}

const golden = readGolden('loops') as { torch: string; cases: Case[] };
const HIDDEN = 7;

/** A model of the loops, with the weights that the script has. */
function modelOf(inputs: number, outputs: number): nn.Sequential {
  const dtype = 'float64';
  const model = new nn.Sequential(
    new nn.Linear(inputs, HIDDEN, { dtype }),
    new nn.BatchNorm1d(HIDDEN, { dtype }),
    new nn.ReLU(),
    new nn.Linear(HIDDEN, outputs, { dtype }),
  );
  let k = 0;
  for (const [name, parameter] of model.namedParameters()) {
    if (name.startsWith('1.')) continue;
    const values = Float64Array.from(
      { length: parameter.numel },
      () => 0.4 * (((k++ * 7919 + 13) % 1009) / 504.5 - 1),
    );
    noGrad(() => parameter.copy_(tensor(values, parameter.shape)));
  }
  return model;
}

type Loss = (x: Tensor, target: unknown, options: object) => Tensor;
type Scheduler = new (of: unknown, options: object) => { step(metric?: number): void };

describe(`loops as PyTorch ${golden.torch} runs them`, () => {
  test.each(
    golden.cases.map(
      (each) =>
        [
          `${each.name}, ${each.data}: ${each.loss}, ${each.optimizer}, ${String(each.schedule)}`,
          each,
        ] as const,
    ),
  )('%s', (_, each) => {
    const batches = batchesOf(each.data, each.target);
    const [rows = 0, inputs = 0] = batches[0]!.x.shape;
    const outputs = ['width', 'one'].includes(each.target) ? 1 : each.data === 'iris' ? 3 : 10;
    const model = modelOf(inputs, outputs);
    const optimizer = new optim[each.optimizer](model.parameters(), each.hyper);
    const scheduler =
      each.schedule === null
        ? null
        : new (optim.lrScheduler[each.schedule] as unknown as Scheduler)(optimizer, each.settings);
    const losses = Array.from({ length: 20 }, (_, step) => {
      const { x, target } = batches[step % 4]!;
      optimizer.zeroGrad();
      const loss = (functional[each.loss] as unknown as Loss)(
        model.forward(x),
        target,
        each.options,
      );
      loss.backward();
      if (each.clip !== null) nn.clipGradNorm_(model.parameters(), each.clip);
      optimizer.step();
      scheduler?.step(...(each.schedule === 'ReduceLROnPlateau' ? [loss.item()] : []));
      return loss.item();
    });
    // A step of both sides rounds each value as often as its sums have terms, and some 50 times more; later steps magnify
    // what was there by no more than `amplification`, which the script has measured in the whole run; at least by 1.
    const roundings = inputs + rows + 50;
    const tolerance = 20 * roundings * 2 ** -53 * Math.max(1, each.amplification);
    expectAllClose(losses, each.losses, { tolerance }, 'losses');
    expect(losses[16]).toBeLessThan(losses[0]!); // the first batch again
    // The bias before a BatchNorm has no gradient but rounding noise, which Adam makes as long as any other; and the
    // running mean follows it.
    const noise = ['0.bias', '1.running_mean'];
    [...model.stateDict()].forEach(([key, value], i) => {
      if (value.dtype !== 'float64' || noise.includes(key)) return;
      expectAllClose(value.data, decode(each.state[i]!), { tolerance: 10 * tolerance }, key);
    });
  });

  test('there are twelve', () => expect(golden.cases.length).toBe(12));
});

test('the page names each loop with its loss, optimiser and schedule', () => {
  const page = readFileSync(new URL('../../docs/training.md', import.meta.url), 'utf8');
  for (const { name, loss, optimizer, schedule } of golden.cases) {
    const row = new RegExp(`^\\| ${name} .*$`, 'm').exec(page)?.[0];
    for (const word of [loss, optimizer, schedule ?? 'none']) expect(row).toContain(word);
  }
});
