// Every example of a docstring, and the README's, runs; what it says after `// =>` is so.
import * as evenkeel from 'evenkeel';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterEach, describe, expect, it } from 'vitest';

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
const examples = ['README.md', ...sources.sort()].flatMap(blocks);

/** What the README's loop takes for granted. */
const given = {
  images: evenkeel.tensor(
    Float32Array.from({ length: 256 * 784 }, (_, i) => Math.sin(i)),
    [256, 784],
  ),
  labels: evenkeel.tensor(Int32Array.from({ length: 256 }, (_, i) => i % 10)),
};

/** Runs the code; `value; // => expected` becomes an assertion. Returns how many there were. */
function run(code: string): number {
  let assertions = 0;
  const asserted = code.replaceAll(
    /^(.+); \/\/ => (.+)$/gm,
    (_, value: string, expected: string) => {
      assertions++;
      return `assert(${value}, ${expected});`;
    },
  );
  const scope = { ...evenkeel, ...given };
  const { outputText } = ts.transpileModule(asserted, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const names = Object.keys(scope).filter((name) => /^\w+$/.test(name));
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the examples are code
  const body = new Function(...names, 'assert', `"use strict";\n{${outputText}}`);
  const values = names.map((name) => scope[name as keyof typeof scope]);
  const check = (value: unknown, expected: unknown): void => {
    expect(value).toEqual(expected);
  };
  (body as (...args: unknown[]) => void)(...values, check);
  return assertions;
}

describe('examples', () => {
  const threads = evenkeel.native.threads;
  afterEach(() => {
    evenkeel.native.setThreads(threads);
  });

  it('are there to be found', () => {
    expect(examples.length).toBeGreaterThanOrEqual(11);
  });

  it.each(examples)('$name', ({ name, code }) => {
    expect(run(code)).toBeGreaterThanOrEqual(name.startsWith('README') ? 0 : 1);
  });
});
