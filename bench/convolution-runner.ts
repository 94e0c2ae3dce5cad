// A convolution of the list alone: its forward, or its backward to input, weight and bias.
import { functional, noGrad, tensor, type Tensor } from 'evenkeel';

import { CONVOLUTIONS } from './convolutions.js';
import type { Floats, Job } from './data.js';

/** Numbers of dy from the first on, again and again, times a power of two: exact in every dtype. */
function filled(dy: Floats, shape: readonly number[], factor: number): number[] {
  const length = shape.reduce((a, b) => a * b, 1);
  return Array.from({ length }, (_, i) => dy[i % dy.length]! * factor);
}

/** Weight and bias of the convolution of a case, for every contender. */
export function convolutionWeights({ case: { operation }, dy }: Job): {
  readonly weight: number[];
  readonly bias: number[];
} {
  const { weight: sizes } = CONVOLUTIONS[operation!]!;
  const [out = 0, inner = 0, taps = 0] = sizes;
  const factor = 2 ** -Math.ceil(Math.log2(inner * taps) / 2);
  return { weight: filled(dy!, sizes, factor), bias: filled(dy!, [out], 1) };
}

/** The convolution of a case, or the backward of one that has run. `release`: give its memory back by hand. */
export function convolutionRunner(
  job: Job,
  Data: new (from: Iterable<number>) => Floats,
): (release: boolean) => Tensor {
  const { mode, operation, shape } = job.case;
  const { weight: sizes, options = {} } = CONVOLUTIONS[operation!]!;
  const numbers = convolutionWeights(job);
  const x = tensor(new Data(job.x), shape);
  const weight = tensor(new Data(numbers.weight), sizes);
  const bias = tensor(new Data(numbers.bias));
  if (mode === 'operation') return () => noGrad(() => functional.conv1d(x, weight, bias, options));
  const leaves = [x, weight, bias];
  for (const leaf of leaves) leaf.requiresGrad = true;
  const y = functional.conv1d(x, weight, bias, options);
  const gradient = tensor(new Data(filled(job.dy!, y.shape, 1)), y.shape);
  return (release) => {
    for (const leaf of leaves) {
      if (release) leaf.grad?.dispose();
      leaf.grad = null;
    }
    y.backward(gradient, { retainGraph: true });
    return x.grad as unknown as Tensor;
  };
}
