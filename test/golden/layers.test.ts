// Linear, ReLU and the losses against PyTorch's float64: values and every gradient.
import { functional, nn, tensor, type Tensor } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import {
  expectAllClose,
  expectSameBits,
  ROUNDING,
  type Tolerance,
} from '../helpers/expect-close.js';
import { decode, readGolden, type DTypeName, type Encoded } from '../helpers/golden.js';

interface Base {
  dtype: DTypeName;
  shape: number[];
}

interface LinearCase extends Base {
  out: number;
  x: Encoded;
  weight: Encoded;
  bias: Encoded | null;
  dy: Encoded;
  y: Encoded;
  dx: Encoded;
  dweight: Encoded;
  dbias: Encoded | null;
}

interface LossCase extends Base {
  reduction: 'mean' | 'sum';
  dy: number;
  y: number;
}

interface CrossEntropyCase extends LossCase {
  ignoreIndex: number;
  logits: Encoded;
  targets: number[];
  dx: Encoded;
}

interface MseCase extends LossCase {
  prediction: Encoded;
  target: Encoded;
  dprediction: Encoded;
  dtarget: Encoded;
}

const golden = readGolden('layers') as {
  torch: string;
  linear: LinearCase[];
  relu: (Base & Record<'x' | 'dy' | 'y' | 'dx', Encoded>)[];
  crossEntropy: CrossEntropyCase[];
  mse: MseCase[];
};

const leaf = (encoded: Encoded, shape: number[]): Tensor =>
  tensor(decode(encoded), shape, { requiresGrad: true });

const absolute = (encoded: Encoded): Float64Array => Float64Array.from(decode(encoded), Math.abs);

/** |a| · |b| for row-major a [m, k] and b [k, n], read through strides: what a product's roundings are
 * relative to. */
function product(
  [m, k, n]: [number, number, number],
  a: (i: number, j: number) => number,
  b: (i: number, j: number) => number,
): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let p = 0; p < k; p++) c[i * n + j]! += a(i, p) * b(p, j);
    }
  }
  return c;
}

describe(`Linear as PyTorch ${golden.torch} computes it`, () => {
  for (const each of golden.linear) {
    const { dtype, shape, out } = each;
    test(`${dtype} [${shape.join()}] to ${out}, bias ${each.bias !== null}`, () => {
      const inner = shape.at(-1)!;
      const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
      const layer = new nn.Linear(inner, out, { dtype, bias: each.bias !== null });
      layer.weight.data.set(decode(each.weight));
      if (each.bias !== null) layer.bias!.data.set(decode(each.bias));
      const x = leaf(each.x, shape);
      const y = layer.forward(x);
      expect(y.shape).toEqual([...shape.slice(0, -1), out]);
      y.backward(tensor(decode(each.dy), y.shape));

      // A sum of n products rounds each product once and each partial sum once: n + 1 roundings of what
      // was added up, and one more of the bias. In float64 PyTorch's own sum rounds as often.
      const [ax, aw, ady] = [absolute(each.x), absolute(each.weight), absolute(each.dy)];
      const unit = ROUNDING[dtype];
      const times = dtype === 'float64' ? 2 : 1;
      const xAt = (i: number, j: number): number => ax[i * inner + j]!;
      const wAt = (i: number, j: number): number => aw[i * inner + j]!;
      const dyAt = (i: number, j: number): number => ady[i * out + j]!;
      const ofY = product([rows, inner, out], xAt, (i, j) => wAt(j, i));
      if (each.bias !== null) {
        const bias = absolute(each.bias);
        ofY.forEach((value, i) => (ofY[i] = value + bias[i % out]!));
      }
      const within = (n: number, scale: Float64Array): Tolerance => ({ k: times * n, unit, scale });
      const ofDx = product([rows, out, inner], dyAt, wAt);
      const ofDw = product([out, rows, inner], (i, j) => dyAt(j, i), xAt);
      const ofDb = product([1, rows, out], () => 1, dyAt);
      const check = (what: string, a: Tensor | null, b: Encoded, limit: Tolerance): void =>
        expectAllClose(a, decode(b), limit, what);
      check('y', y, each.y, within(inner + 2, ofY));
      check('dx', x.grad, each.dx, within(out + 1, ofDx));
      check('dweight', layer.weight.grad, each.dweight, within(rows + 1, ofDw));
      if (each.dbias === null) expect(layer.bias).toBeNull();
      else check('dbias', layer.bias!.grad, each.dbias, within(rows + 1, ofDb));
    });
  }
});

