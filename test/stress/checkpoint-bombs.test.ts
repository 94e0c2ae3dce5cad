// Files that say little and ask for much: each is refused or read in a child process with 512 MB, in less
// than a second, and in memory of at most 64 MB and ten times its size.
import { afterAll, describe, expect, test } from 'vitest';

import { BOMBS } from './checkpoint-bombs.js';
import { Reader } from './checkpoint-children.js';

const reader = new Reader();
afterAll(() => reader.stop());

describe.each([
  ['150 KB', 150_000],
  ['3 MB', 3_000_000],
])('a file of about %s', (_, scale) => {
  test.each(BOMBS.map((bomb) => [bomb.name, bomb] as const))(
    '%s',
    async (_, { format, make }) => {
      const verdict = await reader.read(format === 'safetensors' ? 1 : 0, make(scale));
      expect(['read', 'refused']).toContain(verdict.outcome);
    },
    300_000,
  );
});
