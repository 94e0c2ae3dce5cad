// A convolution of the list alone: its forward, or its backward to input, weight and bias.
import { functional, noGrad, tensor, type Tensor } from 'evenkeel';

import { CONVOLUTIONS } from './convolutions.js';
import type { Floats, Job } from './data.js';

/** The convolution of a case, or the backward of one that has run. `release`: give its memory back by hand. */
export function convolutionRunner(
  { case: { mode, operation, shape }, x: values, dy }: Job,
  Data: new (from: Iterable<number>) => Floats,
): (release: boolean) => Tensor {
  const { weight: sizes, options = {} } = CONVOLUTIONS[operation!]!;
  /** Numbers of dy from the first on, again and again, times a power of two: exact in every dtype. */
  const filled = (to: readonly number[], factor: number): Tensor => {
    const length = to.reduce((a, b) => a * b, 1);
    const numbers = Array.from({ length }, (_, i) => dy![i % dy!.length]! * factor);
    return tensor(new Data(numbers), to);
  };
  const [out = 0, inner = 0, taps = 0] = sizes;
  const x = tensor(new Data(values), shape);
  const weight = filled(sizes, 2 ** -Math.ceil(Math.log2(inner * taps) / 2));
  const bias = filled([out], 1);
  if (mode === 'operation') return () => noGrad(() => functional.conv1d(x, weight, bias, options));
  const leaves = [x, weight, bias];
  for (const leaf of leaves) leaf.requiresGrad = true;
  const y = functional.conv1d(x, weight, bias, options);
  const gradient = filled(y.shape, 1);
  return (release) => {
    for (const leaf of leaves) {
      if (release) leaf.grad?.dispose();
      leaf.grad = null;
    }
    y.backward(gradient, { retainGraph: true });
    return x.grad as unknown as Tensor;
  };
}
