import * as check from '../check/index.js';

/** @internal Two numbers in [0, 1). */
export function checkBetas(who: string, betas: unknown): void {
  if (!check.isList(betas) || betas.length !== 2) {
    throw check.wrongKind(who, 'betas to be two numbers', betas);
  }
  for (const beta of Array.from(betas)) {
    check.numberBetween(who, 'each of betas', beta, 0, 1 - Number.EPSILON);
  }
}
