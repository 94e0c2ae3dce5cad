const IS_QUICK = process.env['EVENKEEL_TESTS'] === 'quick';

/**
 * How often something random is tried: so often in `npm run check`; a tenth, but at least 10 times, in `npm test`, which
 * is to take a minute and sets EVENKEEL_TESTS (vitest.config.ts).
 */
export function runs(full: number): number {
  return IS_QUICK ? Math.max(10, Math.round(full / 10)) : full;
}

/** All of a list; in a quick run one in four, other ones for the next `turn`, so that a table's rows try all of it. */
export function inTurn<Item>(list: readonly Item[], turn: number): readonly Item[] {
  return IS_QUICK ? list.filter((_, i) => i % 4 === turn % 4) : list;
}
