// foldBatchNorm against PyTorch's fuse_linear_bn_eval and its layers, in float64, and by the formula where
// PyTorch cannot fold.
import { nn, tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { decode, readGolden, type DTypeName, type Encoded } from '../helpers/golden.js';

interface Case {
  dtype: DTypeName;
  channels: number;
  affine: 'both' | 'none' | 'weight';
  eps: number;
  shape: number[];
  x: Encoded;
  linear: { weight: Encoded; bias: Encoded | null };
  /** Before and, in `folded`, after: of the weight, of the bias. */
  requiresGrad: [boolean, boolean];
  bn: Record<'weight' | 'bias', Encoded | null> & Record<'running_mean' | 'running_var', Encoded>;
  by: 'torch' | 'formula';
  y: Encoded;
  folded: { weight: Encoded; bias: Encoded; requiresGrad: [boolean, boolean] };
}

const golden = readGolden('inference') as { torch: string; fold: Case[] };

function build(each: Case): [nn.Linear, nn.BatchNorm1d] {
  const { dtype, channels, affine, eps, shape, linear: given } = each;
  const [outputs, inputs] = [decode(each.folded.bias).length, shape.at(-1)!];
  const linear = new nn.Linear(inputs, outputs, { dtype, bias: given.bias !== null });
  linear.weight.data.set(decode(given.weight));
  linear.weight.requiresGrad = each.requiresGrad[0];
  if (given.bias !== null) {
    linear.bias!.data.set(decode(given.bias));
    linear.bias!.requiresGrad = each.requiresGrad[1];
  }
  const options = { dtype, eps, affine: affine !== 'none', bias: affine === 'both' };
  const bn = new nn.BatchNorm1d(channels, options);
  const state = Object.entries(each.bn).filter((entry): entry is [string, Encoded] => !!entry[1]);
  bn.loadStateDict(new Map(state.map(([key, values]) => [key, tensor(decode(values))])));
  return [linear.eval(), bn.eval()];
}

describe(`foldBatchNorm as PyTorch ${golden.torch} fuses`, () => {
  for (const each of golden.fold) {
    const { dtype, channels, affine, shape } = each;
    const name = `${dtype}, ${channels} channel(s), ${affine}, bias ${each.linear.bias !== null}`;
    test(`${name} (by ${each.by})`, () => {
      const [linear, bn] = build(each);
      const folded = nn.foldBatchNorm(linear, bn);
      const expected = { weight: decode(each.folded.weight), bias: decode(each.folded.bias) };
      const flags = [folded.weight.requiresGrad, folded.bias!.requiresGrad];
      expect(flags).toEqual(each.folded.requiresGrad);

      const [outputs, inputs] = folded.weight.shape as [number, number];
      const perRow = (encoded: Encoded | null, none: number): Float64Array => {
        const values = encoded === null ? [none] : decode(encoded);
        return Float64Array.from({ length: outputs }, (_, r) => values[values.length > 1 ? r : 0]!);
      };
      const [gain, shift] = [perRow(each.bn.weight, 1), perRow(each.bn.bias, 0)];
      const [mean, variance] = [perRow(each.bn.running_mean, 0), perRow(each.bn.running_var, 1)];
      const b = perRow(each.linear.bias, 0);
      const scale = variance.map((value, r) => Math.abs(gain[r]! / Math.sqrt(value + each.eps)));
      // What is added up to b'.
      const terms = scale.map(
        (value, r) => (Math.abs(b[r]!) + Math.abs(mean[r]!)) * value + Math.abs(shift[r]!),
      );

      // In float32 one rounding, and below 0.01 of one for those in double and PyTorch's. In float64
      // ours: 2.5 of scale, 1 of the product, for b' 1 of the difference before and 1 of the sum
      // behind; PyTorch's 1 more, for its reciprocal.
      const unit = ROUNDING[dtype];
      const single = dtype === 'float32';
      const sizes = (values: ArrayLike<number>): Float64Array =>
        Float64Array.from(values, Math.abs);
      const weightSizes = sizes(expected.weight);
      expectAllClose(
        folded.weight,
        expected.weight,
        { k: single ? 1.01 : 8, unit, scale: weightSizes },
        "W'",
      );
      const biasLimit = terms.map((size, r) => {
        const stored = single ? 1.01 * unit * Math.abs(expected.bias[r]!) : 0;
        return stored + 12 * ROUNDING.float64 * size;
      });
      expectAllClose(folded.bias, expected.bias, { tolerance: biasLimit }, "b'");

      // y: each product and each sum rounds once, and W' and b' were rounded: inputs + 3 in float32. In
      // float64 the fold's 5 and PyTorch's as many, and the sums of both.
      const x = decode(each.x);
      const y = folded.forward(tensor(x, shape));
      const ofY = Float64Array.from({ length: y.numel }, (_, i) => {
        const [row, r] = [Math.floor(i / outputs), i % outputs];
        let size = single ? Math.abs(expected.bias[r]!) : terms[r]!;
        for (let j = 0; j < inputs; j++) {
          size += Math.abs(x[row * inputs + j]! * expected.weight[r * inputs + j]!);
        }
        return size;
      });
      const k = single ? inputs + 3.01 : 2 * (inputs + 2) + 11;
      expect(y.shape).toEqual([...shape.slice(0, -1), outputs]);
      expectAllClose(y, decode(each.y), { k, unit, scale: ofY }, 'y');
    });
  }

  test('PyTorch folded where it can', () => {
    expect(golden.fold.filter(({ by }) => by === 'torch').map(({ affine }) => affine)).toEqual(
      Array.from({ length: 8 }, () => 'both'),
    );
  });
});
