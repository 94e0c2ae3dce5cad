// FrozenBatchNorm1d against torchvision's FrozenBatchNorm2d by its formula, in float64: output and gradient.
import { nn, tensor } from 'evenkeel';
import { describe, test } from 'vitest';

import { expectAllClose, ROUNDING } from '../helpers/expect-close.js';
import { decode, readGolden, type DTypeName, type Encoded } from '../helpers/golden.js';

interface Case {
  dtype: DTypeName;
  shape: [number, number, ...number[]];
  eps: number;
  state: Record<'weight' | 'bias' | 'running_mean' | 'running_var', Encoded>;
  x: Encoded;
  dy: Encoded;
  y: Encoded;
  dx: Encoded;
}

const golden = readGolden('inference') as { torch: string; frozen: Case[] };

describe(`FrozenBatchNorm1d by torchvision's formula, in PyTorch ${golden.torch}`, () => {
  for (const { dtype, shape, eps, state, ...each } of golden.frozen) {
    test(`${dtype} [${shape.join()}]`, () => {
      const channels = shape[1];
      const frozen = new nn.FrozenBatchNorm1d(channels, { eps, dtype });
      const entries = Object.entries(state);
      frozen.loadStateDict(new Map(entries.map(([key, values]) => [key, tensor(decode(values))])));
      const [x, dy] = [decode(each.x), decode(each.dy)];
      const input = tensor(x, shape, { requiresGrad: true });
      const y = frozen.forward(input);
      y.backward(tensor(dy, shape));

      const [weight, bias] = [decode(state.weight), decode(state.bias)];
      const [mean, variance] = [decode(state.running_mean), decode(state.running_var)];
      const inner = x.length / shape[0] / channels;
      const factor = Float64Array.from(x, (_, i) => {
        const c = Math.floor(i / inner) % channels;
        return Math.abs(weight[c]! / Math.sqrt(variance[c]! + eps));
      });
      // float32: difference, scale, product, offset, sum = 5 of the largest of them. float64: the formula
      // does not centre, so its 6 and our 8 are of each term.
      const single = dtype === 'float32';
      const unit = ROUNDING[dtype];
      const ofY = Float64Array.from(x, (value, i) => {
        const c = Math.floor(i / inner) % channels;
        const [off, shift] = [mean[c]!, Math.abs(bias[c]!)];
        if (single) return Math.max(factor[i]! * Math.abs(value - off), shift);
        return factor[i]! * (Math.abs(value) + Math.abs(off)) + shift;
      });
      expectAllClose(y, decode(each.y), { k: single ? 5 : 14, unit, scale: ofY }, 'y');
      // dx = dy · scale: 2, and 3 each in float64.
      const ofDx = factor.map((value, i) => value * Math.abs(dy[i]!));
      expectAllClose(
        input.grad,
        decode(each.dx),
        { k: single ? 2.01 : 8, unit, scale: ofDx },
        'dx',
      );
    });
  }
});
