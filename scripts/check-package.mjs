// `npm run package`: what a user gets. publint and are-the-types-wrong on the tarball, then what is in it: no
// test, no leftover of a compiler, no source map that points nowhere, no dependency, at most 4 MB.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';

import { must, parseJson, root } from './tools.mjs';

const LIMIT = 4e6;
/** What a package of ours may hold. */
const ALLOWED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|COMPATIBILITY\.md|SECURITY\.md|CMakeLists\.txt|sbom\.cdx\.json)$/,
  /^dist\/(index|[\w-]+\/[\w-]+)\.(mjs|d\.mts)$/,
  /^dist\/cjs\/(package\.json|[\w-]+(\/[\w-]+)*\.(js|d\.ts)(\.map)?)$/,
  /^dist\/cjs\/report\/echarts\.LICENSE\.txt$/,
  /^(dist\/cjs|src)\/doctor\/report\/report\.schema\.json$/,
  /^dist\/bench\/[\w-]+(\/[\w-]+)*\.(js|py)$/,
  /^src\/[\w-]+(\/[\w-]+)*\.(d\.)?ts$/,
  /^(native|binding)\/[\w-]+(\/[\w-]+)*\.(cc|h|inc|cmake)$/,
  /^prebuilds\/[\w-]+\/evenkeel\.node$/,
  /^scripts\/build-native\.mjs$/,
];

/** @typedef {{ filename: string, size: number, unpackedSize: number, files: { path: string }[] }} Packed */

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-package-'));
try {
  // Without scripts: prepack would refuse a package without binaries, and a check of the rest needs none.
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [packed] = /** @type {[Packed]} */ (parseJson(run('npm', args)));
  const tarball = join(folder, packed.filename);
  node('publint/src/cli.js', ['run', '--strict', tarball]);
  node('@arethetypeswrong/cli/dist/index.js', [
    tarball,
    '--no-emoji',
    // TypeScript's resolution of before 2022 knows no exports, and so no second door.
    ...['--profile', 'node16'],
  ]);
  const problems = problemsOf(packed);
  for (const problem of problems) console.error(`package: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
  else {
    const binaries = packed.files.filter(({ path }) => path.endsWith('.node'));
    const [size, all] = [packed.size, packed.unpackedSize].map((n) => `${(n / 1e6).toFixed(2)} MB`);
    console.log(
      `package: ${size}, ${all} unpacked, ${packed.files.length} files, ${binaries.length} binaries, 0 dependencies`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @param {Packed} packed
 * @returns {string[]}
 */
function problemsOf({ size, files }) {
  const paths = new Set(files.map(({ path }) => path));
  const problems = [...paths]
    .filter((path) => !ALLOWED.some((pattern) => pattern.test(path)))
    .map((path) => `${path} is none of the files that belong into the package`);
  for (const path of [...paths].filter((each) => each.endsWith('.map'))) {
    const { sources } = /** @type {{ sources: string[] }} */ (readJson(path));
    const lost = sources.filter((source) => !paths.has(posix.join(dirname(path), source)));
    if (lost.length > 0)
      problems.push(`${path} points to ${lost.join(', ')}, which is not in the package`);
  }
  if (size > LIMIT) problems.push(`${size} bytes are more than ${LIMIT}`);
  const manifest = /** @type {Record<string, unknown> & { scripts: Record<string, string> }} */ (
    readJson('package.json')
  );
  for (const kind of ['dependencies', 'optionalDependencies', 'bundleDependencies']) {
    if (manifest[kind] !== undefined) problems.push(`package.json has ${kind}`);
  }
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) {
    if (manifest.scripts[script] !== undefined)
      problems.push(`package.json has a script '${script}'`);
  }
  return problems;
}

/**
 * @param {string} path
 * @returns {unknown}
 */
function readJson(path) {
  return parseJson(readFileSync(join(root, path), 'utf8'));
}

/**
 * @param {string} program - a file of our packages
 * @param {string[]} args
 */
function node(program, args) {
  console.log(run(process.execPath, [join(root, 'node_modules', program), ...args]).trimEnd());
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  return must(command, args, { cwd: root, shell: process.platform === 'win32' });
}