describe('ReLU', () => {
  for (const { dtype, shape, x, dy, y, dx } of golden.relu) {
    test(`${dtype}: exact, with zeros, subnormals, infinities and NaN`, () => {
      const input = leaf(x, shape);
      const output = new nn.ReLU().forward(input);
      output.backward(tensor(decode(dy), shape));
      expectSameBits(output, decode(y), 'y');
      expectSameBits(input.grad, decode(dx), 'dx');
    });
  }
});

describe('CrossEntropyLoss', () => {
  for (const each of golden.crossEntropy) {
    const { dtype, shape, reduction, ignoreIndex, targets } = each;
    test(`${dtype} [${shape.join()}] ${reduction}, ignoring ${ignoreIndex}`, () => {
      const logits = leaf(each.logits, shape);
      const loss = new nn.CrossEntropyLoss({ reduction, ignoreIndex }).forward(logits, targets);
      loss.backward(
        tensor(dtype === 'float32' ? new Float32Array([each.dy]) : new Float64Array([each.dy]), []),
      );
      expect(loss.shape).toEqual([]);

      const [rows = 0, classes = 0] = shape;
      const counted = targets.filter((target) => target !== ignoreIndex).length;
      const divisor = reduction === 'mean' ? counted : 1;
      const largest = Math.max(...absolute(each.logits), 1);
      const unit = ROUNDING[dtype];
      // Everything is in double and rounded once for float32. In float64: each row's log of a sum of
      // exponentials of logits, and the sum over rows, on both sides.
      const single = dtype === 'float32';
      const size = single ? Math.abs(each.y) : (rows * 2 * largest) / divisor;
      const k = single ? 1.01 : 8 + classes + rows;
      expectAllClose([loss.item()], [each.y], { k, unit, scale: size }, 'loss');

      // dx = p · factor: p stored, factor, product = 3 roundings; (p - 1) · factor where the target
      // is, so of factor. In float64 p = exp(x - log Σ): an error of x's own size in the exponent.
      const factor = each.dy / divisor;
      const expected = decode(each.dx);
      const scale = Float64Array.from(expected, (value, i) => {
        return targets[Math.floor(i / classes)] === i % classes ? factor : Math.abs(value);
      });
      const roundings = single ? 3.01 : 8 + classes + 2 * largest;
      expectAllClose(logits.grad, expected, { k: roundings, unit, scale }, 'dx');
    });
  }
});

describe('MSELoss', () => {
  for (const each of golden.mse) {
    const { dtype, shape, reduction } = each;
    test(`${dtype} [${shape.join()}] ${reduction}`, () => {
      const prediction = leaf(each.prediction, shape);
      const target = leaf(each.target, shape);
      const loss = new nn.MSELoss({ reduction }).forward(prediction, target);
      functional.mul(loss, tensor([each.dy], [], { dtype })).backward();

      // A sum of squares in double, rounded once for float32; n + 3 roundings on both sides for float64.
      const n = prediction.numel;
      const unit = ROUNDING[dtype];
      const k = dtype === 'float32' ? 1.01 : 2 * (n + 3);
      expectAllClose([loss.item()], [each.y], { k, unit, scale: Math.abs(each.y) }, 'loss');
      // (a - b) · factor: three roundings here, as many in PyTorch's float64.
      for (const [what, { grad }, encoded] of [
        ['dprediction', prediction, each.dprediction],
        ['dtarget', target, each.dtarget],
      ] as const) {
        const expected = decode(encoded);
        expectAllClose(grad, expected, { k: 6, unit, scale: absolute(encoded) }, what);
      }
    });
  }
});
