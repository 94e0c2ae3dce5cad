// What the pool of arrays asks of the collector (src/memory/block.ts), and that a watch ends.
import { getHeapStatistics } from 'node:v8';

import { describe, expect, test } from 'vitest';

import type { Addon } from '../../src/addon/types.js';
import { loadAddon } from '../helpers/child.js';

const addon = loadAddon() as Addon;
const SLOTS = Array.from({ length: 2000 }, (_, i) => 100_000 + i);
/** What the collector is asked about stays within reach here. */
const objects = SLOTS.map(() => ({}));

const handles = (): number => getHeapStatistics().used_global_handles_size;
const watchAll = (): void => {
  for (const [i, slot] of SLOTS.entries()) addon.weakWatch(slot, objects[i]!);
};
const forgetAll = (): void => {
  for (const slot of SLOTS) addon.weakForget(slot);
};

describe('weak watches', () => {
  test('hold one handle each, and none once they are forgotten', () => {
    const before = handles();
    watchAll();
    const each = (handles() - before) / SLOTS.length;
    expect(each).toBeGreaterThan(0);
    forgetAll();
    expect(handles() - before).toBeLessThan(each * 100);
  });

  test('of a slot that is watched already take the place of the one before', () => {
    const before = handles();
    watchAll();
    const once = handles() - before;
    watchAll();
    expect(handles() - before).toBeLessThan(once * 1.1);
    forgetAll();
    expect(handles() - before).toBeLessThan(once * 0.1);
  });

  test('say that what is within reach is alive, and what nobody watches too', () => {
    watchAll();
    expect(SLOTS.every((slot) => addon.weakAlive(slot))).toBe(true);
    forgetAll();
    expect(SLOTS.every((slot) => addon.weakAlive(slot))).toBe(true);
  });

  test('end for a slot that has none, or is beyond all of them, as if there were one', () => {
    addon.weakForget(SLOTS[0]!);
    addon.weakForget(2 ** 24 - 1);
    expect(addon.weakAlive(2 ** 24 - 1)).toBe(true);
  });
});
