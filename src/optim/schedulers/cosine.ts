// cos(π x) by +, -, * alone: an engine may compute Math.cos in its own way, and a schedule has the same bits anywhere.

/** cos(π x) for finite x; exact at multiples of 1/2. */
export function cosPi(x: number): number {
  const turned = Math.abs(x) % 2;
  const folded = turned > 1 ? 2 - turned : turned; // 0 to 1, and the same cosine
  if (folded > 0.75) return -series(1 - folded, 0);
  if (folded > 0.25) return series(0.5 - folded, 1);
  return series(folded, 0);
}

/** The Taylor series of cos (parity 0) or sin (parity 1) of π x, |x| <= 1/4: the first term left out is below 2^-60. */
function series(x: number, parity: 0 | 1): number {
  const angle = Math.PI * x;
  const square = angle * angle;
  let value = 0;
  for (let n = 20 + parity; n > parity; n -= 2) value = (1 + value) * (-square / (n * (n - 1)));
  return (1 + value) * (parity === 1 ? angle : 1);
}
