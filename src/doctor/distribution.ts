// The normal distribution, and what many tests at once ask of it.

/** Part of a standard normal that is further from 0 than |z| on either side (Numerical Recipes, erfcc: 1.2e-7 relative). */
export function twoSided(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const terms = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418,
    0.37409196, 1.00002368, -1.26551223,
  ];
  const series = terms.reduce((sum, term) => sum * t + term, 0);
  return t * Math.exp(-x * x + series);
}

/** The z whose `twoSided` is p, 0 < p < 1. */
export function criticalValue(p: number): number {
  let [low, high] = [0, 40];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (twoSided(middle) > p) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Which of many hypotheses are rejected when the chance of one false rejection among all is at most `alpha`
 * (Holm 1979): as safe as Bonferroni's correction, and never weaker.
 */
export function holm(pValues: readonly number[], alpha: number): boolean[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const rejected = pValues.map(() => false);
  for (const [rank, i] of order.entries()) {
    if (!(pValues[i]! <= alpha / (pValues.length - rank))) break;
    rejected[i] = true;
  }
  return rejected;
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return values.length === 0 ? 0 : sum / values.length;
}

export function rms(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return values.length === 0 ? 0 : Math.sqrt(sum / values.length);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[half - 0.5]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
