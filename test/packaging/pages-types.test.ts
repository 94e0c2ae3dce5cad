// The TypeScript of the README and of the pages compiles as a user has it: strict, against the types of the package.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a page that imports nothing takes for imported. */
const IMPORTS = `
import { checkpoint, data, functional, nn, noGrad, optim, scope, tensor, Tensor } from 'evenkeel';
import { diagnose, recalibrate, watch } from 'evenkeel/doctor';
import { distributed } from 'evenkeel/distributed';
import { Worker } from 'node:worker_threads';
`;

/** What the pages say in words, or have made before. */
const GIVEN = `
import type { data, nn, optim, StateDict, Tensor } from 'evenkeel';
declare global {
  const model: nn.Sequential, layer: nn.Linear, criterion: nn.CrossEntropyLoss;
  const optimizer: optim.SGD, scheduler: optim.lrScheduler.StepLR;
  const state: StateDict, average: Tensor, x: Tensor, labels: Tensor, y: Tensor;
  const epochs: number, signal: AbortSignal;
  const set: data.TensorDataset, steps: [Tensor, Tensor][][];
  const loader: [Tensor, Tensor][], trainLoader: [Tensor, Tensor][], testLoader: [Tensor, Tensor][];
  function train(...what: unknown[]): void;
  function batchesOf(path: string): [Tensor, Tensor][];
  function buildModel(): nn.Sequential;
  const workerData: { state: Map<string, Tensor> };
  let skipped: number;
}
`;

interface Block {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

const pages = ['README.md', ...readdirSync(`${root}docs`).map((page) => `docs/${page}`)]
  .filter((page) => page.endsWith('.md'))
  .sort();
const blocks = pages.flatMap((page): Block[] =>
  [...readFileSync(root + page, 'utf8').matchAll(/^ *```ts\n([^]*?)^ *```/gm)].map((match, i) => ({
    name: `${page} #${String(i + 1)}`,
    path: `${root}page-${page.replaceAll(/\W/g, '-')}-${String(i + 1)}.mts`,
    text: programOf(match[1] ?? ''),
  })),
);

/** A page's program: as it stands where it imports what it uses, else behind all imports. */
function programOf(code: string): string {
  return /^import /m.test(code) ? code : `${IMPORTS}${code}\nexport {};\n`;
}

it('the pages have programs to compile', () => {
  expect(blocks.length).toBeGreaterThan(25);
});

it('each program of a page compiles', () => {
  const texts = new Map(blocks.map(({ path, text }) => [path, text]));
  texts.set(`${root}page-given.mts`, GIVEN);
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists.call(host, path);
  host.readFile = (path) => texts.get(path) ?? readFile.call(host, path);
  const program = ts.createProgram([...texts.keys()], options, host);
  const problems = blocks.flatMap(({ name, path }) =>
    [
      ...program.getSyntacticDiagnostics(program.getSourceFile(path)),
      ...program.getSemanticDiagnostics(program.getSourceFile(path)),
    ].map(({ messageText, start = 0 }) => {
      const line = texts.get(path)!.slice(0, start).split('\n').length;
      const source = texts.get(path)!.split('\n')[line - 1] ?? '';
      return `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')} | ${source.trim()}`;
    }),
  );
  expect(problems).toEqual([]);
}, 120_000);
