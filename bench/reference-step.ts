// The loss of the first training step without Dropout, in plain loops over doubles.
import type { Job } from './data.js';

const EPS = 1e-5;

export function lossOf({ case: { shape }, x, step }: Job): number {
  const [batch = 0, inputs = 0, hidden = 0, classes = 0] = shape;
  const { labels, fc1, fc2 } = step!;
  const h = linear(Float64Array.from(x), fc1, batch, inputs, hidden);
  normalizeAndRectify(h, batch, hidden);
  const logits = linear(h, fc2, batch, hidden, classes);
  let sum = 0;
  for (let i = 0; i < batch; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const top = Math.max(...row);
    const total = row.reduce((acc, each) => acc + Math.exp(each - top), 0);
    sum += top + Math.log(total) - row[labels[i]!]!;
  }
  return sum / batch;
}

interface Weights {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** x [rows, inputs] times the transpose of weight [outputs, inputs], and bias. */
function linear(
  x: Float64Array,
  { weight, bias }: Weights,
  rows: number,
  inputs: number,
  outputs: number,
): Float64Array {
  const y = new Float64Array(rows * outputs);
  for (let i = 0; i < rows; i++) {
    for (let o = 0; o < outputs; o++) {
      let sum = bias[o]!;
      for (let k = 0; k < inputs; k++) sum += x[i * inputs + k]! * weight[o * inputs + k]!;
      y[i * outputs + o] = sum;
    }
  }
  return y;
}

function normalizeAndRectify(h: Float64Array, rows: number, columns: number): void {
  for (let c = 0; c < columns; c++) {
    let [sum, squares] = [0, 0];
    for (let i = c; i < h.length; i += columns) sum += h[i]!;
    const mean = sum / rows;
    for (let i = c; i < h.length; i += columns) squares += (h[i]! - mean) ** 2;
    const invstd = 1 / Math.sqrt(squares / rows + EPS);
    for (let i = c; i < h.length; i += columns) h[i] = Math.max(0, (h[i]! - mean) * invstd);
  }
}
