// ESLint rule: who may import whom. The house has one direction, and this table is it; a file of
// src/ that is in no room is an error, so a new room is a decision made here. Circles are refused
// too, also those of types only and those inside one room.
import { readFileSync, statSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * src/: each room and the rooms it may use besides itself.
 * @type {Record<string, readonly string[]>}
 */
const mayUse = {
  check: [],
  addon: ['check'],
  memory: ['addon', 'check'],
  autograd: ['check'],
  tensor: ['autograd', 'memory', 'addon', 'check'],
  run: ['tensor', 'memory', 'addon', 'check'],
  functional: ['run', 'tensor', 'autograd', 'memory', 'addon', 'check'],
  nn: ['functional', 'run', 'tensor', 'autograd', 'memory', 'addon', 'check'],
  optim: ['tensor', 'memory', 'addon', 'check'],
  data: ['tensor', 'memory', 'addon', 'check'],
  checkpoint: ['run', 'tensor', 'memory', 'addon', 'check'],
  cli: ['nn', 'functional', 'tensor', 'memory', 'addon', 'check'],
};

/** Folders that may look behind the public door 'evenkeel'; every other one may not. */
const mayUseSource = ['test/unit', 'test/native', 'test/stress'];

/** The folder that tests the benchmark, which is a program and has no door. */
const mayUseBench = ['test/bench'];

/** @type {import('eslint').Rule.RuleModule} */
const imports = {
  meta: { type: 'problem', schema: [], docs: { description: 'who may import whom' } },
  create(context) {
    const from = relative(root, context.filename).split(sep).join('/');
    /** @param {import('eslint').Rule.Node} node */
    const check = (node) => {
      const source = 'source' in node ? node.source : undefined;
      if (source === null || typeof source !== 'object' || !('value' in source)) return;
      const message = typeof source.value === 'string' ? judge(from, source.value) : undefined;
      if (message !== undefined) context.report({ node, message });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportAllDeclaration: check,
      ExportNamedDeclaration: check,
      TSImportType: check,
    };
  },
};

export const rooms = { rules: { imports } };

/**
 * What is wrong with `import … from 'specifier'` in the file `from`, or nothing.
 * @param {string} from path from the root of the repository, with slashes
 * @param {string} specifier
 * @returns {string | undefined}
 */
function judge(from, specifier) {
  const isRelative = /^\.\.?(\/|$)/.test(specifier);
  const to = isRelative ? locate(from, specifier) : undefined;
  if (from.startsWith('src/')) return judgeSource(from, specifier, to);
  if (specifier.startsWith('evenkeel/')) return `the only public door is 'evenkeel'.`;
  if (to === undefined) return undefined;

  const folder = folderOf(from);
  if (isInside(to, 'src')) {
    return mayUseSource.includes(folder) || from === 'scripts/source-types.d.ts'
      ? undefined
      : `${folder} may use the public door only: import from 'evenkeel', not from ${to}.`;
  }
  const isHelper = folder.startsWith('test/') && isInside(to, 'test/helpers');
  const isTested = mayUseBench.includes(folder) && isInside(to, 'bench');
  return isInside(to, folder) || isHelper || isTested
    ? undefined
    : `${folder} may not import ${to}: only 'evenkeel', packages and its own files` +
        `${folder.startsWith('test/') ? ', and test/helpers' : ''}.`;
}

/**
 * @param {string} from
 * @param {string} specifier
 * @param {string | undefined} to
 */
function judgeSource(from, specifier, to) {
  if (to === undefined) {
    return specifier.startsWith('node:')
      ? undefined
      : `src has no dependencies: '${specifier}' is neither a node: module nor a file of ours.`;
  }
  if (!isInside(to, 'src')) return `src may not import ${to}.`;
  if (!specifier.endsWith('.js')) return `write the import with its ending: '${specifier}.js'.`;
  if (to === 'src/index') return 'src/index.ts is the door out: nothing of src imports it.';
  if (from === 'src/index.ts') return undefined;

  const room = roomOf(from);
  const allowed = mayUse[room];
  if (allowed === undefined) {
    return `${from} is in no room: add '${room}' to the table in scripts/eslint-rooms.mjs.`;
  }
  const other = roomOf(to);
  if (other === room || allowed.includes(other)) {
    const circle = pathBetween(`${to}.ts`, from, new Set());
    return circle === undefined ? undefined : `circular import: ${[from, ...circle].join(' -> ')}.`;
  }
  const list = allowed.length === 0 ? 'nothing of ours' : allowed.join(', ');
  return `${room} may not import ${other}; it may use ${list}.`;
}

/**
 * The imports that lead from one file to another, both included.
 * @param {string} from
 * @param {string} to
 * @param {Set<string>} seen
 * @returns {string[] | undefined}
 */
function pathBetween(from, to, seen) {
  if (from === to) return [to];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const next of importsOf(from)) {
    const rest = pathBetween(next, to, seen);
    if (rest !== undefined) return [from, ...rest];
  }
  return undefined;
}

/** @type {Map<string, { changed: number, imports: string[] }>} */
const known = new Map();

/**
 * The files of ours that a file imports.
 * @param {string} file
 */
function importsOf(file) {
  const path = resolve(root, file);
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (changed === undefined) return [];
  const before = known.get(file);
  if (before?.changed === changed) return before.imports;
  const imports = ts
    .preProcessFile(readFileSync(path, 'utf8'))
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => `${locate(file, fileName)}.ts`);
  known.set(file, { changed, imports });
  return imports;
}

/**
 * The imported file, from the root of the repository, without its ending.
 * @param {string} from
 * @param {string} specifier
 */
function locate(from, specifier) {
  const path = relative(root, resolve(root, dirname(from), specifier));
  return path
    .split(sep)
    .join('/')
    .replace(/\.\w+$/, '');
}

/**
 * `src/nn/linear` is in nn.
 * @param {string} path
 */
function roomOf(path) {
  return (path.split('/')[1] ?? '').replace(/\.\w+$/, '');
}

/**
 * `test/golden/case.test.ts` is in test/golden, `bench/peers/torch.ts` in bench.
 * @param {string} path
 */
function folderOf(path) {
  const parts = path.split('/').slice(0, -1);
  return parts.slice(0, parts[0] === 'test' ? 2 : 1).join('/') || '.';
}

/**
 * @param {string} path
 * @param {string} folder
 */
function isInside(path, folder) {
  return folder === '.' || path === folder || path.startsWith(`${folder}/`);
}
