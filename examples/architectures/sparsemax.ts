// Sparsemax (Martins & Astudillo 2016): the nearest point of the probability simplex. Like softmax, with exact zeros.
import { functional, tensor, type Tensor } from 'evenkeel';

type Floats = Float32Array | Float64Array;

/** Each row of [N, C] minus the threshold at which what is left above 0 adds up to 1. */
export const sparsemax: (x: Tensor) => Tensor = functional.custom({
  name: 'sparsemax',
  forward(context, x: Tensor) {
    const [rows = 0, width = 0] = x.shape;
    const y = (x.data as Floats).slice();
    for (let n = 0; n < rows; n++) {
      const row = y.subarray(n * width, (n + 1) * width);
      const threshold = thresholdOf(row);
      row.forEach((value, i) => (row[i] = Math.max(value - threshold, 0)));
    }
    const result = tensor(y, x.shape);
    context.saveForBackward(result);
    return result;
  },
  /** The gradient less its mean, both over what is above 0. */
  backward(context, gradient) {
    const [result] = context.savedTensors as [Tensor];
    const support = functional.gt(result, 0);
    const zero = tensor([0], [], { dtype: gradient.dtype });
    const kept = functional.where(support, gradient, zero);
    const one = tensor([1], [], { dtype: gradient.dtype });
    const count = functional.where(support, one, zero).sum({ dim: 1, keepdim: true });
    const mean = kept.sum({ dim: 1, keepdim: true }).div(count);
    return functional.where(support, kept.sub(mean), zero);
  },
});

/** (Σ of the k largest − 1) / k, with as many values as are above it. */
function thresholdOf(row: Floats): number {
  const ordered = row.slice().sort().reverse();
  let [sum, threshold] = [-1, 0];
  for (let k = 0; k < ordered.length; k++) {
    sum += ordered[k]!;
    if ((k + 1) * ordered[k]! <= sum) break;
    threshold = sum / (k + 1);
  }
  return threshold;
}
