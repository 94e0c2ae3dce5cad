// Files of tests that share a process (vitest.config.ts) leave it as they found it.
import { isGradEnabled, native } from 'evenkeel';
import { afterAll, expect } from 'vitest';

/** What a file could leave behind for the next. */
const state = (): unknown => ({
  environment: { ...process.env },
  instructionSet: native.isa,
  isGradEnabled: isGradEnabled(),
  listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]),
  memoryLimit: native.memory.limit,
  threads: native.threads,
});

const found = state();

afterAll(() => {
  expect(state(), 'a file that changes this needs a process of its own').toEqual(found);
});
