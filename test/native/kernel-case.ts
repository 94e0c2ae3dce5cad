// What the tests of the kernels share: a call on an Arena, and the sizes that reach its tails.
import type { Arena } from './arena.js';

/** A call whose arguments are in place; a number is part of the result. */
export type Call = () => number | undefined;

export interface KernelCase {
  readonly name: string;
  /** Lists of sizes, each a call's dimensions. */
  readonly sizes: readonly (readonly number[])[];
  /** Places the arguments; the call that comes back may be repeated after Arena.restore. */
  prepare(arena: Arena, sizes: readonly number[]): Call;
}

const LONGEST = 67;
export const lengths = Array.from({ length: LONGEST + 1 }, (_, i) => i);

/** All lengths in each dimension in turn, the others at each of a few fixed sizes. */
export function sweep(...fixed: readonly (readonly number[])[]): number[][] {
  return fixed.flatMap((sizes) => {
    const axis = sizes.indexOf(-1);
    return lengths.map((length) => sizes.map((size, i) => (i === axis ? length : size)));
  });
}

export const positive = (value: number): number => 0.25 + Math.abs(value);

export function nothing(run: () => void): Call {
  return () => {
    run();
    return undefined;
  };
}

export const flags = [false, true];
