// Which files may import which, for the whole tree. `npm run rooms` (part of `npm run lint`) holds every file to
// it, and test/packaging/rooms.test.ts breaks each rule once. A folder of src/ is a room: a new one needs a row.

const numbers = ['functional', 'run', 'tensor', 'autograd', 'memory', 'addon', 'check'];
const training = ['optim', 'data', 'checkpoint', 'nn', ...numbers];

/**
 * Each room of src/ and the other rooms it may use.
 * @type {Record<string, readonly string[]>}
 */
export const mayUse = {
  check: [],
  addon: ['check'],
  memory: ['addon', 'check'],
  autograd: ['memory', 'addon', 'check'],
  run: ['memory', 'addon', 'check'],
  tensor: ['run', 'autograd', 'memory', 'addon', 'check'],
  functional: ['run', 'tensor', 'autograd', 'memory', 'addon', 'check'],
  nn: numbers,
  optim: ['run', 'tensor', 'autograd', 'memory', 'addon', 'check'],
  data: ['functional', 'tensor', 'memory', 'addon', 'check'],
  checkpoint: ['run', 'tensor', 'memory', 'addon', 'check'],
  report: ['addon', 'check'],
  doctor: ['report', ...training],
  distributed: training,
  cli: ['doctor', 'distributed', 'report', ...training],
};

/** Rooms that may import packages: these are bundled when the package is built. */
const mayUsePackages = ['report', 'cli'];

/**
 * What a folder outside of src/ may import besides its own files, packages and the public door `evenkeel`.
 * @type {Record<string, readonly string[]>}
 */
const mayAlsoUse = {
  bench: ['src/cli', 'src/report', 'src/addon', 'examples'], // the addon for the bare passes over memory alone
  examples: ['src/cli', 'src/report'],
  scripts: ['test/helpers'],
  'test/helpers': [],
  'test/unit': ['test/helpers', 'src'],
  'test/golden': ['test/helpers', 'examples/architectures'],
  'test/parity': ['test/helpers'],
  'test/property': ['test/helpers'],
  'test/native': ['test/helpers', 'src'],
  'test/packaging': ['test/helpers', 'examples'],
  'test/doctor': ['test/helpers'],
  'test/stress': ['test/helpers', 'src'],
  'test/report': ['test/helpers', 'src'],
  'test/distributed': ['test/helpers', 'src'],
  'test/bench': ['test/helpers', 'bench', 'src/cli'],
};

/** @type {(folders: readonly string[]) => string} */
const inside = (folders) => `^(${folders.join('|')})/`;
/** @type {(rooms: readonly string[]) => string} */
const inSource = (rooms) => `^src/(${rooms.join('|')})/`;
/** @type {(folders: readonly string[]) => string} */
const list = (folders) => folders.join(', ') || 'nothing else';
const tree = '^(src|bench|examples|scripts|test)/';
const doorOut = '^src/index\\.ts$';
/** TypeScript finds the package's own name here; the file re-exports src/index.ts. */
const door = '^scripts/source-types';

/** @type {(name: string, comment: string, from: object, to: object) => object} */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

export default {
  forbidden: [
    forbid('no-circle', 'Imports form no circle; imports of types count.', {}, { circular: true }),
    forbid(
      'leads-somewhere',
      'An import leads to a file or an installed package. What the build makes may not be there yet.',
      {},
      { couldNotResolve: true, pathNot: '(^|/)dist/' },
    ),
    forbid(
      'folder-has-a-row',
      'A folder has a row in mayUse (src/) or mayAlsoUse (elsewhere).',
      {
        path: tree,
        pathNot: [inSource(Object.keys(mayUse)), inside(Object.keys(mayAlsoUse)), doorOut],
      },
      {},
    ),
    ...Object.entries(mayUse).map(([room, others]) =>
      forbid(
        `src-${room}`,
        `src/${room} may use ${list(others)}.`,
        { path: inSource([room]) },
        { path: '^src/', pathNot: [inSource([room, ...others]), '^src/globals\\.d\\.ts$'] },
      ),
    ),
    forbid(
      'src-has-no-dependency',
      `src/ imports no other folder, and packages only in ${list(mayUsePackages)}, where they are bundled.`,
      { path: '^src/', pathNot: inSource(mayUsePackages) },
      { pathNot: tree, dependencyTypesNot: ['core', 'unknown'] },
    ),
    forbid(
      'src-is-alone',
      'src/ imports no other folder.',
      { path: '^src/' },
      { path: tree, pathNot: '^src/' },
    ),
    ...Object.entries(mayAlsoUse).map(([folder, others]) =>
      forbid(
        folder.replace('/', '-'),
        `${folder} may use the public door, packages, its own files and ${list(others)}.`,
        { path: `^${folder}/`, pathNot: door },
        { path: tree, pathNot: [inside([folder, ...others]), door] },
      ),
    ),
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: ['^bench/results/', '^bench/peers/\\.packages/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
