// A line through points, and how sure its slope is: what scripts/soak.mjs and scripts/memory-slope.mjs judge
// growth by.

/**
 * Least squares.
 * @param {readonly (readonly [number, number])[]} points
 * @returns the slope, and the half of its 95 % confidence interval.
 */
export function line(points) {
  const n = points.length;
  const mean = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0) / n;
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
 * @param {readonly number[]} rest
 */
function inflation(rest) {
  let [square, product] = [0, 0];
  rest.forEach((each, i) => {
    square += each * each;
    product += each * (rest[i - 1] ?? 0);
  });
  const r = square === 0 ? 0 : Math.min(0.99, Math.max(0, product / square));
  return (1 + r) / (1 - r);
}
