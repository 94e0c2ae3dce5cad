// docs/operations.md names every function of `functional`, and no other; its examples give what they say.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { functional, tensor, Tensor } from '../../src/index.js';

test('the page lists what there is', () => {
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('| subject'), page.indexOf('## Rules'));
  const named = [...table.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
  expect(named.sort()).toEqual(Object.keys(functional).sort());
});

const examples = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => /^\| `(\w+)` +\|.*\| `([\w.]+\(.*)` +\| `(.*)` +\|$/.exec(line))
  .filter((row) => row !== null);

/** Rounded as the page has them. */
const shown = (value: unknown): unknown => {
  if (value instanceof Tensor) return shown(value.toArray());
  if (Array.isArray(value)) return value.map(shown);
  return Math.round(Number(value) * 1e4) / 1e4 + 0;
};

// `var` is a word of the language.
const known = Object.fromEntries(
  Object.entries({ ...functional, functional, tensor }).filter(([name]) => name !== 'var'),
);

test.each(examples.map(([, name, code, gives]) => [name!, code!, gives!] as const))(
  '%s',
  (name, code, gives) => {
    expect(code.replace('functional.', '').startsWith(`${name}(`)).toBe(true);
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the examples are code
    const run = new Function(...Object.keys(known), `return ${code}`) as (
      ...of: unknown[]
    ) => unknown;
    const value = run(...Object.values(known));
    expect(shown(value)).toEqual(JSON.parse(gives));
  },
);

test('every function has an example, here or in its comment', () => {
  const source = new URL('../../src/', import.meta.url);
  const comments = readdirSync(source, { recursive: true })
    .filter((path) => String(path).endsWith('.ts'))
    .flatMap((path) => readFileSync(new URL(String(path), source), 'utf8').match(/```ts[^]*?```/g))
    .join('');
  const rows = new Set(examples.map(([, name]) => name));
  const without = Object.keys(functional).filter(
    (name) => !rows.has(name) && !comments.includes(`functional.${name}(`),
  );
  expect(without).toEqual([]);
});
