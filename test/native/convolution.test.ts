// Convolutions and both gradients against the sum of their definition, on whole numbers whose products and sums are
// exact: shapes of every loop (windows read once, phases of a stride, matrices of windows, rows), every instruction set.
import { afterAll, describe, expect, it } from 'vitest';

import { addon } from '../../src/addon/control.js';

const initial = addon.isa();
afterAll(() => {
  addon.selectIsa(initial);
});

interface Plan {
  readonly shape: readonly [samples: number, channels: number, length: number];
  readonly out: number;
  readonly taps: number;
  readonly stride?: number;
  readonly dilation?: number;
  readonly groups?: number;
  readonly pad?: number;
}

const PLANS: readonly Plan[] = [
  { shape: [3, 5, 40], out: 7, taps: 3, pad: 1 },
  { shape: [9, 3, 20], out: 13, taps: 2 },
  { shape: [2, 4, 130], out: 25, taps: 5, dilation: 3, pad: 6 },
  { shape: [2, 3, 512], out: 5, taps: 3, pad: 1 },
  { shape: [1, 60, 150], out: 3, taps: 5, pad: 2 },
  { shape: [2, 90, 100], out: 2, taps: 3 },
  { shape: [2, 2, 700], out: 5, taps: 20, stride: 4, pad: 3 },
  { shape: [2, 1, 900], out: 3, taps: 40, stride: 16, pad: 40 },
  { shape: [3, 3, 61], out: 4, taps: 3, stride: 2, pad: 1 },
  { shape: [3, 2, 61], out: 4, taps: 3, stride: 5 },
  { shape: [2, 4, 41], out: 6, taps: 4, stride: 3, dilation: 2, groups: 2, pad: 2 },
  { shape: [4, 6, 33], out: 6, taps: 3, groups: 6, pad: 2 },
  { shape: [4, 2, 9], out: 3, taps: 7, dilation: 2, pad: 6 },
  { shape: [70, 2, 5], out: 3, taps: 3, pad: 1 },
  // Weights of one value in several tiles, outputs through scratch in parts, and in several blocks of terms.
  { shape: [2, 1, 130], out: 30, taps: 1 },
  { shape: [2, 40, 150], out: 50, taps: 1 },
  { shape: [1, 30, 512], out: 110, taps: 1 },
  { shape: [1, 300, 512], out: 5, taps: 1 },
  // The gradient of the weight cut by outputs; x where it is, of two groups; pairs apart and together.
  { shape: [1, 4, 200], out: 200, taps: 3 },
  { shape: [3, 8, 130], out: 16, taps: 3, groups: 2 },
  { shape: [2, 3, 300], out: 4, taps: 5, stride: 2, pad: 2 },
  // Depthwise: windows where x is, with ends beside them or without; only ends; several outputs a group; a stride.
  { shape: [3, 4, 300], out: 4, taps: 9, groups: 4, pad: 4 },
  { shape: [2, 5, 100], out: 10, taps: 5, groups: 5 },
  { shape: [2, 3, 160], out: 3, taps: 13, dilation: 4, groups: 3, pad: 24 },
  { shape: [2, 3, 60], out: 3, taps: 41, groups: 3, pad: 40 },
  { shape: [2, 3, 95], out: 6, taps: 4, stride: 3, groups: 3, pad: 3 },
  { shape: [40, 2, 260], out: 2, taps: 2, groups: 2, pad: 1 },
];

/** Whole numbers from -3 to 3. */
function numbers(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) % 7) - 3;
  });
}

/** The three results, term by term. */
function expected(plan: Required<Plan>, outLength: number, values: Record<'x' | 'w' | 'b' | 'dy', number[]>) {
  const { shape, out, taps, stride, dilation, groups, pad } = plan;
  const [samples, channels, length] = shape;
  const [inner, outer] = [channels / groups, out / groups];
  const y: number[] = [];
  const dx = Array.from({ length: samples * channels * length }, () => 0);
  const dw = values.w.map(() => 0);
  for (let n = 0; n < samples; n++) {
    for (let o = 0; o < out; o++) {
      for (let t = 0; t < outLength; t++) {
        let sum = values.b[o]!;
        const dy = values.dy[(n * out + o) * outLength + t]!;
        for (let c = 0; c < inner; c++) {
          for (let j = 0; j < taps; j++) {
            const at = t * stride + j * dilation - pad;
            if (at < 0 || at >= length) continue;
            const from = (n * channels + Math.floor(o / outer) * inner + c) * length + at;
            const weight = (o * inner + c) * taps + j;
            sum += values.w[weight]! * values.x[from]!;
            dx[from]! += values.w[weight]! * dy;
            dw[weight]! += values.x[from]! * dy;
          }
        }
        y.push(sum);
      }
    }
  }
  return { y, dx, dw };
}

describe.each(addon.availableIsas())('%s kernels', (isa) => {
  describe.each([Float32Array, Float64Array])('%o', (Data) => {
    it.each(PLANS)('$shape to $out by $taps', (plan) => {
      addon.selectIsa(isa);
      const { shape, out, taps, stride = 1, dilation = 1, groups = 1, pad = 0 } = plan;
      const [samples, channels, length] = shape;
      const outLength = Math.floor((length + 2 * pad - dilation * (taps - 1) - 1) / stride) + 1;
      const values = {
        x: numbers(samples * channels * length, 1),
        w: numbers((out * channels * taps) / groups, 2),
        b: numbers(out, 3),
        dy: numbers(samples * out * outLength, 4),
      };
      const all = { shape, out, taps, stride, dilation, groups, pad };
      const want = expected(all, outLength, values);
      const sizes = [samples, channels, out, groups, length, outLength, taps, stride, dilation, pad] as const;
      const of = (from: readonly number[]): InstanceType<typeof Data> => Data.from(from);
      const [x, w, b, dy] = [of(values.x), of(values.w), of(values.b), of(values.dy)];
      const empty = (count: number): InstanceType<typeof Data> => new Data(count).fill(NaN);
      const [y, dx, dw] = [empty(want.y.length), empty(want.dx.length), empty(want.dw.length)];
      addon.conv1d(x, w, b, y, ...sizes);
      addon.conv1dTransposed(dy, w, null, dx, ...sizes);
      const isDepthwise = groups > 1 && channels === groups && out / groups <= 4;
      const totals = isDepthwise ? new Float64Array(dw.length).fill(NaN) : null;
      addon.conv1dWeightGradient(x, dy, dw, totals, ...sizes);
      const plain = (data: ArrayLike<number>): number[] => Array.from(data, (each) => each + 0);
      expect(plain(y)).toEqual(plain(want.y));
      expect(plain(dx)).toEqual(plain(want.dx));
      expect(plain(dw)).toEqual(plain(want.dw));
      if (totals !== null) expect(plain(Data.from(totals))).toEqual(plain(dw));
    });
  });
});
