// `npm run example:ranks`, as it is run.
import { expect, test } from 'vitest';

import { runExample } from '../helpers/example.js';

test(
  '1, 2 and 4 processes, on Workers and on MPI where there is one, print one hash',
  {
    timeout: 300_000,
  },
  async () => {
    const { code, stdout, stderr } = await runExample('ranks.ts', []);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.at(-1)).toBe('one hash');
    const rows = lines.flatMap((line) => {
      const [, size, accuracy, hash] = /^ +(\d) +(\d\.\d{4}) {4}([\da-f]+) {2}/.exec(line) ?? [];
      return hash === undefined ? [] : [{ size, accuracy: Number(accuracy), hash }];
    });
    const sizes = rows.map(({ size }) => size).join('');
    expect(['124', '124124']).toContain(sizes);
    expect(new Set(rows.map(({ hash }) => hash)).size).toBe(1);
    for (const { accuracy } of rows) expect(accuracy).toBeGreaterThan(0.8);
  },
);
