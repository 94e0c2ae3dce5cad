// The rules of dependency-cruiser.config.mjs can fail: a small tree breaks each of them, and the tool names it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const TOOL = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const CONFIG = resolve('dependency-cruiser.config.mjs');

/** What a file imports, and the rule that this breaks. A circle is reported for one of its files. */
const BROKEN: readonly (readonly [file: string, imports: string, rule: string | null])[] = [
  ['src/check/index.ts', '../nn/linear.js', 'src-check'],
  ['src/tensor/tensor.ts', '../functional/linear.js', 'src-tensor'],
  ['src/functional/linear.ts', '../nn/linear.js', 'src-functional'],
  ['src/optim/sgd.ts', '../nn/linear.js', 'src-optim'],
  ['src/nn/linear.ts', '../doctor/watch.js', 'src-nn'],
  ['src/nn/relu.ts', '../index.js', 'src-nn'],
  ['src/report/page.ts', '../doctor/watch.js', 'src-report'],
  ['src/doctor/watch.ts', '../cli/main.js', 'src-doctor'],
  ['src/doctor/findings.ts', '../nn/linear.js', null],
  ['src/cli/main.ts', '../../test/golden/bits.test.js', 'src-is-alone'],
  ['src/nn/dropout.ts', 'some-package', 'src-has-no-dependency'],
  ['src/cli/text.ts', 'some-package', null],
  ['src/attic/old.ts', '../check/index.js', 'folder-has-a-row'],
  ['src/memory/pool.ts', '../memory/buffer.js', null],
  ['src/memory/buffer.ts', './pool.js', 'no-circle'],
  ['src/data/loader.ts', './not-there.js', 'leads-somewhere'],
  ['bench/run.ts', '../src/tensor/tensor.js', 'bench'],
  ['bench/page.ts', '../src/report/page.js', null],
  ['examples/digits.ts', '../bench/run.js', 'examples'],
  ['scripts/build.mjs', '../test/unit/tensor.test.js', 'scripts'],
  ['test/helpers/random.ts', '../unit/tensor.test.js', 'test-helpers'],
  ['test/golden/bits.test.ts', '../../src/index.js', 'test-golden'],
  ['test/unit/tensor.test.ts', '../../src/tensor/tensor.js', null],
  ['test/elsewhere/some.test.ts', '../helpers/random.js', 'folder-has-a-row'],
];

let folder = '';
let broken: { from: string; to: string; rule: { name: string } }[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-rooms-'));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  for (const [file, imports] of BROKEN) write(file, `import '${imports}';\n`);
  write('src/index.ts', `export {};\n`);
  write('node_modules/some-package/package.json', '{ "name": "some-package", "main": "main.js" }');
  write('node_modules/some-package/main.js', '');
  write('package.json', '{ "type": "module", "devDependencies": { "some-package": "1" } }');
  write(
    'tsconfig.json',
    '{ "compilerOptions": { "moduleResolution": "bundler", "module": "esnext" } }',
  );
  const folders = ['src', 'bench', 'examples', 'scripts', 'test'];
  const args = [TOOL, '--config', CONFIG, '--output-type', 'json', ...folders];
  const text = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  broken = (JSON.parse(text) as { summary: { violations: typeof broken } }).summary.violations;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(BROKEN)('%s imports %s: %s', (file, _imports, rule) => {
  const names = broken.filter(({ from }) => from === file).map((each) => each.rule.name);
  expect(names).toEqual(rule === null ? [] : [rule]);
});

test('docs/pictures/architecture.svg is drawn from these rules', () => {
  const picture = join(folder, 'architecture.svg');
  execFileSync(process.execPath, [resolve('scripts/draw-architecture.mjs'), picture]);
  expect(readFileSync('docs/pictures/architecture.svg', 'utf8')).toBe(
    readFileSync(picture, 'utf8'),
  );
});
