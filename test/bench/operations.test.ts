// Every operation that is measured alone computes what float64 says, in each way of calling; and PyTorch's side of the
// benchmark knows the same names.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { allCases, type Case } from '../../bench/cases.js';
import { makeJob } from '../../bench/data.js';
import { passesOf } from '../../bench/passes.js';
import { operationContenders, operationErrorOf } from '../../bench/operation-contenders.js';
import { CONVOLUTIONS } from '../../bench/convolutions.js';
import { OPERATIONS } from '../../bench/operations.js';

const all = allCases(2 ** 20);
const cases = all.filter(({ operation }) => operation !== null && operation in OPERATIONS);
/** The same of one sample; a sum of so many products has so many more roundings. */
const convolutions = all
  .filter(({ operation }) => operation !== null && operation in CONVOLUTIONS)
  .map((each): [string, Case, number] => {
    const { weight } = CONVOLUTIONS[each.operation!]!;
    const terms = weight.reduce((a, b) => a * b, 1) / (each.mode === 'gradient' ? 1 : weight[0]!);
    return [
      `${each.group} ${each.operation}`,
      { ...each, shape: [1, ...each.shape.slice(1)] },
      terms,
    ];
  });
const ownShape = ({ operation }: Case): boolean => OPERATIONS[operation!]!.shapes !== undefined;
/** The same on few rows: what is computed does not depend on how many there are. */
const small = cases
  .filter((each) => each.quick || ownShape(each))
  .map((each): [string, Case] => [
    `${each.group} ${each.operation}`,
    { ...each, quick: true, shape: each.shape.length === 3 ? [2, 8, 256] : [16, 256] },
  ]);

/** A normalisation has three roundings of values up to 6 before the activation's. */
const roundings = ({ group }: Case): number => (group.startsWith('activated') ? 8 : 0);

describe.each([
  ...small.map(([name, each]) => [name, each, roundings(each)] as const),
  ...convolutions,
])('%s', (_, each, terms) => {
  const job = makeJob(each);
  const errorOf = operationErrorOf(job)!;

  it('is computed right in every way, before and after a turn', async () => {
    for (const { name, turn, output } of operationContenders(job)) {
      for (let i = 0; i < 2; i++) {
        expect(errorOf(await output!()), name).toBeLessThan(4 + terms);
        expect(await turn(2)).toBeGreaterThan(0);
      }
    }
  });

  it('has an error where one element is wrong', async () => {
    const [first] = operationContenders(job);
    const wrong = (await first!.output!()).slice();
    wrong[wrong.length >> 1]! += 1;
    expect(errorOf(wrong)).toBeGreaterThan(1000);
    expect(errorOf(wrong.subarray(1))).toBeNaN();
  });
});

it('twelve convolutions are measured, forward and backward', () => {
  expect(convolutions.length).toBe(24);
  expect(convolutions.every(([, each]) => passesOf(each).length === 0)).toBe(true);
});

it('is measured at 1 and at 64 MB, against passes over its operands', () => {
  for (const [name, { shapes }] of Object.entries(OPERATIONS)) {
    if (shapes !== undefined) continue;
    const own = cases.filter(({ operation, mode }) => operation === name && mode === 'operation');
    expect(own.map(({ shape }) => shape[0]! * shape[1]! * 4)).toEqual([2 ** 20, 2 ** 26]);
    expect(own.every((each) => passesOf(each).length > 0)).toBe(true);
  }
});

it('five pools and an embedding are measured, forward and backward, against one copy', () => {
  const own = cases.filter(ownShape);
  expect(own.map(({ group }) => group)).toEqual([
    ...Array<string>(6).fill('pools'),
    ...Array<string>(6).fill('pools-backward'),
  ]);
  expect(new Set(own.flatMap(passesOf))).toEqual(new Set(['x to out', 'x to dx']));
  expect(own.every((each) => passesOf(each).length === 1)).toBe(true);
});

it("has the same names on PyTorch's side", () => {
  const script = readFileSync(new URL('../../bench/peers/operations.py', import.meta.url), 'utf8');
  const names = [...script.matchAll(/^ {4}"(\w+)": lambda/gm)].map(([, name]) => name);
  expect(names.sort()).toEqual(Object.keys(OPERATIONS).sort());
});
