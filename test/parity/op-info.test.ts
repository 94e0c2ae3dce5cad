// PyTorch's samples for nn.functional.batch_norm (its OpInfo): outputs, gradients and what the running
// statistics become. Where PyTorch takes what we refuse, the rest of the sample is compared.
import { functional, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { gradcheck } from '../helpers/gradcheck.js';
import { decode, type DTypeName, type Encoded } from '../helpers/golden.js';
import { snapshot, thrownBy } from '../helpers/snapshot.js';
import {
  decoded,
  expectResults,
  expectStatistic,
  leaf,
  readParity,
  type Results,
} from './parity-data.js';

interface Sample extends Results {
  readonly dtype: DTypeName;
  readonly shape: number[];
  readonly options: {
    readonly training?: boolean;
    readonly momentum?: number;
    readonly eps?: number;
  };
  readonly x: Encoded;
  readonly dy: Encoded;
  readonly weight: Encoded | null;
  readonly bias: Encoded | null;
  readonly runningMean: Encoded | null;
  readonly runningVar: Encoded | null;
  readonly runningMeanAfter: Encoded | null;
  readonly runningVarAfter: Encoded | null;
}

const { cases } = readParity('op-info') as { readonly cases: Sample[] };

function operands(each: Sample) {
  const perChannel = (encoded: Encoded | null) =>
    encoded === null ? null : tensor(decode(encoded));
  const learned = (encoded: Encoded | null) =>
    encoded === null ? null : leaf(encoded, [decode(encoded).length]);
  return {
    x: leaf(each.x, each.shape),
    mean: perChannel(each.runningMean),
    variance: perChannel(each.runningVar),
    weight: learned(each.weight),
    bias: learned(each.bias),
  };
}

const title = ({ dtype, shape, options, runningMean }: Sample): string =>
  `[${shape.join()}] ${JSON.stringify(options)}${runningMean === null ? ' without operands' : ''}, ${dtype}`;

const isTaken = ({ shape, options }: Sample): boolean =>
  shape.length > 1 && (options.momentum ?? 0) >= 0;

test('the samples are all there', () => {
  expect(cases.length).toBe(2 * 11);
  expect(cases.filter(isTaken).length).toBe(2 * 6);
});

describe('nn.functional.batch_norm', () => {
  test.each(
    cases.filter((each) => each.shape.length > 1).map((each) => [title(each), each] as const),
  )('sample_inputs_batch_norm: output and gradients of %s', (_, each) => {
    const { x, mean, variance, weight, bias } = operands(each);
    const { training = false, eps = 1e-5 } = each.options;
    // A momentum below 0 moves the running statistics only: output and gradients do not know it.
    const momentum = isTaken(each) ? each.options.momentum : 0.1;
    const y = functional.batchNorm(x, mean, variance, {
      weight,
      bias,
      eps,
      training,
      ...(momentum !== undefined && { momentum }),
    });
    y.backward(tensor(decode(each.dy), each.shape));
    const running = { mean: decoded(each.runningMean)!, var: decoded(each.runningVar)! };
    expectResults(
      { y, dx: x.grad, dweight: weight?.grad ?? null, dbias: bias?.grad ?? null },
      each,
      {
        ...each,
        eps,
        weight: decoded(each.weight),
        bias: decoded(each.bias),
        running: training ? null : running,
      },
    );
    if (!isTaken(each)) return;
    const m = y.numel / each.shape[1]!;
    expectStatistic(mean, each.runningMeanAfter, each.dtype, m, 'running_mean');
    expectStatistic(variance, each.runningVarAfter, each.dtype, m, 'running_var');
  });

  test.each(
    cases
      .filter((each) => each.dtype === 'float64' && each.shape.length > 1)
      .map((each) => [title(each), each] as const),
  )('sample_inputs_batch_norm: gradients by central differences of %s', (_, each) => {
    const { x, mean, variance, weight, bias } = operands(each);
    const { training = false, eps = 1e-5 } = each.options;
    const inputs = [x, ...(weight === null ? [] : [weight]), ...(bias === null ? [] : [bias])];
    gradcheck(
      (...given) =>
        functional.batchNorm(given[0]!, mean, variance, {
          weight: given[1] ?? null,
          bias: given[2] ?? null,
          training,
          eps,
        }),
      inputs,
    );
  });

  test.each(
    cases
      .filter((each) => (each.options.momentum ?? 0) < 0)
      .map((each) => [title(each), each] as const),
  )('sample_inputs_batch_norm: a momentum below 0 is refused, %s', (_, each) => {
    const { x, mean, variance, weight, bias } = operands(each);
    const unchanged = snapshot(x, mean!, variance!, weight!, bias!);
    expect(
      thrownBy(() => functional.batchNorm(x, mean, variance, { weight, bias, ...each.options })),
    ).toBe(
      `RangeError: batchNorm: expected momentum to be a number from 0 to 1, got ${each.options.momentum!}.`,
    );
    unchanged();
  });

  test.each(
    cases.filter((each) => each.shape.length === 1).map((each) => [title(each), each] as const),
  )('sample_inputs_batch_norm: no channels, no batch, refused: %s', (_, each) => {
    const { x, mean, variance } = operands(each);
    expect(thrownBy(() => functional.batchNorm(x, mean, variance, each.options))).toBe(
      'RangeError: batchNorm: expected input of shape [N, C, ...], got shape [0].',
    );
  });
});
