// Powers with the same bits on every engine: products.

/** From here on a power is found by squaring: nothing may take as long as a count in a file says. */
const MOST_PRODUCTS = 2 ** 20;

/** base^step for steps that follow one another: products, because `**` has other bits on other engines. */
export class Power {
  private base = NaN;
  private step = 0;
  private value = 1;

  at(base: number, step: number): number {
    const follows = base === this.base && step === this.step + 1 && step <= MOST_PRODUCTS;
    this.value = follows ? this.value * base : power(base, step);
    this.base = base;
    this.step = step;
    return this.value;
  }
}

/** The same bits as step by step. */
export function power(base: number, step: number): number {
  let value = 1;
  if (step <= MOST_PRODUCTS) {
    for (let i = 0; i < step; i++) value *= base;
    return value;
  }
  for (let [square, left] = [base, step]; left > 0; square *= square) {
    if (left % 2 === 1) value *= square;
    left = Math.floor(left / 2);
  }
  return value;
}
