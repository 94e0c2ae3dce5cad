// How far BatchNorm's outputs may be from the exact ones, element by element: the sizes of the
// intermediate values that get rounded. Plain loops in double; a tolerance, not a second oracle.

/** One step as the golden data has it. `channelOf(i)` is the channel of element i. */
export interface Step {
  readonly x: ArrayLike<number>;
  readonly dy: ArrayLike<number>;
  readonly channels: number;
  readonly channelOf: (i: number) => number;
  readonly weight: ArrayLike<number> | null;
  readonly bias: ArrayLike<number> | null;
  readonly eps: number;
  /** The statistics that normalise in evaluation; null: the batch's. */
  readonly running: { readonly mean: ArrayLike<number>; readonly var: ArrayLike<number> } | null;
}

/** What one rounding of each output is relative to. */
export interface Sizes {
  readonly y: Float64Array;
  readonly dx: Float64Array;
  readonly dweight: Float64Array;
  readonly dbias: Float64Array;
  /** Per channel, max |x| · invstd: how much an error in the mean grows when x is centred. */
  readonly offCentre: Float64Array;
}

export function sizesOf(step: Step): Sizes {
  const { x, dy, channels, channelOf, weight, bias, eps, running } = step;
  const m = x.length / channels;
  const perChannel = (value: (i: number) => number): Float64Array => {
    const sum = new Float64Array(channels);
    for (let i = 0; i < x.length; i++) sum[channelOf(i)]! += value(i);
    return sum;
  };
  const means = perChannel((i) => x[i]! / m);
  const variances = perChannel((i) => (x[i]! - means[channelOf(i)]!) ** 2 / m);
  const mean = (c: number): number => (running === null ? means[c]! : running.mean[c]!);
  const invstd = Float64Array.from(
    { length: channels },
    (_, c) => 1 / Math.sqrt((running === null ? variances[c]! : running.var[c]!) + eps),
  );
  const xhat = (i: number): number => (x[i]! - mean(channelOf(i))) * invstd[channelOf(i)]!;
  const gain = (i: number): number => Math.abs(weight === null ? 1 : weight[channelOf(i)]!);

  const offCentre = new Float64Array(channels);
  for (let i = 0; i < x.length; i++) {
    const c = channelOf(i);
    const size = Math.max(Math.abs(x[i]!), Math.abs(mean(c))) * invstd[c]!;
    offCentre[c] = Math.max(offCentre[c]!, size);
  }
  // Of the sums, what was added up, not what was left.
  const dweight = perChannel((i) => Math.abs(dy[i]! * xhat(i)));
  const dbias = perChannel((i) => Math.abs(dy[i]!));
  const each = (size: (i: number, c: number) => number): Float64Array =>
    Float64Array.from({ length: x.length }, (_, i) => size(i, channelOf(i)));
  return {
    // y = (x - center) · scale + offset
    y: each((i, c) => Math.max(gain(i) * Math.abs(xhat(i)), Math.abs(bias?.[c] ?? 0))),
    // dx = dy · a + (x - center) · b + k
    dx: each((i, c) => {
      const factor = gain(i) * invstd[c]!;
      const direct = Math.abs(dy[i]!);
      if (running !== null) return factor * direct;
      return factor * Math.max(direct, (Math.abs(xhat(i)) * dweight[c]!) / m, dbias[c]! / m);
    }),
    dweight,
    dbias,
    offCentre,
  };
}
