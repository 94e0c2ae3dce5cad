// Every sickness of the gallery is found by its id, in networks of five seeds, and nothing in the healthy ones.
import { describe, expect, it } from 'vitest';

import type { FindingId } from 'evenkeel/doctor';
import { EXHIBITS, HEALTHY } from './gallery.js';

const SEEDS = [1, 2, 3, 4, 5];

/** What was found, by what was to be found. */
const confusion = new Map<string, Map<string, number>>();

function count(expected: string, found: readonly FindingId[]): void {
  const row = confusion.get(expected) ?? new Map<string, number>();
  confusion.set(expected, row);
  for (const id of found.length === 0 ? ['nothing'] : new Set<string>(found)) {
    row.set(id, (row.get(id) ?? 0) + 1);
  }
}

describe('the gallery', () => {
  it('has at least 20 mistakes, and every finding', () => {
    expect(EXHIBITS.length).toBeGreaterThanOrEqual(20);
    expect(new Set(EXHIBITS.map(({ id }) => id)).size).toBe(21);
  });

  it.each(EXHIBITS)('$id: $mistake', async ({ id, sick, healthy }) => {
    for (const seed of SEEDS) {
      const found = await sick(seed);
      count(id, found);
      expect.soft(found, `sick, seed ${seed}`).toContain(id);
      const nothing = await healthy(seed);
      count('(healthy)', nothing);
      expect.soft(nothing, `healthy, seed ${seed}`).toEqual([]);
    }
  });

  it.each(Object.entries(HEALTHY))('healthy: %s', async (_name, examine) => {
    for (const seed of SEEDS) {
      const nothing = await examine(seed);
      count('(healthy)', nothing);
      expect.soft(nothing, `seed ${seed}`).toEqual([]);
    }
  });

  it('prints what was found for what', () => {
    const rows = [...confusion].map(([expected, row]) => {
      const cells = [...row].sort((a, b) => b[1] - a[1]).map(([id, times]) => `${id} ${times}`);
      return `${expected.padEnd(28)} ${cells.join(', ')}`;
    });
    console.log(rows.sort().join('\n'));
    expect([...(confusion.get('(healthy)') ?? [])].map(([id]) => id)).toEqual(['nothing']);
  });
});
