// An option that is given as undefined is one that is left out, everywhere: `{ lr: config.lr }`. The types say so
// too: this file compiles under exactOptionalPropertyTypes.
import * as evenkeel from 'evenkeel';
import type { data, nn, optim } from 'evenkeel';
import { describe, expect, test } from 'vitest';

import { callsOf, operationsOf } from '../helpers/operations/table.js';
import { textOf } from '../helpers/operations/text.js';

const { manualSeed } = evenkeel;
type Options = readonly [options?: Record<string, unknown>];

const ROWS = [...operationsOf(evenkeel), ...callsOf(evenkeel)].map(
  (each) => [each.name, each] as const,
);

describe.each(ROWS)('%s', (_, { inputs, call, options }) => {
  const run = async (...given: Options): Promise<unknown> => {
    manualSeed(1);
    return textOf(await call(...inputs(), ...given));
  };

  test('each option as undefined, and all of them', async () => {
    const expected = await run();
    const names = Object.keys(options());
    for (const name of names) {
      expect(await run({ [name]: undefined }), name).toEqual(expected);
    }
    if (names.length === 0) return; // who has no options refuses an object of them, an empty one too
    expect(await run(Object.fromEntries(names.map((name) => [name, undefined])))).toEqual(expected);
    expect(await run(undefined)).toEqual(expected);
  });

  test('each option of the table is right', async () => {
    for (const [name, value] of Object.entries(options())) {
      await run({ [name]: value });
    }
  });
});

test('the types allow undefined', () => {
  const { lr } = {} as { lr: number | undefined };
  const rate: optim.SGDOptions = { lr };
  const bn: nn.BatchNormOptions = { eps: lr, momentum: lr };
  const group: optim.ParameterGroup<{ lr: number }> = { params: [], lr };
  const loader: data.DataLoaderOptions = { batchSize: lr };
  expect([rate.lr, bn.eps, group.lr, loader.batchSize]).toEqual([lr, lr, lr, lr]);
});
