// The codes that TypeScript sends are the rows of the C++ list, in its order.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { CODES } from '../../src/functional/pointwise/codes.js';

const list = readFileSync(new URL('../../native/kernels/pointwise.inc', import.meta.url), 'utf8');
const header = readFileSync(new URL('../../native/kernels/arithmetic.h', import.meta.url), 'utf8');

function rows(...macros: string[]): Record<string, number> {
  const names = macros.flatMap((macro) =>
    [...list.matchAll(new RegExp(`^${macro}\\((\\w+),`, 'gm'))].map(([, name]) => name!),
  );
  return Object.fromEntries(names.map((name, i) => [name, i]));
}

test('the codes of the pointwise operations', () => {
  expect(CODES.unary).toEqual(rows('UNARY', 'TRANSCENDENTAL', 'IN_TWO', 'POWER'));
  expect(CODES.binary).toEqual(
    rows('BINARY', 'TRANSCENDENTAL_GRADIENT', 'IN_DOUBLE_GRADIENT', 'POWER_GRADIENT'),
  );
  const compare =
    /CompareCode : unsigned int \{ (.*), count \}/.exec(header)?.[1]?.split(', ') ?? [];
  expect(CODES.compare).toEqual(Object.fromEntries(compare.map((name, i) => [name, i])));
});
