// How often a fault is tried: a few times in the usual run, at least 50 with EVENKEEL_STRESS=long, which
// `node scripts/faults.mjs` sets; that also gathers what was survived, by kind.
import { appendFileSync } from 'node:fs';

import type kinds from './fault-kinds.json';

export const isLong = process.env.EVENKEEL_STRESS === 'long';
const report = process.env.EVENKEEL_STRESS_REPORT;

/** How many trials a test makes. */
export const trials = (short: number, long = 50): number => (isLong ? long : short);

/** Prints what was measured on the way, in the long form. */
export function figure(...words: readonly unknown[]): void {
  if (isLong) console.log(...words);
}

/** 0, 1, … for test.each. */
export const times = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/**
 * Makes `tried` trials of a kind in one go, and notes that they were survived, or that one was not. A body
 * that knows only afterwards how many there were gives their number.
 */
export async function surviving(
  kind: keyof typeof kinds,
  tried: number,
  body: () => Promise<unknown>,
): Promise<void> {
  let survived = 0;
  try {
    const made = await body();
    survived = tried = typeof made === 'number' ? made : tried;
  } finally {
    if (report !== undefined)
      appendFileSync(report, `${JSON.stringify({ kind, tried, survived })}\n`);
  }
}
