// The truth for numbers: BatchNorm and its gradients to about 100 bits. Every sum and product keeps
// its rounding error (TwoSum, Knuth 1969; TwoProduct, Dekker 1971; summation, Neumaier 1974).
// Not PyTorch's semantics: test/golden has those.

/** The unevaluated sum high + low, |low| at most half a unit in the last place of high. */
export interface DoubleDouble {
  readonly high: number;
  readonly low: number;
}

/** A sum of any number of doubles, rounded once. */
export class ExactSum {
  private high = 0;
  private low = 0;

  add(value: number): void {
    const sum = this.high + value;
    const seen = sum - this.high;
    this.low += this.high - (sum - seen) + (value - seen);
    this.high = sum;
  }

  /** Adds a * b without rounding it. |a|, |b| < 2^480. */
  addProduct(a: number, b: number): void {
    const product = a * b;
    const [aHigh, bHigh] = [upperHalf(a), upperHalf(b)];
    const [aLow, bLow] = [a - aHigh, b - bHigh];
    this.add(product);
    this.low += aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
  }

  get value(): number {
    return this.high + this.low;
  }

  /** The sum over `count`, to twice the precision of a double. */
  over(count: number): DoubleDouble {
    const sum = this.high + this.low;
    const rest = this.high - sum + this.low;
    const high = sum / count;
    const remainder = new ExactSum(); // sum - high * count, exactly
    remainder.add(sum);
    remainder.addProduct(-high, count);
    return { high, low: (remainder.value + rest) / count };
  }
}

/** The upper 26 bits (Veltkamp 1968). */
function upperHalf(a: number): number {
  const shifted = a * 134_217_729; // 2^27 + 1
  return shifted - (shifted - a);
}

/** The distance between neighbouring float32 values around `value`. */
export function ulp32(value: number): number {
  return 2 ** (Math.max(-126, exponent(value)) - 23);
}

function exponent(value: number): number {
  const estimate = Math.floor(Math.log2(Math.abs(value)));
  return 2 ** (estimate + 1) <= Math.abs(value) ? estimate + 1 : estimate;
}

/** Where the M = N * L values of one channel are in an (N, C, L) array. */
export function channelIndices(
  shape: readonly [number, number, number],
  channel: number,
): number[] {
  const [n, c, l] = shape;
  const indices = new Array<number>(n * l);
  for (let row = 0, i = 0; row < n; row++) {
    for (let position = 0; position < l; position++) {
      indices[i++] = (row * c + channel) * l + position;
    }
  }
  return indices;
}

export interface Moments {
  readonly mean: DoubleDouble;
  /** Biased: over M. */
  readonly variance: number;
}

export function moments(x: ArrayLike<number>, indices: readonly number[]): Moments {
  const sum = new ExactSum();
  for (const i of indices) sum.add(x[i]!);
  const mean = sum.over(indices.length);
  const squares = new ExactSum();
  for (const i of indices) {
    const { high, low } = subtract(x[i]!, mean);
    squares.addProduct(high, high);
    squares.add(2 * high * low);
  }
  return { mean, variance: squares.over(indices.length).high };
}

/** value - mean, to twice the precision. */
function subtract(value: number, mean: DoubleDouble): DoubleDouble {
  const high = value - mean.high;
  const seen = high - value;
  return { high, low: value - (high - seen) - (mean.high + seen) - mean.low };
}

/** value - mean, rounded once. */
export function deviation(value: number, mean: DoubleDouble): number {
  const { high, low } = subtract(value, mean);
  return high + low;
}

export interface GradientSums {
  /** sum dy, and the sum of its absolute values. */
  readonly sum: number;
  readonly sumAbs: number;
  /** sum dy * xhat, and the sum of its absolute values. */
  readonly dot: number;
  readonly dotAbs: number;
}

export function gradientSums(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  indices: readonly number[],
  { mean }: Moments,
  invstd: number,
): GradientSums {
  const [sum, dot] = [new ExactSum(), new ExactSum()];
  let [sumAbs, dotAbs] = [0, 0];
  for (const i of indices) {
    const { high, low } = subtract(x[i]!, mean);
    sum.add(dy[i]!);
    dot.addProduct(dy[i]!, high);
    dot.add(dy[i]! * low);
    sumAbs += Math.abs(dy[i]!);
    dotAbs += Math.abs(dy[i]! * high);
  }
  return { sum: sum.value, sumAbs, dot: dot.value * invstd, dotAbs: dotAbs * invstd };
}
