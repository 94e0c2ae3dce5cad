// Batch normalisation of one channel in whole numbers of any size: exact but for one rounding at the end, over
// the whole range of doubles, where every intermediate of a double would over- or underflow.

/** Numbers are whole multiples of 2^-SHIFT. */
const SHIFT = 1200n;

/** A double as a whole number: its value times 2^SHIFT. */
function whole(value: number): bigint {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0]!;
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xfffffffffffffn;
  const significand = exponent === 0n ? fraction : fraction | (1n << 52n);
  const magnitude = significand << (SHIFT - 1074n + (exponent === 0n ? 0n : exponent - 1n));
  return bits >> 63n === 1n ? -magnitude : magnitude;
}

const lengthOf = (value: bigint): number => value.toString(2).length;

/** value * 2^exponent, rounded to a double: once, but for an error of 2^-150 of it before. */
function toNumber(value: bigint, exponent: number): number {
  const digits = lengthOf(value < 0n ? -value : value);
  // Bits below the last of the result: 53 bits, fewer for a subnormal.
  const drop = Math.max(digits - 53, -1074 - exponent, 0);
  const magnitude = value < 0n ? -value : value;
  const cut = BigInt(drop);
  const half = drop === 0 ? 0n : 1n << (cut - 1n);
  const kept = (magnitude + half) >> cut; // ties go up: they do not occur among roots
  const scale = exponent + drop;
  const near = Math.max(-1022, Math.min(scale, 900));
  return (value < 0n ? -1 : 1) * (Number(kept) * 2 ** near * 2 ** (scale - near));
}

function root(value: bigint): bigint {
  if (value < 2n) return value;
  let x = 1n << BigInt(Math.ceil(lengthOf(value) / 2));
  for (;;) {
    const next = (x + value / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** sign * sqrt(above / below) */
function rootOf(sign: bigint, above: bigint, below: bigint): number {
  if (above === 0n) return 0;
  const up = 300 + lengthOf(below) - lengthOf(above);
  const e = BigInt(Math.ceil(up / 2));
  const quotient = e >= 0n ? (above << (2n * e)) / below : above / (below << (-2n * e));
  return toNumber(sign < 0n ? -root(quotient) : root(quotient), Number(-e));
}

export interface ExactBatchNorm {
  readonly mean: number;
  /** Over M and over M - 1; Infinity where no double is that large. */
  readonly variance: number;
  readonly unbiased: number;
  readonly invstd: number;
  /** Without weight and bias. */
  readonly y: number[];
  readonly dx: number[];
  /** sum dy * xhat */
  readonly dweight: number;
}

/** `dy` are whole numbers; `weight` 1. */
export function exactBatchNorm(
  values: readonly number[],
  dy: readonly number[],
  eps: number,
): ExactBatchNorm {
  const m = BigInt(values.length);
  const xs = values.map(whole);
  const sum = xs.reduce((a, b) => a + b, 0n);
  const deviations = xs.map((x) => m * x - sum); // m (x - mean)
  const squares = deviations.reduce((a, d) => a + d * d, 0n); // m^3 var
  // m^3 (var + eps)
  const spread = squares + m ** 3n * (whole(eps) << SHIFT);
  const gradients = dy.map(BigInt);
  const total = gradients.reduce((a, b) => a + b, 0n);
  const product = gradients.reduce((a, g, i) => a + g * deviations[i]!, 0n); // m sum dy (x - mean)
  const quotient = (above: bigint, below: bigint, exponent: number): number => {
    const up = Math.max(0, 300 + lengthOf(below) - lengthOf(above < 0n ? -above : above));
    return toNumber((above << BigInt(up)) / below, exponent - up);
  };
  const unit = -Number(SHIFT);
  return {
    mean: quotient(sum, m, unit),
    variance: quotient(squares, m ** 3n, 2 * unit),
    unbiased: quotient(squares, m * m * (m - 1n), 2 * unit),
    invstd: rootOf(1n, (m ** 3n) << (2n * SHIFT), spread),
    // d / m / sqrt(spread / m^3) = sqrt(d^2 m / spread)
    y: deviations.map((d) => rootOf(d, d * d * m, spread)),
    dweight: rootOf(product, product * product * m, spread),
    // (dy - total / m - (d / m) (product / m) / m / (var + eps)) invstd, a fraction over m spread
    dx: gradients.map((g, i) => {
      const inner = (m * g - total) * spread - m * deviations[i]! * product;
      return rootOf(inner, (inner * inner * m ** 3n) << (2n * SHIFT), (m * spread) ** 2n * spread);
    }),
  };
}
