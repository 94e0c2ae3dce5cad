// How far one training step of BatchNorm is from the truth, in units that say how well
// the inputs allow it to be known. Used by the accuracy test and the table it can write.
import { functional, tensor } from 'evenkeel';

import { channelIndices, deviation, gradientSums, moments, ulp32 } from './oracle.js';
import { normalFrom, normals32, uniformFrom } from './random.js';

export type Shape = readonly [n: number, c: number, l: number];

export type Quantity = 'mean' | 'variance' | 'y' | 'dx' | 'dweight' | 'dbias';

/** The worst error of one quantity over all channels and elements, in the unit of TOLERANCES. */
interface Worst {
  error: number;
  /** Where, what came and what was right. */
  at: string;
}
export type Errors = Record<Quantity, Worst>;

/** What each error may be at most, and its unit. u = 2^-24. */
export const TOLERANCES: Readonly<Record<Quantity, readonly [limit: number, unit: string]>> = {
  mean: [1, 'u * max(|mean|, deviation)'],
  variance: [2, 'units in the last place'],
  y: [4, 'u * max(|y|, |weight * xhat|, |bias|)'],
  dx: [4, 'u * |weight| * invstd * (|dy| + |sum dy| / M + |xhat * sum dy * xhat| / M)'],
  dweight: [1, '0.51 units in the last place + 2^-45 * sum |dy * xhat|'],
  dbias: [1, '0.51 units in the last place + 2^-45 * sum |dy|'],
};

/** One sentence for each quantity that is further off than its limit. */
export function violations(errors: Errors): string[] {
  return Object.entries(TOLERANCES).flatMap(([name, [limit, unit]]) => {
    const { error, at } = errors[name as Quantity];
    return error <= limit ? [] : [`${name} is off by ${error} of at most ${limit} ${unit}, ${at}`];
  });
}

const EPS = 1e-5;

/** An element type, what one unit of an error is, and what sums in double may leave over. */
export interface Precision {
  readonly dtype: 'float32' | 'float64';
  readonly unit: number;
  readonly ulp: (value: number) => number;
  readonly sums: number;
}
export const SINGLE: Precision = {
  dtype: 'float32',
  unit: 2 ** -24,
  ulp: ulp32,
  sums: 2 ** -45,
};
/** Units of 8 double roundings: sums are no wider than the data here, and the oracle rounds too. */
export const DOUBLE: Precision = {
  dtype: 'float64',
  unit: 2 ** -50,
  ulp: (value) => 2 ** -50 * Math.abs(value),
  sums: 2 ** -50,
};

type Floats = Float32Array | Float64Array;

/** Fills (N, C, L) data; `position` counts a channel's values. */
export type Distribution = (seed: number) => (position: number) => number;

const around =
  (offset: number, scale = 1): Distribution =>
  (seed) => {
    const normal = normalFrom(seed);
    return () => offset + scale * normal();
  };

const firstIs =
  (outlier: number): Distribution =>
  (seed) => {
    const normal = normalFrom(seed);
    return (position) => (position === 0 ? outlier : normal());
  };

/** The distributions that break BatchNorms: means far from 0, outliers, extremes. */
export const DISTRIBUTIONS: Readonly<Record<string, Distribution>> = {
  'mean 0': around(0),
  'mean 1e2': around(1e2),
  'mean 1e4': around(1e4),
  'mean 1e6': around(1e6),
  'mean 7, deviation 1e-3': around(7, 1e-3),
  'first value 1e6': firstIs(1e6),
  'first value 1e12': firstIs(1e12),
  'constant + 1 ulp': (seed) => {
    const uniform = uniformFrom(seed);
    return () => (uniform() < 0.3 ? 3 + 2 ** -22 : 3);
  },
  'lognormal, sigma 4': (seed) => {
    const normal = normalFrom(seed);
    return () => Math.exp(4 * normal());
  },
  Cauchy: (seed) => {
    const uniform = uniformFrom(seed);
    return () => Math.tan(Math.PI * (uniform() - 0.5));
  },
  'scale 1e18': around(0, 1e18),
};

