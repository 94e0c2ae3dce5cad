// The addon's exports are listed once in C++ (binding/exports.inc) and typed once in TypeScript
// (src/addon/types.ts and calls/). Here the two are compared: names, numbers of arguments, and what can be a job.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

import { loadAddon } from '../helpers/child.js';

type Exported = (...args: unknown[]) => unknown;
type Exports = Record<string, Exported> & { readonly jobs: Record<string, Exported> };

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const addon = loadAddon() as Exports;

/** The interfaces of a file in src/addon/. */
function interfacesOf(file: string): ts.InterfaceDeclaration[] {
  const text = ts.sys.readFile(file)!;
  const { statements } = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext);
  return statements.filter((statement) => ts.isInterfaceDeclaration(statement));
}

const interfaces = new Map(
  ['types.ts', ...readdirSync(path('../../src/addon/calls')).map((name) => `calls/${name}`)]
    .flatMap((name) => interfacesOf(path(`../../src/addon/${name}`)))
    .map((each) => [each.name.text, each]),
);

/** The functions of an interface, with the number of arguments of each. */
function functionsOf({ members }: ts.InterfaceDeclaration): [string, number][] {
  return members
    .filter((member) => ts.isMethodSignature(member))
    .map(({ name, parameters }) => [(name as ts.Identifier).text, parameters.length]);
}

/** The interfaces that an interface extends. */
function extendedBy({ heritageClauses }: ts.InterfaceDeclaration): ts.InterfaceDeclaration[] {
  const types = (heritageClauses ?? []).flatMap((clause) => [...clause.types]);
  return types.map(({ expression }) => interfaces.get((expression as ts.Identifier).text)!);
}

const sorted = (names: Iterable<string>): string[] => [...names].sort();
const calls = new Map(extendedBy(interfaces.get('Calls')!).flatMap(functionsOf));
const functions = new Map(functionsOf(interfaces.get('Addon')!));

test('the addon exports what is typed, and nothing else', () => {
  const names = Object.keys(addon).filter((name) => name !== 'jobs' && name !== 'stamp');
  expect(sorted(names)).toEqual(sorted([...calls.keys(), ...functions.keys()]));
  expect(sorted(Object.keys(addon.jobs))).toEqual(sorted(calls.keys()));
  expect(calls.size).toBeGreaterThan(25);
});

test.each([...calls])('%s takes %i arguments, and one more as a job', (name, count) => {
  const wrongCount = /expected \d+ arguments/;
  const called = (run: Exported, args: unknown[]) => () => run(...args);
  // Of a wrong kind, so that nothing runs: the count is complained of first, where it is wrong.
  const args = [new Float32Array(0), ...new Array<unknown>(count - 1).fill(Symbol('no argument'))];
  const got = (other: number): string =>
    `evenkeel addon: expected ${count} arguments, got ${other}.`;
  expect(called(addon[name]!, args)).toThrow(TypeError);
  expect(called(addon[name]!, args)).not.toThrow(wrongCount);
  expect(called(addon[name]!, [...args, 0])).toThrow(got(count + 1));
  expect(called(addon[name]!, args.slice(0, -1))).toThrow(got(count - 1));
  const job = addon.jobs[name]!;
  expect(called(job, [...args, 0])).toThrow(TypeError);
  expect(called(job, [...args, 0])).not.toThrow(wrongCount);
  expect(called(job, args)).toThrow(`expected ${count + 1} arguments, got ${count}.`);
});
