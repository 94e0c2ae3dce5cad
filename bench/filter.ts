// What `--filter` picks.
import { allCases, type Case } from './cases.js';

/** `32x64`: a shape as one word, for the command line. */
export function shapeWord(shape: readonly number[]): string {
  return shape.join('x');
}

/**
 * The cases that a filter names: alternatives between commas, and in each words that must all be the
 * case's group, shape, dtype, layout or operation. `step, forward 32x64` is every step and one forward.
 */
export function select(cases: readonly Case[], filter: string): Case[] {
  const alternatives = filter.split(',').map((text) => text.trim().split(/\s+/));
  return cases.filter(({ group, shape, dtype, layout, operation }) => {
    const names = [group, shapeWord(shape), dtype, layout, operation];
    return alternatives.some((words) => words.every((word) => names.includes(word)));
  });
}

export const groupNames: readonly string[] = [
  ...new Set(allCases(2 ** 20).map(({ group }) => group)),
];
