// Twelve of the surveyed training loops rebuilt: their loss, optimiser, schedule and clipping, 20 steps from the same
// weights on the same numbers as PyTorch's, loss by loss. The names are those of scripts/survey/needs.json.
import { functional, nn, noGrad, optim, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { expectAllClose } from '../helpers/expect-close.js';
import { decode, readGolden, type Encoded } from '../helpers/golden.js';

interface Case {
  name: string;
  loss: keyof typeof functional;
  options: object;
  optimizer: 'Adam' | 'AdamW' | 'SGD' | 'RMSprop';
  hyper: object;
  schedule: 'ReduceLROnPlateau' | 'StepLR' | 'CosineAnnealingLR' | null;
  settings: object;
  clip: number | null;
  start: Encoded[];
  outputs: number;
  x: Encoded[];
  targets: (Encoded | number[])[];
  losses: number[];
  state: number[][];
  amplification: number;
}

const golden = readGolden('loops') as { torch: string; cases: Case[] };

/** A model of the loops, with given weights. */
function modelOf({ start, outputs }: Case): nn.Sequential {
  const dtype = 'float64';
  const model = new nn.Sequential(
    new nn.Linear(5, 7, { dtype }),
    new nn.BatchNorm1d(7, { dtype }),
    new nn.ReLU(),
    new nn.Linear(7, outputs, { dtype }),
  );
  noGrad(() =>
    [...model.parameters()].forEach((parameter, i) =>
      parameter.copy_(tensor(decode(start[i]!), parameter.shape)),
    ),
  );
  return model;
}

type Loss = (x: Tensor, target: unknown, options: object) => Tensor;
type Scheduler = new (of: unknown, options: object) => { step(metric?: number): void };

describe(`loops as PyTorch ${golden.torch} runs them`, () => {
  test.each(
    golden.cases.map(
      (each) =>
        [`${each.name}: ${each.loss}, ${each.optimizer}, ${String(each.schedule)}`, each] as const,
    ),
  )('%s', (_, each) => {
    const model = modelOf(each);
    const optimizer = new optim[each.optimizer](model.parameters(), each.hyper);
    const scheduler =
      each.schedule === null
        ? null
        : new (optim.lrScheduler[each.schedule] as unknown as Scheduler)(optimizer, each.settings);
    const losses = Array.from({ length: 20 }, (_, step) => {
      const [x, target] = [each.x[step % 4]!, each.targets[step % 4]!];
      optimizer.zeroGrad();
      const wanted = Array.isArray(target) ? target : tensor(decode(target), [16, each.outputs]);
      const loss = (functional[each.loss] as unknown as Loss)(
        model.forward(tensor(decode(x), [16, 5])),
        wanted,
        each.options,
      );
      loss.backward();
      if (each.clip !== null) nn.clipGradNorm_(model.parameters(), each.clip);
      optimizer.step();
      scheduler?.step(...(each.schedule === 'ReduceLROnPlateau' ? [loss.item()] : []));
      return loss.item();
    });
    // A step of both sides rounds each value some 100 times (products, statistics, moments), and later steps magnify what
    // was there by no more than `amplification`, which the script has measured in the whole run; at least by 1.
    const tolerance = 20 * 100 * 2 ** -53 * Math.max(1, each.amplification);
    expectAllClose(losses, each.losses, { tolerance }, 'losses');
    expect(losses[16]).toBeLessThan(losses[0]!); // the first batch again
    // The bias before a BatchNorm has no gradient but rounding noise, which Adam makes as long as any other; and the
    // running mean follows it.
    const noise = ['0.bias', '1.running_mean'];
    [...model.stateDict()].forEach(([key, value], i) => {
      if (value.dtype !== 'float64' || noise.includes(key)) return;
      expectAllClose(value.data, each.state[i], { tolerance: 10 * tolerance }, key);
    });
  });

  test('there are twelve', () => expect(golden.cases.length).toBe(12));
});