export function fill([n, c, l]: Shape, distribution: Distribution): Float32Array {
  const x = new Float32Array(n * c * l);
  for (let channel = 0; channel < c; channel++) {
    const next = distribution(1000 + channel);
    channelIndices([n, c, l], channel).forEach((i, position) => (x[i] = next(position)));
  }
  return x;
}

/** One forward and backward in training, measured against the oracle. */
export function measure(shape: Shape, values: Float32Array, precision = SINGLE): Errors {
  const [n, c, l] = shape;
  const { dtype, unit, ulp, sums: leftOver } = precision;
  const array = (from: Float32Array | number) =>
    dtype === 'float32' ? new Float32Array(from as number) : new Float64Array(from as number);
  const x = array(values);
  const [weight, bias] = [array(normals32(1, c)), array(normals32(2, c))];
  const dy = array(normals32(3, x.length));
  const parameter = (data: Floats) => tensor(data, [c], { requiresGrad: true });
  const [w, b] = [parameter(weight), parameter(bias)];
  const [mean, variance] = [tensor(array(c), [c]), tensor(array(c), [c])];
  const sizes = l === 1 ? [n, c] : [n, c, l];
  const input = tensor(x, sizes, { requiresGrad: true });
  const options = { weight: w, bias: b, training: true, momentum: 1, eps: EPS };
  const output = functional.batchNorm(input, mean, variance, options);
  output.backward(tensor(dy, sizes));
  const data = (from: { readonly data: unknown } | null) => from!.data as Floats;
  const got = {
    mean: data(mean),
    variance: data(variance),
    y: data(output),
    dx: data(input.grad),
    dweight: data(w.grad),
    dbias: data(b.grad),
  };

  const none = (): Worst => ({ error: 0, at: 'nowhere' });
  const worst: Errors = {
    ...{ mean: none(), variance: none(), y: none() },
    ...{ dx: none(), dweight: none(), dbias: none() },
  };
  /** Keeps the larger; NaN is the largest. An exact result has no error, whatever the unit. */
  const note = (name: Quantity, i: number, expected: number, unit: number): void => {
    const actual = got[name][i]!;
    const error = actual === expected ? 0 : Math.abs(actual - expected) / unit;
    if (error <= worst[name].error) return;
    worst[name] = { error, at: `at index ${i}: got ${actual}, expected ${expected}` };
  };
  for (let channel = 0; channel < c; channel++) {
    const indices = channelIndices(shape, channel);
    const m = indices.length;
    const truth = moments(x, indices);
    const center = truth.mean.high;
    const invstd = 1 / Math.sqrt(truth.variance + EPS);
    const [gain, shift] = [weight[channel]!, bias[channel]!];
    const sums = gradientSums(x, dy, indices, truth, invstd);
    const unbiased = truth.variance * (m / (m - 1));

    const scale = Math.max(Math.abs(center), Math.sqrt(truth.variance));
    note('mean', channel, center, unit * scale);
    note('variance', channel, unbiased, ulp(unbiased));
    const [dotUnit, sumUnit] = [sums.dotAbs * leftOver, sums.sumAbs * leftOver];
    note('dweight', channel, sums.dot, 0.51 * ulp(sums.dot) + dotUnit);
    note('dbias', channel, sums.sum, 0.51 * ulp(sums.sum) + sumUnit);
    for (const i of indices) {
      const xhat = deviation(x[i]!, truth.mean) * invstd;
      const y = xhat * gain + shift;
      const largest = Math.max(Math.abs(y), Math.abs(xhat * gain), Math.abs(shift));
      note('y', i, y, unit * largest);
      const [drift, tilt] = [sums.sum / m, (xhat * sums.dot) / m];
      const dx = gain * invstd * (dy[i]! - drift - tilt);
      const terms = Math.abs(dy[i]!) + Math.abs(drift) + Math.abs(tilt);
      note('dx', i, dx, unit * Math.abs(gain) * invstd * terms);
    }
  }
  return worst;
}
