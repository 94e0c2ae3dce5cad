// Classes of the built package are called what they are exported as: messages and users ask for `name`.
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
