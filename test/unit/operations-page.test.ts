// docs/operations.md names every function of `functional`, and no other.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { functional } from '../../src/index.js';

test('the page lists what there is', () => {
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('| subject'), page.indexOf('## Rules'));
  const named = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
  expect(named.sort()).toEqual(Object.keys(functional).sort());
});
