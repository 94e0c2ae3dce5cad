// Whether a process's memory grows: a line through samples of it, and how sure its slope is.

export const MEASURES = ['rss', 'external', 'arrayBuffers', 'heapUsed'] as const;

/** @throws {Error} unless the process was started with --expose-gc. */
export function collectGarbage(): void {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('expected node --expose-gc, got none.');
  // What the first leaves to finalizers is free after the second.
  gc();
  gc();
}

/** Least squares: the slope, and the half of its 95 % confidence interval. */
export function slopeOf(points: readonly (readonly [number, number])[]): {
  readonly slope: number;
  readonly half: number;
} {
  const n = points.length;
  const mean = (list: number[]): number => list.reduce((a, b) => a + b, 0) / n;
  const [mx, my] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const sxx = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / sxx;
  const rest = points.map(([x, y]) => y - my - slope * (x - mx));
  const variance = rest.reduce((sum, each) => sum + each ** 2, 0) / Math.max(1, n - 2);
  return { slope, half: 1.96 * Math.sqrt((variance / sxx) * inflation(rest)) };
}

/**
 * How much wider than for independent points: one sample of a process's memory is much like the one before.
 * (1 + r) / (1 - r) for a correlation r of neighbours, Bartlett 1935.
 */
function inflation(rest: readonly number[]): number {
  let [square, product] = [0, 0];
  rest.forEach((each, i) => {
    square += each * each;
    product += each * (rest[i - 1] ?? 0);
  });
  const r = square === 0 ? 0 : Math.min(0.99, Math.max(0, product / square));
  return (1 + r) / (1 - r);
}
