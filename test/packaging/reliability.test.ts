// docs/reliability.md and SECURITY.md are held to what they say: what they name is there, the kinds of fault
// are those that scripts/faults.mjs counts, and an install runs and fetches nothing.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

import kinds from '../helpers/fault-kinds.json';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string): string => readFileSync(`${root}/${name}`, 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>;
  dependencies?: unknown;
  gypfile?: unknown;
};

describe.each(['docs/reliability.md', 'SECURITY.md'])('%s', (page) => {
  const text = read(page);
  const quoted = [...text.matchAll(/`([^`\n]+)`/g)].map(([, inner = '']) => inner);

  test('names files that are there', () => {
    const files = quoted.flatMap((each) => each.match(/\b(scripts|test|native)\/[\w./*-]+/g) ?? []);
    const links = [...text.matchAll(/\]\(([\w./-]+)\)/g)].map(([, link = '']) =>
      page.startsWith('docs/') ? `docs/${link}` : link,
    );
    const isThere = (name: string): boolean =>
      [name, `${name}.test.ts`].some((each) => existsSync(`${root}/${each}`)) ||
      (name.includes('*') && existsSync(`${root}/${name.replace('*', 'exits')}`));
    expect([...files, ...links].filter((name) => !isThere(name))).toEqual([]);
  });

  test('names commands that are there', () => {
    const commands = quoted.flatMap((each) => /npm run ([\w:]+)/.exec(each)?.[1] ?? []);
    expect(commands.filter((name) => manifest.scripts[name] === undefined)).toEqual([]);
  });
});

test('the page has every kind of fault, in the words of the count', () => {
  const page = read('docs/reliability.md');
  const rows = [...page.matchAll(/^\| +(\d+) +\| ([^|]+?) +\|/gm)];
  expect(Object.fromEntries(rows.map(([, kind, words]) => [kind, words]))).toEqual(kinds);
});

test('an install runs nothing and brings nothing along', () => {
  expect(manifest.dependencies).toBeUndefined();
  const lifecycle = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
  expect(lifecycle.filter((name) => name in manifest.scripts)).toEqual([]);
  expect(existsSync(`${root}/binding.gyp`)).toBe(false); // npm would build it
});
