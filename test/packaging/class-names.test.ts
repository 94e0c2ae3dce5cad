// Classes of the built package are called what they are exported as: messages and users ask for `name`.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';

const require = createRequire(import.meta.url);

test('every exported class of the built package has its name', () => {
  const built = require('../../dist/cjs/index.js') as Record<string, object>;
  const parts = [built, built['nn'], built['optim'], built['data']];
  const all = parts.flatMap((part) => Object.entries(part as Record<string, unknown>));
  const classes = all.filter(([name, each]) => typeof each === 'function' && /^[A-Z]/.test(name));
  expect(classes.length).toBeGreaterThan(20);
  const names = classes.map(([, each]) => (each as { name: string }).name);
  expect(names).toEqual(classes.map(([name]) => name));
});

test('no call of the built package names a function that it makes: that would cost a third of a microsecond', () => {
  const path = require.resolve('../../dist/cjs/pack.js');
  const naming = readFileSync(path, 'utf8').match(/__name\(.{0,20}/g) ?? [];
  expect(naming.length).toBeGreaterThan(20);
  expect(naming.filter((each) => !each.startsWith('__name(this, "'))).toEqual([]);
});
