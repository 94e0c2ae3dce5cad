// Every example of a docstring, and the README's, runs; what it says after `// =>` is so.
import * as evenkeel from 'evenkeel';
import { distributed } from 'evenkeel/distributed';
import * as doctor from 'evenkeel/doctor';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);

interface Example {
  readonly name: string;
  readonly code: string;
}

function blocks(path: string): Example[] {
  const text = readFileSync(new URL(path, root), 'utf8');
  const plain = path.endsWith('.md') ? text : text.replaceAll(/^ *\* ?/gm, '');
  return [...plain.matchAll(/```ts\n([^]*?)```/g)].map((match, i) => ({
    name: `${path} #${i + 1}`,
    code: (match[1] ?? '').replace(/^import .*\n/gm, ''),
  }));
}

const sources = readdirSync(fileURLToPath(new URL('src', root)), { recursive: true })
  .map((path) => `src/${String(path).replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.ts'));
const pages = ['README.md', 'docs/custom-operations.md', 'docs/memory.md'];
const examples = [...pages, ...sources.sort()].flatMap(blocks);

/** What the README takes for granted. */
const given = {
  /** The model of the checkpoint that lies where the examples run. */
  model: new evenkeel.nn.Sequential(
    new evenkeel.nn.Linear(4, 8),
    new evenkeel.nn.BatchNorm1d(8),
    new evenkeel.nn.ReLU(),
    new evenkeel.nn.Linear(8, 3),
  ),
};

/** Runs the code; `value; // => expected` becomes an assertion. Returns how many there were. */
async function run(code: string): Promise<number> {
  let assertions = 0;
  const asserted = code.replaceAll(
    /^(.+); \/\/ => (.+)$/gm,
    (_, value: string, expected: string) => {
      assertions++;
      return `assert(${value}, ${expected});`;
    },
  );
  const scope = { ...evenkeel, ...doctor, distributed, ...given };
  const { outputText } = ts.transpileModule(asserted, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const names = Object.keys(scope).filter((name) => /^\w+$/.test(name));
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the examples are code
  const body = new Function(
    ...names,
    'assert',
    `"use strict"; return (async () => {${outputText}})();`,
  );
  const values = names.map((name) => scope[name as keyof typeof scope]);
  const check = (value: unknown, expected: unknown): void => {
    expect(value).toEqual(expected);
  };
  await (body as (...args: unknown[]) => Promise<void>)(...values, check);
  return assertions;
}

describe('examples', () => {
  const threads = evenkeel.native.threads;
  // those that read and write files do it where the process is
  const before = process.cwd();
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evenkeel-examples-'));
    process.chdir(folder);
    const checkpoint = new URL('test/golden/data/checkpoints/model.pt', root);
    copyFileSync(checkpoint, join(folder, 'model.pt'));
  });
  afterAll(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(() => {
    evenkeel.native.setThreads(threads);
  });

  it('are there to be found', () => {
    expect(examples.length).toBeGreaterThanOrEqual(11);
  });

  it.each(examples)('$name', async ({ name, code }) => {
    const isOfSource = name.startsWith('src/');
    expect(await run(code)).toBeGreaterThanOrEqual(isOfSource ? 1 : 0);
  });
});
